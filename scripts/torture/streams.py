"""Odd surroundings: output that can't be written, pipes in the place of files, names that are no UTF-8, grids
without end, foreign files. Each is one command with the code that it must exit with."""

import os
import shutil

import program
import results
from campaign import Campaign
from program import BAD_SETUP, HANG_S, INTERNAL, OK, Running, general_faults

_GRID = """temperature = { from = 0.0, to = 999.9, step = 0.1 }
seed = { from = 0, count = 10000 }
"""


class _Case:
    def __init__(self, name, arguments, codes, *, out=None, prepare=None, **options):
        self.name, self.arguments, self.codes = name, arguments, set(codes)
        # The results that must be those of the undisturbed run.
        self.out, self.prepare, self.options = out, prepare, options


def _full(name):
    return lambda: {name: os.open("/dev/full", os.O_WRONLY)}


def _closed_pipe(name):
    def make():
        read, write = os.pipe()
        os.close(read)
        return {name: write}

    return make


def _read_only(name):
    return lambda: {name: os.open("/dev/null", os.O_RDONLY)}


def _write(path, contents):
    return lambda folder: (folder / path).write_bytes(contents)


def _fifo(name):
    return lambda folder: os.mkfifo(folder / name)


def _fifo_in(name, fixture):
    def prepare(folder):
        _copy(fixture, folder)
        (folder / "out" / name).unlink()
        os.mkfifo(folder / "out" / name)

    return prepare


def _copy(fixture, folder):
    shutil.copytree(fixture.reference, folder / "out")


