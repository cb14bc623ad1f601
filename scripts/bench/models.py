"""The models that the programs are compared on, and where their files are."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from failures import Unavailable, last_words
from places import ROOT


@dataclass(frozen=True)
class Model:
    """`small`: moe-sweep gives it a lane a core by itself (src/engine/strategy.rs), all others one lane in all."""

    name: str
    title: str
    file_name: str
    small: bool = False
    # In models/catalog.toml; None where the file is in models/.
    catalogued: str = None


MODELS = [
    Model("smollm2", "SmolLM2-135M-Instruct Q4_1", "SmolLM2-135M-Instruct.Q4_1.gguf", catalogued="smollm2-135m"),
    Model("gemma3", "Gemma 3 270M Q4_K_M", "gemma-3-270m-q4_k_m.gguf", catalogued="gemma3-270m"),
    Model("deepseek-tiny", "deepseek-tiny (bundled)", "deepseek-tiny.gguf", small=True),
]


def find(model, program, folder):
    """The model's file: in `folder`, bundled, or fetched. Unavailable where it is nowhere."""
    if folder and (Path(folder) / model.file_name).exists():
        return (Path(folder) / model.file_name).resolve()
    if model.catalogued is None:
        return ROOT / "models" / model.file_name
    done = subprocess.run([program, "model", "fetch", model.catalogued], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable(f"moe-sweep model fetch {model.catalogued}: {last_words(done.stderr)}")
    return Path(done.stdout.strip().splitlines()[-1].split("\t")[1])
