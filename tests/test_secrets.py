"""No secret comes out: every step through every failure, with every way to sign in, in every place.

Each run is a process as a CI system starts it. What it left (stdout, stderr, every file and its name) is searched
for each secret that it knew, in each spelling. Only GitHub's mask commands may have them, and come first.
"""

from __future__ import annotations

import base64
import html
import io
import itertools
import json
import os
import pickle
import pprint
import re
import signal
import ssl
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

import pytest
import trustme

from appdist_emulator import Emulator
from appdist_emulator.seed import default_seed
from harness import ANDROID, EMAIL, NEWEST_ANDROID
from identity import AUDIENCE, CLIENT_ID, GITLAB_SUBJECT, Flavour, IdentityProvider, Trust
from sauce_appdist import Client
from sauce_appdist.auth.oidc import Provider, Token, TokenHttp
from sauce_appdist.ci.github import GitHub
from sauce_appdist.ci.gitlab import GitLab
from sauce_appdist.ci.terminal import JsonOutput, Terminal
from sauce_appdist.cli import _problem, main
from sauce_appdist.errors import AppDistError, InputError
from sauce_appdist.interface.environment import gather, parse
from sauce_appdist.interface.inputs import ConnectionInputs, is_secret
from sauce_appdist.steps import STEPS, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# --- What must not come out -------------------------------------------------------------------------

PERCENT = "k%41%zz-%0A-qwvx/100%+it=&?#~zjq"  # what a URL would change
QUOTES = "q\"u'o\\te<zjx>&amp;|*`wqk`$%;"  # what JSON, HTML, CSV, Python and Markdown would change
WORD = "Northwin"  # eight characters, in every app's name
DIGITS = "13572468"
CONFIG_KEY = "cfg-zq77-xkv9"
STATIC_TOKEN = f"tkn.{CONFIG_KEY}.qqw8-zzy3"  # the one secret is part of the other
CLIENT_SECRET = "cs:zq\"5%/x'\\w+v=&jqz"
PROXY_PASSWORD = "prx%zq-81-wvy"
PROXY_USER = "proxyuser"
LEFT_OVER = "left-over-zq-4711"  # of another way to sign in, which is not used


def spellings(secret: str) -> set[str]:
    """How a secret may be written; parts too short to be told from other text are left out."""
    found: set[str] = set()
    for part in {secret, secret.strip(), *(line.strip() for line in secret.splitlines())}:
        quoted = {quote(part, safe=safe) for safe in ("", "/", "/-._~")} | {quote_plus(part)}
        found |= {part, part.replace("\\", ""), part.replace('"', '""'), part.replace("%", "%25"), *quoted}
        found |= {re.sub("%..", lambda code: code[0].lower(), one) for one in quoted}
        found |= {json.dumps(part)[1:-1], repr(part)[1:-1], html.escape(part)}
        found |= {base64.b64encode(part.encode()).decode(), base64.urlsafe_b64encode(part.encode()).decode()}
    return {one for one in found if len(one) >= 8}


def found_in(text: str, secrets: Sequence[str]) -> list[str]:
    """Which secrets, or which twelve letters of a long one, stand in a text; each with what is around it."""
    texts = (text, text.replace("\\", ""), text.replace("\u200b", ""))
    folded = "\n".join(dict.fromkeys(texts)).casefold()
    found = []
    for secret in secrets:
        wanted = next((one for one in spellings(secret) if any(one in text for text in texts)), None)
        if not wanted and len(secret) >= 16 and not JWT.match(secret):
            written = {secret, quote(secret, safe="/"), quote(secret, safe=""), json.dumps(secret)[1:-1]}
            windows = {one[at : at + 12].casefold() for one in written for at in range(len(one) - 11)}
            wanted = next((window for window in windows if window in folded), None)
        if wanted:
            found.append(f"{secret:.40}: {around(wanted, (*texts, folded))}")
    return found + ([f"a JWT: {around(one[0], texts)}"] if (one := JWT.search(text)) else [])


# Any token of a provider, and any beginning of one that was cut.
JWT = re.compile(r"eyJ[\w-]{8,}")


def around(wanted: str, texts: Sequence[str]) -> str:
    text = next(text for text in texts if wanted in text)
    at = text.index(wanted)
    return repr(f"…{text[max(0, at - 90) : at + min(len(wanted), 40) + 20]}…")


def test_what_is_searched_for_is_found() -> None:
    """The search itself can fail."""
    for secret in (PERCENT, QUOTES, WORD, DIGITS, STATIC_TOKEN, CLIENT_SECRET, "first-line-1\nsecond-line-2"):
        for spelled in spellings(secret):
            assert found_in(f"x{spelled}y", [secret]), spelled
        assert not found_in("nothing of it, though northwind and some words", [secret])
    assert found_in(f"cut: {STATIC_TOKEN[:14]}…", [STATIC_TOKEN])
    assert found_in(f"lower: {STATIC_TOKEN.upper()}", [STATIC_TOKEN])
    assert found_in(re.sub(r"([<>|*`&$'\"])", r"\\\1", QUOTES), [QUOTES])
    assert found_in("eyJhbGciOiJSUzI1NiJ9.e30.x", [])


# --- A service that misbehaves ----------------------------------------------------------------------


@dataclass
class Answer:
    """What goes over the wire; `raw` instead of all that, None of either for a connection that just ends."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    reason: str = "Some reason"
    raw: bytes | None = None
    drop: bool = False
    wait: bool = False


@dataclass(frozen=True)
class Asked:
    """A request, and every credential that it carried."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    carried: tuple[str, ...]
    forward: Callable[[], Answer]

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def echo(self) -> str:
        """Several lines, with each credential as it came and as URLs have it."""
        lines = [f"You sent {one}\r\n  url={quote(one, safe='')}" for one in self.carried]
        return "Nobody should write this down:\n" + "\n".join(lines) + "\n"

    @property
    def one(self) -> str:
        """A single one of them; another one for other paths."""
        return self.carried[len(self.path) % len(self.carried)] if self.carried else "-"


