#!/usr/bin/env python3
"""The `llama.cpp` chain of `make bench`'s grid through llama-cpp-python, one text at a time.

    python3 -m venv target/bench/venv
    target/bench/venv/bin/pip install llama-cpp-python     # compiles llama.cpp
    target/bench/venv/bin/python scripts/bench-llama-cpp-python.py MODEL.gguf --threads 1

Prints a JSON object. Its llama.cpp is another version than moe-sweep's, so that the texts may
differ; with different lengths only tokens a second can be compared.
"""

import argparse
import json
import time

from llama_cpp import Llama

PROMPTS = ["The heart is", "Once upon a time there was", "Solar panels", "My neighbour told me that"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--prompts", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=60)
    parser.add_argument("--temperatures", type=float, nargs="+", default=[0.3, 0.9, 1.5])
    arguments = parser.parse_args()
    llama = Llama(arguments.model, n_ctx=256, n_threads=arguments.threads, n_gpu_layers=0, verbose=False)
    tokens, begun = 0, time.monotonic()
    for prompt in PROMPTS[:arguments.prompts]:
        for temperature in arguments.temperatures:
            for seed in range(arguments.seeds):
                # llama-server's defaults: moe-sweep's chain `llama.cpp`.
                done = llama.create_completion(prompt, max_tokens=arguments.tokens, temperature=temperature, seed=seed,
                                               top_k=40, top_p=0.95, min_p=0.05, repeat_penalty=1.0)
                tokens += done["usage"]["completion_tokens"]
    seconds = time.monotonic() - begun
    print(json.dumps({"tokens": tokens, "seconds": round(seconds, 2), "tokens/s": round(tokens / seconds, 1)}))


if __name__ == "__main__":
    main()
