"""Where credentials go, over real TLS: certificates, proxies, redirects, and addresses that must not have them.

Every port here keeps each byte that arrives on it, so that what must not be sent is looked for at its receiver.
"""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import quote, quote_plus, urlsplit

import pytest
import trustme

from harness import ANDROID, API_KEY, EMAIL, NEWEST_ANDROID, Outcome, Process, Service
from identity import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from sauce_appdist.client import Client
from sauce_appdist.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    Answer = Callable[[bytes], bytes]

HELLO = 0x16  # how a TLS handshake begins
CONFIG_KEY, TOKEN = "oidc_northwind_4711", "opaque-access-token-0815"
KEY_HEADERS = (b"authorization:", b"x-api-key:", b"x-oidc-config-key:", b"cookie:")
PROJECTS = {"status": "ok", "projects": [{"id": "1", "name": "App"}]}
BUILD = {"APPDIST_PROJECT_ID": ANDROID, "APPDIST_BUILD_ID": NEWEST_ANDROID}
OF_BUILD = ("--project-id", ANDROID, "--build-id", NEWEST_ANDROID)
NO_KEY = {"APPDIST_EMAIL": "", "APPDIST_API_KEY": ""}
WAYS: dict[str, dict[str, str]] = {
    "basic": {},
    "key": {"APPDIST_EMAIL": ""},
    "token": {**NO_KEY, "APPDIST_OIDC_TOKEN": TOKEN, "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY},
}


def client_credentials(identity: IdentityProvider, *, found: bool = False) -> dict[str, str]:
    """Sign in at the identity provider; `found` by its issuer instead of by its token endpoint."""
    where = {"APPDIST_OIDC_ISSUER": identity.issuer} if found else {"APPDIST_OIDC_TOKEN_URL": identity.token_url}
    return {
        **NO_KEY,
        **where,
        "APPDIST_OIDC_CLIENT_ID": CLIENT_ID,
        "APPDIST_OIDC_CLIENT_SECRET": quote(CLIENT_SECRET),
        "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY,
    }


def provider(context: ssl.SSLContext | None = None, host: str | None = None) -> IdentityProvider:
    return IdentityProvider(clients={CLIENT_ID: quote(CLIENT_SECRET)}, ssl_context=context, host=host)


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SECRETS = (
    API_KEY,
    base64_of(f"{EMAIL}:{API_KEY}"),
    CONFIG_KEY,
    TOKEN,
    quote(CLIENT_SECRET),
    quote_plus(quote(CLIENT_SECRET)),
)


def assert_no_secret(heard: bytes) -> None:
    """Nothing that signs somebody in is among these bytes."""
    assert [one for one in SECRETS if one.encode() in heard] == []
    assert [one for one in KEY_HEADERS if one in heard.lower()] == []


def told(done: Outcome) -> str:
    """Everything that came out of a process."""
    return "\n".join([done.log, done.text, *done.files.values()])


# --- Real ports -------------------------------------------------------------------------------------


class Port:
    """A port on loopback: each connection is answered in a thread of its own, and what arrives on it is kept."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._arrived: list[bytearray] = []
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._probes: dict[int, threading.Event] = {}
        self._listener = socket.create_server((host, 0))
        self.address = (host, int(self._listener.getsockname()[1]))
        self.port = self.address[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def talk(self, connection: socket.socket, arrived: bytearray) -> None:
        """Hear the other side out, and answer nothing."""
        while part := connection.recv(65536):
            arrived += part

    @property
    def connections(self) -> list[bytes]:
        """What arrived on each connection, when all that were begun are over."""
        self._settle()
        return [bytes(one) for one in self._arrived]

    @property
    def heard(self) -> bytes:
        """All of it."""
        return b"\n".join(self.connections)

    def _settle(self) -> None:
        # Connections are accepted in their order: when this one is, all before it are.
        with socket.socket() as probe:
            probe.bind((self.address[0], 0))
            seen = self._probes[probe.getsockname()[1]] = threading.Event()
            probe.connect(self.address)
            assert seen.wait(10)
        for thread in list(self._threads):
            thread.join(10)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while True:
            try:
                connection, (_, port) = self._listener.accept()
            except OSError:
                return
            if port in self._probes:
                connection.close()
                self._probes[port].set()
                continue
            connection.settimeout(10)
            arrived = bytearray()
            self._arrived.append(arrived)
            thread = threading.Thread(target=self._serve, args=(connection, arrived), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, arrived: bytearray) -> None:
        with connection, suppress(OSError):  # a client that goes away is none of the server's failures
            self.talk(connection, arrived)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(10)
        for thread in self._threads:
            thread.join(15)


class TlsServer(Port):
    """A server that takes one request per connection; over TLS with a certificate, else in the clear."""

    def __init__(
        self, answer: Answer, certificate: trustme.LeafCert | None = None, *, host: str = "127.0.0.1", name: str = ""
    ) -> None:
        super().__init__(host)
        self._answer, self._certificate = answer, certificate
        self.broken: list[str] = []  # why a handshake did not end well
        self.name = f"{name or 'localhost'}:{self.port}"
        self.url = f"{'https' if certificate else 'http'}://{self.name}"

    def talk(self, connection: socket.socket, arrived: bytearray) -> None:
        if self._certificate is None:
            self._converse(connection, arrived)
            return
        try:
            secure = context_of(self._certificate).wrap_socket(connection, server_side=True)
        except OSError as error:
            self.broken.append(str(error))
            return
        with secure:
            self._converse(secure, arrived)

    def _converse(self, connection: socket.socket, arrived: bytearray) -> None:
        request = receive(connection, arrived)
        if request:
            connection.sendall(reply(b"", "400 Bad Request") if request[0] == HELLO else self._answer(request))


class Tap(Port):
    """Between a client and a server: passes on every byte as it is."""

    def __init__(self, behind: Port, name: str = "localhost") -> None:
        super().__init__()
        self._behind = behind
        self.name = f"{name}:{self.port}"
        self.url = f"https://{self.name}"

    def talk(self, connection: socket.socket, arrived: bytearray) -> None:
        tunnel(connection, self._behind.address, arrived)


class Proxy(Port):
    """An HTTP proxy that only knows CONNECT, and only to `hosts`; `arrived` is all that it could ever read."""

    def __init__(self, hosts: Mapping[str, tuple[str, int]], *, password: str = "") -> None:
        super().__init__()
        self._hosts, self._password = hosts, password
        self.refusal = b""  # the status line that everybody gets; b"-" hangs up instead
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.port}"

    def talk(self, connection: socket.socket, arrived: bytearray) -> None:
        head = receive(connection, arrived).decode("latin-1")
        method, target, _ = head.split(" ", 2)
        self.asked.append(f"{method} {target}")
        if self.refusal == b"-":
            return
        if self._password and f"\r\nProxy-Authorization: Basic {self._password}\r\n" not in head:
            refusal = b"407 Proxy Authentication Required"
        elif method != "CONNECT" or target not in self._hosts:
            refusal = b"403 Forbidden"
        else:
            refusal = self.refusal
        if refusal:
            connection.sendall(b"HTTP/1.1 " + refusal + b"\r\nContent-Length: 0\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        tunnel(connection, self._hosts[target], arrived)

    def assert_blind(self) -> None:
        """All that it got is CONNECT and TLS: no path, no header and no secret of what went through."""
        for arrived in self.connections:
            head, _, sealed = arrived.partition(b"\r\n\r\n")
            assert head.startswith(b"CONNECT ")
            assert sealed.startswith(b"\x16\x03"), "a TLS handshake"
            assert_no_secret(head.replace(b"Proxy-Authorization:", b"") + sealed)
            assert b"/api/" not in arrived
            assert b"HTTP/1.1" not in sealed


def receive(connection: socket.socket, arrived: bytearray) -> bytes:
    """One whole request."""
    data = bytearray()
    missing = 1
    while missing > 0:
        part = connection.recv(65536)
        if not part:
            break
        data += part
        arrived += part
        if data[0] == HELLO:
            break
        head, end, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        missing = (int(length[1]) if length else 0) - len(body) if end else 1
    return bytes(data)


def tunnel(connection: socket.socket, address: tuple[str, int], arrived: bytearray) -> None:
    with socket.create_connection(address, timeout=10) as behind:
        back = threading.Thread(target=pump, args=(behind, connection, bytearray()), daemon=True)
        back.start()
        pump(connection, behind, arrived)
        back.join(10)


def pump(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            kept += part
            target.sendall(part)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def reply(body: object = PROJECTS, status: str = "200 OK", **headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "\r\n".join([f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in lines.items())])
    return f"{head}\r\n\r\n".encode() + content


def always(body: object = PROJECTS, status: str = "200 OK", **headers: str) -> Answer:
    return lambda _: reply(body, status, **headers)


def moved(location: str, body: object = PROJECTS, status: str = "302 Found") -> Answer:
    """The first path is redirected, any other answers."""
    first: list[bytes] = []

    def answer(request: bytes) -> bytes:
        path = request.split(b" ")[1]
        first.append(path)
        cookie = "session=northwind; Path=/"
        return reply(b"", status, Location=location, Set_Cookie=cookie) if path == first[0] else reply(body)

    return answer


def emulated(service: Service) -> Answer:
    """What the emulator answers, for a server in front of it that speaks TLS."""
    parts = urlsplit(service.url)

    def answer(request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as behind:
            behind.sendall(b"\r\n".join([*lines, b"Connection: close", b"", body]))
            whole = b"".join(iter(lambda: behind.recv(65536), b""))
        status, _, rest = whole.partition(b"\r\n")
        return status + b"\r\nConnection: close\r\n" + rest

    return answer


class Company(NamedTuple):
    """A private certificate authority, and the file that trusts it."""

    authority: trustme.CA
    bundle: str

    def certificate(self, *names: str, **options: Any) -> trustme.LeafCert:
        return self.authority.issue_cert(*names, **options)


def founded(folder: Path) -> Company:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return Company(authority, str(folder / "ca.pem"))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return founded(tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return founded(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def front(service: Service, company: Company) -> Iterator[TlsServer]:
    """The emulator, over TLS."""
    with TlsServer(emulated(service), company.certificate("localhost")) as running:
        yield running


def at(where: Port | str, bundle: str = "", **more: str) -> dict[str, str]:
    """The environment of a step: where the service is, what to trust, no second try."""
    url = where if isinstance(where, str) else where.url  # type: ignore[attr-defined]
    trusted = {"APPDIST_CA_BUNDLE": bundle} if bundle else {}
    return {"APPDIST_BASE_URL": url, "APPDIST_RETRIES": "0", "APPDIST_DEBUG": "true", **trusted, **BUILD, **more}


# --- Certificates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["APPDIST_INPUT_CA_BUNDLE", "APPDIST_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]
)
def test_a_companys_certificate_is_refused_until_it_is_trusted(
    process: Process, service: Service, front: TlsServer, company: Company, name: str
) -> None:
    with Tap(front) as tap:
        done = process("find", env=at(tap))
        assert done.code == 5
        assert f"No secure connection to {tap.name}" in done.log
        assert "certificate" in done.log
        assert "ca-bundle" in done.log, "says what to do"
        assert front.heard == b""
        assert len(front.broken) == 1, "and does not try again"
        assert_no_secret(tap.heard)
        assert service.sent == []
        done = process("find", env=at(tap, **{name: company.bundle}))
        assert done.code == 0, done.log
        assert service.sent != []
        assert base64_of(f"{EMAIL}:{API_KEY}").encode() in front.heard
        assert_no_secret(tap.heard)


def test_the_command_line_takes_it_too(process: Process, front: TlsServer, company: Company) -> None:
    done = process("find", "--ca-bundle", company.bundle, env=at(front))
    assert done.code == 0, done.log


@pytest.mark.parametrize("name", ["APPDIST_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_input_wins_over_every_variable(
    process: Process, front: TlsServer, company: Company, stranger: Company, name: str
) -> None:
    done = process("find", env=at(front, **{"APPDIST_INPUT_CA_BUNDLE": company.bundle, name: stranger.bundle}))
    assert done.code == 0, done.log
    before = front.heard
    done = process("find", env=at(front, **{"APPDIST_INPUT_CA_BUNDLE": stranger.bundle, name: company.bundle}))
    assert done.code == 5
    assert front.heard.strip() == before.strip()


BAD_BUNDLES = {
    "nothing": None,
    "empty": b"",
    "text": b"see https://wiki.acme.example/certificates\n",
    "cut": b"-----BEGIN CERTIFICATE-----\nMIIB\n",
    "large": b"no certificate\n" * 5000,
    "binary": b"\x30\x82\x01\x0a\x00\xff",
}


@pytest.mark.parametrize("name", ["APPDIST_INPUT_CA_BUNDLE", "APPDIST_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("kind", BAD_BUNDLES)
def test_a_bundle_that_is_none_is_a_wrong_input(
    process: Process, front: TlsServer, tmp_path_factory: pytest.TempPathFactory, kind: str, name: str
) -> None:
    place = tmp_path_factory.mktemp("bad") / "bundle.pem"
    content = BAD_BUNDLES[kind]
    if content is not None:
        place.write_bytes(content)
    done = process("find", env=at(front, **{name: str(place)}))
    assert done.code == 2, done.log
    given = name if name.startswith("REQUESTS") else "ca-bundle"
    assert re.search(rf"^Wrong input: {given} is {re.escape(str(place))}, .*PEM", done.log, re.MULTILINE)
    assert front.connections == []


def test_a_large_bundle_is_read_as_well_where_it_is_an_input(
    process: Process, front: TlsServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("bad") / "bundle.pem"
    place.write_bytes(BAD_BUNDLES["cut"] * 3000 if BAD_BUNDLES["cut"] else b"")
    done = process("find", env=at(front, APPDIST_INPUT_CA_BUNDLE=str(place)))
    assert done.code == 2, done.log
    assert "holds no certificates" in done.log


@pytest.mark.parametrize("found", [False, True], ids=["token-url", "issuer"])
def test_the_identity_provider_is_trusted_by_the_same_bundle(
    process: Process, company: Company, *, found: bool
) -> None:
    context = context_of(company.certificate("localhost"))
    with TlsServer(always(), company.certificate("localhost")) as server, provider(context) as identity:
        done = process(
            "api", "projects", "list", env=at(server, company.bundle, **client_credentials(identity, found=found))
        )
        assert done.code == 0, done.log
        assert [one.fields["client_secret"] for one in identity.token_requests] == [quote(CLIENT_SECRET)]
        assert len(identity.requests) == 1 + found
        (request,) = server.connections
        token = re.search(rb"Authorization: Bearer (\S+)", request)
        assert token
        assert identity.claims_of(token[1].decode())["iss"] == identity.issuer
        assert f"X-OIDC-Config-Key: {CONFIG_KEY}".encode() in request


def test_so_is_the_runner_that_gives_id_tokens(process: Process, company: Company) -> None:
    context = context_of(company.certificate("localhost"))
    with TlsServer(always(), company.certificate("localhost")) as server, provider(context) as runner:
        signed = {**NO_KEY, "APPDIST_OIDC_PROVIDER": "github", "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY}
        env = at(server, company.bundle, GITHUB_ACTIONS="true", **signed, **runner.github_env)
        done = process("api", "projects", "list", env=env)
        assert done.code == 0, done.log
        assert len(runner.requests) == 1
        assert b"Authorization: Bearer ey" in server.heard


@pytest.mark.parametrize("found", [False, True], ids=["token-url", "issuer"])
def test_an_identity_provider_that_is_not_trusted_gets_no_secret(
    process: Process, company: Company, stranger: Company, *, found: bool
) -> None:
    context = context_of(stranger.certificate("localhost"))
    with TlsServer(always(), company.certificate("localhost")) as server, provider(context) as identity:
        done = process(
            "api", "projects", "list", env=at(server, company.bundle, **client_credentials(identity, found=found))
        )
        assert done.code == 5
        assert urlsplit(identity.url).netloc in done.log
        assert "certificate" in done.log
        assert "ca-bundle" in done.log
        assert identity.requests == []
        assert server.connections == []


@pytest.mark.parametrize("way", WAYS)
def test_a_download_from_a_storage_host_trusts_the_same_bundle_and_signs_nothing(
    process: Process, company: Company, tmp_path_factory: pytest.TempPathFactory, way: str
) -> None:
    file = tmp_path_factory.mktemp("out") / "app.apk"
    certificate = company.certificate("localhost")
    with TlsServer(always(b"PK\x03\x04", Content_Type="application/zip"), certificate) as storage:
        signed_url = f"{storage.url}/bucket/app.apk?X-Amz-Signature=5ec4e7-of-the-url"
        with TlsServer(moved(signed_url), certificate) as server:
            env = at(server, company.bundle, **WAYS[way])
            done = process("api", "builds", "download", *OF_BUILD, "--to", str(file), env=env)
            assert done.code == 0, done.log
            assert file.read_bytes() == b"PK\x03\x04"
            assert any(one in server.heard.lower() for one in KEY_HEADERS)
        (request,) = storage.connections
        assert request.startswith(b"GET /bucket/app.apk?X-Amz-Signature=5ec4e7-of-the-url HTTP/1.1\r\n")
        assert_no_secret(request)
        assert "5ec4e7" not in told(done)


def test_a_storage_host_that_is_not_trusted_is_named(
    process: Process, company: Company, stranger: Company, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("out") / "app.apk"
    with TlsServer(always(b"PK"), stranger.certificate("localhost")) as storage:
        with TlsServer(moved(f"{storage.url}/a?sig=5ec4e7"), company.certificate("localhost")) as server:
            done = process("api", "builds", "download", *OF_BUILD, "--to", str(file), env=at(server, company.bundle))
        assert done.code == 5
        assert f"No secure connection to {storage.name}" in done.log
        assert "5ec4e7" not in told(done)
        assert storage.heard == b""
        assert list(file.parent.iterdir()) == []


# --- Servers that are not what they should be -------------------------------------------------------


def yesterday() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("names", "options", "said"),
    [
        (("mobile.acme.example",), {}, "(?i)hostname mismatch"),
        (("localhost",), {"not_after": yesterday}, "(?i)certificate has expired"),
        (("localhost",), {"not_before": lambda: datetime.now(UTC) + timedelta(days=1)}, "(?i)not yet valid"),
    ],
    ids=["name", "expired", "early"],
)
def test_a_certificate_that_does_not_fit_gets_no_credentials(
    process: Process, company: Company, names: tuple[str, ...], options: dict[str, Any], said: str, way: str
) -> None:
    times = {name: moment() for name, moment in options.items()}
    with TlsServer(always(), company.certificate(*names, **times)) as server, Tap(server) as tap:
        done = process("find", env=at(tap, company.bundle, **WAYS[way]))
        assert done.code == 5
        assert f"No secure connection to {tap.name}" in done.log
        assert re.search(said, done.log), done.log
        assert server.heard == b""
        assert len(server.broken) == 1
        assert tap.heard != b""
        assert_no_secret(tap.heard)


@pytest.mark.parametrize("way", WAYS)
def test_https_to_a_server_without_tls_sends_no_credentials(process: Process, way: str) -> None:
    with TlsServer(always()) as server:
        done = process("find", env=at(server.url.replace("http:", "https:"), **WAYS[way]))
        assert done.code == 5
        assert f"No secure connection to {server.name}: it does not speak TLS on that port" in done.log
        assert server.heard.startswith(b"\x16\x03")
        assert_no_secret(server.heard)


def test_http_to_a_server_with_tls_says_so(process: Process, front: TlsServer) -> None:
    done = process("find", env=at(front.url.replace("https:", "http:")))
    assert done.code == 5
    assert front.name in done.log
    assert "https" in done.log, "what to do"
    assert front.heard == b""
    assert len(front.broken) == 1


class HangsUp(Port):
    """Closes after the first bytes, in the middle of the handshake."""

    def talk(self, connection: socket.socket, arrived: bytearray) -> None:
        arrived += connection.recv(65536)


@pytest.mark.parametrize(
    "argv", [("find",), ("api", "builds", "update", *OF_BUILD, "--tags", "x")], ids=["get", "patch"]
)
def test_a_server_that_hangs_up_in_the_handshake_has_got_nothing(process: Process, argv: tuple[str, ...]) -> None:
    with HangsUp() as server:
        done = process(*argv, env=at(f"https://localhost:{server.port}"))
        assert done.code == 5, "nothing was sent, so nothing is unknown"
        assert f"No secure connection to localhost:{server.port}" in done.log
        assert "not trusted" not in done.log, "it has shown no certificate"
        assert "unknown" not in done.log
        assert_no_secret(server.heard)


@pytest.mark.parametrize("rudely", [False, True], ids=["closed", "plaintext"])
def test_a_write_that_arrived_before_tls_broke_is_of_unknown_fate(
    process: Process, company: Company, *, rudely: bool
) -> None:
    """As where a proxy gives up waiting, and says so in the clear in the middle of the tunnel."""

    class Breaks(Port):
        def talk(self, connection: socket.socket, arrived: bytearray) -> None:
            with context_of(company.certificate("localhost")).wrap_socket(connection, server_side=True) as secure:
                receive(secure, arrived)
                if rudely:
                    with socket.socket(fileno=os.dup(secure.fileno())) as below:
                        below.sendall(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n")

    with Breaks() as server:
        env = at(f"https://localhost:{server.port}", company.bundle)
        done = process("api", "builds", "update", *OF_BUILD, "--tags", "x", env=env)
        assert server.heard.startswith(b"PATCH ")
        assert len(server.connections) == 1
        assert done.code == 6
        assert "Whether it was done is unknown" in done.log


def test_an_identity_provider_without_tls_gets_no_secret(process: Process, company: Company) -> None:
    with TlsServer(always()) as plain, TlsServer(always(), company.certificate("localhost")) as server:
        env = at(server, company.bundle, **client_credentials_at(f"https://{plain.name}/token"))
        done = process("api", "projects", "list", env=env)
        assert done.code == 5
        assert plain.name in done.log
        assert "does not speak TLS" in done.log
        assert plain.heard.startswith(b"\x16\x03")
        assert_no_secret(plain.heard)
        assert server.connections == []


def client_credentials_at(token_url: str) -> dict[str, str]:
    return {
        **NO_KEY,
        "APPDIST_OIDC_TOKEN_URL": token_url,
        "APPDIST_OIDC_CLIENT_ID": CLIENT_ID,
        "APPDIST_OIDC_CLIENT_SECRET": quote(CLIENT_SECRET),
        "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY,
    }


# --- Proxies ----------------------------------------------------------------------------------------

FAR = "https://appdist.test"  # a name that only the proxy knows
USER, PASSWORD = "mara", "p4ss/w0rd+of:the@proxy"


@pytest.fixture
def far(service: Service, company: Company) -> Iterator[TlsServer]:
    """The emulator as https://appdist.test, which nobody but a proxy reaches."""
    with TlsServer(emulated(service), company.certificate("appdist.test")) as running:
        yield running


@pytest.fixture
def proxy(far: TlsServer) -> Iterator[Proxy]:
    with Proxy({"appdist.test:443": far.address}) as running:
        yield running


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_step_works_through_a_proxy_that_sees_nothing(
    process: Process, company: Company, far: TlsServer, proxy: Proxy, name: str
) -> None:
    done = process("find", env=at(FAR, company.bundle, GITHUB_ACTIONS="true", **{name: proxy.url}))
    assert done.code == 0, done.text
    assert done.outputs["build-id"] == NEWEST_ANDROID
    assert base64_of(f"{EMAIL}:{API_KEY}").encode() in far.heard
    assert b"Proxy-" not in far.heard
    assert set(proxy.asked) == {"CONNECT appdist.test:443"}
    proxy.assert_blind()


def test_a_promotion_works_through_a_proxy(process: Process, service: Service, company: Company, proxy: Proxy) -> None:
    env = at(FAR, company.bundle, HTTPS_PROXY=proxy.url, APPDIST_INPUT_TAGS="rc", APPDIST_INPUT_GROUPS="QA")
    done = process("promote", env=env)
    assert done.code == 0, done.log
    assert service.build(ANDROID, NEWEST_ANDROID)["tags"] == ["rc"]
    assert len(service.writes) == 2
    proxy.assert_blind()


def test_a_proxy_that_is_reached_over_tls(process: Process, company: Company, proxy: Proxy) -> None:
    class Sealed(Port):
        def talk(self, connection: socket.socket, arrived: bytearray) -> None:
            with context_of(company.certificate("localhost")).wrap_socket(connection, server_side=True) as secure:
                turns(secure, proxy.address, arrived)

    with Sealed() as sealed:
        done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=f"https://localhost:{sealed.port}"))
        assert done.code == 0, done.log
        assert sealed.heard.startswith(b"CONNECT appdist.test:443 ")
        proxy.assert_blind()


