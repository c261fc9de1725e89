"""Recorded sessions of a build. Only the older of the two documents describes them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from sauce_appdist.api import Resource, path
from sauce_appdist.api.builds import build_path
from sauce_appdist.models import ApiModel, Moment, PhpObject, Reply

if TYPE_CHECKING:
    import builtins


_START = AliasChoices("startTime", "sessionStartTime", "start_time")


def _duration(value: object) -> object:
    """A duration from `15:01` (minutes and seconds), `1:02:03` (hours) or seconds; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}(:\d{1,9}){0,2}", value, re.ASCII):
        seconds = 0
        for part in value.split(":"):
            seconds = seconds * 60 + int(part)
        return timedelta(seconds=seconds)
    return value if isinstance(value, (int, float, timedelta)) else None


class Session(ApiModel):
    """A recorded session. `start_time` is naive: the document names no time zone.

    `events()` adds the recorded events to `model_extra`; their shape is not documented.
    """

    id: str
    self_path: str | None = Field(None, alias="self")
    start_time: Moment = Field(None, validation_alias=_START, serialization_alias="startTime")
    duration: Annotated[timedelta | None, BeforeValidator(_duration)] = None
    tester_email: str | None = None
    device: str | None = None
    ip_address: str | None = None
    crashed: bool | None = None
    country_name: str | None = None
    country_code: str | None = None
    identity: Annotated[dict[str, Any], PhpObject] | None = None


class OneSession(Session):
    """A session by itself, whose start the document calls `sessionStartTime`."""

    start_time: Moment = Field(None, validation_alias=_START, serialization_alias="sessionStartTime")


class SessionsReply(Reply):
    sessions: list[Session]


class SessionReply(Reply):
    session: OneSession


class Sessions(Resource):
    """`client.sessions`."""

    def list(self, project_id: str, build_id: str) -> builtins.list[Session]:
        """All recorded sessions of a build (GET …/builds/{build-id}/sessions/)."""
        url = f"{build_path(project_id, build_id)}/sessions/"
        return self.transport.request("GET", url, SessionsReply).sessions

    def get(self, project_id: str, build_id: str, session_id: str) -> Session:
        """One session (GET …/sessions/{session-id}/)."""
        return self._session(project_id, build_id, session_id)

    def events(self, project_id: str, build_id: str, session_id: str) -> Session:
        """One session with its events, screenshots and touches (GET …/sessions/{session-id}/?fields=events)."""
        return self._session(project_id, build_id, session_id, fields="events")

    def logs(self, project_id: str, build_id: str, session_id: str, *, errors: str = "replace") -> str:
        """The recorded log, as text (GET …/sessions/{session-id}/?fields=logs).

        `errors` says what becomes of bytes that are not UTF-8, as for `bytes.decode`.
        """
        url = _session_path(project_id, build_id, session_id)
        return self.transport.content(url, query={"fields": "logs"}).decode("utf-8", errors)

    def _session(self, project_id: str, build_id: str, session_id: str, **query: str) -> Session:
        reply = self.transport.request(
            "GET", _session_path(project_id, build_id, session_id), SessionReply, query=query
        )
        # Not documented: whether the events are inside the session or beside it.
        session = reply.session
        known = {*type(session).model_fields, *(session.model_extra or {})}
        beside = {name: value for name, value in (reply.model_extra or {}).items() if name not in known}
        return session.model_copy(update=beside)


def _session_path(project_id: str, build_id: str, session_id: str) -> str:
    return f"{build_path(project_id, build_id)}/{path('sessions', session_id)}/"
