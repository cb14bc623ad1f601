#!/usr/bin/env python3
"""Plants known causes, and sees whether `moe-sweep diagnose` finds them (docs/battery.md).

    python3 scripts/battery.py target/release/moe-sweep                    all of scripts/battery.toml
    python3 scripts/battery.py target/release/moe-sweep --only 'zero-*'    the cases whose id or class matches
    python3 scripts/battery.py target/release/moe-sweep --check            reads the list, runs nothing

Each case is run twice: without its plant, 24 texts that show whether the plant is what makes the model loop; and as it
is, by `diagnose`. What is finished is read back. Writes OUT/battery.md and OUT/battery.json, and prints the former.

Exits 0; 1 where fewer than 95 % of the plants are named right, or more than 5 % of the healthy cases are accused;
2 where the list or an argument is wrong; 3 where a case failed.
"""

import argparse
import hashlib
import json
import math
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RIGHT_AT_LEAST = 0.95
ACCUSED_AT_MOST = 0.05
# Texts of a run without the plant: the first stage of a diagnosis.
COMPARED_TEXTS = 24
# A plant shows where its loops are more than those without it, at this level.
ALPHA = 0.05
LEVEL = 0.95
# Of a diagnosis, in seconds. On a busy machine the longest took a fifth of it.
PATIENCE = 1800

# The exit codes of `diagnose`, by the name of the ending that its JSON has.
ENDINGS = {
    0: "cause",
    10: "not_reproduced",
    11: "too_rare",
    12: "loops_whatever",
    13: "not_confirmed",
    14: "two_causes",
    15: "needs_both",
    # The cause is named, and the runtime has no setting for its remedy.
    17: "no_remedy_here",
}
NAMES_A_CAUSE = {0, 14, 15, 17}
# What a case is expected to come to, where it is not a cause that is named: the exit codes that are right.
EXPECTED = {"not reproduced": {10, 11}, "healthy": {10, 11, 12, 13}, "unexplained": {12, 13}}

KEYS = {"id", "class", "model", "with", "without", "without_model", "causes", "together", "expect", "off"}
# What a model is made by, and what goes with it.
MODEL_KEYS = {"file": set(), "fetch": set(), "serve": set(), "upcycle": {"how"}, "retemplate": {"replace", "by"}}


class Wrong(Exception):
    """The list can't be used; the message says where and what to do."""


# One case of the list. `causes` are those that explain it, each of them by itself, or all of them `together`; `expect`
# is a name of EXPECTED where it has none; `off` says why it is left out, where it is.
Case = namedtuple("Case", "id kind model arguments without_model without causes together expect off")
# One command: what `diagnose` is to be told, and the folder for it.
Run = namedtuple("Run", "model arguments folder")
# What came of a command.
Ran = namedtuple("Ran", "code diagnosis seconds said")


def read(path):
    """The models and the cases of the list."""
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Wrong(f"{path}: {error}") from error
    models = written.pop("models", {})
    for name, model in models.items():
        if not any(set(model) == {key} | more for key, more in MODEL_KEYS.items()):
            raise Wrong(f"{path}: model {name}: give file, fetch, serve, upcycle with how, or retemplate with replace and by")
        other = model.get("upcycle") or model.get("retemplate")
        if other is not None and other not in models:
            raise Wrong(f"{path}: model {name}: there is no model {other} to make it of")
    cases = [case_of(path, table, models) for table in written.pop("case", [])]
    if written:
        raise Wrong(f"{path}: {', '.join(written)}: write [models.NAME] and [[case]] only")
    ids = [case.id for case in cases]
    if len(set(ids)) < len(ids):
        raise Wrong(f"{path}: the id {next(i for i in ids if ids.count(i) > 1)} is there twice")
    return models, cases


def case_of(path, table, models):
    name = table.get("id", "a case without id")

    def wrong(what):
        return Wrong(f"{path}: {name}: {what}")

    if not set(table) <= KEYS:
        raise wrong(f"{', '.join(sorted(set(table) - KEYS))}: a case has {', '.join(sorted(KEYS))} only")
    for key in ("id", "class", "model"):
        if key not in table:
            raise wrong(f"give its {key}")
    if ("causes" in table) == ("expect" in table):
        raise wrong("give causes, or expect")
    if table.get("expect", "healthy") not in EXPECTED:
        raise wrong(f"expect is one of {', '.join(EXPECTED)}")
    if table.get("expect") == "healthy" and {"without", "without_model"} & set(table):
        raise wrong("a healthy case has no plant to do without")
    without_model = table.get("without_model", table["model"])
    for model in (table["model"], without_model):
        if model not in models:
            raise wrong(f"there is no [models.{model}]")
    arguments, without = (shlex.split(table.get(key, "")) for key in ("with", "without"))
    if table.get("expect") != "healthy" and (table["model"], arguments) == (without_model, without):
        raise wrong("without its plant it is the same: give with, without or without_model")
    causes = frozenset(table.get("causes", []))
    together, expect, off = table.get("together", False), table.get("expect"), table.get("off")
    return Case(name, table["class"], table["model"], arguments, without_model, without, causes, together, expect, off)


