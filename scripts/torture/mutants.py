"""Mutants of every file that moe-sweep reads, each given to the commands that read it.

Of a file of the user's: a documented code, and nothing else. Of a file of a finished run: it is refused, with 96
and the file's name, or it changes no byte of any table.
"""

import math
import re
import shutil

import mutate
import program
import results
from campaign import Campaign
from program import BAD_SETUP, GATE, INCOMPLETE, INCONCLUSIVE, INTERNAL, NOTHING, OK, USAGE, Running, general_faults

_HANG_S = 30.0
_MOST_TRIALS, _MOST_TOKENS = 100, 2000

_RICH = """schema = 1
name = "rich"
question = "Every key that there is?"

[generate]
max_tokens = 20
context = 64
numerics = "invariant"

[grid]
model = ["m", "n"]
chain = ["pure", "greedy", "mine", "division"]
offload = ["none", 1, "all"]
temperature = { from = 0.5, to = 1.0, step = 0.5 }
seed = { from = 0, count = 2 }

[[grid.exclude]]
chain = "mine"
temperature = 0.5

[prompts]
inline = ["one two", "three four", { text = "five six", group = "odd" }]

[[model]]
id = "m"
path = "m.scripted.toml"
note = "a note"

[[model]]
id = "n"
path = "n.scripted.toml"

[[chain]]
id = "mine"
steps = [{ top_p = 0.9 }, { temperature = "T" }, "dist"]

[[chain]]
id = "division"
steps = [
    { penalties = { last_n = 64, repeat = 1.0, frequency = 0.0, presence = 1.1 } },
    { top_k = 40 }, { top_p = { p = 0.9, min_keep = 1 } }, { xtc = { p = 0.5, threshold = 0.1 } }, { temperature = "T" }, "dist",
]

[[hypothesis]]
id = "raises"
claim = "It raises repetition."
trend = "temperature"
each = "chain"
where = { chain = ["pure", "mine"] }
expect = "increasing"

[[hypothesis]]
id = "same"
claim = "It is the same."
equivalence = { base = { temperature = 0.5 }, other = { temperature = 1.0 } }
margin = 0.05
"""
_PROMPTS = """{"id": "a", "text": "once upon a time", "group": "tales"}
{"id": "b", "text": "the wheel turns \\u00e9\\ud83d\\ude00", "group": "tales"}

{"id": 7, "text": "water falls", "group": "facts"}
{"id": "d", "text": "light is made", "group": "facts"}
"""
_PROMPTS_LIST = """[{"id": "a", "text": "once upon a time"},
 "the wheel turns",
 {"id": 12345678901234567890123, "text": "water falls"}
]
"""
_CATALOGUE = """[[model]]
id = "one"
path = "m.scripted.toml"
note = "bundled"

[[model]]
id = "two"
path = "sub/two.gguf"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
size_bytes = 1234

[[model]]
id = "hub"
hf = "someone/something"
file = "a-00001-of-00002.gguf"
revision = "main"
"""
_TEXTS = """{"id": "a", "text": "and so and so and so and so", "tokens": [1, 2, 1, 2, 1, 2]}
{"text": "half \\ud83d of it"}

{"id": 7, "text": null}
{"id": "long", "text": "the wheel turns when water falls and then the wheel turns when water falls"}
"""
_CHOICES = """{"id": "a", "choices": [{"text": "one one one one", "tokens": [5, 5, 5, 5]}]}
{"choices": [{"text": "two two\\ntwo"}, 5, null]}
"""
_DIVERGENCE = """schema = 1
kind = "divergence"
name = "divergence"

[generate]
max_tokens = 8
context = 64
numerics = "invariant"

[grid]
model = ["m"]

[divergence]
base = { quant = "source", offload = "all", width = 1 }
other = [{ numerics = "fast" }, { width = 8 }, { quant = "q8_0" }]

[prompts]
file = "p.txt"

[[model]]
id = "m"
path = "deepseek-tiny.gguf"
"""
_ROUTING = """schema = 1
kind = "routing"
name = "routing"

[generate]
max_tokens = 8
context = 64

[grid]
model = ["m"]
chain = ["shimmy-1.7"]
temperature = [0.9]

[routing]
base = { quant = "source", offload = "all", width = 1 }
other = [{ numerics = "fast" }, { offload = "none" }]

[prompts]
inline = ["Once upon a time", "The wheel turns"]

[[model]]
id = "m"
path = "deepseek-tiny.gguf"
"""

# Of 10,000 mutants, how many are of which kind.
_SHARES = {
    "experiment": 1900,
    "prompts": 900,
    "catalogue": 700,
    "score": 1300,
    "mechanism": 500,
    "journal": 1500,
    "plan": 900,
    "manifest": 900,
    "baseline": 700,
    "gguf": 700,
}
_WHOLE = sum(_SHARES.values())


