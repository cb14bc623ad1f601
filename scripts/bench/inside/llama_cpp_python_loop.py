"""Makes texts with llama-cpp-python, one after the other. Run by that peer's own Python; the work is a JSON file
(peers/llama_cpp_python.py). Prints a JSON object: seconds without the loading, and new tokens."""

import json
import sys
import time
from pathlib import Path

from llama_cpp import Llama


def main():
    work = json.loads(Path(sys.argv[1]).read_text())
    llama = Llama(
        work["model"],
        n_ctx=work["context"],
        n_threads=work["threads"],
        n_threads_batch=work["threads"],
        n_gpu_layers=0,
        flash_attn=True,
        verbose=False,
    )
    tokens, begun = 0, time.monotonic()
    for text in work["texts"]:
        done = llama.create_completion(
            text["prompt"],
            max_tokens=work["max_tokens"],
            temperature=text["temperature"],
            seed=text["seed"],
            repeat_penalty=1.0,
            **work["fields"],
        )
        tokens += done["usage"]["completion_tokens"]
    print(json.dumps({"seconds": time.monotonic() - begun, "tokens": tokens}))


if __name__ == "__main__":
    main()