def credentials(headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:
    found: list[str] = []
    for name in ("Authorization", "X-API-Key", "X-OIDC-Config-Key", "Proxy-Authorization"):
        if text := headers.get(name):
            scheme, _, rest = text.rpartition(" ")
            found += [text, rest]
            if scheme == "Basic":
                pair = base64.b64decode(rest).decode()
                found += [pair, pair.partition(":")[2]]
    if body[:1] == b"{":
        found += [str(value) for value in json.loads(body).values()]
    else:
        found += [value for name, value in parse_qsl(body.decode()) if "secret" in name or "token" in name]
        found += [value for name, value in parse_qsl(body.decode()) if "assertion" in name]
    return tuple(dict.fromkeys(found))


def refusal(status: int, asked: Asked, *, code: int = 7, words: str = "") -> Answer:
    said = {"status": "fail", "code": code, "message": f"{words}{asked.echo}"}
    return Answer(status, json.dumps(said).encode(), {"Content-Type": "application/json"})


def echoing(asked: Asked, *, names: bool) -> Answer:
    """The right answer, with a credential in every text that is no id."""
    answer = asked.forward()
    values = itertools.cycle(asked.carried or ("-",))
    groups = asked.path.rstrip("/").endswith("groups")

    def spoil(key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: spoil(name, one) for name, one in value.items()}
        if isinstance(value, list):
            return [spoil(key, one) for one in value]
        if not isinstance(value, str) or key in {"status", "id", "build_id", "projectId"}:
            return value
        if key == "name" and groups and not names:
            return value
        return asked.echo if key == "changelog" else f"{value}/{next(values)}"

    with suppress(ValueError):
        data = spoil("", json.loads(answer.body))
        data |= {"metadata": {"key": asked.one, asked.one: "x"}} if "build_id" in data else {}
        answer.body = json.dumps(data).encode()
    return answer


def lost(asked: Asked) -> Answer:
    answer = asked.forward()
    return refusal(500, asked) if asked.writes else answer


def moved(asked: Asked, to: str) -> Answer:
    return Answer(302, asked.echo.encode(), {"Location": to})


def page(asked: Asked) -> bytes:
    return f"<!DOCTYPE html><html><title>{html.escape(asked.echo)}</title>{asked.echo}</html>".encode()


def with_headers(asked: Asked) -> Answer:
    answer = refusal(401, asked)
    answer.reason = f"No {asked.one}"
    told = dict.fromkeys(("Deprecation", "Sunset", "Retry-After", "Server"), f"{asked.one} {'x' * 30} {asked.one}")
    answer.headers |= told | {"WWW-Authenticate": f'Basic realm="{asked.one}"', "Set-Cookie": f"key={asked.one}"}
    return answer


def disposed(asked: Asked) -> Answer:
    """The right answer, for a file with the credential in its name."""
    name = asked.carried[-1].replace('"', r"\"") if asked.carried else "x"
    answer = asked.forward()
    if "/download" in asked.path:
        answer = Answer(200, b"app", {"Content-Type": "application/octet-stream"})
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.apk"'
    return answer


def wrong_shape(asked: Asked) -> Answer:
    said = {"status": "ok", "builds": asked.echo, "projects": {asked.one: asked.one}, "groups": [[asked.one]]}
    said |= {"build": [asked.echo], "build_id": {asked.one: 1}, "tester_group": asked.echo, "tags": {asked.one: 1}}
    return Answer(200, json.dumps(said).encode(), {"Content-Type": "application/json"})


def huge_number(asked: Asked) -> Answer:
    """What Python's json does not read, and pydantic does: the client's second look fails."""
    said = json.dumps({"status": "ok", "sessions": asked.one, "code": {asked.one: 1}})
    body = said[:-1] + f', "number": {"9" * 5000}}}'
    return Answer(200, body.encode(), {"Content-Type": "application/json"})


def no_number(asked: Asked) -> Answer:
    """A Retry-After that looks like a number to str.isdigit."""
    return Answer(503, asked.echo.encode(), {"Retry-After": f"{DIGITS}\xb2"})


@dataclass(frozen=True)
class Failure:
    """How the service answers, which exit codes may follow, and what the environment adds."""

    answer: Callable[[Asked], Answer]
    codes: set[int]
    shown: bool = False  # whether something of what the service says is told, so that *** must stand somewhere
    env: Mapping[str, str] = field(default_factory=dict)
    base: str = "{front}"
    kind: Literal["", "timeout", "sigterm", "unwritable", "proxy"] = ""


def fine(asked: Asked) -> Answer:
    return asked.forward()


def raw(text: Callable[[Asked], str]) -> Callable[[Asked], Answer]:
    return lambda asked: Answer(raw=text(asked).encode("latin-1", "replace"))


OK, BUG, INPUT, AUTH, API, TRANSPORT, PARTIAL, CANCELLED = 0, 1, 2, 3, 4, 5, 6, 130
BROKEN, ANY = {TRANSPORT, PARTIAL}, {OK, INPUT, AUTH, API, TRANSPORT, PARTIAL}
REFUSED = {INPUT, API}  # a build that is not there is a wrong input
PROXY = f"http://{PROXY_USER}:{quote(PROXY_PASSWORD, safe='')}@127.0.0.1"
JSON, HTML = {"Content-Type": "application/json"}, {"Content-Type": "text/html; charset=utf-8"}
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

FAILURES: dict[str, Failure] = {
    "success": Failure(fine, {OK}),
    "success that echoes": Failure(lambda asked: echoing(asked, names=False), ANY, shown=True),
    "success that echoes names too": Failure(lambda asked: echoing(asked, names=True), ANY, shown=True),
    "401": Failure(lambda asked: refusal(401, asked, code=104), {AUTH}, shown=True),
    "401 in documented words": Failure(
        lambda asked: refusal(401, asked, words="Invalid config key: Token has expired "), {AUTH}, shown=True
    ),
    "403": Failure(lambda asked: refusal(403, asked, code=99), {AUTH}, shown=True),
    "fail with 200": Failure(lambda asked: refusal(200, asked, code=99), {API}, shown=True),
    "fail with 400": Failure(lambda asked: refusal(400, asked, code=1), REFUSED, shown=True),
    "500 as JSON": Failure(lambda asked: refusal(500, asked), {API, PARTIAL}, shown=True),
    "500 as a page": Failure(lambda asked: Answer(500, page(asked), HTML), BROKEN, shown=True),
    "200 as a page": Failure(lambda asked: Answer(200, page(asked), HTML), {API, TRANSPORT, PARTIAL}, shown=True),
    "a text with JSON": Failure(
        lambda asked: Answer(502, f"Headers: {json.dumps(asked.carried)}".encode(), {"Content-Type": "text/plain"}),
        BROKEN,
        shown=True,
    ),
    "503 twice": Failure(
        lambda asked: Answer(503, asked.echo.encode(), {"Retry-After": "0"}), BROKEN, env={"APPDIST_RETRIES": "1"}
    ),
    "429": Failure(lambda asked: Answer(429, asked.echo.encode(), {"Retry-After": asked.one}), {TRANSPORT}),
    "writes are refused": Failure(
        lambda asked: refusal(400, asked) if asked.writes else asked.forward(), {OK, API, PARTIAL}, shown=True
    ),
    "writes are lost": Failure(lost, {OK, API, PARTIAL}, shown=True),
    "headers": Failure(with_headers, {AUTH}, shown=True),
    "content type": Failure(
        lambda asked: Answer(200, b"", {"Content-Type": f"text/{asked.one} {asked.one} {asked.one}"}),
        {OK, API, TRANSPORT, PARTIAL},
    ),
    "file name": Failure(disposed, {OK}),
    "wrong shape": Failure(wrong_shape, {OK, API, TRANSPORT, PARTIAL}),
    "number that is too long": Failure(huge_number, {OK, BUG, API, TRANSPORT, PARTIAL}),
    "redirect within": Failure(lambda asked: moved(asked, f"{asked.path}/?k={quote(asked.one, safe='')}"), BROKEN),
    "redirect to a host": Failure(
        lambda asked: moved(asked, f"http://x:{quote(asked.one, safe='')}@{asked.one}.example/?{asked.one}"), BROKEN
    ),
    "redirect to nowhere": Failure(lambda asked: moved(asked, f"http://[{asked.one}/"), BROKEN),
    "redirect of a kind": Failure(lambda asked: moved(asked, f"{asked.one}://{asked.one}:{asked.one}"), BROKEN),
    "timeout": Failure(lambda _: Answer(wait=True), BROKEN, env={"APPDIST_TIMEOUT": "1s"}, kind="timeout"),
    "dropped": Failure(lambda _: Answer(drop=True), BROKEN, env={"APPDIST_RETRIES": "1"}),
    "cut short": Failure(raw(lambda asked: f"{HEAD}Content-Length: 9999\r\n\r\n{asked.echo}"), BROKEN),
    "no HTTP": Failure(raw(lambda asked: f"{asked.one} {asked.echo}\r\n\r\n"), BROKEN),
    "wrong chunks": Failure(raw(lambda asked: f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{asked.one}\r\n"), BROKEN),
    "wrong encoding": Failure(
        raw(lambda asked: f"{HEAD}Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\n{asked.one}"), BROKEN
    ),
    "no TLS": Failure(fine, {TRANSPORT}, base="{no_tls}"),
    "TLS that nobody trusts": Failure(fine, {TRANSPORT}, base="{tls}"),
    "proxy that is not there": Failure(fine, {TRANSPORT}, env={"HTTPS_PROXY": f"{PROXY}:9"}, kind="proxy"),
    "proxy that echoes": Failure(fine, {TRANSPORT}, env={"HTTPS_PROXY": f"{PROXY}:{{port}}"}, kind="proxy"),
    "proxy that is none": Failure(fine, {INPUT}, env={"HTTPS_PROXY": f"{PROXY}:99x"}, kind="proxy"),
    "proxy of a kind": Failure(
        fine, {INPUT}, env={"HTTPS_PROXY": f"socks5://{PROXY.partition('//')[2]}:9"}, kind="proxy"
    ),
    "SIGTERM": Failure(lambda _: Answer(wait=True), {CANCELLED, PARTIAL}, kind="sigterm"),
    "outputs that cannot be written": Failure(lambda asked: refusal(400, asked), ANY | {BUG}, kind="unwritable"),
}


# --- An identity provider that misbehaves -------------------------------------------------------------


def refused_token(asked: Asked) -> Answer:
    return Answer(401, json.dumps({"error": "invalid_client", "error_description": asked.echo}).encode(), JSON)


PROVIDER_FAILURES: dict[str, tuple[Callable[[Asked], Answer], set[int]]] = {
    "refused": (refused_token, {AUTH}),
    "refused as JSON in a text": (
        lambda asked: Answer(400, json.dumps({"errors": [{"message": json.dumps(asked.carried)}]}).encode()),
        {AUTH},
    ),
    "a page": (lambda asked: Answer(403, page(asked), HTML), {AUTH}),
    "a text": (lambda asked: Answer(400, asked.echo.encode()), {AUTH}),
    "redirect": (lambda asked: moved(asked, f"https://{asked.one}.example/?{asked.one}"), {TRANSPORT}),
    "no token": (
        lambda asked: Answer(200, json.dumps({"access_token": f"{asked.one}\n{asked.one}", "value": 1}).encode()),
        {TRANSPORT},
    ),
    "a list": (lambda asked: Answer(200, json.dumps(asked.carried).encode()), {TRANSPORT}),
    "nesting too deep": (lambda asked: Answer(200, b'{"a":' + b"[" * 99_999 + asked.one.encode()), {BUG, TRANSPORT}),
    "500": (lambda asked: Answer(500, asked.echo.encode()), {TRANSPORT}),
    "no HTTP": (raw(lambda asked: f"{asked.one}\r\n\r\n"), {TRANSPORT}),
}


# --- A storage that misbehaves ------------------------------------------------------------------------------

SIGNATURE = "sgn-zq-0f9d8c7b6a5e4d3c2b1a"


def signed(where: str) -> Callable[[Asked], Answer]:
    """Send a download to the storage, with a signature in the query."""

    def answer(asked: Asked) -> Answer:
        port = asked.headers["Host"].rpartition(":")[2]
        return moved(asked, f"{where.format(port=port)}?X-Amz-Signature={SIGNATURE}&X-Amz-Expires=300")

    return answer


STORAGES: dict[str, tuple[str, Callable[[Asked], Answer]]] = {
    "refuses": ("http://localhost:{port}/storage%20refuses/", lambda asked: Answer(403, asked.path.encode())),
    "refuses as JSON": (
        "http://localhost:{port}/storage%20refuses%20as%20JSON/",
        lambda asked: Answer(400, json.dumps({"status": "fail", "message": asked.path}).encode(), JSON),
    ),
    "shows a page": (
        "http://localhost:{port}/storage%20shows%20a%20page/",
        lambda asked: Answer(200, f"<html>{asked.path}</html>".encode(), HTML),
    ),
    "says no in 200": (
        "http://localhost:{port}/storage%20says%20no%20in%20200/",
        lambda asked: Answer(200, json.dumps({"status": "fail", "message": asked.path}).encode(), JSON),
    ),
    "is busy": ("http://localhost:{port}/storage%20is%20busy/", lambda asked: Answer(503, asked.path.encode())),
    "drops": ("http://localhost:{port}/storage%20drops/", lambda _: Answer(drop=True)),
    "goes in circles": (
        "http://localhost:{port}/storage%20goes%20in%20circles/",
        lambda asked: moved(asked, f"http://localhost:{asked.headers['Host'].rpartition(':')[2]}{asked.path}"),
    ),
    "goes astray": (
        "http://localhost:{port}/storage%20goes%20astray/",
        lambda asked: moved(asked, f"http://elsewhere.example{asked.path}"),
    ),
    "is not there": ("http://localhost:9/x", lambda _: Answer()),
    "has no TLS": ("https://localhost:{port}/x", lambda _: Answer()),
    "has no such port": ("http://localhost:99999/x", lambda _: Answer()),
    "has no name": ("http://[::1/x", lambda _: Answer()),
    "has a bad name": ("https://..a..b/x", lambda _: Answer()),
}


# Everything that a path may begin with.
ANSWERS: dict[str, Callable[[Asked], Answer]] = {
    **{name: failure.answer for name, failure in FAILURES.items()},
    **{f"provider {name}": answer for name, (answer, _) in PROVIDER_FAILURES.items()},
    **{f"to a storage that {name}": signed(where) for name, (where, _) in STORAGES.items()},
    **{f"storage {name}": answer for name, (_, answer) in STORAGES.items()},
    "Retry-After that is none": no_number,
}


# --- The stage --------------------------------------------------------------------------------------------


class Recording(IdentityProvider):
    """Remembers what it signed: nobody else could tell which tokens must not be shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.signed: list[str] = []

    def _sign(self, claims: dict[str, Any], alg: str = "RS256", headers: dict[str, Any] | None = None) -> str:
        self.signed.append(super()._sign(claims, alg, headers))
        return self.signed[-1]


class Front(ThreadingHTTPServer):
    """`/<failure>/<dialect>/<run>/api/…` fails so; what is not to fail goes to the emulator."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, emulators: Mapping[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.emulators = emulators
        self.arrived: dict[str, threading.Event] = {}
        self.signatures: list[str] = []
        self.closing = threading.Event()

    def handle_error(self, *_: Any) -> None:
        """A client that went away is what some of the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _, kind, dialect, run, rest = [*self.path.split("/", 4), "", "", ""][:5]
        headers = dict(self.headers.items())
        asked = Asked(
            self.command,
            self.path,
            headers,
            body,
            credentials(headers, body),
            lambda: self._forwarded(dialect, rest, body),
        )
        answer = ANSWERS[unquote(kind)](asked)
        if run in self.server.arrived and (asked.writes or answer.wait):
            self.server.arrived[run].set()
        if answer.wait:
            self.server.closing.wait(60)
        if answer.raw is not None:
            self.wfile.write(answer.raw)
        if answer.raw is not None or answer.drop or answer.wait:
            return
        self.send_response(answer.status, answer.reason)
        for name, text in {**answer.headers, "Content-Length": str(len(answer.body)), "Connection": "close"}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def do_CONNECT(self) -> None:
        """As a proxy: refuse, and repeat who asked in the reason."""
        self.close_connection = True
        self.send_response(407, " ".join(credentials(dict(self.headers.items()), b"")))
        self.end_headers()

    def _forwarded(self, dialect: str, rest: str, body: bytes) -> Answer:
        link = HTTPConnection("127.0.0.1", self.server.emulators[dialect], timeout=20)
        try:
            link.request(self.command, f"/{rest}", body, dict(self.headers.items()))
            reply = link.getresponse()
            kept = {name: text for name, text in reply.getheaders() if name not in {"Content-Length", "Date", "Server"}}
            if "Location" in kept:
                self.server.signatures.append(kept["Location"].rpartition("Signature=")[2].partition("&")[0])
            return Answer(reply.status, reply.read(), kept)
        finally:
            link.close()

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Stage:
    """Everything that a run talks to."""

    front: Front
    tls: Front
    identity: Recording
    number: count[int] = field(default_factory=count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.front.server_port}"

    def base(self, failure: Failure) -> str:
        tls, no_tls = f"https://127.0.0.1:{self.tls.server_port}", self.url.replace("http:", "https:")
        return failure.base.format(front=self.url, tls=tls, no_tls=no_tls)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with ExitStack() as stack:
        identity = stack.enter_context(Recording())
        identity.trust = Trust(identity, AUDIENCE, GITLAB_SUBJECT)
        identity.github_claims = {"sub": GITLAB_SUBJECT}
        identity.clients = {CLIENT_ID: CLIENT_SECRET}
        seed = default_seed()
        keys = {EMAIL: PERCENT, "word@northwind.example": WORD, "quotes@northwind.example": QUOTES}
        keys["digits@northwind.example"] = DIGITS
        seed["users"] = [{"email": email, "api_key": key, "permissions": ["*:rw"]} for email, key in keys.items()]
        seed["oidc"] = {"config_key": CONFIG_KEY, "tokens": {STATIC_TOKEN: EMAIL}, "user": EMAIL}
        seed["oidc"] |= {"issuer": identity.issuer, "audience": AUDIENCE}
        emulators = {
            "classic": stack.enter_context(Emulator(seed)),
            "compat": stack.enter_context(Emulator(seed, dialect="compat")),
        }
        ports = {name: urlsplit(emulator.url).port or 0 for name, emulator in emulators.items()}
        fronts = [Front(ports), Front(ports)]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        fronts[1].socket = context.wrap_socket(fronts[1].socket, server_side=True, do_handshake_on_connect=False)
        for front in fronts:
            threading.Thread(target=front.serve_forever, args=(0.02,), daemon=True).start()
        yield Stage(fronts[0], fronts[1], identity)
        for front in fronts:
            front.closing.set()
            front.shutdown()
            front.server_close()


# --- The ways to sign in, the places, the commands --------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """What signs in: its environment, and its secrets that are known before."""

    env: Callable[[Stage], dict[str, str]]
    first: tuple[str, ...]
    dialect: str = "classic"
    github: bool = False  # only there
    provider: bool = False  # fetches something
    later: tuple[str, ...] = ()  # what is made of them when it is needed


def oidc(**more: str) -> dict[str, str]:
    return {"APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY} | {
        f"APPDIST_OIDC_{name.upper()}": text for name, text in more.items()
    }


def client(stage: Stage, **more: str) -> dict[str, str]:
    given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "token_url": stage.identity.token_url}
    return oidc(**given, **more)


def job(stage: Stage, provider: str, **more: str) -> dict[str, str]:
    around = stage.identity.github_env if provider == "github" else {}
    return oidc(provider=provider, id_token_audience=AUDIENCE, **more) | around


def exchange(stage: Stage, provider: str, how: str) -> dict[str, str]:
    given = {"exchange": how, "token_url": stage.identity.token_url, "client_id": CLIENT_ID}
    return job(stage, provider, **given)


def basic(email: str, key: str) -> tuple[str, ...]:
    return key, base64.b64encode(f"{email}:{key}".encode()).decode()


# RFC 6749, part 2.3.1: both are form-encoded before they are joined.
_PAIR = f"{CLIENT_ID}:{quote(CLIENT_SECRET, safe='')}"
WAYS: dict[str, Way] = {
    "key with e-mail": Way(lambda _: {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT}, basic(EMAIL, PERCENT)),
    "key that is a word": Way(
        lambda _: {"APPDIST_EMAIL": "word@northwind.example", "APPDIST_API_KEY": f" {WORD}\n"},
        basic("word@northwind.example", WORD),
    ),
    "key alone": Way(lambda _: {"APPDIST_API_KEY": QUOTES}, (QUOTES,), dialect="compat"),
    "token": Way(lambda _: oidc(token=STATIC_TOKEN), (CONFIG_KEY, STATIC_TOKEN)),
    "client credentials": Way(client, (CONFIG_KEY, CLIENT_SECRET), provider=True),
    "client credentials by Basic": Way(
        lambda stage: client(stage, client_auth="basic"),
        (CONFIG_KEY, CLIENT_SECRET),
        provider=True,
        later=(base64.b64encode(_PAIR.encode()).decode(),),
    ),
    "job on GitHub": Way(lambda stage: job(stage, "github"), (CONFIG_KEY,), github=True, provider=True),
    "job on GitLab": Way(lambda stage: job(stage, "gitlab"), (CONFIG_KEY,)),
    "job on GitHub, exchanged": Way(
        lambda stage: exchange(stage, "github", "client-assertion"), (CONFIG_KEY,), github=True, provider=True
    ),
    "job on GitLab, exchanged": Way(
        lambda stage: exchange(stage, "gitlab", "token-exchange"), (CONFIG_KEY,), "compat", provider=True
    ),
}

MORE_WAYS: dict[str, Way] = {
    "key of digits": Way(lambda _: {"APPDIST_API_KEY": DIGITS}, (DIGITS,), dialect="compat"),
    "client credentials as JSON": Way(
        lambda stage: client(stage, token_format="json"), (CONFIG_KEY, CLIENT_SECRET), provider=True
    ),
}
MODES = ("github", "gitlab", "plain", "json", "json on github")
BUILD = {"project-id": ANDROID, "build-id": NEWEST_ANDROID}
COMMANDS: dict[str, tuple[str, dict[str, str]]] = {
    "check": ("check", {}),
    "find": ("find", BUILD),
    "gate": (
        "gate",
        BUILD
        | {"feedback-block-pattern": "(?s).+", "coverage-groups": "QA", "min-coverage": "1%", "min-devices": "1"}
        | {"baseline": "previous", "max-crash-rate-increase": "100%", "require-tags": "x", "gate-mode": "report"},
    ),
    "tag": ("tag", BUILD | {"tags": "a, b"}),
    "annotate": (
        "annotate",
        BUILD | {"release-notes": "Line 1\nLine 2", "metadata": "k=v", "permission-groups": "QA", "tags": "c"},
    ),
    "copy": ("copy", BUILD | {"to-folder": "QA", "copy-groups": "QA"}),
    "invite": ("invite", BUILD | {"groups": "QA", "message": "Hello", "notify": "true"}),
    "promote": (
        "promote",
        BUILD
        | {"to-folder": "QA", "tags": "rc", "release-notes": "Notes", "source-tags": "x", "groups": "QA"}
        | {"notify": "true", "metadata": "k=v"},
    ),
    "download": ("api builds download", BUILD | {"to": "."}),
    "logs": ("api sessions logs", BUILD | {"session-id": "8911052001"}),
    "update": ("api builds update", BUILD | {"tags": "d", "metadata": "k=v", "release-notes": "N"}),
}


def test_everything_is_in_the_table() -> None:
    assert set(STEPS) <= set(COMMANDS)
    for turn in range(len(FAILURES)):
        assert {command for command, _, _ in turns(turn)} == set(COMMANDS)
        assert {way for _, way, _ in turns(turn)} == set(WAYS)
        assert {mode for _, _, mode in turns(turn)} == set(MODES)
    met = {(command, mode) for turn in range(len(FAILURES)) for command, _, mode in turns(turn)}
    assert len(met) == len(COMMANDS) * len(MODES)
    assert {way.provider for way in WAYS.values()} == {True, False}


def turns(turn: int) -> Iterator[tuple[str, str, str]]:
    """Each command, with one way after the other and one place after the other."""
    for number, command in enumerate(COMMANDS):
        way = list(WAYS)[(number + turn) % len(WAYS)]
        mode = MODES[(number + 2 * turn) % len(MODES)]
        if WAYS[way].github:  # elsewhere there is no such identity
            mode = "github" if (number + turn) % 2 else "json on github"
        yield command, way, mode


# --- A run --------------------------------------------------------------------------------------------------


@dataclass
class Ran:
    """What a process left."""

    what: str
    mode: str
    code: int
    out: str
    err: str
    files: dict[str, str]
    secrets: list[str]
    first: list[str]  # what GitHub has to be told before all else
    given: set[str]  # those of them that the environment has
    masks: bool  # whether it had to speak to GitHub

    @property
    def masked(self) -> list[str]:
        lines = [line for line in self.out.splitlines() if line.startswith("::add-mask::")]
        return [line.removeprefix("::add-mask::").replace("%25", "%") for line in lines]

    def leaks(self) -> list[str]:
        """Everything that should not have come out, and every mask that is missing or late."""
        names = "\n".join(self.files)
        kept = [line for line in self.out.split("\n") if not (self.masks and line.startswith("::add-mask::"))]
        places = {"stdout": "\n".join(kept), "stderr": self.err, "names of files": names, **self.files}
        found = [
            f"{self.what}: {place}: {one}" for place, text in places.items() for one in found_in(text, self.secrets)
        ]
        masks = [place for place, text in places.items() if "add-mask" in text]
        found += [f"{self.what}: a mask in {place}" for place in masks]
        if "Traceback" in self.err:
            found.append(f"{self.what}: {self.err}")
        return found + [f"{self.what}: {problem}" for problem in (self._order() if self.masks else ())]

    def _order(self) -> Iterator[str]:
        """Known secrets are masked before anything is said, fetched ones before anything else is."""
        lines = self.out.splitlines()
        first = list(itertools.takewhile(lambda line: line.startswith("::add-mask::"), lines))
        early = {line.removeprefix("::add-mask::").replace("%25", "%") for line in first}
        for secret in self.first:
            # The pair of HTTP Basic is made where all inputs are right.
            if secret not in early and (self.code != INPUT or secret in self.given):
                yield f"{secret!r} is not masked first, but {sorted(early)}"
        for number, line in enumerate(lines):
            # The line that tells of an answer is the last one before its token is known.
            if re.match(r"debug: Asking (for a|GitHub for an ID) token: .* -> 200$", line):
                taken = any(
                    later.startswith(("debug: The access token:", "debug: The job's")) for later in lines[number:]
                )
                if taken and not lines[number + 1].startswith("::add-mask::eyJ"):
                    yield f"no mask follows {line!r}, but {lines[number + 1]!r}"


def environment(stage: Stage, here: Path, way: Way, mode: str, failure: Failure) -> tuple[dict[str, str], list[str]]:
    """What a job has around a step, and which secrets are among it besides those of its way to sign in."""
    environ = {"PATH": os.environ["PATH"], "APPDIST_DEBUG": "true", "APPDIST_RETRIES": "0", "APPDIST_TIMEOUT": "30s"}
    environ |= way.env(stage)
    around: list[str] = []
    broken = failure.kind == "unwritable"
    if "APPDIST_OIDC_PROVIDER" in environ and not way.github:
        environ["APPDIST_ID_TOKEN"] = stage.identity.id_token(AUDIENCE)
        around.append(environ["APPDIST_ID_TOKEN"])
    if mode.endswith("github"):
        place = here / "no" / "such" if broken else here
        environ |= {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(place / "github-output"), "GITHUB_SHA": "8b04f5d8"}
        environ |= {"GITHUB_STEP_SUMMARY": str(place / "summary.md")}
        environ.setdefault("ACTIONS_ID_TOKEN_REQUEST_TOKEN", stage.identity.request_token)
        around.append(stage.identity.request_token)
    elif mode == "gitlab":
        environ |= {"GITLAB_CI": "true", "CI_COMMIT_SHA": "8b04f5d8"}
        environ["CI_PROJECT_DIR"] = str(here / "no" / "such" if broken else here)
    port = str(stage.front.server_port)
    return environ | {name: text.replace("{port}", port) for name, text in failure.env.items()}, around


def run(
    stage: Stage,
    folder: Path,
    command: str,
    way_name: str,
    mode: str,
    answer: str,
    *,
    env: Mapping[str, str] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> Ran:
    """One process; `inputs` are more than the command's own."""
    failure, way = FAILURES.get(answer, FAILURES["success"]), (WAYS | MORE_WAYS)[way_name]
    number = str(next(stage.number))
    here = folder / number
    here.mkdir()
    words, given = COMMANDS[command][0].split(), COMMANDS[command][1] | dict(inputs or {})
    api = words[0] == "api"
    environ, around = environment(stage, here, way, mode, failure)
    dialect = "compat" if command == "download" else way.dialect
    if failure.kind == "proxy":
        later = [PROXY_PASSWORD, base64.b64encode(f"{PROXY_USER}:{PROXY_PASSWORD}".encode()).decode()]
    else:
        later = []
        environ["APPDIST_BASE_URL"] = f"{stage.base(failure)}/{quote(answer)}/{dialect}/{number}"
    if "APPDIST_EMAIL" in environ and not api:
        # As inputs, which leave aside what the job has for another way.
        environ |= {f"APPDIST_INPUT_{name}": environ.pop(f"APPDIST_{name}") for name in ("EMAIL", "API_KEY")}
        environ["APPDIST_OIDC_TOKEN"] = LEFT_OVER
        around.append(LEFT_OVER)
    if api or mode in {"plain", "json"}:
        words += [part for name, text in given.items() for part in (f"--{name}", text)]
    else:
        environ |= {f"APPDIST_{name.upper().replace('-', '_')}": text for name, text in given.items()}
    words += ["--json"] if mode.startswith("json") else []
    full = failure.kind == "unwritable" and (api or mode in {"plain", "json", "json on github"})
    signatures, tokens = len(stage.front.signatures), len(stage.identity.signed)
    arrived = stage.front.arrived[number] = threading.Event()
    files: dict[str, str] = {}
    with ExitStack() as stack:
        started = subprocess.Popen(
            [sys.executable, "-m", "sauce_appdist", *words],
            env=environ | dict(env or {}),
            cwd=here,
            stdin=subprocess.DEVNULL,
            stdout=stack.enter_context(Path("/dev/full").open("wb")) if full else subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        stack.enter_context(started)
        if failure.kind in {"timeout", "sigterm"}:
            assert arrived.wait(30), f"{command}, {way_name} asked nothing"
            files["arguments"] = Path(f"/proc/{started.pid}/cmdline").read_text()
            assert "sauce_appdist" in files["arguments"]
        if failure.kind == "sigterm":
            started.send_signal(signal.SIGTERM)
        said, told = started.communicate(timeout=60)
    del stage.front.arrived[number]
    for path in (path for path in here.rglob("*") if path.is_file()):
        # An app may have any word in it.
        files[str(path.relative_to(here))] = "" if command == "download" else path.read_text(errors="replace")
    fetched = [*stage.front.signatures[signatures:], *stage.identity.signed[tokens:]]
    return Ran(
        f"{command}, {way_name}, {mode}, {answer}",
        mode,
        started.returncode,
        (said or b"").decode(),
        told.decode(),
        files,
        [*way.first, *way.later, *around, *later, *fetched],
        [*way.first, *around],
        {text.strip() for text in environ.values()},
        masks=mode == "github" and not api,
    )


def check(runs: Sequence[Ran], codes: set[int], *, shown: bool = False) -> None:
    wrong = [f"{ran.what}: exit code {ran.code}\n{ran.out}{ran.err}" for ran in runs if ran.code not in codes]
    leaks = [leak for ran in runs for leak in ran.leaks()]
    assert not leaks, "\n".join(leaks)
    assert not wrong, "\n".join(wrong)
    if shown:  # else it would be no wonder
        assert any("***" in f"{ran.out}{ran.err}{ran.files}" for ran in runs)


@pytest.mark.parametrize("failure", FAILURES)
def test_every_step_and_every_way_through(stage: Stage, tmp_path: Path, failure: str) -> None:
    turn = list(FAILURES).index(failure)
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda row: run(stage, tmp_path, row[0], row[1], row[2], failure), turns(turn)))
    expected = FAILURES[failure]
    check(runs, expected.codes, shown=expected.shown)
    for ran in runs:
        if ran.mode.startswith("json") and expected.kind != "unwritable" and ran.out:
            json.loads(ran.out)


def shown_by(runs: Sequence[Ran], text: str) -> bool:
    return any(text in ran.out + ran.err for ran in runs)


@pytest.mark.parametrize("way", ["key with e-mail", "key alone"])
def test_a_credential_with_odd_letters_in_every_answer(stage: Stage, tmp_path: Path, way: str) -> None:
    """Names, tags and links are made of answers, each escaped in its own way."""
    rows = [(step, mode) for step in ("find", "promote", "annotate") for mode in MODES[:4]]
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda row: run(stage, tmp_path, row[0], way, row[1], "success that echoes"), rows))
    check(runs, ANY, shown=True)


