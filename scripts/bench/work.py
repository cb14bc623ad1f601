"""What is asked of every program alike: prompts, temperatures, seeds and chains, and moe-sweep's files that say it.

Pure but for writing those files. Knows no program.
"""

import json
from dataclasses import dataclass, replace
from string import Template

from places import PROMPTS, WORK

TEMPERATURES = (0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5)
MAX_TOKENS = 100
# Of a prompt and its text together: the longest prompt is 16 tokens long.
CONTEXT = 256
# llama.cpp's default chain, by moe-sweep's name, and said in full: a model's file may bring defaults of its own.
DRAWN = "llama.cpp"
DRAWN_FIELDS = {"top_k": 40, "top_p": 0.95, "min_p": 0.05}
SHIMMY, GREEDY = "shimmy-1.7", "greedy"
# At narrow widths a part of the prompts, by the widest that takes it: they take longest, and the time of a text hangs on
# no other prompt.
NARROW = {1: 4, 8: 2}

_EXPERIMENT = Template("""schema = 1
name = "bench"

[generate]
max_tokens = $max_tokens
context = $context
numerics = "$numerics"

[grid]
model = ["m"]
chain = $chains
temperature = $temperatures
seed = { from = 0, count = $seeds }

[prompts]
inline = $prompts

[[model]]
id = "m"
path = $path
""")
# One prompt after the other until it is decided (docs/sequential.md).
_SEQUENTIAL = """
[sequential]
look = "prompt"
order_seed = 0
"""
_HYPOTHESIS = """
[[hypothesis]]
id = "temperature-repeats"
claim = "A higher temperature repeats more."
trend = "temperature"
expect = "increasing"
sides = 1
"""


@dataclass(frozen=True)
class Text:
    """One text to be made. A chain without a draw takes the most probable token."""

    prompt: str
    temperature: float
    seed: int
    chain: str

    @property
    def drawn(self):
        return self.chain == DRAWN


@dataclass(frozen=True)
class Grid:
    prompts: tuple
    temperatures: tuple = TEMPERATURES
    seeds: int = 1
    chains: tuple = (DRAWN,)
    max_tokens: int = MAX_TOKENS
    # Whether it asks a question that can be decided before all prompts are used.
    sequential: bool = False

    def texts(self):
        """What has to be made, a prompt's texts one after the other, so that a server finds the prompt in its cache.
        Greedy, which has no temperature, is asked once a prompt."""
        return [text for text in self._cells() if not self._repeats(text)]

    def repeats(self):
        """The cells whose text is one of `texts` by what is asked."""
        return [text for text in self._cells() if self._repeats(text)]

    def _cells(self):
        return [
            Text(prompt, temperature, seed, chain)
            for prompt in self.prompts
            for chain in self.chains
            for temperature in self.temperatures
            for seed in range(self.seeds)
        ]

    def _repeats(self, text):
        return text.chain == GREEDY and (text.temperature, text.seed) != (self.temperatures[0], 0)

    def narrow(self, width):
        """What of it is made with so few texts at a time."""
        return self.part(next((part for widest, part in NARROW.items() if width <= widest), 1))

    def part(self, part):
        """One of so many parts: some of the prompts."""
        return replace(self, prompts=self.prompts[: max(1, len(self.prompts) // part)])

    def experiment(self, file, numerics):
        """Writes the same as an experiment of moe-sweep's; its path."""
        text = _EXPERIMENT.substitute(
            max_tokens=self.max_tokens,
            context=CONTEXT,
            numerics=numerics,
            chains=json.dumps(self.chains),
            temperatures=json.dumps(self.temperatures),
            seeds=self.seeds,
            prompts=json.dumps(self.prompts),
            path=json.dumps(str(file)),
        )
        path = WORK / "experiment.toml"
        path.write_text(text + (_SEQUENTIAL + _HYPOTHESIS if self.sequential else ""))
        return path


def whole():
    """24 prompts, eight temperatures, one seed: 192 texts."""
    return Grid(tuple(line for line in PROMPTS.read_text().splitlines() if line.strip()))


def half():
    """Every second temperature: 96 texts."""
    return replace(whole(), temperatures=TEMPERATURES[::2])


def tiny():
    """32 texts of 16 tokens, to see that everything runs."""
    return replace(whole(), prompts=whole().prompts[:8], temperatures=TEMPERATURES[1::2], max_tokens=16)
