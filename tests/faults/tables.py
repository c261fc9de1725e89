"""The faults: what may happen to one request, row by row."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import signal
import time
import zlib
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import parse_qsl

from faults.proxy import Exchange, Fault, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Says = Literal["done", "refused", "unknown"]
JSON = ("Content-Type", "application/json")
INJECTED = "zq-injected"  # what a text of a fault would do to a runner, if it were obeyed
COMMANDS = (
    f"::error title={INJECTED}::{INJECTED}\n  ::set-output name=copied::{INJECTED}\n::add-mask::{INJECTED}\n"
    f"::stop-commands::{INJECTED}\n##[error]{INJECTED}\n##vso[task.setvariable variable=x]{INJECTED}\n"
    f"##teamcity[message text='{INJECTED}']\n\x1b[31m{INJECTED}\x1b]0;{INJECTED}\x07\x9b31m\u202e\u2028\r::debug::{INJECTED}"
)


# --- Connections ----------------------------------------------------------------------------------------


def _tls_record(exchange: Exchange) -> None:
    exchange.send(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(range(120)))


def _partly_read(exchange: Exchange) -> None:
    exchange.connection.recv(20)
    exchange.reset()


def _greeting(exchange: Exchange) -> None:
    exchange.connection.recv(1 << 16)
    exchange.send(b"\x15\x03\x01\x00\x02\x02\x28")


def _handshake_drip(exchange: Exchange) -> None:
    exchange.connection.recv(1 << 16)
    exchange.drip(itertools.chain([b"\x16\x03\x03\x3f\xff"], itertools.repeat(b"\0")))


CONNECTIONS = [
    Fault("refused", "refused", Exchange.reset, "connect", before="refused"),
    Fault("refused-once", "refused", Exchange.reset, "connect", before="refused", once=True),
    Fault("reset-connect", "reset", Exchange.reset, "connect"),
    Fault("reset-in", "reset", _partly_read, "begin"),
    Fault("reset", "reset", Exchange.reset),
    Fault("reset-once", "reset", Exchange.reset, once=True),
    Fault("closed-connect", "closed", lambda _: None, "connect"),
    Fault("closed-in", "closed", lambda exchange: _ignore(exchange.connection.recv(20)), "begin"),
    Fault("closed", "closed", lambda _: None),
    Fault("closed-once", "closed", lambda _: None, once=True),
    Fault("stale", "closed", lambda _: None, "request", before="stale", once=True),
    Fault("silent", "silent", Exchange.wait, slow=True),
    Fault("silent-connect", "silent", Exchange.wait, "connect", slow=True),
    Fault("silent-once", "silent", Exchange.wait, slow=True, once=True),
    Fault("tls-record", "tls", _tls_record),
    Fault("ssh", "tls", lambda exchange: _ignore(exchange.send(b"SSH-2.0-OpenSSH_9.6\r\n"))),
    Fault("no-http", "tls", lambda exchange: _ignore(exchange.send(b'{"status": "ok"}'))),
    Fault(
        "https-http", "tls", lambda exchange: _ignore(exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")), "connect", tls=True
    ),
    Fault("https-alert", "tls", _greeting, "connect", tls=True),
    Fault("https-record", "tls", _tls_record, "connect", tls=True),
    Fault("https-closed", "tls", lambda _: None, "connect", tls=True),
    Fault("https-silent", "tls", Exchange.wait, "connect", tls=True, slow=True),
    Fault("https-drip", "tls", _handshake_drip, "connect", tls=True, slow=True),
]


def _ignore(_: object) -> None:
    """For an expression where a statement is needed."""


# --- Statuses and bodies --------------------------------------------------------------------------------


class Body(NamedTuple):
    """A kind of body; `says` is what it tells of a write with a 2xx status."""

    make: Callable[[Exchange], bytes]
    says: Says = "unknown"
    headers: tuple[tuple[str, str], ...] = (JSON,)
    length: str = ""  # instead of the true Content-Length


def _json(**fields: Any) -> Callable[[Exchange], bytes]:
    data = json.dumps(fields).encode()
    return lambda _: data


def _fail(code: int, message: str = "Something else") -> Callable[[Exchange], bytes]:
    return _json(status="fail", code=code, message=message)


def credentials(exchange: Exchange) -> str:
    """Every credential of a request, in each spelling that a careless server may repeat."""
    if exchange.request is None:
        return ""
    sent = exchange.request.headers.get("Authorization", "")
    found = [sent, sent.partition(" ")[2], exchange.request.headers.get("X-OIDC-Config-Key", "")]
    if sent.startswith("Basic "):
        pair = base64.b64decode(sent.removeprefix("Basic ")).decode()
        found += [pair, pair.partition(":")[2]]
    form = dict(parse_qsl(exchange.request.body.decode("utf-8", "replace")))
    found += [text for name, text in form.items() if "secret" in name or "assertion" in name or "token" in name]
    return " ".join(filter(None, found))


def _cut(exchange: Exchange) -> bytes:
    """An echo that every limit on the length of a message cuts somewhere."""
    echo = credentials(exchange)
    return json.dumps({"status": "fail", "code": 5, "message": "x" * 80 + (" " + echo) * 200}).encode()


_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1><p>Support: <a href='http://x'>x</a></body></html>"
TEXT, HTML = (("Content-Type", "text/plain"),), (("Content-Type", "text/html"),)
BODIES: dict[str, Body] = {
    "empty": Body(lambda _: b""),
    "object": Body(lambda _: b"{}"),
    "ok": Body(_json(status="ok"), "done"),
    "queued": Body(_json(status="queued")),
    "list": Body(lambda _: b"[]"),
    "null": Body(lambda _: b"null"),
    "string": Body(lambda _: b'"success"'),
    "true": Body(lambda exchange: exchange.true.body, "done"),
    "fail-1": Body(_fail(1, "Missing or invalid build-id"), "refused"),
    "fail-5": Body(_fail(5), "refused"),
    "fail-104": Body(_fail(104, "User not found"), "refused"),
    "fail-404": Body(_fail(404, "not found"), "refused"),
    "oauth": Body(_json(error="invalid_client", error_description="Invalid client"), "refused"),
    "text": Body(lambda _: b"upstream connect error or disconnect/reset before headers", headers=TEXT),
    "page": Body(lambda _: _PAGE.format("Sign in to the proxy").encode(), headers=HTML),
    "huge": Body(lambda _: b'{"x": "' + b"a" * (20 << 20) + b'"}'),
    "huge-list": Body(lambda _: b"[" + b"0," * (2 << 20) + b"0]"),
    "deep": Body(lambda _: b"[" * 100_000),
    "deep-object": Body(lambda _: b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    "not-utf8": Body(lambda _: b'{"status": "\xff\xfe\x80", "message": "\xc3("}'),
    "bom": Body(lambda exchange: b"\xef\xbb\xbf" + exchange.true.body, "done"),
    "bom-fail": Body(lambda _: b'\xef\xbb\xbf{"status": "fail", "code": 5, "message": "x"}', "refused"),
    "utf16": Body(lambda exchange: exchange.true.body.decode().encode("utf-16"), "done"),
    "notice": Body(lambda exchange: b"<br />\nNotice: Undefined index in /var/www/x.php\n" + exchange.true.body, "done"),
    "twice": Body(lambda exchange: exchange.true.body * 2, "done"),
    "echo": Body(lambda exchange: json.dumps({"status": "fail", "code": 5, "message": credentials(exchange)}).encode(), "refused"),
    "echo-text": Body(lambda exchange: f"Bad request: {credentials(exchange)}".encode(), headers=TEXT),
    "echo-cut": Body(_cut, "refused"),
    "commands": Body(_fail(5, COMMANDS), "refused"),
    "commands-text": Body(lambda _: COMMANDS.encode(), headers=TEXT),
    "digits": Body(lambda _: b'{"status": "fail", "code": ' + b"9" * 5000 + b"}", "refused"),
    "long-word": Body(_fail(5, "data:" + "aB3" * 30_000 + "\u2026 end"), "refused"),
    "too-short": Body(lambda exchange: exchange.true.body, length="{0}0"),
    "too-long": Body(lambda exchange: exchange.true.body, length="5"),
    "length-text": Body(lambda exchange: exchange.true.body, "done", length="many"),
    "length-negative": Body(lambda exchange: exchange.true.body, "done", length="-1"),
    "gzip-broken": Body(lambda exchange: exchange.true.body, headers=(JSON, ("Content-Encoding", "gzip"))),
    "gzip-cut": Body(lambda exchange: gzip.compress(exchange.true.body)[:-12], headers=(JSON, ("Content-Encoding", "gzip"))),
    "unknown-encoding": Body(lambda exchange: exchange.true.body, "done", headers=(JSON, ("Content-Encoding", "zq"))),
}  # fmt: skip
STATUSES = (
    *(100, 101, 103, 200, 201, 202, 204, 206, 299, 300, 304, 305),
    *(400, 401, 402, 403, 404, 405, 407, 409, 410, 413, 418, 422, 429, 451, 499),
    *(500, 501, 502, 503, 504, 505, 511, 520, 599, 600, 999),
)
_BODILESS = {204, 304}


def _says(status: int, body: Body) -> Says:
    if 400 <= status < 500 or (body.says == "refused" and status not in _BODILESS):
        return "refused"
    return body.says if 200 <= status < 300 and status not in _BODILESS else "unknown"


def _answered(status: int, name: str, body: Body) -> Fault:
    def act(exchange: Exchange) -> None:
        content = body.make(exchange)
        length = body.length.format(len(content)) or str(len(content))
        reply = Reply(status, "Whatever", body.headers, content)
        exchange.send(reply.head(Content_Length=length, Connection="close") + content)

    # A client takes an explicit refusal, and the true body, for what it is.
    plausible = _says(status, body) != "unknown" or (status in {200, 201, 202, 203, 206, 299} and body.says == "done")
    return Fault(
        f"{status}-{name}", f"status-{min(status // 100, 6)}xx", act, says=_says(status, body), plausible=plausible
    )


ANSWERS = [_answered(status, name, body) for status in STATUSES for name, body in BODIES.items()]

AFTER = {
    "0": "0",
    "1": "1",
    "negative": "-1",
    "word": "soon",
    "past": "Wed, 21 Oct 2015 07:28:00 GMT",
    "power": "\u00b2".encode().decode("latin-1"),
    "digits": "0" * 5000 + "1",
    "fraction": "0.5",
    "nan": "nan",
    "two": "1, 1",
    "date": "Mon, 99 Foo 99999 99:99:99 GMT",
}


def _later(status: int, name: str, value: str, *, once: bool) -> Fault:
    def act(exchange: Exchange) -> None:
        reply = Reply(status, "Later", (*TEXT, ("Retry-After", value)), b"Come back later")
        exchange.send(reply.raw(Connection="close"))

    says: Says = "refused" if status == 429 else "unknown"
    suffix = "-once" if once else ""
    return Fault(f"{status}-after-{name}{suffix}", "retry-after", act, says=says, once=once, plausible=False)


RETRY_AFTER = [
    _later(status, name, value, once=once) for status in (429, 503) for name, value in AFTER.items() for once in (False, True)
]  # fmt: skip


# --- Redirects ------------------------------------------------------------------------------------------

TARGETS: dict[str, Callable[[Exchange], str | None]] = {
    "same-host": lambda exchange: f"http://{exchange.front.address}/api/1/elsewhere",
    "relative": lambda _: "/api/1/elsewhere",
    "loop": lambda exchange: exchange.request.path if exchange.request else "/",
    "other-host": lambda exchange: f"http://{exchange.front.stranger.address}/taken?Signature=zq-signature-4711",
    "other-name": lambda exchange: f"http://localhost:{exchange.front.stranger.address.partition(':')[2]}/taken",
    "https": lambda exchange: f"https://{exchange.front.stranger.address}/taken",
    "no-scheme": lambda exchange: f"//{exchange.front.stranger.address}/taken",
    "user": lambda exchange: f"http://user:zq-password-4711@{exchange.front.stranger.address}/taken",
    "file": lambda _: "file:///etc/passwd",
    "script": lambda _: "javascript:alert(1)",
    "broken-port": lambda _: "http://127.0.0.1:port/",
    "big-port": lambda _: "http://127.0.0.1:99999999/",
    "broken-ipv6": lambda _: "http://[::1/",
    "binary": lambda _: "http://\xff\xfe\x00/",
    "empty": lambda _: "",
    "none": lambda _: None,
    "long": lambda exchange: f"http://{exchange.front.address}/" + "a" * 60_000,
    "echo": lambda exchange: f"http://{exchange.front.stranger.address}/{credentials(exchange).replace(' ', '/')}",
    "commands": lambda exchange: f"http://{exchange.front.stranger.address}/::error::{INJECTED}##[error]{INJECTED}",
}


def _redirected(status: int, name: str, target: Callable[[Exchange], str | None]) -> Fault:
    def act(exchange: Exchange) -> None:
        where = target(exchange)
        headers = () if where is None else (("Location", where.replace("\0", "")),)
        exchange.send(Reply(status, "Moved", headers, b"<a>moved</a>").raw(Connection="close"))

    return Fault(f"{status}-to-{name}", "redirect", act, plausible=False)


REDIRECTS = [
    _redirected(status, name, target) for status in (301, 302, 303, 307, 308) for name, target in TARGETS.items()
]


# --- Layers: cut off, drop by drop, without an end ------------------------------------------------------

_LAYERED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_CHUNKED = _LAYERED + b"Transfer-Encoding: chunked\r\n\r\n"
_GZIPPED = _LAYERED + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
_EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"  # a stored block of deflate that holds nothing


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _begun_gzip() -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(b"") + packer.flush(zlib.Z_SYNC_FLUSH)


def _half(exchange: Exchange) -> bytes:
    return exchange.true.body[: len(exchange.true.body) // 2]


CUT: dict[str, Callable[[Exchange], bytes]] = {
    "status-line": lambda _: b"HTTP/1.1 20",
    "head": lambda _: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Le",
    "blank-line": lambda _: _LAYERED + b"Content-Length: 100\r\n",
    "body": lambda exchange: exchange.true.head(Content_Length=str(len(exchange.true.body))) + _half(exchange),
    "chunk": lambda exchange: _CHUNKED + _chunk(exchange.true.body)[:-10],
    "chunk-size": lambda exchange: _CHUNKED + _chunk(exchange.true.body) + b"1",
    "last-chunk": lambda exchange: _CHUNKED + _chunk(exchange.true.body),
    "trailers": lambda exchange: _CHUNKED + _chunk(exchange.true.body) + b"0\r\nX-Later: 1\r\n",
    "broken-chunk": lambda exchange: _CHUNKED + b"zz\r\n" + exchange.true.body + b"\r\n0\r\n\r\n",
    "gzip": lambda exchange: _GZIPPED + _chunk(gzip.compress(exchange.true.body)[:-15]) + b"0\r\n\r\n",
    "length-and-chunks": lambda exchange: (
        _LAYERED
        + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        + _chunk(exchange.true.body)
        + b"0\r\n\r\n"
    ),
    "two-answers": lambda exchange: exchange.true.raw() + Reply(200, "OK", (JSON,), b'{"status": "fail"}').raw(),
    "no-length": lambda exchange: _LAYERED + b"\r\n" + exchange.true.body,
}
# Of these the client gets all of the true answer, or may: they are no lies about a GET.
_WHOLE = {"last-chunk", "trailers", "length-and-chunks", "two-answers", "no-length"}
TRUNCATED = [
    Fault(
        f"cut-{name}",
        "truncated",
        lambda exchange, make=make: _ignore(exchange.send(make(exchange))),  # type: ignore[misc]
        says="done" if name in _WHOLE else "unknown",
        plausible=name in _WHOLE,
    )
    for name, make in CUT.items()
]


def _letters(text: bytes) -> Iterator[bytes]:
    for number in text:
        yield bytes([number])


def _lines(exchange: Exchange, start: bytes, line: bytes) -> None:
    exchange.drip(itertools.chain([start], itertools.repeat(line)))


_MOVED = b"HTTP/1.1 302 Found\r\nLocation: /api/1/elsewhere\r\nContent-Length: 999999999\r\n\r\n"
DRIPS: dict[str, Callable[[Exchange], None]] = {
    "status-line": lambda exchange: exchange.drip(_letters(b"HTTP/1.1 200 " + b"O" * 4000)),
    "header-byte": lambda exchange: _lines(exchange, b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
    "header-line": lambda exchange: _lines(exchange, b"HTTP/1.1 200 OK\r\n", b"X-Slow: a\r\n"),
    "100-continue": lambda exchange: _lines(exchange, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "103-hints": lambda exchange: _lines(exchange, b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "redirect-body": lambda exchange: _lines(exchange, _MOVED, b"a"),
    "error-body": lambda exchange: _lines(exchange, b"HTTP/1.1 503 Busy\r\nContent-Length: 99999\r\n\r\n", b"a"),
    "body": lambda exchange: _lines(exchange, _LAYERED + b"Content-Length: 999999999\r\n\r\n", b" "),
    "body-without-length": lambda exchange: _lines(exchange, _LAYERED + b"\r\n", b" "),
    "chunks": lambda exchange: _lines(exchange, _CHUNKED, _chunk(b" ")),
    "chunk-size": lambda exchange: _lines(exchange, _CHUNKED, b"0"),
    "chunk-extension": lambda exchange: _lines(exchange, _CHUNKED + b"1;x=", b"a"),
    "trailers": lambda exchange: _lines(exchange, _CHUNKED + _chunk(exchange.true.body) + b"0\r\n", b"X-Slow: a\r\n"),
    "gzip": lambda exchange: _lines(exchange, _GZIPPED + _chunk(_begun_gzip()), _chunk(_EMPTY_BLOCK)),
    "deflate": lambda exchange: _lines(exchange, _GZIPPED.replace(b"gzip", b"deflate"), _chunk(_EMPTY_BLOCK)),
}
DRIPPED = [Fault(f"drip-{name}", "dripped", act, slow=True, plausible=False) for name, act in DRIPS.items()]


def _flooded(start: bytes, piece: bytes) -> Callable[[Exchange], None]:
    def act(exchange: Exchange) -> None:
        if exchange.send(start):
            exchange.flood(piece)

    return act


def _bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    block = b" " * (1 << 20)
    return b"".join([*(packer.compress(block) for _ in range(400)), packer.flush()])


def _bombed(exchange: Exchange) -> None:
    bomb = _bomb()
    exchange.send(_LAYERED + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)


_UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\r\n"
_GZIPPED_MOVED = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Encoding: gzip\r\n\r\n"
FLOODS: dict[str, Callable[[Exchange], None]] = {
    "header-lines": _flooded(b"HTTP/1.1 200 OK\r\n", b"X-Many: a\r\n"),
    "header": _flooded(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    "status-line": _flooded(b"HTTP/1.1 200 ", b"O"),
    "100-continue": _flooded(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": _flooded(_LAYERED + b"Content-Length: 99999999999\r\n\r\n" + b'{"x": "', b"a"),
    "body-without-length": _flooded(_LAYERED + b"\r\n", b" "),
    "chunks": _flooded(_CHUNKED, _chunk(b"a" * 1000)),
    "small-chunks": _flooded(_CHUNKED, _chunk(b"a")),
    "chunk-extension": _flooded(_CHUNKED + b"1;x=", b"a"),
    "chunk-size": _flooded(_CHUNKED, b"0"),
    "trailers": _flooded(_CHUNKED + b"0\r\n", b"X-Many: a\r\n"),
    "redirect-body": _flooded(_MOVED, b"a"),
    "redirect-bomb": lambda exchange: _ignore(exchange.send(_GZIPPED_MOVED + _bomb())),
    "error-body": _flooded(_UNAUTHORIZED, b"a"),
    "gzip-nothing": _flooded(_GZIPPED + _chunk(_begun_gzip()), _chunk(_EMPTY_BLOCK * 200)),
    "gzip-bomb": _bombed,
}
ENDLESS = [Fault(f"endless-{name}", "endless", act, slow=True, plausible=False) for name, act in FLOODS.items()]


# --- Signals --------------------------------------------------------------------------------------------


def _signalled(number: signal.Signals, moment: str, *, twice: bool) -> Fault:
    def tell(exchange: Exchange) -> None:
        exchange.run.signal(number)
        if twice:
            time.sleep(0.1)
            exchange.run.signal(number)

    def act(exchange: Exchange) -> None:
        if moment == "before":
            tell(exchange)
            time.sleep(0.05)
        reply = exchange.pass_on().raw()
        if moment == "lost":
            tell(exchange)
            exchange.wait()
            return
        if moment == "in":
            exchange.send(reply[: len(reply) // 2])
            tell(exchange)
            time.sleep(0.05)
            exchange.send(reply[len(reply) // 2 :])
        else:
            exchange.send(reply)
        if moment == "after":
            tell(exchange)

    name = f"{number.name.lower()}-{moment}{'-twice' if twice else ''}"
    return Fault(name, "signal", act, once=True, passes=True, slow=moment == "lost")


SIGNALS = [
    _signalled(number, moment, twice=twice)
    for number in (signal.SIGINT, signal.SIGTERM)
    for moment in ("before", "in", "after", "lost")
    for twice in (False, True)
]

# --- Fields of the true answer --------------------------------------------------------------------------

MISSING = object()
SHAPES: dict[str, Any] = {
    "missing": MISSING,
    "null": None,
    "yes": True,
    "no": False,
    "empty-text": "",
    "text": "zq-other",
    "commands": COMMANDS,
    "zero": 0,
    "negative": -1,
    "big": 10**400,
    "digits": "9" * 5000,
    "float": 1e308,
    "nan": float("nan"),
    "empty-list": [],
    "list": ["ghost"],
    "numbers": [7],
    "nested-list": [["ghost"]],
    "list-with-null": ["ghost", None],
    "objects": [{"id": 9}],
    "empty-object": {},
    "object": {"1": "ghost"},
    "nested-object": {"name": {"name": {"name": "ghost"}}},
}
_SCALAR = (str, int, float, bool, type(None))


def fields_of(reply: Reply) -> list[tuple[str | int, ...]]:
    """Every field of a JSON answer; of a list, those of its first item."""
    try:
        data = json.loads(reply.body)
    except ValueError:
        return []

    def walk(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
        if path:
            yield path
        if isinstance(value, dict):
            for name, one in value.items():
                yield from walk(one, (*path, name))
        elif isinstance(value, list) and value:
            yield from walk(value[0], (*path, 0))

    return list(walk(data, ()))


def _value_at(data: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        data = data[part]
    return data


def changed_field(path: tuple[str | int, ...], shape: str, recorded: Reply) -> Fault:
    """The true answer, but for one field of it."""
    value = SHAPES[shape]
    was = _value_at(json.loads(recorded.body), path)
    # A text in place of another text may be true; so may nothing in place of it. A list has to be one.
    # A server may write a list as a text, with commas.
    alike = isinstance(value, _SCALAR) or value is MISSING if isinstance(was, _SCALAR) else type(value) is type(was)
    alike = alike or (isinstance(was, list) and isinstance(value, str) and value != "")

    def act(exchange: Exchange) -> None:
        reply = exchange.true
        try:
            data = json.loads(reply.body)
            holder = _value_at(data, path[:-1])
            if value is MISSING:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
        except (ValueError, LookupError, TypeError):
            exchange.send(reply.raw(Connection="close"))  # an answer that is not the one of the clean run
            return
        exchange.send(reply._replace(body=json.dumps(data).encode()).raw(Connection="close"))

    name = f"field:{'.'.join(map(str, path))}={shape}"
    return Fault(name, "field", act, says="done", plausible=alike, field=path, shape=shape)


SHORT = [*CONNECTIONS, *TRUNCATED, *DRIPPED, *ENDLESS]  # the tables of which each request gets all
FIXED = {fault.name: fault for fault in [*SHORT, *RETRY_AFTER, *REDIRECTS, *ANSWERS, *SIGNALS]}