def turns(secure: ssl.SSLSocket, address: tuple[str, int], arrived: bytearray) -> None:
    """Pass on what either side says, in one thread: two may not use one TLS connection."""
    with socket.create_connection(address, timeout=10) as behind:
        sides = ((secure, behind), (behind, secure))
        while True:
            for source, target in sides:
                source.settimeout(0.01)
                with suppress(TimeoutError):
                    part = source.recv(65536)
                    if not part:
                        return
                    arrived += part if source is secure else b""
                    target.settimeout(10)
                    target.sendall(part)


def test_the_identity_provider_is_asked_through_the_proxy_too(process: Process, company: Company) -> None:
    context = context_of(company.certificate("login.acme.test"))
    with ExitStack() as stack:
        server = stack.enter_context(TlsServer(always(), company.certificate("appdist.test")))
        identity = stack.enter_context(provider(context, "login.acme.test"))
        login = urlsplit(identity.url).netloc
        hosts = {"appdist.test:443": server.address, login: ("127.0.0.1", int(login.rpartition(":")[2]))}
        proxy = stack.enter_context(Proxy(hosts))
        env = at(FAR, company.bundle, HTTPS_PROXY=proxy.url, **client_credentials(identity, found=True))
        done = process("api", "projects", "list", env=env)
        assert done.code == 0, done.log
        assert proxy.asked == [f"CONNECT {login}", f"CONNECT {login}", "CONNECT appdist.test:443"]
        assert len(identity.token_requests) == 1
        proxy.assert_blind()


