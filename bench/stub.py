"""A server that does nothing but hand out prepared answers over HTTP/1.1, as fast as Python can.

`python stub.py ROUTES` prints its URL. ROUTES is a JSON object: "GET /path" -> a file with the body.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from pathlib import Path


def serve(routes: Path) -> None:
    answers = {route: _ok(Path(file).read_bytes()) for route, file in json.loads(routes.read_text("utf-8")).items()}
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_talk, args=(connection, answers), daemon=True).start()


def _ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


_MISSING = b'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{"status":"fail"}'


def _talk(connection: socket.socket, answers: dict[str, bytes]) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                part = connection.recv(1 << 16)
                if not part:
                    return
                received += part
            head, _, received = received.partition(b"\r\n\r\n")
            first, *headers = head.decode("latin-1").split("\r\n")
            length = next((int(line[15:]) for line in headers if line.lower().startswith("content-length:")), 0)
            while len(received) < length:
                received += connection.recv(1 << 16)
            received = received[length:]
            connection.sendall(answers.get(first.rpartition(" ")[0], _MISSING))


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
