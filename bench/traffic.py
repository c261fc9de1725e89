"""Sends mixed requests of many clients to an emulator, and prints as JSON how they were answered.

`python traffic.py URL --rate 300 --seconds 10 --clients 50` needs no package. Rate 0 sends as fast as it is answered. A
request's time runs from when it was due, so that a server that falls behind cannot hide it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import statistics
import sys
import time
from urllib.parse import urlencode, urlsplit

EMAIL, API_KEY = "ci@northwind.example", "nw-demo-key-0001"
BUILD = "/api/1/projects/6905338/builds/8911052"
NEW_CONNECTION = 10  # one request in so many closes its connection
WAIT = 10.0  # seconds until a request counts as an error
FORM = "application/x-www-form-urlencoded"


def request(number: int) -> tuple[str, str, dict[str, str]]:
    """Method, path and form: of ten requests six read, two update, one copies and one invites."""
    reads = ("/api/1/projects/", BUILD, "/api/1/projects/6905338/builds/", "/api/1/testers/groups")
    writes: dict[int, tuple[str, str, dict[str, str]]] = {
        6: ("PATCH", f"{BUILD}/", {"tags": f"load-{number % 50}", "comment": "Under load"}),
        7: ("POST", f"{BUILD}/copy", {"folder_name": f"/Load-{number % 200}"}),
        8: ("PATCH", f"{BUILD}/", {"tags": f"load-{number % 50}, rc", "metadata_load": str(number)}),
        9: ("POST", f"{BUILD}/invites/", {"groups": "QA", "comment": f"load-{number}", "notify": "off"}),
    }
    return writes.get(number % 10, ("GET", reads[number % 10 % len(reads)], {}))


class Client:
    """One client with a kept-alive connection. `problems` gets what went wrong, `times` the seconds of each answer."""

    def __init__(self, host: str, port: int, times: list[float], problems: list[str]) -> None:
        self._host, self._port = host, port
        self._times, self._problems = times, problems
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._sign_in = base64.b64encode(f"{EMAIL}:{API_KEY}".encode()).decode()

    async def send(self, number: int, due: float) -> None:
        method, path, form = request(number)
        try:
            async with asyncio.timeout(WAIT):
                status, body = await self._exchange(
                    method, path, urlencode(form).encode(), close=number % NEW_CONNECTION == 3
                )
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self._problems.append(f"{method} {path}: {error!r}")
            self.close()
            return
        self._times.append(time.perf_counter() - due)
        if status != 200 or json.loads(body).get("status") != "ok":
            self._problems.append(f"{method} {path}: HTTP {status} {body[:200]!r}")

    async def _exchange(self, method: str, path: str, content: bytes, *, close: bool) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=2**24)
        reader, writer = self._streams
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            f"Authorization: Basic {self._sign_in}",
            f"Content-Length: {len(content)}",
            *([f"Content-Type: {FORM}"] if content else []),
            *(["Connection: close"] if close else []),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        body = await reader.readexactly(length)
        if close or "connection: close" in head:
            self.close()
        return int(head.split(" ", 2)[1]), body

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None


async def load(url: str, rate: float, seconds: float, clients: int) -> dict[str, object]:
    parts = urlsplit(url)
    times: list[float] = []
    problems: list[str] = []
    started = time.perf_counter()
    numbers = iter(range(sys.maxsize))

    async def client() -> None:
        one = Client(str(parts.hostname), int(parts.port or 80), times, problems)
        while True:
            number = next(numbers)
            due = started + number / rate if rate else time.perf_counter()
            if due > started + seconds:
                break
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await one.send(number, due)
        one.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    took = time.perf_counter() - started
    ordered = sorted(times) or [0.0]
    return {
        "done": len(times),
        "errors": len(problems),
        "problems": problems[:5],
        "seconds": took,
        "median": statistics.median(ordered),
        "p99": ordered[int(len(ordered) * 0.99)],
        "slowest": ordered[-1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="the emulator's address")
    parser.add_argument("--rate", type=float, default=300, help="requests a second; 0: as many as are answered")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=50, help="how many send at once")
    options = parser.parse_args()
    print(json.dumps(asyncio.run(load(options.url, options.rate, options.seconds, options.clients))))


if __name__ == "__main__":
    main()
