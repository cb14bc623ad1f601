#!/usr/bin/env python3
"""`make bench`: what each part of the engine saves, in whole processes that take turns.

Makes models of DeepSeek-MoE-16B's and GPT-OSS-20B's widths on the spot, runs every way of decoding over the
same grids, and prints medians as Markdown (also target/bench/results.md and .json). How to
read it: docs/performance.md. Only Python's standard library is used.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "target/bench"
CORES = len(os.sched_getaffinity(0))
# One text after another as fast as it goes: threads that spin, since sleeping ones cost more
# than a matrix of one row takes.
ALONE = ["--lanes", "1", "--batch", "1", "--sharing", "none", "--samplers", "llama"]
# Options, and how threads wait.
WAYS = {
    "a text a lane": (["--batch", "1", "--sharing", "none", "--samplers", "llama"], None),
    "batched": (["--sharing", "prompt", "--samplers", "llama"], None),
    "trie": (["--sharing", "trie", "--samplers", "llama"], None),
    "trie + sampler": (["--sharing", "trie", "--samplers", "fast"], None),
    "trie + sampler, spinning": (["--sharing", "trie", "--samplers", "fast"], "ACTIVE"),
}
# As many sequences in lock step: nothing to share, none ends.
WIDTHS = (16, 64)
# Fewer steps measure the machine's noise.
LOCKSTEP_TOKENS = 24
LOCKSTEP_CHAINS = ["llama.cpp", "pure", "vllm"]
PROMPTS = ["The heart is", "Once upon a time there was", "Solar panels", "My neighbour told me that"]
MORE_PROMPTS = ["In the long run, reading books", "Three reasons explain why the sea", "The first step is",
                "Nobody knows when the wheel"]
DRAWING = ["llama.cpp", "ollama-go", "pure"]
# Chains without a draw: one text, whatever the seeds.
DETERMINISTIC = ["shimmy-1.7", "greedy"]


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
    """By the names of --only."""
    tokens, seeds = (6, 1) if quick else (12, 8)
    shape = {"prompts": 2, "temperatures": [0.3, 0.6, 0.9], "tokens": tokens}
    return {
        "tiny": Model("deepseek-tiny", ROOT / "models/deepseek-tiny.gguf", 4, [0.3, 0.9, 1.5], 2 if quick else 8,
                      20 if quick else 60),
        "deepseek": Model("DeepSeek-MoE-16B's shape", BENCH / "deepseek-shape.gguf", seeds=seeds, family="deepseek",
                          layers=3, quant="q4_k_m", **shape),
        # Half the seeds: its vocabulary of 201,088 makes a row dear.
        "gpt-oss": Model("GPT-OSS-20B's shape", BENCH / "gpt-oss-shape.gguf", seeds=min(seeds, 4), family="gpt-oss",
                         layers=2, quant="mxfp4_moe", **shape),
    }


def experiment(model, numerics, deterministic, tokens=None):
    """An experiment file; its path."""
    chains = DRAWING + (DETERMINISTIC if deterministic else [])
    quant = f'quant = ["{model.quant}"]\n' if model.quant else ""
    text = f"""schema = 1
name = "bench"

[generate]
max_tokens = {tokens or model.tokens}
context = 256
numerics = "{numerics}"

[grid]
model = ["m"]
{quant}chain = {json.dumps(chains)}
temperature = {json.dumps(model.temperatures)}
seed = {{ from = 0, count = {model.seeds} }}

[prompts]
inline = {json.dumps(PROMPTS[:model.prompts])}

[[model]]
id = "m"
path = {json.dumps(str(model.path))}
"""
    path = BENCH / f"{model.path.stem}-{numerics}-{'all' if deterministic else 'drawn'}-{tokens or model.tokens}.toml"
    path.write_text(text)
    return path


def run(file, options, wait=None, limit=None, texts=False):
    """One whole process; what it took and did. None when it took more than `limit` seconds.

    `wait`: OMP_WAIT_POLICY; the worker chooses where it is None."""
    out = BENCH / "out"
    shutil.rmtree(out, ignore_errors=True)
    command = [ROOT / "target/release/moe-sweep", "run", file, "--out", out, "--cache", BENCH / "cache", *options]
    load, begun = os.getloadavg()[0], time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    if wait:
        environment["OMP_WAIT_POLICY"] = wait
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return None
    seconds = time.monotonic() - begun
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\nfailed:\n{done.stderr}")
    entry = json.loads((out / "manifest.json").read_text())["runs"][-1]
    result = {"seconds": seconds, "load": load, "texts": entry["trials_done"],
              "rows": entry["evaluated_tokens"], "decode": entry["seconds"] - sum(l["seconds"] for l in entry["loads"])}
    if texts:
        records = (json.loads(line) for line in (out / "trials.jsonl").read_text().splitlines())
        result["texts"] = [(record["outcome"]["generated"]["tokens"], record["timing"]["seconds"]) for record in records]
    result["file"] = entry["loads"][0]["file"]["path"]
    shutil.rmtree(out)
    return result


def median(results):
    numbers = [key for key in results[0] if key not in ("file",)]
    return {key: statistics.median(result[key] for result in results) for key in numbers}


def best_alone(file, repeats):
    """The threads with which one text at a time is fastest, by the medians of runs that take turns."""
    candidates = {threads: [] for threads in (1, 2, 4) if threads <= CORES}
    best = None
    for _ in range(repeats):
        for threads, found in candidates.items():
            # What took half as long again is not the best, whatever the noise.
            if found and min(found) > 1.5 * best:
                continue
            # What takes twice the best so far need not end: spinning on busy cores may take hours.
            result = run(file, [*ALONE, "--threads", str(threads)], "ACTIVE", best and 2 * best)
            found.append(result["seconds"] if result else 2 * best)
            best = min(best or found[-1], found[-1])
            print(f"  one at a time, {threads} threads: {found[-1]:.1f} s", flush=True)
    return min(candidates, key=lambda threads: statistics.median(candidates[threads]))


def ceiling(binary, file, numerics, texts, threads):
    """Rows a second of a pure decode loop over the same tokens, for the experts that they take decide the speed;
    with threads that wait as the worker's do (src/worker/supervisor.rs)."""
    given = BENCH / "texts.json"
    given.write_text(json.dumps(sorted(texts, key=len, reverse=True)))
    environment = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
    if numerics == "invariant":
        environment["GGML_CPU_TILED_MM"] = "0"
    command = [binary, file, given, str(threads), numerics]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["rows_per_second"]


