"""Servers on real sockets: each keeps what arrives on it, or does with a connection just what a test says."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

import trustme
from pytest_httpserver import HTTPServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from harness import Service

    Answer = Callable[[bytes], bytes]

PROJECTS = {"status": "ok", "projects": [{"id": "1", "name": "App"}]}


def http_ok(body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@contextmanager
def raw_server(talk: Callable[[socket.socket], object]) -> Iterator[str]:
    """A socket that does with each connection just what `talk` says."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    talk(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@contextmanager
def tls_server(authority: trustme.CA, host: str) -> Iterator[HTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    with HTTPServer(ssl_context=context) as httpserver:
        httpserver.expect_request("/api/1/projects/").respond_with_json(PROJECTS)
        yield httpserver


HELLO = 0x16  # how a TLS handshake begins


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


def receive(connection: socket.socket, arrived: bytearray | None = None) -> bytes:
    """One whole request, or what came of it before the other side closed; also kept in `arrived`."""
    data = bytearray()
    missing = 1
    while missing > 0:
        part = connection.recv(65536)
        if not part:
            break
        data += part
        if arrived is not None:
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
