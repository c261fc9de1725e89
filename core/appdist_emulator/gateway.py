"""Answers each request: logs it, applies the fault that was ordered for it, and asks the application."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from appdist_emulator.app import make_app
from appdist_emulator.control import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from wsgiref.types import WSGIEnvironment

    from appdist_emulator.faults import Fault
    from appdist_emulator.service import Service


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class Gateway:
    def __init__(self, service: Service, *, quiet: bool) -> None:
        self.stopping = threading.Event()
        self._service = service
        self._app = make_app(service)
        self._quiet = quiet

    @property
    def clock(self) -> float:
        """The time on the service's clock, in seconds."""
        return time.time() + self._service.dialect.account.settings.clock_ahead

    def answer(self, environ: WSGIEnvironment, body: bytes, connection: int) -> Answer | None:
        """Return the answer to send, or None to close the connection without one."""
        started = time.perf_counter()
        environ["wsgi.input"] = io.BytesIO(body)
        with Request(environ, populate_request=False) as request:
            if (request.path + "/").startswith(PREFIX):
                return self._ask_app(environ, body)
            entry = self._service.log.add(request, connection, self._service.dialect.secrets())
            fault = self._service.faults.take(request.method, request.path)
        if fault is None:
            answer: Answer | None = self._ask_app(environ, body)
        else:
            entry["fault"] = fault.id
            answer = self._ask_with(fault, environ, body)
        entry["status"] = answer.status if answer else None
        if not self._quiet:
            self._print(entry, (time.perf_counter() - started) * 1000)
        return answer

    def _ask_with(self, fault: Fault, environ: WSGIEnvironment, body: bytes) -> Answer | None:
        order = fault.order
        answer = None
        if order.carried_out_first:
            answer = self._ask_app(environ, body)
        # Not sleep: stopping the emulator ends the delay.
        self.stopping.wait(order.delay)
        if order.drop:
            return None
        if order.replaces:
            content, kind = order.content()
            answer = Answer(order.status or 200, [("Content-Type", kind)], content)
        elif answer is None:
            answer = self._ask_app(environ, body)
        added = dict(order.headers)
        if order.content_type is not None:
            added["Content-Type"] = order.content_type
        replaced = {name.lower() for name in added}
        answer.headers = [one for one in answer.headers if one[0].lower() not in replaced]
        answer.headers.extend(added.items())
        return answer

    def _ask_app(self, environ: WSGIEnvironment, body: bytes) -> Answer:
        environ["wsgi.input"] = io.BytesIO(body)
        self._service.dialect.account.catch_up()
        with Response.from_app(self._app, environ, buffered=True) as response:
            return Answer(response.status_code, response.headers.to_wsgi_list(), response.get_data())

    def _print(self, entry: Mapping[str, Any], milliseconds: float) -> None:
        status = entry["status"] or "dropped"
        note = f" (fault {entry['fault']})" if entry["fault"] else ""
        # A closed output must not fail a request.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(f"{entry['method']} {ascii(entry['path'])[1:-1]} {status} {milliseconds:.1f} ms{note}\n")
            sys.stdout.flush()