def test_no_proxy_is_honoured(process: Process, service: Service, company: Company) -> None:
    try:
        server = TlsServer(emulated(service), company.certificate("127.0.0.2"), host="127.0.0.2", name="127.0.0.2")
    except OSError:
        pytest.skip("this machine has no 127.0.0.2, the one address that is near and yet not called loopback here")
    with server, Proxy({server.name: server.address}) as proxy:
        env = at(server, company.bundle, HTTPS_PROXY=proxy.url)
        done = process("find", env=env)
        assert done.code == 0, done.log
        through = len(proxy.asked)
        assert through > 0, "without it, the proxy is asked"
        for name, spelling in (("NO_PROXY", "127.0.0.2"), ("no_proxy", "acme.example,127.0.0.0/8"), ("NO_PROXY", "*")):
            done = process("find", env={**env, name: spelling})
            assert done.code == 0, done.log
        assert len(proxy.connections) == through
        assert process("find", env={**env, "NO_PROXY": "acme.example"}).code == 0
        assert len(proxy.connections) == 2 * through


@pytest.mark.parametrize("excepted", ["appdist.test", ".test"])
def test_no_proxy_by_name(process: Process, company: Company, proxy: Proxy, excepted: str) -> None:
    done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=proxy.url, NO_PROXY=excepted))
    assert done.code == 5, "there is no such host but behind the proxy"
    assert "appdist.test cannot be reached" in done.log
    assert proxy.connections == []


