"""Read what the checks of a build need, and no more; GETs only."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
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
    Source,
    Thresholds,
    crash_rate,
    judge,
    known,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from sauce_appdist.api.builds import Build
    from sauce_appdist.api.feedbacks import Feedback
    from sauce_appdist.steps.context import Context
    from sauce_appdist.steps.groups import Directory

_FEEDBACKS = 100  # the service shows the latest of the whole account, and no more
_LAST_ZONE = timezone(-timedelta(hours=12))  # the zone in which a time without one is latest


_Marks = tuple["str | None", "str | None", "datetime | None"]


class Sample(NamedTuple):
    """The build as it was at one moment, and the results of its checks."""

    build: Build
    checks: list[Check]
    at: datetime

    @property
    def crash_rate(self) -> float | None:
        """Crashes per session; None if crashes cannot be judged."""
        return crash_rate(_counts(self.build))


class Observer:
    """Takes samples of one build. `zone` is the time zone of the service's times, which do not name one."""

    def __init__(
        self, thresholds: Thresholds, zone: tzinfo, target: find.Target, directory: Directory, context: Context
    ) -> None:
        """Read what does not change: the members of coverage-groups, and the baseline.

        Raises InputError for a group or a baseline that does not exist.
        """
        self._thresholds, self._zone, self._target, self._context = thresholds, zone, target, context
        self._client = context.client
        self._reads = reads = thresholds.reads()
        self._marks: _Marks = (None, None, None)
        self._members = _members(thresholds.coverage_groups or (), directory) if Source.MEMBERS in reads else None
        self.baseline = self._baseline(thresholds.baseline or "") if Source.BASELINE in reads else None

    def sample(self) -> Sample:
        """The build and its checks now: a GET for the build, and one for each list that the checks need."""
        build = self._client.builds.get(self._target.project_id, self._target.build_id)
        recorded, users = self._sessions() if Source.SESSIONS in self._reads else (None, None)
        feedbacks, complete = self._feedbacks(build) if Source.FEEDBACKS in self._reads else (None, False)
        observation = Observation(
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
        now = self._context.clock.now()
        return Sample(build, [*judge(self._thresholds, observation, now), *self._changed(build)], now)

    def _changed(self, build: Build) -> list[Check]:
        """A failed check if this is another upload than before: uploading the same version overwrites a build."""
        before, now = self._marks, (build.app_version, build.app_version_code, self._aware(build.uploaded_at))
        differ = [(old, new) for old, new in zip(before, now, strict=True) if old is not None and old != new]
        if not differ:
            self._marks = now
            return []
        texts = [f"{version} ({code}), uploaded {at or 'at an unknown time'}" for version, code, at in (before, now)]
        if any(new is not None for _, new in differ):
            reason = "The build was uploaded again meanwhile: testers used another file."
            return [Check(SAME_BUILD, CheckState.FAILED, texts[1], texts[0], reason)]
        reason = "The service no longer shows whether this is the same upload."
        return [Check(SAME_BUILD, CheckState.INCONCLUSIVE, texts[1], texts[0], reason)]

    def _aware(self, at: datetime | None) -> datetime | None:
        if at is None or at.year < find.FIRST_YEAR:
            return None
        return at if at.tzinfo else at.replace(tzinfo=self._zone)

    def _sessions(self) -> tuple[list[Recorded] | None, list[str] | None]:
        """The recorded sessions and who recorded them; None if the service has no such list."""
        try:
            sessions = self._client.sessions.list(self._target.project_id, self._target.build_id)
        except ServiceError as error:
            # Only the older document has this endpoint: docs/reference/api-facts.md#sessions.
            if _is_not_there(error):
                return None, None
            raise
        recorded = [
            Recorded(
                crashed=session.crashed,
                minutes=None if session.duration is None else session.duration.total_seconds() / 60,
                device=session.device,
            )
            for session in sessions
        ]
        return recorded, [session.tester_email for session in sessions if session.tester_email]

    def _feedbacks(self, build: Build) -> tuple[list[str | None] | None, bool]:
        """The texts of the feedbacks on this build, without secrets, and whether these are all of them."""
        try:
            shown = self._client.feedbacks.list()
        except ServiceError as error:
            if _is_not_there(error):
                return None, False
            raise
        if not shown and self._client.newer_server and known(build.feedbacks) != 0:
            return None, False  # may be a stub: docs/reference/api-facts.md#feedback
        uploaded = self._aware(build.uploaded_at)
        newer = [feedback for feedback in shown if not _is_older(feedback, uploaded)]
        redact = self._context.ci.without_secrets  # before any of it is quoted
        ours = [text and redact(text) for text in (one.text for one in shown if one.build_id == build.id)]
        complete = (
            (len(shown) < _FEEDBACKS or len(newer) < len(shown))
            and not any(self._may_be_ours(feedback, build) for feedback in newer)
            and (known(build.feedbacks) or 0) <= len(ours)
        )
        return ours, complete

    def _may_be_ours(self, feedback: Feedback, build: Build) -> bool:
        """Whether a feedback that does not name its build may be on this one."""
        projects = [self._target.project_id, *([build.project_id] if build.project_id else [])]
        return not feedback.build_id and (
            not feedback.project_id or any(find.same_project(feedback.project_id, ours) for ours in projects)
        )

    def _baseline(self, wanted: str) -> Build | None:
        """The build to compare with; None if there is no earlier one."""
        target, client = self._target, self._client
        this = target.build or client.builds.get(target.project_id, target.build_id)
        itself = f"baseline is {wanted}, the build itself: set previous, or the id of another build."
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
                f"baseline is {wanted}, which project {target.project_id} does not have: set previous, or the id of "
                "a build of the same app."
            )
        if find.uploaded(this) is None:
            return None
        others = [build for build in client.builds.list(target.project_id) if build.id != this.id]
        dated = [build for build in others if find.uploaded(build)]
        earlier = [build for build in dated if find.upload_order(build) < find.upload_order(this)]
        previous = max(earlier, key=find.upload_order, default=None)
        # A build without a time may be the previous one, unless its id shows that it is not.
        least, most = find.id_order(previous.id) if previous else (0, ""), find.id_order(this.id)
        undated = [
            build
            for build in others
            if not find.uploaded(build)
            and (not build.id.isdecimal() or not this.id.isdecimal() or least < find.id_order(build.id) < most)
        ]
        return None if undated else previous


def _members(groups: Sequence[str], directory: Directory) -> list[str] | None:
    """The testers of the groups; None unless the service lists those of every group."""
    found = directory.match(groups, "coverage-groups")
    if any(match.group.testers is None for match in found):
        return None
    # A tester without an address counts as one who has not used the build.
    testers = [tester for match in found for tester in match.group.testers or []]
    return [tester.email or f"#{number}" for number, tester in enumerate(testers)]


def _is_not_there(error: ServiceError) -> bool:
    """Whether the service has no such endpoint."""
    return error.status in {404, 405, 501} or (isinstance(error, ApiError) and error.not_found)


def _is_older(feedback: Feedback, uploaded: datetime | None) -> bool:
    """Whether a feedback is certainly older than the build.

    The service gives two times, ten hours apart in its own sample, and says the zone of neither.
    """
    times = [
        at if at.tzinfo else at.replace(tzinfo=_LAST_ZONE)
        for at in (feedback.recorded_at, feedback.recorded_at_alternate)
        if at
    ]
    return bool(times) and uploaded is not None and all(at < uploaded for at in times)


def _counts(build: Build) -> Counts:
    return Counts(build.sessions, build.crashes, build.has_test_fairy_sdk)
