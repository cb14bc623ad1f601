"""What the parts share: cases by number and seed, faults with the inputs that reproduce them, counts, the table."""

import json
import random
import re
import shutil
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Of one kind of fault in one campaign so many folders are kept; all are counted.
KEPT = 5


class Setting:
    """What every part is given."""

    def __init__(self, binary, root, target, seed, count, case, seconds, workers):
        self.binary, self.root, self.target = Path(binary), Path(root), Path(target)
        self.seed, self.count, self.case, self.seconds, self.workers = seed, count, case, seconds, workers
        self.scratch = self.target / "scratch"
        self.kept = self.target / "faults"
        self.only = None
        # Whether it is a sample, for `make test`.
        self.reduced = False
        self.begun = time.monotonic()

    def selects(self, campaign):
        """Whether it is to be run: all are, or the one that is named."""
        return self.only is None or campaign.name == self.only


class Campaign:
    """One kind of attack: its counts, and its faults."""

    def __init__(self, setting, name):
        self.setting, self.name = setting, name
        self.cases = 0
        self.counts = Counter()
        self.faults = []
        self.skipped = None
        self.seconds = 0.0
        self._lock = threading.Lock()
        self._kinds = Counter()

    def count(self, **counts):
        with self._lock:
            self.counts.update(counts)

    def skip(self, why):
        self.skipped = why

    def fault(self, index, problem, command, folder=None):
        """Records it, and keeps a copy of the folder that it was seen in."""
        with self._lock:
            kind = kind_of(problem)
            self._kinds[kind] += 1
            keep = self._kinds[kind] <= KEPT
            number = len(self.faults)
            fault = {
                "campaign": self.name,
                "problem": problem,
                "seed": self.setting.seed,
                "case": index,
                "command": " ".join(map(str, command)),
                "again": f"make torture PART={self.name.split('/')[0]} ONLY={self.name} SEED={self.setting.seed} CASE={index}",
                "kept": None,
            }
            self.faults.append(fault)
        if keep and folder is not None:
            kept = self.setting.kept / f"{self.name.replace('/', '-')}-{index}-{number}"
            try:
                shutil.copytree(folder, kept, symlinks=True, dirs_exist_ok=True, ignore=_no_pipes)
                fault["kept"] = str(kept)
            except (OSError, shutil.Error) as error:
                fault["kept"] = f"could not be copied: {error}"
        if keep:
            print(f"FAULT {self.name} case {index}: {problem}\n      {fault['command']}", file=sys.stderr, flush=True)

    def run(self, cases, attack):
        """Runs `attack(index, rng, folder)` for each case until they or the time are used up.

        Each case has its own generator, by seed, campaign and number, and an empty folder of its own.
        """
        setting = self.setting
        begun = time.monotonic()

        def one(index):
            if self.out_of_time() and setting.case is None:
                return False
            folder = setting.scratch / self.name.replace("/", "-") / str(index)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            try:
                attack(index, random.Random(f"{setting.seed}/{self.name}/{index}"), folder)
            except Exception as error:  # A fault of these scripts is told as one, and not lost.
                self.fault(index, f"the script failed: {type(error).__name__}: {error}", ["-"], folder)
            shutil.rmtree(folder, ignore_errors=True)
            with self._lock:
                self.cases += 1
            return True

        indices = [setting.case] if setting.case is not None else cases
        with ThreadPoolExecutor(setting.workers) as pool:
            done = list(pool.map(one, indices))
        if not all(done):
            self.count(**{"cases without time": len(done) - sum(done)})
        self.seconds += time.monotonic() - begun

    def out_of_time(self):
        return time.monotonic() - self.setting.begun > self.setting.seconds

    def row(self):
        counts = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        said = f"skipped: {self.skipped}" if self.skipped else counts
        return [self.name, str(self.cases), str(len(self.faults)), f"{self.seconds:.0f}", said]

    def to_json(self):
        return {
            "campaign": self.name,
            "cases": self.cases,
            "counts": dict(self.counts),
            "skipped": self.skipped,
            "seconds": round(self.seconds, 1),
            "faults": self.faults,
        }


def _no_pipes(folder, names):
    return [name for name in names if (Path(folder) / name).is_fifo()]


def examples(campaigns):
    """One fault of each kind, with how many there are of it."""
    kinds = {}
    for one in campaigns:
        for fault in one.faults:
            kind = one.name + kind_of(fault["problem"])
            kinds.setdefault(kind, []).append(fault)
    lines = []
    for faults in kinds.values():
        fault = faults[0]
        lines += [
            f"- {len(faults)} × {fault['campaign']}, such as case {fault['case']}: {fault['problem']}",
            f"    {fault['command']}",
            f"    {fault['again']}",
            f"    kept: {fault['kept']}",
        ]
    return "\n".join(lines)


def kind_of(problem):
    return re.sub(r"\d+|\.tmp\w*", "", problem.split(" [")[0])[:50]


def table(campaigns):
    rows = [["campaign", "cases", "faults", "s", "counts"], *(campaign.row() for campaign in campaigns)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[4]]) for row in rows)


def write(path, setting, campaigns, binary_said):
    faults = sum(len(campaign.faults) for campaign in campaigns)
    skipped = [campaign.name for campaign in campaigns if campaign.skipped]
    report = {
        "seed": setting.seed,
        "binary": str(setting.binary),
        "version": binary_said,
        "faults": faults,
        "skipped": skipped,
        "campaigns": [campaign.to_json() for campaign in campaigns],
    }
    path.write_text(json.dumps(report, indent=1) + "\n")
    return faults
