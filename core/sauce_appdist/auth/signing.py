"""The ways to sign a request; a connection uses exactly one (docs/reference/api-facts.md#signing-in).

Each one knows the inputs that it is made of, its secrets, and what to check if it is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr
from requests.auth import AuthBase

from sauce_appdist.clock import Clock
from sauce_appdist.text import Unpicklable, basic_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from requests import PreparedRequest

    from sauce_appdist.auth.oidc import Token


class _Key(Unpicklable, AuthBase):
    """A key: there is nothing to fetch, and no other to try after a refusal."""

    subject = ""  # no job stands behind a key

    def prepare(self) -> None:
        """Do nothing: a key is not fetched."""

    def renew(self) -> bool:
        """False: there is no other key."""
        return False

    def explain(self, _said: str) -> str:
        """Empty: the documented messages concern tokens."""
        return ""


class BasicAuth(_Key):
    """`email:api-key` as HTTP Basic."""

    name = "API key with e-mail"
    inputs = "email and api-key"

    def __init__(self, email: str, api_key: str) -> None:
        self.email, self._api_key = email, SecretStr(api_key)

    def _token(self) -> str:
        # Not left to requests, which encodes latin-1: an e-mail address may have other characters.
        return basic_pair(self.email, self._api_key.get_secret_value())

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Basic {self._token()}"
        return request

    def secrets(self) -> Iterable[str]:
        """Everything that must never be shown."""
        return (self._api_key.get_secret_value(), self._token())

    def hint(self, *, newer: bool) -> str:
        """What else to try; whether newer servers take Basic is not documented."""
        return "This is a newer server, which may need api-key without email." if newer else ""


class ApiKeyAuth(_Key):
    """An API key without an e-mail address, which newer servers accept."""

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
        return "" if newer else "Only newer servers accept an api-key alone: set email too."


class OidcAuth(Unpicklable, AuthBase):
    """An access token and the account's config key.

    The token is fetched before the first request, and again before it expires if it is `renewable`. `learn` receives
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
        clock: Clock = Clock(),  # noqa: B008 - frozen
    ) -> None:
        self._fetch, self._config_key, self.inputs, self.name = fetch, SecretStr(config_key), inputs, name
        self._renewable, self._secrets = renewable, [SecretStr(secret) for secret in (config_key, *secrets)]
        self._learn, self._log, self._clock = learn, log, clock
        self._token: Token | None = None
        self.subject = ""  # of the job's ID token, once one was fetched

    def prepare(self) -> None:
        """Fetch a token if there is none that is still valid. A request's own time does not include this."""
        token = self._token
        if token is None or (self._renewable and token.until is not None and self._clock.monotonic() >= token.until):
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
        """Everything that must never be shown, as far as it is known."""
        return tuple(secret.get_secret_value() for secret in self._secrets)

    def hint(self, *, newer: bool) -> str:  # noqa: ARG002
        """The claims to compare with the account's settings."""
        return f"The token has {self._claims()}."

    def explain(self, said: str) -> str:
        """How to fix what a documented message of the service names; "" for any other."""
        return next((hint for messages, hint in _OIDC_HINTS.items() if any(one in said for one in messages)), "")

    def _claims(self) -> str:
        from sauce_appdist.auth.oidc import describe_token

        return describe_token(self._token.value if self._token else "")


# The documented messages, of v1 and of v3, and how to fix what they name (docs/reference/api-facts.md#oidc-messages).
_OIDC_HINTS: dict[tuple[str, ...], str] = {
    ("X-OIDC-Config-Key header required", "Missing X-OIDC-Config-Key header"): "set oidc-config-key",
    ("Invalid config key", "Invalid OIDC config key"): "oidc-config-key is not this account's",
    (
        "OIDC not enabled for this organization",
        "OIDC authentication is disabled",
    ): "an admin must enable OIDC for the account",
    ("Invalid issuer", "Issuer mismatch"): "the token's issuer must be the one in the account's OIDC settings",
    (
        "Invalid audience",
        "Audience mismatch",
    ): "the token's audience must be the one in the account's OIDC settings (case matters): see "
    "oidc-audience, or oidc-id-token-audience",
    (
        "Token has expired",
        "Expired token",
    ): "fetch a new token right before this step; if it is new, compare its times with the clock",
    (
        "Invalid token signature",
        "Signature verification failed",
    ): "the token is not signed by a key of the issuer's JWKS",
    (
        "Missing required scope",
        "Token missing required scope",
    ): "the token must have the scopes of the account's OIDC settings: see oidc-scope "
    "(a client's token of Entra ID has roles, never a scope)",
    ("Failed to fetch JWKS",): "the service cannot read the issuer's keys: try again later",
    ("Unsupported algorithm",): "the token must be signed with RS256, RS384 or RS512",
}


Auth = BasicAuth | ApiKeyAuth | OidcAuth
