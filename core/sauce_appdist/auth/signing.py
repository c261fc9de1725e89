"""The ways to sign a request; exactly one is chosen (docs/reference/api-facts.md#signing-in).

Each says which inputs it is made of, what of it must never be shown, and what to look at when it is refused.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pydantic import SecretStr
from requests.auth import AuthBase

from sauce_appdist.text import Unpicklable, basic_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from requests import PreparedRequest

    from sauce_appdist.auth.oidc import Token


class _Key(Unpicklable, AuthBase):
    """A key: it is there from the beginning, and one that was refused stays refused."""

    def prepare(self) -> None:
        """There is nothing to fetch before a request."""

    def renew(self) -> bool:
        """There is no other key."""
        return False

    def explain(self, _said: str) -> str:
        """The documented messages are about tokens."""
        return ""


class BasicAuth(_Key):
    """`email:api-key` as HTTP Basic."""

    name = "API key with e-mail"
    inputs = "email and api-key"

    def __init__(self, email: str, api_key: str) -> None:
        self.email, self._api_key = email, SecretStr(api_key)

    def _token(self) -> str:
        # Of our own, because requests encodes latin-1 and e-mail addresses need not be.
        return basic_pair(self.email, self._api_key.get_secret_value())

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Basic {self._token()}"
        return request

    def secrets(self) -> Iterable[str]:
        """Everything that must never be shown."""
        return (self._api_key.get_secret_value(), self._token())

    def hint(self, *, newer: bool) -> str:
        """What else to try; whether newer servers take Basic is not documented."""
        return "This is a newer server, which may want api-key without email." if newer else ""


class ApiKeyAuth(_Key):
    """An API key without an e-mail address, as newer servers take it."""

    name = "API key alone"
    inputs = "api-key"

    def __init__(self, api_key: str) -> None:
        self._api_key = SecretStr(api_key)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["X-API-Key"] = self._api_key.get_secret_value()
        return request

    def secrets(self) -> Iterable[str]:
        """Everything that must never be shown."""
        return (self._api_key.get_secret_value(),)

    def hint(self, *, newer: bool) -> str:
        """What else to try."""
        return "" if newer else "Only newer servers take an api-key alone: give email as well."


class OidcAuth(Unpicklable, AuthBase):
    """An access token and the account's config key.

    The token is fetched before the first request, and again before it ends where it is `renewable`. `learn` is told
    every token before it is used.
    """

    def __init__(
        self,
        fetch: Callable[[], Token],
        config_key: str,
        inputs: str = "oidc-token and oidc-config-key",
        *,
        name: str = "access token",
        renewable: bool = False,
        secrets: Iterable[str] = (),
        learn: Callable[[str], None] = lambda _: None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._fetch, self._config_key, self.inputs, self.name = fetch, SecretStr(config_key), inputs, name
        self._renewable, self._secrets = renewable, [SecretStr(secret) for secret in (config_key, *secrets)]
        self._learn, self._log = learn, log
        self._token: Token | None = None

    def prepare(self) -> None:
        """Fetch a token where there is none that will do; before a request, whose time it must not take."""
        token = self._token
        if token is None or (self._renewable and token.until is not None and time.monotonic() >= token.until):
            self._renewed()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        token = self._token or self._renewed()
        request.headers["Authorization"] = f"Bearer {token.value}"
        request.headers["X-OIDC-Config-Key"] = self._config_key.get_secret_value()
        return request

    def _renewed(self) -> Token:
        token = self._fetch()
        self._learn(token.value)
        self._secrets.append(SecretStr(token.value))
        self._token = token
        self._log(f"The access token: {self._claims()}.")
        return token

    def renew(self) -> bool:
        """Whether another token was fetched, after the service refused this one."""
        if self._renewable:
            self._renewed()
        return self._renewable

    def secrets(self) -> Iterable[str]:
        """Everything that must never be shown, as far as it is known yet."""
        return tuple(secret.get_secret_value() for secret in self._secrets)

    def hint(self, *, newer: bool) -> str:  # noqa: ARG002
        """The claims that the account's settings are to be compared with."""
        return f"The token has {self._claims()}."

    def explain(self, said: str) -> str:
        """What a documented message of the service asks of the user; "" for any other."""
        return next((hint for message, hint in _OIDC_HINTS.items() if message in said), "")

    def _claims(self) -> str:
        from sauce_appdist.auth.oidc import describe_token

        return describe_token(self._token.value if self._token else "")


# The documented messages, and what each asks of the user.
_OIDC_HINTS = {
    "X-OIDC-Config-Key header required": "give oidc-config-key",
    "Invalid config key": "oidc-config-key is not the one of this account",
    "OIDC not enabled for this organization": "an admin must switch OIDC on for the account",
    "Invalid issuer": "the token's issuer must be the one in the account's OIDC settings",
    "Invalid audience": "the token's audience must be the one in the account's OIDC settings (case matters): see "
    "oidc-audience, or oidc-id-token-audience",
    "Token has expired": "fetch a new token right before this step; if it is new, compare its times with the clock",
    "Invalid token signature": "the token is not signed by a key of the issuer's JWKS",
    "Missing required scope": "the token must have the scopes of the account's OIDC settings: see oidc-scope "
    "(a client's token of Entra ID has roles, never a scope)",
    "Failed to fetch JWKS": "the service cannot read the issuer's keys: try again later",
    "Unsupported algorithm": "the token must be signed with RS256, RS384 or RS512",
}


Auth = BasicAuth | ApiKeyAuth | OidcAuth
