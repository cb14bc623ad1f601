"""What goes over PCIe, as `nvidia-smi dmon` counts it: once a second a rate, of which each stands for its second.

The driver measures the rate over a few milliseconds of the second, so a sum is an estimate, and of less than a few
seconds a poor one. Without nvidia-smi, or where it does not tell, there is None, and never 0.
"""

import shutil
import subprocess
import threading
import time


class Counters:
    """Listens to dmon while it is a context."""

    def __init__(self, command=("nvidia-smi", "dmon", "-s", "t", "-d", "1")):
        self.command = list(command)
        self.samples = []
        self.process = None

    def __enter__(self):
        if shutil.which(self.command[0]):
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self.process = subprocess.Popen(self.command, text=True, bufsize=1, **pipes)
            threading.Thread(target=self.listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait()

    def listen(self):
        columns = None
        for line in self.process.stdout:
            fields = line.split()
            if line.startswith("#"):
                # The names, and in a second such line the units.
                columns = fields[1:] if "rxpci" in fields else columns
            elif columns and (rates := read(columns, fields)):
                self.samples.append((time.monotonic(), *rates))

    def moved_mb(self, begun, ended):
        """What the GPUs received and sent between two points of time.monotonic(), in MB; two None where not known."""
        inside = [sample for sample in self.samples if begun < sample[0] <= ended + 0.5]
        if not inside:
            return None, None
        return sum(sample[1] for sample in inside), sum(sample[2] for sample in inside)


def read(columns, fields):
    """The rates of a line in MB/s, received and sent; None where it has none. Each GPU has a line of its own."""
    named = dict(zip(columns, fields))
    try:
        return float(named["rxpci"]), float(named["txpci"])
    except (KeyError, ValueError):
        return None
