#!/usr/bin/env python3
"""A server that does what no server should: a mode for each way.

    hostile.py PORT MODE [API]     PORT 0 takes a free one; the port is printed
    hostile.py --modes [API]       the modes, one a line, and what each does

API is openai (where none is said), llama-server, ollama or shimmy. A mode misbehaves where texts are asked for
after the probe, which asks for 8, 24 or 96 tokens; with "now-" before its name in the probe, too. Modes of
documents misbehave at once. Standard library only; listens on this machine alone.
"""

import gzip
import json
import socket
import struct
import sys
import threading
import time
import traceback

PROBE_TOKENS = (8, 24, 96)
APIS = ("openai", "llama-server", "ollama", "shimmy")
PAUSE_S = 0.3
MODES = {}


def mode(name, description, *, site="text", apis=APIS):
    """Registers what is done with a request for a text ("text"), for a document ("docs"), or with both ("all")."""

    def register(function):
        MODES[name] = (description, site, apis, function)
        return function

    return register


def data(api, value):
    line = value if isinstance(value, str) else json.dumps(value)
    return (line + "\n" if api == "ollama" else f"data: {line}\n\n").encode()


def piece_value(api, text, token=1):
    return {
        "openai": {"choices": [{"text": text, "finish_reason": None}]},
        "llama-server": {"content": text, "tokens": [token], "stop": False},
        "ollama": {"response": text, "done": False},
        "shimmy": text,
    }[api]


