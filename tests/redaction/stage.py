"""The servers that misbehave as they are told to."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from identity import IdentityProvider
from redaction.failures import ANSWERS, Answer, Asked, Failure, credentials
from servers import Threaded

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping


class Recording(IdentityProvider):
    """Remembers what it signed: nobody else could tell which tokens must not be shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.signed: list[str] = []

    def _sign(self, claims: dict[str, Any], alg: str = "RS256", headers: dict[str, Any] | None = None) -> str:
        self.signed.append(super()._sign(claims, alg, headers))
        return self.signed[-1]


class Front(Threaded):
    """`/<failure>/<dialect>/<run>/api/…` fails so; what is not to fail goes to the emulator."""

    def __init__(self, emulators: Mapping[str, int], context: ssl.SSLContext | None = None) -> None:
        super().__init__(_Handler, context)
        self.emulators = emulators
        self.arrived: dict[str, threading.Event] = {}
        self.signatures: list[str] = []
        self.closing = threading.Event()

    def __exit__(self, *error: Any) -> None:  # noqa: PYI036 - handed on as they are
        self.closing.set()
        super().__exit__(*error)


class _Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _, kind, dialect, run, rest = [*self.path.split("/", 4), "", "", ""][:5]
        headers = dict(self.headers.items())
        asked = Asked(
            self.command,
            self.path,
            headers,
            body,
            credentials(headers, body),
            lambda: self._forwarded(dialect, rest, body),
        )
        if not (make := ANSWERS.get(unquote(kind))):
            return  # a redirect whose target is none, and which a client reads as a path of this host: the end
        answer = make(asked)
        if run in self.server.arrived and (asked.writes or answer.wait):
            self.server.arrived[run].set()
        if answer.wait:
            self.server.closing.wait(60)
        if answer.raw is not None:
            self.wfile.write(answer.raw)
        if answer.raw is not None or answer.drop or answer.wait:
            return
        self.send_response(answer.status, answer.reason)
        for name, text in {**answer.headers, "Content-Length": str(len(answer.body)), "Connection": "close"}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def do_CONNECT(self) -> None:
        """As a proxy: refuse, and repeat who asked in the reason."""
        self.close_connection = True
        self.send_response(407, " ".join(credentials(dict(self.headers.items()), b"")))
        self.end_headers()

    def _forwarded(self, dialect: str, rest: str, body: bytes) -> Answer:
        link = HTTPConnection("127.0.0.1", self.server.emulators[dialect], timeout=20)
        try:
            link.request(self.command, f"/{rest}", body, dict(self.headers.items()))
            reply = link.getresponse()
            kept = {name: text for name, text in reply.getheaders() if name not in {"Content-Length", "Date", "Server"}}
            if "Location" in kept:
                self.server.signatures.append(kept["Location"].rpartition("Signature=")[2].partition("&")[0])
            return Answer(reply.status, reply.read(), kept)
        finally:
            link.close()

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Stage:
    """Everything that a run talks to."""

    front: Front
    tls: Front
    identity: Recording
    number: count[int] = field(default_factory=count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.front.server_port}"

    def base(self, failure: Failure) -> str:
        tls, no_tls = f"https://127.0.0.1:{self.tls.server_port}", self.url.replace("http:", "https:")
        return failure.base.format(front=self.url, tls=tls, no_tls=no_tls)
