"""The ways to sign a request; exactly one is chosen (facts.md part 3).

Each says which inputs it is made of, what of it must never be shown, and what to look at when it is refused.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from requests.auth import AuthBase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requests import PreparedRequest


class BasicAuth(AuthBase):
    """`email:api-key` as HTTP Basic."""

    inputs = "email and api-key"

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

    def hint(self, *, newer: bool) -> str:
        """What else to try; whether newer servers take Basic is not documented."""
        return "This is a newer server, which may want api-key without email." if newer else ""


class ApiKeyAuth(AuthBase):
    """An API key without an e-mail address, as newer servers take it."""

    inputs = "api-key"

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["X-API-Key"] = self._api_key
        return request

    def secrets(self) -> Iterable[str]:
        """Everything that must never be shown."""
        return (self._api_key,)

    def hint(self, *, newer: bool) -> str:
        """What else to try."""
        return "" if newer else "Only newer servers take an api-key alone: give email as well."


class OidcAuth(AuthBase):
    """An access token of the company's identity provider and the account's config key."""

    inputs = "oidc-token and oidc-config-key"

    def __init__(self, token: str, config_key: str) -> None:
        self._token, self._config_key = token, config_key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        request.headers["X-OIDC-Config-Key"] = self._config_key
        return request

    def secrets(self) -> Iterable[str]:
        """Everything that must never be shown."""
        return (self._token, self._config_key)

    def hint(self, *, newer: bool) -> str:  # noqa: ARG002
        """What else to try."""
        return ""


Auth = BasicAuth | ApiKeyAuth | OidcAuth