def end_values(api, n, *, reason=None, model="t", order=(), usage=None):
    counts = usage if usage is not None else n
    settings = {"samplers": list(order)}
    return {
        "openai": [
            {"model": model, "choices": [{"text": "", "finish_reason": reason or "length"}]},
            {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": counts}},
            "[DONE]",
        ],
        "llama-server": [
            {"content": "", "tokens": [], "stop": True, "stop_type": reason or "limit", "model": model,
             "tokens_evaluated": 3, "tokens_predicted": counts, "generation_settings": settings}
        ],
        "ollama": [
            {"model": model, "response": "", "done": True, "done_reason": reason or "length",
             "prompt_eval_count": 3, "eval_count": counts}
        ],
        "shimmy": ["[DONE]"],
    }[api]


def documents(api, say="", *, name="t", kind=None):
    """What it states of itself, by path. `say` goes into every string, `kind` takes the place of every value."""
    docs = {
        "openai": {
            "/v1/models": {"data": [{"id": name, "owned_by": "me" + say, "max_model_len": 4096}]},
            "/version": {"version": "1" + say},
        },
        "llama-server": {
            "/props": {"build_info": "b1" + say, "model_path": "/m" + say, "default_generation_settings": {"n_ctx": 4096}},
        },
        "ollama": {
            "/api/version": {"version": "1" + say},
            "/api/tags": {"models": [{"name": name, "digest": "abc" + say}]},
            "/api/show": {
                "details": {"quantization_level": "Q4" + say}, "parameters": "stop" + say,
                "model_info": {"llama.context_length": 4096, "x" + say: say},
            },
        },
        "shimmy": {
            "/health": {"version": "1" + say},
            "/api/models": {"models": [{"name": name, "size_bytes": "1" + say}]},
        },
    }[api]
    return docs if kind is None else {path: replaced(doc, kind[0]) for path, doc in docs.items()}


def replaced(value, by):
    """Every leaf is another value."""
    if isinstance(value, dict):
        return {key: replaced(inner, by) for key, inner in value.items()}
    return by


class Asked:
    """A request, and how to answer it."""

    def __init__(self, server, connection, path, headers, body):
        self.server, self.connection, self.path, self.headers = server, connection, path, headers
        self.api = server.api
        self.key = headers.get("authorization", "").removeprefix("Bearer ")
        self.body = json.loads(body) if body else None
        options = self.body.get("options", {}) if self.body else {}
        both = {**options, **(self.body or {})}
        self.tokens = next((both[key] for key in ("max_tokens", "n_predict", "num_predict") if key in both), 0)
        self.is_text = path not in documents(self.api)
        self.words_of = json.dumps([both.get("prompt"), both.get("messages"), both.get("seed"), both.get("temperature")])

    def words(self):
        seed = sum(ord(letter) * (place + 1) for place, letter in enumerate(self.words_of))
        if "to be able to be" in self.words_of:
            return [" able"] * self.tokens
        return [f" w{(seed * (place + 7) + place * place) % 23}" for place in range(self.tokens)]

    def send(self, *parts):
        for part in parts:
            self.connection.sendall(part if isinstance(part, bytes) else part.encode())

    def head(self, status="200 OK", *headers):
        self.send(f"HTTP/1.1 {status}\r\n", *[f"{header}\r\n" for header in headers], "\r\n")

    def whole(self, body, status="200 OK", *headers):
        body = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.head(status, f"Content-Length: {len(body)}", "Connection: close", *headers)
        self.send(body)

    def stream(self, *headers):
        self.head("200 OK", "Content-Type: text/event-stream", "Connection: close", *headers)

    def piece(self, text, token=1):
        return data(self.api, piece_value(self.api, text, token))

    def pieces(self, n=None):
        return b"".join(self.piece(word, place) for place, word in enumerate(self.words()[:n]))

    def end(self, **how):
        order = (self.body or {}).get("samplers", ())
        return b"".join(data(self.api, value) for value in end_values(self.api, self.tokens, order=order, **how))

    def well(self):
        """As a server should."""
        if self.is_text and not self.body.get("stream"):
            self.whole(self.whole_value("".join(self.words())))
        elif self.is_text:
            self.stream()
            self.send(self.pieces(), self.end())
        else:
            known = documents(self.api)
            self.whole(known[self.path]) if self.path in known else self.whole({}, "404 Not Found")

    def whole_value(self, text, **how):
        """An answer that comes at once."""
        if self.api == "shimmy":
            return {"response": text}
        last, *usage = [value for value in end_values(self.api, self.tokens, **how) if value != "[DONE]"]
        if self.api == "openai":
            return {**last, **usage[0], "choices": [{**last["choices"][0], "text": text}]}
        return {**last, **{key: value for key, value in piece_value(self.api, text).items() if key in ("content", "response")}}

    def forever(self, part, pause=PAUSE_S):
        while True:
            self.send(part)
            time.sleep(pause)

    def open(self):
        """Keeps the connection, and says nothing."""
        self.connection.settimeout(600)
        while self.connection.recv(65536):
            pass

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


# Time


@mode("drip", "a byte of a line now and then, and no end of the line")
def _(a):
    a.stream()
    a.send("data: " if a.api != "ollama" else "{")
    a.forever(b"x")


@mode("drip-after-text", "some of the text, and then the same")
def _(a):
    a.stream()
    a.send(a.pieces(3))
    a.forever(b"x")


@mode("drip-words", "a word now and then, without end")
def _(a):
    a.stream()
    a.forever(a.piece(" on"))


@mode("drip-empty", "a message without a word now and then, without end")
def _(a):
    a.stream()
    a.forever(a.piece(""))


@mode("drip-comments", "what keeps a connection open, now and then")
def _(a):
    a.stream()
    a.send(a.pieces(3))
    a.forever(b"\n" if a.api == "ollama" else b": ping\n\n")


@mode("drip-chunk", "the size of a chunk, a digit now and then")
def _(a):
    a.head("200 OK", "Transfer-Encoding: chunked")
    a.forever(b"0")


@mode("drip-extension", "an extension of a chunk, a letter now and then")
def _(a):
    a.head("200 OK", "Transfer-Encoding: chunked")
    a.send("5;")
    a.forever(b"x")


@mode("drip-head", "a header, a letter now and then")
def _(a):
    a.send("HTTP/1.1 200 OK\r\nX-A: ")
    a.forever(b"x")


@mode("drip-100", "100 Continue now and then")
def _(a):
    a.forever(b"HTTP/1.1 100 Continue\r\n\r\n")


@mode("drip-refusal", "the reason of a refusal, a letter now and then")
def _(a):
    a.head("400 Bad Request", "Connection: close")
    a.forever(b"x")


@mode("drip-after-end", "a letter now and then after the end")
def _(a):
    a.stream()
    a.send(a.pieces(), a.end())
    a.forever(b"x")


@mode("drip-document", "what it is, a letter now and then", site="docs")
def _(a):
    a.head("200 OK")
    a.send('{"data": "')
    a.forever(b"x")


@mode("silent", "nothing at all")
def _(a):
    a.open()


@mode("silent-after-head", "a head, and nothing more")
def _(a):
    a.stream()
    a.open()


@mode("silent-after-text", "some of the text, and nothing more")
def _(a):
    a.stream()
    a.send(a.pieces(3))
    a.open()


@mode("silent-document", "nothing where it is asked what it is", site="docs")
def _(a):
    a.open()


@mode("open-after-end", "the connection stays open after the end")
def _(a):
    a.head("200 OK")
    a.send(a.pieces(), a.end())
    a.open()


@mode("open-without-end", "the text without its end, and the connection stays open")
def _(a):
    a.head("200 OK")
    a.send(a.pieces())
    a.open()


@mode("open-without-done", "the reason of the end and no last message, and the connection stays open", apis=("openai",))
def _(a):
    a.head("200 OK")
    a.send(a.pieces(), data(a.api, end_values(a.api, a.tokens)[0]))
    a.open()


# Without end


@mode("endless-head", "headers without end")
def _(a):
    a.send("HTTP/1.1 200 OK\r\n")
    a.forever(b"X-A: " + b"x" * 1000 + b"\r\n", 0)


@mode("endless-100", "100 Continue without end")
def _(a):
    a.forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 50, 0)


