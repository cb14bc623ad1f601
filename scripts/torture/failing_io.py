"""System calls that fail, at every site: once, or from then on; then the same command without the fault.

Calls of the C library by a shim (failing_io.c), renames, which are raw system calls, by the kernel's notifications
(failing_rename.c). A call that is only cut short or interrupted must go unnoticed.
"""

import itertools
import random
import shutil
import signal
import subprocess
import time
from collections import Counter

import program
import results
from campaign import Campaign
from program import BAD_SETUP, INTERNAL, Running, general_faults

# Which calls fail, and how.
_FAULTS = {
    "write": ["ENOSPC", "EIO", "EDQUOT", "EFBIG", "EINTR"],
    "half": ["ENOSPC", "EIO"],
    "short": ["EIO"],
    "fsync": ["EIO", "EINVAL", "ENOSPC"],
    "open": ["ENOSPC", "EROFS", "EACCES", "EMFILE"],
    "mkdir": ["ENOSPC", "EROFS", "EACCES"],
    "ftruncate": ["EIO", "EINVAL"],
    "flock": ["ENOLCK", "EOPNOTSUPP"],
    "unlink": ["EIO", "EACCES"],
    "rename": ["ENOSPC", "EIO", "EROFS", "EACCES", "EDQUOT"],
}
# Not a failure: the call is to be made again, or the rest of it.
_UNNOTICED = {("write", "EINTR"), ("short", "EIO")}
# What is disturbed: a fresh run, one that looks in between, one that takes a torn journal up, a report.
_SCENES = [("fresh", "quick"), ("fresh", "sequential"), ("torn", "loops"), ("report", "quick"), ("merge", "quick")]


def run(setting, fixtures):
    campaign = Campaign(setting, "io")
    if not setting.selects(campaign):
        return []
    tools, why_not = _compile(setting)
    if why_not:
        campaign.skip(why_not)
        return [campaign]
    scenes = [_Scene(setting, fixtures, tools, how, name) for how, name in _SCENES[: 3 if setting.reduced else None]]
    cases = [
        (scene, op, error, n, sticky)
        for scene in scenes
        for op, errors in _FAULTS.items()
        for error, n, sticky in itertools.product(errors, range(1, scene.sites[op] + 1), ["", "+"])
        # For ever interrupted is no file system.
        if not (sticky and (op, error) in _UNNOTICED)
    ]
    campaign.count(sites=sum(sum(scene.sites.values()) for scene in scenes))
    reached = {op for scene in scenes for op, n in scene.sites.items() if n}
    for op in sorted(set(_FAULTS) - reached - {"unlink"}):
        campaign.fault(0, f"no {op} was seen: the shim does not reach it", ["-"])
    cases = _each_site_first(cases, random.Random(setting.seed))
    # Each site once; all the ways of each are several thousand.
    wanted = min(setting.count or campaign.counts["sites"], len(cases))
    campaign.run(range(wanted), lambda index, rng, folder: _case(campaign, index, folder, *cases[index]))
    return [campaign]


def _each_site_first(cases, rng):
    """In any order, but so that each site has its turn before one of them has its second."""
    rng.shuffle(cases)
    turns = Counter()
    ordered = []
    for case in cases:
        site = (case[0].name, case[1], case[3])
        turns[site] += 1
        ordered.append((turns[site], len(ordered), case))
    return [case for _, _, case in sorted(ordered, key=lambda one: one[:2])]


