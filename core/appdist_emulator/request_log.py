"""The request log: the requests in order of arrival, with every secret hidden."""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from appdist_emulator.dialects.compat import SIGNATURE
from appdist_emulator.tokens import JWT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.wrappers import Request

_LENGTH = 10_000  # requests
_SIZE = 32 * 2**20  # bytes of their bodies; a larger body is logged as long as it is the latest
_SEEN_LENGTH = 100  # credentials
_HIDDEN = "***"
_HIDDEN_NAMES = {"api_key", SIGNATURE}
_SHORTEST = 8  # characters; a shorter secret is hidden only if it is the whole value


class RequestLog:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[tuple[dict[str, Any], int]] = deque()  # each with the size of its body
        self._size = 0
        self._number = 0
        # Credentials that the account may not know. JWTs need no place here: their form gives them away.
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
            size = request.content_length or 0
            self._entries.append((entry, size))
            self._size += size
            while len(self._entries) > _LENGTH or (self._size > _SIZE and len(self._entries) > 1):
                self._size -= self._entries.popleft()[1]
        return entry

    def view(self) -> list[dict[str, Any]]:
        with self._lock:
            entries, seen = list(self._entries), set(self._seen)
        # Hide again: a token may have been in a form before it was in a header. Without the lock: it takes a while.
        return [_without(seen, entry) for entry, _ in entries]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._size = 0
            self._number = 0

    def _note(self, request: Request) -> set[str]:
        """Remember the OIDC credentials of the request; return all recent ones."""
        auth = request.authorization
        found = [request.headers.get("X-OIDC-Config-Key"), auth.token if auth and auth.type == "bearer" else None]
        with self._lock:
            for one in found:
                if one and len(one) >= _SHORTEST and one not in self._seen and not JWT.fullmatch(one):
                    self._seen.append(one)
            return set(self._seen)


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
        # A test's key may be "k", and not every k in its release notes is a secret.
        if len(secret) >= _SHORTEST:
            value = value.replace(secret, _HIDDEN)
    return value


def _auth_kind(request: Request, form: Mapping[str, Any]) -> str | None:
    auth = request.authorization
    if auth is not None and auth.type in {"basic", "bearer"}:
        return "basic" if auth.type == "basic" else "oidc"
    if "X-API-Key" in request.headers:
        return "x-api-key"
    return "api_key" if "api_key" in form else None
