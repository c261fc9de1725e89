"""Where the dialects differ: `Dialect` does as the classic documents, `Compat` as a newer server.

Paths, state and views are classic's (facts.md part 1: "newer server, same paths"); what is not
named here is the same in both. Where facts.md is silent, compat is like this:

- `hasTestFairySdk`, `insightsEnabled` and `videoEnabled` are missing from a build too: they speak of
  the sessions that it does not have, and nobody should rely on what is not listed for it.
- A refusal with HTTP 400 comes with 200, from the upload as well; 404 (no such group) stays, as does
  everything that is not the service's own no: unknown paths, the storage.
- Basic and Bearer count before `X-API-Key` (but at the upload, where a key counts first in both
  dialects), and that before the form field. The upload takes `X-API-Key` too.
- A POST whose body is JSON is refused like such a PATCH, instead of being read as an empty form.
- Where some of several testers are unknown, the others join or leave the group all the same.
- `per_page` wins over `limit`; more than 100 is refused, as more than 200 is in classic.
- A download counts when its link is given, or the install page instead of one.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import quote

from flask import Blueprint, Response, current_app, redirect, request

from appdist_emulator import classic
from appdist_emulator.state import Refusal, Rules

if TYPE_CHECKING:
    import flask
    from werkzeug import Response as AnyResponse

    from appdist_emulator.seed import User
    from appdist_emulator.server import Front
    from appdist_emulator.state import Account

DialectName = Literal["classic", "compat"]

LINK_LIFETIME = 300  # seconds
_STORAGE = "/_storage"
SIGNATURE = "X-Amz-Signature"
_EXPIRES = "X-Amz-Expires"
_CREDENTIALS = ("Authorization", "X-API-Key", "X-OIDC-Config-Key")


class Dialect:
    """What may be done otherwise, and how classic does it. One for each account: reset makes a new one."""

    name: ClassVar[DialectName] = "classic"
    rules: ClassVar[Rules] = Rules()

    @staticmethod
    def path(rule: str) -> str:
        return rule

    @staticmethod
    def install(app: flask.Flask) -> None:
        """Add what only this dialect has."""

    def http(self, refusal: Refusal) -> int:
        return refusal.http

    def user(self) -> User:
        return classic.user_of_request()

    def api_key(self) -> str | None:
        """The key that comes without an e-mail; everywhere but at the upload, classic does not ask."""
        return next(reversed(request.form.getlist("api_key")), None)

    def deliver(self, name: str, content: bytes) -> AnyResponse:
        return classic.send(name, content)

    def secrets(self) -> set[str]:
        """What no log may show, besides the account's keys."""
        return set()


@dataclass(frozen=True)
class _Link:
    name: str
    content: bytes
    signature: str
    lifetime: int
    made: float


class Compat(Dialect):
    """The newer server with the old paths: the "compat" column and notes of facts.md."""

    name = "compat"
    rules = Rules(
        shows=("comment", "isDistributionEnabled", "platform", "tags"),
        lacks=("sessions", "crashes", "testers", "feedbacks", "hasTestFairySdk", "insightsEnabled", "videoEnabled"),
        passes_over_unknown=True,
        page_sizes=("per_page", "limit"),
        max_per_page=100,
    )

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._links: dict[str, _Link] = {}
        self._signatures: set[str] = set()  # the used ones too: a log must not show them either

    @staticmethod
    def path(rule: str) -> str:
        return rule.replace("/webhook/", "/webhooks/").replace("/site/", "/sites/")

    @staticmethod
    def install(app: flask.Flask) -> None:
        app.register_blueprint(_pages)
        app.after_request(_say_that_it_ends)

    def http(self, refusal: Refusal) -> int:
        return 200 if refusal.http == 400 else refusal.http

    def user(self) -> User:
        user = self._user()
        if request.method in {"PATCH", "POST"} and request.mimetype == "application/json":
            raise Refusal(1, "The body must be application/x-www-form-urlencoded")
        return user

    def _user(self) -> User:
        given = request.authorization
        kind = given.type if given is not None else None
        if kind == "basic" and not _account().settings.basic_auth:
            raise Refusal(104, "User not found", 401)
        key = self.api_key()
        if kind in {"basic", "bearer"} or key is None:
            return classic.user_of_request()
        return _account().user_of_lone_key(key)

    def api_key(self) -> str | None:
        return request.headers.get("X-API-Key", super().api_key())

    def deliver(self, name: str, content: bytes) -> AnyResponse:
        if not _account().settings.storage:
            where = request.view_args or {}
            return redirect(
                f"{request.host_url}projects/{quote(where['project'])}/builds/{quote(where['build'])}/download"
            )
        token, signature = secrets.token_urlsafe(16), secrets.token_hex(32)
        with self._lock:
            self._links[token] = _Link(name, content, signature, LINK_LIFETIME, time.monotonic())
            self._signatures.add(signature)
        # Really another host by name, whichever name the client came by.
        host = "127.0.0.1" if request.host.partition(":")[0] == "localhost" else "localhost"
        return redirect(
            f"http://{host}:{request.environ['SERVER_PORT']}{_STORAGE}/{token}/{quote(name, safe='')}"
            f"?{SIGNATURE}={signature}&{_EXPIRES}={LINK_LIFETIME}"
        )

    def fetch(self, token: str, name: str) -> Response:
        """Answer as the storage, which asks for the signature alone, and takes each but once."""
        if any(header in request.headers for header in _CREDENTIALS):
            return _no(400, "InvalidArgument", "Only one auth mechanism allowed")
        with self._lock:
            link = self._links.get(token)
            if link is None:
                return _no(403, "AccessDenied", "Access Denied")
            signed = (link.name, link.signature, str(link.lifetime))
            if signed != (name, request.args.get(SIGNATURE), request.args.get(_EXPIRES)):
                return _no(403, "SignatureDoesNotMatch", "The signature is not the one of this request")
            if time.monotonic() >= link.made + link.lifetime:
                return _no(403, "AccessDenied", "Request has expired")
            del self._links[token]
        return classic.send(link.name, link.content)

    def secrets(self) -> set[str]:
        with self._lock:
            return set(self._signatures)


DIALECTS: dict[DialectName, type[Dialect]] = {"classic": Dialect, "compat": Compat}

_pages = Blueprint("pages", __name__)


@_pages.get(_STORAGE + "/<token>/<name>")
def fetch(token: str, name: str) -> Response:
    dialect = classic.dialect()
    assert isinstance(dialect, Compat)  # noqa: S101 - for the type checker
    return dialect.fetch(token, name)


@_pages.get("/projects/<project>/builds/<build>/download")
def install_page(project: str, build: str) -> Response:  # noqa: ARG001 - the same page for each
    return Response(
        "<!doctype html>\n<title>Install</title>\n<p>Open this page on the device.</p>\n", mimetype="text/html"
    )


def _account() -> Account:
    front: Front = current_app.extensions["appdist"]
    return front.account


def _say_that_it_ends(response: Response) -> Response:
    if request.path.startswith(("/api/1/", "/api/2/")):
        response.headers["Deprecation"] = "true"
        response.headers["Sunset"] = _account().settings.sunset
    return response


def _no(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(text, status, content_type="application/xml")
