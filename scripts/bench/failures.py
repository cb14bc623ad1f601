"""The ways in which a program can't be measured, in words."""

import signal


class Unavailable(Exception):
    """A program that can't be had here, or not for this model: the reason, which the tables print."""


class Failed(Exception):
    """A program that was there and did not do its work: what it said last."""


class TookTooLong(Failed):
    """A program that was stopped for it had taken all of its time."""


def how_it_ended(code):
    """An exit code in words, as subprocess has it: of a signal, minus its number."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def last_words(text, lines=3):
    """The last lines of what a program said, on one line of a table."""
    said = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return " / ".join(said[-lines:])[-400:] or "it said nothing"