def known_causes(program):
    """The ids that `moe-sweep explain` lists."""
    listed = subprocess.run([program, "explain"], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in listed.splitlines() if line.startswith("L-")}


def check(path, program, cases):
    """Holds the list against the program, which knows what a cause is called."""
    known = known_causes(program)
    for case in cases:
        if unknown := sorted(case.causes - known):
            raise Wrong(f"{path}: {case.id}: {', '.join(unknown)} is no cause: moe-sweep explain lists them")


class File:
    """A model that is a file."""

    def __init__(self, path):
        self.name = str(path)

    @contextmanager
    def told(self):
        """What `diagnose` is told of it."""
        yield [self.name]


class Served:
    """A model of a server, which runs for as long as it is asked."""

    def __init__(self, how):
        self.name, self.how = f"server {how}", shlex.split(how)

    @contextmanager
    def told(self):
        command = [sys.executable, ROOT / "scripts/battery_server.py", *self.how]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                yield ["--server", server.stdout.readline().strip(), "--api", "openai", "--served-as", "toy"]
            finally:
                server.terminate()


class Models:
    """Where models are: they are fetched or made where they are not there."""

    def __init__(self, program, tables, folder):
        self.program, self.tables, self.folder = program, tables, folder

    def find(self, name):
        how = self.tables[name].get("serve")
        return File(self.file(name)) if how is None else Served(how)

    def file(self, name):
        table = self.tables[name]
        if "file" in table:
            return ROOT / table["file"]
        if "fetch" in table:
            return Path(self.say("model", "fetch", table["fetch"]).split("\t")[1].strip())
        made = self.folder / f"{name}.gguf"
        if not made.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            if "retemplate" in table:
                return retemplate(self.file(table["retemplate"]), table["replace"], table["by"], made)
            self.say("model", "upcycle", self.file(table["upcycle"]), *shlex.split(table["how"]), "--out", made)
        return made

    def say(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Wrong(f"moe-sweep {shlex.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout


def retemplate(model, replaced, by, made):
    """A copy of a model with other words in its chat template: as many bytes of them, so that all else stays in place."""
    whole, key = model.read_bytes(), b"tokenizer.chat_template"
    start = whole.find(key) + len(key) + 4
    end = start + 8 + int.from_bytes(whole[start : start + 8], "little")
    template = whole[start:end]
    if key not in whole or replaced.encode() not in template or len(replaced.encode()) != len(by.encode()):
        raise Wrong(f"{made.stem}: its chat template has no {replaced!r}, or {by!r} is not as long")
    made.write_bytes(whole[:start] + template.replace(replaced.encode(), by.encode()) + whole[end:])
    return made


def diagnose(program, build, model, run):
    """Runs it, unless this build has already: then says what came of it."""
    command = ["diagnose", model.name, *run.arguments]
    note = run.folder / "battery.json"
    if note.exists():
        noted = json.loads(note.read_text())
        if (noted["command"], noted["build"]) == (command, build):
            return Ran(noted["code"], noted["diagnosis"], noted["seconds"], "")
        shutil.rmtree(run.folder)
    run.folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    try:
        with model.told() as target:
            done = subprocess.run(
                [program, "diagnose", *target, *run.arguments, "--out", run.folder],
                cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False,
            )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Ran(None, None, time.monotonic() - begun, f"it took more than {PATIENCE} s")
    seconds = time.monotonic() - begun
    written = run.folder / "diagnosis.json"
    if not written.exists():
        return Ran(done.returncode, None, seconds, done.stderr.strip()[-400:])
    diagnosis = json.loads(written.read_text())
    noted = {"command": command, "build": build, "code": done.returncode, "seconds": seconds, "diagnosis": diagnosis}
    note.write_text(json.dumps(noted, indent=1))
    return Ran(done.returncode, diagnosis, seconds, "")


def runs_of(case, out):
    """Without the plant, where it has one, and with it."""
    compared = ["--texts", str(COMPARED_TEXTS)]
    without = Run(case.without_model, [*case.without, *compared], None)
    # Cases that are the same without their plants share that run.
    key = hashlib.sha256(repr(without).encode()).hexdigest()[:12]
    without = without._replace(folder=out / "without" / f"{case.without_model}-{key}")
    with_it = Run(case.model, case.arguments, out / "cases" / case.id)
    return (None if case.expect == "healthy" else without), with_it


def fisher(loops, texts, other_loops, other_texts):
    """The p-value of Fisher's exact test that the first has no more loops than the second."""
    all_loops, all_texts = loops + other_loops, texts + other_texts
    ways = [
        math.comb(texts, k) * math.comb(other_texts, all_loops - k)
        for k in range(loops, min(texts, all_loops) + 1)
        if all_loops - k <= other_texts
    ]
    return sum(ways) / math.comb(all_texts, all_loops)


def clopper_pearson(hits, n, level=LEVEL):
    """The exact interval of a share, by halving: the standard library has no quantile of a beta."""
    tail = (1 - level) / 2

    def at_most(k, p):
        return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))

    def where(falls):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if falls(middle) > tail else (low, middle)
        return low

    low = 0.0 if hits == 0 else 1 - where(lambda q: 1 - at_most(hits - 1, 1 - q))
    high = 1.0 if hits == n else where(lambda p: at_most(hits, p))
    return low, high


