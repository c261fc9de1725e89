"""Servers on real sockets, and who issues their certificates.

`Port` keeps every byte that arrives on it, so that what must not be sent is looked for at its receiver. Its kinds:
`Server` answers requests, `Tap` passes bytes on, `Proxy` tunnels. `Threaded` is for what Python's `http.server` answers.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import sys
import threading
from contextlib import suppress
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

import trustme

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path
    from types import TracebackType

    from harness import Service

    Talk = Callable[[socket.socket, bytearray], object]
    Answer = Callable[[bytes], bytes]

HELLO = 0x16  # how a TLS handshake begins
PROJECTS = {"status": "ok", "projects": [{"id": "1", "name": "App"}]}  # a response that the client takes


# --- Certificates -------------------------------------------------------------------------------------


class Company(NamedTuple):
    """A private certificate authority, and the file that trusts it."""

    authority: trustme.CA
    bundle: str

    @classmethod
    def founded(cls, folder: Path) -> Self:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        return cls(authority, str(folder / "ca.pem"))

    def context(self, *names: str, **options: Any) -> ssl.SSLContext:
        """What a server with a certificate for these names speaks TLS with; `options` are trustme's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*names, **options).configure_cert(context)
        return context


# --- Ports --------------------------------------------------------------------------------------------


def closed_port() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as port:
        return int(port.getsockname()[1])


class Port:
    """A port on loopback: each connection is answered in a thread of its own, and what arrives on it is kept.

    `talk` gets the connection, over TLS if there is a `context`, and what has arrived on it so far, to add to. Without
    it, the other side is heard out and gets no answer. `name` is the host that its URL has.
    """

    def __init__(
        self,
        talk: Talk | None = None,
        context: ssl.SSLContext | None = None,
        *,
        host: str = "127.0.0.1",
        name: str = "localhost",
    ) -> None:
        self._talk, self._context = talk or receive_all, context
        self._arrived: list[bytearray] = []
        self._threads: list[threading.Thread] = []
        self._probes: dict[int, threading.Event] = {}
        self._listener = socket.create_server((host, 0))
        self.broken: list[str] = []  # why a handshake did not end well
        self.address = (host, int(self._listener.getsockname()[1]))
        self.port = self.address[1]
        self.name = f"{name}:{self.port}"
        self.url = f"{'https' if context else 'http'}://{self.name}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

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
            if self._context is None:
                self._talk(connection, arrived)
                return
            try:
                secure = self._context.wrap_socket(connection, server_side=True)
            except OSError as error:
                self.broken.append(str(error))
                return
            with secure:
                self._talk(secure, arrived)

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


class Server(Port):
    """Takes one request per connection, and answers it."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None, **where: str) -> None:
        def talk(connection: socket.socket, arrived: bytearray) -> None:
            request = receive(connection, arrived)
            if request:
                connection.sendall(reply(b"", "400 Bad Request") if request[0] == HELLO else answer(request))

        super().__init__(talk, context, **where)


class Tap(Port):
    """Between a client and a server: passes on every byte as it is."""

    def __init__(self, behind: Port) -> None:
        super().__init__(lambda connection, arrived: tunnel(connection, behind.address, arrived))
        self.url = f"https://{self.name}"


class Proxy(Port):
    """An HTTP proxy that only knows CONNECT, and only to `hosts`; `arrived` is all that it could ever read."""

    def __init__(self, hosts: Mapping[str, tuple[str, int]], *, password: str = "") -> None:
        super().__init__(self._connect, name="127.0.0.1")
        self._hosts, self._password = hosts, password
        self.refusal = b""  # the status line that everybody gets; b"-" hangs up instead
        self.asked: list[str] = []

    def _connect(self, connection: socket.socket, arrived: bytearray) -> None:
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


def receive_all(connection: socket.socket, arrived: bytearray) -> None:
    """Everything, until the other side closes."""
    while part := connection.recv(65536):
        arrived += part


def receive(connection: socket.socket, arrived: bytearray) -> bytes:
    """One whole request, or what came of it before the other side closed."""
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


# --- Answers ------------------------------------------------------------------------------------------


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


# --- http.server --------------------------------------------------------------------------------------


class Threaded(ThreadingHTTPServer):
    """Python's own server on a free port of loopback, over TLS if there is a `context`; it runs while it is entered."""

    daemon_threads = False  # so that closing waits for those who still answer
    request_queue_size = 64

    def __init__(self, handler: Callable[..., BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> None:
        self.failures: list[Exception] = []
        super().__init__(("127.0.0.1", 0), handler)
        if context:
            # The handshake is for the thread that answers: a client that trusts nobody ends only that.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:  # noqa: ARG002
        error = sys.exception()
        # A client that goes away, or does not like the certificate, is none of the server's failures.
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.failures.append(error)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        if error is None and self.failures:
            raise AssertionError("a server failed") from self.failures[0]
