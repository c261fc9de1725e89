"""The contents of the reports: JSON for scripts, JUnit XML for GitLab's merge requests and test reporters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sauce_appdist.text import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sauce_appdist.verdict.checks import Check

# Characters that XML 1.0 cannot represent.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def utc_text(at: datetime) -> str:
    """A time in UTC as outputs and reports have it: `2026-03-10T12:30:05Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def describe_check(check: Check, since: datetime) -> dict[str, str]:
    """A check as outputs and reports have it, apart from its name; `since` is when it entered its state, in UTC."""
    return {
        "state": str(check.state),
        "observed": check.observed,
        "threshold": check.threshold,
        "reason": check.reason,
        "since": utc_text(since),
    }


def json_report(
    *,
    verdict: str,
    reason: str,
    build: Mapping[str, str],
    began: datetime,
    judged_at: str | None,
    looks: int,
    checks: Mapping[str, Mapping[str, str]],
) -> str:
    """The JSON report. `build` has the outputs that identify the build, `checks` those of `describe_check` by name.

    `judged_at` is the time of the last look, None if there was none.
    """
    report = {
        "verdict": verdict,
        "reason": reason,
        **build,
        "began-at": utc_text(began),
        "judged-at": judged_at,
        "looks": looks,
        "checks": [{"name": name, **described} for name, described in checks.items()],
    }
    return json_text(report) + "\n"


def junit(
    title: str, classname: str, cases: Sequence[tuple[str, str, str]], *, inconclusive_is_error: bool, at: datetime
) -> str:
    """The JUnit report: one suite. A case is a name, a state and a text.

    `failed` is a failure and `passed` a success; any other state is an error, or skipped without
    `inconclusive_is_error`.
    """
    from xml.etree import ElementTree as ET  # a promotion without a gate writes no report

    kinds = {"passed": "", "failed": "failure", "error": "error"}
    doubtful = "error" if inconclusive_is_error else "skipped"
    listed = [(name, kinds.get(state, doubtful), text) for name, state, text in cases]
    totals = {"tests": str(len(listed))}
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        totals[name] = str(sum(found == kind for _, found, _ in listed))
    root = ET.Element("testsuites", {"name": "sauce-appdist", **totals, "time": "0"})
    about = {"name": _writable(title), **totals, "time": "0", "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S")}
    suite = ET.SubElement(root, "testsuite", about)
    for name, kind, text in listed:
        case = ET.SubElement(suite, "testcase", {"classname": _writable(classname), "name": name, "time": "0"})
        if kind:
            ET.SubElement(case, kind, {"message": _writable(text)}).text = _writable(text)
        else:
            ET.SubElement(case, "system-out").text = _writable(text)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
