"""One session to the service: timeouts, retries, redirects and the envelope.

The rules (docs/design.md, "On the wire"): a request that may have had an effect is never sent
twice. 429 and failures before the request was sent are retried on every method; 502, 503, 504, read
timeouts and broken connections only on GET.
"""

from __future__ import annotations

import random
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3.exceptions
from pydantic import ValidationError

from sauce_appdist import __version__
from sauce_appdist.errors import ApiError, AuthError, Cancelled, ServiceError, TransportError
from sauce_appdist.models import Reply
from sauce_appdist.regions import REGIONS, is_loopback, region_of_host
from sauce_appdist.text import Redactor, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sauce_appdist.auth import Auth

R = TypeVar("R", bound=Reply)

CONNECT_TIMEOUT = 10.0
LONGEST_WAIT = 60.0  # seconds; a longer Retry-After is cut to it
MAX_BODY = 256 * 1024 * 1024
MAX_REDIRECTS = 3
_RETRY_ON_GET = {502, 503, 504}
_NEVER_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
)
_TLS_NOT_OPENED = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "HANDSHAKE", "ALERT", "doesn't match")

# facts.md part 4: what each code asks of the user.
_HINTS = {
    1: "Check build-id and project-id.",
    2: "It exists already.",
    99: "The account needs write access to this project: ask an admin of the account.",
    133: "A tester account (or one without a team) cannot do this: use the key of an admin.",
    135: "landing-page-mode is open or closed.",
    136: "The bundle id belongs to several teams.",
    156: "The account requires login, so a landing page cannot be open: use landing-page-mode: closed.",
    404: "Check that it exists in this account and region.",
}
_OIDC_HINTS = {
    "X-OIDC-Config-Key header required": "give oidc-config-key",
    "Invalid config key": "oidc-config-key is not the one of this account",
    "OIDC not enabled": "an admin must switch OIDC on for the account",
    "Invalid issuer": "the token's iss must be the issuer in the account's OIDC settings",
    "Invalid audience": "the token's aud must be the audience in the account's OIDC settings (case matters)",
    "expired": "fetch a new token right before this step",
    "signature": "the token is not signed by a key of the issuer's JWKS",
    "Missing required scope": "ask the identity provider for the scopes in the account's OIDC settings",
    "Failed to fetch JWKS": "the service cannot read the issuer's keys: try again later",
    "Unsupported algorithm": "the token must be signed with RS256, RS384 or RS512",
}


class _Retry(Exception):
    """This attempt failed in a way that may be tried again, after `wait` seconds if it is known."""

    def __init__(self, error: ServiceError, wait: float | None = None) -> None:
        self.error = error
        self.wait = wait