REFUSALS = {
    "407": (b"407 Proxy Authentication Required", r"407 Proxy Authentication Required"),
    "403": (b"403 Forbidden", r"403 Forbidden"),
    "502": (b"502 Bad Gateway", r"502 Bad Gateway"),
    "hangs up": (b"-", ""),
}


def assert_blames_the_proxy(done: Outcome, proxy: Proxy) -> None:
    assert done.code == 5, done.log
    problem = next(line for line in done.log.splitlines() if line.startswith("No sensible answer:"))
    assert re.search(r"\bproxy\b", problem), problem
    assert f"127.0.0.1:{proxy.port}" in problem, "which one it is"
    assert "appdist.test" in problem
    assert not re.search(r"\w+Error\(|Exception|object at", problem), "for people, no Python"
    everything = told(done)
    for secret in (PASSWORD, quote(PASSWORD, safe=""), USER + ":", base64_of(f"{USER}:{PASSWORD}")):
        assert secret not in everything


def with_password(proxy: Proxy, user: str = USER, password: str = PASSWORD) -> str:
    return f"http://{user}:{quote(password, safe='')}@127.0.0.1:{proxy.port}"


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_proxy_that_refuses_is_blamed_and_a_write_was_not_sent(
    process: Process, service: Service, company: Company, far: TlsServer, proxy: Proxy, kind: str
) -> None:
    proxy.refusal, said = REFUSALS[kind]
    env = at(FAR, company.bundle, HTTPS_PROXY=with_password(proxy))
    for argv in (["find"], ["api", "builds", "update", *OF_BUILD, "--tags", "x"]):
        done = process(*argv, env=env)
        assert_blames_the_proxy(done, proxy)
        assert re.search(said, done.log)
        assert "unknown" not in done.log
    assert len(proxy.asked) == 2
    assert far.connections == []
    assert service.sent == []
    assert_no_secret(proxy.heard.replace(b"Proxy-Authorization:", b""))


