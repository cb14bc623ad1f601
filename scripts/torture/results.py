"""A run's folder: what must not differ from the undisturbed run's, and what must not be lost."""

import json
from pathlib import Path

# The tables that a resumed run must write byte for byte.
TABLES = ["trials.csv", "cells.csv", "onset.csv", "verdicts.json"]
# A report of the same journal has these in common, too.
REPORTED = [*TABLES, "timings.csv"]
JOURNAL = "trials.jsonl"


def read(path):
    try:
        return Path(path).read_bytes()
    except OSError:
        return None


def tables(folder, names=TABLES):
    return {name: read(Path(folder) / name) for name in names}


def names(folder):
    folder = Path(folder)
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def differences(folder, reference, table_names=TABLES):
    """Why `folder` is not what the undisturbed run left: nothing, or one line."""
    found = []
    for name in table_names:
        here, there = read(Path(folder) / name), read(Path(reference) / name)
        if here != there:
            found.append(f"{name} {'is missing' if here is None else 'differs from the undisturbed run'}")
    found += [f"{name} is left" for name in sorted(names(folder) - names(reference))]
    found += [f"{name} is missing" for name in sorted(names(reference) - names(folder) - set(table_names))]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return [", ".join(found[:3]) + more] if found else []


def whole_lines(folder):
    """The journal up to its last line feed."""
    bytes_ = read(Path(folder) / JOURNAL) or b""
    return bytes_[: bytes_.rfind(b"\n") + 1]


def failed_ids(folder):
    """Trials whose last record is a failure."""
    last = {}
    for line in whole_lines(folder).splitlines():
        try:
            record = json.loads(line)
            last[record["id"]] = "failed" in record["outcome"]
        except (ValueError, KeyError, TypeError):
            continue
    return {id_ for id_, failed in last.items() if failed}
