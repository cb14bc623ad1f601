"""Starts programs, times whole ones, and keeps servers for as long as they are asked. Knows no program by name."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass

import machine
from failures import Failed, TookTooLong, how_it_ended, last_words

# What took longer hangs.
LIMIT_S = 7200
# A server compiles its kernels first, on busy cores.
START_S = 1800
STOP_S = 20
# What the user's shell says must not change what is measured.
_OURS = ("MOE_SWEEP_", "OMP_", "GOMP_", "GGML_", "LLAMA_ARG_", "OPENBLAS_", "VLLM_")


@dataclass
class Ended:
    seconds: float
    load: float
    stdout: str


def environment(extra=None):
    """The user's environment, without what sets threads and kernels, and with `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | (extra or {})


def timed(command, extra=None, limit=LIMIT_S):
    """One whole process, from its start to its end. Failed where it fails, TookTooLong after `limit` seconds."""
    command = [os.fspath(part) for part in command]
    load, begun = machine.load(), time.monotonic()
    try:
        done = subprocess.run(
            command, env=environment(extra), capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TookTooLong(f"took more than {limit} s") from error
    except OSError as error:
        raise Failed(f"{command[0]} does not start: {error.strerror}") from error
    if done.returncode != 0:
        raise Failed(f"{how_it_ended(done.returncode)}: {last_words(done.stderr or done.stdout)}")
    return Ended(time.monotonic() - begun, load, done.stdout)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def server(command, port, log, extra=None):
    """A server while the block runs, begun when it answers /health. Its start is not measured."""
    command = [os.fspath(part) for part in command]
    with open(log, "wb") as said:
        process = subprocess.Popen(
            command,
            env=environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_healthy(process, port, log)
        yield
    finally:
        _stop(process)


def _wait_until_healthy(process, port, log):
    begun = time.monotonic()
    while time.monotonic() - begun < START_S:
        if process.poll() is not None:
            said = last_words(log.read_text(errors="replace"))
            raise Failed(f"{how_it_ended(process.returncode)} while it started: {said}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise Failed(f"does not answer {START_S} s after its start: {last_words(log.read_text(errors='replace'))}")


def _stop(process):
    """Ends the server and what it started: its session is its own."""
    for number in (15, 9):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
