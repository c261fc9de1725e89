"""The HTTP/1.1 server on loopback: the port, its threads and its kept-alive connections."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from werkzeug.serving import WSGIRequestHandler, make_server

from appdist_emulator.gateway import Gateway
from appdist_emulator.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from wsgiref.types import WSGIEnvironment

    from werkzeug.serving import BaseWSGIServer

    from appdist_emulator.dialects import DialectName

_HOST = "127.0.0.1"
_BODYLESS = {204, 304}


class Emulator:
    """The documented service on a loopback port, for as long as the `with` block lasts.

    `seed` is the account to start with (format: `appdist_emulator.seed`), by default Northwind
    Travel. `dialect` is "classic", the documented service, or "compat", the newer server with the
    same paths. `port` 0 takes a free port. Raises SeedError if the seed is invalid.
    """

    def __init__(
        self,
        seed: Mapping[str, Any] | None = None,
        *,
        dialect: DialectName = "classic",
        port: int = 0,
        quiet: bool = True,
    ) -> None:
        self._gateway = Gateway(Service(seed, dialect), quiet=quiet)
        self._wanted_port = port
        self._port: int | None = None
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._open = _OpenConnections()

    @property
    def url(self) -> str:
        if self._port is None:
            raise RuntimeError("the emulator has not been started: use `with Emulator() as emulator:`")
        return f"http://{_HOST}:{self._port}"

    def start(self, *, announce: Callable[[str], None] | None = None) -> Self:
        """Listen, and answer from a thread. Raises OSError if the port is not available.

        `announce` receives the URL before the first request is answered.
        """
        if self._server is not None:
            raise RuntimeError("the emulator has been started already")
        self._gateway.stopping.clear()

        class Handler(_Handler):
            gateway = self._gateway
            open_connections = self._open

        # Made here, since werkzeug ends the whole process if it cannot bind.
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            if os.name != "nt":  # Windows would allow two servers on one port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((_HOST, self._wanted_port))
            listener.listen(1024)
            self._server = make_server(_HOST, 0, _no_app, threaded=True, request_handler=Handler, fd=listener.fileno())
        self._port = self._server.port
        if announce:
            announce(self.url)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="appdist-emulator", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection. Does nothing if the emulator is not running."""
        server, thread = self._server, self._thread
        if server is None or thread is None:
            return
        self._gateway.stopping.set()
        server.shutdown()
        thread.join()
        self._open.close()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class _OpenConnections:
    """Kept-alive connections outlive their requests: numbered for the log, and closed at the end."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sockets: set[socket.socket] = set()
        self._last = 0

    def add(self, connection: socket.socket) -> int:
        with self._changed:
            self._sockets.add(connection)
            self._last += 1
            return self._last

    def remove(self, connection: socket.socket) -> None:
        with self._changed:
            self._sockets.discard(connection)
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            # First no more requests: an answer that is on its way arrives, however busy the machine is.
            for how in (socket.SHUT_RD, socket.SHUT_RDWR):
                for connection in self._sockets:
                    with contextlib.suppress(OSError):
                        connection.shutdown(how)
                if self._changed.wait_for(lambda: not self._sockets, timeout=1):
                    break


class _Handler(WSGIRequestHandler):
    """HTTP/1.1 with kept-alive connections; werkzeug's own handler closes them after each answer."""

    protocol_version = "HTTP/1.1"
    # Send head and body in one packet and at once: otherwise an answer on a kept-alive connection
    # may wait 40 ms for the client's delayed acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1

    gateway: ClassVar[Gateway]
    open_connections: ClassVar[_OpenConnections]

    def setup(self) -> None:
        super().setup()
        self._connection_number = self.open_connections.add(self.connection)

    def finish(self) -> None:
        try:
            with contextlib.suppress(ConnectionError):  # the client went away before all of the answer was sent
                super().finish()
        finally:
            self.open_connections.remove(self.connection)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.gateway.clock if timestamp is None else timestamp)

    def handle_expect_100(self) -> bool:
        carry_on = super().handle_expect_100()
        self.wfile.flush()
        return carry_on

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        # Always read the whole body: the next request begins after it.
        answer = self.gateway.answer(environ, self._read_body(environ), self._connection_number)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        length = str(len(answer.body))
        for name, value in answer.headers:
            if name.lower() == "content-length":
                length = value
            else:
                self.send_header(name, value)
        if answer.status not in _BODYLESS:
            self.send_header("Content-Length", length)
        if self.command != "HEAD" and length != str(len(answer.body)):
            # A fault changed the length: the client cannot find the start of the next answer.
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD" and answer.status not in _BODYLESS:
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _read_body(self, environ: WSGIEnvironment) -> bytes:
        if environ.pop("wsgi.input_terminated", False):  # chunked
            body: bytes = environ["wsgi.input"].read()
            del environ["HTTP_TRANSFER_ENCODING"]
            environ["CONTENT_LENGTH"] = str(len(body))
            return body
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal():
            raise ConnectionAbortedError("Content-Length is not a number")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionAbortedError("the client went away")
        return body

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Print nothing: the gateway logs requests."""


def _no_app(_environ: Any, _start_response: Any) -> NoReturn:
    raise AssertionError("the handler asks the gateway itself")
