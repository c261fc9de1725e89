"""The table of retries: after each failure, each kind of request is sent again or not."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from sauce_appdist.auth.oidc import Provider, TokenHttp
from sauce_appdist.clock import Clock
from sauce_appdist.errors import ServiceError
from sauce_appdist.wire.retry import FIRST_PAUSE, LONGEST_PAUSE, RETRIED, Fate, RequestKind, backoff, fate_of_status
from servers import Port, Server, always, closed_port, receive
from wire.support import CALLS, Wire

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

RETRIES = 2

# Written by hand, so that a changed row of the code's table fails here.
ALL = {"GET", "PATCH", "copy", "invite", "token"}
SAFE = {"GET", "token"}
EXPECTED = {
    "refused": (Fate.NEVER_SENT, ALL),
    "429": (Fate.TOO_MANY_REQUESTS, ALL),
    "502": (Fate.GATEWAY, SAFE),
    "503": (Fate.GATEWAY, SAFE),
    "504": (Fate.GATEWAY, SAFE),
    "silent": (Fate.LOST, SAFE),
    "broken": (Fate.LOST, SAFE),
    "cut": (Fate.LOST, SAFE),
    "500": (Fate.SERVER_ERROR, {"token"}),
    "400": (Fate.FINAL, set()),
    "404": (Fate.FINAL, set()),
    "409": (Fate.FINAL, set()),
    "501": (Fate.FINAL, set()),
    "505": (Fate.FINAL, set()),
    "not HTTP": (Fate.FINAL, set()),
}
KINDS = {
    "GET": RequestKind.GET,
    "PATCH": RequestKind.UPDATE,
    "copy": RequestKind.WRITE,
    "invite": RequestKind.WRITE,
    "token": RequestKind.TOKEN,
}


@contextmanager
def failing(failure: str, seen: list[bytes]) -> Iterator[str]:
    """The address of a server where every request meets this failure; `seen` gets what arrives."""
    if failure == "refused":
        yield f"http://127.0.0.1:{closed_port()}"
        return
    over = threading.Event()

    def talk(connection: socket.socket, arrived: bytearray) -> None:
        seen.append(receive(connection, arrived))
        if failure == "silent":
            over.wait(10)
        elif failure == "cut":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        elif failure == "not HTTP":
            connection.sendall(b"220 mail.example ESMTP ready\r\n")
        elif failure != "broken":
            connection.sendall(f"HTTP/1.1 {failure} Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    with Port(talk) as port:
        try:
            yield port.url
        finally:
            over.set()


def ask(call: str, url: str, timeout: float = 10.0) -> list[float]:
    """The pauses of one request that fails."""
    if call == "token":
        waits: list[float] = []
        http = TokenHttp(timeout, clock=Clock(sleep=waits.append))
        send: Callable[[], object] = Provider(
            http, token_url=f"{url}/token", client_id="c", client_secret="s"
        ).by_secret
    else:
        wire = Wire(url, timeout=timeout, retries=RETRIES)
        waits = wire.waits
        send = lambda: CALLS[call][2](wire.client)  # noqa: E731
    with pytest.raises(ServiceError):
        send()
    return waits


@pytest.mark.parametrize("call", KINDS)
@pytest.mark.parametrize("failure", EXPECTED)
def test_each_failure_of_each_request(failure: str, call: str) -> None:
    fate, retried = EXPECTED[failure]
    seen: list[bytes] = []
    with failing(failure, seen) as url:
        waits = ask(call, url, timeout=0.3 if failure == "silent" else 10.0)
    retries = RETRIES if call in retried else 0
    assert len(waits) == retries
    if failure != "silent":  # whose requests may arrive after the client has given up
        assert len(seen) == (0 if failure == "refused" else retries + 1)
    assert (KINDS[call] in RETRIED[fate]) is (call in retried)


def test_every_row_and_every_column_is_tried() -> None:
    assert set(RETRIED) == set(Fate) == {fate for fate, _ in EXPECTED.values()}
    assert set(KINDS.values()) == set(RequestKind)
    assert set(CALLS) < set(KINDS)
    for status in range(100, 600):
        assert fate_of_status(status) is EXPECTED.get(str(status), (Fate.FINAL, set()))[0]


NOW = datetime(2026, 4, 16, 11, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("retry", range(12))
def test_pauses_grow_with_jitter_up_to_the_longest(retry: int) -> None:
    longest = min(FIRST_PAUSE * 2**retry, LONGEST_PAUSE)
    pauses = [backoff(retry, "", NOW) for _ in range(50)]
    assert all(longest / 2 <= pause <= longest for pause in pauses)
    assert len(set(pauses)) > 1


@pytest.mark.parametrize(
    ("seconds", "expected"), [(40, 40.0), (0, 0.0), (-500, 0.0), (60, 60.0), (61, 60.0), (86400 * 365, 60.0)]
)
def test_a_date_to_wait_for_is_read_by_the_clock(seconds: int, expected: float) -> None:
    date = datetime.fromtimestamp(NOW.timestamp() + seconds, UTC)
    assert backoff(3, format_datetime(date, usegmt=True), NOW) == expected


@pytest.mark.parametrize("call", KINDS)
def test_each_kind_of_request_waits_as_long_as_it_is_asked_to(call: str) -> None:
    with Server(always(b"", "429 Slow", Retry_After="7")) as server:
        assert ask(call, server.url) == [7.0] * RETRIES
