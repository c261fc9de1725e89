"""Which requests are sent again, how long that waits, and what a broken connection leads to."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from sauce_appdist.errors import ServiceError, TransportError
from sauce_appdist.wire.retry import LONGEST_PAUSE
from servers import PROJECTS, Port, closed_port, receive
from wire.support import CALLS, WRITES, Wire

if TYPE_CHECKING:
    import socket

    from pytest_httpserver import HTTPServer

OK = {"status": "ok"}
COPY = {"status": "ok", "build_id": "3"}
GOOD = {"GET": PROJECTS, "PATCH": OK, "copy": COPY, "invite": OK}


@pytest.mark.parametrize("call", CALLS)
def test_429_is_retried_on_every_method(server: HTTPServer, call: str) -> None:
    method, path, send = CALLS[call]
    server.expect_oneshot_request(path, method=method).respond_with_json(
        {"status": "fail"}, status=429, headers={"Retry-After": "7"}
    )
    server.expect_oneshot_request(path, method=method).respond_with_json(GOOD[call])
    wire = Wire(server.url_for(""))
    send(wire.client)
    assert wire.waits == [7.0]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_bad_gateway_is_retried_on_get(server: HTTPServer, status: int) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_data("<html>", status=status)
    server.expect_oneshot_request("/api/1/projects/").respond_with_json({"status": "fail", "code": 1}, status=status)
    server.expect_oneshot_request("/api/1/projects/").respond_with_json(PROJECTS)
    wire = Wire(server.url_for(""))
    assert wire.client.projects.list()
    assert len(wire.waits) == 2
    assert 0.25 <= wire.waits[0] <= 0.5 <= wire.waits[1] <= 1.0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("call", WRITES)
def test_a_write_of_unknown_fate_is_never_sent_twice(server: HTTPServer, call: str, status: int) -> None:
    method, path, send = CALLS[call]
    server.expect_oneshot_request(path, method=method).respond_with_data("gone", status=status)
    with pytest.raises(TransportError, match=str(status)) as caught:
        send(Wire(server.url_for("")).client)
    assert caught.value.sent
    assert len(server.log) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500])
def test_no_other_status_is_retried(server: HTTPServer, status: int) -> None:
    server.expect_oneshot_request("/api/1/projects/").respond_with_json({"status": "fail"}, status=status)
    with pytest.raises(ServiceError):
        Wire(server.url_for("")).client.projects.list()
    assert len(server.log) == 1


def test_retries_end(server: HTTPServer) -> None:
    server.expect_request("/api/1/projects/").respond_with_data("no", status=503)
    wire = Wire(server.url_for(""), retries=2)
    with pytest.raises(TransportError, match="503"):
        wire.client.projects.list()
    assert len(server.log) == 3
    assert len(wire.waits) == 2


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("0", 0, 0),
        ("86400", LONGEST_PAUSE, LONGEST_PAUSE),
        ("in 40 s", 30, 40),
        ("500 s ago", 0, 0),
        ("soon", 0.25, 0.5),
        ("-3", 0.25, 0.5),
        ("", 0.25, 0.5),
    ],
)
def test_retry_after_is_honoured_and_capped(server: HTTPServer, header: str, least: float, most: float) -> None:
    dates = {"in 40 s": 40, "500 s ago": -500}
    if header in dates:
        header = formatdate(time.time() + dates[header], usegmt=True)
    server.expect_oneshot_request("/api/1/projects/").respond_with_data("", status=503, headers={"Retry-After": header})
    server.expect_oneshot_request("/api/1/projects/").respond_with_json(PROJECTS)
    wire = Wire(server.url_for(""))
    wire.client.projects.list()
    assert least <= wire.waits[0] <= most


@pytest.mark.parametrize("call", CALLS)
def test_a_connection_that_breaks_after_sending_is_retried_on_get_only(call: str) -> None:
    with Port(receive) as port:
        wire = Wire(port.url, retries=2)
        with pytest.raises(TransportError, match="broke") as caught:
            CALLS[call][2](wire.client)
        assert len(port.connections) == (3 if call == "GET" else 1)
    assert caught.value.sent is (call != "GET")


@pytest.mark.parametrize("call", CALLS)
def test_a_refused_connection_is_retried_on_every_method(call: str) -> None:
    wire = Wire(f"http://127.0.0.1:{closed_port()}", retries=2)
    with pytest.raises(TransportError, match="cannot be reached: check region, base-url and the network") as caught:
        CALLS[call][2](wire.client)
    assert len(wire.waits) == 2
    assert not caught.value.sent


def test_a_host_that_does_not_exist_is_told_by_name() -> None:
    with pytest.raises(TransportError, match=r"no-such-host\.invalid cannot be reached"):
        Wire("https://no-such-host.invalid", retries=0).client.projects.list()


@pytest.mark.parametrize("call", CALLS)
def test_a_silent_server_meets_the_timeout(call: str) -> None:
    hold = threading.Event()

    def be_silent(connection: socket.socket, arrived: bytearray) -> None:
        receive(connection, arrived)
        hold.wait(3)

    with Port(be_silent) as port:
        wire = Wire(port.url, timeout=0.2, retries=1)
        with pytest.raises(TransportError, match=r"no answer within 0\.2 s") as caught:
            CALLS[call][2](wire.client)
        hold.set()
    assert caught.value.sent is (call != "GET")
    assert len(wire.waits) == (1 if call == "GET" else 0)


def test_a_dripping_server_meets_the_timeout_too() -> None:
    def drip(connection: socket.socket, arrived: bytearray) -> None:
        receive(connection, arrived)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.05)

    with Port(drip) as port, pytest.raises(TransportError, match=r"no answer within 0\.3 s"):
        Wire(port.url, timeout=0.3, retries=0).client.projects.list()


def test_a_body_that_ends_early_is_no_answer() -> None:
    def cut(connection: socket.socket, arrived: bytearray) -> None:
        receive(connection, arrived)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"status": "ok", ')

    with Port(cut) as port, pytest.raises(TransportError, match="broke before the answer was complete"):
        Wire(port.url, retries=0).client.projects.list()


def test_a_port_that_speaks_something_else_is_named_as_such() -> None:
    def greet(connection: socket.socket, arrived: bytearray) -> None:
        connection.sendall(b"220 mail.example ESMTP ready\r\n")
        receive(connection, arrived)

    with Port(greet) as port, pytest.raises(TransportError, match=r"does not speak HTTP.*port of base-url"):
        Wire(port.url).client.projects.list()
