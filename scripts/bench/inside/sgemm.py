"""Times the products of a model's steps as sgemm. Run by the Python of peers/sgemm.py; the work is a JSON file.

The weights are expanded to 32-bit floats beforehand, and nothing but the products is done. All matrices of a step take
turns, so that none stays in a cache. Numbers are random: what they are changes no time. Prints a JSON object: tokens a
second, and steps that were timed.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy
from gguf import GGUFReader

EXPERTS = ("_exps.", "_chexps.")
USED = ".expert_used_count"
SECONDS = 3


def matrices(reader):
    """Columns and rows of every matrix that a token meets, as llama.cpp multiplies them; of experts all, and the share of
    tokens that meet each, as if evenly taken."""
    used = next((int(field.parts[-1][0]) for name, field in reader.fields.items() if name.endswith(USED)), None)
    names = {tensor.name for tensor in reader.tensors}
    found = []
    for tensor in reader.tensors:
        shape = [int(length) for length in tensor.shape]
        looked_up = tensor.name == "token_embd.weight" and "output.weight" in names
        if any(mark in tensor.name for mark in EXPERTS) and len(shape) == 3:
            found += [(shape[0], shape[1], used / shape[2])] * shape[2]
        elif len(shape) == 2 and not looked_up and not tensor.name.endswith(".bias"):
            found.append((shape[0], shape[1], 1.0))
    return found


def main():
    work = json.loads(Path(sys.argv[1]).read_text())
    random = numpy.random.default_rng(0)
    weights = [
        (random.random((rows, columns), dtype=numpy.float32), share)
        for columns, rows, share in matrices(GGUFReader(work["model"]))
    ]
    activations = {}

    width = work["width"]

    def step():
        for matrix, share in weights:
            rows = max(1, round(width * share))
            key = (rows, matrix.shape[1])
            if key not in activations:
                activations[key] = random.random(key, dtype=numpy.float32)
            activations[key] @ matrix.T

    step()
    taken, begun = [], time.monotonic()
    while not taken or time.monotonic() - begun < SECONDS:
        before = time.monotonic()
        step()
        taken.append(time.monotonic() - before)
    print(json.dumps({"rate": width / statistics.median(taken), "steps": len(taken)}))


if __name__ == "__main__":
    main()