@mode("endless-stream", "words without end")
def _(a):
    a.stream()
    a.forever(a.piece(" on") * 100, 0)


@mode("endless-empty", "messages without a word, without end")
def _(a):
    a.stream()
    a.forever(a.piece("") * 100, 0)


@mode("endless-line", "a line without end")
def _(a):
    a.stream()
    a.send("data: ")
    a.forever(b"x" * 65536, 0)


@mode("endless-comments", "comments without end")
def _(a):
    a.stream()
    a.forever(b": ping\n\n" * 1000, 0)


@mode("endless-document", "what it is, without end", site="docs")
def _(a):
    a.head("200 OK")
    a.send('{"data": "')
    a.forever(b"x" * 65536, 0)


@mode("endless-refusal", "the reason of a refusal, without end")
def _(a):
    a.head("400 Bad Request")
    a.forever(b"x" * 65536, 0)


@mode("huge-line", "two million letters in one piece")
def _(a):
    a.stream()
    a.send(a.piece("x" * 2_000_000), a.end())


@mode("huge-names", "a hundred thousand models, none of them the one", site="docs")
def _(a):
    names = [{"id": f"model-{i}", "name": f"model-{i}"} for i in range(50_000)]
    a.whole({"data": names, "models": names})


@mode("huge-document", "it states a version of three million letters", site="docs")
def _(a):
    a.whole(documents(a.api, "x" * 1_000_000).get(a.path, {}))


@mode("gzip-bomb", "a gigabyte of zeros, compressed, though nobody asked for that")
def _(a):
    a.head("200 OK", "Content-Encoding: gzip", "Connection: close")
    a.send(gzip.compress(bytes(1 << 26)) * 16)


# Shapes


@mode("truncated", "JSON that ends in its middle")
def _(a):
    a.stream()
    a.send(a.pieces(2), a.piece(" word")[:-9] + b"\n\n", a.end())


@mode("not-json", "words where JSON should be")
def _(a):
    a.stream()
    a.send("data: hello\n\n" if a.api != "ollama" else "hello\n")


@mode("html", "a page in the place of an answer")
def _(a):
    a.whole("<!DOCTYPE html><title>Sign in</title>", "200 OK", "Content-Type: text/html")


