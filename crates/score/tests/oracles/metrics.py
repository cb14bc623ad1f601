#!/usr/bin/env python3
"""Writes metrics.json beside this file: what Python says the word metrics are.

Straight from the definitions (docs of src/metrics/ngram.rs), with exact
fractions; run it again with any Python 3 to renew or to check the values.
"""

import json
import platform
import random
from collections import Counter
from fractions import Fraction
from pathlib import Path

FIXED = [
    "",
    " \n\t ",
    "one",
    "two words",
    "three words here",
    "no no no",
    "no no no no",
    "the cat sat on the mat the cat sat on the mat the cat sat",
    "To be able to be able to be able to be able to be able to be able to",
    "to be, able to be. able to be; able to be! Able to be",
    "renewable energy is energy that is renewable energy is energy that",
    "a\tb\nc\r\nd\x0be\x0cf a\tb\nc\r\nd",
    "a\x1cb\x1dc\x1ed\x1fe a\x1cb\x1dc",
    "a\x85b\xa0c\u1680d\u2000e\u2028f\u2029g\u202fh\u205fi\u3000j a b c",
    "zero\u200bwidth is\u2060no space\ufeff zero\u200bwidth is\u2060no space\ufeff",
    "Grüße aus Köln, Grüße aus Köln, Grüße aus Köln",
    "猫 が 座る 猫 が 座る 猫 が",
    "مرحبا بك في مرحبا بك في",
    "🙂 🙂 🙂 🙂 👩\u200d🔬 👩\u200d🔬 👩\u200d🔬",
    "\ufffd\ufffd \ufffd\ufffd \ufffd\ufffd \ufffd\ufffd",
    "e\u0301 \u00e9 e\u0301 \u00e9 e\u0301 \u00e9",
    "\x00 \x00 \x00 \x00",
]


def random_texts(count):
    """Texts over few words, so that n-grams recur, and any white space."""
    rng = random.Random(7)
    gaps = [" ", "  ", "\n", "\t ", "\u2003", "\x1f", "\x85"]
    for _ in range(count):
        vocabulary = ["able", "be", "to", "über", "猫", "."][: rng.randint(2, 6)]
        yield "".join(rng.choice(vocabulary) + rng.choice(gaps) for _ in range(rng.randint(3, 120)))


def n_grams(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def repetition_score(words):
    counts = Counter(n_grams(words, 3))
    if not counts:
        return 0.0
    return sum(count - 1 for count in counts.values()) / sum(counts.values())


def seq_rep(words, n):
    grams = n_grams(words, n)
    return float(1 - Fraction(len(set(grams)), len(grams))) if grams else None


def case(text):
    words = text.split()
    return {
        "text": text,
        "words": words,
        "repetition_score": repetition_score(words),
        "seq_rep": [seq_rep(words, n) for n in range(1, 5)],
    }


def splits(code_point):
    return f"a{chr(code_point)}b".split() == ["a", "b"]


def main():
    surrogates = range(0xD800, 0xE000)
    oracle = {
        "written_by": f"tests/oracles/metrics.py, Python {platform.python_version()}",
        "white_space": [c for c in range(0x110000) if c not in surrogates and splits(c)],
        "cases": [case(text) for text in [*FIXED, *random_texts(12)]],
    }
    text = json.dumps(oracle, indent=None, separators=(",", ":")).replace('{"text"', '\n{"text"')
    Path(__file__).with_suffix(".json").write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