def _cases(fixture):
    experiment = fixture.experiment
    run = ["run", experiment, "--out", "out"]
    text = experiment.read_text()
    grid = "\n".join(line for line in text.splitlines() if not line.startswith(("temperature", "seed")))
    grid = grid.replace("[prompts]", _GRID + "[prompts]").replace("m.scripted.toml", str(fixture.folder / "m.scripted.toml"))
    fifo_prompts = "\n".join('file = "f.jsonl"' if line.startswith("inline") else line for line in text.splitlines())
    long_name = text.replace('path = "m.scripted.toml"', f'path = "{fixture.folder}/m.scripted.toml"')
    odd = os.fsdecode(b"x\xffy")
    record = (fixture.reference / results.JOURNAL).read_bytes()[:40]
    return [
        # Results have room, whatever becomes of what is said.
        _Case("stderr on a full disk", run, [OK], out="out", streams=_full("stderr")),
        _Case("stderr into a closed pipe", run, [OK], out="out", streams=_closed_pipe("stderr")),
        _Case("stderr read-only", run, [OK], out="out", streams=_read_only("stderr")),
        _Case("stdout on a full disk", run, [OK, INTERNAL], out="out", streams=_full("stdout")),
        _Case("stdout into a closed pipe", run, [OK, INTERNAL], out="out", streams=_closed_pipe("stdout")),
        _Case("a refusal, stderr on a full disk", ["report", "nosuch"], [BAD_SETUP], streams=_full("stderr")),
        _Case("a refusal, stderr into a closed pipe", ["report", "nosuch"], [BAD_SETUP], streams=_closed_pipe("stderr")),
        _Case("usage, stderr on a full disk", ["nosuch"], [program.USAGE], streams=_full("stderr")),
        _Case("no stdin, stdout, stderr at all", run, [OK, INTERNAL], out="out", before=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]),
        _Case("no HOME, no TMPDIR, no PATH", run, [OK], out="out", before=["env", "-u", "HOME", "-u", "TMPDIR", "-u", "PATH"]),
        _Case("the C locale", run, [OK], out="out", env={"LC_ALL": "C", "LANG": "C"}),
        # Names.
        _Case("a results folder that is not UTF-8", ["run", experiment, "--out", odd], [OK], out=odd),
        _Case("a plan of an experiment that is not UTF-8", ["plan", odd], [BAD_SETUP, OK], prepare=lambda f: (f / odd).write_text(long_name)),
        _Case("a report of a folder that is not UTF-8", ["report", odd], [BAD_SETUP]),
        _Case("a score of a file that is not UTF-8", ["score", odd], [OK], prepare=lambda f: (f / odd).write_text("one two")),
        # What never ends.
        _Case("a grid of 10^8", ["plan", "grid.toml"], [BAD_SETUP], prepare=_write("grid.toml", grid.encode())),
        _Case("a pipe as experiment", ["plan", "f"], [BAD_SETUP], prepare=_fifo("f"), limit_s=10),
        _Case("a pipe as prompts", ["plan", "x.toml"], [BAD_SETUP], limit_s=10, prepare=lambda f: (_write("x.toml", fifo_prompts.encode())(f), _fifo("f.jsonl")(f))),
        _Case("a pipe as plan", ["report", "out"], [BAD_SETUP], prepare=_fifo_in("plan.json", fixture), limit_s=10),
        _Case("a pipe as manifest", ["report", "out"], [BAD_SETUP], prepare=_fifo_in("manifest.json", fixture), limit_s=10),
        _Case("a pipe as journal, reported", ["report", "out"], [BAD_SETUP], prepare=_fifo_in(results.JOURNAL, fixture), limit_s=10),
        _Case("a pipe as journal, resumed", run, [BAD_SETUP], prepare=_fifo_in(results.JOURNAL, fixture), limit_s=10),
        _Case("a pipe as baseline", ["check", "out", "--baseline", "f"], [BAD_SETUP], limit_s=10, prepare=lambda f: (_copy(fixture, f), _fifo("f")(f))),
        _Case("an endless file as experiment", ["plan", "/dev/zero"], [BAD_SETUP], limit_s=10),
        # Files of others.
        _Case("notes called trials.jsonl", run, [BAD_SETUP], prepare=lambda f: ((f / "out").mkdir(), _write("out/trials.jsonl", b"private notes")(f)), keeps=("out/trials.jsonl", b"private notes")),
        _Case("nothing but a torn record", run, [OK], out="out", prepare=lambda f: (_copy(fixture, f), _write("out/trials.jsonl", record)(f))),
        _Case("a folder called trials.jsonl", run, [BAD_SETUP], prepare=lambda f: (f / "out" / "trials.jsonl").mkdir(parents=True)),
        _Case("a file in the place of the folder", run, [BAD_SETUP], prepare=_write("out", b"mine"), keeps=("out", b"mine")),
        _Case("a link to itself as results", run, [BAD_SETUP], prepare=lambda f: (f / "out").symlink_to("out")),
    ]  # fmt: skip


def run(setting, fixtures):
    campaign = Campaign(setting, "streams")
    if not setting.selects(campaign):
        return []
    fixture = fixtures.get("quick")
    cases = _cases(fixture)

    def attack(index, rng, folder):
        case = cases[index]
        options = dict(case.options)
        limit_s, keeps = options.pop("limit_s", HANG_S), options.pop("keeps", None)
        streams = options.pop("streams", dict)()
        if case.prepare:
            case.prepare(folder)
        command = [setting.binary, *case.arguments]
        running = Running(command, folder, cwd=folder, **options, **streams)
        for descriptor in streams.values():
            os.close(descriptor)
        ended = running.wait(limit_s)
        told = f"[{case.name}]"
        problems = general_faults(ended, command)
        if ended is not None and ended.code in program.DOCUMENTED - case.codes:
            problems.append(f"exit code {ended.code}, expected one of {sorted(case.codes)}")
        if orphans := running.orphans():
            problems.append(f"{len(orphans)} workers are left")
        if case.out is not None:
            problems += results.differences(folder / case.out, fixture.reference)
        if keeps and results.read(folder / keeps[0]) != keeps[1]:
            problems.append(f"{keeps[0]} was changed")
        for problem in problems:
            campaign.fault(index, f"{problem} {told}", command, folder)

    campaign.run(range(len(cases)), attack)
    return [campaign]
