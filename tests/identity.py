"""A small real OIDC provider on loopback: what a company's sign-in service does, and how it fails.

It stands for Auth0, Okta, Entra ID, Keycloak or AD FS (`flavour`), and for GitHub's and GitLab's
own issuers too. It is strict where a lax one would hide a client's mistake: parameters in the URL,
given twice, or credentials given in two ways are refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import math
import re
import secrets
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from servers import Threaded

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

Flavour = Literal[
    "auth0", "okta", "okta-api", "entra", "keycloak", "adfs", "adfs-html", "errors", "html", "empty", "not-json"
]

CLIENT_CREDENTIALS = "client_credentials"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"

CLIENT_ID, CLIENT_SECRET = "ci-client", "s3cr3t: 100% of+it/äö"  # what only a right encoding brings over
AUDIENCE = "https://mobile.example/api"
GITHUB_SUBJECT = "repo:octo/app:ref:refs/heads/main"
GITLAB_SUBJECT = "project_path:northwind/app:ref_type:branch:ref:main"

_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head>\n<body><h1>{0}</h1>\n<p>{1}</p></body></html>\n"


@dataclass(frozen=True)
class Trust:
    """Whose tokens are taken as `client_assertion` or `subject_token`, for whom, and about whom."""

    issuer: IdentityProvider
    audience: str
    subject: str


@dataclass(frozen=True)
class Seen:
    """A request that arrived. `fields` is the form or the JSON body; `headers` are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    content_type: str
    fields: dict[str, Any]
    headers: dict[str, str]

    @property
    def basic(self) -> bool:
        return self.headers.get("authorization", "").startswith("Basic ")


@dataclass
class _Fault:
    path: str
    left: int | None
    skip: int
    status: int | None
    body: str | bytes
    headers: dict[str, str]
    drop: bool
    delay: float
    over: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class _Refused(Exception):
    def __init__(self, status: int, error: str, text: str, aadsts: int) -> None:
        super().__init__(text)
        self.status, self.error, self.text, self.aadsts = status, error, text, aadsts


class _Keys:
    """RSA keys take their time: made once a process, and had by one living provider at a time."""

    _lock = threading.Lock()
    _free: ClassVar[list[rsa.RSAPrivateKey]] = []

    @classmethod
    def take(cls) -> rsa.RSAPrivateKey:
        with cls._lock:
            if cls._free:
                return cls._free.pop()
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @classmethod
    def give_back(cls, keys: list[rsa.RSAPrivateKey]) -> None:
        with cls._lock:
            cls._free.extend(keys)


@cache
def _foreign_key() -> rsa.RSAPrivateKey:
    return _Keys.take()


