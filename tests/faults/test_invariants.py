"""Each invariant of the matrix, broken on purpose: what is looked for is found."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from faults.cells import Cell, cells_of, sample_of
from faults.commands import API_KEY, STEPS
from faults.invariants import INVARIANTS, broken
from faults.runs import LIMIT, Ran, StageOfMatrix
from faults.tables import FIXED
from harness import expect_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def stage() -> Iterator[StageOfMatrix]:
    with StageOfMatrix(1) as running:
        yield running


def _told(name: str, value: object) -> Callable[[Ran], dict[str, Any]]:
    return lambda ran: {"outputs": {**(ran.outputs or {}), name: value}}


def _account(**changes: Any) -> Callable[[Ran], dict[str, Any]]:
    return lambda ran: {
        "account": replace(ran.account, **{name: change(ran.account) for name, change in changes.items()})
    }


# How a good run of `promote` would have to differ, and which invariant notices.
BROKEN: list[tuple[str, Callable[[Ran], dict[str, Any]]]] = [
    ("bounded time", lambda _: {"seconds": LIMIT * 10}),
    ("bounded time", lambda _: {"cpu": 60.0}),
    ("bounded time", lambda _: {"killed": True}),
    ("bounded memory", lambda _: {"memory": 151 << 20}),
    ("documented exit code", lambda _: {"code": 1}),
    ("documented exit code", lambda _: {"code": 120}),
    ("no bug", lambda ran: {"stderr": ran.stderr + "Traceback (most recent call last):"}),
    ("at most once", _account(acts=lambda account: account.acts + Counter({"Build copied": 1}))),
    ("at most once", _account(mails=lambda account: account.mails * 2)),
    ("true exit code", lambda _: {"code": 4}),
    ("true exit code", lambda _: {"code": 2}),
    ("true exit code", lambda _: {"code": 130}),
    ("true exit code", lambda ran: {"account": ran.account_before}),
    ("true outputs", lambda _: {"outputs": None}),
    ("true outputs", _told("copied", "false")),
    ("true outputs", _told("copied", "")),
    ("true outputs", _told("promoted-build-id", "8830728")),
    ("true outputs", _told("promoted-project-id", "1")),
    ("true outputs", _told("notified", "false")),
    ("true outputs", _told("notified", "")),
    ("true outputs", _told("invited-groups", "Stakeholders")),
    ("true outputs", _told("changed", "false")),
    ("true outputs", _told("tags", "rc,more")),
    ("true outputs", _told("release-notes", "Other")),
    ("true outputs", _told("metadata", '{"k": "w"}')),
    ("true outputs", _told("failed-step", "copy")),
    ("true outputs", _told("dry-run", "true")),
    ("true outputs", _told("app-version", "4.3.1")),
    ("no secret", lambda ran: {"stderr": f"{ran.stderr}{API_KEY[:8]}…"}),
    ("no secret", lambda ran: {"written": {**ran.written, "summary": API_KEY.encode()}}),
    ("no secret", lambda ran: {"stdout": f"{ran.stdout}eyJhbGciOiJSUzI1NiJ9"}),
    ("no secret for strangers", lambda _: {"strangers": [f"GET / HTTP/1.1\r\nX: {API_KEY}".encode()]}),
    ("no foreign command", lambda ran: {"stdout": f"{ran.stdout}\n  ::set-output name=x::y"}),
    ("no foreign command", lambda ran: {"stdout": f"{ran.stdout}\n::error title=zq::y"}),
    ("no foreign command", lambda ran: {"stderr": f"{ran.stderr}x ##[error]y"}),
    ("no control character", lambda ran: {"stdout": f"{ran.stdout}\x1b[31m"}),
    ("no foreign file", lambda ran: {"after": {**ran.after, "tmp/left": "x"}}),
    ("no foreign file", lambda ran: {"after": {**ran.after, "work/notes.md": "x"}}),
]


CELL = Cell(STEPS["promote"], 1, "GET-builds", writes=False, fault=FIXED["reset-once"], after=True)


@pytest.mark.parametrize(
    ("name", "change"), BROKEN, ids=[f"{number}-{name}" for number, (name, _) in enumerate(BROKEN)]
)
def test_what_is_looked_for_is_found(stage: StageOfMatrix, name: str, change: Callable[[Ran], dict[str, Any]]) -> None:
    clean = stage.clean(STEPS["promote"])
    assert broken(CELL, clean.ran, clean) == []
    problems = broken(CELL, replace(clean.ran, **change(clean.ran)), clean)
    assert [problem for problem in problems if problem.startswith(f"{name}: ")], problems


def test_a_download_that_is_not_whole_is_found(stage: StageOfMatrix) -> None:
    clean = stage.clean(STEPS["download"])
    cell = Cell(STEPS["download"], 1, "GET-download", writes=False, fault=FIXED["cut-body"], after=True)
    assert broken(cell, clean.ran, clean) == []
    half = clean.ran.written["app.apk"][:10]
    problems = broken(cell, replace(clean.ran, written={"app.apk": half}), clean)
    assert [problem for problem in problems if problem.startswith("whole download")], problems


def test_every_invariant_has_a_row() -> None:
    expect_rows(
        {name for name, _ in BROKEN} | {"whole download"}, INVARIANTS, "BROKEN, tests/faults/test_invariants.py"
    )


def test_the_sample_has_every_request_and_the_matrix_every_kind(stage: StageOfMatrix) -> None:
    step = STEPS["tag-add"]
    clean = stage.clean(step)
    every = cells_of(step, clean)
    kinds = {cell.fault.kind for cell in every}
    assert kinds == {fault.kind for fault in FIXED.values()} | {"field"}
    assert len({str(cell) for cell in every}) == len(every)
    sample = sample_of(step, clean, seed=1, share=len(kinds))
    assert {cell.number for cell in sample} == {seen.number for seen in clean.seen}
    assert {cell.fault.kind for cell in sample} == kinds