@mode("html-document", "a page in the place of a document", site="docs")
def _(a):
    a.whole("<!DOCTYPE html><title>Sign in</title>", "200 OK", "Content-Type: text/html")


@mode("empty", "an empty answer")
def _(a):
    a.whole("")


@mode("no-content", "204 No Content")
def _(a):
    a.head("204 No Content")


@mode("empty-object", "an empty object for everything", site="all")
def _(a):
    a.whole("{}\n")


@mode("deep", "a hundred thousand brackets")
def _(a):
    a.stream()
    a.send(data(a.api, "[" * 100_000 + "]" * 100_000), a.end())


@mode("deep-document", "a hundred thousand brackets where it says what it is", site="docs")
def _(a):
    a.whole("[" * 100_000 + "]" * 100_000)


@mode("nul", "NUL in the text, and around it")
def _(a):
    a.stream()
    a.send(a.piece(" a\0b"), b"\0\0\0\n", a.end())


@mode("bad-utf8", "bytes that are not UTF-8")
def _(a):
    a.stream()
    a.send(a.piece("XX").replace(b"XX", b"\xff\xfe\xc0\x80\xed\xa0\x80"), a.end())


@mode("surrogates", "half characters, alone and in the wrong order")
def _(a):
    a.stream()
    halves = a.piece("XX").replace(b"XX", b"\\ud83d" if a.api != "shimmy" else b"?")
    a.send(halves, halves, a.piece("XX").replace(b"XX", b"\\ude00\\ud83d" if a.api != "shimmy" else b"?"), a.end())


@mode("bidi", "characters that turn the direction of writing, and other controls")
def _(a):
    a.stream()
    a.send(a.piece(" \u202eabc\u2066\u200b\ufeff\x85"), a.end())


@mode("escapes", "sequences that command a terminal, in every field", site="all")
def _(a):
    say = "\x1b]0;pwned\x07\x1b[2J</script>"
    if not a.is_text:
        return a.whole(documents(a.api, say).get(a.path, {}))
    a.stream()
    a.send(a.piece(say), data(a.api, {"error": {"message": say}} if a.api != "shimmy" else say), a.end(reason=say))


@mode("huge-numbers", "counts that no number holds")
def _(a):
    a.stream()
    a.send(a.pieces(), a.end(usage=10**40).replace(b'"prompt_tokens": 3', b'"prompt_tokens": 1e999'))


@mode("most-tokens", "four billion tokens")
def _(a):
    a.stream()
    a.send(a.pieces(), a.end(usage=2**32 - 1))


@mode("negative-numbers", "less than no tokens")
def _(a):
    a.stream()
    a.send(a.pieces(), a.end(usage=-5))


for _name, _kind in [
    ("null", None), ("true", True), ("number", 7), ("fraction", 0.5), ("string", "s"), ("list", [[]]), ("object", {"a": {}}),
]:

    @mode(f"types-{_name}", f"{_name} in the place of every value", site="all")
    def _(a, kind=(_kind,)):
        if not a.is_text:
            return a.whole(documents(a.api, kind=kind).get(a.path, {}))
        a.stream()
        values = [piece_value(a.api, "x"), *end_values(a.api, a.tokens)]
        lists = lambda value: {key: [replaced(inner[0], kind[0])] if isinstance(inner, list) and inner else replaced(inner, kind[0])
                               for key, inner in value.items()}
        for value in values:
            if isinstance(value, dict):
                a.send(data(a.api, lists(value)), data(a.api, replaced(value, kind[0])))
            a.send(data(a.api, kind[0] if not isinstance(kind[0], str) else json.dumps(kind[0])))


# Frames


@mode("length-short", "a Content-Length that is too small")
def _(a):
    body = a.pieces() + a.end()
    a.head("200 OK", f"Content-Length: {len(body) // 2}")
    a.send(body)


@mode("length-long", "a Content-Length that is too great")
def _(a):
    body = a.pieces(3)
    a.head("200 OK", f"Content-Length: {len(body) * 2}")
    a.send(body)


