#!/usr/bin/env python3
"""Times the scoring of the same texts in Rust and in Python, in one run.

    pip install lexical-diversity && python scripts/compare-scoring.py

Writes texts to a file, has `cargo bench -p moe-sweep-score --bench scoring` score them, then scores
them here, plainly and with the metrics that the Rust has, on one thread (MTLD and
MATTR are lexical-diversity's). Words stand for tokens on both sides.
"""

import os
import math
import random
import re
import subprocess
import tempfile
import time
import zlib
from collections import Counter

from lexical_diversity import lex_div

TEXTS = 200


def texts():
    """As in crates/score/benches/scoring.rs: 400 words, of which half may be a loop."""
    rng = random.Random(5)
    for number in range(TEXTS):
        word = lambda: f"w{int(5000 ** rng.random()):x}"
        free = [word() for _ in range(200)]
        phrase = [word() for _ in range(1 + number % 9)]
        yield " ".join(free + ((phrase * 200)[:200] if number % 2 else [word() for _ in range(200)]))


def grams(items, n):
    return [tuple(items[i : i + n]) for i in range(len(items) - n + 1)]


def seq_reps(items):
    shares = []
    for n in (1, 2, 3, 4):
        all_of_them = grams(items, n)
        shares.append(1 - len(set(all_of_them)) / len(all_of_them))
    return shares


def simctg(items):
    reps = []
    for n in (2, 3, 4):
        reached = grams(items, n)[:-1]
        reps.append(round((1 - len(set(reached)) / len(reached)) * 100, 2))
    return [*reps, math.prod(1 - rep / 100 for rep in reps)]


def tail(items):
    """Period and length of the longest tail that is a cycle, by the prefix function."""
    items = items[::-1]
    borders = [0] * len(items)
    best = None
    for index in range(1, len(items)):
        border = borders[index - 1]
        while border and items[index] != items[border]:
            border = borders[border - 1]
        borders[index] = border + (items[index] == items[border])
        if index + 1 >= 2 * (index + 1 - borders[index]):
            best = index + 1 - borders[index], index + 1
    return best


def copies_at_end(items, longest):
    items = items[::-1]
    counts = []
    for n in range(1, longest + 1):
        copies = 1
        while items[n * copies : n * (copies + 1)] == items[:n]:
            copies += 1
        counts.append(copies)
    return counts


def rep_w(items):
    return sum(items[i] in items[max(0, i - 16) : i] for i in range(1, len(items))) / (len(items) - 1)


def rep_r(items):
    pairs = grams(items, 2)
    counts = Counter(pairs)
    covered = {place for i, pair in enumerate(pairs) if counts[pair] > 1 for place in (i, i + 1)}
    return len(covered) / len(items)


def zipf(items):
    counts = sorted(Counter(items).values(), reverse=True)[:5000]
    points = [(math.log(rank), math.log(count)) for rank, count in enumerate(counts, 1)]
    x, y = (sum(column) / len(points) for column in zip(*points))
    return -sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def score(text):
    words = text.split()
    numbers = {}
    tokens = [numbers.setdefault(word, len(numbers)) for word in words]
    most = max(copies_at_end(tokens, 90))
    return [
        *seq_reps(words), *simctg(words), lex_div.mattr(words), lex_div.mtld(words), zipf(words),
        len(set(words)) / (50257 * (1 - (50256 / 50257) ** len(words))),
        len(text.encode()) / len(zlib.compress(text.encode(), 6)),
        *seq_reps(tokens), tail(tokens), most, max(copies_at_end(tokens, 64)),
        max(Counter(grams(tokens, 30)).values()), rep_w(tokens), rep_r(tokens),
    ]


def rust_seconds(file):
    """The least of Divan's samples: other programs can only make it longer."""
    command = ["cargo", "bench", "-p", "moe-sweep-score", "--bench", "scoring", "--", "all"]
    run = subprocess.run(command, env={**os.environ, "SCORING_TEXTS": file}, capture_output=True, text=True, check=True)

    def seconds(name):
        number, unit = re.search(rf"\b{name}\s+([\d.]+) (ns|µs|ms|s)\b", run.stdout).groups()
        return float(number) * {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1}[unit]

    return seconds("all"), seconds("all_on_all_cores")


def main():
    lines = list(texts())
    megabytes = sum(map(len, lines)) / 1e6
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        one, all_cores = rust_seconds(file.name)
    python = []
    for _ in range(3):
        begin = time.perf_counter()
        for line in lines:
            score(line)
        python.append(time.perf_counter() - begin)
    for name, seconds in [("Rust, one thread", one), ("Rust, all cores", all_cores), ("Python", min(python))]:
        times = min(python) / seconds
        print(f"{name:17} {megabytes / seconds:8.3f} MB/s {len(lines) / seconds:8.0f} texts/s {times:6.0f} times Python")


if __name__ == "__main__":
    main()
