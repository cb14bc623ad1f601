"""Measurements as Markdown. Pure; knows no program but by the name of that which all are compared with."""

SERVER = "llama-server"
# The server when greedy's text is made at each temperature anew (Grid.repeats).
EVERY_CELL = "llama-server, greedy at each T"


def told(taken):
    """One measurement on a line."""
    time = f"{taken.seconds:.1f} s, " if taken.seconds is not None else ""
    note = f", {taken.note}" if taken.note else ""
    return f"{time}{taken.speed():.0f} tokens/s, load {taken.load}{note}"


def markdown(rows):
    """Rows of the same keys; empty where there are none."""
    if not rows:
        return ""
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join(lines + ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows])


def measured(rows, part, model):
    """The table of a part and a model: a line for each width and program."""
    mine = [row for row in rows if (row.part, row.model) == (part, model) and (row.rounds or row.failed)]
    n_rounds = max((len(row.rounds) for row in mine), default=0)
    return markdown([_line(row, _beside(mine, row, SERVER), n_rounds) for row in mine])


def ratios(rows, numerics):
    """How many times as fast as llama-server moe-sweep is: a line for each model, part and width."""
    lines = []
    for row in rows:
        if row.program not in (SERVER, EVERY_CELL):
            continue
        part = row.part if row.program == SERVER else f"{row.part}, greedy at each T"
        cells = {"model": row.model, "grid": part, "at once": row.width}
        for kind in numerics:
            mine = _beside(rows, row, f"moe-sweep, {kind}")
            cells[kind] = _ratio(mine.times_as_fast(row)) if mine else None
            cells[f"{kind}, round by round"] = _round_by_round(mine, row) if mine else None
        lines.append(cells)
    return markdown(lines)


def _line(row, server, n_rounds):
    first = row.rounds[0] if row.rounds else None
    note = f" ({first.note})" if first and first.note else ""
    cells = {"at once": row.asked or "its own choice", "program": row.program + note}
    for number in range(n_rounds):
        there = number < len(row.rounds) and row.rounds[number].seconds is not None
        cells[f"s, round {number + 1}"] = f"{row.rounds[number].seconds:.2f}" if there else None
    cells["s, median"] = f"{row.seconds():.2f}" if row.seconds() else None
    cells["texts"] = first and first.texts
    cells["tokens made"] = first and first.tokens
    cells["evaluated"] = first and first.evaluated
    failed = f"failed: {row.failed}" if row.failed else None
    cells["tokens/s"] = ", then ".join(filter(None, [f"{row.speed():.0f}" if row.rounds else None, failed]))
    cells["load"] = ", ".join(f"{one.load:.1f}" for one in row.rounds)
    cells["× llama-server"] = _ratio(row.times_as_fast(server))
    return cells


def _beside(rows, row, program):
    """The row of `program` at the same work."""
    same = [other for other in rows if (other.part, other.model, other.width) == (row.part, row.model, row.width)]
    return next((other for other in same if other.program == program), None)


def _round_by_round(row, server):
    pairs = zip(row.rounds, server.rounds, strict=False)
    return ", ".join(f"{theirs.seconds / mine.seconds:.2f}" for mine, theirs in pairs)


def _ratio(value):
    return None if value is None else f"{value:.2f}"


def _cell(value):
    return "–" if value in (None, "") else str(value).replace("|", "¦")