@mode("length-negative", "a Content-Length below 0")
def _(a):
    a.head("200 OK", "Content-Length: -5")
    a.send(a.pieces(), a.end())


@mode("length-huge", "a Content-Length that no number holds")
def _(a):
    a.head("200 OK", "Content-Length: 99999999999999999999999")
    a.send(a.pieces(), a.end())


@mode("length-most", "a Content-Length of 2^64 - 1")
def _(a):
    a.head("200 OK", f"Content-Length: {2**64 - 1}")
    a.send(a.pieces(), a.end())


@mode("length-two", "two Content-Lengths")
def _(a):
    a.head("200 OK", "Content-Length: 5", "Content-Length: 500")
    a.send(a.pieces(), a.end())


@mode("length-and-chunks", "a Content-Length, and chunks")
def _(a):
    a.head("200 OK", "Content-Length: 50", "Transfer-Encoding: chunked")
    a.send("5\r\nhello\r\n0\r\n\r\n")


@mode("chunks", "an answer in chunks of a byte, as it should be")
def _(a):
    a.head("200 OK", "Transfer-Encoding: chunked")
    a.send(b"".join(b"1\r\n%c\r\n" % byte for byte in a.pieces() + a.end()), "0\r\n\r\n")


@mode("chunk-bad", "a chunk whose size is no number")
def _(a):
    a.head("200 OK", "Transfer-Encoding: chunked")
    a.send("zz\r\nhello\r\n")


@mode("chunk-negative", "a chunk of a size below 0")
def _(a):
    a.head("200 OK", "Transfer-Encoding: chunked")
    a.send("-5\r\nhello\r\n")


@mode("chunk-huge", "a chunk of 2^64 - 1 bytes")
def _(a):
    a.head("200 OK", "Transfer-Encoding: chunked")
    a.send("FFFFFFFFFFFFFFFF\r\nhello\r\n")


@mode("chunk-over", "a chunk whose size no number holds")
def _(a):
    a.head("200 OK", "Transfer-Encoding: chunked")
    a.send("F" * 40 + "\r\nhello\r\n")


@mode("chunk-cut", "a chunk that ends in its middle")
def _(a):
    a.head("200 OK", "Transfer-Encoding: chunked")
    a.send("FF\r\n", a.pieces(1))


@mode("chunk-trailers", "trailers without end")
def _(a):
    a.head("200 OK", "Transfer-Encoding: chunked")
    body = a.pieces() + a.end()
    a.send(b"%x\r\n%s\r\n0\r\n" % (len(body), body))
    a.forever(b"X-A: x\r\n", 0)


@mode("no-status", "an answer without a head")
def _(a):
    a.send(a.pieces(), a.end())


@mode("garbage", "bytes that are no HTTP")
def _(a):
    a.send(bytes(range(256)) * 40)


@mode("tls", "TLS where there should be none")
def _(a):
    a.send(b"\x15\x03\x01\x00\x02\x02\x0a")


@mode("upgrade", "101 Switching Protocols")
def _(a):
    a.head("101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")


