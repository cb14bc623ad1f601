"""What the machine is, as the heading of the results says it. Knows nothing of programs."""

import os
import platform
from datetime import date
from pathlib import Path

from places import CORES

# What the kernels of llama.cpp, OpenBLAS and oneDNN choose by.
FLAGS = [
    "avx2",
    "fma",
    "f16c",
    "avx_vnni",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512_vnni",
    "avx512vbmi",
    "avx512_bf16",
    "avx512_fp16",
    "amx_tile",
    "amx_int8",
    "amx_bf16",
    "hypervisor",
]


def load():
    """The load average of the last minute: how many threads wanted a core, ours among them."""
    return round(os.getloadavg()[0], 2)


def describe():
    """Facts of the machine by name."""
    cpu = _cpuinfo()
    flags = set(cpu.get("flags", cpu.get("Features", "")).split())
    quota = Path("/sys/fs/cgroup/cpu.max")
    return {
        "date": date.today().isoformat(),
        "cpu": cpu.get("model name", platform.processor() or platform.machine()),
        "family, model, stepping": " ".join(cpu.get(name, "?") for name in ("cpu family", "model", "stepping")),
        "usable cores": CORES,
        "cgroup limit": quota.read_text().strip() if quota.exists() else "none",
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "last-level cache": _last_level_cache(),
        "flags": " ".join(flag for flag in FLAGS if flag in flags),
        "system": f"{platform.system()} {platform.release()}",
        "load at the start": load(),
    }


def _cpuinfo():
    """The first core's lines of /proc/cpuinfo; empty where there is none."""
    file = Path("/proc/cpuinfo")
    first = file.read_text().split("\n\n")[0] if file.exists() else ""
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _last_level_cache():
    caches = sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"))
    return (caches[-1] / "size").read_text().strip() if caches else "?"
