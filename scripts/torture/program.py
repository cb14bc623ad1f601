"""Runs moe-sweep once and tells how it ended.

Owns starting, waiting with a time limit, the search for workers that are left, and what holds of every
ending: a documented exit code, no raw escape, bounded memory. Knows nothing of what disturbs a run.
"""

import os
import resource
import signal
import subprocess
import threading
import time
from pathlib import Path

# src/exit_code.rs
OK, INTERNAL, USAGE, INCOMPLETE, NOTHING, INCONCLUSIVE, BAD_SETUP, GATE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 96, 100, 130
DOCUMENTED = {OK, INTERNAL, USAGE, INCOMPLETE, NOTHING, INCONCLUSIVE, BAD_SETUP, GATE, INTERRUPTED}

# Limits, each of them a fault when it is passed.
HANG_S = 60.0  # of a command that nothing stops
STOP_S = 10.0  # of a command that a signal asks to end
ORPHAN_S = 2.0  # of a worker whose parent is gone
MOST_BYTES = 1 << 30  # resident, of the program or a worker of it
MOST_SAID_BYTES = 64 << 10  # on stderr

# Beyond it the kernel refuses: a fault must not take the machine along. Inherited by all that is started.
ADDRESS_SPACE_BYTES = 4 << 30

_MARK = "MOE_SWEEP_TORTURE"
_counter_lock = threading.Lock()
_counter = 0
_SETTINGS = ["THREADS", "LANES", "BATCH", "SAMPLERS", "STALL_TIMEOUT", "MODELS", "CACHE", "SHARDS"]


def hear_signals():
    """What a shell has a background job ignore is not to be inherited by what is tortured: it would rightly stay ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(one, signal.SIG_DFL)


def protect_machine():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def environment(extra=None):
    env = {name: value for name, value in os.environ.items() if name.removeprefix("MOE_SWEEP_") not in _SETTINGS}
    env.update(NO_COLOR="1", **(extra or {}))
    return env


class Ended:
    """How a command ended: its exit code (of a signal: minus its number, as for subprocess), and what it said."""

    def __init__(self, code, seconds, peak_bytes, said):
        self.code, self.seconds, self.peak_bytes, self.said = code, seconds, peak_bytes, said

    def stdout(self):
        return _read(self.said[0])

    def stderr(self):
        return _read(self.said[1])


def _read(path):
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


class Running:
    """A command in a process group of its own, with its output in files of `folder`."""

    def __init__(self, command, folder, *, cwd, env=None, name="said", stdout=None, stderr=None, before=(), limits=()):
        global _counter
        with _counter_lock:
            _counter += 1
            self.mark = f"{os.getpid()}-{_counter}"
        self.command = [os.fspath(part) for part in command]
        self.folder = Path(folder)
        self.said = (self.folder / f"{name}.out", self.folder / f"{name}.err")
        self.tee = None
        self.begun = time.monotonic()
        out = stdout if stdout is not None else open(self.said[0], "wb")
        err = stderr if stderr is not None else open(self.said[1], "wb")
        self.process = subprocess.Popen(
            [*before, *self.command],
            cwd=cwd,
            env=environment({**(env or {}), _MARK: self.mark}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            process_group=0,
        )
        for kind, limit in limits:
            try:
                resource.prlimit(self.process.pid, kind, (limit, limit))
            except ProcessLookupError:
                pass
        for file, given in ((out, stdout), (err, stderr)):
            if given is None:
                file.close()
        self.ended = None

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number, group=False):
        """True where there was somebody to send it to. Only to a process that was not waited for: its number is its own."""
        if self.ended is not None or self.poll() is not None:
            return False
        try:
            (os.killpg if group else os.kill)(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def poll(self):
        if self.ended is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self.process.returncode = code
                self.ended = Ended(code, time.monotonic() - self.begun, usage.ru_maxrss * 1024, self.said)
        return self.ended

    def wait(self, limit_s=HANG_S):
        """None where it hangs: then it is killed, with its workers."""
        end = time.monotonic() + limit_s
        while self.poll() is None:
            if time.monotonic() > end:
                self.signal(signal.SIGKILL)
                while self.poll() is None:
                    time.sleep(0.01)
                for pid in self.left():
                    _kill(pid, signal.SIGKILL)
                return None
            time.sleep(0.004)
        return self.ended

    def left(self):
        """Its processes other than itself, by the mark in their environment: workers, and nobody else's."""
        wanted = f"{_MARK}={self.mark}".encode()
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != self.pid:
                try:
                    with open(f"/proc/{entry}/environ", "rb") as file:
                        here = wanted in file.read().split(b"\0")
                    # A zombie has no environment; one that is being ended may still show it.
                    if here:
                        found.append(int(entry))
                except OSError:
                    pass
        return found

    def worker(self):
        """The youngest worker, if there is one by now."""
        return max(self.left(), default=None)

    def orphans(self):
        """Workers that outlive it by more than ORPHAN_S. They are ended."""
        end = time.monotonic() + ORPHAN_S
        while left := self.left():
            if time.monotonic() > end:
                for pid in left:
                    _kill(pid, signal.SIGKILL)
                return left
            time.sleep(0.01)
        return []


def _kill(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


send = _kill


def general_faults(ended, command, *, sent=(), starved=False):
    """What is wrong with any ending: `sent` are the signals that it may have died of. `starved` is what was given too
    little memory: there a worker may panic, and its last words are quoted."""
    if ended is None:
        return [f"hang: no end within {HANG_S:.0f} s, or {STOP_S:.0f} s after a signal"]
    faults = []
    if ended.code < 0 and -ended.code not in sent:
        faults.append(f"died of signal {-ended.code}, which nobody sent")
    elif ended.code >= 0 and ended.code not in DOCUMENTED:
        faults.append(f"exit code {ended.code} is not documented")
    if not starved and b"panicked at" in ended.stderr():
        faults.append("a panic on stderr")
    if b"\x1b" in ended.stdout() or b"\x1b" in ended.stderr():
        faults.append("a raw escape on stdout or stderr")
    if len(ended.stderr()) > MOST_SAID_BYTES:
        faults.append(f"{len(ended.stderr())} bytes on stderr, {MOST_SAID_BYTES} are the limit")
    if ended.peak_bytes > MOST_BYTES:
        faults.append(f"{ended.peak_bytes >> 20} MiB resident, {MOST_BYTES >> 20} are the limit")
    return faults
