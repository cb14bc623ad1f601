"""Which models are there: those asked for, SmolLM2 as a mixture, the bundled ones."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

BUNDLED = ["phi-moe-tiny", "deepseek-tiny", "gpt-oss-tiny"]


@dataclass(frozen=True)
class Model:
    id: str
    path: Path
    # How many layers' experts are on the host in the arm between none and all.
    some_layers: int


def find(binary, folder, out, asked, reduced):
    """The models that are there, the most important first, and a pair of name and reason for each that is not."""
    missing = []
    wanted = [tuple(pair.split("=", 1)) for pair in asked]
    if not reduced:
        wanted.append(mixture(binary, folder, out, missing))
    wanted += [(name, folder / f"{name}.gguf") for name in (BUNDLED[:1] if reduced and not asked else BUNDLED)]
    if reduced and asked:
        wanted = wanted[:len(asked)]
    found = []
    for name, path in wanted:
        path = Path(path).resolve()
        if path.is_file():
            found.append(Model(name, path, some_layers(binary, path)))
        else:
            missing.append((name, f"there is no {path}"))
    return found, missing


def mixture(binary, folder, out, missing):
    """SmolLM2 as a mixture of experts that differ (docs/upcycling.md); without it one of the bundled dense model."""
    ready = folder / "upcycled/smollm2-noise-0.1.gguf"
    if ready.is_file():
        return "smollm2-noise-0.1", ready
    reason = f"there is no {ready}: `make upcycled` makes it; a mixture of dense-tiny stood in"
    missing.append(("smollm2-noise-0.1", reason))
    made = out / "dense-tiny-noise-0.1.gguf"
    how = ["--experts", "4", "--used", "2", "--noise", "0.1", "--seed", "1"]
    command = [binary, "model", "upcycle", folder / "dense-tiny.gguf", *how, "--out", made]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return "dense-tiny-noise-0.1", made


def some_layers(binary, path):
    """Half of the layers, rounded up; 1 where the file does not tell."""
    told = subprocess.run([binary, "model", "inspect", path, "--json"], capture_output=True, text=True, check=False)
    try:
        return max(1, (json.loads(told.stdout)["layers"] + 1) // 2)
    except (ValueError, KeyError, TypeError):
        return 1
