"""The ways to sign a request; exactly one is chosen (facts.md part 3)."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from requests.auth import AuthBase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requests import PreparedRequest


class BasicAuth(AuthBase):
    """`email:api-key` as HTTP Basic."""

    def __init__(self, email: str, api_key: str) -> None:
        self.email, self._api_key = email, api_key

    def _token(self) -> str:
        # Of our own, because requests encodes latin-1 and e-mail addresses need not be.
        return b64encode(f"{self.email}:{self._api_key}".encode()).decode("ascii")

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Basic {self._token()}"
        return request

    def secrets(self) -> Iterable[str]:
        """Everything that must never be shown."""
        return (self._api_key, self._token())


class OidcAuth(AuthBase):
    """An access token of the company's identity provider and the account's config key."""

    def __init__(self, token: str, config_key: str) -> None:
        self._token, self._config_key = token, config_key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        request.headers["X-OIDC-Config-Key"] = self._config_key
        return request

    def secrets(self) -> Iterable[str]:
        """Everything that must never be shown."""
        return (self._token, self._config_key)


Auth = BasicAuth | OidcAuth
