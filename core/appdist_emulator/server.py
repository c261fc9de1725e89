"""The emulator as a server: the wire, the request log, and where faults get in the way."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from flask import Flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from appdist_emulator import classic
from appdist_emulator.compat import DIALECTS, SIGNATURE
from appdist_emulator.control import PREFIX, control
from appdist_emulator.faults import Fault, FaultBook
from appdist_emulator.seed import default_seed
from appdist_emulator.state import Account, Refusal
from appdist_emulator.tokens import JWT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from wsgiref.types import WSGIEnvironment

    import flask
    from werkzeug.serving import BaseWSGIServer

    from appdist_emulator.compat import DialectName

_HOST = "127.0.0.1"
_HIDDEN = "***"
_BODYLESS = {204, 304}
_LOG_LENGTH = 10_000
_HIDDEN_NAMES = {"api_key", SIGNATURE}
_TELLING = 8  # characters from which a secret is looked for inside other text
_SEEN_LENGTH = 100


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class RequestLog:
    """What was asked, in the order of arrival and without secrets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)
        self._number = 0
        # Credentials of whom the account may know nothing; a JWT is known by its looks.
        self._seen: deque[str] = deque(maxlen=_SEEN_LENGTH)

    def add(self, request: Request, connection: int, secrets: set[str]) -> dict[str, Any]:
        secrets = secrets | self._note(request)
        form: dict[str, Any] = request.form.to_dict()
        if request.mimetype == "application/json":
            data = request.get_json(silent=True)
            form = data if isinstance(data, dict) else {}
        entry = {
            "method": request.method,
            "path": _without(secrets, request.path),
            "query": _without(secrets, request.args.to_dict()),
            "content_type": request.mimetype,
            "form": _without(secrets, form),
            "files": _without(secrets, [file.filename for file in request.files.values()]),
            "auth": _auth_kind(request, form),
            "connection": connection,
            "status": None,
            "fault": None,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        with self._lock:
            self._number += 1
            entry = {"number": self._number, **entry}
            self._entries.append(entry)
        return entry

    def view(self) -> list[dict[str, Any]]:
        with self._lock:
            # Once more: a token may have been in a form before it signed anybody in.
            return [_without(set(self._seen), entry) for entry in self._entries]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._number = 0

    def _note(self, request: Request) -> set[str]:
        """Remember the credentials of OIDC; tell all of late."""
        given = request.authorization
        found = [request.headers.get("X-OIDC-Config-Key"), given.token if given and given.type == "bearer" else None]
        with self._lock:
            for one in found:
                if one and len(one) >= _TELLING and one not in self._seen and not JWT.fullmatch(one):
                    self._seen.append(one)
            return set(self._seen)


class Front:
    """Everything between the socket and the account."""

    def __init__(self, seed: Mapping[str, Any] | None, dialect: DialectName, *, quiet: bool) -> None:
        self._seed = default_seed() if seed is None else seed
        if dialect not in DIALECTS:
            raise ValueError(f"dialect: {dialect!r} is none of {', '.join(DIALECTS)}")
        self.dialect = DIALECTS[dialect]()
        self.account = self._account(self._seed)
        self.faults = FaultBook()
        self.log = RequestLog()
        self.stopping = threading.Event()
        self._quiet = quiet
        self._app = _app(self)

    def reset(self, seed: Mapping[str, Any] | None) -> None:
        self.account = self._account(self._seed if seed is None else seed)  # raises before anything is lost
        self.dialect = type(self.dialect)()
        self.faults.clear()
        self.log.clear()

    def answer(self, environ: WSGIEnvironment, body: bytes, connection: int) -> Answer | None:
        """Give the answer to send, or None: the connection is to end without one."""
        started = time.perf_counter()
        environ["wsgi.input"] = io.BytesIO(body)
        with Request(environ, populate_request=False) as request:
            if (request.path + "/").startswith(PREFIX):
                return self._carry_out(environ, body)
            entry = self.log.add(request, connection, self.account.secrets() | self.dialect.secrets())
            fault = self.faults.take(request.method, request.path)
        if fault is None:
            answer: Answer | None = self._carry_out(environ, body)
        else:
            entry["fault"] = fault.id
            answer = self._faulty(fault, environ, body)
        entry["status"] = answer.status if answer else None
        if not self._quiet:
            self._tell(entry, (time.perf_counter() - started) * 1000)
        return answer

    def _account(self, seed: Mapping[str, Any]) -> Account:
        return Account(seed, self.dialect.rules)

    def _faulty(self, fault: Fault, environ: WSGIEnvironment, body: bytes) -> Answer | None:
        order = fault.order
        answer = None
        if order.carried_out_first:
            answer = self._carry_out(environ, body)
        # An event instead of sleep: stopping the emulator does not wait for a fault's delay.
        self.stopping.wait(order.delay)
        if order.drop:
            return None
        if order.replaces:
            content, kind = order.content()
            answer = Answer(order.status or 200, [("Content-Type", kind)], content)
        elif answer is None:
            answer = self._carry_out(environ, body)
        added = dict(order.headers)
        if order.content_type is not None:
            added["Content-Type"] = order.content_type
        replaced = {name.lower() for name in added}
        answer.headers = [one for one in answer.headers if one[0].lower() not in replaced]
        answer.headers.extend(added.items())
        return answer

    def _carry_out(self, environ: WSGIEnvironment, body: bytes) -> Answer:
        environ["wsgi.input"] = io.BytesIO(body)
        self.account.catch_up()
        with Response.from_app(self._app, environ, buffered=True) as response:
            return Answer(response.status_code, response.headers.to_wsgi_list(), response.get_data())

    def _tell(self, entry: Mapping[str, Any], milliseconds: float) -> None:
        status = entry["status"] or "dropped"
        note = f" (fault {entry['fault']})" if entry["fault"] else ""
        # Whoever read the output may have gone; that is no reason to fail a request.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(f"{entry['method']} {ascii(entry['path'])[1:-1]} {status} {milliseconds:.1f} ms{note}\n")
            sys.stdout.flush()


class Emulator:
    """The documented service on a loopback port, for as long as the `with` block lasts.

    `seed` is the account to start with (its format: `appdist_emulator.seed`); None
    takes the default one, Northwind Travel. `dialect` is "classic", the documented service, or
    "compat", the newer server with the same paths. `port` 0 takes a free port.
    """

    def __init__(
        self,
        seed: Mapping[str, Any] | None = None,
        *,
        dialect: DialectName = "classic",
        port: int = 0,
        quiet: bool = True,
    ) -> None:
        self._front = Front(seed, dialect, quiet=quiet)
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
        """Listen, and answer from a thread. Raises OSError when the port cannot be had.

        `announce` is told the URL before the first request is answered.
        """
        if self._server is not None:
            raise RuntimeError("the emulator has been started already")
        self._front.stopping.clear()

        class Handler(_Handler):
            front = self._front
            open_connections = self._open

        # werkzeug ends the whole process when it cannot bind, so the socket is made here.
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
            if os.name != "nt":  # there it would allow two servers on one port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((_HOST, self._wanted_port))
            listener.listen(128)
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
        """Close the port and every connection. Does nothing when it is not running."""
        server, thread = self._server, self._thread
        if server is None or thread is None:
            return
        self._front.stopping.set()
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
    """Kept-alive connections outlive their requests: they are numbered, and closed in the end."""

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
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._sockets, timeout=2)