@mode("head-nul", "NUL in a header")
def _(a):
    a.send(b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n", a.pieces(), a.end())


@mode("head-folded", "a header that goes on in the next line")
def _(a):
    a.send(b"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\n\r\n", a.pieces(), a.end())


@mode("head-many", "a thousand headers")
def _(a):
    a.stream(*[f"X-{i}: x" for i in range(1000)])
    a.send(a.pieces(), a.end())


@mode("second-answer", "an answer that nobody asked for, behind the one that was", site="all")
def _(a):
    body = (a.pieces() + a.end()) if a.is_text else json.dumps(documents(a.api).get(a.path, {})).encode()
    for _ in range(2):
        a.head("200 OK", f"Content-Length: {len(body)}")
        a.send(body)


# Ends


@mode("close", "the connection is closed without a word")
def _(a):
    pass


@mode("close-head", "it is closed within the head")
def _(a):
    a.send("HTTP/1.1 200 OK\r\nX-A")


@mode("close-text", "it is closed within the text")
def _(a):
    a.stream()
    a.send(a.pieces(3))


@mode("no-end", "all of the text, and not its end")
def _(a):
    a.stream()
    a.send(a.pieces())


@mode("reset", "the connection is reset without a word")
def _(a):
    a.reset()


@mode("reset-head", "it is reset within the head")
def _(a):
    a.send("HTTP/1.1 200 OK\r\nX-A")
    a.reset()


@mode("reset-text", "it is reset within the text")
def _(a):
    a.stream()
    a.send(a.pieces(3))
    time.sleep(0.05)
    a.reset()


@mode("reset-document", "it is reset where it is asked what it is", site="docs")
def _(a):
    a.reset()


@mode("gone", "the server ends at the first text after the probe")
def _(a):
    a.server.listener.close()
    a.reset()


@mode("after-end", "more of the text after its end")
def _(a):
    a.stream()
    a.send(a.pieces(), a.end(), a.pieces())


@mode("two-answers", "two answers in one")
def _(a):
    a.stream()
    a.send(a.pieces(), a.end(), a.pieces(), a.end())


@mode("reason-unknown", "it ended for a reason that nobody knows")
def _(a):
    a.stream()
    a.send(a.pieces(), a.end(reason="moonrise"))


@mode("error-in-stream", "an error in the middle of the text")
def _(a):
    a.stream()
    a.send(a.pieces(3), data(a.api, {"error": {"message": "out of memory", "code": [1, {"a": None}]}}))


@mode("error-not-text", "an error that is no text")
def _(a):
    a.stream()
    a.send(data(a.api, {"error": [[["x" * 5000]]]}))


# Refusals

for _status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "405 Method Not Allowed",
                "408 Request Timeout", "418 I'm a teapot", "425 Too Early", "429 Too Many Requests",
                "500 Internal Server Error", "503 Service Unavailable"]:

    @mode(f"status-{_status[:3]}", _status)
    def _(a, status=_status):
        a.whole({"error": {"message": "no"}}, status, "Retry-After: 0")


@mode("status-401-document", "401 where it is asked what it is", site="docs")
def _(a):
    a.whole({"error": {"message": "no"}}, "401 Unauthorized", "WWW-Authenticate: Basic")


@mode("status-500-document", "500 where it is asked what it is", site="docs")
def _(a):
    a.whole({"error": {"message": "no"}}, "500 Internal Server Error")


@mode("status-999", "a status that there is not")
def _(a):
    a.whole({}, "999 Moon")


@mode("status-0", "a status that is none")
def _(a):
    a.whole({}, "000 None")


for _name, _after in [("huge", "9" * 30), ("negative", "-5"), ("words", "next week"), ("past", "Thu, 01 Jan 1970 00:00:00 GMT"),
                      ("year", "Fri, 31 Dec 9999 23:59:59 GMT"), ("long", "86400")]:

    @mode(f"retry-{_name}", f"429, with Retry-After: {_after}")
    def _(a, after=_after):
        a.whole({"error": {"message": "slow down"}}, "429 Too Many Requests", f"Retry-After: {after}")


@mode("redirect-loop", "it leads to itself")
def _(a):
    a.whole("", "307 Temporary Redirect", f"Location: {a.path}")


@mode("redirect-away", "it leads to another host")
def _(a):
    a.whole("", "302 Found", "Location: http://192.0.2.1:9/x?key=" + a.key)


@mode("redirect-file", "it leads to a file")
def _(a):
    a.whole("", "302 Found", "Location: file:///etc/passwd")


@mode("redirect-nowhere", "it leads nowhere")
def _(a):
    a.whole("", "302 Found")


@mode("redirect-long", "it leads to an address of fifty thousand letters")
def _(a):
    a.whole("", "302 Found", "Location: http://192.0.2.1/" + "x" * 50_000)


