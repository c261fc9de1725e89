"""How a service, an identity provider and a storage misbehave."""

from __future__ import annotations

import base64
import html
import itertools
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, quote

from redaction.search import DIGITS, PROXY_PASSWORD, PROXY_USER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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
    """The right answer, with a credential in every text but ids."""
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


# --- An identity provider that misbehaves -----------------------------------------------------------


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


# --- A storage that misbehaves ----------------------------------------------------------------------


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
