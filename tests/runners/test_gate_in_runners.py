"""The examples of the gate, as they stand, in act and gitlab-ci-local. What GitHub and GitLab do otherwise is said."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from runners.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runners.support import Act, ActRun, GitLab, GitLabRun, Service

HOURLY, DEPLOY, GITLAB = (
    (ROOT / "examples" / f"{name}.yml").read_text("utf-8")
    for name in ("github-gate-hourly", "github-gate-deploy", "gitlab-gate")
)
CANDIDATE, BAD, COPY = "8920002", "8920003", "8920004"
STAKEHOLDERS = ["helen.ward@northwind.example", "david.cho@northwind.example"]
BLOCKER = "First match: blocker: the app closes when I book a bicycle"


def account(**changes: dict[str, Any]) -> dict[str, Any]:
    """The seed `gate`, some builds changed. Lives are over at once: nothing here is up to the clock."""
    path = ROOT / "core" / "appdist_emulator" / "seeds" / "gate.json"
    seed: dict[str, Any] = json.loads(path.read_text("utf-8"))
    seed["settings"]["life_speed"] = 1e9
    released, candidate, bad = seed["projects"][0]["builds"]
    for name, build in {"released": released, "candidate": candidate, "bad": bad}.items():
        build.update(changes.get(name, {}))
    return seed


def happens(service: Service, build_id: str, **event: Any) -> None:
    order = {"build_id": int(build_id), "speed": 1, "events": [{"after": 0, **event}]}
    service.ask("POST", "/_emulator/life", json=order)


# --- A required job before a deployment -----------------------------------------------------------


def impatient(example: str) -> str:
    """With the shortest pause between two looks that there is."""
    assert example.count("interval: 5m") == 1
    return example.replace("interval: 5m", "interval: 10s")


@contextmanager
def a_crowd_after_the_first_look(service: Service) -> Iterator[None]:
    """So that it takes a second look to pass, however slow the machine is."""
    over = threading.Event()

    def come() -> None:
        while not over.wait(0.1):
            log = service.ask("GET", "/_emulator/requests")
            if any(one["path"].endswith(f"/builds/{CANDIDATE}") for one in log):
                happens(service, CANDIDATE, after=1, sessions=260)
                return

    thread = threading.Thread(target=come)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_example_github_deploys_what_has_passed(act: Act, service: Service) -> None:
    service.reset(account())
    with a_crowd_after_the_first_look(service):
        run = act(impatient(DEPLOY), payload={"ref": "refs/tags/v2.4.0"})
    assert run.code == 0
    told = run.set_outputs("gate")
    assert (told["verdict"], told["looks"], told["sessions"], told["crash-rate"]) == ("passed", "2", "300", "0")
    (waited,) = [line for line in run.log("gate").splitlines() if " left: " in line]
    assert waited.endswith(
        " left: min-sessions 40, expected at least 100; "
        "max-crash-rate not judged yet, expected at most 1 % at 0.95 confidence"
    )
    assert run.summary.startswith("### ✅ Gate passed: Northwind Ferries 2.4.0 (2400)")
    assert "| max-crash-rate | ✅ passed | 0 % (0 in 300 sessions), at most 0.994 % at 0.95 |" in run.summary
    page = f"{service.url}/projects/6950110-northwindferries/builds/{CANDIDATE}"
    assert run.log("deploy").strip() == f"Deploying 2.4.0 (crash rate 0 in 300 sessions) - {page}"
    assert service.writes == []


def test_example_github_deploys_nothing_bad(act: Act, service: Service) -> None:
    service.reset(account())
    run = act(DEPLOY, event="workflow_dispatch", payload={"inputs": {"version": "2.5.0"}})
    assert (run.code, run.result("gate"), run.exit_code("gate")) == (1, "failure", 7)
    assert run.log("deploy") == ""
    told = run.set_outputs("gate")
    assert (told["verdict"], told["failed-checks"]) == ("failed", "feedback-block-pattern,min-sessions,max-crash-rate")
    (error,) = run.commands("error")
    assert BLOCKER in error
    assert run.summary.startswith("### ❌ Gate failed: Northwind Ferries 2.5.0 (2500)")
    assert "| feedback-block-pattern | ❌ failed | 1 of 1 | none with " in run.summary
    assert "| forbid-tags | ✅ passed | candidate | none of blocked |" in run.summary
    assert (service.writes, service.outbox) == ([], [])


def tagged(gitlab: GitLab, version: str, pipeline: str = GITLAB) -> GitLabRun:
    return gitlab(pipeline, variables={"CI_COMMIT_TAG": version})


def test_example_gitlab_deploys_what_has_passed(gitlab: GitLab, service: Service) -> None:
    service.reset(account())
    with a_crowd_after_the_first_look(service):
        run = tagged(gitlab, "2.4.0", impatient(GITLAB))
    assert (run.code, run.exit_code("gate-release")) == (0, 0)
    assert "promote-candidate" not in run.output
    outputs = run.outputs("gate-release")
    assert (outputs["verdict"], outputs["looks"], outputs["sessions"]) == ("passed", 2, 300)
    assert run.log("gate-release").count(" left: min-sessions 40, expected at least 100; ") == 1
    assert run.dotenv("gate-release")["APPDIST_VERDICT"] == "passed"
    page = f"{service.url}/projects/6950110-northwindferries/builds/{CANDIDATE}"
    log = run.log("deploy-release")
    assert f"\nDeploying 2.4.0 - {page}\n" in log
    assert log.endswith("\nCrash rate 0 in 300 sessions\n")
    assert service.writes == []


def test_example_gitlab_deploys_nothing_bad(gitlab: GitLab, service: Service) -> None:
    service.reset(account())
    run = tagged(gitlab, "2.5.0")
    assert (run.code, run.exit_code("gate-release")) == (1, 7)
    assert not (run.state / "output" / "deploy-release.log").exists()
    assert run.dotenv("gate-release")["APPDIST_FAILED_CHECKS"] == "feedback-block-pattern,min-sessions,max-crash-rate"
    # What GitLab makes of retries and of a report is up to GitLab: this runner does neither.
    assert run.job("gate-release")["retry"] == {"max": 2, "exit_codes": 5}
    (suite,) = ET.fromstring(run.report("gate-release", "junit"))
    states = {case.get("name"): [part.tag for part in case] for case in suite}
    assert states == {
        "min-age": ["system-out"],
        "min-testers": ["system-out"],
        "min-sessions": ["error"],
        "max-crash-rate": ["error"],
        "feedback-block-pattern": ["failure"],
        "forbid-tags": ["system-out"],
    }
    left = json.loads(run.artifact("gate-release", "appdist-gate.json"))
    assert (left["verdict"], left["build-id"], left["app-version"]) == ("failed", BAD, "2.5.0")
    assert BLOCKER in next(check["reason"] for check in left["checks"] if check["name"] == "feedback-block-pattern")
    assert (service.writes, service.outbox) == ([], [])


# --- Every hour -----------------------------------------------------------------------------------


def four_hours(service: Service, hour: Callable[[], int]) -> None:
    """The life of a candidate; `hour` runs the job and tells whether it is red."""
    service.reset(account(released={"tags": ["candidate"]}, candidate={"life": []}, bad={"tags": []}))

    assert hour() == 0, "nobody has used it yet, and the older candidate, which is good, is no reason to be red"
    assert (service.writes, service.outbox) == ([], [])

    happens(service, CANDIDATE, sessions=40)
    assert hour() == 0
    original, copy = service.build(CANDIDATE), service.build(COPY)
    assert (copy["folderPath"], copy["appName"]) == ("/Releases", "Northwind Ferries Releases")
    assert copy["appVersion"] == original["appVersion"] == "2.4.0"
    assert copy["tags"] == original["tags"] == ["candidate", "released"]
    assert [(mail["to"], mail["build_id"]) for mail in service.outbox] == [(to, COPY) for to in STAKEHOLDERS]

    # It finds the same build, and neither its copy, which is newer, nor the older candidate.
    projects, writes = service.state["projects"], len(service.writes)
    assert hour() == 0
    assert service.state["projects"] == projects
    assert service.writes[writes:] == []
    assert len(service.outbox) == len(STAKEHOLDERS)

    happens(service, BAD, update={"tags": ["candidate"]})
    projects, writes = service.state["projects"], len(service.writes)
    assert hour() == 1, "a bad candidate is red"
    assert (service.state["projects"], len(service.writes)) == (projects, writes)
    assert len(service.outbox) == len(STAKEHOLDERS)


def test_example_github_hourly(act: Act, service: Service) -> None:
    runs: list[ActRun] = []

    def hour() -> int:
        runs.append(act(HOURLY, event="schedule"))
        return runs[-1].code

    four_hours(service, hour)
    early, passed, again, bad = runs
    (warning,) = early.commands("warning")
    assert warning.startswith("Northwind Ferries 2.4.0 (2400): min-sessions is 0, expected at least 30")
    assert early.summary.startswith("### ❓ Gate inconclusive: Northwind Ferries 2.4.0 (2400)")
    assert "| min-sessions | ❓ inconclusive | 0 | at least 30 | Not met so far. |" in early.summary
    assert "Promot" not in early.summary
    assert "| max-crash-rate | ✅ passed | 0 % (0 in 40 sessions) | at most 1 % |" in passed.summary
    assert [run.set_outputs("promote").get("copied") for run in runs] == [None, "true", "false", None]
    assert "| invite | ✅ done | Stakeholders (2 testers); mailed to 2 testers |" in passed.summary
    assert "| invite | ⬜ not done | nobody: the copy already existed |" in again.summary
    assert {mail["comment"] for mail in service.outbox} == {"Version 2.4.0 has been released."}
    assert (bad.result("promote"), bad.exit_code("gate")) == ("failure", 7)
    assert BLOCKER in bad.summary


@pytest.mark.parametrize("service", ["compat"], indirect=True)
def test_example_github_hourly_where_the_service_shows_no_sessions(act: Act, service: Service) -> None:
    """The other dialect: nothing can be said of crashes there, so nothing is ever promoted."""
    service.reset(account(bad={"tags": []}))
    run = act(HOURLY, event="schedule")
    assert run.code == 0
    told = run.set_outputs("gate")
    assert (told["verdict"], told["failed-checks"]) == ("inconclusive", "min-sessions,max-crash-rate")
    assert "| forbid-tags | ✅ passed | candidate | none of blocked |" in run.summary
    assert "The service does not report the sessions." in run.summary
    assert (service.writes, service.outbox) == ([], [])


def test_example_gitlab_hourly(gitlab: GitLab, service: Service) -> None:
    runs: list[GitLabRun] = []

    def hour() -> int:
        runs.append(gitlab(GITLAB, variables={"CI_PIPELINE_SOURCE": "schedule"}))
        # Where some failures are allowed, this runner calls every pipeline green and goes on with the next stage.
        return int(runs[-1].exit_code("promote-candidate") not in {0, 8})

    four_hours(service, hour)
    assert [run.exit_code("promote-candidate") for run in runs] == [8, 0, 0, 7]
    assert ["Invited Stakeholders" in run.log("promote-candidate") for run in runs] == [False, True, False, False]
    assert [run.dotenv("promote-candidate").get("APPDIST_COPIED") for run in runs] == [None, "true", "false", None]
    assert not any("gate-release" in run.output for run in runs)
    for run in runs:
        job = run.job("promote-candidate")
        assert (job["retry"], job["allow_failure"]) == ({"max": 2, "exit_codes": 5}, {"exit_codes": 8})
        ET.fromstring(run.report("promote-candidate", "junit"))
