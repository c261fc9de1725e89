"""What one look at a build reads, and no more than its checks need; GETs only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from sauce_appdist.errors import ApiError, InputError, ServiceError
from sauce_appdist.steps import find
from sauce_appdist.verdict.checks import (
    SAME_BUILD,
    Check,
    CheckState,
    Counts,
    Observation,
    Recorded,
    Thresholds,
    crash_rate,
    judge,
    known,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from sauce_appdist.api.builds import Build
    from sauce_appdist.api.feedbacks import Feedback
    from sauce_appdist.client import Client
    from sauce_appdist.steps.groups import Directory

_FEEDBACKS = 100  # the service shows the latest of the whole account, and no more
_LAST_ZONE = timezone(-timedelta(hours=12))  # in which a time without a zone is latest
_NO_UPLOADS = 2000  # the year before which PHP's and others' way to write that there is no time lies


_Marks = tuple["str | None", "str | None", "datetime | None"]


class Sample(NamedTuple):
    """The build as it was at a moment, and how its checks ended."""

    build: Build
    checks: list[Check]
    at: datetime

    @property
    def crash_rate(self) -> float | None:
        """Crashes per session; None where nothing can be said of crashes."""
        return crash_rate(_counts(self.build))


class Observer:
    """Looks at one build. `zone` is that of the service's times, which name none."""

    def __init__(
        self,
        asked: Thresholds,
        baseline: str | None,
        zone: tzinfo,
        target: find.Target,
        directory: Directory,
        client: Client,
        redact: Callable[[str], str],
    ) -> None:
        """Reads what does not change: who is in coverage-groups, and the baseline.

        `redact` is for what testers wrote, before any of it is quoted. Raises InputError for a group or a baseline
        that does not exist.
        """
        self._asked, self._zone, self._target, self._client, self._redact = asked, zone, target, client, redact
        self._marks: _Marks = (None, None, None)
        self._members = _members(asked.coverage_groups, directory) if asked.coverage_groups else None
        self.baseline = self._baseline(baseline) if baseline else None

    def sample(self) -> Sample:
        """One look: one GET for the build, one for its sessions and one for the feedbacks where they are needed."""
        asked, client, target = self._asked, self._client, self._target
        build = client.builds.get(target.project_id, target.build_id)
        needs_sessions = (
            asked.max_crashed_session_rate,
            asked.min_session_minutes,
            asked.min_devices,
            asked.min_coverage,
        )
        recorded, users = None, None
        if any(value is not None for value in needs_sessions):
            recorded, users = self._sessions()
        feedbacks, complete = None, False
        if asked.max_feedbacks is not None or asked.feedback_block_pattern is not None:
            feedbacks, complete = self._feedbacks(build)
        seen = Observation(
            uploaded_at=self._aware(build.uploaded_at),
            counts=_counts(build),
            testers=build.testers,
            downloads=build.downloads,
            feedbacks=feedbacks,
            feedbacks_complete=complete,
            tags=build.tags,
            members=self._members,
            users=users,
            baseline=_counts(self.baseline) if self.baseline else None,
            recorded=recorded,
        )
        now = datetime.now(UTC)
        return Sample(build, [*judge(asked, seen, now), *self._changed(build)], now)

    def _changed(self, build: Build) -> list[Check]:
        """A failed check if this is not the upload that was looked at before: the same version overwrites a build."""
        before, now = self._marks, (build.app_version, build.app_version_code, self._aware(build.uploaded_at))
        differ = [(old, new) for old, new in zip(before, now, strict=True) if old is not None and old != new]
        if not differ:
            self._marks = now
            return []
        texts = [f"{version} ({code}), uploaded {at or 'at an unknown time'}" for version, code, at in (before, now)]
        if any(new is not None for _, new in differ):
            why = "It was uploaded anew in between: what testers showed is of another file."
            return [Check(SAME_BUILD, CheckState.FAILED, texts[1], texts[0], why)]
        why = "The service does not tell any more whether it is the same upload."
        return [Check(SAME_BUILD, CheckState.INCONCLUSIVE, texts[1], texts[0], why)]

    def _aware(self, at: datetime | None) -> datetime | None:
        if at is None or at.year < _NO_UPLOADS:
            return None
        return at if at.tzinfo else at.replace(tzinfo=self._zone)

    def _sessions(self) -> tuple[list[Recorded] | None, list[str] | None]:
        """The recorded sessions and who recorded them; None where the service has no such list."""
        try:
            sessions = self._client.sessions.list(self._target.project_id, self._target.build_id)
        except ServiceError as error:
            # Only the older document has this endpoint: docs/reference/api-facts.md#sessions.
            if _is_not_there(error):
                return None, None
            raise
        recorded = [
            Recorded(
                crashed=one.crashed,
                minutes=None if one.duration is None else one.duration.total_seconds() / 60,
                device=one.device,
            )
            for one in sessions
        ]
        return recorded, [one.tester_email for one in sessions if one.tester_email]

    def _feedbacks(self, build: Build) -> tuple[list[str | None] | None, bool]:
        """What the feedbacks of this build say, and whether these are all of them."""
        try:
            shown = self._client.feedbacks.list()
        except ServiceError as error:
            if _is_not_there(error):
                return None, False
            raise
        uploaded = self._aware(build.uploaded_at)
        newer = [one for one in shown if not _is_older(one, uploaded)]
        ours = [one.text if one.text is None else self._redact(one.text) for one in shown if one.build_id == build.id]
        complete = (
            (len(shown) < _FEEDBACKS or len(newer) < len(shown))
            and not any(self._may_be_ours(one, build) for one in newer)
            and (known(build.feedbacks) or 0) <= len(ours)
        )
        return ours, complete

    def _may_be_ours(self, one: Feedback, build: Build) -> bool:
        """Whether a feedback that does not say its build may be of this one."""
        projects = [self._target.project_id, *([build.project_id] if build.project_id else [])]
        return not one.build_id and (
            not one.project_id or any(find.same_project(one.project_id, ours) for ours in projects)
        )

    def _baseline(self, wanted: str) -> Build | None:
        """The build to compare with; None where there is none before it."""
        target, client = self._target, self._client
        this = target.build or client.builds.get(target.project_id, target.build_id)
        itself = f"baseline is {wanted}, the build itself: give previous, or the id of another build."
        if wanted != "previous":
            try:
                found = client.builds.get(target.project_id, wanted)
            except ApiError as error:
                if not error.not_found:
                    raise
            else:
                if found.id != this.id:
                    return found
                raise InputError(itself)
            raise InputError(
                f"baseline is {wanted}, which project {target.project_id} does not have: give previous, or the id of "
                "a build of the same app."
            )
        before = [
            one
            for one in client.builds.list(target.project_id)
            if one.id != this.id
            and one.uploaded_at
            and this.uploaded_at
            and find.upload_order(one) < find.upload_order(this)
        ]
        return max(before, key=find.upload_order, default=None)


def _members(groups: Sequence[str], directory: Directory) -> list[str] | None:
    """The testers of groups, each once; None where the service does not list those of every group."""
    found = directory.match(groups, "coverage-groups")
    if any(group.testers is None for group in found):
        return None
    # One without an address has not used it: nobody could tell.
    testers = [tester for group in found for tester in group.testers or []]
    return [tester.email or f"#{number}" for number, tester in enumerate(testers)]


def _is_not_there(error: ServiceError) -> bool:
    """Whether the service has no such endpoint."""
    return error.status in {404, 405, 501} or (isinstance(error, ApiError) and error.not_found)


def _is_older(one: Feedback, uploaded: datetime | None) -> bool:
    """Whether a feedback is older than the build for certain.

    The service gives two times, ten hours apart in its own sample, and says the zone of neither.
    """
    times = [
        at if at.tzinfo else at.replace(tzinfo=_LAST_ZONE) for at in (one.recorded_at, one.recorded_at_alternate) if at
    ]
    return bool(times) and uploaded is not None and all(at < uploaded for at in times)


def _counts(build: Build) -> Counts:
    return Counts(build.sessions, build.crashes, build.has_test_fairy_sdk)
