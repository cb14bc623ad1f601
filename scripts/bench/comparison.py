"""The parts of the comparison with other programs: what each asks, of whom, and how programs take turns.

Owns the order of measurements and what becomes of one that fails. Knows programs by what all of them can (peers/).
"""

from dataclasses import dataclass, field, replace

import table
from failures import Failed, Unavailable
from measurement import Row
from peers.llama_server import LlamaServer
from work import DRAWN, GREEDY, SHIMMY

# The server's slots and clients in the parts that are measured at one width.
ONE_WIDTH = 32
PARTS = {
    "drawn": "With llama.cpp's default chain, which draws. Every program makes every text.",
    "deterministic": "With that chain, `shimmy-1.7` and `greedy`, which draw nothing. The server makes every text; "
    "moe-sweep what of them differs.",
    "verdict": "Until it is decided whether a higher temperature repeats more, under `shimmy-1.7`. The server makes "
    "all texts of the grid; moe-sweep looks after every prompt.",
}


@dataclass
class Comparison:
    """One run of the bench: who takes part, and what was measured so far."""

    grid: object
    widths: list
    n_rounds: int
    ours: list
    peers: list
    # Called after each measurement, so that a run that is cut short leaves what it had.
    keep: object
    rows: list = field(default_factory=list)
    # Why a peer is not there for a model, by (peer, model).
    reasons: dict = field(default_factory=dict)

    def run(self, parts, model, file):
        ready = [peer for peer in self.peers if self._prepare(peer, model, file)]
        server = next((peer for peer in ready if isinstance(peer, LlamaServer)), None)
        if "drawn" in parts:
            for width in self.widths:
                grid = self.grid.narrow(width)
                programs = self.ours + self._able(ready, model, file, grid, width)
                self._rounds("drawn", model, file, width, [(program, grid, width) for program in programs])
        for part in ("deterministic", "verdict"):
            if part in parts:
                width = ONE_WIDTH if ONE_WIDTH in self.widths else max(self.widths)
                every, ours = self._grids(part)
                works = [(program, ours, None) for program in self.ours]
                works += [(server, every, width)] if server and self._chosen(server, model, file, width) else []
                self._rounds(part, model, file, width, works)

    def _grids(self, part):
        """What a server makes, and what moe-sweep is asked."""
        chains = (DRAWN, SHIMMY, GREEDY) if part == "deterministic" else (SHIMMY,)
        every = replace(self.grid, chains=chains)
        return every, replace(every, sequential=part == "verdict")

    def _prepare(self, peer, model, file):
        try:
            peer.prepare(model, file)
            return True
        except Unavailable as reason:
            self.reasons[peer.name, model.name] = str(reason)
            print(f"  {peer.name}: none for {model.name}: {reason}", flush=True)
            return False

    def _able(self, peers, model, file, grid, width):
        """The peers that work at this width, the server by its fastest build."""
        able = [peer for peer in peers if width in getattr(peer, "widths", [width])]
        return [peer for peer in able if not isinstance(peer, LlamaServer) or self._chosen(peer, model, file, width)]

    def _chosen(self, server, model, file, width):
        if (model.name, width) in server.chosen:
            return True
        try:
            name = server.choose(model, file, self.grid, width, self.n_rounds)
            print(f"  llama-server {width} wide: {name} is the fastest build", flush=True)
            return True
        except Failed as reason:
            self.reasons[server.name, model.name] = str(reason)
            print(f"  llama-server {width} wide: {reason}", flush=True)
            return False

    def _rounds(self, part, model, file, width, works):
        rows = [Row(part, model.name, width, program.name, asked, []) for program, _, asked in works]
        every_cell = Row(part, model.name, width, table.EVERY_CELL, width, [])
        self.rows += [*rows, every_cell]
        for number in range(self.n_rounds):
            turns = list(zip(rows, works, strict=True))
            # Not always in the same order, for whoever comes after another finds a warm machine.
            for row, (program, grid, asked) in turns if number % 2 == 0 else reversed(turns):
                if row.failed:
                    continue
                try:
                    taken = program.time(model, file, grid, asked)
                    row.rounds.append(taken)
                    every_cell.rounds += [taken.every_cell] if taken.every_cell else []
                    print(f"  {part}, {width} wide, {program.name}: {table.told(taken)}", flush=True)
                except Failed as reason:
                    row.failed = str(reason)
                    print(f"  {part}, {width} wide, {program.name}: failed: {reason}", flush=True)
                self.keep()
        if not every_cell.rounds:
            self.rows.remove(every_cell)
