"""llama-server, by that of its builds which is fastest with a model at a width, as a trial says."""

from dataclasses import replace

import client
import process
from failures import Failed, Unavailable
from measurement import Taken
from peers import llama_builds
from places import CORES, WORK
from work import CONTEXT, DRAWN_FIELDS

BUILDS = {
    "prebuilt": llama_builds.prebuilt,
    "native": lambda: llama_builds.from_source("native"),
    "openblas": lambda: llama_builds.from_source("openblas"),
}
# A trial's texts: so many for each slot, for when slots run empty another build is the fastest; and so many tokens.
TRIAL_WAVES = 2
TRIAL_TOKENS = 32
# A build that took so many times as long as the fastest is not tried again: it has lost.
LOST = 1.5


class LlamaServer:
    """With N slots for N clients. Its start and its loading are not counted, nor a first text for each client."""

    peer, name = "llama-server", "llama-server"

    def __init__(self):
        self.builds, self.missing = {}, {}
        # The build that was fastest, by model and width.
        self.chosen = {}
        # Tokens per second of each build, for the table of trials.
        self.trials = []

    def install(self):
        for name, install in BUILDS.items():
            try:
                self.builds[name] = install()
            except Unavailable as reason:
                self.missing[name] = str(reason)
        llama_builds.forget_objects()
        if not self.builds:
            raise Unavailable("; ".join(f"{name}: {reason}" for name, reason in self.missing.items()))
        had = [f"{name}: {build.what}" for name, build in self.builds.items()]
        return "; ".join(had + [f"{name}: none, {reason}" for name, reason in self.missing.items()])

    def prepare(self, model, file):
        """Nothing: it reads the file that all read."""

    def choose(self, model, file, grid, width, passes):
        """Tries all builds in turns and keeps the fastest, each by its best pass."""
        prompts = -(-TRIAL_WAVES * width // len(grid.temperatures))
        trial = replace(grid, prompts=grid.prompts[:prompts], max_tokens=min(TRIAL_TOKENS, grid.max_tokens))
        best = {}
        for _ in range(passes):
            fastest = min(best.values(), default=float("inf"))
            for name, build in self.builds.items():
                if best.get(name, 0) > LOST * fastest:
                    continue
                try:
                    taken = self._time(build, file, trial, width)
                    best[name] = min(best.get(name, taken.seconds), taken.seconds)
                    self.trials.append(
                        {
                            "model": model.name,
                            "width": width,
                            "build": name,
                            "seconds": round(taken.seconds, 2),
                            "tokens/s": round(taken.speed(), 1),
                        }
                    )
                except Failed as reason:
                    self.trials.append({"model": model.name, "width": width, "build": name, "failed": str(reason)})
        if not best:
            raise Failed(self.trials[-1]["failed"])
        self.chosen[model.name, width] = min(best, key=best.get)
        return self.chosen[model.name, width]

    def time(self, model, file, grid, width):
        name = self.chosen[model.name, width]
        taken = self._time(self.builds[name], file, grid, width)
        taken.note = name
        return taken

    def _time(self, build, file, grid, width):
        port = process.free_port()
        threads = str(CORES)
        # No copies of slots in memory and no checkpoints, which cost time and serve talks in turns.
        command = [
            build.program("llama-server"),
            "--model",
            file,
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--parallel",
            str(width),
            "--ctx-size",
            str(width * CONTEXT),
            "--flash-attn",
            "on",
            "--threads",
            threads,
            "--threads-batch",
            threads,
            "--device",
            "none",
            "--gpu-layers",
            "0",
            "--no-webui",
            "--cache-ram",
            "0",
            "--ctx-checkpoints",
            "0",
        ]
        texts, repeats = grid.texts(), grid.repeats()
        with process.server(command, port, WORK / "llama-server.log"):
            _ask(port, [replace(texts[0], prompt="Hello")] * width, width, 4)
            answers = _ask(port, texts, width, grid.max_tokens)
            again = _ask(port, repeats, width, grid.max_tokens) if repeats else None
        taken = Taken(answers.seconds, answers.load, answers.texts, answers.tokens)
        if again:
            taken.every_cell = Taken(
                answers.seconds + again.seconds,
                answers.load,
                answers.texts + again.texts,
                answers.tokens + again.tokens,
            )
        return taken


def _ask(port, texts, width, max_tokens):
    return client.ask_all(
        port,
        "/completion",
        [_body(text, max_tokens) for text in texts],
        width,
        lambda answer: answer["tokens_predicted"],
    )


def _body(text, max_tokens):
    """The request for a text; of a chain without a draw the nearest that the server has, which costs it the least."""
    sampling = DRAWN_FIELDS | {"temperature": text.temperature} if text.drawn else {"temperature": 0}
    return {
        "prompt": text.prompt,
        "n_predict": max_tokens,
        "seed": text.seed,
        "cache_prompt": True,
        "response_fields": ["tokens_predicted"],
        **sampling,
    }