FETCHING = [name for name, way in (WAYS | MORE_WAYS).items() if way.provider]


@pytest.mark.parametrize("failure", PROVIDER_FAILURES)
def test_every_way_through_a_provider(stage: Stage, tmp_path: Path, failure: str) -> None:
    """A token is asked for in vain, by each step and in each way."""
    turn = list(PROVIDER_FAILURES).index(failure)
    url = f"{stage.url}/{quote(f'provider {failure}')}/token"

    def one(number: int) -> Ran:
        way = FETCHING[(number + turn) % len(FETCHING)]
        mode = MODES[(number + 2 * turn) % len(MODES)]
        if (WAYS | MORE_WAYS)[way].github:
            mode = "github" if (number + turn) % 2 else "json on github"
        env = {"ACTIONS_ID_TOKEN_REQUEST_URL": url} if way == "job on GitHub" else {"APPDIST_OIDC_TOKEN_URL": url}
        return run(stage, tmp_path, list(COMMANDS)[number], way, mode, "success", env=env)

    assert len(STEPS) >= len(FETCHING)
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(one, range(len(STEPS))))
    check(runs, PROVIDER_FAILURES[failure][1])
    assert shown_by(runs, "token")


@pytest.mark.parametrize("flavour", get_args(Flavour))
def test_a_provider_that_repeats_what_it_was_sent(stage: Stage, tmp_path: Path, flavour: Flavour) -> None:
    """A real one, in each product's way to say no: with the client's secret, and with the job's ID token."""
    turn = get_args(Flavour).index(flavour)
    with Recording(flavour=flavour, echoes=True, scopes={"other"}, clients={CLIENT_ID: CLIENT_SECRET}) as careless:
        careless.trust = Trust(careless, AUDIENCE, "somebody else")
        env = {"APPDIST_OIDC_TOKEN_URL": careless.token_url, "APPDIST_OIDC_SCOPE": "wanted"}
        ways = [FETCHING[turn % 2], "client credentials as JSON", "job on GitLab, exchanged"]
        commands = [list(STEPS)[(turn + number) % len(STEPS)] for number in range(len(ways))]
        modes = ["github", MODES[turn % 5], "gitlab"]
        with ThreadPoolExecutor(3) as pool:
            runs = list(
                pool.map(
                    lambda row: run(stage, tmp_path, row[0], row[1], row[2], "success", env=env),
                    zip(commands, ways, modes, strict=True),
                )
            )
        assert careless.token_requests
    check(runs, {AUTH, TRANSPORT}, shown=flavour not in {"html", "adfs-html", "empty", "not-json"})


