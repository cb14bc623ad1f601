"""Writes what was measured: tables for docs/offload.md, the same as CSV, the machine. What is not known is empty."""

import csv
import json
import time

from compare import partings
from tasks import Cell

MB = 1e6
CELL_COLUMNS = ["model", "offload", "op_offload", "load_mode", "width", "again", "n_texts", "n_tokens", "step_ms",
                "mean_width", "tokens_per_s", "share_of_wide_steps", "takeover", "host_expert_mb", "device_mb",
                "load_s", "run_s", "process_s", "to_gpu_mb", "from_gpu_mb", "threads", "problem", "command"]
TEXT_COLUMNS = ["model", "arm", "what", "n_texts", "n_parted", "median_first"]
FINDING_COLUMNS = ["models", "hypothesis", "outcome", "sentence", "p", "run_s", "problem", "command"]


def write(out, machine, asked, budget, results, left_out):
    cells = [result for result in results if isinstance(result.task, Cell)]
    findings = [result for result in results if not isinstance(result.task, Cell)]
    parted = partings(results)
    (out / "machine.json").write_text(json.dumps(machine, indent=2) + "\n", encoding="utf-8")
    table(out / "cells.csv", CELL_COLUMNS, [cell_row(result) for result in cells])
    table(out / "texts.csv", TEXT_COLUMNS, [vars(parting) for parting in parted])
    table(out / "experiments.csv", FINDING_COLUMNS, [row for result in findings for row in finding_rows(result)])
    sections = [head(machine, asked, budget), *speeds(cells), *bytes_moved(cells), *texts(parted), *found(findings),
                *problems(results), *missing(left_out)]
    (out / "report.md").write_text("\n".join(sections) + "\n", encoding="utf-8")


