"""What follows from a verdict, and what from a service that does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from gate.support import API, AUTH, BAD, CODES, JUNIT, OK, PATH, TRANSPORT, WORSE, Judge, account

if TYPE_CHECKING:
    from harness import Service


@pytest.mark.parametrize("ending", BAD)
@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize("what", ["fail", "warn", "pass"])
def test_what_follows_from_a_verdict(judge: Judge, service: Service, ending: str, mode: str, what: str) -> None:
    build, inputs = BAD[ending]
    service.reset(account(**build))
    done = judge(**inputs, gate_mode=mode, on_inconclusive=what)
    lenient = ending != "error" and (mode == "report" or (what != "fail" and ending != "failed"))
    assert done.code == (OK if lenient else CODES[ending])
    assert done.outputs["verdict"] == {"pending": "inconclusive"}.get(ending, ending)
    assert ("Continuing, as " in done.log) is lenient
    assert ("Warning: " in done.log) is (lenient and not (what == "pass" and mode == "enforce"))
    kinds = {child.tag for case in ET.parse(JUNIT).getroot().iter("testcase") for child in case}
    expected = "skipped" if lenient else "error"
    assert kinds == {{"failed": "failure", "error": "error"}.get(ending, expected)}


@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 401, "body": WORSE}, AUTH),
        ({"status": 403, "body": WORSE}, AUTH),
        ({"status": 404, "body": WORSE}, API),
        ({"status": 500, "body": WORSE}, API),
        ({"status": 503, "body": "Down"}, TRANSPORT),
        ({"status": 200, "body": "<html>"}, TRANSPORT),
        ({"drop": "before"}, TRANSPORT),
    ],
    ids=str,
)
def test_a_service_that_does_not_answer_is_no_pass(
    judge: Judge, service: Service, fault: dict[str, Any], code: int, mode: str
) -> None:
    service.reset(account())
    service.fault(path=f"{PATH}$", skip=1, times=None, **fault)
    done = judge(min_sessions="1", gate_mode=mode, on_inconclusive="pass", retries="0")
    assert done.code == code, done.log
    assert (done.outputs["verdict"], done.outputs["looks"], done.outputs["checks"]) == ("error", 0, {})
    assert done.outputs["judged-at"] is None
    assert done.outputs["reason"]
    assert done.outputs["sessions"] == 40  # from before