def named(ran):
    """The causes that it names, with the remedy that it is sure of; that a server ignores what it is told has none."""
    if ran.diagnosis.get("ignored"):
        return frozenset({"L-SERVER-IGNORES"}), None
    if ran.code not in NAMES_A_CAUSE:
        return frozenset(), None
    first = ran.diagnosis["remedies"][0]
    return frozenset(change["cause"] for change in first["changes"]), first


def judge(case, without, ran):
    """What came of a case, as a row of the table and of the JSON."""
    row = {"id": case.id, "class": case.kind, "model": case.model, "with": shlex.join(case.arguments)}
    row |= {"causes": sorted(case.causes), "together": case.together, "expect": case.expect}
    failed = [one.said for one in (without, ran) if one is not None and one.diagnosis is None]
    if failed or ran.code not in ENDINGS:
        return row | {"failed": "; ".join(failed) or f"exit code {ran.code}"}
    as_run = ran.diagnosis["as_run"]
    row["loops"] = [as_run["loops"], as_run["texts"]]
    row |= {"plant": None, "counted": ran.diagnosis["counted"]}
    if without is not None:
        clean = without.diagnosis["as_run"]
        # The same texts count on both sides.
        counted = clean["loops"] if ran.diagnosis["counted"] == "loops" else without.diagnosis["repeats"]
        row["without"] = [counted, clean["texts"]]
        shows = fisher(*row["loops"], *row["without"]) < ALPHA
        # What is too small to see shall not show; everything else that was planted shall.
        row["plant"] = "holds" if shows == (case.expect != "not reproduced") else "does not hold"
    causes, remedy = named(ran)
    row |= {"ending": ran.diagnosis["ending"], "code": ran.code, "named": sorted(causes)}
    if case.causes:
        row["right"] = causes == case.causes if case.together else bool(causes) and causes <= case.causes
    else:
        row["right"] = ran.code in EXPECTED[case.expect]
    if remedy is not None:
        rates = [(remedy[side]["loops"], remedy[side]["texts"]) for side in ("before", "after")]
        settings = [setting for change in remedy["changes"] for setting in change["settings"]]
        row["remedy"] = {"settings": settings, "before": rates[0], "after": rates[1], "state": remedy["found"]["state"]}
    texts = sum(stage["texts"] for stage in ran.diagnosis["stages"])
    return row | {"texts": texts, "seconds": round(ran.seconds, 1)}


def interval(hits, n):
    if n == 0:
        return "none of none"
    low, high = clopper_pearson(hits, n)
    return f"{hits} of {n}, {100 * hits / n:.0f} % [{100 * low:.1f}, {100 * high:.1f}]"


def share(loops):
    return "{}/{}".format(*loops)


def outcome(row):
    return " + ".join(row["named"]) or row["ending"].replace("_", " ")


def line(row):
    if "failed" in row:
        return f"| {row['id']} | {row['class']} | | | failed | | | |"
    verdict = "right" if row["right"] else "**miss**"
    if row["plant"] == "does not hold":
        verdict = "no plant here"
    remedy = row.get("remedy")
    confirmed = f"{share(remedy['before'])} → {share(remedy['after'])}" if remedy else "–"
    loops = f"{share(row['without'])} → {share(row['loops'])}" if "without" in row else share(row["loops"])
    loops += " repeat" if row["counted"] == "repeats" else ""
    cells = [row["id"], row["class"], loops, outcome(row), verdict, confirmed, row["texts"], f"{row['seconds']:.0f}"]
    return f"| {' | '.join(map(str, cells))} |"


def totals(rows):
    done = [row for row in rows if "failed" not in row]
    planted = [row for row in done if row["plant"] == "holds"]
    causes = [row for row in planted if row["causes"]]
    healthy = [row for row in done if row["expect"] == "healthy"]
    return {
        "planted": len(planted),
        "classes": len({row["class"] for row in planted}),
        "right": sum(row["right"] for row in planted),
        "causes": len(causes),
        "causes_right": sum(row["right"] for row in causes),
        "healthy": len(healthy),
        "accused": sum(not row["right"] for row in healthy),
        "no_plant": [row["id"] for row in done if row["plant"] == "does not hold"],
        "failed": [row["id"] for row in rows if "failed" in row],
        "misses": [row["id"] for row in planted + healthy if not row["right"]],
        "texts": sum(row["texts"] for row in done),
        "seconds": round(sum(row["seconds"] for row in done), 1),
    }


