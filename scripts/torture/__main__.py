"""Attacks moe-sweep, and counts what falls (docs/torture.md).

usage: python3 scripts/torture BINARY [--part PART] [--seed N] [--count N] [--only CAMPAIGN --case N] [--reduced]

Prints a table, writes target/torture/torture.json, exits 1 where there is a fault.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import campaign
import failing_io
import kills
import limits
import mutants
import program
import streams
from fixtures import Fixtures
from servers_part import run as servers

ROOT = Path(__file__).resolve().parents[2]
# Each part, the seconds that it may take of the hour, what COUNT counts there, and how many of it are a sample.
PARTS = {
    "kills": (kills.run, 1200, "kills", 20),
    "mutants": (mutants.run, 720, "mutants over all kinds", 60),
    "io": (failing_io.run, 480, "runs with a failing call", 20),
    "limits": (limits.run, 240, "runs with too little memory or disk", 8),
    "streams": (streams.run, 120, "nothing: all of them are run", None),
    "servers": (servers, 600, "nothing: every mode is run", None),
}
# What a sample takes: the hostile servers have tests of their own (tests/slow/servers).
SAMPLED = ["kills", "mutants", "io", "limits", "streams"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    counted = "; ".join(f"{part}: {what}" for part, (_, _, what, _) in PARTS.items())
    parser.add_argument("--part", action="append", choices=PARTS, help="default: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, help=counted)
    parser.add_argument("--seconds", type=float, help="the most for each campaign; what is not done by then is counted")
    parser.add_argument("--only", help="one campaign, by its name in the table")
    parser.add_argument("--case", type=int, help="one case of it")
    parser.add_argument("--reduced", action="store_true", help=f"a sample of {', '.join(SAMPLED)}, for make test")
    parser.add_argument("--workers", type=int, default=max(2, min(3, os.cpu_count() or 2)))
    parser.add_argument("--target", type=Path, default=ROOT / "target" / "torture")
    return parser.parse_args()


def main():
    asked = arguments()
    program.protect_machine()
    program.hear_signals()
    binary = asked.binary.resolve()
    target = asked.target.resolve()
    for old in ("scratch", "faults"):
        shutil.rmtree(target / old, ignore_errors=True)
    target.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([binary, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    campaigns = []
    fixtures = None
    begun = time.monotonic()
    print(f"torture of {binary} ({version}), seed {asked.seed}", flush=True)
    for part in asked.part or (SAMPLED if asked.reduced else PARTS):
        attack, seconds, _, sample = PARTS[part]
        count = asked.count or (sample if asked.reduced else None)
        setting = campaign.Setting(binary, ROOT, target, asked.seed, count, asked.case, asked.seconds or seconds, asked.workers)
        setting.only, setting.reduced = asked.only, asked.reduced
        fixtures = fixtures or Fixtures(setting)
        done = [c for c in attack(setting, fixtures) if c.cases or c.skipped or c.faults]
        for one in done:
            print(f"  {one.name}: {one.cases} cases, {len(one.faults)} faults", flush=True)
        campaigns += done
    faults = campaign.write(target / "torture.json", setting, campaigns, version)
    shutil.rmtree(target / "scratch", ignore_errors=True)
    print(campaign.table(campaigns))
    skipped = [one.name for one in campaigns if one.skipped]
    print(f"{faults} faults, {len(skipped)} campaigns skipped{': ' if skipped else ''}{', '.join(skipped)}, seed "
          f"{asked.seed}, {time.monotonic() - begun:.0f} s; {target / 'torture.json'}")
    print(campaign.examples(campaigns), end="\n" if faults else "")
    sys.exit(1 if faults else 0)


main()
