"""The compat dialect: a newer server with the same paths.

It differs from classic only as written here and in docs/reference/api-facts.md#the-newer-server.
Where that page is silent, compat decides like this:

- A build also lacks `hasTestFairySdk`, `insightsEnabled` and `videoEnabled`: they describe sessions,
  which it does not have, and a client must not rely on unlisted fields.
- A refusal that has HTTP 400 in classic has 200, for uploads too; 404 (no such group) stays, as does
  every status that is not the API's: unknown paths, the storage.
- Basic and Bearer take precedence over `X-API-Key`, and that over the form field. For uploads, a key
  takes precedence in both dialects. Uploads accept `X-API-Key` too.
- A POST with a JSON body is refused, as a PATCH with one is, and not read as an empty form.
- If some of several testers are unknown, the others still join or leave the group.
- `per_page` takes precedence over `limit`; more than 100 is refused, as more than 200 is in classic.
- A download counts as soon as its link, or the install page, is returned.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Blueprint, Response, g, redirect, request

from appdist_emulator.dialects import v3
from appdist_emulator.dialects.classic import Classic
from appdist_emulator.replies import attachment
from appdist_emulator.state.records import Refusal, Rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    import flask
    from werkzeug import Response as AnyResponse

    from appdist_emulator.seed import User

LINK_LIFETIME = 300  # seconds
_STORAGE = "/_storage"
SIGNATURE = "X-Amz-Signature"
_EXPIRES = "X-Amz-Expires"
_CREDENTIALS = ("Authorization", "X-API-Key", "X-OIDC-Config-Key")


@dataclass(frozen=True)
class _Link:
    name: str
    content: bytes
    signature: str
    lifetime: int
    made: float


class Compat(Classic):
    """The newer server with the old paths (docs/reference/api-facts.md#the-newer-server)."""

    name = "compat"
    rules = Rules(
        shows=("comment", "isDistributionEnabled", "platform", "tags"),
        lacks=(
            *("self", "landingPageMode", "sessions", "crashes", "testers", "feedbacks"),
            *("hasTestFairySdk", "insightsEnabled", "videoEnabled"),
        ),
        skips_unknown_testers=True,
        upload_groups=("groups",),
        auto_update=(),
        ignored_settings=(),
        page_sizes=("per_page", "limit"),
        max_per_page=100,
    )

    def __init__(self, seed: Mapping[str, Any]) -> None:
        super().__init__(seed)
        self._lock = threading.Lock()
        self._links: dict[str, _Link] = {}
        self._signatures: dict[str, float] = {}  # and when they end; with the used ones: the log hides these too

    @staticmethod
    def path(rule: str) -> str:
        return rule.replace("/webhook/", "/webhooks/").replace("/site/", "/sites/")

    @staticmethod
    def install(app: flask.Flask) -> None:
        app.register_blueprint(_pages)
        app.after_request(_announce_sunset)

    def status(self, refusal: Refusal) -> int:
        return 200 if refusal.http == 400 else refusal.http

    def user(self) -> User:
        try:
            user = self._user()
        except Refusal:
            if self.account.settings.reasons == "told":
                raise
            raise Refusal(104, "User not found", 401) from None
        if request.method in {"PATCH", "POST"} and request.mimetype == "application/json":
            raise Refusal(1, "The body must be application/x-www-form-urlencoded")
        return user

    def _user(self) -> User:
        auth = request.authorization
        if auth is not None and auth.type == "basic" and not self.account.settings.basic_auth:
            raise Refusal(104, "User not found", 401)
        return self.v3_user()

    def v3_user(self) -> User:
        """Return the user whose credentials the request has, as v3 takes them. Raises Refusal with the reason."""
        auth = request.authorization
        key = self.api_key()
        if (auth is not None and auth.type in {"basic", "bearer"}) or key is None:
            return super().user()
        return self.account.user_of_api_key(key)

    def api_key(self) -> str | None:
        return request.headers.get("X-API-Key", super().api_key())

    def deliver(self, name: str, content: bytes) -> AnyResponse:
        if not self.account.settings.storage:
            where = request.view_args or {}
            return redirect(
                f"{request.host_url}projects/{quote(where['project'])}/builds/{quote(where['build'])}/download"
            )
        token, signature = secrets.token_urlsafe(16), secrets.token_hex(32)
        now = time.monotonic()
        with self._lock:
            # Those that have ended go, so that many downloads need no more and more memory.
            self._links = {key: link for key, link in self._links.items() if now < link.made + link.lifetime}
            self._signatures = {one: end for one, end in self._signatures.items() if now < end}
            self._links[token] = _Link(name, content, signature, LINK_LIFETIME, now)
            self._signatures[signature] = now + LINK_LIFETIME
        # Always another host name than the client's.
        host = "127.0.0.1" if request.host.partition(":")[0] == "localhost" else "localhost"
        return redirect(
            f"http://{host}:{request.environ['SERVER_PORT']}{_STORAGE}/{token}/{quote(name, safe='')}"
            f"?{SIGNATURE}={signature}&{_EXPIRES}={LINK_LIFETIME}"
        )

    def fetch(self, token: str, name: str) -> Response:
        """Answer as the storage, which accepts a signature alone, and each only once."""
        if any(header in request.headers for header in _CREDENTIALS):
            return _storage_error(400, "InvalidArgument", "Only one auth mechanism allowed")
        with self._lock:
            link = self._links.get(token)
            if link is None:
                return _storage_error(403, "AccessDenied", "Access Denied")
            signed = (link.name, link.signature, str(link.lifetime))
            if signed != (name, request.args.get(SIGNATURE), request.args.get(_EXPIRES)):
                return _storage_error(403, "SignatureDoesNotMatch", "The signature is not the one of this request")
            if time.monotonic() >= link.made + link.lifetime:
                return _storage_error(403, "AccessDenied", "Request has expired")
            del self._links[token]
        return attachment(link.name, link.content)

    def secrets(self) -> set[str]:
        with self._lock:
            return super().secrets() | self._signatures.keys()


_pages = Blueprint("pages", __name__)


@_pages.get(_STORAGE + "/<token>/<name>")
def fetch(token: str, name: str) -> Response:
    return _dialect().fetch(token, name)


@_pages.get("/projects/<project>/builds/<build>/download")
def install_page(project: str, build: str) -> Response:  # noqa: ARG001 - the same page for each
    return Response(
        "<!doctype html>\n<title>Install</title>\n<p>Open this page on the device.</p>\n", mimetype="text/html"
    )


@_pages.get("/api/v3/projects")
def list_v3_projects() -> Response:
    return v3.list_projects(_dialect().account, _dialect().v3_user)


def _dialect() -> Compat:
    dialect: Compat = g.dialect
    return dialect


def _announce_sunset(response: Response) -> Response:
    if request.path.startswith(("/api/1/", "/api/2/")):
        response.headers["Deprecation"] = "true"
        response.headers["Sunset"] = _dialect().account.settings.sunset
    return response


def _storage_error(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(text, status, content_type="application/xml")