def test_a_proxy_that_is_not_there_is_blamed(process: Process, company: Company, far: TlsServer) -> None:
    with Proxy({}) as proxy:
        pass  # its port is closed now
    env = at(FAR, company.bundle, HTTPS_PROXY=with_password(proxy))
    assert_blames_the_proxy(process("find", env=env), proxy)
    done = process("api", "builds", "update", *OF_BUILD, "--tags", "x", env=env)
    assert_blames_the_proxy(done, proxy)
    assert "unknown" not in done.log
    assert far.connections == []


def test_an_identity_provider_behind_a_proxy_that_refuses(process: Process, company: Company, proxy: Proxy) -> None:
    env = client_credentials_at("https://login.acme.test/token")
    done = process("api", "projects", "list", env=at(FAR, company.bundle, HTTPS_PROXY=with_password(proxy), **env))
    assert done.code == 5
    assert "login.acme.test" in done.log
    assert re.search(r"\bproxy\b", done.log), done.log
    assert "403" in done.log
    for secret in (PASSWORD, quote(PASSWORD, safe=""), USER + ":", base64_of(f"{USER}:{PASSWORD}")):
        assert secret not in told(done)
    assert set(proxy.asked) == {"CONNECT login.acme.test:443"}
    assert_no_secret(proxy.heard.replace(b"Proxy-Authorization:", b""))


