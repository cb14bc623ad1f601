"""moe-sweep as one of the programs that are compared: whole processes, load and outputs included."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import process
from failures import Failed
from measurement import Taken
from places import CACHE, CORES, ROOT, WORK


def build():
    """Builds the program; its path."""
    subprocess.run([os.environ.get("CARGO", "cargo"), "build", "--release", "--quiet"], cwd=ROOT, check=True)
    return ROOT / "target/release/moe-sweep"


class MoeSweep:
    """In one of its numerics. `width` None: as it comes, without options."""

    peer = "moe-sweep"

    def __init__(self, binary, numerics):
        self.binary, self.numerics = Path(binary), numerics
        self.name = f"moe-sweep, {numerics}"
        # Its llama.cpp and what of the CPU that uses, as the last run's manifest says.
        self.engine = None

    def install(self):
        done = subprocess.run([self.binary, "-V"], capture_output=True, text=True, check=True)
        return f"{done.stdout.strip()}, {self._source()}"

    def _source(self):
        if not self.binary.is_relative_to(ROOT):
            return f"as it lies at {self.binary}"
        command = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
        commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        return f"built from {commit or 'sources without a commit'}"

    def prepare(self, model, file):
        """Nothing: it reads the file that all read."""

    def time(self, model, file, grid, width):
        out = WORK / "out"
        shutil.rmtree(out, ignore_errors=True)
        command = [self.binary, "run", grid.experiment(file, self.numerics), "--out", out, "--cache", CACHE]
        ended = process.timed(command + at_width(model, width), {"NO_COLOR": "1"})
        manifest = json.loads((out / "manifest.json").read_text())
        entry, self.engine = manifest["runs"][-1], manifest["models"][0]["engine"]
        records = [json.loads(line)["outcome"] for line in (out / "trials.jsonl").read_text().splitlines()]
        if any("generated" not in outcome for outcome in records):
            raise Failed(f"{sum('generated' not in outcome for outcome in records)} of {len(records)} texts failed")
        # A sequential run has fewer than the grid.
        texts = len(records)
        tokens = sum(len(outcome["generated"]["tokens"]) for outcome in records)
        decided = _decided(out) if grid.sequential else None
        shutil.rmtree(out)
        return Taken(ended.seconds, ended.load, texts, tokens, evaluated=entry["evaluated_tokens"], note=decided)


def at_width(model, width):
    """Options with which `width` texts in all are decoded together, a small model's in lanes of one thread each."""
    if width is None:
        return []
    lanes = min(CORES, width) if model.small else 1
    return ["--lanes", str(lanes), "--batch", str(-(-width // lanes))]


def _decided(out):
    """The one verdict of a sequential run, and after how many prompts it was there."""
    verdict = json.loads((out / "verdicts.json").read_text())["verdicts"][0]
    after = verdict["sequential"]["decided_after"]
    return (
        f"{verdict['outcome']} after {after} of {verdict['sequential']['n_prompts_planned']} prompts"
        if after
        else "not decided"
    )