@pytest.mark.parametrize("storage", STORAGES)
def test_a_signed_url_through_every_failure(stage: Stage, tmp_path: Path, storage: str) -> None:
    turn = list(STORAGES).index(storage)
    way, mode = list(WAYS)[turn % 5], MODES[turn % len(MODES)]
    ran = run(stage, tmp_path, "download", way, mode, f"to a storage that {storage}")
    ran.secrets.append(SIGNATURE)
    check([ran], {API, TRANSPORT})
    assert "/download/" in ran.err
    assert not ran.files


def test_an_answer_that_nobody_thought_of(stage: Stage, tmp_path: Path) -> None:
    """What it is called with, or the exception quotes, is not told either."""
    answer = "Retry-After that is none"
    runs = [run(stage, tmp_path, "find", "key of digits", mode, answer) for mode in ("github", "gitlab", "plain")]
    check(runs, {BUG, TRANSPORT})


# --- Inputs that are wrong ----------------------------------------------------------------------------------


@dataclass
class Inside:
    """A run in this process: there are too many of them for one each."""

    capfd: pytest.CaptureFixture[str]

    def __call__(
        self, *argv: str, env: Mapping[str, str], secrets: Sequence[str], masks: bool = False
    ) -> tuple[int, str]:
        out = io.StringIO()
        code = main(argv, env, out)
        said, told = self.capfd.readouterr()
        text = f"{out.getvalue()}{said}{told}"
        rest = [line for line in text.split("\n") if not (masks and line.startswith("::add-mask::"))]
        found = found_in("\n".join(rest), secrets)
        assert not found, (argv, found)
        return code, text


