"""The classic dialect: the documented service. Other dialects derive from it and override what they do differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from flask import request

from appdist_emulator.replies import attachment
from appdist_emulator.state.account import Account
from appdist_emulator.state.records import Refusal, Rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from werkzeug import Response

    from appdist_emulator.dialects import DialectName
    from appdist_emulator.seed import User


class Classic:
    """Serves one account, which starts from a seed. Raises SeedError if the seed is invalid."""

    name: ClassVar[DialectName] = "classic"
    rules: ClassVar[Rules] = Rules()

    def __init__(self, seed: Mapping[str, Any]) -> None:
        self.account = Account(seed, self.rules)

    @staticmethod
    def path(rule: str) -> str:
        """Return the path under which this dialect serves a documented one."""
        return rule

    @staticmethod
    def install(app: Flask) -> None:
        """Add the paths that only this dialect has."""

    def status(self, refusal: Refusal) -> int:
        """Return the HTTP status of a refusal."""
        return refusal.http

    def user(self) -> User:
        """Return the user whose credentials the request has. Raises Refusal."""
        auth = request.authorization
        if auth is not None and auth.type == "basic":
            return self.account.user_of_basic(auth.username or "", auth.password or "")
        if (auth is not None and auth.type == "bearer") or "X-OIDC-Config-Key" in request.headers:
            return self._oidc_user()
        raise Refusal(104, "Missing API key", 401)

    def uploader(self) -> User:
        """Return the user who uploads. Wrong credentials are code 5 with HTTP 200 there.

        Source: docs/reference/api-facts.md#wrong-credentials.
        """
        key = self.api_key()
        if key is not None or not request.headers.get("Authorization", "").startswith("Bearer "):
            return self.account.user_of_upload_key(key or "")
        try:
            return self._oidc_user()
        except Refusal as refusal:
            raise Refusal(5, refusal.message, 200) from None

    def api_key(self) -> str | None:
        """Return the API key sent without an e-mail address. Classic accepts one for uploads only."""
        return next(reversed(request.form.getlist("api_key")), None)

    def deliver(self, name: str, content: bytes) -> Response:
        """Answer a download."""
        return attachment(name, content)

    def secrets(self) -> set[str]:
        """Return every secret that the request log must hide."""
        return self.account.secrets()

    def _oidc_user(self) -> User:
        auth = request.authorization
        token = auth.token if auth is not None and auth.type == "bearer" else None
        return self.account.user_of_token(token, request.headers.get("X-OIDC-Config-Key"))