class Transport:
    """Sends requests and returns checked replies.

    `timeout` is in seconds, for one attempt from the first byte sent to the last byte read.
    `read_only` refuses everything but GET before it is sent. `log` gets a line per request,
    `warn` what the user should hear.
    """

    def __init__(
        self,
        base_url: str,
        auth: Auth,
        *,
        timeout: float = 30.0,
        retries: int = 3,
        read_only: bool = False,
        log: Callable[[str], None] = lambda _: None,
        warn: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._retries = retries
        self._read_only = read_only
        self._log = log
        self._warn = warn
        self.sleep = sleep
        self._redact = Redactor(auth.secrets())
        self._sunset_told = False
        # What is for this machine goes to no proxy, where the credentials could be read.
        self._proxies = dict.fromkeys(("http", "https", "all"), "") if is_loopback(self.base_url) else None
        self._session = requests.Session()
        self._session.auth = auth
        self._session.headers["User-Agent"] = f"sauce-appdist/{__version__}"
        self._session.headers["Accept"] = "application/json"

    def request(self, method: str, path: str, reply: type[R], *, form: Mapping[str, str] | None = None) -> R:
        """The service's answer to one request, as `reply`.

        Raises AuthError (401, 403), ApiError (the service said no) and TransportError (no sensible
        answer); their `sent` tells whether the request may have had an effect.
        """
        if self._read_only and method != "GET":
            raise AssertionError(f"a dry run must not send {method} {path}")
        for attempt in range(self._retries + 1):
            try:
                return self._attempt(method, path, reply, form)
            except _Retry as failed:
                if attempt == self._retries:
                    raise failed.error from None
                backoff = min(0.5 * 2**attempt, LONGEST_WAIT) * random.uniform(0.5, 1.0)  # noqa: S311
                wait = min(backoff if failed.wait is None else failed.wait, LONGEST_WAIT)
                self._log(f"{failed.error} Trying again in {wait:.1f} s ({attempt + 1} of {self._retries}).")
            self.sleep(wait)
        raise AssertionError("unreachable")  # pragma: no cover

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _attempt(self, method: str, path: str, reply: type[R], form: Mapping[str, str] | None) -> R:
        url = self.base_url + path
        what = f"{method} {path}"
        started = time.monotonic()
        for _ in range(MAX_REDIRECTS + 1):
            response, body = self._send(method, url, what, form, deadline=started + self._timeout)
            milliseconds = (time.monotonic() - started) * 1000
            self._log(f"{what} -> {response.status_code} in {milliseconds:.0f} ms, {len(body)} bytes")
            if not response.is_redirect:
                return self._checked(response, body, what, reply)
            target = urljoin(url, response.headers["Location"])
            shown = self._redact(f"{urlsplit(target).scheme}://{urlsplit(target).netloc.rpartition('@')[2]}")
            if method != "GET" or urlsplit(target)[:2] != urlsplit(url)[:2]:
                raise TransportError(
                    f"{what} was redirected ({response.status_code}) to {shown}, which is not followed: "
                    "check base-url and region.",
                    sent=method != "GET",
                )
            url = target
        raise TransportError(f"{what} was redirected more than {MAX_REDIRECTS} times: check base-url.")

    def _send(
        self, method: str, url: str, what: str, form: Mapping[str, str] | None, deadline: float
    ) -> tuple[requests.Response, bytes]:
        host = urlsplit(self.base_url).netloc
        get = method == "GET"
        try:
            response = self._session.request(
                method,
                url,
                data=form,
                timeout=(min(CONNECT_TIMEOUT, self._timeout), self._timeout),
                proxies=self._proxies,
                allow_redirects=False,
                stream=True,
            )
            return response, self._read(response, what, deadline)
        except Cancelled as cancelled:
            cancelled.sent = not get
            raise
        except requests.exceptions.SSLError as error:
            reason = str(error)
            if "WRONG_VERSION_NUMBER" in reason or "record layer" in reason:
                hint = "it does not speak TLS on that port: check base-url"
            else:
                hint = (
                    "its certificate is not trusted here: check base-url, or give the company's certificates "
                    "in REQUESTS_CA_BUNDLE"
                )
            raise TransportError(
                f"No secure connection to {host}: {hint} ({_cause(error)}).",
                sent=not get and not any(mark in reason for mark in _TLS_NOT_OPENED),
            ) from None
        except (
            requests.exceptions.InvalidSchema,
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidProxyURL,
        ) as error:
            raise TransportError(f"{what} cannot be sent: {self._redact(str(error))}") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise self._broken(error, what, host, get=get) from None
        except ValueError:  # what requests raises for a Location that is no URL
            raise TransportError(
                f"{what} was redirected to an address that is none: check base-url.", sent=not get
            ) from None

    def _broken(self, error: Exception, what: str, host: str, *, get: bool) -> Exception:
        """What a failed connection means: try again, or the error to end with."""
        cause = _root(error)
        if isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(cause, _NEVER_SENT):
            return _Retry(
                TransportError(f"{host} cannot be reached: check region, base-url and the network ({_cause(error)}).")
            )
        if isinstance(error, (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError)):
            failure = TransportError(f"{what}: no answer within {self._timeout:g} s.", sent=not get)
        elif "BadStatusLine" in repr(cause) or "HeaderParsing" in repr(cause):
            return TransportError(
                f"{host} answers, but does not speak HTTP: check the host and the port of base-url.",
                sent=not get,
            )
        else:
            failure = TransportError(
                f"{what}: the connection broke before the whole answer was there ({_cause(error)}).",
                sent=not get,
            )
        return _Retry(failure) if get else failure

    def _read(self, response: requests.Response, what: str, deadline: float) -> bytes:
        """The whole body; a server that drips it byte by byte meets the same deadline."""
        parts: list[bytes] = []
        size = 0
        while part := response.raw.read1(1 << 16, decode_content=True):
            parts.append(part)
            size += len(part)
            if time.monotonic() > deadline:
                response.close()
                raise requests.exceptions.ReadTimeout
            if size > MAX_BODY:
                response.close()
                raise TransportError(f"{what}: the answer is larger than {MAX_BODY >> 20} MiB.", sent=True)
        response.close()
        return b"".join(parts)

    def _checked(self, response: requests.Response, body: bytes, what: str, reply: type[R]) -> R:
        """The reply if the status is 2xx and the envelope says ok, else the fitting error."""
        self._tell_sunset(response)
        status = response.status_code
        write = not what.startswith("GET ")
        try:
            parsed: Reply = reply.model_validate_json(body)
        except ValidationError as error:
            envelope = _envelope(body)
            if envelope is None or (status < 300 and envelope.status == "ok"):
                problem = _shape(error) if envelope else self._excerpt(response, body)
                failure = TransportError(
                    f"{what}: HTTP {status} with an answer that this version cannot read: {problem}",
                    sent=write and not 400 <= status < 500,
                )
                raise self._by_status(response, what, "", None, failure) from None
            parsed = envelope
        if status < 300 and parsed.status == "ok":
            return parsed  # type: ignore[return-value]
        # Redacted before it is cut: half a secret would not be known for one.
        said = one_line(self._redact(parsed.message or "no reason given"), 300)
        code = "" if parsed.code is None else f", code {parsed.code}"
        hint = _HINTS.get(parsed.code or 0, "")
        error_ = ApiError(
            f"{what}: the service refused (HTTP {status}{code}): {said.rstrip('.')}. {hint}".rstrip(),
            status=status,
            code=parsed.code,
        )
        error_.sent = write and status >= 500
        raise self._by_status(response, what, said, parsed.code, error_)

    def _by_status(
        self, response: requests.Response, what: str, said: str, code: int | None, error: ServiceError
    ) -> Exception:
        """Statuses with a meaning of their own, whatever the body is."""
        status = response.status_code
        if status == 401 or (status < 500 and status != 403 and code in {5, 104}):
            return AuthError(f"{what}: the service does not accept the credentials. {self._signing_hint(said)}")
        if status == 403:
            said = f" ({said})" if said else ""
            return AuthError(
                f"{what}: the account may not do this{said}. Check that region is the one of the account "
                f"(now {self._where()}), that the key belongs to an Admin, and that it may write to this project."
            )
        if status == 429:
            failure = TransportError(f"{what}: the service asks to slow down (HTTP 429).")
            return _Retry(failure, _retry_after(response))
        if status in _RETRY_ON_GET and what.startswith("GET "):
            return _Retry(error, _retry_after(response))
        return error

    def _where(self) -> str:
        return region_of_host(self.base_url) or self.base_url

    def _signing_hint(self, said: str) -> str:
        for message, hint in _OIDC_HINTS.items():
            if message in said:
                return f"It says {said!r}: {hint}."
        others = ", ".join(name for name in REGIONS if name != self._where())
        quoted = f" It says {said!r}." if said else ""
        return (
            f"Keys differ per region: first check that region is the one of the account (now {self._where()}; "
            f"others: {others}), then email and api-key, or oidc-token and oidc-config-key.{quoted}"
        )

    def _excerpt(self, response: requests.Response, body: bytes) -> str:
        kind = response.headers.get("Content-Type", "no content type").partition(";")[0]
        text = one_line(self._redact(body[:4000].decode("utf-8", "replace")), 160)
        return f"{one_line(kind, 60)}, {text!r}" if text else f"{one_line(kind, 60)}, an empty body"

    def _tell_sunset(self, response: requests.Response) -> None:
        sunset, deprecation = response.headers.get("Sunset"), response.headers.get("Deprecation")
        if self._sunset_told or not (sunset or deprecation):
            return
        self._sunset_told = True
        when = f"and will switch it off on {one_line(sunset, 60)}" if sunset else "and may switch it off"
        self._warn(f"The service calls this API deprecated {when}. Look for a newer sauce-appdist.")


def _envelope(body: bytes) -> Reply | None:
    try:
        return Reply.model_validate_json(body)
    except ValidationError:
        return None


def _shape(error: ValidationError) -> str:
    """Which fields are not as documented; never their values."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _root(error: BaseException) -> BaseException:
    """The innermost reason that requests and urllib3 wrapped."""
    while True:
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        if inner is None or isinstance(error, _NEVER_SENT):
            return error
        error = inner


def _cause(error: Exception) -> str:
    """The last, telling part of a connection error; URLs and objects are left out."""
    root = _root(error)
    text = getattr(root, "strerror", None) or str(root)
    return one_line(text.rpartition(">: ")[2].rpartition(": Failed to")[2], 120) or type(root).__name__


def _retry_after(response: requests.Response) -> float | None:
    """Seconds from `Retry-After`, which is a number or a date; None where it says neither."""
    value = response.headers.get("Retry-After", "")
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
