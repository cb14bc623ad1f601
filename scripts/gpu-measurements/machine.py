"""What the figures were measured on: GPU, driver, link, host, and the program's own word for its devices."""

import hashlib
import json
import os
import subprocess

GPU_FIELDS = ["name", "driver_version", "memory.total", "compute_cap", "pcie.link.gen.max", "pcie.link.width.max"]


def has_device(binary):
    """Whether weights can be anywhere but on the host."""
    told = output([binary, "devices", "--json"])
    return told is not None and any(device["kind"] != "cpu" for device in json.loads(told)["devices"])


def describe(binary):
    """A dictionary for machine.json; what could not be asked is None."""
    return {
        "program": output([binary, "-V"]),
        "program_sha256": hashlib.sha256(binary.read_bytes()).hexdigest(),
        "devices": output([binary, "devices"]),
        "gpus": gpus(),
        "cpu": cpu(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": " ".join(os.uname()[index] for index in (0, 2, 4)),
        "variables": {name: value for name, value in sorted(os.environ.items())
                      if name.startswith(("GGML_", "CUDA_", "OMP_", "MOE_SWEEP_"))},
    }


def gpus():
    """A dictionary for each GPU that nvidia-smi lists; None without nvidia-smi."""
    listed = output(["nvidia-smi", f"--query-gpu={','.join(GPU_FIELDS)}", "--format=csv,noheader"])
    if listed is None:
        return None
    return [dict(zip(GPU_FIELDS, (field.strip() for field in line.split(",")))) for line in listed.splitlines()]


def cpu():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), None)
    except OSError:
        return None


def output(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
