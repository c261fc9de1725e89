"""On GitHub: outputs, masks, annotations and the summary."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ci.support import EVIL, GITHUB, PROMOTE, commands, evil
from harness import ANDROID, API_KEY, NEWEST_ANDROID, Process, Service, github_outputs
from sauce_appdist.ci.github import summary
from sauce_appdist.ci.report import Fact, PartResult, Report
from sauce_appdist.errors import InputError
from sauce_appdist.steps import STEPS, load
from sauce_appdist.text import markdown

# --- GitHub -----------------------------------------------------------------------------------------


def test_github_outputs_and_summary(process: Process, service: Service) -> None:
    done = process("promote", env=GITHUB | PROMOTE)
    assert done.code == 0, done.log
    assert set(done.outputs) == set(load("promote").Outputs().values())
    assert done.outputs["release-notes"] == "Line 1\nLine 2 🎉"
    assert (done.outputs["copied"], done.outputs["dry-run"], done.outputs["failed-step"]) == ("true", "false", "")
    page = done.files["summary.md"]
    assert page.startswith("### ✅ Promoted Northwind Travel 4.3.0 (4300) for Android (com.northwind.travel)\n")
    copy = f"{service.url}/projects/6940503-northwindtravel/builds/8911080"
    for part in (
        f"| **Copied to** | [/QA: build 8911080 in project 6940503]({copy}) |",
        "| **Tags** | rc |",
        "| **Invited** | QA (3 testers); mailed to 3 testers |",
        "| copy | ✅ done | Northwind Travel 4.3.0 (4300) to QA |",
        "Line 1\nLine 2 🎉",
    ):
        assert part in page


def test_github_masks_before_anything_else_is_said(process: Process) -> None:
    done = process("tag", env=GITHUB | {"APPDIST_TAGS": "rc", "APPDIST_DEBUG": "true"})
    lines = done.text.splitlines()
    assert lines[0] == f"::add-mask::{API_KEY}"
    rest = "\n".join(line for line in lines if not line.startswith("::add-mask::"))
    assert API_KEY not in rest + str(done.files)


@pytest.mark.parametrize("step", STEPS)
def test_github_failure_has_its_annotation_its_outputs_and_its_summary(process: Process, step: str) -> None:
    done = process(step, env={"GITHUB_ACTIONS": "true", "APPDIST_REGION": "mars"})
    assert done.code == 2
    assert "::error title=Wrong input::region is 'mars'" in done.text
    assert set(done.outputs) == set(load(step).Outputs().values())
    assert "❌" in done.files["summary.md"]
    assert "region is 'mars'" in done.files["summary.md"]


def test_a_promotion_that_stops_half_way_is_told_in_the_summary(process: Process, service: Service) -> None:
    service.fault(path="/invites/$", status=400, body={"status": "fail", "code": 99, "message": "No permissions"})
    done = process("promote", env=GITHUB | PROMOTE)
    assert done.code == 6
    assert done.outputs["promoted-build-id"] == "8911080"
    page = done.files["summary.md"]
    assert "### ❌ Promotion stopped at invite" in page
    assert "| copy | ✅ done |" in page
    assert "| invite | ❌ failed |" in page
    assert "run promote with project-id: 6940503, build-id: 8911080 (the copy)" in page


def test_what_the_service_says_cannot_speak_to_github(process: Process, service: Service) -> None:
    evil(service)
    for _ in range(2):
        done = process("find", env=GITHUB | {"APPDIST_DEBUG": "true"})
        assert done.code == 0, done.log
        assert all(line.startswith(("::add-mask::", "::group", "::endgroup")) for line in commands(done.text)), (
            done.text
        )
        assert done.outputs["app-name"] == EVIL  # unharmed, and in its place
        assert done.outputs["build-id"] == NEWEST_ANDROID
        rows = [line for line in done.files["summary.md"].splitlines() if line.startswith("|")]
        assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in rows), rows
        assert "<b>" not in re.sub(r"\\<", "", "".join(rows))
        service.fault(path=".*", times=1, status=400, body={"status": "fail", "code": 7, "message": EVIL})
        failed = process("tag", env=GITHUB | {"APPDIST_TAGS": "x"})
        assert failed.code == 4
        assert [line.split(" ")[0] for line in commands(failed.text) if "add-mask" not in line] == ["::error"]


@given(st.text(), st.text(), st.sampled_from(["done", "failed", "unknown"]))
def test_no_text_breaks_the_summary(label: str, text: str, state: Any) -> None:
    report = Report(text, [Fact("Label", text, "https://x.example/")], [PartResult("copy", state, text)], text)
    report.problem = InputError(text)
    lines = summary(report).split("\n")
    rows = [line for line in lines if line.startswith(("| **Label", "| copy"))]
    assert len(rows) >= 2
    assert all(row.endswith("|") for row in rows[:1])
    assert "|" not in re.sub(r"\\.", "", markdown(label))


def test_long_notes_are_cut_in_the_summary_only(process: Process, service: Service) -> None:
    notes = "🎉 Zeile\n" * 9500
    done = process("annotate", env=GITHUB | {"APPDIST_RELEASE_NOTES": notes})
    assert done.code == 0, done.log
    assert len(notes.encode()) > 100_000
    assert done.outputs["release-notes"] == notes
    assert service.build(ANDROID, NEWEST_ANDROID)["changelog"] == notes
    assert len(done.files["summary.md"]) < 6000


def test_the_reader_of_output_files_is_strict() -> None:
    assert github_outputs("a<<E\n1\n2\nE\nb<<F\n\nF\n") == {"a": "1\n2", "b": ""}