def lockstep(model, numerics, chain, width):
    """An experiment of `width` texts of one prompt at a temperature at which they part at once."""
    path = experiment(model, numerics, False)
    text = path.read_text()
    lines = {"chain = ": f'chain = ["{chain}"]', "temperature = ": "temperature = [1.5]", "seed = ": f"seed = {{ from = 0, count = {width} }}",
             "inline = ": f"inline = {json.dumps(PROMPTS[:1])}"}
    changed = [next((new for start, new in lines.items() if line.startswith(start)), line) for line in text.splitlines()]
    path = BENCH / f"{model.path.stem}-{numerics}-{chain}-{width}.toml"
    path.write_text("\n".join(changed) + "\n")
    return path


def shares(model, repeats, binary):
    """What is left of the pure decode loop's rows a second at the same width, in one context on as many
    threads, once tokens are chosen: rows of the second table. The two take turns, and it is the medians
    of their ratios that count: the machine's speed changes by more than what is measured."""
    rows = []
    model = replace(model, tokens=max(model.tokens, LOCKSTEP_TOKENS))
    threads, steps = CORES if model.family else 1, model.tokens - 1
    # Of a small model they last tenths of a second: more of them, against the noise.
    repeats *= 1 if model.family else 5
    for width in WIDTHS:
        for numerics in ("fast", "invariant"):
            results = {chain: [] for chain in LOCKSTEP_CHAINS}
            for _ in range(repeats):
                for chain, found in results.items():
                    options = ["--lanes", "1", "--threads", str(threads), "--batch", str(width), "--sharing", "prompt"]
                    done = run(lockstep(model, numerics, chain, width), options, texts=True)
                    # Of the texts that were there to the end: their decoding, prompt and load aside.
                    longest = [seconds for tokens, seconds in done["texts"] if len(tokens) == model.tokens]
                    speed = len(done["texts"]) * steps / statistics.median(longest)
                    top = ceiling(binary, done["file"], numerics, [tokens for tokens, _ in done["texts"]], threads)
                    found.append({"rows/s": speed, "decode only": top, "share": speed / top, "whole": len(longest)})
            for chain, found in results.items():
                middle = median(found)
                rows.append({"model": model.name, "numerics": numerics, "sequences": width, "threads": threads,
                             "chain": chain, "to the end": found[0]["whole"], "rows/s": round(middle["rows/s"]),
                             "decode only": round(middle["decode only"]), "share": f"{middle['share']:.0%}"})
                print(f"  {width} sequences, {numerics}, {chain}: {rows[-1]['share']}", flush=True)
    return rows


def grow(model):
    """What more levels of one thing cost, all else as in the first row: rows of the third table."""
    start = {"temperatures": 2, "seeds": 2, "prompts": 2, "tokens": 20}
    steps = [("start", start)]
    steps += [(name, start | {name: start[name] * factor}) for name in start for factor in (2, 4)]
    temperatures = [0.3, 0.9, 1.5, 0.6, 1.2, 0.1, 0.7, 1.1]
    rows = []
    for name, grid in steps:
        file = experiment(model, "invariant", False, tokens=grid["tokens"])
        lines = {"temperature = ": f"temperature = {json.dumps(sorted(temperatures[:grid['temperatures']]))}",
                 "seed = ": f"seed = {{ from = 0, count = {grid['seeds']} }}",
                 "inline = ": f"inline = {json.dumps((PROMPTS + MORE_PROMPTS)[:grid['prompts']])}"}
        text = [next((new for start, new in lines.items() if line.startswith(start)), line)
                for line in file.read_text().splitlines()]
        grown = BENCH / "grow.toml"
        grown.write_text("\n".join(text) + "\n")
        found = run(grown, WAYS["trie + sampler"][0])
        rows.append({"model": model.name, "more": name if name == "start" else f"{name}: {start[name]} to {grid[name]}",
                     "texts": found["texts"], "rows": found["rows"], "rows a text": round(found["rows"] / found["texts"], 1),
                     "seconds": round(found["seconds"], 2)})
        print(f"  {rows[-1]['more']}: {rows[-1]['rows']} rows, {rows[-1]['seconds']} s", flush=True)
    return rows