@pytest.fixture
def inside(capfd: pytest.CaptureFixture[str]) -> Inside:
    return Inside(capfd)


def pasted(secret: str) -> list[str]:
    return [secret, f"This is {secret}, of course", f"https://x.example/?key={quote(secret, safe='')}", f"k={secret}"]


NAMES: dict[str, Mapping[str, str]] = {
    "github": {"GITHUB_ACTIONS": "true"},
    "gitlab": {"GITLAB_CI": "true"},
    "plain": {},
}


@pytest.mark.parametrize("place", NAMES)
@pytest.mark.parametrize("step", STEPS)
def test_a_secret_in_an_input_where_it_does_not_belong(
    inside: Inside, step: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each input that is none, alone and in other text, in another spelling too."""
    monkeypatch.chdir(tmp_path)
    declared = load(step).Inputs
    names = [name for name, field in declared.model_fields.items() if not is_secret(field)]
    secrets = [PERCENT, QUOTES, WORD, *basic(EMAIL, PERCENT)]
    env = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT, "APPDIST_BASE_URL": "http://127.0.0.1:9"}
    env |= {"APPDIST_OIDC_TOKEN": QUOTES, "APPDIST_OIDC_CLIENT_SECRET": WORD, "APPDIST_DEBUG": "true", **NAMES[place]}
    given = {f"APPDIST_INPUT_{name.upper().replace('-', '_')}": text for name, text in COMMANDS[step][1].items()}
    for number, name in enumerate(names):
        secret = (PERCENT, QUOTES, WORD)[number % 3]
        for text in pasted(secret):
            code, said = inside(
                step,
                env={**env, **given, f"APPDIST_INPUT_{name.upper()}": text},
                secrets=secrets,
                masks=place == "github",
            )
            assert code == INPUT, said
            assert "has one of the credentials in it: take it out." in said


@pytest.mark.parametrize("place", NAMES)
def test_the_encoded_pair_in_an_input(
    inside: Inside, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What HTTP Basic makes of e-mail and key is as good as they are."""
    monkeypatch.chdir(tmp_path)
    _, pair = basic(EMAIL, PERCENT)
    env = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT, "APPDIST_BASE_URL": "http://127.0.0.1:9", **NAMES[place]}
    for name in ("region", "build_url", "tags", "wait_for_build"):
        code, _ = inside(
            "tag", env={**env, f"APPDIST_INPUT_{name.upper()}": pair}, secrets=[pair], masks=place == "github"
        )
        assert code == INPUT


