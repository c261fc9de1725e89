"""The server in front of the emulator and the identity provider: it passes requests on, and applies a fault to one.

A `Front` serves one cell at a time. It reads requests and writes answers byte by byte itself, so that a fault may be of
any layer.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HOST = "127.0.0.1"
PAUSE = 0.3  # seconds between two pieces of an answer that drips
FLOOD = 300 << 20  # bytes of an answer that has no end: twice what a step may use
_DROPPED = {"content-length", "connection", "date", "server", "transfer-encoding", "keep-alive"}


class Reply(NamedTuple):
    """An answer of the service or the provider."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def head(self, **more: str) -> bytes:
        """Status line and headers, with the blank line."""
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {text}" for name, text in self.headers)]
        lines += [f"{name.replace('_', '-')}: {text}" for name, text in more.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def raw(self, **more: str) -> bytes:
        """The whole answer."""
        return self.head(Content_Length=str(len(self.body)), **more) + self.body


class Request(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    raw: bytes

    @property
    def to_provider(self) -> bool:
        return self.path.startswith(("/idp/", "/actions/"))

    @property
    def writes(self) -> bool:
        """Whether it may change something on the service."""
        return self.method != "GET" and not self.to_provider

    @property
    def label(self) -> str:
        words = [word for word in self.path.partition("?")[0].split("/") if word and not re.search(r"\d", word)]
        return f"{self.method}-{words[-1] if words else 'root'}"


class Seen(NamedTuple):
    """A request of a run, and the answer that the service or the provider gave to it, if it got it."""

    number: int
    request: Request | None  # None where the fault came before it was read
    passed: Reply | None


Stage = Literal["connect", "begin", "request"]


class Fault(NamedTuple):
    """What happens instead of an answer.

    `stage` is when it begins: on a new connection, at the first byte of a request, or when the request has been read.
    `says` is what its answer tells of a write: that it was done, that it was refused, or nothing certain. `once`
    leaves later requests alone. `before` stays with the connection that the fault needs: "refused" closes the port,
    "stale" closes a kept connection without saying so. `slow` faults make a step wait for its timeout.
    """

    name: str
    kind: str
    act: Callable[[Exchange], None]
    stage: Stage = "request"
    says: Literal["done", "refused", "unknown"] = "unknown"
    once: bool = False
    before: Literal["", "refused", "stale"] = ""
    slow: bool = False
    tls: bool = False
    passes: bool = False  # the service gets the request in any case
    plausible: bool = True  # its answer to a GET may be true, as far as a client can see
    field: tuple[str | int, ...] = ()
    shape: str = ""


class Plan(NamedTuple):
    """A fault at the n-th request; `after`: the service has done it by then. `recorded` is the answer of a clean run."""

    fault: Fault
    number: int
    after: bool
    recorded: Reply | None


@dataclass
class Run:
    """One cell: what arrived so far."""

    plan: Plan | None
    backend: int
    seen: list[Seen] = field(default_factory=list)
    count: int = 0
    target: tuple[str, str] | None = None
    over: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Event = field(default_factory=threading.Event)
    signal: Callable[[int], None] = lambda _: None
    connections: list[socket.socket] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hits(self, number: int, request: Request | None) -> bool:
        """Whether the fault applies to this request; without one, to whatever comes next."""
        if self.plan is None or number < self.plan.number:
            return False
        if number == self.plan.number:
            if request:
                self.target = request.method, request.path
            return True
        if self.plan.fault.once:
            return False
        return request is None or (request.method, request.path) == self.target


class Exchange:
    """A request that meets its fault, and the means to answer it."""

    def __init__(
        self, front: Front, run: Run, connection: socket.socket, request: Request | None, true: Reply | None
    ) -> None:
        self.front, self.run, self.connection, self.request = front, run, connection, request
        self._true = true

    @property
    def true(self) -> Reply:
        """The answer of the service: its own if it got the request, else that of the clean run."""
        return self._true or Reply(200, "OK", (("Content-Type", "application/json"),), b'{"status": "ok"}')

    def pass_on(self) -> Reply:
        """Let the service have the request now."""
        assert self.request
        self._true = self.front.pass_on(self.run, self.request)
        self.run.seen[-1] = self.run.seen[-1]._replace(passed=self._true)
        return self._true

    def send(self, data: bytes) -> bool:
        """Send bytes; False if the client has gone."""
        try:
            self.connection.sendall(data)
        except OSError:
            return False
        return True

    def drip(self, pieces: Iterable[bytes], pause: float = PAUSE) -> None:
        """Send piece by piece, for as long as the client stays."""
        for piece in pieces:
            if not self.send(piece) or self.run.over.wait(pause):
                return

    def flood(self, piece: bytes, limit: int = FLOOD) -> None:
        """Send the same piece again and again."""
        block = piece * max(1, (1 << 18) // len(piece))
        for _ in range(limit // len(block)):
            if self.run.over.is_set() or not self.send(block):
                return

    def wait(self) -> None:
        """Say nothing until the client has gone."""
        self.connection.settimeout(0.2)
        while not self.run.over.is_set():
            with suppress(TimeoutError):
                try:
                    if not self.connection.recv(1 << 16):
                        return
                except ConnectionError:
                    return

    def reset(self) -> None:
        """End the connection by RST."""
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class Front:
    """The port that steps talk to. `provider` is the port of the identity provider."""

    def __init__(self, provider: int) -> None:
        self._provider = provider
        self._holder = _bound(0)  # keeps the port while nobody listens
        self.port: int = self._holder.getsockname()[1]
        self.address = f"{HOST}:{self.port}"
        self._listening, self._closed = threading.Event(), False
        self._listen()
        self._run: Run | None = None
        self.stranger = Stranger()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Free the ports."""
        self._closed = True
        self._refuse()
        self._listening.set()
        self._holder.close()
        self.stranger.close()

    @contextmanager
    def running(self, plan: Plan | None, backend: int) -> Iterator[Run]:
        """Serve a cell. When it ends, its connections are closed and its threads have ended."""
        run = Run(plan, backend)
        self.stranger.heard.clear()
        if plan and plan.fault.before == "refused" and plan.number == 1:
            self._refuse()
            self._reopen_soon(plan, run)
        self._run = run
        try:
            yield run
        finally:
            run.over.set()
            self._run = None
            if not self._listening.is_set():
                self._listen()
            for connection in run.connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            for thread in run.threads:
                thread.join(5)

    def _refuse(self) -> None:
        self._listening.clear()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends the wait for a connection
        self._listener.close()

    def _listen(self) -> None:
        self._listener = _bound(self.port)
        self._listener.listen(64)
        self._listening.set()

    def _reopen_soon(self, plan: Plan, run: Run) -> None:
        def reopen() -> None:
            if not run.over.wait(0.1) and not self._closed:
                self._listen()

        if plan.fault.once:
            threading.Thread(target=reopen, daemon=True).start()

    def _accept(self) -> None:
        while not self._closed:
            self._listening.wait()
            try:
                connection, _ = self._listener.accept()
            except OSError:
                time.sleep(0.005)
                continue
            run = self._run
            if run is None:
                connection.close()
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            run.connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(run, connection), daemon=True)
            thread.start()
            run.threads.append(thread)

    def _serve(self, run: Run, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if run.plan and run.plan.fault.stage == "connect" and run.hits(run.count + 1, None):
                self._meet(run, connection, None)
                return
            while connection.recv(1, socket.MSG_PEEK):
                if run.plan and run.plan.fault.stage == "begin" and run.hits(run.count + 1, None):
                    self._meet(run, connection, None)
                    return
                request = _read(connection)
                if request is None or not self._answer(run, connection, request):
                    return

    def _meet(self, run: Run, connection: socket.socket, request: Request | None) -> None:
        """Apply the fault."""
        assert run.plan
        true = _moved(run.plan.recorded, self.address)
        passes = request and (run.plan.after or not request.writes)
        if request and (passes and not run.plan.fault.passes):
            true = self.pass_on(run, request)
        with run.lock:
            run.count += 1
            run.seen.append(Seen(run.count, request, true if passes and not run.plan.fault.passes else None))
        run.arrived.set()
        run.plan.fault.act(Exchange(self, run, connection, request, true))

    def _answer(self, run: Run, connection: socket.socket, request: Request) -> bool:
        """Answer one request; returns whether the connection stays."""
        number = run.count + 1
        if run.plan and run.plan.fault.stage == "request" and not run.plan.fault.before and run.hits(number, request):
            self._meet(run, connection, request)
            return run.plan.fault.kind == "signal"
        reply = self.pass_on(run, request)
        with run.lock:
            run.count += 1
            run.seen.append(Seen(number, request, reply))
        closes = run.plan is not None and number >= run.plan.number - 1 and _needs_new(run.plan.fault)
        if closes and run.plan and run.plan.fault.once and number >= run.plan.number:
            closes = False
        if closes and run.plan and run.plan.fault.before == "refused":
            self._refuse()
            self._reopen_soon(run.plan, run)
        announced = {"Connection": "close"} if closes and run.plan and run.plan.fault.before != "stale" else {}
        connection.sendall(reply.raw(**announced))
        return not closes

    def pass_on(self, run: Run, request: Request) -> Reply:
        """The answer of whom the request is for."""
        link = HTTPConnection(HOST, self._provider if request.to_provider else run.backend, timeout=30)
        try:
            kept = {name: text for name, text in request.headers.items() if name.lower() not in _DROPPED}
            link.request(request.method, request.path, request.body or None, kept)
            got = link.getresponse()
            headers = tuple((name, text) for name, text in got.getheaders() if name.lower() not in _DROPPED)
            body = got.read()
        finally:
            link.close()
        if request.to_provider:  # its own address is not the one that it is asked at
            body = body.replace(f"{HOST}:{self._provider}".encode(), self.address.encode())
        return Reply(got.status, got.reason, headers, body)


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((HOST, port))
    return bound


class Stranger:
    """Another host: it keeps what arrives, and answers."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.create_server((HOST, 0), backlog=64)
        self.address = f"{HOST}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            if request := _read(connection):
                self.heard.append(request.raw)
                body = b'{"status": "ok", "access_token": "zq-of-a-stranger", "projects": [], "builds": []}'
                connection.sendall(Reply(200, "OK", (("Content-Type", "application/json"),), body).raw())


def _needs_new(fault: Fault) -> bool:
    return fault.stage == "connect" or fault.before != ""


def _moved(reply: Reply | None, address: str) -> Reply | None:
    """A recorded answer, as if it had come from this front."""
    if reply is None:
        return None
    return reply._replace(body=re.sub(rb"127\.0\.0\.1:\d+", address.encode(), reply.body))


def _read(connection: socket.socket) -> Request | None:
    """One whole request; None if the client went away before."""
    data = bytearray()
    missing = 1
    while missing > 0:
        part = connection.recv(1 << 16)
        if not part:
            return None
        data += part
        head, end, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        missing = (int(length[1]) if length else 0) - len(body) if end else 1
    first, *lines = bytes(head).decode("latin-1").split("\r\n")
    method, path, _ = [*first.split(" "), "", ""][:3]
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    return Request(method, path, headers, bytes(body), bytes(data))
