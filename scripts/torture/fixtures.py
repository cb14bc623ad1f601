"""The experiments that are disturbed, and their undisturbed runs."""

import shutil
import threading
from pathlib import Path

import program

_HEAD = """schema = 1
name = "torture"
question = "Does a disturbed run end as an undisturbed one?"
[generate]
max_tokens = {tokens}
context = 256
[grid]
model = ["m"]
chain = ["llama.cpp", "greedy"]
temperature = [0.1, 0.9]
seed = {{ from = 0, count = {seeds} }}
[prompts]
{prompts}
[[model]]
id = "m"
path = "{model}"
"""
_HYPOTHESIS = """[[hypothesis]]
id = "hotter"
claim = "Hotter texts score higher."
contrast = { base = { temperature = 0.1 }, other = { temperature = 0.9 } }
expect = "increasing"
"""
_FOUR = 'inline = ["Once upon a time", "The wheel turns", "Dear Sir or Madam", "Water falls"]'
_BOOM = 'inline = ["Once upon a time", "boom goes it", "Dear Sir or Madam"]'
_EIGHT = (
    'inline = ["Once upon a time", "The wheel turns", "Dear Sir or Madam", "Water falls", '
    '"One two", "Light is", "Then again", "It says"]'
)
_SEQUENTIAL = '[sequential]\nlook = "prompt"\norder_seed = 0\n'


def _text(tokens, seeds, prompts, model, more=_HYPOTHESIS):
    return _HEAD.format(tokens=tokens, seeds=seeds, prompts=prompts, model=model) + more


# name: (experiment, files beside it: a text, or the name of a bundled model)
_FIXTURES = {
    # Slow enough to be killed between any two texts.
    "scripted": (_text(20, 2, _FOUR, "m.scripted.toml"), {"m.scripted.toml": "together = 2\ndelay_ms = 25\n"}),
    "loops": (
        _text(40, 2, _FOUR, "m.scripted.toml"),
        {"m.scripted.toml": "together = 3\ndelay_ms = 20\nloops_from = 0.5\n"},
    ),
    # One prompt kills the worker each time: blame and disturbance together.
    "abort": (
        _text(20, 2, _BOOM, "m.scripted.toml"),
        {"m.scripted.toml": 'together = 3\ndelay_ms = 15\nabort_on = "boom"\n'},
    ),
    "sequential": (
        _text(20, 2, _EIGHT, "m.scripted.toml", _SEQUENTIAL + _HYPOTHESIS),
        {"m.scripted.toml": "together = 2\ndelay_ms = 15\n"},
    ),
    # No delay: for what reads a finished run, and for failing I/O.
    "quick": (_text(12, 2, _FOUR, "m.scripted.toml"), {"m.scripted.toml": "together = 2\n"}),
    "dense": (_text(24, 2, _FOUR, "dense-tiny.gguf"), {"dense-tiny.gguf": None}),
    "deepseek": (_text(24, 2, _FOUR, "deepseek-tiny.gguf"), {"deepseek-tiny.gguf": None}),
}


class Fixture:
    """An experiment in a folder, read-only from here on, its undisturbed run in `reference`, and how long that took."""

    def __init__(self, name, folder, reference, code, seconds):
        self.name, self.folder, self.reference, self.code, self.seconds = name, folder, reference, code, seconds

    @property
    def experiment(self):
        return self.folder / "x.toml"


class Fixtures:
    def __init__(self, setting):
        self.setting, self.made, self.lock = setting, {}, threading.Lock()

    def get(self, name):
        with self.lock:
            if name not in self.made:
                self.made[name] = self._make(name)
            return self.made[name]

    def _make(self, name):
        text, files = _FIXTURES[name]
        folder = self.setting.scratch / "fixtures" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "x.toml").write_text(text)
        for file, contents in files.items():
            if contents is None:
                shutil.copy(self.setting.root / "models" / file, folder / file)
            else:
                (folder / file).write_text(contents)
        reference = folder / "reference"
        command = [self.setting.binary, "run", folder / "x.toml", "--out", reference]
        ended = program.Running(command, folder, cwd=folder, name="reference").wait()
        expected = program.INCOMPLETE if name == "abort" else program.OK
        if ended is None or ended.code != expected:
            code = None if ended is None else ended.code
            raise SystemExit(f"the undisturbed run of {name} ended with {code}: nothing can be compared with it\n"
                             f"{(folder / 'reference.err').read_text()}")
        return Fixture(name, folder, reference, expected, ended.seconds)


    def copy(self, fixture, to):
        """The undisturbed run's folder, to be disturbed."""
        shutil.copytree(fixture.reference, to)
        return Path(to)

    def shards(self, fixture):
        """The folders of the run in two shards, which merge to the undisturbed run."""
        folders = []
        for shard in (1, 2):
            folder = fixture.folder / f"shard-{shard}"
            if not folder.exists():
                command = [self.setting.binary, "run", fixture.experiment, "--shard", f"{shard}/2", "--out", folder]
                ended = program.Running(command, fixture.folder, cwd=fixture.folder, name="shard").wait()
                if ended is None or ended.code != program.OK:
                    raise SystemExit(f"shard {shard} of {fixture.name} did not run")
            folders.append(folder)
        return folders
