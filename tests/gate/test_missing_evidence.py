"""What the service does not tell is inconclusive, and never good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gate.support import CODES, COVER, INCONCLUSIVE, INCREASE, PATH, QA, WORSE, Judge, account, before, shows

if TYPE_CHECKING:
    from harness import Service

COUNTERS: dict[str, tuple[str, dict[str, str]]] = {
    "min-sessions": ("sessions", {"min_sessions": "1"}),
    "min-downloads": ("downloads", {"min_downloads": "1"}),
    "min-testers": ("testers", {"min_testers": "1"}),
    "max-crashes": ("crashes", {"max_crashes": "99"}),
    "max-crash-rate": ("crashes", {"max_crash_rate": "100%"}),
    "max-crash-rate-increase": ("crashes", {**INCREASE, "max_crash_rate_increase": "100%"}),
    "max-crashed-session-rate": ("sessions", {"max_crashed_session_rate": "100%"}),
}


@pytest.mark.parametrize("shown", [None, "missing", "n/a", "", "-", "1.5", 1.5, -1, False, True], ids=repr)
@pytest.mark.parametrize("check", COUNTERS)
def test_a_counter_that_is_none_is_never_good(judge: Judge, service: Service, check: str, shown: Any) -> None:
    counter, inputs = COUNTERS[check]
    service.reset(account(before(), shows_counters={counter: shown}))
    done = judge(**inputs)
    assert (done.code, done.outputs["checks"][check]["state"]) == (INCONCLUSIVE, "inconclusive"), done.outputs
    assert done.outputs["failed-checks"] == [check]


@pytest.mark.parametrize("check", ["max-crashes", "max-crash-rate", "max-crash-rate-increase"])
def test_sessions_that_nobody_counted_are_no_evidence(judge: Judge, service: Service, check: str) -> None:
    service.reset(account(before(), shows_counters={"sessions": None}))
    assert judge(**COUNTERS[check][1]).outputs["verdict"] == "inconclusive"


UNTOLD: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    # the check, inputs, fields of the build
    *((check, {f"{check[:3]}_age": "1h"}, {"uploadedAt": at})
      for check in ("min-age", "max-age") for at in (..., None, "", "soon", "0000-00-00 00:00:00", False)),
    ("min-age", {"min_age": "1h"}, {"uploadedAt": 0}),  # PHP writes this if there is none
    *((check, inputs, {"hasTestFairySdk": sdk})
      for check, (_, inputs) in COUNTERS.items() if "crash" in check for sdk in (..., None, "maybe", "", False)),
    *((f"{check}-tags", {f"{check}_tags": "candidate" if check == "require" else "blocked"}, {"tags": tags})
      for check in ("require", "forbid") for tags in (..., None, [["x"]], {"a": "b"}, 1.5, False)),
]  # fmt: skip


@pytest.mark.parametrize(("check", "inputs", "fields"), UNTOLD, ids=str)
def test_what_the_build_does_not_tell(
    judge: Judge, service: Service, check: str, inputs: dict[str, str], fields: dict[str, Any]
) -> None:
    service.reset(account(before()))
    service.fault(path=f"{PATH}$", status=200, times=None, body=shows(service, **fields))
    done = judge(**inputs)
    assert (done.code, done.outputs["checks"][check]["state"]) == (INCONCLUSIVE, "inconclusive"), done.outputs


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 404, "body": "Not Found"},
        {"status": 404, "body": {"status": "fail", "code": 404}},
        {"status": 405, "body": "Method Not Allowed"},
        {"status": 501, "body": "Not Implemented"},
        {"status": 400, "body": WORSE},
        {"status": 200, "body": WORSE},
    ],
    ids=str,
)
def test_a_service_without_sessions(judge: Judge, service: Service, fault: dict[str, Any]) -> None:
    service.reset(account())
    service.fault(path="/sessions/$", **fault)
    done = judge(max_crashed_session_rate="100%", min_session_minutes="0", min_devices="0", min_coverage="0%", **COVER)
    assert done.code == INCONCLUSIVE, done.log
    assert {check["state"] for check in done.outputs["checks"].values()} == {"inconclusive"}


def test_a_service_without_feedbacks(judge: Judge, service: Service) -> None:
    service.reset(account())
    service.fault(path="/feedbacks/$", status=404, body="Not Found")
    done = judge(max_feedbacks="0", feedback_block_pattern="x")
    assert (done.code, done.outputs["failed-checks"]) == (INCONCLUSIVE, ["max-feedbacks", "feedback-block-pattern"])


def test_sessions_that_do_not_say_whether_they_crashed(judge: Judge, service: Service) -> None:
    service.reset(account(sessions=2))
    listed = [{"id": "1", "crashed": False}, {"id": "2", "crashed": "perhaps"}]
    service.fault(path="/sessions/$", status=200, body={"status": "ok", "sessions": listed})
    assert judge(max_crashed_session_rate="50%").outputs["verdict"] == "inconclusive"


ANYBODY = [{"email": QA[0]}, {}, {}]
GROUPS: list[tuple[list[dict[str, Any]], str, str]] = [
    ([{"id": "12", "name": "QA"}], "50%", "inconclusive"),
    ([{"id": "12", "name": "QA", "testers": None}], "50%", "inconclusive"),
    ([{"id": "12", "name": "QA", "testers": [{"email": QA[0]}]}], "100%", "passed"),
    ([{"id": "12", "name": "QA", "testers": [{"email": QA[0]}, {"id": "5"}]}], "60%", "pending"),
    ([{"id": "12", "name": "QA", "testers": ANYBODY}], "50%", "pending"),  # of three, two of whom nobody knows
    ([{"id": "12", "name": "QA", "testers": [[{"email": QA[0].upper()}], [{"email": QA[3]}]]}], "51%", "pending"),
    ([{"id": "12", "name": "QA", "testers": [[{"email": QA[0].upper()}], [{"email": QA[3]}]]}], "50%", "passed"),
]


@pytest.mark.parametrize(("groups", "least", "ending"), GROUPS, ids=str)
def test_groups_as_services_list_them(
    judge: Judge, service: Service, groups: list[dict[str, Any]], least: str, ending: str
) -> None:
    service.reset(account())
    service.fault(path="/groups$", status=200, body={"status": "ok", "groups": groups})
    done = judge(min_coverage=least, **COVER)
    assert (done.code, "Set wait" in done.log) == (CODES[ending], ending == "pending"), done.outputs


def test_one_group_whose_testers_are_not_listed_is_enough(judge: Judge, service: Service) -> None:
    service.reset(account())
    groups = [{"id": "12", "name": "QA", "testers": [{"email": QA[0]}]}, {"id": "13", "name": "Nobody"}]
    service.fault(path="/groups$", status=200, body={"status": "ok", "groups": groups})
    assert judge(min_coverage="0%", coverage_groups="QA, Nobody").outputs["verdict"] == "inconclusive"