def test_a_secret_in_a_file_of_release_notes(stage: Stage, tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text(f"# Changes\n\nCall it with {QUOTES}!\n")
    runs = [
        run(
            stage,
            tmp_path,
            step,
            "key alone",
            mode,
            "success",
            inputs={"release-notes-file": str(notes), "release-notes": ""},
        )
        for step, mode in (("annotate", "github"), ("promote", "gitlab"), ("annotate", "json"), ("promote", "plain"))
    ]
    check(runs, {INPUT})
    assert shown_by(runs, "has one of the credentials in it: take it out.")


@pytest.mark.parametrize(
    "text",
    [
        "two words-zq77-x",
        "first-zq-line\nsecond-zq-line\r\nthird-zq-line",
        "key-zq77-ümläut",
        "key-zq77\twith-tab-zq",
        "key-zq77\x1b[31m-colour-zq",
        "zero\u200bwidth-zq77",
        "50%25-zq77 and more",
        "'quoted-zq77' \"twice-zq77\"",
        "-----BEGIN KEY-----\nMIIzq77zq77zq77\n-----END KEY-----\n",
    ],
)
@pytest.mark.parametrize("name", [name for name, field in ConnectionInputs.model_fields.items() if is_secret(field)])
def test_a_secret_that_is_none_is_refused_without_showing_it(inside: Inside, name: str, text: str) -> None:
    lines = [line.strip() for line in text.splitlines()]
    ways = {
        "api_key": {"APPDIST_EMAIL": EMAIL},
        "oidc_token": {"APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY},
        "oidc_config_key": {"APPDIST_OIDC_TOKEN": STATIC_TOKEN},
        "oidc_client_secret": {
            "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY,
            "APPDIST_OIDC_CLIENT_ID": CLIENT_ID,
            "APPDIST_OIDC_TOKEN_URL": "http://127.0.0.1:9/token",
        },
    }
    # A client's secret goes into no header as it is: it may have more in it. Then only the step has something to say.
    fits = name == "oidc_client_secret" and not re.search(r"[\n\t\x1b]", text)
    for step, place in itertools.product(["tag"] if fits else ["check", "tag"], NAMES):
        env = {**ways[name], **NAMES[place], f"APPDIST_{name.upper()}": text, "APPDIST_DEBUG": "true"}
        code, said = inside(step, env=env, secrets=[text, *lines], masks=place == "github")
        assert code == INPUT
        assert (f"{name.replace('_', '-')} is empty, or has " in said) is not fits
        masks = [line for line in said.split("\n") if line.startswith("::add-mask::")]
        if place == "github":
            assert said.split("\n")[: len(masks)] == masks, "before all else"
            masked = [line.removeprefix("::add-mask::").replace("%25", "%") for line in masks]
            assert set(lines) <= set(masked), "line by line"
            assert not any("\n" in line or "\r" in line for line in masked)
        else:
            assert not masks


@pytest.mark.parametrize(
    "argv",
    [
        ["tag", "--api-key", PERCENT],
        ["tag", f"--api-key={PERCENT}"],
        ["tag", f"--apikey={PERCENT}"],
        ["tag", f"--api_key={PERCENT}"],
        ["tag", f"--oidc-clientsecret={PERCENT}"],
        ["tag", PERCENT],
        ["tag", "--tags", "a", PERCENT],
        ["tag", f"--{PERCENT}"],
        [PERCENT],
        ["api", PERCENT],
        ["api", "builds", PERCENT],
        ["api", "builds", "get", "--project-id", "1", "--build-id", PERCENT],
        ["api", "testers", "delete", "--tester-id", PERCENT],
        ["api", "groups", "create", "--name", PERCENT],
        ["api", "webhooks", "add", "--name", "x", "--url", f"https://x.example/{PERCENT}"],
        ["tag", "--api-key-file", PERCENT],
        ["completion", PERCENT],
    ],
    ids=lambda argv: " ".join(argv).replace(PERCENT, "…"),
)
def test_a_secret_on_the_command_line(inside: Inside, argv: list[str]) -> None:
    """Who types it where it does not belong has it in the list of processes; at least not in the log too."""
    for place in NAMES.values():
        env = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT, "APPDIST_BASE_URL": "http://127.0.0.1:9", **place}
        code, said = inside(*argv, env=env, secrets=[PERCENT], masks="GITHUB_ACTIONS" in place and "api" not in argv)
        assert code == INPUT, said
        assert said


@pytest.mark.parametrize("argv", [["--api-key", PERCENT], [f"--api-key={PERCENT}"], [f"--apikey={PERCENT}"]])
def test_a_secret_that_only_the_command_line_has(inside: Inside, argv: list[str]) -> None:
    code, said = inside("whoami", *argv, env={}, secrets=[PERCENT])
    assert code == INPUT
    assert "api-key" in said


def test_a_variable_that_looks_like_a_credential_is_no_text(inside: Inside) -> None:
    env = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT, "GITLAB_CI": "true", "DEPLOY_TOKEN": QUOTES}
    for name in ("APPDIST_API_KEY", "DEPLOY_TOKEN"):
        notes = {"APPDIST_INPUT_RELEASE_NOTES": f"${{{name}}}"}
        code, said = inside("annotate", env=env | notes, secrets=[PERCENT, QUOTES])
        assert (code, "looks like a credential" in said) == (INPUT, True)


