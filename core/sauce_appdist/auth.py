"""The ways to sign a request; exactly one is chosen (facts.md part 3)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from requests.auth import AuthBase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requests import PreparedRequest


@dataclass(frozen=True)
class BasicAuth(AuthBase):
    """`email:api-key` as HTTP Basic."""

    email: str
    api_key: str = field(repr=False)

    def _token(self) -> str:
        # Of our own, because requests encodes latin-1 and e-mail addresses need not be.
        return b64encode(f"{self.email}:{self.api_key}".encode()).decode("ascii")

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Basic {self._token()}"
        return request

    def secrets(self) -> Iterable[str]:
        """Everything that must never be shown."""
        return (self.api_key, self._token())


@dataclass(frozen=True)
class OidcAuth(AuthBase):
    """An access token of the company's identity provider and the account's config key."""

    token: str = field(repr=False)
    config_key: str = field(repr=False)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        request.headers["X-OIDC-Config-Key"] = self.config_key
        return request

    def secrets(self) -> Iterable[str]:
        """Everything that must never be shown."""
        return (self.token, self.config_key)


Auth = BasicAuth | OidcAuth
