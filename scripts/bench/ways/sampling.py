"""What is left of a pure decode loop's rows a second once tokens are chosen."""

import json
import statistics
from dataclasses import replace

from places import CORES
from ways.engine import PROMPTS, ceiling, experiment, median, run

# As many sequences in lock step: nothing to share, none ends.
WIDTHS = (16, 64)
# Fewer steps measure the machine's noise.
LOCKSTEP_TOKENS = 24
LOCKSTEP_CHAINS = ["llama.cpp", "pure", "vllm"]


def shares(model, repeats, binary):
    """Rows of the table of one model: moe-sweep against the loop `binary` at the same width, in one context on as many
    threads. The two take turns, and it is the medians of their ratios that count: the machine's speed changes by more
    than what is measured."""
    rows = []
    model = replace(model, tokens=max(model.tokens, LOCKSTEP_TOKENS))
    threads = CORES if model.family else 1
    # Of a small model they last tenths of a second: more of them, against the noise.
    repeats *= 1 if model.family else 5
    for width in WIDTHS:
        for numerics in ("fast", "invariant"):
            results = {chain: [] for chain in LOCKSTEP_CHAINS}
            for _ in range(repeats):
                for chain, found in results.items():
                    found.append(_pair(model, numerics, chain, width, threads, binary))
            for chain, found in results.items():
                middle = median(found)
                rows.append(
                    {
                        "model": model.name,
                        "numerics": numerics,
                        "sequences": width,
                        "threads": threads,
                        "chain": chain,
                        "to the end": found[0]["whole"],
                        "rows/s": round(middle["rows/s"]),
                        "decode only": round(middle["decode only"]),
                        "share": f"{middle['share']:.0%}",
                    }
                )
                print(f"  {width} sequences, {numerics}, {chain}: {rows[-1]['share']}", flush=True)
    return rows


def _pair(model, numerics, chain, width, threads, binary):
    """`width` texts of one prompt at a temperature at which they part at once, and the loop over their tokens."""
    file = experiment(
        model,
        numerics,
        chain=json.dumps([chain]),
        temperature="[1.5]",
        seed=f"{{ from = 0, count = {width} }}",
        inline=json.dumps(PROMPTS[:1]),
    )
    options = ["--lanes", "1", "--threads", str(threads), "--batch", str(width), "--sharing", "prompt"]
    done = run(file, options, texts=True)
    # Of the texts that were there to the end: their decoding, prompt and load aside.
    longest = [seconds for tokens, seconds in done["texts"] if len(tokens) == model.tokens]
    speed = len(done["texts"]) * (model.tokens - 1) / statistics.median(longest)
    top = ceiling(binary, done["file"], numerics, [tokens for tokens, _ in done["texts"]], threads)
    return {"rows/s": speed, "decode only": top, "share": speed / top, "whole": len(longest)}