def _compile(setting):
    here = setting.root / "scripts" / "torture"
    shim, launcher = setting.target / "failing_io.so", setting.target / "failing_rename"
    for command in (
        ["gcc", "-O2", "-Wall", "-shared", "-fPIC", "-o", shim, here / "failing_io.c", "-ldl"],
        ["gcc", "-O2", "-Wall", "-o", launcher, here / "failing_rename.c"],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return None, f"no C compiler: {error}"
        if done.returncode != 0:
            raise SystemExit(done.stderr)
    tried = subprocess.run([launcher, "EIO", "1", "/nowhere", "/dev/null", "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        return None, f"the kernel gives no seccomp notifications ({tried.stderr.decode().strip()}): renames can't be failed"
    return (shim, launcher), None


class _Scene:
    """A command, what its folder holds before, and how many calls of each kind it makes."""

    def __init__(self, setting, fixtures, tools, how, name):
        self.setting, self.fixtures, self.tools, self.how = setting, fixtures, tools, how
        self.name = f"{how} {name}"
        self.fixture = fixtures.get(name)
        self.shards = fixtures.shards(self.fixture) if how == "merge" else None
        self.torn = self._killed() if how == "torn" else None
        self.sites = self._count(["count", "rename"])

    def _count(self, ops):
        sites = Counter()
        for op in ops:
            folder = self.setting.scratch / "sites" / f"{self.name.replace(' ', '-')}-{op}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            ended, lines = self.run(folder, op, "EIO", 10**9, "")
            if ended is None or ended.code != self.fixture.code:
                raise SystemExit(f"{self.name} does not run under the shim: {ended and ended.stderr().decode()}")
            sites.update(line.split()[0].decode() for line in lines)
        for half in ("half", "short"):
            sites[half] = sites["write"]
        return sites

    def _killed(self):
        """A run that was killed in its middle, with a torn record at the journal's end."""
        folder = self.fixture.folder / "torn"
        shutil.rmtree(folder, ignore_errors=True)
        command = [self.setting.binary, "run", self.fixture.experiment, "--out", folder]
        running = Running(command, self.fixture.folder, cwd=self.fixture.folder, name="torn")
        while running.poll() is None and results.whole_lines(folder).count(b"\n") < 4:
            time.sleep(0.002)
        running.signal(signal.SIGKILL)
        running.wait()
        running.orphans()
        lines = results.whole_lines(folder)
        if running.ended.code != -signal.SIGKILL or not lines:
            raise SystemExit("no run could be killed in its middle")
        (folder / results.JOURNAL).write_bytes(lines + lines.splitlines()[0][:40])
        return folder

    def command(self, out):
        if self.how == "report":
            return [self.setting.binary, "report", out]
        if self.how == "merge":
            return [self.setting.binary, "merge", *self.shards, "--out", out]
        return [self.setting.binary, "run", self.fixture.experiment, "--out", out, "--threads", "1"]

    def prepare(self, out):
        if self.how == "report":
            self.fixtures.copy(self.fixture, out)
        elif self.how == "torn":
            shutil.copytree(self.torn, out)

    def run(self, folder, op, error, n, sticky):
        """How it ended, and the calls that counted, a line each."""
        out, log = folder / "out", folder / "calls.log"
        self.prepare(out)
        shim, launcher = self.tools
        env, before = {}, []
        if op == "rename":
            before = [launcher, error, f"{n}{sticky}", out, log]
        else:
            env = {"LD_PRELOAD": str(shim), "FAULT": f"{op}:{error}:{n}{sticky}", "FAULT_DIR": str(out), "FAULT_LOG": str(log)}
        running = Running(self.command(out), folder, cwd=self.fixture.folder, env=env, before=before)
        ended = running.wait()
        running.orphans()
        return ended, (results.read(log) or b"").splitlines()


def _case(campaign, index, folder, scene, op, error, n, sticky):
    out = folder / "out"
    command = scene.command(out)
    ended, lines = scene.run(folder, op, error, n, sticky)
    failed = sum(line.endswith(b"fails") for line in lines)
    told = f"[{scene.name}: {op} {error} at call {n}{' and later' if sticky else ''}]"
    campaign.count(**{"failing calls": failed, op: failed})

    def tell(problem):
        campaign.fault(index, f"{problem} {told}", command, folder)

    for problem in general_faults(ended, command):
        tell(problem)
    if ended is None:
        return
    unnoticed = not failed or (op, error) in _UNNOTICED
    if ended.code in program.DOCUMENTED - {scene.fixture.code, *(() if unnoticed else (INTERNAL, BAD_SETUP))}:
        tell(f"exit code {ended.code}: {ended.stderr()[-200:].decode(errors='replace')}")
    if ended.code == scene.fixture.code:
        # It said that all is well.
        for problem in results.differences(out, scene.fixture.reference):
            # What could not be removed is there; the next command does it.
            if not (op == "unlink" and "is left" in problem):
                tell(f"exit code {ended.code}, but {problem}")
        campaign.count(**{"went on": int(failed > 0)})
    kept = results.whole_lines(out)
    again = Running(command, folder, cwd=scene.fixture.folder, name="resumed").wait()
    for problem in general_faults(again, command):
        tell(f"resumed: {problem}")
    if again is None:
        return
    if again.code != scene.fixture.code:
        tell(f"the resume ended with {again.code}: {again.stderr()[-200:].decode(errors='replace')}")
        return
    if not results.whole_lines(out).startswith(kept):
        tell("finished trials were lost or changed")
    differing = results.differences(out, scene.fixture.reference)
    for problem in differing:
        tell(f"resumed: {problem}")
    campaign.count(identical=int(not differing))
