"""The SDK's recordings of a build: sessions and feedbacks.

Where the documents are silent or contradict each other, the emulator decides like this:

- If a seed only counts sessions, the emulator generates that many, at most 50, with as many crashes
  as counted, by the testers of the build's groups. They are in the order of recording. None starts
  in the future, however new the build is.
- Sessions and feedbacks contain personal data, so a tester may not read them: code 5, HTTP 403.
- A user sees the feedbacks of the projects that they may read. `recordedAt` is ten hours after
  `recorded_at`, as in the sample; which of the two is right is unknown.
- `fields` is one of meta, events and logs; anything else is code 1. Events include the metadata.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from appdist_emulator.state.base import Base, format_time, ids, may, no_tester, number, parse_time
from appdist_emulator.state.records import Feedback, Refusal, Session

if TYPE_CHECKING:
    from appdist_emulator import seed as seeds
    from appdist_emulator.seed import User
    from appdist_emulator.state.records import Build, Project

_LATEST = 100
_GENERATED = 50
_DEVICES = {
    "iOS": ("Apple - iPhone 15 Pro", "Apple - iPhone 13 mini", "Apple - iPad Air"),
    "Android": ("Samsung - Samsung Galaxy S24", "Google - Pixel 8", "Xiaomi - Redmi Note 13"),
}
_COUNTRIES = (("United States", "us"), ("Germany", "de"), ("Sweden", "se"), ("Nigeria", "ng"))
_SCREENS = ("Home", "Search", "Details", "Checkout", "Profile")


class Recordings(Base):
    def sessions(self, user: User, project_id: str, build_id: str) -> list[dict[str, Any]]:
        with self._lock:
            no_tester(user)
            project, build = self._find(user, project_id, build_id, "r")
            return [
                {
                    "id": session.id,
                    "self": f"{project.path}/builds/{build.id}/sessions/{session.id}",
                    "startTime": session.start_time,
                    **_common(session),
                    "countryName": session.country_name,
                    "countryCode": session.country_code,
                }
                for session in build.recorded_sessions
            ]

    def session(
        self, user: User, project_id: str, build_id: str, session_id: str, fields: str, base: str
    ) -> dict[str, Any] | str:
        """Return a session as JSON, or its log as text."""
        with self._lock:
            no_tester(user)
            project, build = self._find(user, project_id, build_id, "r")
            wanted = number(session_id)
            session = next((one for one in build.recorded_sessions if one.id == wanted), None)
            if session is None:
                raise Refusal(1, "Missing or invalid session-id")
            if fields not in {"meta", "events", "logs"}:
                raise Refusal(1, "Missing or invalid parameter: fields")
            if fields == "logs":
                return _log(project, build, session)
            view = {
                "id": session.id,
                "sessionStartTime": session.start_time,
                **_common(session),
                "identity": dict(session.identity),
            }
            if fields == "events":
                view["events"] = _events(session, base)
            return view

    def feedbacks(self, user: User, base: str) -> list[dict[str, Any]]:
        with self._lock:
            no_tester(user)
            if self._settings.feedbacks == "stub":
                return []
            return self._feedbacks(user, base)[:_LATEST]

    # --- inside; the lock is held -----------------------------------------------------------------

    def _feedbacks(self, user: User | None, base: str) -> list[dict[str, Any]]:
        """List the feedbacks that the user may read, the newest first; without a user, all."""
        found = [
            (feedback, build, project)
            for project in self._projects.values()
            if user is None or may(user, project, "r")
            for build in project.builds.values()
            if build.visible
            for feedback in build.recorded_feedbacks
        ]
        found.sort(key=lambda one: (one[0].recorded_at, one[0].id), reverse=True)
        return [_feedback_view(*one, base) for one in found]

    def _load_recordings(self, wanted: seeds.Build, project: Project, build: Build) -> None:
        """Add the listed or generated sessions and feedbacks to a build of the seed."""
        emails = list(dict.fromkeys(email for group in (*build.groups, *project.groups) for email in group.members))
        if wanted.recorded_sessions:
            numbers = ids((session.id for session in wanted.recorded_sessions), build.id * 1000 + 1)
            build.recorded_sessions = [
                Session(**session.model_dump(exclude={"id"}), id=session.id or next(numbers))
                for session in wanted.recorded_sessions
            ]
        else:
            # Testers who never signed in have sessions only if nobody else can.
            active = [email for email in emails if self._testers[email.lower()].last_login]
            active = active or emails or [tester.email for tester in self._testers.values()]
            build.recorded_sessions = _generate_sessions(project, build, active[: max(build.testers, 1)])
        for feedback in wanted.recorded_feedbacks:
            # One of the reporter's sessions, if there is one.
            theirs = [one for one in build.recorded_sessions if one.tester.lower() == feedback.reported_by.lower()]
            session = theirs[len(build.recorded_feedbacks) % len(theirs)] if theirs else None
            build.recorded_feedbacks.append(
                Feedback(
                    id=feedback.id or next(self._feedback_ids),
                    recorded_at=feedback.recorded_at or (_end(session) if session else build.uploaded_at),
                    text=feedback.text,
                    source=feedback.source,
                    reported_by=feedback.reported_by,
                    session_id=feedback.session_id or (session.id if session else None),
                )
            )


def _generate_sessions(project: Project, build: Build, emails: list[str]) -> list[Session]:
    count = min(build.sessions, _GENERATED)
    crashes = min(build.crashes, count)
    uploaded = parse_time(build.uploaded_at)
    age, needed = datetime.now(UTC) - uploaded, timedelta(hours=2 + 5 * count)
    pace = age / needed if timedelta() < age < needed else 1.0
    made = []
    for turn in range(count):
        start = uploaded + timedelta(hours=2 + 5 * turn, seconds=turn * 613 % 3600) * pace
        crashed = crashed_in_turn(turn, count, crashes)
        who = turn % len(emails) if emails else 0
        number, email = build.id * 1000 + turn + 1, emails[who] if emails else ""
        made.append(generate_session(project, build, number, turn, who, email, format_time(start), crashed=crashed))
    return made


def crashed_in_turn(turn: int, count: int, crashes: int) -> bool:
    """Return whether the session with this index crashed: spreads exactly `crashes` evenly over `count`."""
    return turn * crashes // count != (turn + 1) * crashes // count


def generate_session(
    project: Project,
    build: Build,
    number: int,
    turn: int,
    who: int,
    email: str,
    start_time: str,
    *,
    crashed: bool,
) -> Session:
    """Generate a session; `who` selects device and country, `turn` the duration."""
    devices = _DEVICES.get(project.platform, (f"{project.platform} device",))
    country, code = _COUNTRIES[who % len(_COUNTRIES)]
    seconds = 27 + turn * 197 % 1500
    return Session(
        id=number,
        start_time=start_time,
        duration=f"{seconds // 60:02}:{seconds % 60:02}",
        tester=email,
        device=devices[who % len(devices)],
        ip_address=f"203.0.113.{who % 250 + 1}",
        crashed=crashed,
        country_name=country,
        country_code=code,
        identity={"correlationId": email, "attr1": f"Version {build.version}"},
    )


def _common(session: Session) -> dict[str, Any]:
    return {
        "duration": session.duration,
        "testerEmail": session.tester,
        "device": session.device,
        "ipAddress": session.ip_address,
        "crashed": session.crashed,
    }


def _events(session: Session, base: str) -> list[dict[str, Any]]:
    step = _seconds(session) / (len(_SCREENS) + 1)
    events: list[dict[str, Any]] = [{"time": 0.0, "type": "start"}]
    for turn, screen in enumerate(_SCREENS, 1):
        at = round(step * turn, 2)
        events += [
            {"time": at, "type": "screen", "name": screen},
            {"time": at, "type": "screenshot", "url": f"{base}/screenshots/{session.id}/{turn}.jpg"},
            {"time": at, "type": "touch", "x": 90 * turn, "y": 160 * turn},
            {"time": at, "type": "cpu", "percent": 7 * turn},
        ]
    return [*events, {"time": float(_seconds(session)), "type": "crash" if session.crashed else "end"}]


def _log(project: Project, build: Build, session: Session) -> str:
    start = parse_time(session.start_time)
    step = _seconds(session) // (len(_SCREENS) + 1)
    lines = [(start, "I", f"{project.name} {build.version} ({build.version_code}) on {session.device}")]
    lines += [(start + timedelta(seconds=step * turn), "D", f"show {name}") for turn, name in enumerate(_SCREENS, 1)]
    if session.crashed:
        lines.append((parse_time(_end(session)), "E", "crashed: the view is detached"))
    return "".join(f"{format_time(at)} {level}/App: {text}\n" for at, level, text in lines)


def _feedback_view(feedback: Feedback, build: Build, project: Project, base: str) -> dict[str, Any]:
    return {
        "recorded_at": feedback.recorded_at,
        "text": feedback.text,
        "feedbackId": str(feedback.id),
        "screenshotUrl": f"{base}/screenshots/feedback-{feedback.id}.jpg",
        "buildId": str(build.id),
        "projectId": str(project.id),
        "recordedAt": format_time(parse_time(feedback.recorded_at) + timedelta(hours=10)),
        "source": feedback.source,
        "reported_by": feedback.reported_by,
        "session_id": "" if feedback.session_id is None else str(feedback.session_id),
    }


def _seconds(session: Session) -> int:
    minutes, _, seconds = session.duration.partition(":")
    return int(minutes) * 60 + int(seconds)


def _end(session: Session) -> str:
    return format_time(parse_time(session.start_time) + timedelta(seconds=_seconds(session)))
