"""Verifies the tokens of an identity provider, with the service's message for each failed check.

Source: docs/reference/api-facts.md#oidc and docs/reference/api-facts.md#oidc-messages.

Where that page is silent:

- The checks run in the order algorithm, key, signature, times, issuer, audience, scopes; the first
  failure decides the message. A missing claim counts as wrong; a token that is not yet valid "has expired".
- A key that the provider does not publish is an invalid signature, as is text that is not a token.
  A token without a `kid` uses the provider's only key.
- The subject is not checked: the documents name no such check.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from jwt.types import Options

    from appdist_emulator.seed import OidcMessage

ALGORITHMS = ("RS256", "RS384", "RS512")
KEYS_LIFETIME = 60  # seconds
_TIMEOUT = 5  # seconds
_LONGEST = 1024 * 1024  # bytes of an answer
_MESSAGES: dict[str, OidcMessage] = {
    "exp": "Token has expired",
    "iss": "Invalid issuer",
    "aud": "Invalid audience",
}
_OPTIONS: Options = {
    "require": list(_MESSAGES),
    "enforce_minimum_key_length": True,
    # The documents do not list these checks.
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}

# Finds a JWT inside any text: a JSON object in base64url, then two more parts.
JWT = re.compile(r"eyJ[\w-]{4,}\.[\w-]+\.[\w-]*", re.ASCII)


class TokenError(Exception):
    def __init__(self, message: OidcMessage) -> None:
        super().__init__(message)
        self.message: OidcMessage = message


@dataclass(frozen=True)
class _Keys:
    published: list[dict[str, Any]]
    until: float

    def named(self, kid: str | None, now: float) -> dict[str, Any] | None:
        if now >= self.until:
            return None
        if kid is None:
            return self.published[0] if len(self.published) == 1 else None
        return next((key for key in self.published if key.get("kid") == kid), None)


class Verifier:
    """Verifies an issuer's tokens with the keys that it publishes. `leeway`, `timeout` and `clock` are in seconds."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        scopes: Collection[str] = (),
        jwks_url: str | None = None,
        leeway: float = 0,
        timeout: float = _TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._audience, self._scopes = issuer, audience, set(scopes)
        self._jwks_url, self._leeway, self._timeout = jwks_url, leeway, timeout
        self._clock = clock
        self._keys: _Keys | None = None
        self._fetching = threading.Lock()

    def check(self, token: str) -> None:
        """Raise TokenError unless the token passes every check."""
        try:
            header = jwt.get_unverified_header(token)
            algorithm = header.get("alg")
            if algorithm not in ALGORITHMS:
                raise TokenError("Unsupported algorithm")
            published = self._key(header.get("kid"))
            if published is None or published.get("alg", algorithm) != algorithm:
                raise TokenError("Invalid token signature")
            claims = jwt.decode(
                token,
                jwt.PyJWK.from_dict(published, algorithm),
                ALGORITHMS,
                _OPTIONS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
            )
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
            raise TokenError("Token has expired") from None
        except jwt.InvalidIssuerError:
            raise TokenError("Invalid issuer") from None
        except jwt.InvalidAudienceError:
            raise TokenError("Invalid audience") from None
        except jwt.MissingRequiredClaimError as error:
            raise TokenError(_MESSAGES[error.claim]) from None
        except jwt.PyJWTError:
            raise TokenError("Invalid token signature") from None
        if not self._scopes <= _scopes(claims):
            raise TokenError("Missing required scope")

    def _key(self, kid: str | None) -> dict[str, Any] | None:
        keys = self._keys
        key = keys.named(kid, self._clock()) if keys else None
        if key is not None:
            return key
        with self._fetching:
            if self._keys is keys:  # no other thread has fetched them meanwhile
                self._keys = self._fetch()
            assert self._keys is not None  # noqa: S101 - for the type checker
            return self._keys.named(kid, self._clock())

    def _fetch(self) -> _Keys:
        try:
            url = self._jwks_url
            if url is None:
                url = self._get(self._issuer.rstrip("/") + "/.well-known/openid-configuration")["jwks_uri"]
            found = self._get(url)["keys"]
        except (OSError, http.client.HTTPException, ValueError, TypeError, LookupError, AttributeError) as error:
            if isinstance(error, HTTPError):
                error.close()
            raise TokenError("Failed to fetch JWKS") from None
        keys = [key for key in found if isinstance(key, dict)] if isinstance(found, list) else []
        signing = [key for key in keys if key.get("kty") == "RSA" and key.get("use", "sig") == "sig"]
        if not signing:
            raise TokenError("Failed to fetch JWKS")
        return _Keys(signing, self._clock() + KEYS_LIFETIME)

    def _get(self, url: Any) -> Any:
        # Not urlopen: it would use the environment's proxy, follow redirects and read files.
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.HTTPHandler,
            urllib.request.HTTPSHandler,
            urllib.request.HTTPErrorProcessor,
            urllib.request.HTTPDefaultErrorHandler,
            urllib.request.UnknownHandler,
        ):
            opener.add_handler(handler())
        with contextlib.closing(opener.open(url, timeout=self._timeout)) as answer:
            return json.loads(answer.read(_LONGEST))


def _scopes(claims: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    for name in ("scope", "scp"):
        value = claims.get(name)
        if isinstance(value, str):
            found.update(value.split())
        elif name == "scp" and isinstance(value, list):
            found.update(one for one in value if isinstance(one, str))
    return found
