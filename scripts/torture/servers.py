#!/usr/bin/env python3
"""Runs the program against every mode of hostile.py and hostile_hub.py, and says what fell.

    servers.py BINARY [--api API]... [--now] [--whole] [--only PART]... [--jobs N] [--keep DIR]

Each run must end in time, with a documented exit code, in little memory, without a worker left behind, and with no
eight letters of the key in any file, on stdout or stderr, or in the list of processes. `--now` has texts answered so
in the probe as well; `--whole` asks for them at once (`delivery = "whole"`). Prints each fault, and a line of JSON at the end; exits with 1 where there was a fault.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import hostile
import hostile_hub

HERE = pathlib.Path(__file__).parent
KEY = "sk-Hx7Q2m9ZkV4tB8wT3eRjY6uP"
# Nothing wrong, texts failed or missing, refused before anything ran.
CODES = (0, 3, 96)
LIMIT_S = 90
# The hub's clients wait half a minute for a server that says nothing, three times.
HUB_LIMIT_S = 180
LIMIT_MB = 200
EXPERIMENT = """
schema = 1
name = "x"
[generate]
max_tokens = 16
context = 256
[grid]
model = ["t"]
chain = ["pure"]
temperature = [0.9]
[prompts]
inline = ["first one", "second one"]
[[model]]
id = "t"
server = "srv"
[[server]]
id = "srv"
url = "http://127.0.0.1:{port}"
api = "{api}"
key_env = "TORTURE_KEY"
silence_s = 1
answer_s = 4
patience_s = 1
"""


def runs_of(text, length=8):
    return {text[at : at + length].encode() for at in range(len(text) - length + 1)}


RUNS = runs_of(KEY)


def holds_key(data):
    return any(run in data for run in RUNS)


def processes(mark):
    """Those that were started with the mark, and their command lines."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes()
            except OSError:
                pass
    return found


def run(command, folder, environment, limit_s):
    """Runs a command; what it said, how it ended, and what was wrong with that."""
    mark = f"TORTURE_MARK={folder.name}".encode()
    ours = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    plain = {name: value for name, value in os.environ.items() if name.lower() not in ours and name[:3] != "HF_"}
    environment = {**plain, **environment, "TORTURE_MARK": folder.name, "NO_COLOR": "1"}
    faults, begun = [], time.monotonic()
    with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
        child = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        shown, over = set(), threading.Event()

        def watch():
            while not over.wait(0.3):
                shown.update(processes(mark).values())

        watcher = threading.Thread(target=watch)
        watcher.start()
        timer = threading.Timer(limit_s, child.kill)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = code = os.waitstatus_to_exitcode(status)
        over.set()
        watcher.join()
    seconds = time.monotonic() - begun
    if seconds >= limit_s:
        faults.append(f"not back within {limit_s} s")
    elif code not in CODES:
        faults.append(f"exit code {code}")
    if usage.ru_maxrss > LIMIT_MB * 1024:
        faults.append(f"{usage.ru_maxrss // 1024} MB")
    if any(holds_key(line) for line in shown):
        faults.append("the key is in the list of processes")
    # A worker notices within a second that its parent is gone.
    for _ in range(30):
        if not (left := processes(mark)):
            break
        time.sleep(0.1)
    else:
        faults.append(f"{len(left)} processes left")
        for pid in left:
            os.kill(pid, 9)
    for path in folder.rglob("*"):
        if holds_key(str(path).encode()) or path.is_file() and holds_key(path.read_bytes()):
            faults.append(f"the key is in {path.relative_to(folder)}")
    stderr = (folder / "stderr").read_bytes()
    if b"panicked" in stderr:
        faults.append("it panicked")
    if b"\x1b" in stderr or b"\x1b" in (folder / "stdout").read_bytes():
        faults.append("an escape sequence reaches the terminal")
    return code, seconds, usage.ru_maxrss // 1024, faults


def server(script, *arguments):
    started = subprocess.Popen([sys.executable, HERE / script, "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return started, started.stdout.readline().decode().strip()


def ended(started):
    """What a server has to say against us."""
    started.kill()
    said = started.communicate()[1].decode(errors="replace")
    return [f"the server itself fell: {said.strip().splitlines()[-1]}"] if "Traceback" in said else [
        line for line in said.splitlines() if line.startswith("FAULT")
    ]


def try_server(binary, folder, api, name, delivery):
    started, port = server("hostile.py", name, api)
    more = f'delivery = "{delivery}"\n' + ('own_chain = "pure"\n' if api == "shimmy" else "")
    (folder / "x.toml").write_text(EXPERIMENT.format(port=port, api=api) + more)
    command = [binary, "run", "x.toml", "--out", "out"]
    *result, faults = run(command, folder, {"TORTURE_KEY": KEY}, LIMIT_S)
    return *result, faults + ended(started)


def try_hub(binary, folder, name):
    started, port = server("hostile_hub.py", name)
    (folder / "models").mkdir()
    (folder / "models/catalog.toml").write_text('[[model]]\nid = "m"\nhf = "o/r"\nfile = "q/m.gguf"\n')
    environment = {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(folder / "hf"), "HF_TOKEN": KEY}
    *result, faults = run([binary, "model", "fetch", "m"], folder, environment, HUB_LIMIT_S)
    return *result, faults + ended(started)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--api", action="append", choices=[*hostile.APIS, "hub"])
    parser.add_argument("--now", action="store_true")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()

    tries = []
    for api in args.api or [*hostile.APIS, "hub"]:
        names = list(hostile_hub.MODES if api == "hub" else hostile.modes(api))
        if args.now and api != "hub":
            names += [f"now-{name}" for name in names if hostile.MODES[name][1] == "text"]
        tries += [(api, name) for name in names if not args.only or any(part in name for part in args.only)]

    root = pathlib.Path(tempfile.mkdtemp(prefix="torture-servers-"))
    codes, slowest, most_mb, faulty = collections.Counter(), (0, ""), (0, ""), 0

    def one(index):
        api, name = tries[index]
        folder = root / f"{index}-{api}-{name}"
        folder.mkdir()
        if api == "hub":
            result = try_hub(args.binary, folder, name)
        else:
            result = try_server(args.binary, folder, api, name, "whole" if args.whole else "stream")
        if args.keep and result[-1]:
            shutil.copytree(folder, args.keep / folder.name, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        return f"{api} {name}", result

    try:
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            for what, (code, seconds, megabytes, faults) in pool.map(one, range(len(tries))):
                codes[code] += 1
                slowest, most_mb = max(slowest, (round(seconds, 1), what)), max(most_mb, (megabytes, what))
                faulty += bool(faults)
                for fault in faults:
                    print(f"{what}: {fault}", flush=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print(json.dumps({
        "campaign": "servers", "runs": len(tries), "faulty": faulty, "exit_codes": {str(code): n for code, n in sorted(codes.items())},
        "slowest_s": slowest, "most_mb": most_mb,
    }))
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
