"""One session to the service: timeouts, retries, redirects and the envelope.

wire/retry.py says what is sent again; docs/explanation/design.md, "On the wire", says why.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar
from urllib.parse import unquote, urljoin, urlsplit

import requests
import urllib3.exceptions
from pydantic import ValidationError

from sauce_appdist import __version__
from sauce_appdist.clock import Clock
from sauce_appdist.errors import ApiError, AuthError, Cancelled, NotSent, ServiceError, TransportError
from sauce_appdist.models import Reply, readable
from sauce_appdist.text import Redactor, one_line
from sauce_appdist.wire.connection_errors import (
    describe_cause,
    fate_of_error,
    no_connection,
    proxies_for,
    timed_out,
    unsent,
)
from sauce_appdist.wire.reasons import Reason, read_reason
from sauce_appdist.wire.regions import REGIONS, host_of, is_loopback, region_of_host
from sauce_appdist.wire.retry import AttemptFailed, Fate, RequestKind, fate_of_status, kind_of, with_retries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import IO

    from requests import PreparedRequest


R = TypeVar("R", bound=Reply)
T = TypeVar("T")

CONNECT_TIMEOUT = 10.0
MAX_BODY = 256 * 1024 * 1024
MAX_REDIRECTS = 3
_HIDDEN = "User not found"  # what newer servers say of every sign-in that they refuse
_ID = re.compile(r"/(project|build|session|tester|webhook|site)s?/(?!groups)[^/]+")

# What each code asks of the user: docs/reference/api-facts.md#error-codes.
_HINTS = {
    2: "It already exists.",
    99: "The account needs write access to this project: ask an admin of the account.",
    133: "A tester account (or one without a team) cannot do this: use the key of an admin.",
    135: "landing-page-mode is open or closed.",
    136: "The bundle id belongs to several teams.",
    400: "Check the tester's e-mail or id.",
    156: "The account requires login, so a landing page cannot be open: use landing-page-mode: closed.",
    404: "Check that it exists in this account and region.",
}


class Signer(Protocol):
    """Signs requests, and explains a sign-in that was refused."""

    name: str
    inputs: str  # that it is made of
    subject: str  # of the job's ID token; empty without one

    def __call__(self, request: PreparedRequest) -> PreparedRequest: ...

    def prepare(self) -> None:
        """Fetch what a signature needs; called before the time of the request begins."""

    def renew(self) -> bool:
        """Replace credentials that were refused; returns False if there are no others."""

    def secrets(self) -> Iterable[str]:
        """Everything that must never be shown."""

    def hint(self, *, newer: bool) -> str:
        """What else to try after a refusal; `newer` tells whether this is a newer server."""

    def explain(self, said: str) -> str:
        """How to fix what a message of the service names; "" if it does not concern the credentials."""


class Transport:
    """Sends requests and returns checked replies.

    `timeout` is in seconds, for one attempt from the first byte sent to the last byte read. `verify` is a file of
    certificates to trust instead of the public ones; `redact` hides what must not be shown in any message;
    `proxy_variable` is the environment variable that sets the proxy.
    `read_only` refuses everything but GET before it is sent. `log` gets a line per request,
    `warn` what the user should know.
    """

    def __init__(
        self,
        base_url: str,
        auth: Signer,
        *,
        timeout: float = 30.0,
        retries: int = 3,
        read_only: bool = False,
        log: Callable[[str], None] = lambda _: None,
        warn: Callable[[str], None] = lambda _: None,
        clock: Clock = Clock(),  # noqa: B008 - frozen
        verify: bool | str = True,
        redact: Redactor | None = None,
        proxy_variable: str = "HTTPS_PROXY",
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._retries = retries
        self._read_only = read_only
        self._log = log
        self._warn = warn
        self._clock = clock
        self._auth = auth
        self._redact = redact or Redactor(auth.secrets())
        self._verify = verify
        self._proxy_variable = proxy_variable
        # True as soon as an answer shows that it is a newer server, by its headers or its shape; False is unknown.
        self.newer_server = False
        self.sunset: str | None = None  # when the service switches this API off, as it writes it
        self._sunset_told = False
        self._proxies = proxies_for(self.base_url)
        self._session = requests.Session()
        self._session.auth = auth
        self._session.headers["User-Agent"] = f"sauce-appdist/{__version__}"

    @property
    def signs_in_with(self) -> str:
        """The name of the sign-in method (docs/reference/sign-in.md)."""
        return self._auth.name

    @property
    def job_subject(self) -> str:
        """The subject of the job's ID token, if the sign-in has fetched one; else empty."""
        return self._auth.subject

    def request(
        self,
        method: str,
        path: str,
        reply: type[R],
        *,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        renew: bool = True,
    ) -> R:
        """The service's answer to one request, as `reply`; without `renew`, by the credentials that are there.

        Raises AuthError (401, 403), ApiError (the service refused) and TransportError (unreachable, or an invalid
        answer); their `sent` tells whether the request may have had an effect. Raises InputError for a write if this
        is `read_only`.
        """
        return self._retrying(
            _Request(method, path, form, query, renew=renew),
            lambda response, request, deadline: self._reply(response, request, deadline, reply),
        )

    def content(self, path: str, *, query: Mapping[str, str] | None = None) -> bytes:
        """The text that a GET returns instead of an envelope, as it came. Raises what `request` raises."""
        return self._retrying(_Request("GET", path, None, query, accept="*/*"), self._content)

    def warn(self, text: str) -> None:
        """Tell the user something about the answers."""
        self._warn(self._redact(text))

    def download(self, path: str, into: IO[bytes]) -> tuple[str, int]:
        """Write a file into `into`; returns the name that the service gives it ("" for none) and its size in bytes.

        A redirect to another host, where the service keeps its files, is followed without any credentials
        (docs/reference/api-facts.md#downloading-a-build). `timeout` holds for each pause between bytes
        instead of for the whole. Raises what `request` raises, and OSError if it cannot be written.
        """
        return self._retrying(
            _Request("GET", path, None, None, accept="*/*", elsewhere=True),
            lambda response, request, deadline: self._file(response, request, deadline, into),
        )

    def _retrying(self, request: _Request, read: Callable[[requests.Response, _Request, float], T]) -> T:
        if self._read_only and request.write:
            raise NotSent(f"dry-run is set, so {request} is not sent.")
        # A write is not sent a second time because the token has expired in the meantime.
        may_renew = request.renew and not request.write

        def attempt() -> T:
            nonlocal may_renew
            try:
                return self._attempt(request, read)
            except AuthError as error:
                if not may_renew or error.status != 401 or not self._auth.renew():
                    raise
                may_renew = False
            return self._attempt(request, read)

        return with_retries(attempt, request.kind, retries=self._retries, clock=self._clock, log=self._log)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _attempt(self, request: _Request, read: Callable[[requests.Response, _Request, float], T]) -> T:
        if request.renew:
            self._auth.prepare()  # before the time of the request begins, and before anything can count as sent
        url, signed = self.base_url + request.path, True
        started = time.monotonic()
        deadline = started + self._timeout
        for _ in range(MAX_REDIRECTS + 1):
            with self._broken_connections(request, url):
                response = self._send(request, url, signed=signed)
                if signed:
                    self._tell_sunset(response)
                try:
                    if not response.is_redirect:
                        return read(response, request, deadline)
                    for _part in self._chunks(response, request, deadline):
                        pass  # read to its end, the connection can be used again
                finally:
                    milliseconds = (time.monotonic() - started) * 1000
                    size = response.raw.tell()
                    self._log(f"{request} -> {response.status_code} in {milliseconds:.0f} ms, {size} bytes")
                    response.close()
                url = self._target(response, request, url)
                signed = signed and _origin(url) == _origin(self.base_url)
        raise TransportError(f"{request} was redirected more than {MAX_REDIRECTS} times: check base-url.")

    def _target(self, response: requests.Response, request: _Request, url: str) -> str:
        """The target of a redirect, if it may be followed. Messages never show its query, which may be a signature."""
        try:
            target = urljoin(url, response.headers["Location"])
            _ = urlsplit(target).port
        except ValueError:
            raise _no_address(request) from None
        # Shown as a whole or not at all: half a secret would not be recognized.
        scheme = urlsplit(target).scheme
        shown = f"{scheme}://{host_of(target)}" if self._redact.host(target) == target else "***"
        where = f"{request} was redirected ({response.status_code}) to {shown}, which is not followed: "
        secure = scheme == "https" or (scheme == "http" and is_loopback(target) and is_loopback(self.base_url))
        if request.write or not secure or (_origin(target) != _origin(self.base_url) and not request.elsewhere):
            raise TransportError(where + "check base-url and region.", sent=request.write, status=response.status_code)
        return target

    def _send(self, request: _Request, url: str, *, signed: bool) -> requests.Response:
        """Send one request. After a redirect to another host it is never signed again."""
        options: dict[str, Any] = {
            "headers": {"Accept": request.accept},
            "timeout": (min(CONNECT_TIMEOUT, self._timeout), self._timeout),
            "proxies": self._proxies,
            "verify": self._verify,
            "allow_redirects": False,
            "stream": True,
        }
        try:
            if signed:
                query = request.query if url == self.base_url + request.path else None
                return self._session.request(request.method, url, params=query, data=request.form, **options)
            with requests.Session() as stranger:
                stranger.auth = lambda request: request  # also keeps requests from looking into .netrc
                stranger.headers["User-Agent"] = self._session.headers["User-Agent"]
                return stranger.get(url, **options)
        except requests.exceptions.RequestException:
            raise  # some of which are ValueErrors too
        except ValueError:  # what requests raises for a Location that is not a URL
            raise _no_address(request) from None

    @contextmanager
    def _broken_connections(self, request: _Request, url: str) -> Iterator[None]:
        """Turns what a broken connection raises into an error of ours or a failed attempt."""
        try:
            yield
        except Cancelled as cancelled:
            cancelled.sent = request.write
            raise
        except (
            requests.exceptions.InvalidSchema,
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidProxyURL,
        ) as error:
            # The error quotes the URL, which after a redirect may hold a signature.
            why = self._redact(str(error)) if url == self.base_url + request.path else "the redirect is invalid"
            raise TransportError(f"{request} cannot be sent: {why}") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise self._broken(error, request, url) from None

    def _broken(self, error: Exception, request: _Request, url: str) -> AttemptFailed:
        """What a failed connection means for the request."""
        fate, sent = fate_of_error(error), request.write
        if unsent(error):
            shown = url if self._redact.host(url) == url else "https://***"
            message, sent = no_connection(error, shown, self._proxy_variable), False
        elif timed_out(error):
            message = f"{request}: no answer within {self._timeout:g} s."
        elif fate is Fate.FINAL:
            message = f"{host_of(url)} answers, but does not speak HTTP: check the host and the port of base-url."
        else:
            message = (
                f"{request}: the connection to {host_of(url)} broke before the answer was complete "
                f"({describe_cause(error)})."
                + (" If the server expects TLS, start base-url with https:." if url.startswith("http:") else "")
            )
        return AttemptFailed(TransportError(message, sent=sent), fate)

    def _chunks(self, response: requests.Response, request: _Request, deadline: float | None = None) -> Iterator[bytes]:
        """The body in chunks. Raises ReadTimeout after `deadline`, even if the server keeps sending byte by byte."""
        size = 0
        while part := response.raw.read1(1 << 16, decode_content=True):
            yield part
            size += len(part)
            if deadline is None:
                continue
            if time.monotonic() > deadline:
                raise requests.exceptions.ReadTimeout
            if size > MAX_BODY:
                raise TransportError(f"{request}: the answer is larger than {MAX_BODY >> 20} MiB.", sent=True)

    def _reply(self, response: requests.Response, request: _Request, deadline: float, reply: type[R]) -> R:
        return self._checked(response, b"".join(self._chunks(response, request, deadline)), request, reply)

    def _content(self, response: requests.Response, request: _Request, deadline: float) -> bytes:
        body = b"".join(self._chunks(response, request, deadline))
        self._no_refusal(response, body, request)
        if _media_type(response) == "text/html":
            raise TransportError(f"{request}: HTTP {response.status_code} with a page instead of text: check base-url.")
        return body

    def _no_refusal(self, response: requests.Response, body: bytes, request: _Request) -> None:
        """Raise the refusal of an envelope that came instead of other content."""
        envelope = _envelope(body) if body.lstrip()[:1] == b"{" else None
        if response.status_code >= 300 or (envelope and envelope.status == "fail"):
            self._checked(response, body, request, Reply)

    def _file(
        self, response: requests.Response, request: _Request, deadline: float, into: IO[bytes]
    ) -> tuple[str, int]:
        media_type = _media_type(response)
        if response.status_code >= 300 and _origin(response.url) != _origin(self.base_url):
            # What a storage says can quote the signed URL.
            host = urlsplit(response.url).hostname
            refused = TransportError(
                f"{request}: {host}, which stores the file, answers HTTP {response.status_code}.",
                status=response.status_code,
            )
            # Of a storage, 429 is final and Retry-After does not count: they are not the service's.
            fate = fate_of_status(response.status_code)
            raise AttemptFailed(refused, Fate.FINAL if fate is Fate.TOO_MANY_REQUESTS else fate)
        if response.status_code != 200 or media_type in {"application/json", "text/html"}:
            body = b"".join(self._chunks(response, request, deadline))
            if _origin(response.url) == _origin(self.base_url):
                self._no_refusal(response, body, request)
            raise ApiError(
                f"{request}: the service returned a page instead of the file, as it does if the account has no file "
                "storage: ask an admin of the account.",
                status=response.status_code,
            )
        into.seek(0)
        into.truncate()
        size = 0
        for part in self._chunks(response, request):
            into.write(part)
            size += len(part)
        name = _name_of_file(response)
        return name if self._redact.host(name) == name else "", size

    def _checked(self, response: requests.Response, body: bytes, request: _Request, reply: type[R]) -> R:
        """The reply if the status is 2xx and the envelope says ok. Raises the error that fits otherwise."""
        status = response.status_code
        self.newer_server = self.newer_server or reply.of_newer_server(body)
        try:
            parsed: Reply = _parsed(reply, body)
        except ValidationError as error:
            envelope = _envelope(body)
            in_envelope = envelope is not None and (envelope.status == "ok" or not reply.enveloped)
            if envelope is None or (status < 300 and in_envelope):
                reason = Reason() if envelope else self._reason(response, body, request)
                problem = _shape(error) if envelope else f"{self._media(response)}, {reason or 'an empty body'}"
                failure = TransportError(
                    f"{request}: HTTP {status} with an answer that this version cannot read: {problem}."
                    f" {reason.doubt}".rstrip(),
                    sent=request.write and not 400 <= status < 500,
                    status=status,
                )
                raise self._by_status(response, request, reason, None, failure) from None
            parsed = envelope
        if status < 300 and (parsed.status == "ok" or not reply.enveloped):
            return parsed  # type: ignore[return-value]
        reason = self._reason(response, body, request)
        code = "" if parsed.code is None else f", code {parsed.code}"
        hint = _ids_of(request) if parsed.code == 1 else _HINTS.get(parsed.code or 0, "")
        said = f"{str(reason or 'no reason given').rstrip('.')}. {reason.doubt}".rstrip()
        refused = ApiError(
            f"{request}: the service refused (HTTP {status}{code}): {said} {hint}".rstrip(),
            status=status,
            code=parsed.code,
            sent=request.write and status >= 500,
        )
        raise self._by_status(response, request, reason, parsed.code, refused)

    def _reason(self, response: requests.Response, body: bytes, request: _Request) -> Reason:
        """What a failed answer says, which is logged too: not every failure ends in a message."""
        reason = read_reason(body, self._redact)
        self._log(f"{request}: HTTP {response.status_code} says {reason or 'nothing'}. {reason.doubt}".rstrip())
        return reason

    def _by_status(
        self, response: requests.Response, request: _Request, reason: Reason, code: int | None, error: ServiceError
    ) -> Exception:
        """The error for a status that has its own meaning, whatever the body is."""
        status = response.status_code
        nameless = code == 104 and "/webhook" in request.path  # its other meaning: a webhook without a name
        if status == 401 or (status < 500 and status != 403 and code in {5, 104} and not nameless):
            return self._unauthorized(status, request, reason, code)
        if status == 403:
            check = (
                f"heck that region is the account's (now {self._where()}), that its role is Admin, and that it may "
                f"{'write to' if request.write else 'read'} this project."
            )
            said = f" ({reason})" if reason.text else ""
            return AuthError(
                f"{request}: HTTP 403 with {reason}. {reason.doubt} If it comes from the service, c{check}"
                if reason.doubt
                else f"{request}: the account may not do this{said}. C{check}",
                status=status,
                reason=reason.text,
            )
        if status == 429:
            error = TransportError(f"{request}: the service asks to slow down (HTTP 429).", status=status)
        return AttemptFailed(error, fate_of_status(status), response.headers.get("Retry-After", ""))

    def _where(self) -> str:
        return region_of_host(self.base_url) or self.base_url

    def _unauthorized(self, status: int, request: _Request, reason: Reason, code: int | None) -> AuthError:
        """The error for credentials that are not accepted, with what to check."""
        hint = self.sign_in_hint
        if reason.kind == "message" and (why := self._auth.explain(reason.text)):
            check = f"It says {reason.text!r}: {why}. {hint}"
        else:
            others = ", ".join(name for name in REGIONS if name != self._where())
            region = f"first check that region is the account's (now {self._where()}; others: {others})"
            said = f"It says {reason.text!r}." if reason.text and not reason.doubt else ""
            check = f"Keys differ per region: {region}, then {self._auth.inputs}. {hint} {said}"
        what = (
            f"HTTP {status} with {reason}. {reason.doubt} If it comes from the service, it does not accept the "
            "credentials."
            if reason.doubt
            else "the service does not accept the credentials."
        )
        # docs/reference/api-facts.md#wrong-credentials
        hides = status == 401 and code == 104 and reason.text == _HIDDEN
        server = "This server" if self.newer_server else "If this is a newer server, it"
        return AuthError(
            " ".join(f"{request}: {what} {check}".split()),
            status=status,
            reason="" if reason.doubt else reason.text,
            advice=f"{server} hides the reason: `sauce-appdist whoami` (step check) asks for it." if hides else "",
        )

    @property
    def sign_in_hint(self) -> str:
        """What else to try after the credentials were refused; "" if there is nothing."""
        return self._auth.hint(newer=self.newer_server)

    def _media(self, response: requests.Response) -> str:
        """The content type, for a message."""
        kind = self._redact.host(response.headers.get("Content-Type", "")).partition(";")[0]
        return one_line(kind, 60) or "no content type"

    def _tell_sunset(self, response: requests.Response) -> None:
        if self._sunset_told or not _announces_end(response):
            return
        self.newer_server = self._sunset_told = True
        if sunset := response.headers.get("Sunset"):
            self.sunset = one_line(self._redact(sunset), 60)
        when = f"and will switch it off on {self.sunset}" if self.sunset else "and may switch it off"
        self._warn(f"The service calls this API deprecated {when}. Look for a newer sauce-appdist.")


