#!/usr/bin/env python3
"""Writes published.json beside this file: metrics as others compute them.

    pip install numpy scipy lexical-diversity && python crates/score/tests/oracles/published.py

MTLD and MATTR are lexical-diversity's own; the rest is written here from the
definitions in FIELD notes and docs of src/metrics, slowly and plainly, on lists
of numbers that stand for words or tokens.
"""

import json
import math
import platform
import random
from importlib.metadata import version
from pathlib import Path

from lexical_diversity import lex_div
from scipy import stats


def grams(items, n):
    return [tuple(items[i : i + n]) for i in range(len(items) - n + 1)]


def simctg(items):
    """rep-2, 3, 4 in percent, rounded; the last n-gram is not reached."""
    reps = []
    for n in (2, 3, 4):
        reached = grams(items, n)[:-1]
        reps.append(round((1 - len(set(reached)) / len(reached)) * 100, 2) if reached else None)
    if None in reps:
        return reps, None
    return reps, math.prod(1 - rep / 100 for rep in reps)


def copies_at_end(items, period):
    last, copies = items[len(items) - period :], 1
    while items[max(0, len(items) - period * (copies + 1)) : len(items) - period * copies] == last:
        copies += 1
    return copies


def holtzman(items):
    copies = [copies_at_end(items, period) for period in range(1, min(90, len(items)) + 1)]
    best = max(range(len(copies)), key=lambda i: copies[i])
    return copies[best] > 1 and (best + 1 >= 3 or copies[best] > 50)


def vllm(items, shortest=1, longest=64, least=4):
    return any(copies_at_end(items, period) >= least for period in range(shortest, min(longest, len(items)) + 1))


def loop_30_20(items):
    windows = grams(items, 30)
    return any(windows.count(window) >= 20 for window in set(windows))


def rep_w(items):
    return sum(item in items[max(0, i - 16) : i] for i, item in enumerate(items)) / (len(items) - 1)


def rep_r(items):
    pairs = grams(items, 2)
    often = {pair for pair in pairs if pairs.count(pair) > 1}
    covered = {place for i, pair in enumerate(pairs) if pair in often for place in (i, i + 1)}
    return len(covered) / len(items)


def ead(items, vocabulary=50257):
    return len(set(items)) / (vocabulary * (1 - ((vocabulary - 1) / vocabulary) ** len(items)))


def zipf(items):
    counts = sorted((items.count(item) for item in set(items)), reverse=True)
    if len(counts) < 2:
        return None
    ranks = [math.log(rank) for rank in range(1, len(counts) + 1)]
    return -stats.linregress(ranks, [math.log(count) for count in counts]).slope


def self_repetition(texts):
    sets = [set(grams(text, 4)) for text in texts]
    scores = [math.log(1 + sum(sum(gram in other for other in sets) - 1 for gram in own)) for own in sets]
    return sum(scores) / len(scores)


def lists(count):
    """Lists of every kind: few and many words, with and without a loop at the end."""
    rng = random.Random(11)
    for _ in range(count):
        words = rng.choice([2, 5, 20, 80, 300])
        items = [int(words * rng.random() ** rng.choice([1, 2])) for _ in range(rng.randint(2, 260))]
        if rng.random() < 0.5:
            phrase = [rng.randrange(words) for _ in range(rng.choice([1, 2, 3, 7, 30]))]
            items += (phrase * 200)[: rng.randint(1, 700)]
        yield items


def case(items):
    reps, diversity = simctg(items)
    return {"items": items, "simctg_rep_percent": reps, "simctg_diversity": diversity, "holtzman": holtzman(items),
            "vllm": vllm(items), "loop_30_20": loop_30_20(items), "rep_w": rep_w(items), "rep_r": rep_r(items),
            "mattr": lex_div.mattr(items, 50) if len(items) >= 50 else None, "mtld": lex_div.mtld(items) or None,
            "ead": ead(items), "zipf": zipf(items)}


def main():
    cases = [case(items) for items in lists(60)]
    small = [[1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 1], [7, 1, 2, 3, 4, 5], [9, 8, 7, 6], [1, 2, 3, 4, 1, 2, 3, 4]]
    versions = {"python": platform.python_version(), "lexical-diversity": version("lexical-diversity"),
                "scipy": version("scipy")}
    dump = lambda value: json.dumps(value, allow_nan=False, separators=(",", ":"))
    group = dump({"texts": small, "self_repetition": self_repetition(small)})
    text = ",\n".join(map(dump, cases))
    out = f'{{"versions":{dump(versions)},\n"group":{group},\n"cases":[\n{text}]}}\n'
    Path(__file__).with_suffix(".json").write_text(out, encoding="ascii")


if __name__ == "__main__":
    main()
