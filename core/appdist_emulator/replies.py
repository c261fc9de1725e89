"""Responses of the service: JSON, failures and files."""

from __future__ import annotations

import io
import json
from typing import Any

from flask import Response, send_file


def reply(data: Any, status: int = 200) -> Response:
    return Response(json.dumps(data), status, mimetype="application/json")


def fail(code: int, message: str, status: int) -> Response:
    return reply({"status": "fail", "code": code, "message": message}, status)


def attachment(name: str, content: bytes) -> Response:
    return send_file(
        io.BytesIO(content),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=name,
        etag=False,
    )