def test_a_proxy_gets_its_own_password_and_nobody_else_does(process: Process, company: Company, far: TlsServer) -> None:
    with Proxy({"appdist.test:443": far.address}, password=base64_of(f"{USER}:{PASSWORD}")) as proxy:
        done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=with_password(proxy)))
        assert done.code == 0, done.log
        assert PASSWORD not in told(done)
        assert quote(PASSWORD, safe="") not in told(done)
        assert base64_of(f"{USER}:{PASSWORD}").encode() not in far.heard
        proxy.assert_blind()
        before = len(far.connections)
        assert_blames_the_proxy(process("find", env=at(FAR, company.bundle, HTTPS_PROXY=proxy.url)), proxy)
        wrong = with_password(proxy, password="another-secret")
        done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=wrong))
        assert_blames_the_proxy(done, proxy)
        assert "another-secret" not in told(done)
        assert len(far.connections) == before


@pytest.mark.parametrize(
    "address",
    [
        "http://mara:s3cret-of-the-proxy@127.0.0.1:port",
        "http://mara:s3cret-of-the-proxy@",
        "http://mara:s3cret-of-the-proxy@[::1",
        "http://mara:s3cret-of-the-proxy@127.0.0.1:99999",
        "gopher://mara:s3cret-of-the-proxy@127.0.0.1:3128",
        "socks5://mara:s3cret-of-the-proxy@127.0.0.1:1080",
    ],
)
@pytest.mark.parametrize("signed", ["key", "client"])
def test_a_proxy_address_that_is_none_is_told_without_its_password(
    process: Process, company: Company, address: str, signed: str
) -> None:
    way = client_credentials_at("https://login.acme.test/token") if signed == "client" else {}
    done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=address, **way))
    assert done.code in {2, 5}, done.log
    assert re.search(r"(?i)\bproxy\b|\bSOCKS\b", done.log), done.log
    assert "s3cret" not in told(done)
    assert "bug" not in done.log


def test_when_the_proxy_refuses_in_the_middle_the_rest_was_not_done(
    process: Process, service: Service, company: Company
) -> None:
    hosts: dict[str, tuple[str, int]] = {}

    def until_the_first_write(request: bytes) -> bytes:
        if request.startswith(b"PATCH "):
            hosts.clear()
        return emulated(service)(request)

    with TlsServer(until_the_first_write, company.certificate("appdist.test")) as server, Proxy(hosts) as proxy:
        hosts["appdist.test:443"] = server.address
        asked = {"APPDIST_INPUT_TAGS": "rc", "APPDIST_INPUT_GROUPS": "QA", "APPDIST_INPUT_NOTIFY": "true"}
        env = at(FAR, company.bundle, GITHUB_ACTIONS="true", HTTPS_PROXY=proxy.url, **asked)
        done = process("promote", env=env)
        assert done.code == 6
        assert (done.outputs["completed-steps"], done.outputs["failed-step"]) == ("find,check,tag", "invite")
        assert done.outputs["notified"] != "unknown"
        assert "unknown" not in done.files["summary.md"], "nobody was invited, and that is known"
        assert [one for one in service.writes if one.startswith("POST")] == []
        assert service.outbox == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_what_is_for_this_machine_goes_to_no_proxy(process: Process, company: Company, host: str) -> None:
    with ExitStack() as stack:
        proxy = stack.enter_context(Port())
        certificate = company.certificate("localhost", "127.0.0.1")
        identity = stack.enter_context(provider(context_of(certificate), host))
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        around = {one: f"http://127.0.0.1:{proxy.port}" for name in names for one in (name, name.lower())}
        for secured in (certificate, None):
            server = stack.enter_context(TlsServer(always(), secured, name=host))
            for way in ({}, client_credentials(identity, found=True)):
                done = process("api", "projects", "list", env=at(server, company.bundle, **around, **way))
                assert done.code == 0, done.log
            assert len(server.connections) == 2
        assert proxy.connections == []


# --- Redirects --------------------------------------------------------------------------------------


def connected(url: str, bundle: str, way: str) -> Client:
    env = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": API_KEY, "APPDIST_BASE_URL": url, **WAYS[way]}
    return Client.from_env({**env, "APPDIST_CA_BUNDLE": bundle, "APPDIST_RETRIES": "0"})


def credentials(way: str) -> list[bytes]:
    return {
        "basic": [f"Authorization: Basic {base64_of(f'{EMAIL}:{API_KEY}')}\r\n".encode()],
        "key": [f"X-API-Key: {API_KEY}\r\n".encode()],
        "token": [f"Authorization: Bearer {TOKEN}\r\n".encode(), f"X-OIDC-Config-Key: {CONFIG_KEY}\r\n".encode()],
    }[way]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("whole", [False, True], ids=["path", "url"])
def test_a_get_follows_within_its_host_and_signs_there(company: Company, way: str, *, whole: bool) -> None:
    def moving(request: bytes) -> bytes:
        if b" /new/?page=1 " in request:
            return reply()
        host = re.search(rb"Host: (\S+)", request)
        assert host
        here = f"https://{host[1].decode()}" if whole else ""
        return reply(b"", "307 Temporary Redirect", Location=f"{here}/new/?page=1")

    with TlsServer(moving, company.certificate("localhost")) as server:
        with connected(server.url, company.bundle, way) as client:
            assert [one.id for one in client.projects.list()] == ["1"]
        requests = server.connections
        assert len(requests) == 2
        for request in requests:
            assert all(one in request for one in credentials(way))


