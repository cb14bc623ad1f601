"""Every way of decoding over the same grids, from one text at a time to the default: processes that take turns."""

import statistics

from failures import TookTooLong
from places import CORES
from ways.engine import NUMERICS, experiment, median, run, threads_to_try

# One text after another as fast as it goes: threads that spin, since sleeping ones cost more
# than a matrix of one row takes.
ALONE = ["--lanes", "1", "--batch", "1", "--sharing", "none", "--samplers", "llama"]
DEFAULT = "trie + sampler"
# Options, and how threads wait.
WAYS = {
    "a text a lane": (["--batch", "1", "--sharing", "none", "--samplers", "llama"], None),
    "batched": (["--sharing", "prompt", "--samplers", "llama"], None),
    "trie": (["--sharing", "trie", "--samplers", "llama"], None),
    DEFAULT: (["--sharing", "trie", "--samplers", "fast"], None),
    "trie + sampler, spinning": (["--sharing", "trie", "--samplers", "fast"], "ACTIVE"),
}


def compare(model, deterministic, repeats):
    """Rows of the table of one model and grid."""

    def grid(numerics):
        return experiment(model, numerics, deterministic)

    # Once without being timed: quantises, and warms the page cache.
    run(experiment(model, "fast", deterministic, tokens=2), WAYS[DEFAULT][0])
    threads = _best_alone(grid, repeats)
    ways = {("one at a time", "fast"): ([*ALONE, "--threads", str(threads)], "ACTIVE")}
    # A lane of one thread waits for nobody; a lane with all threads is one text at a time.
    needless = "a text a lane" if model.family else "trie + sampler, spinning"
    ways |= {(name, numerics): way for name, way in WAYS.items() for numerics in NUMERICS if name != needless}
    results = {way: [] for way in ways}
    for _ in range(repeats):
        for (name, numerics), (options, wait) in ways.items():
            results[name, numerics].append(run(grid(numerics), options, wait))
            print(f"  {name}, {numerics}: {results[name, numerics][-1]['seconds']:.1f} s", flush=True)
    medians = {way: median(found) for way, found in results.items()}
    alone = medians["one at a time", "fast"]["seconds"]
    return [_row(model, deterministic, way, found, threads, alone) for way, found in medians.items()]


def _row(model, deterministic, way, found, threads, alone):
    name, numerics = way
    return {
        "model": model.name,
        "grid": "all" if deterministic else "drawn",
        "texts": int(found["texts"]),
        "way": name,
        "numerics": numerics,
        "threads": threads if name == "one at a time" else CORES,
        "load": round(found["load"], 1),
        "seconds": round(found["seconds"], 2),
        "ratio": round(alone / found["seconds"], 2),
        "rows": int(found["rows"]),
        "rows/s": round(found["rows"] / found["decode"]),
    }


def _best_alone(grid, repeats):
    """The threads with which one text at a time is fastest, by the medians of runs that take turns."""
    candidates = {threads: [] for threads in threads_to_try()}
    best = None
    for _ in range(repeats):
        for threads, found in candidates.items():
            # What took half as long again is not the best, whatever the noise.
            if found and min(found) > 1.5 * best:
                continue
            # What takes twice the best so far need not end: spinning on busy cores may take hours.
            limit = {"limit": 2 * best} if best else {}
            try:
                found.append(run(grid("fast"), [*ALONE, "--threads", str(threads)], "ACTIVE", **limit)["seconds"])
            except TookTooLong:
                found.append(2 * best)
            best = min(best or found[-1], found[-1])
            print(f"  one at a time, {threads} threads: {found[-1]:.1f} s", flush=True)
    return min(candidates, key=lambda threads: statistics.median(candidates[threads]))
