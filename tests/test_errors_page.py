"""docs/reference/errors.md is true to the letter: every row and every cause that it names is provoked.

The page is read here. The words of a row must be covered by scenarios, so that a cause that is added to the page fails
until something provokes it. A scenario is a whole step in a process of its own, or the name of a test that runs one.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from gate.support import THIS, account
from harness import BUILD, NEWEST_ANDROID, ROOT, Process, Service, connection, expect_rows
from sauce_appdist.errors import ExitCode
from sauce_appdist.wire.retry import LONGEST_PAUSE, Fate, RequestKind
from servers import closed_port
from wire import test_reasons, test_retry_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PAGE = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
GLUE = re.compile(r"\b(and|or|the)\b|[\s.,;:()-]+")
SECOND = {"APPDIST_RETRIES": "0", "APPDIST_TIMEOUT": "5s"}


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def table(text: str) -> list[list[str]]:
    """The rows of the table in this text, the head first, without the line below it."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [rows[0], *rows[2:]]


def words(markdown: str) -> str:
    """The text as it is read."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown)
    return " ".join(re.sub(r"[*`]", "", text).split())


def uncovered(text: str, phrases: list[str]) -> str:
    """What is left of the text when the phrases are taken out of it, in their order."""
    left = []
    for phrase in phrases:
        before, found, text = text.partition(phrase)
        if not found:
            pytest.fail(f"The page no longer says {phrase!r}, or not in this place", pytrace=False)
        left.append(before)
    return GLUE.sub(" ", " ".join([*left, text])).strip()


# --- Exit codes ---------------------------------------------------------------------------------------


@dataclass
class Stage:
    """What a scenario may use."""

    process: Process
    service: Service
    folder: Path

    def step(self, name: str, env: Mapping[str, str] | None = None, /, **inputs: str) -> int:
        done = self.process(name, env={**SECOND, **given(inputs or BUILD), **(env or {})})
        self.log = done.log
        return done.code

    def cancelled(self, name: str, path: str, **inputs: str) -> int:
        """The code of a step that gets SIGTERM while its request to this path is carried out and not answered."""
        method, _, where = path.partition(" ")
        self.service.fault(method=method, path=where, delay=30, after=True)
        env = {"PATH": os.environ["PATH"], **connection(self.service.url), **given({**BUILD, **inputs})}
        command = [sys.executable, "-m", "sauce_appdist", name]
        with subprocess.Popen(command, env=env, cwd=self.folder, stderr=subprocess.PIPE) as running:
            until = time.monotonic() + 30
            while not any(re.fullmatch(f"{method} .*{where}", one) for one in self.service.sent):
                assert running.poll() is None
                assert time.monotonic() < until
                time.sleep(0.02)
            running.send_signal(signal.SIGTERM)
            self.log = running.communicate(timeout=30)[1].decode()
        return running.returncode


def given(inputs: dict[str, Any]) -> dict[str, str]:
    return {f"APPDIST_INPUT_{name.upper()}": text for name, text in inputs.items()}


def by_provider(stage: Stage, url: str) -> int:
    env = {"APPDIST_EMAIL": "", "APPDIST_API_KEY": "", "APPDIST_OIDC_CONFIG_KEY": "oidc_northwind_demo"}
    oidc = {"token_url": url, "client_id": "northwind-ci", "client_secret": "a-secret-of-the-client"}
    return stage.step("find", {**env, **{f"APPDIST_OIDC_{name.upper()}": text for name, text in oidc.items()}})


def refusing_provider(stage: Stage) -> int:
    stage.service.fault(path="/token", status=400, body={"error": "invalid_client"})
    return by_provider(stage, f"{stage.service.url}/token")


def nobody() -> str:
    return f"http://127.0.0.1:{closed_port()}"


def a_bug(stage: Stage) -> int:
    """A mistake in a copy of the code, as a programmer makes one."""
    core = stage.folder / "core"
    shutil.copytree(ROOT / "core" / "sauce_appdist", core / "sauce_appdist")
    with (core / "sauce_appdist" / "steps" / "tag.py").open("a", encoding="utf-8") as module:
        module.write("\n\ndef merged(*_: object) -> list[str]:\n    return [{}['tags']]\n")
    return stage.step("tag", {"PYTHONPATH": str(core)}, **BUILD, tags="rc")


def unwritable(stage: Stage) -> int:
    return stage.step("tag", {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(stage.folder)}, **BUILD, tags="rc")


def answered(stage: Stage, step: str, path: str, fault: dict[str, Any], **inputs: str) -> int:
    stage.service.fault(path=path, **fault)
    return stage.step(step, **{**BUILD, **inputs})


def gated(stage: Stage, build: dict[str, Any], **thresholds: str) -> int:
    stage.service.reset(account(**build))
    return stage.step("promote", **{**THIS, "tags": "rc", "groups": "QA", **thresholds})


REFUSED = {"status": 400, "body": {"status": "fail", "code": 156, "message": "Not possible"}}
WRONG_KEY = {"APPDIST_API_KEY": "not-the-key-of-anybody"}
READER = {"APPDIST_EMAIL": "audit@northwind.example", "APPDIST_API_KEY": "nw-demo-key-0003"}
PROMOTE = {"to_folder": "/Release", "groups": "QA", "tags": "rc"}

# Of each row, in the order of its words: what provokes it, and the code if it is another one than the row's.
CAUSES: dict[int, list[tuple[str, Callable[[Stage], int] | str, int | None]]] = {
    0: [
        ("Everything that you asked for is done", lambda stage: stage.step("tag", **BUILD, tags="rc"), None),
        ("would be, in a dry run", lambda stage: stage.step("tag", **BUILD, tags="rc", dry_run="true"), None),
    ],
    1: [("Something that must not happen", a_bug, None)],
    2: [
        ("An input is missing", lambda stage: stage.step("tag", **BUILD), None),
        ("wrong", lambda stage: stage.step("copy", **BUILD, to_folder="/Release", if_exists="maybe"), None),
        ("names something that does not exist", lambda stage: stage.step("invite", **BUILD, groups="Nobody"), None),
        (
            "the machine does not let the step start: no suitable Python",
            "tests/bootstrap/test_which_python.py::test_no_python_at_all",
            None,
        ),
        ("a full disk", "tests/bootstrap/test_bad_temp.py::test_a_full_disk_is_no_index_out_of_reach", None),
        (
            "a directory mounted noexec",
            "tests/bootstrap/test_bad_temp.py::test_a_temp_without_programs_is_told_as_such",
            None,
        ),
        ("outputs that cannot be written", unwritable, None),
    ],
    3: [
        ("The service does not accept the credentials (401)", lambda stage: stage.step("find", WRONG_KEY), None),
        ("the role (403)", lambda stage: stage.step("tag", READER, **BUILD, tags="rc"), None),
        ("the identity provider issued no token", refusing_provider, None),
    ],
    4: [
        (
            "The service refused the request. The message has its code and what it means",
            lambda stage: answered(stage, "tag", "builds/", REFUSED, tags="rc"),
            None,
        ),
    ],
    5: [
        ("The service", lambda stage: stage.step("find", {"APPDIST_BASE_URL": nobody()}), None),
        ("the identity provider", lambda stage: by_provider(stage, f"{nobody()}/token"), None),
        (
            "the package index could not be reached",
            "tests/bootstrap/test_failed_install.py::test_an_index_out_of_reach",
            None,
        ),
        (
            "its response is invalid",
            lambda stage: answered(stage, "find", "builds/", {"status": 200, "body": "not JSON"}),
            None,
        ),
    ],
    6: [
        ("Some of it happened", lambda stage: answered(stage, "promote", "invites/", REFUSED, **PROMOTE), None),
        (
            "cannot be determined: the message says what did, what did not, and how to continue",
            lambda stage: answered(stage, "invite", "invites/", {"drop": "after"}, groups="QA"),
            None,
        ),
    ],
    7: [
        (
            "The build does not meet the gate's thresholds",
            lambda stage: gated(stage, {"crashes": 1}, max_crashes="0"),
            None,
        ),
    ],
    8: [
        (
            "Data is missing",
            lambda stage: gated(stage, {"shows_counters": {"crashes": None}}, max_crashes="0"),
            None,
        ),
        ("wait ended too soon", lambda stage: gated(stage, {}, min_sessions="50", wait="0s"), None),
    ],
    130: [
        ("The job was cancelled", lambda stage: stage.cancelled("find", f"GET /builds/{NEWEST_ANDROID}"), None),
        (
            "If it had written something",
            lambda stage: stage.cancelled("promote", "PATCH /builds/[0-9]+/", **PROMOTE),
            6,
        ),
        ("a copy", lambda stage: stage.cancelled("copy", "POST /copy", to_folder="/Release"), 6),
        (
            "an invitation was under way, the code is 6 instead",
            lambda stage: stage.cancelled("invite", "POST /invites/", groups="QA"),
            6,
        ),
        (
            "after an update alone it is 130: sending it again is safe",
            lambda stage: stage.cancelled("tag", f"PATCH /builds/{NEWEST_ANDROID}/", tags="rc"),
            130,
        ),
    ],
}
# What the messages of a row have, where the page promises it.
TOLD: dict[int, str] = {
    1: r"This is a bug in sauce-appdist .+: KeyError: 'tags' \(tag\.py:\d+\)",
    3: r"Keys differ per region|its role is Admin|Asking for a token: 127\.0\.0\.1:\d+ answers",
    4: r"code 156\): Not possible\. The account requires login",
    6: r"Done: .+ Not done: .+\nTo continue, |It is unknown whether .+ [Cc]heck ",
}
NOTHING = "Nothing was written"
ROWS = {int(row[0]): words(row[2]) for row in table(section("Exit codes"))[1:]}


def test_every_exit_code_has_a_row_and_every_row_is_provoked() -> None:
    expect_rows(map(str, ROWS), (str(int(code)) for code in ExitCode), "docs/reference/errors.md")
    expect_rows(map(str, CAUSES), map(str, ROWS), "CAUSES")


@pytest.mark.parametrize("code", ROWS)
def test_every_cause_in_a_row_is_provoked(code: int) -> None:
    left = uncovered(ROWS[code].replace(NOTHING, ""), [phrase for phrase, _, _ in CAUSES.get(code, [])])
    assert left == "", f"exit code {code}: nothing in CAUSES provokes {left!r}"


@pytest.mark.parametrize(
    ("row", "scenario", "expected"),
    [
        pytest.param(row, scenario, row if other is None else other, id=f"{row}-{phrase}")
        for row, causes in CAUSES.items()
        for phrase, scenario, other in causes
    ],
)
def test_a_step_ends_as_the_page_says(
    process: Process,
    service: Service,
    tmp_path: Path,
    row: int,
    scenario: Callable[[Stage], int] | str,
    expected: int,
) -> None:
    if isinstance(scenario, str):
        assert expects(scenario, expected)
        return
    stage = Stage(process, service, tmp_path)
    assert scenario(stage) == expected, stage.log
    assert "Traceback" not in stage.log
    assert re.search(TOLD.get(expected, ""), stage.log), stage.log
    if NOTHING in ROWS[row]:
        assert [one for one in service.writes if one.endswith(("/copy", "/invites/")) or "PATCH" in one] == []


def expects(node: str, code: int) -> bool:
    """Whether there is such a test, and it expects this exit code of a real run."""
    file, _, name = node.partition("::")
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name == name:
            numbers = [one.value for one in ast.walk(function) if isinstance(one, ast.Constant)]
            return any(number == code and number is not True for number in numbers)
    return False


# --- What the server says -----------------------------------------------------------------------------

SHAPES = {
    "message": "message",
    "error": "error",
    "with error_description": "OAuth",
    "as an object with a message": "error, an object",
    "errors, a list of texts": "errors, texts",
    "of objects with detail": "errors, detail",
    "or message": "errors, message",
    "detail and title (RFC 9457)": "problem details",
    "A page (its title": "a page with a title",
    "else its first words)": "a page without",
    "any other text": "a text",
}


def test_every_shape_that_the_page_names_is_read() -> None:
    """tests/wire/test_reasons.py lets a server answer in each of these."""
    text = words(section("What the server says"))
    named = text.partition("It is read in every known shape: ")[2].partition(" is quoted in part")[0]
    assert uncovered(named, list(SHAPES)) == ""
    assert set(SHAPES.values()) <= {*test_reasons.MESSAGES, *test_reasons.FOREIGN_BODIES}
    assert f'followed by "{test_reasons.FOREIGN}"' in text


# --- Retries ------------------------------------------------------------------------------------------


def test_every_cell_of_the_retries_is_what_a_server_counted() -> None:
    """tests/wire/test_retry_table.py counts the requests of each cell."""
    head, *rows = table(section("Retries"))
    assert head[1:] == [kind.value for kind in RequestKind]
    assert [row[0] for row in rows] == [fate.value for fate in Fate]
    counted: dict[tuple[str, str], set[str]] = {}
    for fate, retried in test_retry_table.EXPECTED.values():
        for call, kind in test_retry_table.KINDS.items():
            counted.setdefault((fate.value, kind.value), set()).add("retried" if call in retried else "no")
    shown = {(row[0], kind): {cell} for row in rows for kind, cell in zip(head[1:], row[1:], strict=True)}
    assert shown == counted


def test_the_limits_of_the_retries_are_those_of_the_code() -> None:
    text = words(section("Retries"))
    assert f"Retry-After is honoured up to {LONGEST_PAUSE:.0f} seconds" in text
    assert "Requests to the service are retried at most retries times, token requests twice" in text
    assert test_retry_table.RETRIES == 2  # as often as the table's test expects a token request
