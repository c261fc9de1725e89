"""The reports: readable whatever is in them, and never greener than the gate."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from sauce_appdist.verdict.checks import Check, CheckState
from sauce_appdist.verdict.reports import describe_check, json_report, junit

AT = datetime(2026, 3, 10, 12, 30, 5, tzinfo=UTC)
STATES = ["passed", "pending", "inconclusive", "error", "failed"]
TEXT = st.text(st.characters(codec=None))  # surrogates and control characters as well
CASES = st.lists(st.tuples(st.sampled_from(["max-crashes", "min-age"]), st.sampled_from(STATES), TEXT), max_size=6)
HARD = ["]]>", "<b>&amp;\"'</b>", "\0\x01\x1b[31m", "\ud800", "\ufffe\uffff", "a\r\nb\tc", "🎉 ünï", "::error::x", ""]


def parsed(xml: str) -> ET.Element:
    """As a tool reads it: bytes, by the encoding that its first line names."""
    assert xml.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    return ET.fromstring(xml.encode("utf-8"))


@given(TEXT, TEXT, CASES, st.booleans())
def test_whatever_is_in_it_can_be_read(
    title: str, classname: str, cases: list[tuple[str, str, str]], strict: bool
) -> None:
    root = parsed(junit(title, classname, cases, inconclusive_is_error=strict, at=AT))
    [inside] = root
    expected = {"passed": "system-out", "failed": "failure", "error": "error"}
    kinds = [expected.get(state, "error" if strict else "skipped") for _, state, _ in cases]
    assert [[child.tag for child in case] for case in inside] == [[kind] for kind in kinds]
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert {root.get(name), inside.get(name)} == {str(kinds.count(tag))}
    assert {root.get("tests"), inside.get("tests")} == {str(len(kinds))}
    assert inside.get("timestamp") == "2026-03-10T12:30:05"


@pytest.mark.parametrize("text", HARD, ids=ascii)
def test_a_text_stays_as_it_is_or_is_replaced_sign_by_sign(text: str) -> None:
    [[good, bad]] = parsed(
        junit(text, text, [("a", "passed", text), ("b", "failed", text)], inconclusive_is_error=True, at=AT)
    )
    shown = "".join("\ufffd" if ord(one) < 9 or one in "\x1b\ud800\ufffe\uffff" else one for one in text)
    read = shown.replace("\r\n", "\n")  # as every XML reader does, but in attributes
    assert (good[0].text or "", bad[0].text or "") == (read, read)
    assert bad[0].get("message") == shown
    assert good.get("classname") == bad.get("classname") == shown


@given(TEXT, st.sampled_from(CheckState))
def test_the_json_report_has_the_verdict_and_every_check(text: str, state: CheckState) -> None:
    check = Check("max-crashes", state, "1", "at most 0", text)
    written = json_report(
        verdict="failed",
        reason=text,
        build={"project-id": "1", "build-id": "7"},
        began=AT,
        judged_at=None,
        looks=2,
        checks={check.name: describe_check(check, AT)},
    )
    assert written.endswith("}\n")
    assert list(json.loads(written).items()) == [
        ("verdict", "failed"),
        ("reason", text),
        ("project-id", "1"),
        ("build-id", "7"),
        ("began-at", "2026-03-10T12:30:05Z"),
        ("judged-at", None),
        ("looks", 2),
        (
            "checks",
            [
                {
                    "name": "max-crashes",
                    "state": str(state),
                    "observed": "1",
                    "threshold": "at most 0",
                    "reason": text,
                    "since": "2026-03-10T12:30:05Z",
                }
            ],
        ),
    ]
