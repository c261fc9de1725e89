"""Wrong inputs of the gate: each is an input error that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gate.support import COVER, INPUT, OK, ONE, THIS, Judge, account

if TYPE_CHECKING:
    from harness import Run, Service


def test_wrong_inputs_fail_in_every_mode(judge: Judge, service: Service) -> None:
    service.reset(account())
    for mode in ("enforce", "report"):
        done = judge(coverage_groups="Q", min_coverage="1%", gate_mode=mode)
        assert done.code == INPUT
        assert "coverage-groups names unknown tester groups: 'Q' (did you mean 'QA'?)" in done.log
        assert done.outputs["verdict"] is None
        assert done.outputs["sessions"] == 40


def bad(expected: str, step: str = "gate", **inputs: str) -> Any:
    return pytest.param(step, inputs, expected, id=f"{step} {inputs}"[:80])


COPY = {"to_folder": "RC"}


@pytest.mark.parametrize(
    ("step", "inputs", "expected"),
    [
        bad("no check is set: set at least one, such as min-sessions, max-crash-rate or min-age"),
        bad("min-age is '9999d', expected at most 3650d", min_age="9999d"),
        bad("confidence is '95%', expected a number", max_crash_rate="1%", confidence="95%"),
        bad("min-session-minutes is '1:30', expected a number", min_session_minutes="1:30"),
        bad("is not a valid regular expression: Possible nested set at position 1", feedback_block_pattern="[[a]"),
        bad("no check is set", wait="1h", gate_mode="report", timezone="+01:00", gate_reports="x"),
        bad("confidence needs max-crash-rate: set both, or neither", confidence="0.95", **ONE),
        bad("confidence needs max-crash-rate", confidence="0.95"),
        bad("coverage-groups needs min-coverage", coverage_groups="QA", **ONE),
        bad("min-coverage needs coverage-groups", min_coverage="80%", **ONE),
        bad("baseline needs max-crash-rate-increase", baseline="previous", **ONE),
        bad("max-crash-rate-increase needs baseline", max_crash_rate_increase="1%", **ONE),
        bad("min-age is 2d and max-age is 1d: no build passes both. Set a longer max-age", min_age="48h", max_age="24h"),
        bad("require-tags and forbid-tags both have 'b': no build passes that", require_tags="a, B", forbid_tags="b"),
        bad("interval is 9s, expected at least 10s", interval="9s", **ONE),
        bad("interval is 0s, expected at least 10s", interval="0s", wait="1h", **ONE),
        bad("wait is 9s, expected at least 10s, or 0s to look once", wait="9s", **ONE),
        bad("wait is '2', expected a whole number with its unit", wait="2", **ONE),
        bad("wait is '31d', expected at most 30d", wait="31d", **ONE),
        bad("consecutive-passes needs wait: a single look cannot pass twice", consecutive_passes="2", **ONE),
        bad("consecutive-passes is 0, expected 1 to 1000", consecutive_passes="0", **ONE),
        bad("consecutive-passes is 1001, expected 1 to 1000", consecutive_passes="1001", wait="1h", **ONE),
        bad("max-consecutive-errors is 0, expected 1 to 1000", max_consecutive_errors="0", **ONE),
        bad("max-consecutive-errors is 'x', expected a whole number", max_consecutive_errors="x", **ONE),
        *(
            bad(f"{name} is '{wrong}', expected a percentage like 1% or 0.5%, at most 100%", **{**more, name.replace("-", "_"): wrong})
            for name, more in (
                ("max-crash-rate", {}),
                ("min-coverage", COVER),
                ("max-crash-rate-increase", {"baseline": "previous"}),
                ("max-crashed-session-rate", {}),
            )
            for wrong in ("1", "0.01", "-1%", "100.1%", "101%", "1,5%", "%", "1e1%", "nan%", "٣%", ".5%")
        ),
        *(
            bad(f"confidence is {wrong}, expected a confidence like 0.95", confidence=wrong, max_crash_rate="1%")
            for wrong in ("0.4", "1", "1.5", "-0.95", "nan", "inf")
        ),
        bad("confidence is '95%'", confidence="95%", max_crash_rate="1%"),
        *(
            bad(f"{name.replace('_', '-')} is -1, expected 0 to 1000000000", **{name: "-1"})
            for name in ("min_sessions", "min_downloads", "min_testers", "max_crashes", "max_feedbacks", "min_devices")
        ),
        bad("min-sessions is '1.5', expected a whole number", min_sessions="1.5"),
        bad("min-sessions is 99999999999, expected 0 to 1000000000", min_sessions="99999999999"),
        bad("min-session-minutes is -1, expected a number of minutes, 0 or more", min_session_minutes="-1"),
        bad("min-session-minutes is nan, expected a number of minutes", min_session_minutes="nan"),
        bad("min-session-minutes is inf, expected a number of minutes", min_session_minutes="inf"),
        bad("feedback-block-pattern is not a valid regular expression: missing )", feedback_block_pattern="(a"),
        bad("feedback-block-pattern is not a valid regular expression", feedback_block_pattern="a{99999999999999999999}"),
        bad("feedback-block-pattern is not a valid regular expression", feedback_block_pattern="a(?i)b"),
        bad("matches an empty text", feedback_block_pattern="blocker|"),
        bad("matches an empty text", feedback_block_pattern="(blocker)?"),
        bad("feedback-block-pattern is empty: the expression or variable that it is set from has no value", feedback_block_pattern="  "),
        *(
            bad(f"timezone is '{wrong}', which this machine does not know: set UTC, a name like America/New_York, or an offset", timezone=wrong, **ONE)
            for wrong in ("Mars/Olympus", "CEST", "+2", "+25:00", "+02:60", "../../etc/passwd", "/etc/localtime", "Europe")
        ),
        bad("on-inconclusive is 'ignore', expected one of fail, warn, pass", on_inconclusive="ignore", **ONE),
        bad("gate-mode is 'enforced', expected one of enforce, report (did you mean 'enforce'?)", gate_mode="enforced", **ONE),
        bad("max-age is '1w', expected a whole number with its unit", max_age="1w"),
        bad("require-tags contains no item", require_tags=" , "),
        bad("forbid-tags has 'a, b', but a tag cannot contain a comma", forbid_tags='"a, b"'),
        bad("baseline is '../6', which is not a valid id", baseline="../6", max_crash_rate_increase="1%"),
        bad("wait needs a check of the gate: set one, such as min-sessions", "promote", wait="1h", **COPY),
        bad("gate-mode needs a check of the gate", "promote", gate_mode="report", **COPY),
        bad("timezone needs a check of the gate", "promote", timezone="Z", **COPY),
        bad("gate-reports needs a check of the gate", "promote", gate_reports="out", **COPY),
        bad("min-coverage needs coverage-groups", "promote", min_coverage="1%", **COPY),
        bad("interval is 9s", "promote", interval="9s", **ONE, **COPY),
        bad("nothing to promote", "promote", **ONE),
    ],
)  # fmt: skip
def test_bad_input(run: Run, service: Service, step: str, inputs: dict[str, str], expected: str) -> None:
    done = run(step, **THIS, **inputs)
    assert expected in done.log
    assert done.code == INPUT
    assert done.log.count("\n") < 12
    assert "bug" not in done.log
    assert service.sent == []


@pytest.mark.parametrize("name", ["UTC", "z", "+02:00", "-0930", "+14:00", "America/New_York", "Asia/Kolkata"])
def test_a_zone_that_is_one(judge: Judge, service: Service, name: str) -> None:
    service.reset(account())
    assert judge(timezone=name, **ONE).code == OK


def test_every_wrong_input_is_told_at_once(run: Run) -> None:
    done = run("gate", **THIS, min_age="soon", max_crash_rate="1", timezone="Mars", feedback_block_pattern="(")
    assert all(f"{name} " in done.log for name in ("min-age", "max-crash-rate", "timezone", "feedback-block-pattern"))
