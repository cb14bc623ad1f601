"""llama-batched-bench: so many sequences decoded together, nothing chosen and nothing answered. What the kernels
could give a server at most."""

import json

import process
from failures import Failed, Unavailable
from measurement import Taken
from peers import llama_builds
from places import CORES
from work import CONTEXT

PROMPT_TOKENS = 8


class BatchedBench:
    """Of one of the builds from source. It has a rate and no time for the grid, for it makes no texts."""

    peer = "batched-bench"

    def __init__(self, build):
        self.build_name = build
        self.name = f"llama-batched-bench, {build}"
        self.build = None

    def install(self):
        self.build = llama_builds.from_source(self.build_name)
        if not self.build.program("llama-batched-bench").exists():
            raise Unavailable("the build has no llama-batched-bench")
        return self.build.what

    def prepare(self, model, file):
        """Nothing: it reads the file that all read."""

    def time(self, model, file, grid, width):
        threads = str(CORES)
        ended = process.timed(
            [
                self.build.program("llama-batched-bench"),
                "-m",
                file,
                "-c",
                str(width * CONTEXT),
                "-fa",
                "on",
                "-t",
                threads,
                "-tb",
                threads,
                "-ngl",
                "0",
                "-npp",
                str(PROMPT_TOKENS),
                "-ntg",
                str(grid.max_tokens),
                "-npl",
                str(width),
                "--output-format",
                "jsonl",
            ]
        )
        lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
        if not lines:
            raise Failed("printed no result")
        return Taken(None, ended.load, width, width * grid.max_tokens, rate=lines[-1]["speed_tg"])
