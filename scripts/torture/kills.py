"""Kills: signals of every kind at random moments, to the parent, its worker, and both; then the same command again.

A case is one results folder. It is disturbed until its run comes to an end or has been disturbed ten times,
and is then resumed in peace and compared with the undisturbed run.
"""

import os
import signal
import subprocess
import time

import program
import results
from campaign import Campaign
from program import BAD_SETUP, INTERRUPTED, STOP_S, Running, general_faults

KILL, INT, TERM, HUP, STOP, CONT = (
    signal.SIGKILL,
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGSTOP,
    signal.SIGCONT,
)
MOST_DISTURBANCES = 10


class Mode:
    """A way to disturb: `act` does it; `codes` are the exit codes that may follow beside the undisturbed one."""

    def __init__(self, name, act, *, codes=(), sent=(), start=None, fails=0, ends=False):
        self.name, self.act, self.codes, self.sent = name, act, set(codes), set(sent)
        self.start = start or _start
        # How many trials it may fail: those that were alone with the worker when it died.
        self.fails = fails
        # Whether the program is asked to end, so that STOP_S holds.
        self.ends = ends


def _start(command, folder, cwd):
    return Running(command, folder, cwd=cwd)


def _start_nohup(command, folder, cwd):
    return Running(command, folder, cwd=cwd, before=["nohup"])


def _start_tee(command, folder, cwd):
    """`… 2>&1 | tee log`, of which Ctrl-C ends the tee first."""
    read, write = os.pipe()
    running = Running(command, folder, cwd=cwd, stdout=write, stderr=write)
    os.close(write)
    with open(folder / "said.err", "wb") as log:
        running.tee = subprocess.Popen(["tee"], stdin=read, stdout=log, process_group=running.pid)
    os.close(read)
    return running


def _once(number, group=False):
    return lambda running, rng: int(running.signal(number, group))


def _twice(number):
    def act(running, rng):
        sent = int(running.signal(number, True))
        time.sleep(rng.uniform(0, 0.15))
        return sent + int(running.signal(number, True))

    return act


def _worker(number):
    def act(running, rng):
        worker = running.worker()
        return int(worker is not None and running.poll() is None and program.send(worker, number))

    return act


def _workers_often(running, rng):
    sent = 0
    for _ in range(rng.randint(2, 5)):
        sent += _worker(KILL)(running, rng)
        time.sleep(rng.uniform(0.005, 0.12))
    return sent


def _both(running, rng):
    worker = running.worker()
    sent = int(running.signal(KILL))
    return sent + int(worker is not None and program.send(worker, KILL))


def _stop_parent(running, rng):
    sent = int(running.signal(STOP))
    time.sleep(rng.uniform(0.02, 0.4))
    running.signal(CONT)
    return sent


def _stop_worker(then):
    """Stops the worker; `then` is done to the parent, or else the worker goes on after a while."""

    def act(running, rng):
        worker = running.worker()
        sent = int(worker is not None and program.send(worker, STOP))
        time.sleep(rng.uniform(0.02, 0.3))
        if then is not None:
            return sent + int(running.signal(then, then == INT))
        if worker is not None:
            program.send(worker, CONT)
        return sent

    return act