class IdentityProvider:
    """An OIDC provider, for as long as the `with` block lasts. Every attribute may be changed meanwhile.

    `path` is where the issuer lives: "/realms/main" as in Keycloak, or "/" for one that ends with a
    slash, as Auth0's. `claims`, `answer` and `discovery` are put over what would be said; None takes
    a name away. `scopes` are those that may be asked for (None: any).
    """

    def __init__(
        self,
        *,
        flavour: Flavour = "keycloak",
        accepts: Literal["form", "json", "both"] = "both",
        client_auth: Literal["body", "basic", "both"] = "both",
        clients: dict[str, str] | None = None,
        audience: str = AUDIENCE,
        scopes: set[str] | None = None,
        lifetime: float = 3600,
        trust: Trust | None = None,
        exchange_needs_client: bool = False,
        echoes: bool = False,
        path: str = "",
        host: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.flavour: Flavour = flavour
        self.accepts, self.client_auth = accepts, client_auth
        self.clients = {CLIENT_ID: CLIENT_SECRET} if clients is None else clients
        self.audience, self.scopes, self.lifetime = audience, scopes, lifetime
        self.trust, self.exchange_needs_client = trust, exchange_needs_client
        self.echoes = echoes  # a careless provider: its errors repeat what it was sent
        self.claims: dict[str, Any] = {}
        self.answer: dict[str, Any] = {}
        self.discovery: dict[str, Any] = {}
        self.github_claims: dict[str, Any] = {}
        self.request_token = secrets.token_urlsafe(24)
        self._path, self._ssl = path, ssl_context
        self._host = host or ("localhost" if ssl_context else "127.0.0.1")
        self._lock = threading.Lock()
        self._requests: list[Seen] = []
        self._faults: list[_Fault] = []
        self._keys: list[rsa.RSAPrivateKey] = []  # the newest signs
        self._published: list[rsa.RSAPrivateKey] = []
        self._server: Threaded | None = None

    # --- where it is ------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        assert self._server, "use `with IdentityProvider() as identity:`"
        return f"{'https' if self._ssl else 'http'}://{self._host}:{self._server.server_port}"

    @property
    def issuer(self) -> str:
        return self.url + self._path

    @property
    def token_url(self) -> str:
        return self._endpoint("/token")

    @property
    def jwks_url(self) -> str:
        return self._endpoint("/jwks")

    @property
    def github_env(self) -> dict[str, str]:
        """What a job with `permissions: id-token: write` finds in its environment."""
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/actions/idtoken?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.request_token,
        }

    def _endpoint(self, name: str) -> str:
        return self.issuer.rstrip("/") + name

    # --- tokens -----------------------------------------------------------------------------------

    def token(self, *, alg: str = "RS256", headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """Sign an access token; a claim given as None is left out."""
        return self._sign(self._access_claims(CLIENT_ID, self.audience, "") | claims, alg, headers)

    def id_token(self, audience: str | list[str], **claims: Any) -> str:
        """Sign what GitLab puts into a variable of `id_tokens:`."""
        about = {
            **self._times(300),
            "aud": audience,
            "sub": GITLAB_SUBJECT,
            "namespace_id": "72",
            "namespace_path": "northwind",
            "project_id": "20",
            "project_path": "northwind/app",
            "user_login": "mara",
            "pipeline_id": "574",
            "pipeline_source": "push",
            "job_id": "302",
            "ref": "main",
            "ref_type": "branch",
            "ref_protected": "true",
        }
        return self._sign(about | claims)

    def forge(self, alg: str = "RS256", **claims: Any) -> str:
        """Make a token that must be refused, under this provider's key id.

        `RS…`: signed by somebody else. `none`: unsigned. `HS…`: its secret is the public key. `ES…`: an
        elliptic curve's. `PS…`: rightly signed, by an algorithm that is not expected.
        """
        about = _without_none(self._access_claims(CLIENT_ID, self.audience, "") | claims)
        head = {"kid": _kid(self._keys[-1])}
        if alg.startswith("HS"):
            # By hand: PyJWT knows this attack, and does not lend a hand.
            pem = self._keys[-1].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            signed = b".".join(_base64(json.dumps(part).encode()) for part in ({"alg": alg, **head}, about))
            digest = hmac.new(pem, signed, f"sha{alg[2:]}").digest()
            return (signed + b"." + _base64(digest)).decode()
        if alg == "none":
            return jwt.encode(about, None, "none", head)  # type: ignore[arg-type]
        if alg.startswith("ES"):
            return jwt.encode(about, ec.generate_private_key(ec.SECP256R1()), alg, head)
        return jwt.encode(about, _foreign_key() if alg.startswith("RS") else self._keys[-1], alg, head)

    def claims_of(self, token: str) -> dict[str, Any]:
        """Read a token without checking it."""
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        return claims

    def rotate(self, *, keep_old: bool = True) -> None:
        """Sign with a new key from now on; without `keep_old`, the old ones are no longer published."""
        self._keys.append(_Keys.take())
        self._published = [*(self._published if keep_old else []), self._keys[-1]]

    def jwks(self) -> dict[str, Any]:
        return {"keys": [_jwk(key) for key in self._published]}

    def _sign(self, claims: dict[str, Any], alg: str = "RS256", headers: dict[str, Any] | None = None) -> str:
        key = self._keys[-1]
        head = _without_none({"kid": _kid(key)} | (headers or {}))
        return jwt.encode(_without_none(claims), key, alg, head)

    def _times(self, lifetime: float) -> dict[str, Any]:
        now = time.time()
        return {
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),  # no token is the same as the one before
            "iat": int(now),
            "nbf": int(now),
            "exp": math.ceil(now + lifetime),
        }

    def _access_claims(self, client: str, audience: str, scope: str) -> dict[str, Any]:
        about = self._times(self.lifetime) | {"aud": audience, "sub": client, "azp": client}
        if scope:
            about |= {"scp": scope.split()} if self.flavour in {"okta", "okta-api"} else {"scope": scope}
        return about | self.claims

    # --- what tests look at and order -------------------------------------------------------------

    @property
    def requests(self) -> list[Seen]:
        with self._lock:
            return list(self._requests)

    @property
    def token_requests(self) -> list[Seen]:
        return [one for one in self.requests if one.path == urlsplit(self.token_url).path]

    def fail(
        self,
        path: str = "/token",
        *,
        times: int | None = 1,
        skip: int = 0,
        status: int | None = None,
        body: str | bytes = "",
        headers: dict[str, str] | None = None,
        drop: bool = False,
        delay: float = 0,
    ) -> None:
        """Order what the next `times` requests (None: all) get whose path ends so, after `skip` others.

        `drop` ends the connection without an answer; `delay` alone answers late. Otherwise `status`
        (503) with `body` and `headers`: a redirect too.
        """
        if status is None and not drop and not delay:
            status = 503
        with self._lock:
            self._faults.append(_Fault(path, times, skip, status, body, headers or {}, drop, delay))

    def recover(self) -> None:
        """Cancel all failures; requests that wait for a delay continue."""
        with self._lock:
            for fault in self._faults:
                fault.over.set()
            self._faults.clear()

    def _fault(self, path: str) -> _Fault | None:
        with self._lock:
            for fault in self._faults:
                if not path.endswith(fault.path) or fault.left == 0:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    return None
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None

    # --- answering --------------------------------------------------------------------------------

    def _respond(self, seen: Seen, repeated: bool) -> _Answer | None:
        with self._lock:
            self._requests.append(seen)
        fault = self._fault(seen.path)
        if fault:
            fault.over.wait(fault.delay)
            if fault.drop:
                return None
            if fault.status is not None:
                body = fault.body if isinstance(fault.body, bytes) else fault.body.encode()
                return _Answer(fault.status, body, "text/plain", fault.headers)
        path = urlsplit(self.issuer).path.rstrip("/")
        pages = {
            f"GET {path}/.well-known/openid-configuration": lambda: _json(self._configuration()),
            f"GET {path}/jwks": lambda: _json(self.jwks()),
            f"POST {path}/token": lambda: self._token_answer(seen, repeated=repeated),
            "GET /actions/idtoken": lambda: self._github(seen),
        }
        page = pages.get(f"{seen.method} {seen.path}")
        if page:
            return page()
        known = any(place.endswith(f" {seen.path}") for place in pages)
        return _Answer(405 if known else 404, b"no such page\n", "text/plain")

    def _configuration(self) -> dict[str, Any]:
        methods = {"body": ["client_secret_post"], "basic": ["client_secret_basic"]}
        methods["both"] = methods["basic"] + methods["body"]
        return _without_none(
            {
                "issuer": self.issuer,
                "authorization_endpoint": self._endpoint("/authorize"),
                "token_endpoint": self.token_url,
                "jwks_uri": self.jwks_url,
                "grant_types_supported": [CLIENT_CREDENTIALS, *([TOKEN_EXCHANGE] if self.trust else [])],
                "token_endpoint_auth_methods_supported": [
                    *methods[self.client_auth],
                    *(["private_key_jwt"] if self.trust else []),
                ],
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
            | self.discovery
        )

    def _github(self, seen: Seen) -> _Answer:
        if seen.headers.get("authorization") != f"Bearer {self.request_token}":
            return _json({"message": "The request token is not valid"}, 401)
        if seen.query.get("api-version") != "2.0":
            return _json({"message": "No api-version 2.0 was given"}, 400)
        about = {
            **self._times(300),
            "aud": seen.query.get("audience", "https://github.com/octo"),
            "sub": GITHUB_SUBJECT,
            "ref": "refs/heads/main",
            "ref_type": "branch",
            "sha": "8b04f5d8f7d2c1a3b5e6907142f3c4d5e6f70819",
            "repository": "octo/app",
            "repository_owner": "octo",
            "repository_visibility": "private",
            "actor": "mara",
            "event_name": "push",
            "workflow": "release",
            "job_workflow_ref": "octo/app/.github/workflows/release.yml@refs/heads/main",
            "run_id": "1890232",
            "run_attempt": "1",
            "runner_environment": "github-hosted",
        }
        return _json({"count": 1, "value": self._sign(about | self.github_claims)})

    def _token_answer(self, seen: Seen, *, repeated: bool) -> _Answer:
        if self.flavour == "not-json":
            return _Answer(200, _PAGE.format("Sign in", "Choose an account.").encode(), "text/html")
        try:
            return _json(self._grant(seen, repeated=repeated), headers={"Cache-Control": "no-store"})
        except _Refused as refused:
            return self._refusal(refused, seen)

    def _grant(self, seen: Seen, *, repeated: bool) -> dict[str, Any]:
        fields = seen.fields
        kind = {"application/x-www-form-urlencoded": "form", "application/json": "json"}.get(seen.content_type)
        if kind is None or self.accepts not in {kind, "both"}:
            raise _Refused(400, "invalid_request", "Missing form parameter: grant_type", 900144)
        if repeated or seen.query or not all(isinstance(value, str) for value in fields.values()):
            raise _Refused(400, "invalid_request", "Parameters belong into the body, as text, and once", 900561)
        grant = fields.get("grant_type")
        if grant == CLIENT_CREDENTIALS:
            client, more = self._client(seen), {}
        elif grant == TOKEN_EXCHANGE and self.trust:
            client, more = self._exchange(seen), {"issued_token_type": f"{TOKEN_TYPE}access_token"}
        else:
            raise _Refused(400, "unsupported_grant_type", f"Unsupported grant type: {grant}", 70003)
        scope = fields.get("scope", "")
        audience = fields.get("audience", "")
        if scope.endswith("/.default"):  # Entra ID's way to name an audience; its tokens then have roles
            audience, scope = audience or scope.removesuffix("/.default"), ""
        if self.scopes is not None and not set(scope.split()) <= self.scopes:
            raise _Refused(400, "invalid_scope", f"Invalid scopes: {scope}", 70011)
        if audience not in {"", self.audience}:
            raise _Refused(403, "access_denied", f"Service not found: {audience}", 500011)
        return _without_none(
            {
                "access_token": self._sign(self._access_claims(client, self.audience, scope)),
                "token_type": "Bearer",
                "expires_in": int(self.lifetime),
                "scope": scope or None,
                **more,
                **self.answer,
            }
        )

    def _client(self, seen: Seen) -> str:
        """Know the client by its secret or by a trusted issuer's token (RFC 6749 2.3, RFC 7523 2.2)."""
        fields = seen.fields
        ways = [seen.basic, "client_secret" in fields, "client_assertion" in fields]
        if sum(ways) > 1:
            raise _Refused(400, "invalid_request", "More than one way to authenticate the client", 900144)
        if "client_assertion" in fields:
            if fields.get("client_assertion_type") != JWT_BEARER or not self.trust:
                raise _Refused(400, "invalid_request", "client_assertion_type is not supported", 50027)
            if fields.get("client_id") not in self.clients:
                raise _Refused(401, "invalid_client", "No such client", 700016)
            self._trusted(fields["client_assertion"])
            return str(fields["client_id"])
        how = "basic" if seen.basic else "body"
        client, secret = (
            _basic(seen.headers["authorization"])
            if seen.basic
            else (fields.get("client_id", ""), fields.get("client_secret", ""))
        )
        wanted = self.clients.get(client)
        if (
            self.client_auth not in {how, "both"}
            or not wanted
            or not hmac.compare_digest(wanted.encode(), secret.encode())
        ):
            raise _Refused(401, "invalid_client", "Invalid client or Invalid client credentials", 7000215)
        return client

    def _exchange(self, seen: Seen) -> str:
        """Give a token of its own for a trusted issuer's (RFC 8693)."""
        fields = seen.fields
        if self.exchange_needs_client or seen.basic or "client_secret" in fields or "client_assertion" in fields:
            self._client(seen)
        if fields.get("subject_token_type") not in {f"{TOKEN_TYPE}jwt", f"{TOKEN_TYPE}id_token"}:
            raise _Refused(400, "invalid_request", "subject_token_type is not supported", 50027)
        if fields.get("requested_token_type", f"{TOKEN_TYPE}access_token") not in {
            f"{TOKEN_TYPE}access_token",
            f"{TOKEN_TYPE}jwt",
        }:
            raise _Refused(400, "invalid_request", "requested_token_type is not supported", 50027)
        return self._trusted(fields.get("subject_token", ""))

    def _trusted(self, token: str) -> str:
        """Check a token against what is trusted, in Entra ID's words."""
        assert self.trust
        issuer = self.trust.issuer
        check = (
            " Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
        )
        none = "No matching federated identity record found for presented assertion "
        claims: dict[str, Any] = {}
        with suppress(jwt.InvalidTokenError):
            claims = self.claims_of(token)
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = next((key for key in jwt.PyJWKSet.from_dict(issuer.jwks()).keys if key.key_id == kid), None)
            if claims.get("iss") != issuer.issuer:
                raise _Refused(401, "invalid_client", f"{none}issuer {claims.get('iss')!r}.{check}", 700211)
            if key is None:
                raise _Refused(401, "invalid_client", "Client assertion: key was not found.", 700027)
            required = ["exp", "aud", "iss", "sub"]
            jwt.decode(token, key, ["RS256"], {"require": required}, audience=self.trust.audience)
        except jwt.ExpiredSignatureError:
            text = "Client assertion is not within its valid time range."
            raise _Refused(401, "invalid_client", text, 700024) from None
        except (jwt.InvalidAudienceError, jwt.MissingRequiredClaimError):
            raise _Refused(401, "invalid_client", f"{none}audience {claims.get('aud')!r}.{check}", 700212) from None
        except jwt.InvalidTokenError:
            text = "Client assertion contains an invalid signature."
            raise _Refused(401, "invalid_client", text, 700027) from None
        if claims["sub"] != self.trust.subject:
            raise _Refused(401, "invalid_client", f"{none}subject {claims['sub']!r}.{check}", 700213)
        return str(claims["sub"])

    def _refusal(self, refused: _Refused, seen: Seen) -> _Answer:
        """Say no as that product does."""
        echo = f" {json.dumps(seen.fields, ensure_ascii=False)}" if self.echoes else ""
        text, status = refused.text + echo, refused.status
        # RFC 6749 5.2: who tried Basic is told of Basic.
        headers = {"WWW-Authenticate": 'Basic realm="token"'} if status == 401 and seen.basic else {}
        data: dict[str, Any] = {"error": refused.error, "error_description": text}
        page = None
        match self.flavour:
            case "auth0" if refused.error == "invalid_client":
                data = {"error": "access_denied", "error_description": f"Unauthorized{echo}"}
            case "okta-api":
                data = {"errorCode": refused.error, "errorSummary": text, "errorLink": refused.error}
                data |= {"errorId": "oaeYlFRjNTzQWOGuU1kRq4X4w", "errorCauses": []}
            case "entra":
                data = _entra(refused, text)
            case "adfs":
                data["error_description"] = f"MSIS9607: {text}"
            case "errors":
                data = {"errors": [{"code": refused.error, "message": text}]}
            case "adfs-html":
                page = _PAGE.format("Error", html.escape(f"MSIS9607: {text}"))
            case "html":
                page, status = _PAGE.format("Internal Server Error", html.escape(f"Try again later.{echo}")), 500
            case "empty":
                page = ""
            case _:
                pass
        if page is None:
            return _json(data, status, headers)
        return _Answer(status, page.encode(), "text/html; charset=utf-8", headers)

    # --- running ----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._keys = [_Keys.take()]
        self._published = list(self._keys)
        self._server = Threaded(partial(_Handler, self), self._ssl)
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server
        self.recover()
        try:
            self._server.__exit__(kind, error, traceback)
        finally:
            _Keys.give_back(self._keys)


class _Handler(BaseHTTPRequestHandler):
    timeout = 10

    def __init__(self, provider: IdentityProvider, *connection: Any) -> None:
        self.provider = provider
        super().__init__(*connection)

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def _handle(self) -> None:
        where = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = self.headers.get_content_type() if "Content-Type" in self.headers else ""
        fields: dict[str, Any] = {}
        repeated = False
        with suppress(ValueError):  # what is neither form nor JSON has no fields
            if kind == "application/json":
                data = json.loads(raw)
                fields = data if isinstance(data, dict) else {}
            elif kind == "application/x-www-form-urlencoded":
                pairs = parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=True)
                fields = dict(pairs)
                repeated = len(fields) < len(pairs)
        seen = Seen(
            method=self.command,
            path=where.path,
            query=dict(parse_qsl(where.query, keep_blank_values=True)),
            content_type=kind,
            fields=fields,
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        answer = self.provider._respond(seen, repeated)
        if answer is None:
            return
        self.send_response(answer.status)
        for name, value in {"Content-Type": answer.content_type, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing: `requests` has it."""


def _entra(refused: _Refused, text: str) -> dict[str, Any]:
    trace, correlation, at = str(uuid.uuid4()), str(uuid.uuid4()), "2026-03-01 09:30:00Z"
    return {
        "error": refused.error,
        "error_description": f"AADSTS{refused.aadsts}: {text}\r\nTrace ID: {trace}\r\n"
        f"Correlation ID: {correlation}\r\nTimestamp: {at}",
        "error_codes": [refused.aadsts],
        "timestamp": at,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={refused.aadsts}",
    }


def _json(data: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> _Answer:
    return _Answer(status, json.dumps(data).encode(), "application/json", headers or {})


def _basic(header: str) -> tuple[str, str]:
    """RFC 6749 2.3.1: id and secret are form-encoded before they are joined."""
    try:
        text = base64.b64decode(header.removeprefix("Basic "), validate=True).decode("ascii")
    except ValueError:
        return "", ""
    client, _, secret = text.partition(":")
    # Decoding would forgive what was never encoded.
    if not re.fullmatch(r"(?:[A-Za-z0-9*._~+-]|%[0-9A-Fa-f]{2})*", client + secret):
        return "", ""
    return unquote_plus(client), unquote_plus(secret)


def _jwk(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    public: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    # Without `alg`, as Entra ID does: one key may sign by each of RS256, RS384 and RS512.
    return {"kty": "RSA", "use": "sig", "kid": _kid(key), "n": public["n"], "e": public["e"]}


def _kid(key: rsa.RSAPrivateKey) -> str:
    return hashlib.sha256(str(key.public_key().public_numbers().n).encode()).hexdigest()[:16]


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _without_none(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value is not None}
