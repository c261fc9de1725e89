"""The lives of builds: scripted sessions, feedbacks, downloads and changes over accelerated time.

No thread plays a life: each request first applies every event that is due, under the lock, so that
counters, sessions, feedbacks and audits always agree. What the emulator decides:

- A life begins when its build becomes visible, or with the request that orders it if that is later.
  Two lives of the same build run side by side.
- A time stamp is `uploadedAt` (or the time of the request that ordered the life) plus the seconds of
  the script, but never in the future: the time at which the event is due is its upper limit. So if a
  build was uploaded as long ago as its life lasts, its times are spread as in the script, whatever the
  speed. No event is earlier than an upload before it.
- A session appears when it begins, with its final duration. It updates the tester's last login. A
  feedback belongs to the tester's latest session, if there is one.
- A tester counts once, when their first listed session begins. Testers need not exist in the account.
- Testers who take turns are those of the build's and its project's groups; if there are none, all.
  Blocked testers are skipped.
- Each download has an audit; so have changes, uploads and deletions, by the account's first admin.
- A build with sessions in its life has the SDK from the start.
- Uploading a build again resets it: no sessions, no feedbacks, all counters 0.
- Deleting the build, in any way, ends its life.
"""

from __future__ import annotations

import bisect
import time
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from appdist_emulator.seed import SeedError, parse_life
from appdist_emulator.state.audits import Audits
from appdist_emulator.state.base import about_build, about_file, format_time, parse_time
from appdist_emulator.state.builds import COUNTERS, Builds
from appdist_emulator.state.recordings import Recordings, crashed_in_turn, generate_session
from appdist_emulator.state.records import Action, Feedback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from appdist_emulator.seed import Event, LifeFeedback, LifeSession, LifeUpdate, Seed
    from appdist_emulator.state.records import Build, Project, Rules, Session


@dataclass(slots=True)
class Life:
    build_id: int
    speed: float
    begins: float  # on the monotonic clock
    begins_at: float  # the same in UTC
    origin: float  # the start of time stamps, in UTC
    to_come: deque[Event]
    happened: list[tuple[Event, str]] = field(default_factory=list)

    def due(self, event: Event) -> float:
        return self.begins + event.after / self.speed

    def stamp(self, event: Event, build: Build) -> str:
        at = min(self.origin + event.after, self.begins_at + event.after / self.speed)
        return max(build.uploaded_at, format_time(datetime.fromtimestamp(at, UTC)))


