"""A loop over llama-cpp-python, one text at a time: what a script of one's own would do."""

import json
from dataclasses import asdict

import process
from measurement import Taken
from peers import installing
from places import CORES, INSIDE, WORK
from work import CONTEXT, DRAWN_FIELDS

VERSION = "0.3.36"


class LlamaCppPython:
    """Built on the spot with its defaults, which are what this CPU can do. Loading the model is not counted."""

    peer, name = "llama-cpp-python", "llama-cpp-python, a loop"
    # One text at a time is all that it does.
    widths = (1,)

    def __init__(self):
        self.folder = None

    def install(self):
        def make(folder):
            # Without what reads pictures, which takes long to compile.
            environment = {"CMAKE_BUILD_PARALLEL_LEVEL": installing.jobs(), "CMAKE_ARGS": "-DLLAVA_BUILD=OFF"}
            installing.environment_with(folder / "venv", [f"llama-cpp-python=={VERSION}"], extra=environment)

        self.folder, _ = installing.installed(
            "llama-cpp-python", f"llama-cpp-python {VERSION}, {installing.for_this_cpu()}", 2, make
        )
        return f"llama-cpp-python {VERSION}, built with its defaults"

    def prepare(self, model, file):
        """Nothing: it reads the file that all read."""

    def time(self, model, file, grid, width):
        work = WORK / "llama-cpp-python.json"
        work.write_text(
            json.dumps(
                {
                    "model": str(file),
                    "threads": CORES,
                    "context": CONTEXT,
                    "max_tokens": grid.max_tokens,
                    "fields": DRAWN_FIELDS,
                    "texts": [asdict(text) for text in grid.texts()],
                }
            )
        )
        ended = process.timed([installing.python_of(self.folder / "venv"), INSIDE / "llama_cpp_python_loop.py", work])
        done = json.loads(ended.stdout.strip().splitlines()[-1])
        return Taken(done["seconds"], ended.load, len(grid.texts()), done["tokens"])