def table(path, columns, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        # Nothing is written as an empty field, which a None is.
        writer.writerows(rows)


def cell_row(result):
    task = result.task
    row = {"model": task.model.id, "offload": task.offload, "op_offload": task.op_offload, "load_mode": task.load_mode,
           "width": task.width, "again": task.again, "process_s": result.seconds, "problem": result.problem,
           "command": result.command, "to_gpu_mb": result.pcie_mb[0], "from_gpu_mb": result.pcie_mb[1]}
    if not result.load:
        return row
    places = result.load.get("footprint", {}).get("places", [])
    on_host = [place for place in places if place["kind"] == "cpu"]
    elsewhere = [place for place in places if place["kind"] != "cpu"]
    takeover = result.load.get("footprint", {}).get("takeover")
    row |= {
        "n_texts": len(result.texts), "n_tokens": result.tokens, "step_ms": result.step_ms,
        "mean_width": result.mean_width, "tokens_per_s": result.tokens_per_s, "share_of_wide_steps": wide_share(result),
        "takeover": f"from {takeover['from']}" if isinstance(takeover, dict) else takeover,
        "load_s": result.load["seconds"], "run_s": result.run["seconds"], "threads": result.run["threads"],
    }
    if places:
        device_bytes = sum(place["expert_bytes"] + place["other_weight_bytes"] for place in elsewhere)
        host_bytes = sum(place["expert_bytes"] for place in on_host)
        row |= {"host_expert_mb": host_bytes / MB, "device_mb": device_bytes / MB}
    return row


def wide_share(result):
    """Of the tokens of decoding those in steps that were wide enough to be taken over; None without a device."""
    widths = (result.load or {}).get("widths")
    return widths["wide_step_tokens"] / widths["step_tokens"] if widths and widths["step_tokens"] else None


def finding_rows(result):
    models = " ".join(model.id for model in result.task.models)
    common = {"models": models, "run_s": result.run and result.run["seconds"], "problem": result.problem,
              "command": result.command}
    said = [{key: verdict[key] for key in ("outcome", "sentence", "p")} | {"hypothesis": verdict["id"]}
            for verdict in result.verdicts]
    return [common | verdict for verdict in said or [{}]]


def head(machine, asked, budget):
    gpus = machine["gpus"]
    if gpus:
        said = "; ".join(f"{gpu['name']}, driver {gpu['driver_version']}, {gpu['memory.total']}, PCIe "
                         f"{gpu['pcie.link.gen.max']}.0 × {gpu['pcie.link.width.max']}" for gpu in gpus)
    else:
        said = "no nvidia-smi; moe-sweep sees: " + " / ".join((machine["devices"] or "nothing").splitlines())
    warning = "\n\n**Reduced: it shows that the measurement works, and not how fast anything is.**"
    reduced = warning if asked.reduced else ""
    memory = f"{machine['memory_bytes'] / 2**30:.0f} GiB"
    return f"""# Expert offload, {time.strftime("%d %B %Y")}{reduced}

{said}. Host: {machine["cpu"]}, {machine["usable_cores"]} cores, {memory}. {machine["program"]}. \
`python3 scripts/gpu-measurements {asked.binary} --budget {asked.budget:.0f}{" --reduced" if asked.reduced else ""}`, \
{budget.spent():.0f} s. Each cell is a process of its own: two prompts, of each as many texts as are decoded together; \
the first prompt's are not timed. Numerics fast, one lane."""


def speeds(cells):
    """A table for each model: arms down, texts together across."""
    lines = []
    for model in unique(result.task.model.id for result in cells):
        mine = [result for result in cells if result.task.model.id == model and not result.task.again]
        widths = sorted({result.task.width for result in mine})
        lines.append(f"\n## {model}: tokens per second, all texts together\n")
        lines += [row(["", *widths]), row(["---"] * (len(widths) + 1))]
        for arm in unique(result.task.arm for result in mine):
            by_width = {result.task.width: result for result in mine if result.task.arm == arm}
            lines.append(row([arm, *(said_speed(by_width.get(width)) for width in widths)]))
    if lines:
        lines.append("\n* the GPU computed with experts on the host in some of its steps (op_offload).")
    return lines


def said_speed(result):
    if result is None or result.tokens_per_s is None:
        return ""
    return f"{result.tokens_per_s:.0f}{' *' if has_host_experts(result) and wide_share(result) else ''}"


def has_host_experts(result):
    return result.task.offload != "none"


def bytes_moved(cells):
    known = [result for result in cells if result.pcie_mb[0] is not None]
    if not known:
        return ["\nBytes over PCIe: not known, for there is no `nvidia-smi dmon` that tells."] if cells else []
    lines = ["\n## Over PCIe while texts were made, MB (nvidia-smi dmon, a sample a second)\n",
             row(["model", "arm", "together", "to the GPU", "from it", "tokens"]), row(["---"] * 6)]
    for result in known:
        task, (received, sent) = result.task, result.pcie_mb
        lines.append(row([task.model.id, task.arm, task.width, f"{received:.0f}", f"{sent:.0f}", result.tokens]))
    return lines


def texts(parted):
    if not parted:
        return []
    lines = ["\n## Texts that part\n", row(["model", "arm", "compared", "part", "first token that differs, median"]),
             row(["---"] * 5)]
    for one in parted:
        first = "" if one.median_first is None else f"{one.median_first:g}"
        lines.append(row([one.model, one.arm, one.what, f"{one.n_parted} of {one.n_texts}", first]))
    return lines


def found(findings):
    lines = []
    for result in findings:
        lines += [f"\n## {result.task.name}\n", row(["hypothesis", "outcome", ""]), row(["---"] * 3)]
        lines += [row([verdict["id"], verdict["outcome"], verdict["sentence"]]) for verdict in result.verdicts]
        means = [cell for cell in result.scores if cell["metric"] == "repetition_score"]
        if means:
            lines += ["", row(["model", "chain", "T", "offload", "mean score", "texts"]), row(["---"] * 6)]
        for cell in means:
            mean = f"{float(cell['mean']):.3f}" if cell["mean"] else ""
            lines.append(row([cell["model"], cell["chain"], cell["temperature"], cell["offload"], mean, cell["n"]]))
    return lines


def problems(results):
    wrong = [f"- {result.task.name}: {result.problem}" for result in results if result.problem]
    return ["\n## What went wrong\n", *wrong] if wrong else []


def missing(left_out):
    if not left_out:
        return ["\nNothing was left out."]
    return ["\n## What was not measured\n", *(f"- {name}: {reason}" for name, reason in left_out)]


def row(fields):
    return "| " + " | ".join(str(field).replace("|", "\\|") for field in fields) + " |"


def unique(values):
    return list(dict.fromkeys(values))
