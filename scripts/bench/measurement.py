"""What one timing is, and what is computed of several. Pure."""

import statistics
from dataclasses import asdict, dataclass


@dataclass
class Taken:
    """What a program took for a grid. `seconds` is None where a rate alone was measured, in tokens per second."""

    seconds: float
    load: float
    texts: int
    tokens: int
    # Tokens that went through the model, prompts included, where the program tells.
    evaluated: int = None
    rate: float = None
    note: str = None
    # One of so many parts of the grid was made.
    part_of_grid: int = 1
    # With texts made again that are the same by what was asked (Grid.repeats).
    every_cell: "Taken" = None

    def speed(self):
        """New tokens per second."""
        return self.rate if self.seconds is None else self.tokens / self.seconds


@dataclass
class Row:
    """All rounds of one program at one work."""

    part: str
    model: str
    width: int
    program: str
    # Texts at once; None where the program was left to choose.
    asked: int
    rounds: list
    failed: str = None

    def seconds(self):
        taken = [one.seconds for one in self.rounds if one.seconds is not None]
        return statistics.median(taken) if taken else None

    def speed(self):
        return statistics.median(one.speed() for one in self.rounds) if self.rounds else None

    def times_as_fast(self, other):
        """How many times as fast as `other`: by time where both made the same texts, or else by rate. None where either
        has nothing."""
        if not other or not self.rounds or not other.rounds:
            return None
        same = self.rounds[0].part_of_grid == other.rounds[0].part_of_grid
        if same and self.seconds() and other.seconds():
            return other.seconds() / self.seconds()
        return self.speed() / other.speed()

    def plain(self):
        """For JSON."""
        return asdict(self)
