"""Too little of what a machine has: disks that fill up, memory that runs out; then the same command with enough."""

import resource
import subprocess
import time

import program
import results
from campaign import Campaign
from program import BAD_SETUP, INCOMPLETE, INTERNAL, OK, Running, general_faults

_MIB = 1 << 20
# The address space of a run, by its model. From these on it must not show; below, the run may fail, but not lie.
_ENOUGH_MIB = {"quick": 300, "dense": 700, "deepseek": 700}
# What is out of memory aborts, by Rust's and by llama.cpp's choice: not a code of ours, but a known end.
_ABORTED = {-6, -11, -9}
# The limits stay: to wait for more is to wait in vain.
_IMPATIENT = ["--wait-for-memory", "1"]


def run(setting, fixtures):
    wanted = setting.count or 150
    return [
        _full_disks(setting, fixtures, max(wanted // 2, 3)),
        _memory(setting, fixtures, max(wanted // 4, 3)),
        _worker_memory(setting, fixtures, max(wanted // 4, 3)),
    ]


def _full_disks(setting, fixtures, cases):
    campaign = Campaign(setting, "limits/disk")
    if not setting.selects(campaign):
        return campaign
    probe = setting.scratch / "mount"
    probe.mkdir(parents=True, exist_ok=True)
    if why := _mount(probe, 64):
        campaign.skip(f"a small file system can't be mounted here: {why}")
        return campaign
    _unmount(probe)

    def case(index, rng, folder):
        fixture = fixtures.get(["quick", "sequential", "loops"][index % 3])
        disk = folder / "disk"
        disk.mkdir()
        # Up to more than the whole of a run, its plots included.
        kib = rng.choice([4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 512])
        if why := _mount(disk, kib):
            campaign.fault(index, f"not mounted: {why}", ["mount"], None)
            return
        try:
            _fill(campaign, index, fixture, disk, kib, folder)
        finally:
            _unmount(disk)

    campaign.run(range(cases), case)
    return campaign


def _fill(campaign, index, fixture, disk, kib, folder):
    out = disk / "out"
    command = [campaign.setting.binary, "run", fixture.experiment, "--out", out]
    told = f"[{fixture.name} on {kib} KiB]"
    ended = Running(command, folder, cwd=fixture.folder).wait()
    full = ended is not None and ended.code in (INTERNAL, BAD_SETUP)
    campaign.count(full=int(full), fits=int(not full))
    for problem in _problems(ended, command, {fixture.code, INTERNAL, BAD_SETUP}):
        campaign.fault(index, f"{problem} {told}", command, folder)
    kept = results.whole_lines(out)
    subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True, capture_output=True)
    _resume(campaign, index, fixture, command, out, kept, folder, told)


def _mount(folder, kib):
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "torture", folder], capture_output=True, text=True, check=False
    )
    return done.stderr.strip() if done.returncode else None


def _unmount(folder):
    for _ in range(20):
        if subprocess.run(["umount", folder], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "-l", folder], capture_output=True, check=False)


def _memory(setting, fixtures, cases):
    campaign = Campaign(setting, "limits/memory")
    if not setting.selects(campaign):
        return campaign

    def case(index, rng, folder):
        name = ["quick", "quick", "dense", "deepseek"][index % 4]
        fixture = fixtures.get(name)
        mib = rng.choice([20, 40, 60, 80, 100, 150, 200, 250, 300, 400, 500, 700, 1000, 1500, 2000, 3000])
        out = folder / "out"
        command = [setting.binary, "run", fixture.experiment, "--out", out, "--threads", "1", *_IMPATIENT]
        told = f"[{name} in {mib} MiB of address space]"
        ended = Running(command, folder, cwd=fixture.folder, before=["prlimit", f"--as={mib * _MIB}"]).wait()
        enough = mib >= _ENOUGH_MIB[name]
        campaign.count(**{"with enough" if enough else "with too little": 1})
        aborted = ended is not None and not enough and ended.code in _ABORTED
        campaign.count(aborted=int(aborted))
        codes = {fixture.code} if enough else {fixture.code, INTERNAL, INCOMPLETE, BAD_SETUP}
        for problem in [] if aborted else _problems(ended, command, codes, starved=not enough):
            campaign.fault(index, f"{problem} {told}", command, folder)
        _resume(campaign, index, fixture, command, out, results.whole_lines(out), folder, told, retry=not enough)

    campaign.run(range(cases), case)
    return campaign


def _worker_memory(setting, fixtures, cases):
    """The worker alone is limited, while it loads or works."""
    campaign = Campaign(setting, "limits/worker")
    if not setting.selects(campaign):
        return campaign

    def case(index, rng, folder):
        fixture = fixtures.get(["scripted", "dense", "deepseek"][index % 3])
        mib = rng.choice([20, 50, 100, 150, 200, 300, 500])
        out = folder / "out"
        command = [setting.binary, "run", fixture.experiment, "--out", out, "--threads", "1", *_IMPATIENT]
        running = Running(command, folder, cwd=fixture.folder)
        moment = rng.uniform(0, fixture.seconds * 0.8)
        limited = set()
        while running.poll() is None:
            if time.monotonic() - running.begun >= moment and (worker := running.worker()) and worker not in limited:
                try:
                    resource.prlimit(worker, resource.RLIMIT_AS, (mib * _MIB, mib * _MIB))
                    limited.add(worker)
                except (ProcessLookupError, PermissionError):
                    pass
            time.sleep(0.005)
        ended = running.wait()
        campaign.count(**{"limited workers": len(limited)})
        told = f"[{fixture.name}, workers in {mib} MiB from {moment:.2f} s on]"
        for problem in _problems(ended, command, {OK, INTERNAL, INCOMPLETE, BAD_SETUP}, starved=True):
            campaign.fault(index, f"{problem} {told}", command, folder)
        if orphans := running.orphans():
            campaign.fault(index, f"{len(orphans)} workers are left {told}", command, folder)
        _resume(campaign, index, fixture, command, out, results.whole_lines(out), folder, told, retry=True)

    campaign.run(range(cases), case)
    return campaign


def _problems(ended, command, codes, starved=False):
    problems = general_faults(ended, command, starved=starved)
    if ended is not None and ended.code in program.DOCUMENTED - codes:
        said = ended.stderr()[-200:].decode(errors="replace")
        problems.append(f"exit code {ended.code}, expected one of {sorted(codes)}: {said}")
    return problems


def _resume(campaign, index, fixture, command, out, kept, folder, told, retry=False):
    again = [*command, "--retry-failed"] if retry else command
    ended = Running(again, folder, cwd=fixture.folder, name="resumed").wait()
    problems = [f"resumed: {problem}" for problem in _problems(ended, again, {fixture.code})]
    if ended is not None and not problems:
        if not results.whole_lines(out).startswith(kept):
            problems.append("finished trials were lost or changed")
        problems += [f"resumed: {problem}" for problem in results.differences(out, fixture.reference)]
    for problem in problems:
        campaign.fault(index, f"{problem} {told}", again, folder)
    campaign.count(identical=int(not problems))