def markdown(rows, total, about):
    lines = [
        "| case | class | loops, without → with | diagnosed | verdict | remedy on fresh prompts | texts | s |",
        "|---|---|---|---|---|---|---|---|",
        *map(line, rows),
        "",
        f"Right: {interval(total['right'], total['planted'])} plants of {total['classes']} classes; of those that have a cause"
        f" to name, {interval(total['causes_right'], total['causes'])}.",
        f"Accused: {interval(total['accused'], total['healthy'])} healthy cases.",
        f"{total['texts']:,} texts, {total['seconds'] / 60:.0f} min. {about}",
    ]
    by_id = {row["id"]: row for row in rows}
    for name in total["misses"]:
        row = by_id[name]
        right = row["expect"] or (" + " if row["together"] else " or ").join(row["causes"])
        lines.append(f"- Missed: `{name}` ({row['model']} {row['with']}): {right} was right, {outcome(row)} was said.")
    for name in total["no_plant"]:
        row = by_id[name]
        lines.append(f"- Not counted: `{name}`, whose plant does not do here what it is there for: {share(row['without'])} → {share(row['loops'])}.")  # fmt: skip
    for name in total["failed"]:
        lines.append(f"- Failed: `{name}`: {by_id[name]['failed']}")
    return "\n".join(lines) + "\n"


def exit_code(total):
    if total["failed"]:
        return 3
    enough = total["right"] >= RIGHT_AT_LEAST * total["planted"]
    few = total["accused"] <= ACCUSED_AT_MOST * total["healthy"]
    return 0 if enough and few else 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path, help="moe-sweep's binary")
    parser.add_argument("--list", type=Path, default=ROOT / "scripts/battery.toml", help="the cases")
    parser.add_argument("--only", metavar="PATTERN", help="the cases whose id or class matches, as a shell does")
    parser.add_argument("--off", action="store_true", help="run also what the list leaves out")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="diagnoses side by side")
    parser.add_argument("--out", type=Path, default=ROOT / "results/battery", help="default: results/battery")
    parser.add_argument("--check", action="store_true", help="read the list, hold its causes against the program's, run nothing")
    return parser.parse_args()


def main():
    asked = arguments()
    program = asked.program.resolve()
    if not os.access(program, os.X_OK):
        raise Wrong(f"{program} is no program: cargo build --release makes one")
    tables, cases = read(asked.list)
    check(asked.list, program, cases)
    if asked.only:
        cases = [case for case in cases if fnmatch(case.id, asked.only) or fnmatch(case.kind, asked.only)]
    if not cases:
        raise Wrong(f"no case of {asked.list} matches {asked.only}")
    if asked.check:
        print(f"{len(cases)} cases of {len({case.kind for case in cases})} classes")
        return 0
    off = [] if asked.off else [case for case in cases if case.off]
    rows = run_all(program, tables, [case for case in cases if case not in off], asked)
    total = totals(rows)
    version = subprocess.run([program, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    about = f"{version}, {datetime.now(timezone.utc):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, {asked.jobs} at a time."
    table = markdown(rows, total, about) + "".join(f"- Left out: `{case.id}`: {case.off}\n" for case in off)
    (asked.out / "battery.md").write_text(table, encoding="utf-8")
    (asked.out / "battery.json").write_text(json.dumps({"schema": 1, "about": about, "totals": total, "cases": rows}, indent=1))
    print(table, end="")
    return exit_code(total)


def run_all(program, tables, cases, asked):
    """Runs what the cases need, each command once, and judges."""
    out = asked.out.resolve()
    models = Models(program, tables, out / "models")
    build = hashlib.sha256(program.read_bytes()).hexdigest()
    needed = {case.id: runs_of(case, out) for case in cases}
    runs = {run.folder: run for pair in needed.values() for run in pair if run is not None}
    found = {name: models.find(name) for name in sorted({run.model for run in runs.values()})}
    with ThreadPoolExecutor(asked.jobs) as pool:
        ran = {folder: pool.submit(diagnose, program, build, found[run.model], run) for folder, run in runs.items()}
        rows = []
        for case in cases:
            without, with_it = needed[case.id]
            row = judge(case, without and ran[without.folder].result(), ran[with_it.folder].result())
            print(line(row), file=sys.stderr, flush=True)
            rows.append(row)
    return rows


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Wrong as wrong:
        print(wrong, file=sys.stderr)
        sys.exit(2)
