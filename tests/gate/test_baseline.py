"""The build that this one is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gate.support import BEFORE, BUILD, FAILED, INCONCLUSIVE, INPUT, OK, Judge, account, before, elsewhere

if TYPE_CHECKING:
    from harness import Service

COMPARED = {"baseline": "previous", "max_crash_rate_increase": "100%"}


@pytest.mark.parametrize(
    ("beside", "uploaded_at", "expected"),
    [
        ([("6", "-9d"), ("9", "-2d"), ("8", "-1h"), ("5", "-3d")], "-26h", "9"),  # the upload counts, not the id
        ([("8", "2026-03-01 00:00:00"), ("6", "2026-03-01 00:00:00")], "2026-03-01 00:00:00", "6"),  # then the id
        ([("60", "2026-03-01 00:00:00"), ("6", "2026-02-01 00:00:00")], "2026-03-01 00:00:00", "6"),  # a number
        ([("8", "-1h")], "-26h", None),
        ([], "-26h", None),
    ],
)
def test_the_previous_build(
    judge: Judge, service: Service, beside: list[tuple[str, str]], uploaded_at: str, expected: str | None
) -> None:
    builds = [before(id=one, uploaded_at=at) for one, at in beside]
    service.reset(account(*builds, uploaded_at=uploaded_at, others=[elsewhere()]))
    done = judge(**COMPARED)
    assert (done.code, done.outputs["baseline-build-id"]) == (OK if expected else INCONCLUSIVE, expected), done.log


@pytest.mark.parametrize(
    ("odd", "others", "decided"),
    [
        ("6", [("5", "-3d")], False),  # its id is between that of the previous one and ours
        ("6", [], False),
        ("8", [("5", "-3d")], True),  # its id shows that it is later
        ("5", [("6", "-3d")], True),  # or earlier than the previous one
    ],
)
def test_a_previous_build_whose_time_cannot_be_read_is_unknown(
    judge: Judge, service: Service, odd: str, others: list[tuple[str, str]], *, decided: bool
) -> None:
    builds = [before(id=one, uploaded_at=at) for one, at in others]
    service.reset(account(*builds, before(id=odd, shows_uploaded_at=None), uploaded_at="-26h"))
    done = judge(**COMPARED)
    assert (done.code, done.outputs["baseline-build-id"]) == (
        (OK, others[0][0]) if decided else (INCONCLUSIVE, None)
    ), done.log
    if not decided:
        assert "There is no earlier build to compare with, or it cannot be determined" in done.outputs["reason"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"sessions": 0, "crashes": 0}, "Baseline: Not judged below min-sessions (40): 0 sessions so far"),
        ({"has_testfairy_sdk": False}, "Baseline: The build does not contain the SDK"),
        ({"shows_counters": {"crashes": None}}, "Baseline: The service does not report crashes"),
        ({"shows_counters": {"crashes": False}}, "Baseline: The service does not report crashes"),
        ({"sessions": 39}, "Baseline: Not judged below min-sessions (40)"),
    ],
)
def test_a_baseline_without_evidence(judge: Judge, service: Service, fields: dict[str, Any], why: str) -> None:
    service.reset(account(before(**fields)))
    done = judge(**COMPARED, min_sessions="40")
    assert done.code == INCONCLUSIVE
    assert why in done.outputs["reason"]


def test_a_baseline_by_its_id(judge: Judge, service: Service) -> None:
    service.reset(account(before(), before(id="9", uploaded_at="-2d", crashes=0), crashes=1))
    inputs = {"max_crash_rate_increase": "2%"}
    assert judge(baseline=BEFORE, **inputs).code == OK
    done = judge(baseline="9", **inputs)
    assert (done.code, done.outputs["baseline-build-id"]) == (FAILED, "9")


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (BUILD, "baseline is 7, the build itself"),
        ("07", "the build itself"),  # however it is written
        ("99", "baseline is 99, which project 1 does not have"),
        ("70", "baseline is 70, which project 1 does not have"),  # it is of another app
    ],
)
def test_a_baseline_that_is_none(judge: Judge, service: Service, baseline: str, expected: str) -> None:
    service.reset(account(before(), others=[elsewhere()]))
    done = judge(baseline=baseline, max_crash_rate_increase="1%", wait="1h", gate_mode="report")
    assert done.code == INPUT, done.outputs
    assert expected in done.log
    assert done.outputs["verdict"] is None
