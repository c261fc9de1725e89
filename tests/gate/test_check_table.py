"""A check is one row of the table, one judgement and one input; what is missing is named, and where."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import pytest

from gate.support import BUILD, GET_BUILD, GET_FEEDBACKS, GET_GROUPS, GET_SESSIONS, PROJECT, Judge, account, before
from gate.test_gate_checks import EVERYTHING
from sauce_appdist.interface import kebab
from sauce_appdist.interface.inputs import ConnectionInputs, option
from sauce_appdist.steps.gate.options import ThresholdInputs
from sauce_appdist.verdict.checks import CHECK_ROWS, CheckRow, Source, Thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness import Service

TABLE, INPUTS = (
    "Thresholds in core/sauce_appdist/verdict/checks.py",
    "ThresholdInputs in core/.../steps/gate/options.py",
)


def gaps(rows: Sequence[CheckRow], thresholds: type[Thresholds], inputs: type[ThresholdInputs]) -> list[str]:
    """What a check lacks, and where it belongs."""
    declared = [field.name for field in fields(thresholds)]
    taken = [name for name in inputs.model_fields if name not in ConnectionInputs.model_fields]
    used = {name for row in rows for name in (row.threshold, *row.requires, *row.accepts)}
    return [
        *(
            f"{kebab(name)} is an input without a threshold: add it to {TABLE}"
            for name in taken
            if name not in declared
        ),
        *(f"{name} is a threshold without an input: add it to {INPUTS}" for name in declared if name not in taken),
        *(
            f"{name} is a threshold that no check uses: declare it with judged_by, or name it in requires or accepts of"
            f" the check that does, in {TABLE}"
            for name in declared
            if name not in used
        ),
        *(f"{name} is used by a check but is no threshold: add it to {TABLE}" for name in used if name not in declared),
    ]


def test_each_check_has_its_row_and_its_input() -> None:
    if missing := gaps(CHECK_ROWS, Thresholds, ThresholdInputs):
        pytest.fail("\n".join(missing), pytrace=False)


def test_what_a_check_lacks_is_named() -> None:
    @dataclass(frozen=True)
    class More(Thresholds):
        min_joy: int | None = None

    class Asks(ThresholdInputs):
        max_anger: int | None = option(None, "Maximum anger.")

    row = CHECK_ROWS[0]._replace(accepts=("mood",))
    found = gaps([row, *CHECK_ROWS], More, Asks)
    assert [problem.partition(":")[0] for problem in found] == [
        "max-anger is an input without a threshold",
        "min_joy is a threshold without an input",
        "min_joy is a threshold that no check uses",
        "mood is used by a check but is no threshold",
    ]


REQUESTS = {
    Source.BUILD: GET_BUILD,
    Source.SESSIONS: GET_SESSIONS,
    Source.FEEDBACKS: GET_FEEDBACKS,
    Source.MEMBERS: GET_GROUPS,
    Source.BASELINE: f"GET /api/1/projects/{PROJECT}/builds/",
}


@pytest.mark.parametrize("row", CHECK_ROWS, ids=lambda row: row.name)
def test_a_check_reads_what_its_row_says_and_no_more(judge: Judge, service: Service, row: CheckRow) -> None:
    service.reset(account(before()))
    done = judge(**{name: EVERYTHING[name] for name in (row.threshold, *row.requires)})
    assert list(done.outputs["checks"]) == [row.name]
    assert done.outputs["build-id"] == BUILD
    assert set(service.sent) == {REQUESTS[source] for source in row.reads}