def compare(model, deterministic, repeats, binary):
    """Rows of the table."""
    files = {numerics: experiment(model, numerics, deterministic) for numerics in ("fast", "invariant")}
    # Once without being timed: quantises, and warms the page cache.
    run(experiment(model, "fast", deterministic, tokens=2), WAYS["trie + sampler"][0])
    threads = best_alone(files["fast"], repeats)
    ways = {("one at a time", "fast"): ([*ALONE, "--threads", str(threads)], "ACTIVE")}
    # A lane of one thread waits for nobody; a lane with all threads is one text at a time.
    needless = "a text a lane" if model.family else "trie + sampler, spinning"
    for name, way in WAYS.items():
        for numerics in files:
            if name != needless:
                ways[name, numerics] = way
    results = {way: [] for way in ways}
    for _ in range(repeats):
        for (name, numerics), (options, wait) in ways.items():
            results[name, numerics].append(run(files[numerics], options, wait))
            print(f"  {name}, {numerics}: {results[name, numerics][-1]['seconds']:.1f} s", flush=True)
    medians = {way: median(found) for way, found in results.items()}
    alone = medians["one at a time", "fast"]["seconds"]
    rows = []
    for (name, numerics), found in medians.items():
        speed = found["rows"] / found["decode"]
        grid = "all" if deterministic else "drawn"
        rows.append({"model": model.name, "grid": grid, "texts": int(found["texts"]), "way": name, "numerics": numerics,
                     "threads": threads if name == "one at a time" else CORES, "load": round(found["load"], 1),
                     "seconds": round(found["seconds"], 2), "ratio": round(alone / found["seconds"], 2),
                     "rows": int(found["rows"]), "rows/s": round(speed)})
    return rows


def markdown(rows):
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join(lines + ["| " + " | ".join(str(row[name]) for name in names) + " |" for row in rows])


def build():
    cargo = os.environ.get("CARGO", "cargo")
    for command in (["build", "--release", "--workspace", "--bins"],
                    ["build", "--release", "--bench", "ceiling", "--message-format", "json"]):
        done = subprocess.run([cargo, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    built = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    return next(message["executable"] for message in built
                if message.get("reason") == "compiler-artifact" and message["target"]["name"] == "ceiling")


def make_shape(model):
    if not model.path.exists():
        subprocess.run([ROOT / "target/release/forge", "shape", "--family", model.family, "--layers", str(model.layers),
                        "--out", model.path], check=True)


def write(rows, sampled, repeats, seconds):
    """After each grid, so that a run cut short leaves what it had."""
    quota = Path("/sys/fs/cgroup/cpu.max")
    limit = quota.read_text().strip() if quota.exists() else "none"
    head = f"{CORES} cores (cgroup limit: {limit}), medians of {repeats}, {seconds:.0f} s in all"
    (BENCH / "results.json").write_text(json.dumps({"ways": rows, "sampling": sampled}, indent=1))
    tables = [markdown(table) for table in (rows, sampled) if table]
    (BENCH / "results.md").write_text("\n\n".join([head, *tables]) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small grids, each once")
    parser.add_argument("--only", choices=list(models(False)), help="one of the models")
    parser.add_argument("--part", choices=["ways", "sampling", "growth"],
                        help="only one of the tables; growth, what more levels of each thing cost, is made by this alone")
    arguments = parser.parse_args()
    BENCH.mkdir(parents=True, exist_ok=True)
    binary = build()
    repeats = 1 if arguments.quick else 3
    chosen = [model for name, model in models(arguments.quick).items() if arguments.only in (None, name)]
    if arguments.part == "growth":
        print("\n" + markdown(grow(models(False)["tiny"])))
        return
    begun, rows, sampled = time.monotonic(), [], []
    for model in chosen:
        if model.family:
            make_shape(model)
        for deterministic in (True, False) if arguments.part != "sampling" else ():
            print(f"{model.name}, {'all chains' if deterministic else 'drawing chains only'}", flush=True)
            rows += compare(model, deterministic, repeats, binary)
            write(rows, sampled, repeats, time.monotonic() - begun)
        if arguments.part != "ways":
            print(f"{model.name}, sampling beside decoding", flush=True)
            sampled += shares(model, repeats, binary)
        write(rows, sampled, repeats, time.monotonic() - begun)
    print("\n" + (BENCH / "results.md").read_text())


if __name__ == "__main__":
    main()
