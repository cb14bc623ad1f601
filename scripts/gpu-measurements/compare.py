"""Whether texts part: the same prompt and seed in two runs, token by token."""

import statistics
from dataclasses import dataclass, replace

from tasks import Cell


@dataclass
class Parting:
    model: str
    arm: str
    # What differs between the two runs.
    what: str
    n_texts: int
    n_parted: int
    # The index of the first token that differs, the median of those that part; None where none does.
    median_first: float

    @classmethod
    def of(cls, model, arm, what, one, other):
        common = sorted(one.texts.keys() & other.texts.keys())
        if not common:
            return None
        firsts = [first for key in common if (first := first_difference(one.texts[key], other.texts[key])) is not None]
        return cls(model, arm, what, len(common), len(firsts), statistics.median(firsts) if firsts else None)


def first_difference(one, other):
    """The index of the first token that differs; None where there is none."""
    if one == other:
        return None
    return next((index for index, pair in enumerate(zip(one, other)) if pair[0] != pair[1]), min(len(one), len(other)))


def partings(results):
    """All comparisons that the runs allow: alone twice, width after width, op_offload, placement, load mode."""
    runs = {result.task: result for result in results if isinstance(result.task, Cell) and result.texts}
    widths = {task.width for task in runs}
    found = []
    for task, run in runs.items():
        def against(what, arm=task.arm, task=task, run=run, **changes):
            other = runs.get(replace(task, **changes))
            found.append(other and Parting.of(task.model.id, arm, what, other, run))

        place, mode = f"offload {task.offload}", "" if task.load_mode == "auto" else f", load mode {task.load_mode}"
        if task.again:
            against("1 together, made twice", again=False)
            continue
        others = (width for width in widths if width < task.width and replace(task, width=width) in runs)
        narrower = max(others, default=None)
        if narrower:
            against(f"{task.width} together against {narrower}", width=narrower)
        if not task.op_offload:
            against(f"op_offload off against on, {task.width} together", place + mode, op_offload=True)
        if task.load_mode != "auto":
            against(f"load mode {task.load_mode} against auto, {task.width} together", load_mode="auto")
        elif task.offload != "none" and task.op_offload:
            against(f"offload {task.offload} against none, {task.width} together", "op_offload on", offload="none")
    return [parting for parting in found if parting]
