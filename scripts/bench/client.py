"""Asks an HTTP server for texts, as many at once as there are clients. Knows no server by name."""

import http.client
import json
import queue
import threading
import time
from dataclasses import dataclass

import machine
from failures import Failed, last_words

ANSWER_S = 1800


@dataclass
class Answers:
    seconds: float
    load: float
    texts: int
    tokens: int


def ask_all(port, path, bodies, clients, count_tokens):
    """Posts every body and waits for all answers, which come whole. `count_tokens` finds an answer's new tokens.

    Bodies are asked for in their order; each client keeps its connection, and asks for the next one when its answer is
    there. Failed where an answer is not 200, for a server that refuses some texts is faster than one that makes all."""
    waiting = queue.SimpleQueue()
    for body in bodies:
        waiting.put(json.dumps(body))
    tokens, faults, lock = [], [], threading.Lock()

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
        try:
            while not faults:
                body = waiting.get_nowait()
                made = _ask(connection, path, body, count_tokens)
                with lock:
                    tokens.append(made)
        except queue.Empty:
            pass
        except (OSError, http.client.HTTPException, ValueError, KeyError, Failed) as error:
            faults.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    load, begun = machine.load(), time.monotonic()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begun
    if faults:
        raise Failed(last_words(faults[0]))
    return Answers(seconds, load, len(tokens), sum(tokens))


def _ask(connection, path, body, count_tokens):
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise Failed(f"answers {answer.status}: {last_words(said.decode(errors='replace'))}")
    return count_tokens(json.loads(said))
