"""What installing any peer takes: folders that are whole or not there, downloads and virtual environments.

Nothing of an absolute path is kept, so that target/bench can be moved: programs find their libraries beside them, and
a virtual environment is only entered by its own Python (`bin/python -m`), which finds itself.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import machine
import process
from failures import Unavailable, last_words
from places import CORES, PEERS

# An installation is only begun where the disk keeps so much afterwards.
SPARE_GIB = 4


def installed(name, recipe, needs_gib, make):
    """The folder of a peer, made by `make(folder)` where it is not there or was made by another recipe.

    `recipe` is a text in which everything stands that decides what is made, versions above all. What `make` returns, a
    dictionary, is kept with it, and returned with the folder."""
    folder, note = PEERS / name, PEERS / name / "installed.json"
    if note.exists():
        kept = json.loads(note.read_text())
        if kept["recipe"] == recipe:
            return folder, kept["facts"]
    PEERS.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(PEERS).free / 2**30
    if free < needs_gib + SPARE_GIB:
        raise Unavailable(f"takes {needs_gib} GiB and is to leave {SPARE_GIB}; the disk has {free:.0f}")
    print(f"installing {name} in {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    begun = time.monotonic()
    try:
        facts = make(folder) or {}
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    facts["install_seconds"] = round(time.monotonic() - begun)
    facts["mib"] = round(sum(file.lstat().st_size for file in folder.rglob("*")) / 2**20)
    note.write_text(json.dumps({"recipe": recipe, "facts": facts}, indent=1))
    return folder, facts


def must(command, what, cwd=None, extra=None):
    """Runs a step of an installation; what it printed. Unavailable with its last words where it fails."""
    command = [os.fspath(part) for part in command]
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=process.environment(extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        raise Unavailable(f"{what}: {command[0]}: {error.strerror}") from error
    if done.returncode != 0:
        raise Unavailable(f"{what}: {last_words(done.stdout)}")
    return done.stdout


def download(requirement, folder, *options):
    """A package's file, as it lies in the index, without what it requires."""
    must(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, *options, requirement],
        f"pip download {requirement}",
    )
    return next(file for file in Path(folder).iterdir() if file.suffix in (".whl", ".gz"))


def environment_with(folder, *batches, extra=None):
    """A virtual environment in `folder` with packages, each batch a call of pip's; its Python."""
    must([sys.executable, "-m", "venv", folder], "python -m venv")
    for batch in batches:
        must(
            [python_of(folder), "-m", "pip", "install", "--quiet", "--no-cache-dir", *batch],
            f"pip install {batch[0]}",
            extra=extra,
        )
    return python_of(folder)


def python_of(folder):
    return folder / "bin/python"


def for_this_cpu():
    """Part of the recipe of what is compiled for the CPU that it is compiled on."""
    return f"for {machine.describe()['flags']}"


def jobs():
    return str(CORES)
