"""Writes the files of tests/corpus/fuzz that moe-sweep itself makes: to be run again when a format changes.

usage: python3 scripts/torture/corpus.py BINARY
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "corpus" / "fuzz"
EXPERIMENT = """schema = 1
name = "fuzz"
question = "What is read back?"
[generate]
max_tokens = 12
context = 64
[grid]
model = ["m"]
chain = ["pure", "greedy"]
temperature = [0.5, 1.0]
seed = { from = 0, count = 2 }
[prompts]
inline = ["one prompt", "another prompt", "boom"]
[[model]]
id = "m"
path = "m.scripted.toml"
[[hypothesis]]
id = "hotter"
claim = "Hotter texts score higher."
contrast = { base = { temperature = 0.5 }, other = { temperature = 1.0 } }
expect = "increasing"
"""


def main(binary):
    binary = Path(binary).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "x.toml").write_text(EXPERIMENT)
        # With failures in the journal, and without for the baseline, which takes none.
        for script, command, codes in [
            ('abort_on = "boom"', ["run", "x.toml", "--out", "out"], {3}),
            ("", ["run", "x.toml", "--out", "clean"], {0}),
            ("", ["baseline", "save", "./run.json", "--from", "clean"], {0}),
        ]:
            (folder / "m.scripted.toml").write_text(f"together = 2\n{script}\n")
            done = subprocess.run([binary, *command], cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode not in codes:
                raise SystemExit(f"{command} ended with {done.returncode}\n{done.stderr}")
        for source, target in [
            ("out/trials.jsonl", "journal/run.jsonl"),
            ("out/plan.json", "plan/run.json"),
            ("out/manifest.json", "manifest/run.json"),
            ("run.json", "baseline/run.json"),
        ]:
            (CORPUS / target).parent.mkdir(parents=True, exist_ok=True)
            (CORPUS / target).write_bytes((folder / source).read_bytes())


if __name__ == "__main__":
    main(sys.argv[1])