class Lives(Builds, Recordings, Audits):
    def __init__(self, seed: Seed, rules: Rules) -> None:
        super().__init__(seed, rules)
        self._lives: list[Life] = []

    def catch_up(self) -> None:
        """Apply every event that is due, in order. Each request begins with this."""
        with self._lock:
            now = time.monotonic()
            while waiting := [life for life in self._lives if life.to_come]:
                life = min(waiting, key=_next_due)
                found = self._anywhere(life.build_id)
                if found is None:
                    life.to_come.clear()
                elif _next_due(life) <= now:
                    event = life.to_come.popleft()
                    life.happened.append((event, life.stamp(event, found[1])))
                    self._apply_event(*found, *life.happened[-1])
                else:
                    break

    def play(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a life of a build, hidden or not. Raises SeedError if the order is invalid."""
        with self._lock:
            wanted = parse_life(order, (group.name for group in self._groups.values()))
            found = self._anywhere(wanted.build_id)
            if found is None:
                raise SeedError("build_id: there is no such build")
            life = self._begin(found[1], wanted.events, wanted.speed)
            self.catch_up()
            return self._life_view(life)

    def lives(self) -> list[dict[str, Any]]:
        with self._lock:
            return [self._life_view(life) for life in self._lives]

    # --- inside; the lock is held -----------------------------------------------------------------

    def _anywhere(self, build_id: int) -> tuple[Project, Build] | None:
        return next(
            ((project, project.builds[build_id]) for project in self._projects.values() if build_id in project.builds),
            None,
        )

    def _begin_lives(self, seed: Seed) -> None:
        # The builds are in the order of the seed; their ids may be generated.
        loaded = (build for project in self._projects.values() for build in project.builds.values())
        wanted = (build for project in seed.projects for build in project.builds)
        for build, one in zip(loaded, wanted, strict=True):
            if one.life:
                life = self._begin(build, one.life)
                life.origin = parse_time(build.uploaded_at).timestamp()

    def _begin(self, build: Build, events: list[Event], speed: float | None = None) -> Life:
        now = time.monotonic()
        begins = max(now, build.visible_at)
        at = time.time() + self._settings.clock_ahead + begins - now
        life = Life(
            build_id=build.id,
            speed=speed or self._settings.life_speed,
            begins=begins,
            begins_at=at,
            origin=at,
            to_come=deque(sorted(events, key=attrgetter("after"))),
        )
        self._lives.append(life)
        if any(event.records for event in events):
            build.has_testfairy_sdk = True
        return life

    def _apply_event(self, project: Project, build: Build, event: Event, at: str) -> None:
        if event.session:
            self._one_session(project, build, event.session, at)
        elif event.sessions:
            emails = event.testers or self._testers_in_turn(project, build) or [""]
            for turn in range(event.sessions):
                crashed = crashed_in_turn(turn, event.sessions, event.crashes)
                email = emails[build.sessions % len(emails)]
                self._add_session(build, self._generate_session(project, build, email, at, crashed=crashed))
        elif event.feedback:
            self._add_feedback(build, event.feedback, at)
        elif event.downloads:
            self._add_downloads(project, build, event.downloads, at)
        elif event.update:
            self._change(build, event.update)
            self._insert_audit(at, Action.UPDATE, about_build(project, build))
        elif event.reupload:
            build.uploaded_at = at
            for counter in COUNTERS:
                setattr(build, counter, 0)
            build.recorded_sessions, build.recorded_feedbacks, build.downloaded_by = [], [], set()
            self._insert_audit(at, Action.UPLOAD, about_file(project, build))
        else:
            self._remove(project, build)
            self._insert_audit(at, Action.DELETE, about_build(project, build))

    def _testers_in_turn(self, project: Project, build: Build) -> list[str]:
        everybody = [tester.email for tester in self._testers.values() if not tester.blocked]
        members = {email for group in (*build.groups, *project.groups) for email in group.members}
        return [email for email in everybody if email in members] or everybody

    def _generate_session(self, project: Project, build: Build, email: str, at: str, *, crashed: bool) -> Session:
        number = max((one.id for one in build.recorded_sessions), default=build.id * 1000) + 1
        # A tester keeps the same device.
        known = [one.lower() for one in self._testers_in_turn(project, build)]
        who = known.index(email.lower()) if email.lower() in known else len(known)
        return generate_session(project, build, number, build.sessions, who, email, at, crashed=crashed)

    def _one_session(self, project: Project, build: Build, wanted: LifeSession, at: str) -> None:
        session = self._generate_session(project, build, wanted.tester, at, crashed=wanted.crashed)
        seconds = round((wanted.minutes or 0) * 60)
        length = wanted.duration if wanted.minutes is None else f"{seconds // 60:02}:{seconds % 60:02}"
        changed = replace(session, device=wanted.device or session.device, duration=length or session.duration)
        self._add_session(build, changed)

    def _add_session(self, build: Build, session: Session) -> None:
        who = session.tester.lower()
        build.sessions += 1
        build.crashes += session.crashed
        build.testers += who not in {"", *(one.tester.lower() for one in build.recorded_sessions)}
        bisect.insort(build.recorded_sessions, session, key=attrgetter("start_time"))
        if who in self._testers:
            tester = self._testers[who]
            tester.last_login = max(tester.last_login or "", session.start_time)

    def _add_feedback(self, build: Build, wanted: LifeFeedback, at: str) -> None:
        theirs = [one.id for one in build.recorded_sessions if one.tester.lower() == wanted.tester.lower()]
        build.feedbacks += 1
        build.recorded_feedbacks.append(
            Feedback(
                id=next(self._feedback_ids),
                recorded_at=at,
                text=wanted.text,
                source=wanted.source,
                reported_by=wanted.tester,
                session_id=theirs[-1] if theirs else None,
            )
        )

    def _add_downloads(self, project: Project, build: Build, count: int, at: str) -> None:
        emails = self._testers_in_turn(project, build) or self._writers()[:1]
        about = about_file(project, build)
        for _ in range(count):
            email = emails[build.downloads % len(emails)]
            build.downloads += 1
            build.downloaded_by.add(email.lower())
            self._insert_audit(at, Action.DOWNLOAD, about | {"testerEmail": email}, email)

    def _change(self, build: Build, wanted: LifeUpdate) -> None:
        changes = wanted.model_dump(exclude_none=True)
        if "groups" in changes:
            build.groups = self._named(changes.pop("groups"))
        build.metadata |= changes.pop("metadata", {})
        for name, value in changes.items():
            setattr(build, name, value)

    def _insert_audit(self, at: str, action: Action, data: dict[str, Any], email: str | None = None) -> None:
        audit = self._audit(email or self._writers()[0], at, action, data)
        bisect.insort(self._audits, audit, key=attrgetter("timestamp"))

    def _life_view(self, life: Life) -> dict[str, Any]:
        now = time.monotonic()
        state = "over" if not life.to_come else "waiting" if now < life.begins else "running"
        return {
            "build_id": str(life.build_id),
            "speed": life.speed,
            "state": state,
            "elapsed": round(max(0.0, now - life.begins) * life.speed, 3),
            "happened": [{**event.model_dump(exclude_unset=True), "at": at} for event, at in life.happened],
            "to_come": [
                {**event.model_dump(exclude_unset=True), "due_in": round(life.due(event) - now, 3)}
                for event in life.to_come
            ],
        }


def _next_due(life: Life) -> float:
    return life.due(life.to_come[0])
