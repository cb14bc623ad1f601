#!/usr/bin/env python3
"""A hub that does what no hub should: a mode for each way. HF_ENDPOINT points the program at it.

    hostile_hub.py PORT MODE     PORT 0 takes a free one; the port is printed
    hostile_hub.py --modes       the modes, one a line, and what each does

Contents come from a second host (another port), which must never see the token: if it does, FAULT is printed on
stderr. Standard library only; listens on this machine alone.
"""

import hashlib
import os
import socket
import sys
import threading
import time

CONTENTS = os.urandom(100_000)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
MODES = {}


def mode(name, description, site="hub"):
    def register(function):
        MODES[name] = (description, site, function)
        return function

    return register


class Asked:
    def __init__(self, hub, site, connection, head):
        self.hub, self.site, self.connection = hub, site, connection
        first, *lines = head.split("\r\n")
        self.method, self.path = first.split()[:2]
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.key = self.headers.get("authorization", "").removeprefix("Bearer ")

    def send(self, *parts):
        for part in parts:
            self.connection.sendall(part if isinstance(part, bytes) else part.encode())

    def head(self, status, **headers):
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self.send(f"HTTP/1.1 {status}\r\n{lines}Connection: close\r\n\r\n")

    def known(self, **other):
        sha = hashlib.sha256(CONTENTS).hexdigest()
        return {"X_Repo_Commit": COMMIT, "X_Linked_Etag": f'"{sha}"', "X_Linked_Size": len(CONTENTS), "Content_Length": 0,
                "Location": f"{self.hub.cdn}/{sha}", **other}

    def redirect(self, **other):
        self.head("302 Found", **self.known(**other))

    def well(self):
        if self.site == "hub":
            return self.redirect()
        begin = int(self.headers["range"][6:-1]) if "range" in self.headers else 0
        status = "206 Partial Content" if begin else "200 OK"
        self.head(status, Content_Length=len(CONTENTS) - begin, Content_Range=f"bytes {begin}-{len(CONTENTS) - 1}/{len(CONTENTS)}")
        if self.method != "HEAD":
            self.send(CONTENTS[begin:])

    def forever(self, part, pause=0.3):
        while True:
            self.send(part)
            time.sleep(pause)


@mode("silent", "nothing at all")
def _(a):
    a.connection.recv(1)


@mode("drip-head", "a header, a letter now and then")
def _(a):
    a.send("HTTP/1.1 302 Found\r\nX-A: ")
    a.forever(b"x")


@mode("endless-head", "headers without end")
def _(a):
    a.send("HTTP/1.1 302 Found\r\n")
    a.forever(b"X-A: " + b"x" * 1000 + b"\r\n", 0)


@mode("endless-100", "100 Continue without end")
def _(a):
    a.forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 50, 0)


@mode("garbage", "bytes that are no HTTP")
def _(a):
    a.send(bytes(range(256)) * 40)


@mode("html", "a page in the place of an answer")
def _(a):
    a.head("200 OK", Content_Type="text/html", Content_Length=30)
    a.send("<!DOCTYPE html><title>Sign in")


@mode("close", "the connection is closed without a word")
def _(a):
    pass


for _status in ["401 Unauthorized", "403 Forbidden", "404 Not Found", "418 Teapot", "429 Too Many Requests", "500 Error",
                "503 Unavailable", "999 Moon"]:

    @mode(f"status-{_status[:3]}", _status)
    def _(a, status=_status):
        a.head(status, Retry_After=86400, Content_Length=0)


@mode("no-headers", "it says nothing of the file")
def _(a):
    a.head("200 OK", Content_Length=0)


@mode("etag-path", "an entity tag that is a path")
def _(a):
    a.redirect(X_Linked_Etag='"../../../../etc/passwd"')


@mode("etag-long", "an entity tag of ten thousand letters")
def _(a):
    a.redirect(X_Linked_Etag="a" * 10_000)


@mode("commit-path", "a commit that is a path")
def _(a):
    a.redirect(X_Repo_Commit="../" * 10 + "x" * 10)


@mode("size-huge", "a size of 2^64 - 1")
def _(a):
    a.redirect(X_Linked_Size=2**64 - 1)


@mode("size-over", "a size that no number holds")
def _(a):
    a.redirect(X_Linked_Size="9" * 40)


@mode("size-negative", "a size below 0")
def _(a):
    a.redirect(X_Linked_Size=-1)


@mode("size-small", "a size that is too small")
def _(a):
    a.redirect(X_Linked_Size=10)


@mode("size-zero", "a file without a byte")
def _(a):
    a.redirect(X_Linked_Size=0)


@mode("wrong-hash", "another hash than the contents have")
def _(a):
    a.redirect(X_Linked_Etag="0" * 64)


