#!/usr/bin/env python3
"""Which metric sees which kind of repetition: the table in docs/metrics.md.

    cargo build --release && python3 scripts/detectors.py            prints it
    python3 scripts/detectors.py --write                             puts it into docs/metrics.md
    python3 scripts/detectors.py --check                             fails if the document has another

Makes the texts of crates/score/tests/corpus/repetition, has `moe-sweep score` score them, and counts. A metric
sees a text if it goes beyond all but one in a hundred of the clean texts, a verdict (1 or 0) if it
says 1. Tokens are those of a toy: up to four letters, or one other character.
"""

import json
import math
import os
import random
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "crates/score/tests/corpus/repetition"
DOCUMENT = ROOT / "docs/metrics.md"
PROGRAM = os.environ.get("MOE_SWEEP", ROOT / "target/release/moe-sweep")

# Of each metric: whether more of it is worse.
SHOWN = {
    "repetition_score": True,
    "seq_rep_4_tokens": True,
    "tail_share": True,
    "compression_ratio": True,
    "repeat_4_chars": True,
    "covered_20_chars": True,
    "recycled": True,
    "loop": True,
    "recovered": True,
    "repeats": True,
    "vllm_loop": True,
    "holtzman_repetition": True,
    "loop_30_20": True,
    "gemini_cli_loop": True,
    "ollama_repeats": True,
}
VERDICTS = {
    "loop", "recovered", "repeats", "vllm_loop", "holtzman_repetition", "loop_30_20", "gemini_cli_loop", "ollama_repeats",
}  # fmt: skip
KINDS = {
    "words": "a few words, with spaces",
    "characters": "a run of one character, or of a few",
    "no spaces": "a sentence in a script without spaces",
    "long period": "a whole paragraph",
    "counters": "a line with a counter",
    "template": "a sentence in which one word changes",
    "list": "items of a list",
    "code": "lines of code",
    "thought": "a loop in the thought, then a clean answer",
    "answer": "a clean thought, then a loop in the answer",
    "recovered": "a loop that the text got out of",
    "paraphrase": "the same said in other words",
}


def pieces(text):
    return re.findall(r"\w{1,4}|.", text, re.DOTALL)


def cut(text, characters):
    """So many characters, or a few more: a limit of tokens cuts no token."""
    taken = ""
    for piece in pieces(text):
        if len(taken) >= characters:
            break
        taken += piece
    return taken


def clean_texts():
    for file in sorted((CORPUS / "clean").glob("*.txt")):
        text = file.read_text(encoding="utf-8")
        for end in range(60, len(text) + 30, 30):
            yield file.stem, cut(text, end)


def looping_texts():
    kinds = json.loads((CORPUS / "kinds.json").read_text(encoding="utf-8"))
    words = kinds.pop("w")
    paragraphs = {file.stem: file.read_text(encoding="utf-8") for file in sorted((CORPUS / "clean").glob("*.txt"))}
    prose = [paragraphs[name] for name in ("english", "russian", "greek", "arabic", "hindi", "german")]
    rng = random.Random(1)

    def fill(unit, characters):
        text, i = "", 0
        order = rng.sample(words, len(words))
        while len(text) < characters + 99:
            text += unit.replace("{i}", str(i)).replace("{j}", str(i - 1)).replace("{w}", order[i % len(order)])
            i += 1
        return cut(text, characters)

    loops = [unit for kind in ("words", "no spaces", "code", "list") for unit in kinds[kind]]
    for unit in kinds.pop("paraphrase"):
        yield "paraphrase", unit
    for kind, units in kinds.items():
        for unit in units:
            for head in ("", rng.choice(prose)[:150] + " "):
                yield kind, head + fill(unit, 600)
    for name in ("english", "russian", "greek", "chinese", "japanese", "thai", "korean", "rust", "verse"):
        yield "long period", cut(paragraphs[name] * 4, 3 * len(paragraphs[name]) + 40)
    for unit in loops:
        clean = rng.choice(prose)
        yield "thought", f"<think>{fill(unit, 500)}</think>{clean[:300]}"
        yield "answer", f"<think>{clean[:300]}</think>{fill(unit, 500)}"
        yield "recovered", clean[:200] + fill(unit, 400) + rng.choice(prose)[200:400]


def tokens(text, ids={}):
    return [ids.setdefault(piece, len(ids)) for piece in pieces(text)]


def score(texts):
    lines = "".join(json.dumps({"text": text, "tokens": tokens(text)}) + "\n" for text in texts)
    command = [PROGRAM, "score", "--jsonl", "--json", "-"]
    scored = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in scored.splitlines()]


def main():
    clean = [text for _, text in clean_texts()]
    kinds, looping = zip(*looping_texts())
    clean_scores, scores = score(clean), score(looping)

    def beyond(metric):
        """What of a metric no more than one in a hundred clean texts has; of a verdict, 1."""
        if metric in VERDICTS:
            return 1.0
        values = sorted(row[metric] for row in clean_scores if row[metric] is not None)
        return math.nextafter(values[math.ceil(0.99 * len(values)) - 1], math.inf)

    def share(rows, metric, least):
        return sum(row[metric] is not None and row[metric] >= least for row in rows) / len(rows)

    def word(share):
        return "sees" if share >= 0.95 else "blind" if share <= 0.05 else f"{100 * share:.0f} %"

    limits = {metric: beyond(metric) for metric in SHOWN}
    head = [f"`{metric}`" for metric in SHOWN]
    lines = ["| kind | texts | " + " | ".join(head) + " |", "|---" * (len(head) + 2) + "|"]
    for kind, name in KINDS.items():
        rows = [row for row, of in zip(scores, kinds) if of == kind]
        cells = [word(share(rows, metric, limits[metric])) for metric in SHOWN]
        lines.append(f"| {name} | {len(rows)} | " + " | ".join(cells) + " |")
    alarms = [f"{100 * share(clean_scores, metric, limits[metric]):.1f} %" for metric in SHOWN]
    lines.append(f"| **clean texts: false alarms** | {len(clean)} | " + " | ".join(alarms) + " |")
    table = "\n".join(lines) + "\n"

    document = DOCUMENT.read_text(encoding="utf-8")
    begin, end = "<!-- scripts/detectors.py -->\n", "<!-- end -->"
    before, rest = document.split(begin)
    found, after = rest.split(end, 1)
    if "--write" in sys.argv:
        DOCUMENT.write_text(before + begin + table + end + after, encoding="utf-8")
    elif "--check" in sys.argv:
        if found != table:
            sys.exit(f"docs/metrics.md has another table: python3 scripts/detectors.py --write\n{table}")
        print(f"detectors: {len(clean)} clean and {len(looping)} looping texts, as docs/metrics.md says")
    else:
        print(table, end="")
        for (name, text), row in zip(clean_texts(), clean_scores):
            for metric in ("loop", "recovered"):
                if row[metric] == 1:
                    print(f"false alarm of {metric}: {name}, {len(text)} characters: …{text[-60:]!r}")


if __name__ == "__main__":
    main()
