"""Mutations of files, each a pure function of bytes and a random generator.

Of any file: bytes, lines, numbers and strings in it. Of TOML: values, tables, nesting. Of JSON: the tree.
"""

import copy
import json
import re

NUMBERS = [
    "0", "-1", "-0.0", "1e308", "-1e308", "1e400", "0.1e-320", "nan", "inf", "1_000", "0x7fffffff", "1e9", "10000", "10001",
    "2147483648", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615",
    "18446744073709551616", "99999999999999999999999", "0.0000001", "100000000",
]  # fmt: skip
STRINGS = [
    "", " ", "\u202e", "\x1b[31m", "\\u001b[2J", "A" * 5000, "é" * 300, "../../x", "\0", "\\u0000", "</script>", "=1+1", "all",
    "none", "source", "T", "main", "m", "greedy", "llama.cpp",
]  # fmt: skip
VALUES = [
    "{", "[", "[[],[],1]", "{}", "[]", "true", "1979-05-27T07:32:00Z", '"\\ud800"', "inf", '[1,"a"]', '"x"', "0", "[0.5, 0.5]",
    "{ from = 0, count = 10000 }", "{ from = 0.1, to = 1e30, step = 0.1 }", "{ from = 0.0, to = 9999, step = 1 }",
    "{ from = 4294967290, count = 10 }", "{ from = 0, to = 1, step = 0 }", "{ from = 0, to = 1, step = -1 }",
    "{ from = 0, to = 1, step = 1e-30 }", "{ from = 0, count = 0 }", "{ from = 0.0, to = 999.9, step = 0.1 }",
]  # fmt: skip
LEAVES = [
    None, True, 0, -1, 1, 1e308, -1e308, 1e-320, 2**31, 2**32 - 1, 2**32, 2**53, 2**63, 2**64 - 1, 2**64, "", "x", 0.5, -0.0,
    "\0\x1b[2J", "A" * 3000, [], {}, [[]], [None], {"a": 1},
]  # fmt: skip
EXTREMES = [0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 32, (1 << 61) + 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


def of_bytes(data, rng, upto=None):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        end = len(data) if upto is None else min(upto, len(data))
        if end == 0:
            break
        at, kind = rng.randrange(end), rng.randrange(7)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            del data[at]
        elif kind == 3:
            data.insert(at, rng.randrange(256))
        elif kind == 4:
            del data[at : at + rng.randrange(1, 200)]
        elif kind == 5:
            data[at:at] = data[at : at + rng.randrange(1, 200)]
        else:
            data[at] = rng.choice(b"\"\\{}[]=.,#\n\r\t\0 '0123456789-eE:")
    return bytes(data)


def of_lines(data, rng):
    lines = data.split(b"\n")
    kind, at, other = rng.randrange(6), rng.randrange(len(lines)), rng.randrange(len(lines))
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(other, lines[at])
    elif kind == 2:
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == 3:
        del lines[at:]
    elif kind == 4:
        rng.shuffle(lines)
    else:
        lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)]
    return b"\n".join(lines)


def _replace(data, rng, pattern, replacement):
    text = data.decode("utf-8", "surrogateescape")
    found = list(re.finditer(pattern, text))
    if not found:
        return of_bytes(data, rng)
    match = rng.choice(found)
    return (text[: match.start()] + replacement + text[match.end() :]).encode("utf-8", "surrogateescape")


_NUMBER = r"(?<![\w.-])-?\d+(?:\.\d+)?"


def of_numbers(data, rng):
    """An extreme in the place of a number, or, as often, one that is near another of the file's."""
    found = re.findall(_NUMBER, data.decode("utf-8", "replace"))
    if not found or rng.random() < 0.5:
        return _replace(data, rng, _NUMBER, rng.choice(NUMBERS))
    other = rng.choice(found)
    near = rng.choice([other, other, f"{float(other) / 2:g}", f"{float(other) + 1:g}", other + "0", "1", "2"])
    return _replace(data, rng, _NUMBER, near)


_STRING = r'"[^"\n]*"'


def of_strings(data, rng):
    """A string of the list, or, as often, another of the file's."""
    found = re.findall(_STRING, data.decode("utf-8", "surrogateescape"))
    if not found or rng.random() < 0.5:
        return _replace(data, rng, _STRING, '"' + rng.choice(STRINGS) + '"')
    return _replace(data, rng, _STRING, rng.choice(found))


def nested(rng):
    n = rng.choice([100, 1000, 10000, 65000, 200000])
    few = min(n, 20000)
    return rng.choice([
        lambda: b"x=" + b"[" * n, lambda: b"x=" + b"[" * n + b"]" * n, lambda: b"x=" + b"{a=" * n + b"1" + b"}" * n,
        lambda: b"[" * n, lambda: b"[" + b"a." * n + b"a]\nb=1\n", lambda: b".".join([b"a"] * n) + b"=1\n",
        lambda: b"[[" + b"a." * n + b"a]]\n", lambda: b"a=1\n" * few, lambda: b'"' * n, lambda: b"x='''" + b"'" * n,
        lambda: b"\n".join(b"[a%d]" % i for i in range(few)), lambda: b"#" * n, lambda: b"\n" * n, lambda: b'{"a":' * n,
        lambda: b'x="' + b"\\u0000" * few + b'"', lambda: b"x=" + b"9" * n, lambda: b"x=0." + b"9" * n,
        lambda: b"x=1e" + b"9" * n, lambda: b"\x1b[2J" * n,
    ])()  # fmt: skip


