"""What a run leaves: target/bench/results.md and results.json, written anew after every measurement."""

import json

import table
from comparison import PARTS
from places import BENCH

NUMERICS = ("invariant", "fast")


class Report:
    """Everything that was said of one run so far."""

    def __init__(self, machine, builds, models, comparison, command):
        self.machine, self.builds, self.models = machine, builds, models
        self.comparison, self.command = comparison, command
        # Tables of the parts that compare our own ways, by their headings.
        self.own = {}

    def write(self):
        rows = self.comparison.rows
        plain = {
            "machine": self.machine,
            "command": self.command,
            "builds": self._builds(),
            "rows": [row.plain() for row in rows],
            "trials_of_builds": self._trials(),
            "unavailable": self._unavailable(),
            "own": self.own,
        }
        _replace(BENCH / "results.json", json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
        _replace(BENCH / "results.md", self.markdown())

    def markdown(self):
        comparison = self.comparison
        sections = [
            f"`{self.command}`",
            table.markdown([{"machine": name, "": value} for name, value in self.machine.items()]),
            table.markdown([{"program": name, "build": what} for name, what in self._builds().items()]),
        ]
        unavailable = self._unavailable()
        if unavailable:
            sections += ["Not for every model:", table.markdown(unavailable)]
        if any(row.program.startswith("moe-sweep") for row in comparison.rows):
            sections += [
                "## How many times as fast as llama-server's fastest build",
                table.ratios(comparison.rows, NUMERICS),
            ]
        for model in self.models:
            for part, what in PARTS.items():
                found = table.measured(comparison.rows, part, model.name)
                sections += [f"## {model.title}, {part}", what, found] if found else []
        if self._trials():
            sections += ["## Trials of llama-server's builds", table.markdown(_same_keys(self._trials()))]
        for heading, lines in self.own.items():
            sections += [f"## {heading}", table.markdown(lines)]
        return "\n\n".join(sections) + "\n"

    def _builds(self):
        engines = {program.name: program.engine for program in self.comparison.ours if program.engine}
        return {name: f"{what}; {engines[name]}" if name in engines else what for name, what in self.builds.items()}

    def _trials(self):
        return [trial for peer in self.comparison.peers for trial in getattr(peer, "trials", [])]

    def _unavailable(self):
        return [
            {"program": program, "model": model, "reason": reason}
            for (program, model), reason in self.comparison.reasons.items()
        ]


def _same_keys(rows):
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in names} for row in rows]


def _replace(path, text):
    """Whole or not at all."""
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_text(text)
    partial.replace(path)