@mode("redirect-document", "what it is, it leads to another host", site="docs")
def _(a):
    a.whole("", "302 Found", "Location: http://192.0.2.1:9/x")


# The key


@mode("key", "the key, in every field", site="all")
def _(a):
    if not a.is_text:
        return a.whole(documents(a.api, " " + a.key).get(a.path, {}))
    if not a.body.get("stream"):
        return a.whole({**a.whole_value(" it is " + a.key, model=a.key), a.key: a.key})
    a.stream()
    if a.api == "openai":
        a.send(data(a.api, {"id": a.key, "model": a.key, "choices": [{"text": a.key, "reasoning_content": a.key, a.key: "x",
                            "logprobs": a.key, "stop_reason": None, "finish_reason": None}]}))
    elif a.api != "shimmy":
        a.send(data(a.api, {**piece_value(a.api, a.key), "thinking": a.key, "model": a.key, a.key: "x", "ponderings": a.key}))
    a.send(a.piece(" it is " + a.key + " and"), a.piece(a.key), a.end(model=a.key))


@mode("key-names", "the key, in the names of its models", site="docs")
def _(a):
    a.whole(documents(a.api, name="other-" + a.key).get(a.path, {}))


@mode("key-samplers", "the key, in the order of the samplers", site="all", apis=("llama-server",))
def _(a):
    if not a.is_text:
        return a.well()
    a.stream()
    a.send(a.pieces(), data(a.api, end_values(a.api, a.tokens, order=["top_k", a.key])[0]))


@mode("key-split", "the key, some letters a piece")
def _(a):
    a.stream()
    parts = [a.key[at : at + 3] for at in range(0, len(a.key), 3)]
    a.send(a.piece(" it is "), *[a.piece(part) for part in parts], a.end())


@mode("key-escaped", "the key, every letter escaped", apis=("openai", "llama-server", "ollama"))
def _(a):
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in a.key).encode()
    if not a.body.get("stream"):
        return a.whole(json.dumps(a.whole_value(" it is XX")).encode().replace(b"XX", escaped))
    a.stream()
    a.send(a.piece(" it is XX").replace(b"XX", escaped), a.end())


@mode("key-escaped-document", "the key, every letter escaped, in every field of what it is", site="docs")
def _(a):
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in a.key)
    a.whole(json.dumps(documents(a.api, "XXXX").get(a.path, {})).replace("XXXX", escaped))


@mode("key-thought", "the key, split over pieces of the thought", apis=("openai", "llama-server", "ollama"))
def _(a):
    a.stream()
    name = "thinking" if a.api == "ollama" else "reasoning_content"
    for letter in a.key:
        value = piece_value(a.api, "")
        (value["choices"][0] if a.api == "openai" else value)[name] = letter
        a.send(data(a.api, value))
    a.send(a.pieces(), a.end())


@mode("key-reason", "the key, for the reason of the end")
def _(a):
    a.stream()
    a.send(a.pieces(), a.end(reason=a.key))


@mode("key-error", "the key, in an error within the text")
def _(a):
    a.stream()
    a.send(a.pieces(3), data(a.api, {"error": {"message": "your key is " + a.key}}))


@mode("key-repetition", "the key, in an error that says that the text repeats itself", apis=("openai", "llama-server", "ollama"))
def _(a):
    a.whole({"error": a.key + " token repeat limit reached " + a.key}, "500 Internal Server Error")


@mode("key-foreign", "the key, in what is no answer")
def _(a):
    a.stream()
    a.send(data(a.api, "<" + "x" * (198 - len(a.key)) + a.key + a.key + ">"))


@mode("key-cut", "the key, in a refusal, at every place at which it could be cut")
def _(a):
    a.server.count += 1
    cut = a.server.count % (len(a.key) + 1)
    a.whole("x" * (400 - cut) + a.key + a.key, "401 Unauthorized")


@mode("key-cut-document", "the same where it is asked what it is", site="docs")
def _(a):
    a.whole("x" * (402 - len(a.key)) + a.key, "401 Unauthorized")


