#!/usr/bin/env python3
"""What transformers makes of the chat templates in tests/chat_templates: its transformers.json.

    python3 -m venv target/chat-templates
    target/chat-templates/bin/pip install -r scripts/chat-templates-requirements.txt
    target/chat-templates/bin/python scripts/chat-templates.py            writes the file
    target/chat-templates/bin/python scripts/chat-templates.py --check    fails if it would be another one
    python3 scripts/chat-templates.py --server LLAMA_SERVER    counts which texts llama-server's --jinja makes the same

The templates have the shapes of public ones and are written anew, but for the names of their tokens. `moe-sweep` renders
them by another Jinja, and tests/quick/chat_templates.rs compares.
"""

import datetime
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests/chat_templates"
ORACLE = FOLDER / "transformers.json"
# The date that moe-sweep tells templates (src/prompt/python.rs).
TODAY = datetime.datetime(2024, 7, 26)
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}

USER = "  Why does it repeat itself? <|im_end|> {{ 1 }}\n"
CONVERSATIONS = {
    "user": [("user", USER)],
    "system": [("system", "Answer in rhyme.\nBe brief. "), ("user", USER)],
    "empty system": [("system", ""), ("user", USER)],
    "turns": [
        ("user", "Hi"),
        ("assistant", "<think>\nA greeting.\n</think>\n\nHello, and é.\n"),
        ("user", "Again"),
        ("assistant", " Hello "),
        ("user", USER),
    ],
    "two users": [("user", "Hi"), ("user", USER)],
}


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(TODAY.year, TODAY.month, TODAY.day)


def rendered(template, conversation, thinking):
    import jinja2
    from transformers.utils import chat_template_utils

    messages = [{"role": role, "content": content} for role, content in conversation]
    # Templates read one name or the other.
    switches = {} if thinking is None else {"enable_thinking": thinking, "thinking": thinking}
    with mock.patch.object(chat_template_utils, "datetime", Clock):
        try:
            texts, _ = chat_template_utils.render_jinja_template(
                [messages], chat_template=template, add_generation_prompt=True, **TOKENS, **switches
            )
        except jinja2.exceptions.TemplateError as error:
            return {"error": str(error)}
    return {"text": texts[0]}


def made():
    # Nothing is asked of the hub.
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    import jinja2
    import transformers

    cases = []
    for path in sorted(FOLDER.glob("*.jinja")):
        template = path.read_text()
        for name, conversation in CONVERSATIONS.items():
            for thinking in [None, True, False] if "thinking" in template else [None]:
                case = {"template": path.stem, "conversation": name, "thinking": thinking}
                cases.append(case | rendered(template, conversation, thinking))
    oracle = {
        "transformers": transformers.__version__,
        "jinja2": jinja2.__version__,
        "tokens": TOKENS,
        "conversations": {
            name: [{"role": role, "content": content} for role, content in messages]
            for name, messages in CONVERSATIONS.items()
        },
        "cases": cases,
    }
    return json.dumps(oracle, indent=1, ensure_ascii=False) + "\n"


# A bundled model: its vocabulary adds BOS, so the server takes it away from the text. And its tokens' texts.
MODEL = ROOT / "models/deepseek-tiny.gguf"
MODEL_TOKENS = {"<s>": "<|begin|>", "</s>": "<|end|>"}
ADDRESS = "http://127.0.0.1:18777"


def started(server, path):
    command = [server, "-m", MODEL, "--jinja", "--chat-template-file", path, "--port", "18777", "-c", "64", "--no-warmup"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"{ADDRESS}/health")
            return process
        except OSError:
            time.sleep(0.1)
    return None


def of_server(case, oracle):
    body = {"messages": oracle["conversations"][case["conversation"]]}
    if case["thinking"] is not None:
        body["chat_template_kwargs"] = {"enable_thinking": case["thinking"], "thinking": case["thinking"]}
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{ADDRESS}/apply-template", json.dumps(body).encode(), headers)
    try:
        text = json.load(urllib.request.urlopen(request))["prompt"]
    except urllib.error.HTTPError:
        return None
    for form in ["%Y-%m-%d", "%B %d, %Y", "%d %B %Y", "%d %b %Y"]:
        text = text.replace(datetime.datetime.now().strftime(form), TODAY.strftime(form))
    return text


def compare(server):
    oracle = json.loads(ORACLE.read_text())
    same, others = 0, []
    for path in sorted(FOLDER.glob("*.jinja")):
        cases = [case for case in oracle["cases"] if case["template"] == path.stem]
        process = started(server, path)
        if process is None:
            others.append(f"{path.stem}: the server does not start")
            continue
        for case in cases:
            expected = case.get("text")
            if expected is not None:
                expected = expected.removeprefix(TOKENS["bos_token"])
                for token, text in MODEL_TOKENS.items():
                    expected = expected.replace(token, text)
            if of_server(case, oracle) == expected:
                same += 1
            else:
                others.append(f"{path.stem}: {case['conversation']}, thinking {case['thinking']}")
        process.terminate()
        process.wait()
    print(f"{same} of {len(oracle['cases'])} texts are the same", *others, sep="\n")


def main():
    match sys.argv[1:]:
        case []:
            ORACLE.write_text(made())
        case ["--check"]:
            sys.exit(0 if ORACLE.read_text() == made() else f"{ORACLE} is not what transformers makes now")
        case ["--server", server]:
            compare(server)
        case _:
            sys.exit(__doc__)


main()