# --- Bugs ---------------------------------------------------------------------------------------------------


def throws(kind: str, secret: str) -> Callable[[], None]:
    def work() -> None:
        match kind:
            case "key":
                raise KeyError(secret)
            case "value":
                raise ValueError(f"could not read {secret!r}")
            case "file":
                raise FileNotFoundError(2, "No such file", f"/tmp/{secret}")
            case "context":
                try:
                    int(secret, 2)
                except ValueError as error:
                    raise RuntimeError(f"while {secret}") from error
            case "bytes":
                raise TypeError(secret.encode())
        raise AssertionError(secret)

    return work


@pytest.mark.parametrize("secret", [PERCENT, QUOTES, WORD, DIGITS])
@pytest.mark.parametrize("kind", ["key", "value", "file", "context", "bytes", "assertion"])
def test_a_bug_is_told_without_what_it_was_about(capfd: pytest.CaptureFixture[str], secret: str, kind: str) -> None:
    for place in (GitHub, GitLab, Terminal, JsonOutput):
        ci = place({}, io.StringIO())
        ci.mask(secret)
        problem = _problem(throws(kind, secret))
        assert problem
        capfd.readouterr()
        out = io.StringIO()
        ci._out = out
        ci.error(problem)
        ci.report.problem = problem
        text = out.getvalue() + "".join(capfd.readouterr())
        assert "This is a bug of sauce-appdist" in text
        assert not found_in(text, [secret]), (place, text)


