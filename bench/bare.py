"""The least that Flask can do: its own server, one path, a constant JSON. Prints its URL."""

from __future__ import annotations

import logging
import sys

from flask import Flask, Response
from werkzeug.serving import WSGIRequestHandler, make_server

app = Flask(__name__)
BODY = b'{"status": "ok", "projects": []}'


@app.route("/<path:path>", methods=["GET", "POST", "PATCH"])
def anything(path: str) -> Response:  # noqa: ARG001 - the same for each
    return Response(BODY, mimetype="application/json")


if __name__ == "__main__":
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    logging.getLogger("werkzeug").disabled = True
    server = make_server("127.0.0.1", 0, app, threaded=True)
    sys.stdout.write(f"bare Flask on http://127.0.0.1:{server.port}\n")
    sys.stdout.flush()
    server.serve_forever()
