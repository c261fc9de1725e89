"""Models: times, durations, fields that vary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sauce_appdist.api.builds import Build
from sauce_appdist.api.feedbacks import Feedback
from sauce_appdist.api.sessions import Session
from sauce_appdist.api.webhooks import Webhook
from sauce_appdist.steps.find import upload_order


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2019-04-04 16:03:15", datetime(2019, 4, 4, 16, 3, 15)),  # noqa: DTZ001 - the service names no zone
        ("2019-04-04T16:03:15Z", datetime(2019, 4, 4, 16, 3, 15, tzinfo=UTC)),
        ("2019-04-04T18:03:15+02:00", datetime(2019, 4, 4, 16, 3, 15, tzinfo=UTC)),
        (1554393795, datetime(2019, 4, 4, 16, 3, 15, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("soon", None),
        ("", None),
        (None, None),
        ({}, None),
    ],
)
def test_times_are_aware_where_the_zone_is_known(text: object, read: datetime | None) -> None:
    at = Build.model_validate({"id": 1, "uploadedAt": text}).uploaded_at
    assert at == read
    assert bool(at and at.tzinfo) == bool(read and read.tzinfo)


def test_the_newest_build_is_found_whatever_the_times_look_like() -> None:
    builds = [
        Build.model_validate({"id": number, "uploadedAt": at})
        for number, at in enumerate([None, "2019-04-04 16:03:15", "2019-04-04T18:03:16Z", "2018-01-01 00:00:00", "?"])
    ]
    assert [build.id for build in sorted(builds, key=upload_order)] == ["0", "4", "3", "1", "2"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15:01", 901), ("00:27", 27), ("1:02:03", 3723), ("45", 45), (45, 45), ("", None), ("long", None), (None, None)],
)
def test_durations(text: object, seconds: int | None) -> None:
    session = Session.model_validate({"id": 1, "duration": text})
    assert session.duration == (None if seconds is None else timedelta(seconds=seconds))


def test_the_two_times_of_a_feedback_are_kept_apart() -> None:
    one = Feedback.model_validate({"recordedAt": "2018-08-01 14:14:46"})
    assert (one.recorded_at, str(one.recorded_at_alternate)) == (None, "2018-08-01 14:14:46")


@pytest.mark.parametrize(
    ("status", "enabled"), [("1", True), (0, False), ("Active", True), ("later", None), (None, None)]
)
def test_a_webhook_is_enabled_or_nobody_knows(status: object, enabled: bool | None) -> None:
    assert Webhook.model_validate({"id": 1, "status": status}).enabled is enabled


@pytest.mark.parametrize("text", ["9" * 5000, "99999999999999:00", "9" * 5000 + ":01"])
def test_a_duration_that_is_too_long_is_unknown(text: str) -> None:
    """Python converts no text of more than 4,300 digits, and has no time that long."""
    assert Session.model_validate({"id": "1", "duration": text}).duration is None


def test_builds_are_in_order_whatever_the_length_of_their_ids() -> None:
    ids = ["x", "9", "10", "1" + "0" * 5000, "2" + "0" * 5000]
    builds = [Build.model_validate({"id": one, "uploadedAt": "2026-03-01 09:00:00"}) for one in reversed(ids)]
    assert [build.id for build in sorted(builds, key=upload_order)] == ids