# --- Objects ------------------------------------------------------------------------------------------------


def objects() -> dict[str, tuple[Any, list[str]]]:
    """What a script holds, and what it must not give away by being looked at."""
    made: dict[str, tuple[Any, list[str]]] = {}
    base = {"APPDIST_BASE_URL": "http://127.0.0.1:9"}
    ways = {
        "basic": ({"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT}, [*basic(EMAIL, PERCENT)]),
        "key": ({"APPDIST_API_KEY": QUOTES}, [QUOTES]),
        "token": (
            {"APPDIST_OIDC_TOKEN": STATIC_TOKEN, "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY},
            [STATIC_TOKEN, CONFIG_KEY],
        ),
        "client": (
            {
                "APPDIST_OIDC_TOKEN_URL": "http://127.0.0.1:9/token",
                "APPDIST_OIDC_CLIENT_ID": CLIENT_ID,
                "APPDIST_OIDC_CLIENT_SECRET": CLIENT_SECRET,
                "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY,
            },
            [CLIENT_SECRET, CONFIG_KEY],
        ),
    }
    for name, (env, secrets) in ways.items():
        texts = gather(ConnectionInputs, {}, base | env).texts
        script = Client.from_env(base | env)
        for part, thing in {
            "inputs": parse(ConnectionInputs, texts),
            "client": script,
            "transport": script.transport,
            "auth": script.transport._auth,
        }.items():
            made[f"{part}, {name}"] = (thing, secrets)
    made["a token"] = (Token(STATIC_TOKEN), [STATIC_TOKEN])
    made["provider"] = (
        Provider(TokenHttp(), token_url="x", client_id="c", client_secret=CLIENT_SECRET),
        [CLIENT_SECRET],
    )
    return made


OBJECTS = objects()


@pytest.mark.parametrize("name", OBJECTS)
def test_looking_at_an_object_shows_no_secret(name: str) -> None:
    thing, secrets = OBJECTS[name]
    for look in (repr, str, format, pprint.pformat, lambda one: f"{one!r:>5}{[one]}"):
        assert not found_in(look(thing), secrets)


HELD = [name for name in OBJECTS if "," in name]


@pytest.mark.parametrize("name", HELD)
def test_neither_do_its_attributes(name: str) -> None:
    """As a debugger, or a traceback with locals, has them."""
    thing, secrets = OBJECTS[name]
    assert not found_in(repr(getattr(thing, "__dict__", "")), secrets)


@pytest.mark.parametrize("name", HELD)
def test_an_object_with_secrets_is_not_pickled(name: str) -> None:
    thing, secrets = OBJECTS[name]
    try:
        pickled = pickle.dumps(thing)
    except (TypeError, AttributeError, pickle.PicklingError):
        return
    assert not found_in(pickled.decode("latin-1"), secrets)


@pytest.mark.parametrize("failure", [name for name, failure in FAILURES.items() if not failure.kind])
def test_errors_and_logs_of_a_script_show_no_secret(
    stage: Stage, failure: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """No CI is there to hide anything: the client itself does."""
    caplog.set_level("DEBUG", "sauce_appdist")
    base = stage.base(FAILURES[failure])
    calls: list[Callable[[Client], object]] = [
        lambda script: script.projects.list(),
        lambda script: script.builds.get(ANDROID, NEWEST_ANDROID),
        lambda script: script.builds.update(ANDROID, NEWEST_ANDROID, tags=["a"]),
        lambda script: script.builds.download(ANDROID, NEWEST_ANDROID, to=tmp_path / "app.apk"),
        lambda script: script.sessions.logs(ANDROID, NEWEST_ANDROID, "8911052001"),
    ]
    for way in ("key with e-mail", "key alone", "token"):
        env = WAYS[way].env(stage) | {"APPDIST_RETRIES": "0", "APPDIST_BASE_URL": f"{base}/{quote(failure)}/compat/0"}
        with Client.from_env(env) as script:
            for call in calls:
                caplog.clear()
                try:
                    call(script)
                except (
                    AppDistError,
                    ValueError,
                ) as error:  # a ValueError where it is a bug, which tells nothing either
                    looks = (
                        repr(error),
                        str(error),
                        repr(vars(error)),
                        repr(error.args),
                        *traceback.format_exception(error),
                    )
                    assert not found_in("\n".join(looks), WAYS[way].first)
                assert not found_in(caplog.text, WAYS[way].first)


def test_an_input_error_of_a_script_shows_no_secret() -> None:
    for name, text in (("APPDIST_API_KEY", "two words-zq77"), ("APPDIST_OIDC_TOKEN", "ümläut-zq77-x")):
        with pytest.raises(InputError) as caught:
            Client.from_env({name: text, "APPDIST_REGION": "mars"})
        assert not found_in("".join(traceback.format_exception(caught.value)) + repr(caught.value), [text])
