"""Measures on a machine with a GPU what expert offload does at 8 to 64 texts together (docs/offload.md).

usage: python3 scripts/gpu-measurements BINARY [--out DIR] [--budget SECONDS] [--reduced] [--model ID=PATH]

Builds and fetches nothing. What matters most comes first; what did not fit into the time is named. Writes cells.csv,
texts.csv, experiments.csv, machine.json and report.md into DIR, and each run's folder. Exits 1 where a run failed, and
with --reduced where something is not as it must be on any machine.
Only Python's standard library is used.
"""

import argparse
import shutil
import signal
import sys
from pathlib import Path

import expected
import machine
import models
import report
import tasks
from budget import Budget
from pcie import Counters
from running import Runner

ROOT = Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path, help="moe-sweep, built with a GPU's back end")
    parser.add_argument("--out", type=Path, default=ROOT / "target/gpu-measurements", help="is emptied first")
    parser.add_argument("--budget", type=float, default=720, metavar="SECONDS", help="the most in all [default: 720]")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="where the bundled ones are")
    parser.add_argument("--model", action="append", default=[], metavar="ID=PATH", help="one more, measured first")
    parser.add_argument("--reduced", action="store_true", help="a few tokens of one model: does it work")
    return parser.parse_args()


def main():
    # The measurements so far are kept where it is stopped from outside.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked = arguments()
    budget = Budget(asked.budget)
    out, binary = asked.out.resolve(), asked.binary.resolve()
    if not (asked.reduced or machine.has_device(binary)):
        sys.exit(f"error: {binary} sees no device but the host: nothing to measure; `{binary} devices` says why")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    described = machine.describe(binary)
    found, missing = models.find(binary, asked.models.resolve(), out, asked.model, asked.reduced)
    planned = tasks.plan(found, asked.reduced)
    done, left_out = [], list(missing)
    with Counters() as counters:
        runner = Runner(binary, out, ROOT, asked.models.resolve(), counters, asked.reduced)
        try:
            for number, task in enumerate(planned, start=1):
                if reason := budget.refuses(task):
                    left_out.append((task.name, reason))
                    continue
                print(f"[{budget.spent():4.0f} s] {number}/{len(planned)} {task.name}", flush=True)
                with budget.timing(task):
                    result = runner.run(task, budget.left())
                done.append(result)
                if result.problem:
                    print(f"    {result.problem}", flush=True)
        finally:
            # In any case: a measurement that was made is not lost.
            report.write(out, described, asked, budget, done, left_out)
    print(f"{out / 'report.md'}: {len(done)} runs, {len(left_out)} left out, {budget.spent():.0f} s")
    broken = expected.broken(done) if asked.reduced else []
    for sentence in broken:
        print(f"not as it must be: {sentence}")
    sys.exit(1 if broken or any(result.failed for result in done) else 0)


main()