class _Request(NamedTuple):
    """A request to the service; messages show its method and path, never its query."""

    method: str
    path: str
    form: Mapping[str, str] | None
    query: Mapping[str, str] | None
    accept: str = "application/json"
    elsewhere: bool = False
    renew: bool = True

    @property
    def kind(self) -> RequestKind:
        return kind_of(self.method)

    @property
    def write(self) -> bool:
        return self.kind is not RequestKind.GET

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _no_address(request: _Request) -> TransportError:
    return TransportError(f"{request} was redirected to an invalid address: check base-url.", sent=request.write)


def _origin(url: str) -> tuple[str, str]:
    return urlsplit(url)[:2]


def _media_type(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _announces_end(response: requests.Response) -> bool:
    """Newer servers may announce the end of this API (docs/reference/api-facts.md#end-of-v1)."""
    return bool(response.headers.get("Sunset") or response.headers.get("Deprecation"))


def _name_of_file(response: requests.Response) -> str:
    """The file's name from Content-Disposition, else from the URL; "" if it has none.

    `filename*` has more characters than `filename`, and wins (RFC 6266, 4.3).
    """
    message = Message()
    message["Content-Disposition"] = response.headers.get("Content-Disposition", "")
    parameters = message.get_params([], "content-disposition")
    names = [value for name, value in parameters if name.lower() == "filename"]
    extended = [collapse_rfc2231_value(value) for value in names if isinstance(value, tuple) and value[0]]
    path = unquote(urlsplit(response.url).path)
    return next(filter(None, extended), None) or message.get_filename() or path.rpartition("/")[2]


def _parsed(reply: type[R], body: bytes) -> R:
    """The reply; an optional field that cannot be read counts as missing. Raises ValidationError."""
    first: ValidationError | None = None
    while True:
        try:
            return reply.model_validate_json(body)
        except ValidationError as error:
            first = first or error
            less = readable(body, error) if error.errors(include_url=False)[0]["type"] != "json_invalid" else None
            if less is None:
                raise first from None
            body = less


def _ids_of(request: _Request) -> str:
    """The hint for an id that the service does not know: the ids in the path."""
    names = [f"{name}-id" for name in _ID.findall(request.path)]
    return f"Check {' and '.join(names)}." if names else "Check the parameters."


def _envelope(body: bytes) -> Reply | None:
    try:
        return _parsed(Reply, body)
    except ValidationError:
        return None


def _shape(error: ValidationError) -> str:
    """Which fields are not as documented; never their values."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