_STOPPED = {INTERRUPTED}
MODES = {
    mode.name: mode
    for mode in [
        Mode("KILL parent", _once(KILL), sent=[KILL]),
        Mode("KILL worker", _worker(KILL), codes=[BAD_SETUP]),
        Mode("KILL workers often", _workers_often, codes=[BAD_SETUP, program.INCOMPLETE], fails=99),
        Mode("KILL both", _both, sent=[KILL]),
        Mode("KILL group", _once(KILL, True), sent=[KILL]),
        Mode("INT", _once(INT, True), codes=_STOPPED, sent=[INT], ends=True),
        Mode("TERM", _once(TERM), codes=_STOPPED, sent=[TERM], ends=True),
        Mode("HUP", _once(HUP, True), codes=_STOPPED, sent=[HUP], ends=True),
        Mode("INT twice", _twice(INT), codes=_STOPPED, sent=[INT], ends=True),
        Mode("INT into tee", _once(INT, True), codes=_STOPPED, sent=[INT], start=_start_tee, ends=True),
        Mode("HUP under nohup", _once(HUP, True), start=_start_nohup),
        Mode("STOP parent", _stop_parent),
        Mode("STOP worker", _stop_worker(None)),
        Mode("STOP worker, KILL parent", _stop_worker(KILL), sent=[KILL]),
        Mode("STOP worker, INT", _stop_worker(INT), codes=_STOPPED, sent=[INT], ends=True),
    ]
}
# Where the worker is alone with what it fails, a kill of it is taken for that text's doing: on this fixture only.
_BLAMED = "abort"
_FIXTURES = ["scripted"] * 5 + ["loops"] * 2 + ["abort"] * 2 + ["sequential"] * 2 + ["dense", "deepseek"]
# Kills of a case, about: by it COUNT becomes a number of cases.
KILLS_A_CASE = 4


