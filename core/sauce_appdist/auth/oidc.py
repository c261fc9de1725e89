"""Where an access token comes from: the company's identity provider, or the CI system's own ID token.

RFC 6749 (client credentials), RFC 7523 (an ID token as the client's assertion, which Entra ID calls workload identity
federation), RFC 8693 (token exchange), OpenID Connect Discovery 1.0. Only loaded by runs that fetch a token.
"""

from __future__ import annotations

import base64
import json
import math
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import requests
import urllib3.exceptions

from sauce_appdist.clock import Clock
from sauce_appdist.errors import AuthError, InputError, TransportError
from sauce_appdist.text import basic_pair, one_line
from sauce_appdist.wire.connection_errors import fate_of_error, no_connection, proxies_for, unsent
from sauce_appdist.wire.reasons import FOREIGN, Reason, read_reason
from sauce_appdist.wire.regions import host_of, is_loopback
from sauce_appdist.wire.retry import AttemptFailed, Fate, RequestKind, fate_of_status, with_retries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_RETRIES = 2
_MAX_ANSWER = 1 << 20
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z.+-]{1,40}(?![\w.+-])", re.IGNORECASE)
_MARGIN = 60.0  # seconds before its end in which a token is not used any more; at most a fifth of its life
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_JWT = "urn:ietf:params:oauth:token-type:jwt"

# What each error of RFC 6749, part 5.2, and of the well-known providers asks of the user.
_CLIENT = (
    "Check oidc-client-id and oidc-client-secret; some providers need oidc-client-auth: basic, or "
    "oidc-token-format: json."
)
_DENIED = "Check oidc-client-secret, and that the provider allows this client oidc-audience and oidc-scope."
_JOB = (
    "Check oidc-client-id and oidc-id-token-audience, and that the provider trusts this job: the issuer, subject and "
    "audience of its ID token."
)
_HINTS = {
    "invalid_client": _CLIENT,
    "unauthorized_client": "This tenant has no such client (oidc-client-id), or does not allow it this grant: allow it "
    "client credentials there.",
    "invalid_grant": _JOB,
    "access_denied": _DENIED,
    "invalid_scope": "Check oidc-scope (Entra ID needs <audience>/.default).",
    "invalid_target": "Check oidc-audience.",
    "invalid_request": "A parameter is missing or wrong: check oidc-audience, oidc-scope and oidc-token-format.",
    "unsupported_grant_type": "The provider does not support this grant: check oidc-exchange and oidc-token-format.",
    "": _CLIENT,
}
_JOB_HINTS = {**_HINTS, "invalid_client": _JOB, "": _JOB}
_DISCOVERY_HINTS = {"": "Check oidc-issuer: the tenant, the realm or the authorization server in it."}
_RUNNER = "ACTIONS_ID_TOKEN_REQUEST_URL, which the runner sets"
_PERMISSION = {"": "Check that the job has the permission id-token: write."}
_PLACE = "oidc-issuer and oidc-token-url"


@dataclass(frozen=True)
class Token:
    """A token and when to replace it (in seconds of the clock's `monotonic`); None if that is unknown."""

    value: str = field(repr=False)
    until: float | None = None


