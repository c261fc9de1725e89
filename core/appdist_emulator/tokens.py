"""Tokens that an identity provider signed: the service's checks, and its words for each.

Source: docs/reference/api-facts.md#oidc and docs/reference/api-facts.md#oidc-messages.

Where that page is silent:

- The checks come in the order algorithm, key, signature, times, issuer, audience, scopes; the first
  that fails is told. A claim that is missing is a wrong one; a token that is not yet valid "has expired".
- A key that the provider does not publish is an invalid signature, and so is what is no
  token at all. Without a `kid`, the provider's only key is meant.
- Nothing is asked of the subject: the documents name no such check.
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
    from collections.abc import Collection, Mapping

    from jwt.types import Options

    from appdist_emulator.seed import OidcMessage

ALGORITHMS = ("RS256", "RS384", "RS512")
KEYS_LIFETIME = 60  # seconds
_TIMEOUT = 5  # seconds
_LONGEST = 1024 * 1024  # bytes of an answer
_OF_CLAIM: dict[str, OidcMessage] = {
    "exp": "Token has expired",
    "iss": "Invalid issuer",
    "aud": "Invalid audience",
}
_OPTIONS: Options = {
    "require": list(_OF_CLAIM),
    "enforce_minimum_key_length": True,
    # Not on the list of checks.
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}

# As it appears in any text: a JSON object in base64url, then two more parts.
JWT = re.compile(r"eyJ[\w-]{4,}\.[\w-]+\.[\w-]*", re.ASCII)


class TokenError(Exception):
    def __init__(self, message: OidcMessage) -> None:
        super().__init__(message)
        self.message: OidcMessage = message


@dataclass(frozen=True)
class _Keys:
    published: list[dict[str, Any]]
    fetched: float

    def named(self, kid: str | None) -> dict[str, Any] | None:
        if time.monotonic() >= self.fetched + KEYS_LIFETIME:
            return None
        if kid is None:
            return self.published[0] if len(self.published) == 1 else None
        return next((key for key in self.published if key.get("kid") == kid), None)


class Verifier:
    """Knows an issuer's tokens, by the keys that it publishes."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        scopes: Collection[str] = (),
        jwks_url: str | None = None,
        leeway: float = 0,
        timeout: float = _TIMEOUT,
    ) -> None:
        self._issuer, self._audience, self._scopes = issuer, audience, set(scopes)
        self._jwks_url, self._leeway, self._timeout = jwks_url, leeway, timeout
        self._keys: _Keys | None = None
        self._fetching = threading.Lock()

    def check(self, token: str) -> None:
        """Raise TokenError unless the token is good."""
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
            raise TokenError(_OF_CLAIM[error.claim]) from None
        except jwt.PyJWTError:
            raise TokenError("Invalid token signature") from None
        if not self._scopes <= _scopes(claims):
            raise TokenError("Missing required scope")

    def _key(self, kid: str | None) -> dict[str, Any] | None:
        keys = self._keys
        key = keys.named(kid) if keys else None
        if key is not None:
            return key
        with self._fetching:
            if self._keys is keys:  # nobody else has fetched them meanwhile
                self._keys = self._fetch()
            assert self._keys is not None  # noqa: S101 - for the type checker
            return self._keys.named(kid)

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
        return _Keys(signing, time.monotonic())

    def _get(self, url: Any) -> Any:
        # Not urlopen: no proxy of the environment, no redirect, no file.
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