def of_toml(data, rng):
    kind = rng.randrange(10)
    if kind < 2:
        return of_bytes(data, rng)
    if kind < 4:
        return of_lines(data, rng)
    if kind < 6:
        return of_numbers(data, rng)
    if kind == 6:
        return of_strings(data, rng)
    if kind == 7:
        deep = nested(rng)
        return rng.choice([deep, data + b"\n" + deep, deep + b"\n" + data])
    n = rng.choice([50, 120, 130, 500, 5000, 60000])
    deep = ["[" * n + "]" * n, "[" * n, "{a=" * n + "1" + "}" * n]
    return _replace(data, rng, r"(?<== )[^\n]+", rng.choice([*VALUES, *VALUES, *deep]))


def _paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from _paths(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from _paths(value[index], (*path, index))


def _at(value, path):
    for key in path:
        value = value[key]
    return value


def of_tree(value, rng):
    """A JSON value with one or two places changed; it is still JSON."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice([1, 1, 2])):
        paths = list(_paths(value))
        path = rng.choice(paths)
        if not path:
            continue
        holder, key, kind = _at(value, path[:-1]), path[-1], rng.randrange(7)
        here = holder[key]
        if kind == 0:
            del holder[key]
        elif kind == 1:
            holder[key] = copy.deepcopy(rng.choice(LEAVES))
        elif kind == 2:
            holder[key] = copy.deepcopy(_at(value, rng.choice(paths)))
        elif kind == 3 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(here))
        elif kind == 4 and isinstance(here, list):
            rng.shuffle(here)
        elif kind == 5 and isinstance(here, (int, float)) and not isinstance(here, bool):
            holder[key] = rng.choice([here + 1, -here, here * 1e6, here * 2**33, 0])
        elif kind == 6 and isinstance(here, str):
            holder[key] = rng.choice([here + "x", here[:-1], here.upper(), here + " " + here])
        elif isinstance(holder, dict):
            holder[str(key) + "x"] = here
        else:
            holder[key] = copy.deepcopy(rng.choice(LEAVES))
        if len(json.dumps(value)) > 1 << 20:
            break
    return value


def of_json(data, rng):
    kind = rng.randrange(10)
    if kind < 2:
        return of_bytes(data, rng)
    if kind == 2:
        return of_lines(data, rng)
    if kind == 3:
        return of_numbers(data, rng)
    if kind == 4:
        return of_strings(data, rng)
    if kind == 5 and rng.random() < 0.3:
        return nested(rng)
    indent = 2 if data.startswith(b"{\n") else None
    return json.dumps(of_tree(json.loads(data), rng), indent=indent).encode() + b"\n"


def of_json_lines(data, rng):
    """Lines that are lost, torn, moved, doubled; or one record that is another."""
    kind = rng.randrange(10)
    if kind < 2:
        return of_bytes(data, rng)
    if kind < 4:
        return of_lines(data, rng)
    if kind == 4:
        return of_numbers(data, rng)
    if kind == 5:
        return data[: rng.randrange(len(data) + 1)]
    lines = data.splitlines()
    at = rng.randrange(len(lines))
    if kind == 6:
        # A record with another's contents: all parts are right, each by itself.
        one, other = json.loads(lines[at]), json.loads(rng.choice(lines))
        key = rng.choice(sorted(one))
        one[key] = other.get(key)
        lines[at] = json.dumps(one, separators=(",", ":")).encode()
    elif kind == 7 and rng.random() < 0.2:
        lines[at] = nested(rng)
    else:
        lines[at] = json.dumps(of_tree(json.loads(lines[at]), rng), separators=(",", ":")).encode()
    return b"\n".join(lines) + b"\n"


def of_gguf(data, rng, header):
    """A few of the changes are where the counts and the first lengths stand, the others anywhere in the header."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randrange(24) if rng.random() < 0.15 else rng.randrange(header)
        kind = rng.randrange(5)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            width = rng.choice([4, 8])
            data[at : at + width] = (rng.choice(EXTREMES) & ((1 << 8 * width) - 1)).to_bytes(width, "little")
        elif kind == 2:
            del data[at : at + rng.randrange(1, 64)]
        elif kind == 3:
            data[at:at] = data[at : at + rng.randrange(1, 64)]
        elif rng.random() < 0.5:
            del data[rng.randrange(len(data)) :]
        else:
            data[at] = rng.randrange(256)
    return bytes(data)


def of_text(data, rng):
    return rng.choice([of_bytes, of_lines, of_numbers, of_strings])(data, rng)


def of_json_lines_of_any(data, rng):
    """Lines of JSON with blank ones between, as a person writes them."""
    kind = rng.randrange(8)
    if kind < 5:
        return [of_bytes, of_lines, of_numbers, of_strings, of_strings][kind](data, rng)
    if kind == 5 and rng.random() < 0.3:
        return data + nested(rng)
    lines = data.split(b"\n")
    places = [at for at, line in enumerate(lines) if line.strip()]
    at = rng.choice(places)
    try:
        lines[at] = json.dumps(of_tree(json.loads(lines[at]), rng)).encode()
    except ValueError:
        return of_bytes(data, rng)
    return b"\n".join(lines)