ELSEWHERE = [
    "https://localhost:{other}/api/1/projects/",
    "https://127.0.0.1:{same}/new/",
    "https://127.0.0.1:{other}/new/",
    "//localhost:{other}/new/",
    "http://localhost:{same}/api/1/projects/",
    "http://localhost:{other}/api/1/projects/",
    "https://mara:hunter2@localhost:{same}/new/",
    "https://mara:hunter2@localhost:{other}/new/",
    "https://localhost:{same}@127.0.0.1:{other}/new/",
    "https://localhost:{same}%40127.0.0.1:{other}/new/",
    "https://127.0.0.1:{other}\\@localhost:{same}/new/",
    "https:\\\\127.0.0.1:{other}\\new",
    "/\\127.0.0.1:{other}/new/",
    "file:///etc/hostname",
    "ftp://mara:hunter2@127.0.0.1:{other}/",
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("location", ELSEWHERE)
def test_a_get_follows_to_no_other_place(company: Company, location: str, way: str) -> None:
    target = ""
    with (
        Port() as other,
        TlsServer(
            lambda _: reply(b"", "302 Found", Location=target), company.certificate("localhost", "127.0.0.1")
        ) as server,
    ):
        target = location.format(same=server.port, other=other.port) + "?sig=5ec4e7"
        with connected(server.url, company.bundle, way) as client, pytest.raises(TransportError) as caught:
            client.projects.list()
        assert "redirected" in str(caught.value)
        assert not re.search("5ec4e7|hunter2", str(caught.value) + repr(caught.value.__cause__))
        assert other.connections == []
        for request in server.connections:
            assert b"Host: localhost:" in request


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("place", ["/new/", "https://mara:hunter2@localhost:{other}/new/?sig=5ec4e7"])
def test_a_write_is_followed_nowhere(company: Company, place: str, status: str, way: str) -> None:
    with Port() as other:
        location = place.format(other=other.port)
        server = TlsServer(always(b"", status, Location=location), company.certificate("localhost"))
        with server, connected(server.url, company.bundle, way) as client:
            writes: dict[str, Callable[[], object]] = {
                "POST": partial(client.groups.create, "QA"),
                "PATCH": partial(client.builds.update, "1", "2", tags=["a"]),
                "DELETE": partial(client.builds.delete, "1", "2"),
            }
            for method, send in writes.items():
                with pytest.raises(TransportError, match=rf"^{method} .* was redirected \({status[:3]}\)") as caught:
                    send()
                assert caught.value.sent, "that server may have done it"
                assert not re.search("5ec4e7|hunter2", str(caught.value))
            assert [one.partition(b" ")[0] for one in server.connections] == [b"POST", b"PATCH", b"DELETE"]
        assert other.connections == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("userinfo", ["", "mara:hunter2@"], ids=["plain", "userinfo"])
@pytest.mark.parametrize("secured", [True, False], ids=["https", "http"])
def test_a_download_leaves_its_credentials_behind_for_good(
    company: Company, tmp_path: Path, way: str, userinfo: str, *, secured: bool
) -> None:
    """Where the storage sends it back to the service, it does not sign again either."""
    certificate = company.certificate("localhost")
    home = ""
    with TlsServer(lambda _: reply(b"", "302 Found", Location=home), certificate if secured else None) as storage:
        scheme, _, place = storage.url.partition("://")

        def answer(request: bytes) -> bytes:
            if b" /public/app.apk " in request:
                return reply(b"PK", Content_Type="application/zip")
            location = f"{scheme}://{userinfo}{place}/a?sig=5ec4e7"
            return reply(b"", "302 Found", Location=location, Set_Cookie="session=northwind; Path=/")

        with TlsServer(answer, certificate) as server:
            home = f"{server.url}/public/app.apk"
            with connected(server.url, company.bundle, way) as client:
                assert client.builds.download("1", "2", to=tmp_path / "app.apk").size == 2
            first, second = server.connections
        (between,) = storage.connections
        assert all(one in first for one in credentials(way))
        assert_no_secret(between)
        assert_no_secret(second)


@pytest.mark.parametrize("location", ["http://storage.test/a", "http://localhost:{near}/a", "http://127.0.0.1:{near}/"])
def test_a_download_is_not_followed_into_the_clear(
    process: Process, company: Company, tmp_path_factory: pytest.TempPathFactory, location: str
) -> None:
    file = tmp_path_factory.mktemp("out") / "app.apk"
    with ExitStack() as stack:
        near = stack.enter_context(TlsServer(always(b"PK")))
        to = location.format(near=near.port) + "?sig=5ec4e7"
        server = stack.enter_context(TlsServer(moved(to), company.certificate("appdist.test")))
        proxy = stack.enter_context(Proxy({"appdist.test:443": server.address}))
        env = at(FAR, company.bundle, HTTPS_PROXY=proxy.url, HTTP_PROXY=proxy.url)
        done = process("api", "builds", "download", *OF_BUILD, "--to", str(file), env=env)
        assert done.code == 5
        assert "which is not followed" in done.log
        assert "5ec4e7" not in told(done)
        assert proxy.asked == ["CONNECT appdist.test:443"]
        proxy.assert_blind()
        assert near.connections == []
        assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(("path", "found"), [("/token", False), ("/.well-known/openid-configuration", True)])
def test_what_asks_for_a_token_is_redirected_nowhere(
    process: Process, company: Company, status: int, path: str, *, found: bool
) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(Port())
        server = stack.enter_context(TlsServer(always(), company.certificate("localhost")))
        identity = stack.enter_context(provider(context_of(company.certificate("localhost"))))
        identity.fail(
            path, status=status, headers={"Location": f"https://mara:hunter2@localhost:{other.port}/t?x=5ec4e7"}
        )
        env = at(server, company.bundle, **client_credentials(identity, found=found))
        done = process("api", "projects", "list", env=env)
        assert done.code == 5
        assert f"HTTP {status}" in done.log
        assert not re.search("hunter2|5ec4e7", told(done))
        assert other.connections == []
        assert server.connections == []
        assert len(identity.requests) == 1


@pytest.mark.parametrize(
    "endpoint",
    ["http://login.acme.test/token", "http://mara:hunter2@127.0.0.2:{port}/token", "ftp://localhost:{port}/"],
)
def test_an_issuer_cannot_send_the_secret_into_the_clear(process: Process, company: Company, endpoint: str) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(Port())
        server = stack.enter_context(TlsServer(always(), company.certificate("localhost")))
        identity = stack.enter_context(provider(context_of(company.certificate("localhost"))))
        identity.discovery = {"token_endpoint": endpoint.format(port=other.port)}
        env = at(server, company.bundle, **client_credentials(identity, found=True))
        done = process("api", "projects", "list", env=env)
        assert done.code == 2
        assert "the token_endpoint of oidc-issuer is not https" in done.log
        assert "hunter2" not in told(done)
        assert other.connections == []
        assert server.connections == []
        assert identity.token_requests == []


def test_the_request_for_an_id_token_is_redirected_nowhere(process: Process, company: Company) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(Port())
        server = stack.enter_context(TlsServer(always(), company.certificate("localhost")))
        runner = stack.enter_context(provider(context_of(company.certificate("localhost"))))
        runner.fail("/actions/idtoken", status=302, headers={"Location": f"https://localhost:{other.port}/"})
        signed = {**NO_KEY, "APPDIST_OIDC_PROVIDER": "github", "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY}
        env = at(server, company.bundle, GITHUB_ACTIONS="true", **signed, **runner.github_env)
        done = process("api", "projects", "list", env=env)
        assert done.code == 5
        assert len(runner.requests) == 1
        assert other.connections == []
        assert server.connections == []


# --- Addresses that must not get a secret -----------------------------------------------------------


def addressed(name: str, url: str) -> dict[str, str]:
    """The environment of a step that has `url` in one of its inputs."""
    if name == "base-url":
        return {"APPDIST_INPUT_BASE_URL": url}
    env = {**client_credentials_at(""), "APPDIST_INPUT_BASE_URL": "https://appdist.test"}
    return {**env, f"APPDIST_{name.replace('-', '_').upper()}": url}


URLS = ["base-url", "oidc-token-url", "oidc-issuer"]


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "host",
    ["acme.example", "127.0.0.2", "localhost.acme.example", "127.0.0.1.acme.example", "[::ffff:7f00:1]:{port}"],
)
def test_a_secret_is_sent_in_the_clear_only_on_this_machine(process: Process, name: str, host: str) -> None:
    with Port() as port:
        url = f"http://{host.format(port=port.port)}"
        done = process("find", env=at("https://appdist.test", **addressed(name, url)))
        assert done.code == 2
        assert re.search(rf"{name} is not https, and \S+ is not this machine: use https://", done.log), done.log
        assert port.connections == []


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "url",
    [
        "https://mara:hunter2@localhost:{port}",
        "https://hunter2@localhost:{port}/path",
        "https://:hunter2@localhost:{port}",
        "http://mara:hunter2@localhost:{port}",
        "https://mara:hunter2@localhost:{port}?a=b",
        "https://mara%3Ahunter2@localhost:{port}",
        "https://mara:hunter2@localhost:{port}0000",
        "https://mara:hunter2@localhost:{port}/api/1/",
        "https://mara:hunter2@[::1",
        "https://mara:hunter2@",
        "mara:hunter2@localhost:{port}",
        "//mara:hunter2@localhost:{port}",
        "ftp://mara:hunter2@localhost:{port}",
        "https://mara:hunter2@localhost:{port} x",
        "https://mara:hunter2@localhost:{port}#x",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_shown(process: Process, name: str, url: str) -> None:
    with Port() as port:
        done = process("find", env=at("https://appdist.test", **addressed(name, url.format(port=port.port))))
        assert done.code == 2
        assert re.search(rf"{name} (has credentials in it|is not a URL)", done.log), done.log
        assert "hunter2" not in told(done)
        assert port.connections == []


# --- .netrc -----------------------------------------------------------------------------------------

NETRC = """\
machine localhost login mallory password from-netrc
machine 127.0.0.1 login mallory password from-netrc
machine appdist.test login mallory password from-netrc
default login mallory password from-netrc
"""
FROM_NETRC = base64_of("mallory:from-netrc").encode()


@pytest.fixture(params=["NETRC", "HOME", "_netrc"])
def netrc(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which requests, left alone, signs by a .netrc file."""
    home = tmp_path_factory.mktemp("home")
    place = home / {"NETRC": "elsewhere", "HOME": ".netrc", "_netrc": "_netrc"}[request.param]
    place.write_text(NETRC)
    place.chmod(0o600)
    return {"NETRC": str(place)} if request.param == "NETRC" else {"HOME": str(home)}


def test_netrc_is_what_requests_would_use(company: Company, netrc: dict[str, str]) -> None:
    """Without this, the tests below could not fail."""
    with TlsServer(always(), company.certificate("localhost")) as server:
        script = "import sys, requests; requests.get(sys.argv[1], verify=sys.argv[2], timeout=10)"
        subprocess.run([sys.executable, "-c", script, server.url, company.bundle], env=netrc, check=True, timeout=60)
        assert FROM_NETRC in server.heard


@pytest.mark.parametrize("way", WAYS)
def test_netrc_is_never_used(
    process: Process, company: Company, netrc: dict[str, str], way: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("out") / "app.apk"
    certificate = company.certificate("localhost")
    with TlsServer(always(b"PK", Content_Type="application/zip"), certificate) as storage:
        with TlsServer(moved(f"{storage.url}/a"), certificate) as server:
            env = at(server, company.bundle, **netrc, **WAYS[way])
            done = process("api", "builds", "download", *OF_BUILD, "--to", str(file), env=env)
            assert done.code == 0, done.log
            assert all(one in server.heard for one in credentials(way))
            assert FROM_NETRC not in server.heard
        assert len(storage.connections) == 1
        assert_no_secret(storage.heard)


def test_netrc_is_not_used_at_the_identity_provider(process: Process, company: Company, netrc: dict[str, str]) -> None:
    with TlsServer(always(), company.certificate("localhost")) as server:
        with provider(context_of(company.certificate("localhost"))) as identity:
            done = process(
                "api",
                "projects",
                "list",
                env=at(server, company.bundle, **netrc, **client_credentials(identity, found=True)),
            )
            assert done.code == 0, done.log
            assert len(identity.requests) == 2
            assert not any("authorization" in one.headers for one in identity.requests)
        assert FROM_NETRC not in server.heard


def test_netrc_is_not_used_through_a_proxy(
    process: Process, company: Company, far: TlsServer, proxy: Proxy, netrc: dict[str, str]
) -> None:
    done = process("find", env=at(FAR, company.bundle, HTTPS_PROXY=proxy.url, **netrc))
    assert done.code == 0, done.log
    assert FROM_NETRC not in far.heard + proxy.heard
    assert b"Proxy-Authorization" not in proxy.heard
