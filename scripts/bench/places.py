"""Where the bench finds and keeps things: nothing else may name a folder.

All is found from this file's own place, so that the project, and target/bench in it, can be moved.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "target/bench"
# Installed peers, kept from one run to the next.
PEERS = BENCH / "peers"
# Experiment files, results folders and logs of this run.
WORK = BENCH / "work"
CACHE = BENCH / "cache"
INSIDE = ROOT / "scripts/bench/inside"
PROMPTS = ROOT / "experiments/prompts/finding.txt"
CORES = len(os.sched_getaffinity(0))