class _Handler(WSGIRequestHandler):
    """HTTP/1.1 with kept-alive connections, which werkzeug's own handler closes after each answer."""

    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet and at once; else an answer on a kept-alive connection may
    # wait 40 ms for the client's delayed acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1

    front: ClassVar[Front]
    open_connections: ClassVar[_OpenConnections]

    def setup(self) -> None:
        super().setup()
        self._connection_number = self.open_connections.add(self.connection)

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.open_connections.remove(self.connection)

    def handle_expect_100(self) -> bool:
        carry_on = super().handle_expect_100()
        self.wfile.flush()
        return carry_on

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        # The whole body, whatever becomes of it: the next request begins behind it.
        answer = self.front.answer(environ, self._read_body(environ), self._connection_number)
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
            # A fault lies about the length: nobody could tell where the next answer begins.
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
        told = environ.get("CONTENT_LENGTH") or "0"
        if not told.isdecimal():
            raise ConnectionAbortedError("Content-Length is no number")
        body = self.rfile.read(int(told))
        if len(body) < int(told):
            raise ConnectionAbortedError("the client went away")
        return body

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing: the request log has it, and the front tells who wants to be told."""


class _Flask(Flask):
    def __init__(self, front: Front) -> None:
        super().__init__("appdist_emulator", static_folder=None)
        self.extensions["appdist"] = front
        self._path = front.dialect.path

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        super().add_url_rule(self._path(rule), *args, **options)

    def raise_routing_exception(self, request: flask.Request) -> NoReturn:
        problem = request.routing_exception
        path = request.path
        other = path[:-1] if path.endswith("/") else path + "/"
        adapter = self.url_map.bind("")
        # A client that gets a slash wrong must fail, and should be told why.
        if isinstance(problem, RequestRedirect) or (
            isinstance(problem, MethodNotAllowed) and adapter.test(other, request.method)
        ):
            ends = "without" if path.endswith("/") else "with"
            raise NotFound(f"No such path: the documented one ends {ends} a slash")
        raise problem if problem is not None else NotFound


def _app(front: Front) -> Flask:
    app = _Flask(front)
    app.url_map.merge_slashes = False
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.config["MAX_FORM_MEMORY_SIZE"] = None  # release notes may be long
    app.register_blueprint(classic.api)
    app.register_blueprint(classic.audits)
    app.register_blueprint(classic.uploads)
    app.register_blueprint(control)
    front.dialect.install(app)

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> flask.Response:
        return classic.fail(refusal.code, refusal.message, front.dialect.http(refusal))

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> flask.Response:
        status = error.code or 500
        return classic.fail(status, error.description or error.name, status)

    return app


def _no_app(_environ: Any, _start_response: Any) -> NoReturn:
    raise AssertionError("the handler asks the front itself")


def _without(secrets: set[str], value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _HIDDEN if name in _HIDDEN_NAMES else _without(secrets, one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without(secrets, one) for one in value]
    if not isinstance(value, str):
        return value
    if value in secrets:
        return _HIDDEN
    value = JWT.sub(_HIDDEN, value)
    for secret in secrets:
        # A test's key may be "k": that is no reason to take every k out of its notes.
        if len(secret) >= _TELLING:
            value = value.replace(secret, _HIDDEN)
    return value


def _auth_kind(request: Request, form: Mapping[str, Any]) -> str | None:
    given = request.authorization
    if given is not None and given.type in {"basic", "bearer"}:
        return "basic" if given.type == "basic" else "oidc"
    if "X-API-Key" in request.headers:
        return "x-api-key"
    return "api_key" if "api_key" in form else None