@mode("redirect-loop", "it leads to itself")
def _(a):
    a.head("307 Temporary Redirect", Location=a.path, Content_Length=0)


@mode("redirect-file", "it leads to a file")
def _(a):
    a.redirect(Location="file:///etc/passwd")


@mode("redirect-nowhere", "it leads to what is no address")
def _(a):
    a.redirect(Location="http://[::1:x/")


@mode("redirect-away", "it leads to the other host, before it says anything of the file")
def _(a):
    a.head("302 Found", Location=f"{a.hub.cdn}/x", Content_Length=0)


@mode("redirect-user", "it leads to the other host by way of its own name")
def _(a):
    a.redirect(Location=a.hub.cdn.replace("http://", f"http://127.0.0.1:{a.hub.port}@") + "/x")


@mode("escapes", "sequences that command a terminal")
def _(a):
    a.head("403 \x1b[2JForbidden", Location="\x1b]0;pwned\x07", X_Error_Code="\x1b[2J", Content_Length=0)


@mode("key", "the token, in every header")
def _(a):
    a.head(f"302 {a.key}", Location=f"http://me:{a.key}@127.0.0.1:9/{a.key}?{a.key}", X_Repo_Commit=a.key, X_Linked_Etag=a.key,
           ETag=a.key, X_Linked_Size=a.key, X_Error_Code=a.key)


@mode("key-etag", "the token for the name of the contents")
def _(a):
    a.redirect(X_Linked_Etag=f'"{a.key}"', Location=a.path)
    a.hub.count += 1


@mode("key-location", "the token, in the place that it leads to")
def _(a):
    a.redirect(Location=f"http://127.0.0.1:9/{a.key}/x")


@mode("key-loop", "the token, in a place of its own that leads on and on")
def _(a):
    a.head("302 Found", Location=f"/{a.key}/x", Content_Length=0)


@mode("key-error", "the token, in the reason of a refusal")
def _(a):
    a.head(f"500 {a.key}", X_Error_Code=a.key, Content_Length=0)


@mode("contents-cut", "contents that end in their middle, each time", "cdn")
def _(a):
    a.head("200 OK", Content_Length=len(CONTENTS))
    a.send(CONTENTS[:1000])


@mode("contents-more", "more contents than there are", "cdn")
def _(a):
    a.head("200 OK")
    a.forever(CONTENTS, 0)


@mode("contents-none", "no contents", "cdn")
def _(a):
    a.head("200 OK", Content_Length=0)


@mode("contents-other", "other contents", "cdn")
def _(a):
    a.head("200 OK", Content_Length=len(CONTENTS))
    a.send(bytes(len(CONTENTS)))


@mode("contents-range", "a range that nobody asked for", "cdn")
def _(a):
    a.head("206 Partial Content", Content_Range="bytes 50-99/100", Content_Length=50)
    a.send(CONTENTS[:50])


@mode("contents-reset", "the connection is closed without a word", "cdn")
def _(a):
    pass


class Hub:
    def __init__(self, port, name):
        if name not in MODES:
            sys.exit(f"no mode {name!r}: hostile_hub.py --modes lists them")
        _, self.wrong_site, self.function = MODES[name]
        self.count = 0
        self.listeners = {site: socket.create_server(("127.0.0.1", number)) for site, number in (("hub", port), ("cdn", 0))}
        self.port = self.listeners["hub"].getsockname()[1]
        self.cdn = f"http://127.0.0.1:{self.listeners['cdn'].getsockname()[1]}"

    def serve(self, site):
        while True:
            connection, _ = self.listeners[site].accept()
            threading.Thread(target=self.answer, args=(site, connection), daemon=True).start()

    def answer(self, site, connection):
        try:
            received = b""
            while not received.endswith(b"\r\n\r\n"):
                part = connection.recv(65536)
                if not part:
                    return
                received += part
            asked = Asked(self, site, connection, received.decode("latin-1").strip())
            if site == "cdn" and asked.headers.get("authorization", "").startswith("Bearer"):
                print("FAULT: the token was shown to another host", file=sys.stderr, flush=True)
            self.function(asked) if site == self.wrong_site else asked.well()
        except OSError:
            pass  # The client is gone, as it may.
        finally:
            connection.close()


def main(arguments):
    if arguments == ["--modes"]:
        for name, (description, _, _) in MODES.items():
            print(f"{name}\t{description}")
    elif len(arguments) == 2:
        hub = Hub(int(arguments[0]), arguments[1])
        print(hub.port, flush=True)
        threading.Thread(target=hub.serve, args=("cdn",), daemon=True).start()
        hub.serve("hub")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
