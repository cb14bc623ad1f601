"""The models of these parts, their experiment files, and one run of moe-sweep over one of them."""

import json
import os
import shutil
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

import process
from places import BENCH, CACHE, CORES, ROOT, WORK

PROMPTS = ["The heart is", "Once upon a time there was", "Solar panels", "My neighbour told me that"]
MORE_PROMPTS = [
    "In the long run, reading books",
    "Three reasons explain why the sea",
    "The first step is",
    "Nobody knows when the wheel",
]
DRAWING = ["llama.cpp", "ollama-go", "pure"]
# Chains without a draw: one text, whatever the seeds.
DETERMINISTIC = ["shimmy-1.7", "greedy"]
NUMERICS = ("fast", "invariant")


@dataclass
class Model:
    name: str
    path: Path
    prompts: int
    temperatures: list
    seeds: int
    tokens: int
    # Of a shape that forge makes.
    family: str = None
    layers: int = 0
    quant: str = None


def models(quick):
    """By the names of --model."""
    tokens, seeds = (6, 1) if quick else (12, 8)
    shape = {"prompts": 2, "temperatures": [0.3, 0.6, 0.9], "tokens": tokens}
    return {
        "deepseek-tiny": Model(
            "deepseek-tiny",
            ROOT / "models/deepseek-tiny.gguf",
            4,
            [0.3, 0.9, 1.5],
            2 if quick else 8,
            20 if quick else 60,
        ),
        "deepseek-shape": Model(
            "DeepSeek-MoE-16B's shape",
            BENCH / "deepseek-shape.gguf",
            seeds=seeds,
            family="deepseek",
            layers=3,
            quant="q4_k_m",
            **shape,
        ),
        # Half the seeds: its vocabulary of 201,088 makes a row dear.
        "gpt-oss-shape": Model(
            "GPT-OSS-20B's shape",
            BENCH / "gpt-oss-shape.gguf",
            seeds=min(seeds, 4),
            family="gpt-oss",
            layers=2,
            quant="mxfp4_moe",
            **shape,
        ),
    }


def make_shape(model):
    """Has forge write a model of random weights, where it is one and is not there yet."""
    if model.family and not model.path.exists():
        subprocess.run(
            [
                ROOT / "target/release/forge",
                "shape",
                "--family",
                model.family,
                "--layers",
                str(model.layers),
                "--out",
                model.path,
            ],
            check=True,
        )


def build():
    """Builds the program, forge and the pure decode loop; the loop's path."""
    cargo = os.environ.get("CARGO", "cargo")
    for command in (
        ["build", "--release", "--workspace", "--bins"],
        ["build", "--release", "--bench", "ceiling", "--message-format", "json"],
    ):
        done = subprocess.run([cargo, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    built = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    return next(
        message["executable"]
        for message in built
        if message.get("reason") == "compiler-artifact" and message["target"]["name"] == "ceiling"
    )


def experiment(model, numerics, deterministic=False, tokens=None, **changes):
    """Writes an experiment file, with other lines for the keys of `changes`; its path."""
    chains = DRAWING + (DETERMINISTIC if deterministic else [])
    keys = {
        "chain": json.dumps(chains),
        "temperature": json.dumps(model.temperatures),
        "seed": f"{{ from = 0, count = {model.seeds} }}",
        "inline": json.dumps(PROMPTS[: model.prompts]),
    } | changes
    quant = f'quant = ["{model.quant}"]\n' if model.quant else ""
    text = f"""schema = 1
name = "bench"

[generate]
max_tokens = {tokens or model.tokens}
context = 256
numerics = "{numerics}"

[grid]
model = ["m"]
{quant}chain = {keys["chain"]}
temperature = {keys["temperature"]}
seed = {keys["seed"]}

[prompts]
inline = {keys["inline"]}

[[model]]
id = "m"
path = {json.dumps(str(model.path))}
"""
    path = WORK / "way.toml"
    path.write_text(text)
    return path


def run(file, options, wait=None, limit=process.LIMIT_S, texts=False):
    """One whole process; what it took and did. TookTooLong when that was more than `limit` seconds.

    `wait`: OMP_WAIT_POLICY; the worker chooses where it is None."""
    out = WORK / "out"
    shutil.rmtree(out, ignore_errors=True)
    command = [ROOT / "target/release/moe-sweep", "run", file, "--out", out, "--cache", CACHE, *options]
    ended = process.timed(command, {"OMP_WAIT_POLICY": wait} if wait else None, limit)
    entry = json.loads((out / "manifest.json").read_text())["runs"][-1]
    result = {
        "seconds": ended.seconds,
        "load": ended.load,
        "texts": entry["trials_done"],
        "rows": entry["evaluated_tokens"],
        "decode": entry["seconds"] - sum(load["seconds"] for load in entry["loads"]),
    }
    if texts:
        records = (json.loads(line) for line in (out / "trials.jsonl").read_text().splitlines())
        result["texts"] = [
            (record["outcome"]["generated"]["tokens"], record["timing"]["seconds"]) for record in records
        ]
    result["file"] = entry["loads"][0]["file"]["path"]
    shutil.rmtree(out)
    return result


def ceiling(binary, file, numerics, texts, threads):
    """Rows a second of a pure decode loop over the same tokens, for the experts that they take decide the speed;
    with threads that wait as the worker's do (src/worker/supervisor.rs)."""
    given = WORK / "texts.json"
    given.write_text(json.dumps(sorted(texts, key=len, reverse=True)))
    environment = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
    if numerics == "invariant":
        environment["GGML_CPU_TILED_MM"] = "0"
    return json.loads(process.timed([binary, file, given, str(threads), numerics], environment).stdout)[
        "rows_per_second"
    ]


def median(results):
    """Of each number."""
    return {key: statistics.median(result[key] for result in results) for key in results[0] if key != "file"}


def threads_to_try():
    return [threads for threads in (1, 2, 4) if threads <= CORES]