@dataclass
class TokenHttp:
    """Sends token requests: to an identity provider, or to GitHub's runner.

    `timeout` is in seconds, `verify` is as in requests. `redact` hides secrets in what a source says, `learn` receives
    every new secret. `proxy_variable` is the environment variable that sets the proxy.
    """

    timeout: float = 30.0
    verify: bool | str = True
    clock: Clock = Clock()  # noqa: RUF009 - frozen
    log: Callable[[str], None] = lambda _: None
    redact: Callable[[str], str] = str
    learn: Callable[[str], None] = lambda _: None
    proxy_variable: str = "HTTPS_PROXY"

    def json(
        self, method: str, url: str, what: str, hints: Mapping[str, str], place: str = _PLACE, **options: Any
    ) -> dict[str, Any]:
        """The JSON object of a 2xx answer.

        Raises AuthError if the source refuses (`hints` has the remedy for each error of RFC 6749, and under "" for any
        other), TransportError if it cannot be reached or its answer is invalid, and InputError for an address that
        cannot be used; `place` names the inputs that set the address. The service got no request yet, so no error has
        a status.
        """
        return with_retries(
            lambda: self._once(method, url, what, hints, place, **options),
            RequestKind.TOKEN,
            retries=_RETRIES,
            clock=self.clock,
            log=self.log,
        )

    def _once(
        self, method: str, url: str, what: str, hints: Mapping[str, str], place: str, **options: Any
    ) -> dict[str, Any]:
        host = host_of(url)
        options.setdefault("auth", lambda request: request)  # else requests looks into .netrc
        try:
            with requests.Session() as session:
                response = session.request(
                    method,
                    url,
                    timeout=self.timeout,
                    verify=self.verify,
                    proxies=proxies_for(url),
                    allow_redirects=False,
                    stream=True,
                    **options,
                )
                body = self._body(response)
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if isinstance(error, ValueError):
                raise InputError(f"{what}: {host or 'its address'} is not a valid address: check {place}.") from None
            if unsent(error) or isinstance(error, requests.exceptions.SSLError):
                problem = no_connection(error, url, self.proxy_variable, place)
            else:
                problem = f"{host} cannot be reached ({type(error).__name__}): check {place} and the network."
            raise AttemptFailed(TransportError(f"{what}: {problem}"), fate_of_error(error)) from None
        except ValueError:  # what requests raises for a Location that is not a URL
            raise TransportError(f"{what}: {host} redirects to an invalid address: check {place}.") from None
        self.log(f"{what}: {method} {host} -> {response.status_code}")
        return self._read(response, body, f"{what}: {host}", hints, place)

    def _body(self, response: requests.Response) -> bytes:
        deadline, body = time.monotonic() + self.timeout, b""
        with response:
            while part := response.raw.read1(1 << 16, decode_content=True):
                body += part
                if time.monotonic() > deadline:
                    raise requests.exceptions.ReadTimeout
                if len(body) > _MAX_ANSWER:
                    break
        return body

    def _read(
        self, response: requests.Response, body: bytes, what: str, hints: Mapping[str, str], place: str
    ) -> dict[str, Any]:
        status = response.status_code
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            data = None
        if 200 <= status < 300 and isinstance(data, dict):
            return data
        if status < 300:  # it may hold a token that nobody knows yet, so it is never quoted
            found = _MEDIA_TYPE.match(response.headers.get("Content-Type", ""))
            kind = found[0] if found else "no known type"
            told = (
                f"{what} answers HTTP {status} with {len(body)} bytes of {kind}. Expected a JSON object: check {place}."
            )
            raise TransportError(f"{told} {FOREIGN}" if kind.lower() == "text/html" else told)
        # A redirect's body repeats its target, which may be signed.
        reason = read_reason(body, self.redact) if status >= 400 else Reason()
        told = f"{what} answers HTTP {status}" + (f": {str(reason).rstrip('.')}." if reason.text else ".")
        told = f"{told} {reason.doubt}".rstrip()
        self.log(told)
        if (fate := fate_of_status(status)) is not Fate.FINAL:
            problem = TransportError(f"{told} Try again later, and check {place}.")
            raise AttemptFailed(problem, fate, response.headers.get("Retry-After", ""))
        if not 400 <= status < 500:
            raise TransportError(f"{told} Expected a JSON object: check {place}.")
        if status in {404, 405}:
            raise AuthError(f"{told} Not found: check {place}.")
        error = data.get("error", data.get("errorCode")) if isinstance(data, dict) else None
        raise AuthError(f"{told} {hints.get(str(error)) or hints['']}")


def claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified, for messages only; empty for an opaque token."""
    parts = token.split(".")
    try:
        decoded = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, IndexError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def describe_token(token: str) -> str:
    """`issuer …, audience …, subject …, valid from … to …`: to compare with the account's settings."""
    known = claims(token)
    parts = [f"{label} {one_line(str(known[name]), 120)}" for label, name in _SHOWN.items() if name in known]
    parts += [f"{label} {_moment(known[name])}" for label, name in _TIMES.items() if name in known]
    return ", ".join(parts) or "no readable claims (it is not a JWT)"


_SHOWN = {"issuer": "iss", "audience": "aud", "subject": "sub", "scope": "scope", "scopes": "scp", "roles": "roles"}
_TIMES = {"issued": "iat", "not before": "nbf", "expires": "exp"}


