"""Feedbacks: which of them are this build's, and what is known where some may be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gate.support import BUILD, CODES, FAILED, INCONCLUSIVE, OK, PROJECT, QA, Judge, account, ago, elsewhere, play
from harness import in_both

if TYPE_CHECKING:
    from harness import Service

NO_BLOCKER = {"max_feedbacks": "1", "feedback_block_pattern": "(?i)blocker"}
NEWER, OLDER = "-2h", "-30d"


@in_both
@pytest.mark.parametrize(
    ("ages", "ending"),
    [
        ([NEWER] * 98, "passed"),  # with the build's own 99, and there are no more
        ([NEWER] * 99, "inconclusive"),
        ([NEWER] * 150, "inconclusive"),
        ([NEWER] * 98 + [OLDER], "passed"),  # what is newer than that was all shown
        ([NEWER] * 98 + [OLDER] * 9, "passed"),
        ([NEWER] * 98 + ["-40h"], "inconclusive"),  # ten hours later by its other time, and in any zone
        ([NEWER] * 99 + [OLDER], "inconclusive"),  # which is not shown
    ],
    ids=lambda one: f"{len(one)}" if isinstance(one, list) else one,
)
def test_only_the_latest_100_feedbacks_are_shown(judge: Judge, service: Service, ages: list[str], ending: str) -> None:
    service.reset(account(others=[elsewhere(*ages)]))
    done = judge(**NO_BLOCKER)
    assert done.code == CODES[ending], done.outputs["checks"]
    assert {check["state"] for check in done.outputs["checks"].values()} == {ending}


def test_what_is_seen_of_too_many_feedbacks_still_counts(judge: Judge, service: Service) -> None:
    service.reset(account(others=[elsewhere(*[NEWER] * 150)]))
    play(service, {"feedback": {"tester": QA[0], "text": "A BLOCKER"}})
    assert judge(feedback_block_pattern="(?i)blocker").code == FAILED
    assert judge(max_feedbacks="0").code == FAILED


OURS: dict[str, Any] = {"text": "Fine", "buildId": BUILD, "projectId": PROJECT}
FOREIGN: dict[str, Any] = {"text": "blocker", "buildId": "70", "projectId": "2"}
RECENT, OLD = {"recorded_at": "2998-01-01 00:00:00"}, {"recorded_at": "2020-01-01 00:00:00"}
# fmt: off
FEEDBACKS: list[tuple[str, list[dict[str, Any]], str]] = [
    ("of another build", [FOREIGN], "passed"),
    ("of another build, of no project", [{**FOREIGN, "projectId": None}], "passed"),
    ("of no build", [{"text": "blocker"}], "inconclusive"),
    ("of no build, of our project", [{**FOREIGN, "buildId": None, "projectId": PROJECT}], "inconclusive"),
    ("of no build, of our project with its name", [{**FOREIGN, "buildId": None, "projectId": "1-ferries"}], "inconclusive"),
    ("of no build, of another project", [{**FOREIGN, "buildId": None}], "passed"),
    ("of no build, of long ago", [{**OLD, "text": "blocker"}], "passed"),
    ("of no build, of long ago by one of its times", [{**OLD, "recordedAt": RECENT["recorded_at"], "text": "blocker"}], "inconclusive"),
    ("of a build that cannot be read", [{**FOREIGN, "buildId": {"id": 7}, "projectId": PROJECT}], "inconclusive"),
    ("of an empty build, of our project", [{**FOREIGN, "buildId": "", "projectId": PROJECT}], "inconclusive"),
    ("of no build, of an empty project", [{**FOREIGN, "buildId": None, "projectId": ""}], "inconclusive"),
    ("of nothing, as PHP writes it", [{**FOREIGN, "buildId": "", "projectId": ""}], "inconclusive"),
    ("ours, fine", [OURS], "passed"),
    ("ours, the id as a number", [{**OURS, "buildId": 7, "text": "blocker"}], "failed"),
    ("ours, whatever its time", [{**OURS, **OLD, "text": "a Blocker"}], "failed"),
    ("ours, without a text", [{**OURS, "text": None}], "inconclusive"),
    ("ours, with a text that is none", [{**OURS, "text": ["blocker"]}], "inconclusive"),
    ("ours, among one of no build", [{"text": "x"}, {**OURS, "text": "blocker"}], "failed"),
    ("100 of no time", [FOREIGN] * 100, "inconclusive"),
    ("100 of a time that cannot be read", [{**FOREIGN, "recorded_at": "yesterday"}] * 100, "inconclusive"),
    ("100, one of them old", [FOREIGN] * 99 + [{**FOREIGN, **OLD}], "passed"),
    ("100, one of them old by one of its times", [FOREIGN] * 99 + [{**FOREIGN, **OLD, "recordedAt": RECENT["recorded_at"]}], "inconclusive"),
    ("100, one of them of the end of time", [FOREIGN] * 99 + [{**FOREIGN, "recorded_at": "9999-12-31 23:59:59"}], "inconclusive"),
]
# fmt: on
@pytest.mark.parametrize(("feedbacks", "ending"), [pytest.param(*row[1:], id=row[0]) for row in FEEDBACKS])
def test_whose_feedback_it_is(judge: Judge, service: Service, feedbacks: list[dict[str, Any]], ending: str) -> None:
    service.reset(account(feedbacks=0, recorded_feedbacks=[]))
    service.fault(path="/feedbacks/$", status=200, body={"status": "ok", "feedbacks": feedbacks})
    done = judge(feedback_block_pattern="(?i)blocker")
    assert done.code == CODES[ending], done.log


@pytest.mark.parametrize("zone", ["UTC", "+14:00", "-12:00", "Pacific/Kiritimati"])
def test_a_feedback_is_older_only_if_it_is_so_in_every_zone(judge: Judge, service: Service, zone: str) -> None:
    """The service writes neither zone, and may write both times in different ones."""
    service.reset(account(uploaded_at="-48h", feedbacks=0, recorded_feedbacks=[]))
    # Written twelve hours behind UTC, that is two hours after an upload that was written fourteen ahead of it.
    at = {"recorded_at": ago(hours=48 + 12 + 14 - 2)}
    service.fault(path="/feedbacks/$", status=200, body={"status": "ok", "feedbacks": [{"text": "blocker", **at}]})
    ahead = zone in {"+14:00", "Pacific/Kiritimati"}
    assert judge(max_feedbacks="0", timezone=zone).code == (INCONCLUSIVE if ahead else OK)


@pytest.mark.parametrize("inputs", [{"max_feedbacks": "2"}, {"feedback_block_pattern": "blocker"}], ids=str)
def test_feedbacks_that_are_counted_but_not_shown_are_not_good(
    judge: Judge, service: Service, inputs: dict[str, str]
) -> None:
    """The build counts three of which the list has one: the others may say anything."""
    service.reset(account(feedbacks=3))
    assert judge(**inputs).outputs["verdict"] != "passed"


@pytest.mark.parametrize("service", ["compat"], indirect=True)
@pytest.mark.parametrize("inputs", [{"max_feedbacks": "0"}, {"feedback_block_pattern": "blocker"}], ids=str)
@pytest.mark.parametrize(
    ("stub", "shows", "counter", "listed", "ending"),
    [
        (True, [], 0, [], "inconclusive"),
        (True, [], 1, [], "inconclusive"),
        (True, ["feedbacks"], 0, [], "passed"),  # the build itself says so
        (True, ["feedbacks"], 1, [], "inconclusive"),
        (False, [], 0, [], "inconclusive"),  # looks like a stub
        (False, [], 0, [elsewhere("-2h")], "passed"),  # a stub would not list that
    ],
)
def test_an_empty_list_of_a_newer_server_is_no_zero(
    judge: Judge,
    service: Service,
    inputs: dict[str, str],
    stub: bool,
    shows: list[str],
    counter: int,
    listed: list[dict[str, Any]],
    ending: str,
) -> None:
    seed = account(others=listed, shows=shows, feedbacks=counter, recorded_feedbacks=[])
    service.reset({**seed, "settings": {"feedbacks": "stub" if stub else "list"}})
    done = judge(**inputs)
    assert done.code == CODES[ending], done.log
    (check,) = done.outputs["checks"].values()
    assert check["observed"] == "unknown" or ending == "passed" or counter
