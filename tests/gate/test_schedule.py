"""When the gate looks again."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st

from gate.support import THIS
from harness import API_KEY, EMAIL
from sauce_appdist.steps.gate.options import LONGEST_INTERVAL, SHORTEST_INTERVAL
from sauce_appdist.steps.gate.schedule import PollSchedule
from sauce_appdist.steps.gate.step import Inputs as GateInputs
from sauce_appdist.verdict.checks import Check, CheckState

LOOKS: dict[str, list[CheckState]] = {
    "passed": [CheckState.PASSED, CheckState.PASSED],
    "pending": [CheckState.PASSED, CheckState.PENDING],
    "mixed": [CheckState.INCONCLUSIVE, CheckState.PENDING],
    "inconclusive": [CheckState.PASSED, CheckState.INCONCLUSIVE],
    "error": [CheckState.ERROR, CheckState.PENDING],
    "failed": [CheckState.PENDING, CheckState.FAILED, CheckState.ERROR],
}


def gate(**options: Any) -> GateInputs:
    """The inputs of a gate with these options; times are in seconds."""
    return GateInputs(email=EMAIL, api_key=API_KEY, **THIS, min_downloads=1, **options)


OPTIONS = st.builds(
    lambda wait, interval, passes, errors, doubt: {
        "wait": wait if passes == 1 else max(wait, 10.0),
        "interval": interval,
        "consecutive_passes": passes,
        "max_consecutive_errors": errors,
        "on_inconclusive": doubt,
    },
    st.one_of(st.just(0.0), st.floats(10, 60), st.floats(10, 90_000)),
    st.one_of(st.floats(10, 60), st.floats(10, 5000)),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from(["fail", "warn", "pass"]),
)
STORY = st.lists(st.tuples(st.sampled_from([*LOOKS, "passed", "pending", "no answer"]), st.floats(0, 40)), max_size=30)


def checks(kind: str) -> list[Check]:
    return [Check("a check", state, "1", "2") for state in LOOKS[kind]]


@given(OPTIONS, STORY)
def test_when_it_looks_again(given_options: dict[str, Any], story: list[tuple[str, float]]) -> None:
    options = gate(**given_options)
    patience, now, passes, errors = PollSchedule(options), 0.0, 0, 0
    for kind, took in story:
        now += took
        if kind == "no answer":
            pause = patience.after_error(now)
            passes, errors = 0, errors + 1
        else:
            pause = patience.after(checks(kind), now)
            passes, errors = passes + 1 if kind == "passed" else 0, 0
        assert patience.passes == passes
        assert patience.satisfied is (passes >= options.consecutive_passes)
        final = (
            kind in {"failed", "error", "inconclusive"}
            or (kind == "mixed" and options.on_inconclusive == "fail")  # it will not pass any more
            or passes >= options.consecutive_passes
            or errors >= options.max_consecutive_errors
        )
        if pause is None:
            assert final or now >= options.wait  # as long as there is hope it waits to the end
            return
        assert not final
        assert now < options.wait
        assert pause >= SHORTEST_INTERVAL
        assert now + pause <= options.wait + SHORTEST_INTERVAL + 1e-6
        now += pause


@given(OPTIONS, st.sampled_from(["pending", "mixed", "no answer"]), st.floats(0, 40))
def test_it_ends_and_asks_no_more_often_than_it_may(given_options: dict[str, Any], kind: str, took: float) -> None:
    options = gate(**given_options | {"max_consecutive_errors": 1000, "on_inconclusive": "warn"})
    patience, now, looks = PollSchedule(options), 0.0, 0
    pause: float | None = 0.0
    while pause is not None:
        now, looks = now + pause + took, looks + 1
        pause = patience.after_error(now) if kind == "no answer" else patience.after(checks(kind), now)
    assert now >= options.wait  # the last look comes when the time is over
    assert looks <= options.wait / options.interval + 2


@given(st.floats(10, 5000), st.integers(1, 80))
def test_it_slows_down_but_not_for_ever(interval: float, count: int) -> None:
    month = 30 * 86400.0
    options = gate(wait=month, interval=interval, max_consecutive_errors=99)
    patience, slowest = PollSchedule(options), max(LONGEST_INTERVAL, interval)
    for turn in range(count):
        pause = patience.after_error(0.0) if turn % 3 else patience.after(checks("pending"), 0.0)
        least = min(interval * 1.1**turn, slowest)
        assert pause is not None
        assert least - 1e-6 <= pause <= min(1.2 * least, slowest) + 1e-6