@mode("key-location", "the key, in the place that a redirect leads to")
def _(a):
    a.whole("", "302 Found", f"Location: http://me:{a.key}@192.0.2.1/{a.key}/x?key={a.key}")


@mode("key-location-document", "the same where it is asked what it is", site="docs")
def _(a):
    a.whole("", "302 Found", f"Location: http://me:{a.key}@192.0.2.1/{a.key}/x?key={a.key}")


@mode("key-status", "the key, in the words of the status and in headers")
def _(a):
    a.whole(a.key, f"400 {a.key}", f"{a.key}: {a.key}", f"Retry-After: {a.key}", f"WWW-Authenticate: {a.key}")


@mode("key-chunk", "the key, for the size of a chunk")
def _(a):
    a.head("200 OK", "Transfer-Encoding: chunked")
    a.send(f"{a.key}\r\n{a.key}\r\n")


@mode("key-head", "the key, in the place of a head")
def _(a):
    a.send(f"{a.key} {a.key}\r\n{a.key}\r\n\r\n")


# Lies


@mode("other-model", "it has another model", site="docs")
def _(a):
    a.whole(documents(a.api, name="another").get(a.path, {}))


@mode("no-models", "it has no models", site="docs")
def _(a):
    a.whole({"data": [], "models": []})


@mode("changes", "it is another one each time that it is asked", site="docs")
def _(a):
    a.server.count += 1
    a.whole(documents(a.api, f" {a.server.count}").get(a.path, {}))


@mode("small-context", "it has room for a single token", site="docs")
def _(a):
    a.whole(json.loads(json.dumps(documents(a.api)).replace("4096", "1")).get(a.path, {}))


@mode("others-text", "the text that somebody else asked for")
def _(a):
    a.words_of, a.server.last = a.server.last or a.words_of, a.words_of
    a.stream()
    a.send(a.pieces(), a.end())


@mode("random", "another text each time")
def _(a):
    a.words_of += str(time.monotonic_ns())
    a.stream()
    a.send(a.pieces(), a.end())


@mode("lies-count", "another number of tokens than it sent")
def _(a):
    a.stream()
    a.send(a.pieces(), a.end(usage=1))


@mode("too-many", "ten times the tokens that were asked for")
def _(a):
    a.stream()
    a.send(a.pieces() * 10, a.end())


@mode("no-words", "a text without a word")
def _(a):
    a.stream()
    a.send(a.end(reason="stop"))


class Server:
    def __init__(self, port, name, api):
        self.now, name = name.startswith("now-"), name.removeprefix("now-")
        if name not in MODES:
            sys.exit(f"no mode {name!r}: hostile.py --modes lists them")
        _, self.site, _, self.function = MODES[name]
        self.api, self.count, self.last = api, 0, ""
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return time.sleep(600)
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        try:
            asked = self.read(connection)
            if asked is None:
                return
            later = asked.is_text and asked.tokens in PROBE_TOKENS and not self.now and self.site != "all"
            concerns = self.site == "all" or (self.site == "text") == asked.is_text
            self.function(asked) if concerns and not later else asked.well()
        except OSError:
            pass  # The client is gone, as it may.
        except Exception:
            traceback.print_exc()
        finally:
            connection.close()

    def read(self, connection):
        received = b""
        while b"\r\n\r\n" not in received:
            part = connection.recv(65536)
            if not part:
                return None
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            part = connection.recv(65536)
            if not part:
                return None
            body += part
        return Asked(self, connection, first.split()[1], headers, body)


def modes(api="openai"):
    return {name: description for name, (description, _, apis, _) in MODES.items() if api in apis}


def main(arguments):
    api = arguments[2] if len(arguments) > 2 else "openai"
    if arguments[:1] == ["--modes"]:
        for name, description in modes(arguments[1] if len(arguments) > 1 else "openai").items():
            print(f"{name}\t{description}")
    elif len(arguments) in (2, 3) and api in APIS:
        server = Server(int(arguments[0]), arguments[1], api)
        print(server.port, flush=True)
        server.serve()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