def run(setting, fixtures):
    wanted = setting.count or _WHOLE
    attacks = Attacks(setting, fixtures)
    attacks.check_seeds()
    campaigns = []
    for kind, share in _SHARES.items():
        campaign = Campaign(setting, f"mutants/{kind}")
        if setting.selects(campaign):
            attack = getattr(attacks, kind)
            campaign.run(range(math.ceil(wanted * share / _WHOLE)), lambda *case, a=attack, c=campaign: a(c, *case))
        campaigns.append(campaign)
    return campaigns


class Attacks:
    def __init__(self, setting, fixtures):
        self.setting, self.fixtures = setting, fixtures
        self.binary = setting.binary
        self._trust = None
        self._baseline = None

    def _run(self, campaign, index, folder, arguments, codes, *, env=None, name="said"):
        """Runs it, checks what holds of any mutant, and returns how it ended, or None."""
        command = [self.binary, *arguments]
        running = Running(command, folder, cwd=folder, env=env, name=name)
        ended = running.wait(_HANG_S)
        campaign.count(commands=1)
        problems = general_faults(ended, command)
        if ended is not None and ended.code in program.DOCUMENTED and ended.code not in codes:
            problems.append(f"exit code {ended.code}, expected one of {sorted(codes)}")
        if orphans := running.orphans():
            problems.append(f"{len(orphans)} workers are left")
        for problem in problems:
            campaign.fault(index, problem, command, folder)
        if ended is not None and ended.code in (OK, BAD_SETUP):
            campaign.count(**{"accepted" if ended.code == OK else "refused": 1})
        return ended

    def _models(self, folder, *names):
        for name in names:
            (folder / name).write_text("together = 2\n")

    def check_seeds(self):
        """What is mutated must be right before: mutants of a refused file say nothing."""
        folder = self.setting.scratch / "seeds"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._models(folder, "m.scripted.toml", "n.scripted.toml")
        (folder / "deepseek-tiny.gguf").symlink_to(self.setting.root / "models" / "deepseek-tiny.gguf")
        (folder / "p.txt").write_text("Once upon a time\nThe wheel turns\n")
        with_prompts = re.sub(r"inline = .*", 'file = "PROMPTS"', self.fixtures.get("quick").experiment.read_text())
        files = {
            "rich.toml": (_RICH, ["plan", "rich.toml"]),
            "divergence.toml": (_DIVERGENCE, ["plan", "divergence.toml"]),
            "routing.toml": (_ROUTING, ["plan", "routing.toml"]),
            "catalog.toml": (_CATALOGUE, ["model", "list"]),
            "t.jsonl": (_TEXTS, ["score", "t.jsonl"]),
            "c.jsonl": (_CHOICES, ["score", "--field", "/choices/0/text", "c.jsonl"]),
            "p.jsonl": (_PROMPTS, ["plan", "p.jsonl.toml"]),
            "p.json": (_PROMPTS_LIST, ["plan", "p.json.toml"]),
        }
        for name, (text, _) in files.items():
            (folder / name).write_text(text)
            (folder / f"{name}.toml").write_text(with_prompts.replace("PROMPTS", name))
        for name, (_, arguments) in files.items():
            env = {"MOE_SWEEP_MODELS": str(folder)}
            ended = Running([self.binary, *arguments], folder, cwd=folder, env=env).wait()
            if ended is None or ended.code != OK:
                said = ended.stderr().decode(errors="replace") if ended else "a hang"
                raise SystemExit(f"{name} is refused before it is mutated:\n{said}")

    # What a user writes.

    def experiment(self, campaign, index, rng, folder):
        fixture = self.fixtures.get("quick")
        seeds = [_RICH.encode(), _RICH.encode(), fixture.experiment.read_bytes()]
        mutant = mutate.of_toml(rng.choice(seeds), rng)
        if rng.random() < 0.2:
            mutant = mutate.of_toml(mutant, rng) if b"=" in mutant else mutant
        (folder / "x.toml").write_bytes(mutant)
        self._models(folder, "m.scripted.toml", "n.scripted.toml")
        ended = self._run(campaign, index, folder, ["plan", "x.toml"], {OK, BAD_SETUP, NOTHING})
        if ended is None or ended.code != OK or index % 4:
            return
        trials = re.search(rb"(\d[\d ,]*) trials", ended.stdout())
        tokens = re.search(rb"max_tokens\s*=\s*(\S+)", mutant)
        try:
            small = int(re.sub(rb"[ ,]", b"", trials[1])) <= _MOST_TRIALS and int(tokens[1], 0) <= _MOST_TOKENS
        except (TypeError, ValueError):
            small = False
        if small:
            codes = {OK, BAD_SETUP, INCOMPLETE}
            self._run(campaign, index, folder, ["run", "x.toml", "--out", "out"], codes, name="run")

    def prompts(self, campaign, index, rng, folder):
        name, seed, mutation = rng.choice([
            ("p.jsonl", _PROMPTS, mutate.of_json_lines_of_any),
            ("p.json", _PROMPTS_LIST, mutate.of_json),
            ("p.txt", "one line\n\nanother line\nthe third\n", mutate.of_text),
        ])  # fmt: skip
        (folder / name).write_bytes(mutation(seed.encode(), rng))
        text = self.fixtures.get("quick").experiment.read_text()
        text = re.sub(r"inline = .*", f'file = "{name}"', text)
        (folder / "x.toml").write_text(text)
        self._models(folder, "m.scripted.toml")
        ended = self._run(campaign, index, folder, ["plan", "x.toml"], {OK, BAD_SETUP})
        if ended is not None and ended.code == OK and index % 8 == 0:
            codes = {OK, BAD_SETUP}
            self._run(campaign, index, folder, ["run", "x.toml", "--out", "out"], codes, name="run")

    def catalogue(self, campaign, index, rng, folder):
        (folder / "catalog.toml").write_bytes(mutate.of_toml(_CATALOGUE.encode(), rng))
        self._models(folder, "m.scripted.toml")
        # Its cache is empty: nothing that a mutant names is found.
        env = {"MOE_SWEEP_MODELS": str(folder), "HF_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
        self._run(campaign, index, folder, ["model", "list"], {OK, BAD_SETUP}, env=env)

    def score(self, campaign, index, rng, folder):
        name, arguments, mutation = rng.choice([
            ("t.jsonl", [], mutate.of_json_lines_of_any),
            ("t.jsonl", ["--json"], mutate.of_json_lines_of_any),
            ("t.jsonl", ["--first", "3"], mutate.of_json_lines_of_any),
            ("t.jsonl", ["--field", "/choices/0/text"], mutate.of_json_lines_of_any),
            ("t.json", [], mutate.of_json_lines_of_any),
            ("t.txt", [], mutate.of_text),
            ("t.txt", ["--lines"], mutate.of_text),
        ])  # fmt: skip
        seed = _CHOICES if "--field" in arguments else _TEXTS
        (folder / name).write_bytes(mutation(seed.encode(), rng))
        self._run(campaign, index, folder, ["score", *arguments, name], {OK, BAD_SETUP})

    def mechanism(self, campaign, index, rng, folder):
        seed = rng.choice([_DIVERGENCE, _ROUTING])
        (folder / "x.toml").write_bytes(mutate.of_toml(seed.encode(), rng))
        (folder / "p.txt").write_text("Once upon a time\nThe wheel turns\n")
        (folder / "deepseek-tiny.gguf").symlink_to(self.setting.root / "models" / "deepseek-tiny.gguf")
        self._models(folder, "m.scripted.toml")
        self._run(campaign, index, folder, ["plan", "x.toml"], {OK, BAD_SETUP, NOTHING})

    # What moe-sweep writes.

    def journal(self, campaign, index, rng, folder):
        self._of_a_run(campaign, index, rng, folder, "trials.jsonl", mutate.of_json_lines)

    def plan(self, campaign, index, rng, folder):
        self._of_a_run(campaign, index, rng, folder, "plan.json", mutate.of_json)

    def manifest(self, campaign, index, rng, folder):
        self._of_a_run(campaign, index, rng, folder, "manifest.json", mutate.of_json)

    def trusts(self):
        if self._trust is None:
            ended = Running([self.binary, "report", "--help"], self.fixtures.get("quick").folder, cwd="/", name="help").wait()
            self._trust = b"--trust" in ended.stdout()
        return self._trust

    def _of_a_run(self, campaign, index, rng, folder, name, mutation):
        fixture = self.fixtures.get("quick")
        out = self.fixtures.copy(fixture, folder / "out")
        original = (out / name).read_bytes()
        mutant = mutation(original, rng)
        (out / name).write_bytes(mutant)
        command = ["report", "out"]
        ended = self._run(campaign, index, folder, command, {fixture.code, INCOMPLETE, BAD_SETUP})
        self._changed_nothing(campaign, index, fixture, ended, folder, name, command)
        if ended is None:
            return
        (out / name).write_bytes(mutant)
        if ended.code == BAD_SETUP and index % 3 == 0 and self.trusts():
            self._run(campaign, index, folder, [*command, "--trust"], {OK, INCOMPLETE, BAD_SETUP}, name="trust")
            campaign.count(trusted=1)
        elif index % 3 == 1:
            # The experiment's own command takes the folder up: refused, or as it was.
            shutil.rmtree(out)
            self.fixtures.copy(fixture, out)
            (out / name).write_bytes(mutant)
            command = ["run", fixture.experiment, "--out", "out"]
            ended = self._run(campaign, index, folder, command, {fixture.code, INCOMPLETE, BAD_SETUP}, name="run")
            self._changed_nothing(campaign, index, fixture, ended, folder, name, command, names=results.TABLES)
        elif index % 3 == 2:
            known = {OK, INCOMPLETE, BAD_SETUP, INCONCLUSIVE, GATE, INTERNAL}
            readers = [
                ["compare", fixture.reference, "out"],
                ["recommend", "out"],
                ["baseline", "save", "b.json", "--from", "out"],
                ["merge", "out", "--out", "merged"],
            ]
            self._run(campaign, index, folder, readers[index // 3 % len(readers)], known, name="read")

    def _changed_nothing(self, campaign, index, fixture, ended, folder, name, command, names=results.REPORTED):
        if ended is None or ended.code not in (OK, INCOMPLETE, BAD_SETUP):
            return
        before = results.tables(fixture.reference, names)
        after = results.tables(folder / "out", names)
        changed = [table for table in names if before[table] != after[table]]
        said = f"{command[0]} of a mutant of {name}"
        if changed:
            campaign.fault(index, f"{said} exits {ended.code} and changes {', '.join(changed)}", command, folder)
        elif ended.code == INCOMPLETE:
            campaign.fault(index, f"{said} exits {ended.code}, the tables unchanged", command, folder)
        # Long lines are broken anywhere, and framed.
        words = re.sub(r"[\s│]", "", ended.stderr().decode(errors="replace"))
        if ended.code == BAD_SETUP and name not in words:
            campaign.fault(index, f"{said} is refused without the file's name", command, folder)
        left = [file for file in results.names(folder / "out") - results.names(fixture.reference)]
        if left:
            campaign.fault(index, f"{said} leaves {left[0]}", command, folder)

    def baseline(self, campaign, index, rng, folder):
        fixture = self.fixtures.get("quick")
        original, expected = self._saved(fixture)
        (folder / "b.json").write_bytes(mutate.of_json(original, rng))
        self.fixtures.copy(fixture, folder / "out")
        command = ["check", "out", "--baseline", "b.json"]
        ended = self._run(campaign, index, folder, command, {expected.code, BAD_SETUP})
        if ended is not None and ended.code == expected.code and ended.stdout() != expected.kept:
            campaign.fault(index, "check by a mutant of a baseline says something else", command, folder)

    def _saved(self, fixture):
        with self.fixtures.lock:
            if self._baseline is None:
                folder = fixture.folder / "check"
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                self.fixtures.copy(fixture, folder / "out")
                save = [self.binary, "baseline", "save", "b.json", "--from", "out"]
                saved = Running(save, folder, cwd=folder).wait()
                check = [self.binary, "check", "out", "--baseline", "b.json"]
                ended = Running(check, folder, cwd=folder).wait()
                if saved is None or saved.code != OK or ended is None or ended.code == BAD_SETUP:
                    raise SystemExit(f"the baseline of an undisturbed run can't be used: {saved and saved.stderr()}")
                ended.kept = ended.stdout()
                self._baseline = (folder / "b.json").read_bytes(), ended
            return self._baseline

    def gguf(self, campaign, index, rng, folder):
        names = ["dense-tiny", "deepseek-tiny", "gpt-oss-tiny", "phi-moe-tiny"]
        data = (self.setting.root / "models" / f"{rng.choice(names)}.gguf").read_bytes()
        # Names of tensors end the header.
        header = data.rfind(b".weight", 0, 1 << 20) + 64
        (folder / "m.gguf").write_bytes(mutate.of_gguf(data, rng, header))
        self._run(campaign, index, folder, ["model", "inspect", "m.gguf"], {OK, BAD_SETUP})
        if index % 5 == 0:
            text = self.fixtures.get("quick").experiment.read_text().replace("m.scripted.toml", "m.gguf")
            text = re.sub(r"\[.*temperature.*", "", text).replace("temperature = [0.1, 0.9]", "temperature = [0.9]")
            (folder / "x.toml").write_text(text.replace('"llama.cpp", "greedy"', '"greedy"'))
            codes = {OK, BAD_SETUP, INCOMPLETE}
            self._run(campaign, index, folder, ["run", "x.toml", "--out", "out", "--threads", "1"], codes, name="run")
