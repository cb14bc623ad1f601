"""The products of a step as sgemm, by OpenBLAS as numpy brings it: what a program could do that multiplies 32-bit floats."""

import json

import process
from measurement import Taken
from peers import installing
from places import CORES, INSIDE, WORK

REQUIRED = ["numpy==2.3.5", "gguf==0.17.1"]


class Sgemm:
    """No program, but a limit: weights expanded beforehand, the products and nothing else. It has a rate and no texts."""

    peer, name = "sgemm", "sgemm, the products alone"

    def __init__(self):
        self.folder = None

    def install(self):
        def make(folder):
            installing.environment_with(folder / "venv", REQUIRED)

        self.folder, _ = installing.installed("sgemm", " ".join(REQUIRED), 1, make)
        return f"{' '.join(REQUIRED)}, with its OpenBLAS"

    def prepare(self, model, file):
        """Nothing: it reads the file that all read."""

    def time(self, model, file, grid, width):
        work = WORK / "sgemm.json"
        work.write_text(json.dumps({"model": str(file), "width": width}))
        command = [installing.python_of(self.folder / "venv"), INSIDE / "sgemm.py", work]
        ended = process.timed(command, {"OPENBLAS_NUM_THREADS": str(CORES)})
        done = json.loads(ended.stdout.strip().splitlines()[-1])
        return Taken(None, ended.load, width, width * done["steps"], rate=done["rate"])
