"""The time that all may take: what is begun, and what would not fit any more."""

import time
from contextlib import contextmanager

# Kept back for the report.
RESERVE_S = 5


class Budget:
    def __init__(self, seconds):
        self.seconds = seconds
        self.begun = time.monotonic()
        # What tasks of a kind took, the longest of each.
        self.longest = {}

    def spent(self):
        return time.monotonic() - self.begun

    def left(self):
        """In seconds; what is running then is stopped."""
        return self.seconds - RESERVE_S - self.spent()

    def refuses(self, task):
        """Why the task is not begun; None where it is. It is judged by those of its kind that were run."""
        left = self.left()
        if left <= 0:
            return "no time was left"
        expected = self.longest.get(task.kind, 0)
        if expected > left:
            return f"{left:.0f} s were left, and one of its kind took {expected:.0f} s"
        return None

    @contextmanager
    def timing(self, task):
        begun = time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - begun
            self.longest[task.kind] = max(self.longest.get(task.kind, 0), took)
