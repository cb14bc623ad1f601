"""`make bench`: moe-sweep beside the programs that one would use in its place, on the same grid, in turns.

usage: python3 scripts/bench [--quick | --half] [--part PART] [--only PEER] [--model MODEL] [--widths N …]

Installs the others under target/bench/peers, builds moe-sweep, measures, and prints tables as Markdown, which are also
in target/bench/results.md and .json. What can't be had is named with the reason. How to read it: docs/performance.md.
"""

import argparse
import shlex
import signal
import sys
from functools import partial
from pathlib import Path

import comparison
import machine
import models
import moe_sweep
import work
from comparison import Comparison
from failures import Failed, Unavailable
from peers.batched_bench import BatchedBench
from peers.llama_cpp_python import LlamaCppPython
from peers.llama_server import LlamaServer
from peers.sgemm import Sgemm
from peers.vllm import Vllm
from places import BENCH, WORK
from report import NUMERICS, Report
from ways import engine
from ways.compare import compare
from ways.growth import grow
from ways.sampling import shares

WIDTHS = [1, 8, 32, 64]
OWN_PARTS = ["ways", "sampling", "growth"]
PEERS = ["moe-sweep", "llama-server", "batched-bench", "llama-cpp-python", "sgemm", "vllm"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = list(dict.fromkeys([model.name for model in models.MODELS] + list(engine.models(False))))
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick", action="store_true", help="small grids, once, at one width: does it run, not how fast is it"
    )
    size.add_argument(
        "--half", action="store_true", help="every second temperature: half the texts, where time is short"
    )
    parser.add_argument(
        "--part",
        action="append",
        choices=[*comparison.PARTS, *OWN_PARTS],
        help=f"default: {', '.join(comparison.PARTS)}; the others compare moe-sweep's own ways",
    )
    parser.add_argument("--only", action="append", choices=PEERS, help="these programs alone")
    parser.add_argument("--model", action="append", choices=names, help="these models alone")
    parser.add_argument("--widths", type=int, nargs="+", help=f"texts at once; default: {' '.join(map(str, WIDTHS))}")
    parser.add_argument("--rounds", type=int, help="how often each is measured; default: 2, of our own ways 3")
    parser.add_argument("--models", metavar="FOLDER", help="where the real models' files are; default: fetched")
    parser.add_argument("--binary", metavar="FILE", help="measure this moe-sweep; default: what the sources build")
    parser.add_argument("--install", action="store_true", help="install the other programs, measure nothing")
    asked = parser.parse_args()
    asked.widths = sorted(set(asked.widths or ([comparison.ONE_WIDTH] if asked.quick else WIDTHS)))
    if min(asked.widths) < 1:
        parser.error("--widths: a width is 1 or more")
    asked.part = asked.part or list(comparison.PARTS)
    return asked


def main():
    asked = arguments()
    # So that a server which is being asked is stopped, too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    WORK.mkdir(parents=True, exist_ok=True)
    binary = Path(asked.binary).resolve() if asked.binary else moe_sweep.build()
    programs = [moe_sweep.MoeSweep(binary, numerics) for numerics in NUMERICS]
    # What takes most of the disk last.
    programs += [LlamaServer(), BatchedBench("native"), BatchedBench("openblas"), LlamaCppPython(), Sgemm(), Vllm()]
    if set(asked.part) <= set(OWN_PARTS):
        programs = []
    programs = [program for program in programs if asked.only is None or program.peer in asked.only]
    ready, builds = install(programs)
    if asked.install:
        print(*(f"{name}: {what}" for name, what in builds.items()), sep="\n")
        return 0
    chosen = [model for model in models.MODELS if asked.model is None or model.name in asked.model]
    report = measure(asked, binary, ready, builds, chosen)
    print("\n" + report.markdown())
    failed = [row for row in report.comparison.rows if row.failed and row.program.startswith("moe-sweep")]
    return 1 if failed else 0


def install(programs):
    """The programs that are there, and what each is or why it is not."""
    ready, builds = [], {}
    for program in programs:
        try:
            builds[program.name] = program.install()
            ready.append(program)
        except Unavailable as reason:
            builds[program.name] = f"none: {reason}"
            print(f"{program.name}: none: {reason}", flush=True)
    return ready, builds


def measure(asked, binary, ready, builds, chosen):
    """All parts that were asked for, one model after the other; the report, which was written after each step."""
    rounds = asked.rounds or (1 if asked.quick else 2)
    ours = [program for program in ready if program.peer == "moe-sweep"]
    peers = [program for program in ready if program.peer != "moe-sweep"]
    grid = work.tiny() if asked.quick else work.half() if asked.half else work.whole()
    found = Comparison(grid, asked.widths, rounds, ours, peers, keep=lambda: report.write())
    report = Report(machine.describe(), builds, chosen, found, shlex.join(["python3", "scripts/bench", *sys.argv[1:]]))
    parts = [part for part in asked.part if part in comparison.PARTS]
    for model in chosen if parts else []:
        print(f"{model.title}", flush=True)
        try:
            found.run(parts, model, models.find(model, binary, asked.models))
        except (Unavailable, Failed) as reason:
            found.reasons["all", model.name] = str(reason)
            print(f"  none of it: {reason}", flush=True)
        report.write()
    own = [part for part in asked.part if part in OWN_PARTS]
    if own:
        measure_own(own, asked, report)
    return report


def measure_own(parts, asked, report):
    """The parts that compare moe-sweep with itself, on models whose weights are made here."""
    binary = engine.build()
    repeats = asked.rounds or (1 if asked.quick else 3)
    chosen = {
        name: model for name, model in engine.models(asked.quick).items() if asked.model is None or name in asked.model
    }
    kinds = {
        "ways": lambda model: compare(model, True, repeats) + compare(model, False, repeats),
        "sampling": partial(shares, repeats=repeats, binary=binary),
        "growth": grow,
    }
    for part in parts:
        # More levels of each thing are asked of the bundled model alone, unless another is named.
        some = {
            name: model for name, model in chosen.items() if part != "growth" or asked.model or name == "deepseek-tiny"
        }
        for model in some.values():
            print(f"{model.name}, {part}", flush=True)
            engine.make_shape(model)
            report.own[part] = report.own.get(part, []) + kinds[part](model)
            report.write()


if __name__ == "__main__":
    BENCH.mkdir(parents=True, exist_ok=True)
    sys.exit(main())
