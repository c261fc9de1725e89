"""The table of checks: what has to be read for each, and that no test forgets one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sauce_appdist.verdict.checks import Source, Thresholds
from verdict import test_fails_closed, test_thresholds
from verdict.support import ALL, CHECKS, NEEDS, ROW, only

if TYPE_CHECKING:
    from collections.abc import Collection

# The fields of an observation that come from other sources than the build.
SOURCES = {
    "recorded": Source.SESSIONS,
    "users": Source.SESSIONS,
    "feedbacks": Source.FEEDBACKS,
    "members": Source.MEMBERS,
    "baseline": Source.BASELINE,
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_row_names_all_that_has_to_be_read_for_it(check: str) -> None:
    assert ROW[check].reads == {Source.BUILD, *(SOURCES[name] for name in NEEDS[check] if name in SOURCES)}
    assert only(check).reads() == ROW[check].reads


def test_without_a_check_only_the_build_is_read() -> None:
    assert Thresholds(confidence=0.95).reads() == {Source.BUILD}


def test_each_check_is_tested() -> None:
    tables: dict[str, Collection[str]] = {
        "ROWS of tests/verdict/test_thresholds.py": {check for check, *_ in test_thresholds.ROWS},
        "ASKED of tests/verdict/test_fails_closed.py": {name.replace("_", "-") for name in test_fails_closed.ASKED},
        "NEEDS of tests/verdict/support.py": NEEDS,
        "ALL of tests/verdict/support.py": {check for check, row in ROW.items() if ALL.has(row.threshold)},
    }
    if missing := [
        f"{check}: add it to {name}" for name, found in tables.items() for check in CHECKS if check not in found
    ]:
        pytest.fail("\n".join(missing), pytrace=False)
