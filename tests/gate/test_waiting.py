"""The gate while it waits: what it tells, and what ends the wait."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from gate.support import (
    API,
    AUTH,
    BAD,
    CODES,
    COVER,
    FAILED,
    GET_BUILD,
    GET_GROUPS,
    INCONCLUSIVE,
    JSON,
    JUNIT,
    OK,
    OVER,
    PATH,
    QA,
    TRANSPORT,
    TWICE,
    WORSE,
    Watch,
    account,
    agree,
    before,
    down,
    played,
    shows,
    upload_again,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness import Service


def test_it_waits_until_there_is_enough(watch: Watch, service: Service, tmp_path: Path) -> None:
    service.reset(account(sessions=0, testers=0))
    done = watch(
        None,
        played(service, {"sessions": 30}),
        None,
        None,
        played(service, {"sessions": 10, "testers": [QA[3]]}),
        min_sessions="40",
        max_crash_rate="1%",
        min_coverage="25%",
        **COVER,
        wait="1h",
    )
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (OK, "passed", 6)
    assert (done.outputs["sessions"], done.outputs["crash-rate"]) == (40, "0")
    assert len(done.progress) == 2, done.log  # nothing, then thirty sessions; the last look is told by the verdict
    assert re.search(
        r"^\d\d:\d\d:\d\d UTC, (1h|59m \d+s) left: min-sessions 0, expected at least 40; ", done.progress[0]
    )
    assert (
        "min-sessions 30, expected at least 40; max-crash-rate not judged yet, expected at most 1 %" in done.progress[1]
    )
    assert "min-coverage" not in done.progress[1]
    assert all(10 <= pause <= 120 for pause in done.pauses)
    assert service.sent.count(GET_GROUPS) == 1
    assert service.sent.count(GET_BUILD) == 1 + 6
    assert service.writes == []
    agree(done.outputs, tmp_path)


def test_an_age_is_told_once(watch: Watch, service: Service) -> None:
    service.reset(account())
    done = watch(None, None, OVER, min_age="48h", wait="1h", on_inconclusive="pass")
    assert (done.code, len(done.progress)) == (OK, 1), done.log


def test_it_says_since_when_a_check_is_so(watch: Watch, service: Service) -> None:
    service.reset(account())
    done = watch(played(service, {"sessions": 1}), OVER, min_sessions="41", min_downloads="7", wait="1h")
    since = {name: check["since"] for name, check in done.outputs["checks"].items()}
    assert since["min-downloads"] < since["min-sessions"] < done.outputs["judged-at"]


def test_when_the_time_is_over_it_is_inconclusive(watch: Watch, service: Service, tmp_path: Path) -> None:
    service.reset(account())
    done = watch(None, OVER, min_sessions="41", min_downloads="1", wait="1h")
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (INCONCLUSIVE, "inconclusive", 3)
    assert done.outputs["failed-checks"] == ["min-sessions"]
    assert done.outputs["checks"]["min-sessions"]["state"] == "inconclusive"
    assert done.outputs["checks"]["min-sessions"]["reason"] == "Not met so far."
    assert "min-sessions is 40, expected at least 41" in done.log
    agree(done.outputs, tmp_path)


@pytest.mark.parametrize(
    ("event", "check"),
    [
        ({"sessions": 1, "crashes": 1}, "max-crashes"),
        ({"feedback": {"tester": QA[1], "text": "blocker: no sound"}}, "feedback-block-pattern"),
        ({"update": {"tags": ["blocked"]}}, "forbid-tags"),
        ({"reupload": True}, "same-build"),
    ],
    ids=str,
)
def test_a_failure_ends_the_wait_at_once(
    watch: Watch, service: Service, event: dict[str, Any], check: str, tmp_path: Path
) -> None:
    service.reset(account())
    inputs = {"max_crashes": "0", "feedback_block_pattern": "blocker", "forbid_tags": "blocked", "min_downloads": "99"}
    done = watch(None, played(service, event), **inputs, wait="1h", on_inconclusive="pass")
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (FAILED, "failed", 3)
    assert done.outputs["failed-checks"][0] == check
    agree(done.outputs, tmp_path)


def test_uploaded_anew_is_told_and_in_report_mode_too(watch: Watch, service: Service, tmp_path: Path) -> None:
    service.reset(account())
    done = watch(lambda: upload_again(service), min_downloads="99", wait="1h", gate_mode="report")
    assert (done.code, done.outputs["verdict"]) == (OK, "failed")
    assert "The build was uploaded again meanwhile: testers used another file" in done.outputs["reason"]
    agree(done.outputs, tmp_path)


def test_it_waits_for_the_pending_though_something_else_cannot_be_told(watch: Watch, service: Service) -> None:
    service.reset(account(shows=[]))
    inputs = {"require_tags": "rc", "min_sessions": "41", "wait": "1h"}
    done = watch(None, played(service, {"sessions": 1}), **inputs, on_inconclusive="warn")
    assert (done.code, done.outputs["failed-checks"], done.outputs["looks"]) == (OK, ["require-tags"], 3)
    crash = played(service, {"sessions": 1, "crashes": 1})
    assert (
        watch(crash, **{**inputs, "min_sessions": "99"}, max_crashes="0", gate_mode="report").outputs["verdict"]
        == "failed"
    )
    # Where the job fails in any case, it does so at once.
    service.reset(account(shows=[]))
    assert watch(**inputs).outputs["failed-checks"] == ["min-sessions", "require-tags"]


@pytest.mark.parametrize("ending", ["failed", "inconclusive", "error"])
def test_it_does_not_wait_for_what_will_not_change(watch: Watch, service: Service, ending: str) -> None:
    build, inputs = BAD[ending]
    service.reset(account(**build))
    done = watch(**inputs, wait="30d")
    assert (done.code, done.outputs["looks"]) == (CODES[ending], 1)


def test_it_does_not_wait_for_an_age_that_takes_longer(watch: Watch, service: Service) -> None:
    service.reset(account())  # 26 hours old
    done = watch(min_age="30h", min_sessions="99", wait="2h")
    assert (done.code, done.outputs["looks"]) == (INCONCLUSIVE, 1)
    assert re.search(r"\((4h|3h 59m \d+s) to go\)", done.outputs["reason"])
    assert "That takes longer than wait: run this again later." in done.log
    assert watch(OVER, min_age="27h", wait="2h").outputs["looks"] == 2
    assert watch(OVER, min_age="30h", wait="2h", on_inconclusive="warn").outputs["looks"] == 2


def test_enough_looks_in_a_row_must_pass(watch: Watch, service: Service) -> None:
    service.reset(account())
    done = watch(None, **TWICE)
    assert (done.code, done.outputs["looks"]) == (OK, 2)
    assert "left: passed, 1 of 2 looks in a row" in done.progress[0]


def less(service: Service) -> Callable[[], None]:
    return lambda: service.fault(path=f"{PATH}$", status=200, body=shows(service, sessions=39))


@pytest.mark.parametrize("between", [less, down], ids=["pending", "no answer"])
def test_a_row_of_passes_begins_anew_after(
    watch: Watch, service: Service, between: Callable[[Service], Callable[[], None]]
) -> None:
    service.reset(account())
    done = watch(between(service), None, None, **TWICE)
    assert (done.code, done.outputs["looks"]) == (OK, 3 if between is down else 4)


def test_too_few_passes_in_time_are_no_pass(watch: Watch, service: Service, tmp_path: Path) -> None:
    service.reset(account())
    done = watch(None, OVER, **{**TWICE, "consecutive_passes": "4"})
    assert (done.code, done.outputs["verdict"]) == (INCONCLUSIVE, "inconclusive")
    assert "The checks passed, but not in 4 looks in a row" in done.outputs["reason"]
    assert json.loads((tmp_path / JSON).read_text("utf-8"))["verdict"] == "inconclusive"


def test_too_few_passes_do_not_look_like_a_pass_in_a_merge_request(
    watch: Watch, service: Service, tmp_path: Path
) -> None:
    service.reset(account())
    watch(OVER, **{**TWICE, "consecutive_passes": "4"})
    root = ET.parse(tmp_path / JUNIT).getroot()
    assert (root.get("failures"), root.get("errors")) != ("0", "0")


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"body": {"status": "fail", "code": 7, "message": "Down"}},
        {"status": 500, "body": WORSE | {"code": 7}},
        {"status": 429},
        {"status": 200, "body": "<html>"},
        {"status": None, "body": None, "drop": "after"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", [f"{PATH}$", "/sessions/$", "/feedbacks/$"])
def test_a_service_that_is_down_for_a_moment(watch: Watch, service: Service, path: str, fault: dict[str, Any]) -> None:
    service.reset(account(sessions=39))
    wanted = {"min_sessions": "40", "min_devices": "1", "max_feedbacks": "1", "wait": "1h"}
    broken = down(service, path=path, times=2, **fault)
    done = watch(broken, None, played(service, {"sessions": 1}), max_consecutive_errors="3", **wanted)
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (OK, "passed", 2), done.log
    assert done.log.count(" Looking again in ") == 2


def test_errors_that_are_not_in_a_row_do_not_add_up(watch: Watch, service: Service) -> None:
    service.reset(account(sessions=0, testers=0))
    story = [down(service), None] * 4 + [played(service, {"sessions": 40})]
    done = watch(*story, min_sessions="40", max_consecutive_errors="2", wait="1h")
    assert (done.code, done.outputs["looks"]) == (OK, 6)


@pytest.mark.parametrize("mode", ["enforce", "report"])
@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ({}, TRANSPORT, "HTTP 503"),
        ({"body": {"status": "fail", "code": 7, "message": "Down"}}, API, "the service refused (HTTP 503, code 7)"),
        ({"status": None, "body": None, "drop": "before"}, TRANSPORT, "the connection to"),
    ],
)
def test_too_many_errors_in_a_row_end_it_with_their_own_code(
    watch: Watch, service: Service, fault: dict[str, Any], code: int, said: str, mode: str, tmp_path: Path
) -> None:
    service.reset(account())
    broken = down(service, times=None, **fault)
    inputs = {"min_sessions": "41", "max_consecutive_errors": "3", "wait": "1h", "on_inconclusive": "pass"}
    done = watch(broken, None, None, **inputs, gate_mode=mode)
    assert done.code == code
    assert (done.outputs["verdict"], done.outputs["looks"]) == ("error", 1)
    assert said in done.outputs["reason"]
    assert done.outputs["checks"]["min-sessions"]["observed"] == "40"  # as it was seen last
    agree(done.outputs, tmp_path)


def test_an_error_when_the_time_is_over_is_that_error(watch: Watch, service: Service) -> None:
    service.reset(account())
    broken = down(service, times=None)
    done = watch(broken, OVER, min_sessions="41", wait="1h", max_consecutive_errors="9")
    assert (done.code, done.outputs["verdict"]) == (TRANSPORT, "error")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 401, "body": WORSE}, AUTH),
        ({"status": 403, "body": WORSE}, AUTH),
        ({"status": 404, "body": WORSE | {"code": 404}}, API),
        ({"status": 400, "body": WORSE}, API),
    ],
    ids=str,
)
def test_what_waiting_cannot_mend_ends_it_at_once(
    watch: Watch, service: Service, fault: dict[str, Any], code: int, tmp_path: Path
) -> None:
    service.reset(account())
    done = watch(down(service, **fault), min_sessions="41", wait="1h", max_consecutive_errors="9")
    assert (done.code, done.outputs["verdict"], done.outputs["looks"]) == (code, "error", 1)
    agree(done.outputs, tmp_path)


def test_a_build_that_is_gone_is_no_pass(watch: Watch, service: Service) -> None:
    service.reset(account(before()))
    done = watch(played(service, {"delete": True}), on_inconclusive="pass", **TWICE)
    assert (done.code, done.outputs["verdict"]) == (API, "error")
