"""What is measured, and in which order: what matters most first, for the time may end."""

from dataclasses import dataclass

from models import Model

# Host weights go to the GPU from 32 tokens a step on (docs/offload.md).
WIDTHS = [32, 31, 8, 64]
# `op_offload` off has no line with all experts on the GPU but as a control, at the end.
NONE, ALL_ON, ALL_OFF = ("none", True), ("all", True), ("all", False)
MAIN = [NONE, ALL_ON, ALL_OFF]


@dataclass(frozen=True)
class Cell:
    """A run of one arm: so many texts of each prompt, all decoded together."""

    model: Model
    # "none", "all", or a number of layers.
    offload: object
    op_offload: bool
    width: int
    load_mode: str = "auto"
    # The same once more: is it the same?
    again: bool = False

    @property
    def arm(self):
        mode = "" if self.load_mode == "auto" else f", load mode {self.load_mode}"
        return f"offload {self.offload}, op_offload {'on' if self.op_offload else 'off'}{mode}"

    @property
    def name(self):
        return f"{self.model.id}, {self.arm}, {self.width} together{', again' if self.again else ''}"

    @property
    def kind(self):
        """What it takes is about what others of its kind take."""
        return self.model.id, self.arm, self.width == 1


@dataclass(frozen=True)
class Finding:
    """experiments/offload.toml on these models."""

    models: tuple

    @property
    def name(self):
        return f"experiments/offload.toml on {', '.join(model.id for model in self.models)}"

    @property
    def kind(self):
        return "finding", self.models


def plan(models, reduced):
    """All tasks, the most important first."""
    if not models:
        return []
    first, rest = models[0], models[1:]
    if reduced:
        # Every table has a line.
        alone, wide = once_more(first, [NONE, ALL_ON]), matrix(first, MAIN, WIDTHS)
        return [*alone, *wide, *pinned(first, [32]), Finding((first,))]
    some_on, some_off = (first.some_layers, True), (first.some_layers, False)
    return [
        *matrix(first, MAIN, WIDTHS),
        *once_more(first, [NONE, ALL_ON]),
        *pinned(first, [32, 64, 8]),
        *matrix(first, [some_on, some_off], WIDTHS),
        *([Finding(tuple(rest))] if rest else []),
        Finding((first,)),
        *(task for model in rest for task in [*matrix(model, MAIN, WIDTHS), *once_more(model, [NONE, ALL_ON])]),
        *(task for model in rest for op in (True, False) for task in matrix(model, [(model.some_layers, op)], WIDTHS)),
        *(task for model in models for task in matrix(model, [("none", False)], WIDTHS)),
    ]


def matrix(model, arms, widths):
    return [Cell(model, offload, op, width) for width in widths for offload, op in arms]


def once_more(model, arms):
    return [Cell(model, offload, op, 1, again=again) for offload, op in arms for again in (False, True)]


def pinned(model, widths):
    """Host experts in memory that the GPU can read by itself: only where the file is not mapped."""
    return [Cell(model, offload, op, width, load_mode="none") for width in widths for offload, op in (ALL_ON, ALL_OFF)]
