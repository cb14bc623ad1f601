#!/usr/bin/env python3
"""A server with a known fault, for scripts/battery.py: speaks OpenAI's API, and has a language model of a few lines.

    python3 scripts/battery_server.py                              a server as it should be
    python3 scripts/battery_server.py --ignore temperature         does not look at what a request says of it
    python3 scripts/battery_server.py --default repeat_penalty=0.5   what it takes where a request says nothing
    python3 scripts/battery_server.py --faulty-from 32               takes the most probable word where so many requests wait

Prints its address, and answers until it is stopped. The model knows two hundred words. Of each, one is by far the most
probable next one, so that the text goes round in a circle wherever that one is always taken: at a temperature of 0 or near it, or
where a penalty rewards what was written. At 0.8 it is left after a few words. Temperature, seed and repeat penalty act as in llama.cpp.
"""

import argparse
import json
import math
import random
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = "toy"
WORDS = 200
# In logits. At T 0.8 the favourite is taken about three times in five, so that no circle is kept.
FAVOURITE = 5.0
OTHER = 0.5
# The favourites of all words lead into circles of so many.
PERIOD = 6
LOOKED_BACK = 64
# So long it waits for others, in seconds, as a server does that decodes them together.
GATHERED_FOR = 0.05
DEFAULTS = {"temperature": 0.8, "repeat_penalty": 1.0, "seed": 1, "max_tokens": 128}


def favourite(word):
    """The next in the word's circle."""
    first = word - word % PERIOD
    return first + (word + 1 - first) % PERIOD if first + PERIOD <= WORDS else 0


def text_of(prompt, settings):
    """Draws a text, word by word."""
    rng = random.Random(f"{prompt} {settings['seed']}")
    written = [rng.randrange(WORDS)]
    while len(written) < settings["max_tokens"]:
        logits = [OTHER] * WORDS
        logits[favourite(written[-1])] = FAVOURITE
        for seen in set(written[-LOOKED_BACK:]):
            # Of a logit above 0, as all of these are; a penalty of 0 would divide by it.
            logits[seen] /= max(settings["repeat_penalty"], 1e-3)
        written.append(choose(logits, settings["temperature"], rng))
    return [f" {spelt(word)}" for word in written]


def spelt(word):
    """Letters alone: texts whose numbers differ only are loops that count, and are taken for loops."""
    return "bcdfghjklmnpqrstvwxz"[word % 20] + "aeiou"[word // 20 % 5] + "ln"[word // 100]


def choose(logits, temperature, rng):
    if temperature <= 0:
        return logits.index(max(logits))
    most = max(logits)
    weights = [math.exp((logit - most) / temperature) for logit in logits]
    return rng.choices(range(WORDS), weights)[0]


class Company:
    """The requests that are here at a time."""

    def __init__(self):
        # Of each the most that were here while it waited.
        self.lock, self.most = threading.Lock(), {}

    @contextmanager
    def joined(self):
        """With how many a request is answered, itself among them: those that are here, or come in the next moment."""
        request = object()
        with self.lock:
            self.most[request] = 0
            for one, most in self.most.items():
                self.most[one] = max(most, len(self.most))
        try:
            time.sleep(GATHERED_FOR)
            yield self.most[request]
        finally:
            with self.lock:
                del self.most[request]


def handler(ignored, defaults, faulty_from):
    """Answers by these rules."""
    company = Company()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            self.say({"object": "list", "data": [{"id": NAME, "object": "model", "owned_by": "battery"}]})

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = {key: value for key, value in asked.items() if value is not None and key not in ignored}
            settings = DEFAULTS | defaults | {key: said[key] for key in DEFAULTS if key in said}
            if faulty_from:
                with company.joined() as together:
                    return self.answer(asked, settings | ({"temperature": 0} if together >= faulty_from else {}))
            return self.answer(asked, settings)

        def answer(self, asked, settings):
            prompt = asked["prompt"] if "prompt" in asked else asked["messages"][-1]["content"]
            words = text_of(prompt, settings)
            usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(words)}
            is_chat = self.path.endswith("chat/completions")
            if not asked.get("stream"):
                text = "".join(words)
                content = {"message": {"role": "assistant", "content": text}} if is_chat else {"text": text}
                return self.say({"choices": [{"index": 0, "finish_reason": "length", **content}], "usage": usage})
            pieces = [{"delta": {"content": word}} if is_chat else {"text": word} for word in words]
            end = {"delta": {}} if is_chat else {"text": ""}
            events = [{"choices": [{"index": 0, "finish_reason": None, **piece}]} for piece in pieces]
            events += [{"choices": [{"index": 0, "finish_reason": "length", **end}]}, {"choices": [], "usage": usage}]
            body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
            return self.send(body.encode(), "text/event-stream")

        def say(self, answer):
            self.send(json.dumps(answer).encode(), "application/json")

        def send(self, body, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


class Server(ThreadingHTTPServer):
    # As many as a client may have at a time: of more than this the next connection is tried again a second later.
    request_queue_size = 256

    def handle_error(self, request, client_address):
        # A client that has what it needs goes away.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def default(written):
    name, _, value = written.partition("=")
    if name not in DEFAULTS:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(DEFAULTS)}")
    return name, float(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ignore", action="append", default=[], choices=DEFAULTS, help="what of a request it does not look at")
    parser.add_argument("--default", action="append", default=[], type=default, metavar="NAME=VALUE", help="of a setting")
    parser.add_argument("--faulty-from", type=int, metavar="N", help="requests at a time from which on its words are the most probable ones")
    asked = parser.parse_args()
    server = Server(("127.0.0.1", 0), handler(set(asked.ignore), dict(asked.default), asked.faulty_from))
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