def _moment(seconds: object) -> str:
    try:
        return datetime.fromtimestamp(float(str(seconds)), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "?"


def until(token: str, expires_in: object = None, clock: Clock = Clock()) -> float | None:  # noqa: B008 - frozen
    """When to replace a token (in seconds of `clock.monotonic`): by `expires_in`, else by the token's own `exp`."""
    life = _seconds(expires_in)
    if life is None:
        ends = _seconds(claims(token).get("exp"))
        life = None if ends is None else ends - clock.now().timestamp()
    if life is None:
        return None
    return clock.monotonic() + life - min(_MARGIN, max(life, 0.0) / 5)


def _seconds(value: object) -> float | None:
    try:
        seconds = float(str(value))
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(seconds) else seconds


def secure(url: str, name: str) -> str:
    """The URL, if a secret may be sent there. Raises InputError, which names the input, if not."""
    try:
        parts = urlsplit(url)
        safe = parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url)))
    except ValueError:
        safe = False
    if not safe:
        raise InputError(f"{name} is not https, or not a valid URL. It receives a secret, so it must be https.")
    return url


_WELL_KNOWN = "/.well-known/openid-configuration"


def discover(issuer: str, http: TokenHttp) -> str:
    """The token endpoint of an issuer (OpenID Connect Discovery 1.0, part 4)."""
    issuer = secure(issuer, "oidc-issuer").removesuffix(_WELL_KNOWN)
    url = issuer.rstrip("/") + _WELL_KNOWN
    found = http.json("GET", url, "Looking up the token endpoint", _DISCOVERY_HINTS, "oidc-issuer")
    if str(found.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise AuthError(f"{url} names another issuer, {one_line(str(found.get('issuer')), 120)!r}: check oidc-issuer.")
    endpoint = found.get("token_endpoint")
    if not isinstance(endpoint, str):
        raise TransportError(f"{url} has no token_endpoint: set oidc-token-url instead of oidc-issuer.")
    return secure(endpoint, "the token_endpoint of oidc-issuer")


@dataclass
class Provider:
    """The company's identity provider. Each method sends one token request, in the form that the provider needs."""

    http: TokenHttp
    issuer: str | None = None
    token_url: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    audience: str | None = None
    scope: str | None = None
    as_json: bool = False
    basic: bool = False

    def by_secret(self) -> Token:
        """Client credentials (RFC 6749, part 4.4)."""
        # With Basic, the client is not named in the body.
        who = {} if self.basic else {"client_id": self.client_id, "client_secret": self.client_secret}
        return self._ask({"grant_type": "client_credentials", **who})

    def by_assertion(self, id_token: str) -> Token:
        """Client credentials with an ID token in place of the secret (RFC 7523, part 2.2)."""
        return self._ask(
            {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_assertion_type": _ASSERTION,
                "client_assertion": id_token,
            },
            _JOB_HINTS,
        )

    def by_exchange(self, id_token: str) -> Token:
        """An ID token exchanged for an access token (RFC 8693, part 2.1)."""
        return self._ask(
            {
                "grant_type": _EXCHANGE,
                "client_id": self.client_id,
                "subject_token": id_token,
                "subject_token_type": _JWT,
            },
            _JOB_HINTS,
        )

    def _ask(self, fields: Mapping[str, str | None], hints: Mapping[str, str] = _HINTS) -> Token:
        if self.token_url is None:
            self.token_url = discover(self.issuer or "", self.http)
        sent = {name: value for name, value in fields.items() if value}
        sent |= {name: value for name, value in (("audience", self.audience), ("scope", self.scope)) if value}
        options: dict[str, Any] = {"json": sent} if self.as_json else {"data": sent}
        if self.basic and self.client_secret:
            # RFC 6749, part 2.3.1: both are form-encoded first.
            pair = (quote(self.client_id or "", safe=""), quote(self.client_secret, safe=""))
            self.http.learn(basic_pair(*pair))
            options["auth"] = pair
        options["headers"] = {"Accept": "application/json"}
        reply = self.http.json("POST", secure(self.token_url, "oidc-token-url"), "Asking for a token", hints, **options)
        token = reply.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise TransportError("Asking for a token: the answer has no access_token: check oidc-token-url.")
        return Token(token, until(token, reply.get("expires_in"), self.http.clock))


def github_id_token(request_url: str, request_token: str, audience: str, http: TokenHttp) -> Token:
    """An ID token of the running job, from the runner."""
    joint = "&" if urlsplit(request_url).query else "?"
    url = f"{secure(request_url, 'ACTIONS_ID_TOKEN_REQUEST_URL')}{joint}audience={quote(audience, safe='')}"
    headers = {"Authorization": f"Bearer {request_token}", "Accept": "application/json"}
    token = http.json("GET", url, "Asking GitHub for an ID token", _PERMISSION, _RUNNER, headers=headers).get("value")
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise TransportError("Asking GitHub for an ID token: the answer has no token.")
    return Token(token, until(token, clock=http.clock))
