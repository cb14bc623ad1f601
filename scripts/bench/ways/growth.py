"""What more levels of one thing cost, all else as in the first row."""

import json

from ways.compare import DEFAULT, WAYS
from ways.engine import MORE_PROMPTS, PROMPTS, experiment, run

START = {"temperatures": 2, "seeds": 2, "prompts": 2, "tokens": 20}
TEMPERATURES = [0.3, 0.9, 1.5, 0.6, 1.2, 0.1, 0.7, 1.1]


def grow(model):
    """Rows of the table of one model, each from one run."""
    steps = [("start", START)]
    steps += [(name, START | {name: START[name] * factor}) for name in START for factor in (2, 4)]
    rows = []
    for name, grid in steps:
        file = experiment(
            model,
            "invariant",
            tokens=grid["tokens"],
            temperature=json.dumps(sorted(TEMPERATURES[: grid["temperatures"]])),
            seed=f"{{ from = 0, count = {grid['seeds']} }}",
            inline=json.dumps((PROMPTS + MORE_PROMPTS)[: grid["prompts"]]),
        )
        found = run(file, WAYS[DEFAULT][0])
        rows.append(
            {
                "model": model.name,
                "more": name if name == "start" else f"{name}: {START[name]} to {grid[name]}",
                "texts": found["texts"],
                "rows": found["rows"],
                "rows a text": round(found["rows"] / found["texts"], 1),
                "seconds": round(found["seconds"], 2),
            }
        )
        print(f"  {rows[-1]['more']}: {rows[-1]['rows']} rows, {rows[-1]['seconds']} s", flush=True)
    return rows