def run(setting, fixtures):
    kills = setting.count or 1000
    campaigns = [_runs(setting, fixtures, kills), _readers(setting, fixtures, max(kills // 10, 2))]
    return campaigns


def _runs(setting, fixtures, kills):
    campaign = Campaign(setting, "kills/run")
    if setting.selects(campaign):
        for name in sorted(set(_FIXTURES)):
            fixtures.get(name)
        # In rounds, until there are enough kills: how often a case is disturbed is left to chance.
        first = 0
        while setting.case is not None or campaign.counts["kills"] < kills:
            wanted = max((kills - campaign.counts["kills"]) // KILLS_A_CASE, 2)
            before = campaign.cases
            campaign.run(range(first, first + wanted), lambda index, rng, folder: _case(campaign, fixtures, index, rng, folder))
            first += wanted
            if setting.case is not None or campaign.cases == before or campaign.out_of_time():
                break
    return campaign


def _case(campaign, fixtures, index, rng, folder):
    # So that even a few cases see every mode and every fixture.
    fixture = fixtures.get(_FIXTURES[(index * 5) % len(_FIXTURES)])
    names = list(MODES)
    out = folder / "out"
    command = [campaign.setting.binary, "run", fixture.experiment, "--out", out, "--threads", "1"]
    told = []

    def tell(problem):
        campaign.fault(index, f"{problem} [{fixture.name}; {', '.join(told[-3:])}]", command, folder)

    kept, may_fail = b"", 0
    for step in range(MOST_DISTURBANCES):
        mode = MODES[names[(index * 7 + step * 4) % len(names)]]
        running = mode.start(command, folder, fixture.folder)
        moment = rng.uniform(0, fixture.seconds * 1.1)
        while running.poll() is None and time.monotonic() - running.begun < moment:
            time.sleep(min(0.002, moment))
        sent = mode.act(running, rng)
        told.append(f"{mode.name} at {moment:.3f} s")
        ended = running.wait(STOP_S if mode.ends and sent else program.HANG_S)
        if running.tee is not None:
            running.tee.wait()
        stopping = mode.name.startswith("STOP") and mode.name.count(",") == 0
        campaign.count(**{"stops" if stopping else "kills": sent, mode.name: sent})
        codes = {fixture.code, *(mode.codes if sent else ())}
        signals = mode.sent if sent else set()
        # SIGHUP and SIGCONT come from the kernel to a stopped worker whose group is left behind.
        for problem in general_faults(ended, command, sent=signals):
            tell(problem)
        if sent and fixture.name == _BLAMED and "worker" in mode.name:
            may_fail += sent
        may_fail += mode.fails if sent > 1 else 0
        if ended is not None and ended.code >= 0 and ended.code in program.DOCUMENTED and ended.code not in codes:
            if not (ended.code == program.INCOMPLETE and may_fail):
                tell(f"exit code {ended.code}, expected one of {sorted(codes)}")
        if orphans := running.orphans():
            tell(f"{len(orphans)} workers outlive their parent by {program.ORPHAN_S} s")
        now = results.whole_lines(out)
        if not now.startswith(kept):
            tell("finished trials were lost or changed")
        kept = now
        if ended is not None and ended.code in (fixture.code, program.INCOMPLETE):
            break
    campaign.count(runs=step + 1)
    resume(campaign, index, fixture, command, folder, kept, may_fail, told)


def resume(campaign, index, fixture, command, folder, kept, may_fail, told):
    """The same command in peace: it must end as the undisturbed run did."""
    out = folder / "out"

    def tell(problem):
        campaign.fault(index, f"{problem} [{fixture.name}; {'; '.join(told[-3:])}; resumed]", command, folder)

    running = Running(command, folder, cwd=fixture.folder, name="resumed")
    ended = running.wait()
    for problem in general_faults(ended, command):
        tell(problem)
    if ended is None:
        return
    lost = results.failed_ids(out) - results.failed_ids(fixture.reference)
    if lost and len(lost) <= may_fail:
        # They died alone with the worker that was killed: a failure that --retry-failed must mend.
        campaign.count(**{"failed by a kill and tried again": len(lost)})
        ended = Running([*command, "--retry-failed"], folder, cwd=fixture.folder, name="retried").wait()
    elif lost:
        tell(f"{len(lost)} trials are recorded as failed that nothing failed")
        return
    if ended is None or ended.code != fixture.code:
        code = None if ended is None else ended.code
        why = ended.stderr()[-300:].decode(errors="replace") if ended else ""
        tell(f"the resume ended with {code}, not {fixture.code}: {why}")
        return
    if not results.whole_lines(out).startswith(kept):
        tell("finished trials were lost or changed")
    differing = results.differences(out, fixture.reference)
    for problem in differing:
        tell(problem)
    campaign.count(**{"identical": int(not differing)})


def _readers(setting, fixtures, kills):
    """`report` and `merge` killed: the next one must write the same tables, and leave nothing behind."""
    campaign = Campaign(setting, "kills/report")
    if not setting.selects(campaign):
        return campaign
    fixture = fixtures.get("quick")
    shards = fixtures.shards(fixture)
    signals = [KILL, INT, TERM, HUP]

    def case(index, rng, folder):
        out = folder / "out"
        if index % 2:
            command = [setting.binary, "merge", *shards, "--out", out]
        else:
            fixtures.copy(fixture, out)
            command = [setting.binary, "report", out]
        for _ in range(4):
            running = Running(command, folder, cwd=fixture.folder)
            number = signals[rng.randrange(4)]
            moment = rng.uniform(0, 0.15)
            time.sleep(moment)
            sent = int(running.signal(number))
            ended = running.wait(STOP_S)
            campaign.count(kills=sent)
            told = f"[{signal.Signals(number).name} at {moment:.3f} s]"
            for problem in general_faults(ended, command, sent={number} if sent else set()):
                campaign.fault(index, f"{problem} {told}", command, folder)
            if ended is not None and ended.code not in (-number, program.OK, INTERRUPTED) and ended.code in program.DOCUMENTED:
                campaign.fault(index, f"exit code {ended.code} {told}", command, folder)
        ended = Running(command, folder, cwd=fixture.folder, name="again").wait()
        if ended is None or ended.code != program.OK:
            said = ended.stderr()[-300:].decode(errors="replace") if ended else "a hang"
            campaign.fault(index, f"not to be done again after a kill: {ended and ended.code} {said}", command, folder)
            return
        differing = results.differences(out, fixture.reference)
        for problem in differing:
            campaign.fault(index, f"{problem} {told}", command, folder)
        campaign.count(identical=int(not differing))

    campaign.run(range(max(kills // 3, 2)), case)
    return campaign
