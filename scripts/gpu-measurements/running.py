"""Runs one task in a process of moe-sweep, and reads what it left."""

import csv
import json
import re
import shlex
import signal
import statistics
import subprocess
import time
from dataclasses import dataclass, field

from tasks import Finding

# Two prompts: kernels are loaded and compiled in the first, whose texts are not timed. At 1 wide so many texts of each.
PROMPTS = ["The main advantage of wind power is that", "Once upon a time there was"]
TEXTS_ALONE = 8
# 0 all is well; with a verdict that is not "supported" it is 0 too.
DONE = 0
# To end cleanly after SIGINT.
GRACE_S = 3


@dataclass
class Result:
    task: object
    command: str
    # Exit code; None where the time ended it.
    code: int = None
    problem: str = None
    seconds: float = None
    load: dict = None
    run: dict = None
    # (prompt, seed) to tokens.
    texts: dict = field(default_factory=dict)
    step_ms: float = None
    mean_width: float = None
    pcie_mb: tuple = (None, None)
    verdicts: list = field(default_factory=list)
    # Rows of cells.csv of the run's own.
    scores: list = field(default_factory=list)

    @property
    def failed(self):
        return self.code not in (DONE, None)

    @property
    def tokens(self):
        return sum(len(tokens) for tokens in self.texts.values())

    @property
    def tokens_per_s(self):
        """Of all texts together, at the mean width, without prompts and loading."""
        if not self.step_ms or self.mean_width is None:
            return None
        return self.mean_width * 1000 / self.step_ms


class Runner:
    def __init__(self, binary, out, root, models, counters, reduced):
        self.binary, self.out, self.root, self.models, self.counters = binary, out, root, models, counters
        self.reduced = reduced
        self.tokens = 4 if reduced else 64

    def run(self, task, seconds):
        """The task's result; it is ended where it takes longer than so many seconds."""
        folder = self.out / "runs" / re.sub(r"[^\w.]+", "-", task.name)
        folder.mkdir(parents=True)
        experiment = folder / "x.toml"
        # The finding is of placements: no step may be so wide that the GPU takes experts over.
        width, more = (31, []) if isinstance(task, Finding) else (task.width, ["--load-mode", task.load_mode])
        experiment.write_text(self.finding(task) if isinstance(task, Finding) else self.cell(task))
        sharing = [] if isinstance(task, Finding) else ["--sharing", "prompt"]
        how = ["--lanes", "1", "--batch", str(width), *sharing, *more]
        command = [self.binary, "run", experiment, "--out", folder / "run", *how]
        result = Result(task, shlex.join(map(str, command)))
        begun = time.monotonic()
        with open(folder / "said.txt", "w", encoding="utf-8") as said:
            process = subprocess.Popen(list(map(str, command)), stdout=said, stderr=said, cwd=folder)
            try:
                result.code = process.wait(timeout=max(1, seconds))
            except subprocess.TimeoutExpired:
                result.problem = "the time ended while it ran"
            finally:
                stop(process)
        ended = time.monotonic()
        result.seconds = ended - begun
        if result.failed:
            last = (folder / "said.txt").read_text(errors="replace").strip().splitlines()[-1:]
            result.problem = f"exit code {result.code}: {''.join(last)}"
        if result.code == DONE:
            self.read(result, folder / "run", ended)
        return result

    def cell(self, task):
        texts = TEXTS_ALONE if task.width == 1 else task.width
        return f"""schema = 1
name = "cell"

[generate]
max_tokens = {self.tokens}
context = 128
numerics = "fast"

[grid]
model = [{json.dumps(task.model.id)}]
chain = ["llama.cpp"]
offload = [{json.dumps(task.offload)}]
op_offload = [{json.dumps(task.op_offload)}]
temperature = [1.0]
seed = {{ from = 0, count = {texts} }}

[prompts]
inline = {json.dumps(PROMPTS)}

""" + source(task.model)

    def finding(self, task):
        """experiments/offload.toml, with these models in place of its own."""
        text = (self.root / "experiments/offload.toml").read_text(encoding="utf-8")
        ids = json.dumps([model.id for model in task.models])
        prompts = json.dumps(str(self.root / "experiments/prompts/finding.txt"))
        edits = [(r"(?m)^model = .*$", f"model = {ids}"), (r"(?m)^file = .*$", f"file = {prompts}")]
        some = {model.some_layers for model in task.models}
        if len(some) == 1:
            layers = some.pop()
            edits += [(r'"none", 2, "all"', f'"none", {layers}, "all"'), (r"offload = 2 ", f"offload = {layers} "),
                      (r"of two layers", f"of {layers} layers")]
        if self.reduced:
            edits += [(r"(?m)^file = .*$", f"inline = {json.dumps(PROMPTS)}"), (r"max_tokens = \d+", "max_tokens = 4"),
                      (r"(?m)^chain = .*$", 'chain = ["llama.cpp"]'),
                      (r"(?m)^temperature = .*$", "temperature = [0.9]")]
        for pattern, new in edits:
            text, count = re.subn(pattern, lambda _, new=new: new, text)
            if count == 0:
                raise ValueError(f"experiments/offload.toml has no {pattern}")
        return text + "".join(map(source, task.models))

    def read(self, result, run, ended):
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        result.run = manifest["runs"][-1]
        with open(run / "trials.csv", encoding="utf-8", newline="") as rows:
            trials = list(csv.DictReader(rows))
        verdicts = run / "verdicts.json"
        if verdicts.exists():
            result.verdicts = json.loads(verdicts.read_text(encoding="utf-8"))["verdicts"]
        if isinstance(result.task, Finding):
            with open(run / "cells.csv", encoding="utf-8", newline="") as rows:
                result.scores = list(csv.DictReader(rows))
            return
        result.load = result.run["loads"][0]
        generating = result.run["seconds"] - result.load["seconds"]
        result.pcie_mb = self.counters.moved_mb(ended - generating, ended)
        records = {}
        with open(run / "trials.jsonl", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if generated := record["outcome"].get("generated"):
                    records[record["id"]] = generated["tokens"], record["timing"]
        timed = []
        # Prompts are called p1, p2 …
        last = f"p{len(PROMPTS)}"
        for trial in trials:
            if trial["trial_id"] not in records:
                continue
            tokens, timing = records[trial["trial_id"]]
            result.texts[trial["prompt"], trial["seed"]] = tokens
            if trial["prompt"] == last and len(tokens) > 1:
                timed.append((1000 * timing["seconds"] / (len(tokens) - 1), timing.get("rows")))
        if timed and (step := statistics.median(step for step, _ in timed)) > 0:
            result.step_ms = step
        widths = result.load.get("widths")
        if widths and widths["steps"]:
            result.mean_width = widths["step_tokens"] / widths["steps"]
        elif timed and all(rows for _, rows in timed):
            # Without a device steps are not counted: as many as were decoded together when a text ended.
            result.mean_width = statistics.median(rows for _, rows in timed)


def source(model):
    """Where the model is, for an experiment file."""
    return f"\n[[model]]\nid = {json.dumps(model.id)}\npath = {json.dumps(str(model.path))}\n"


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
