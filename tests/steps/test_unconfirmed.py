"""What a newer server may do instead of what it is asked: nothing is called done that it does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from harness import ANDROID, BUILD, NEWEST_ANDROID, Outcome, Process, Run, Service, expect_rows
from sauce_appdist.steps import STEPS
from steps.support import GET_BUILD, GET_GROUPS, TAG_BUILD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_httpserver import HTTPServer

DIALECTS = ["compat"]
QA = {f"{name}@northwind.example" for name in ("mara.lindholm", "tomas.vega", "ines.okafor")}
ALL = {
    "release_notes": "New seats & rails",
    "metadata": "ticket=APP-1",
    "landing_page_mode": "open",
    "permission_groups": "Beta Testers",
    "tags": "rc",
}
MAIL = {"groups": "QA", "notify": "true"}
MEANT = {**MAIL, "allow_notify_everybody": "true"}


def choose(service: Service, **settings: Any) -> None:
    """Let the emulator be the newer server in one of the ways in which it may be."""
    requests.post(f"{service.url}/_emulator/settings", json=settings, timeout=10).raise_for_status()


def invited(service: Service) -> bool:
    return any(one.endswith("/invites/") for one in service.sent)


# --- Every step with every setting ----------------------------------------------------------------------------------

SETTINGS: dict[str, dict[str, Any]] = {
    "as classic": {},
    "invites everybody": {"invites": "everybody"},
    "always mails everybody": {"invites": "everybody-always"},
    "drops": {"updates": "drop"},
    "drops and hides": {"updates": "drop-and-hide"},
    "has no feedbacks": {"feedbacks": "stub"},
    "hides reasons": {"reasons": "hidden"},
    "has no v3": {"v3": False},
    "keeps no files": {"storage": False},
    "takes no Basic": {"basic_auth": False},
    "everything at once": {"invites": "everybody-always", "updates": "drop-and-hide", "feedbacks": "stub", "v3": False},
}
# The step, its inputs, its exit code, and where that differs by setting.
RUNS: dict[str, tuple[str, dict[str, str], int, dict[str, int]]] = {
    "check": ("check", {}, 0, {}),
    "find": ("find", BUILD, 0, {}),
    "gate": ("gate", {**BUILD, "max_feedbacks": "0"}, 0, {"has no feedbacks": 8, "everything at once": 8}),
    "tag": ("tag", {**BUILD, "tags": "rc"}, 0, {}),
    "tag, add": ("tag", {**BUILD, "tags": "rc", "tags_mode": "add"}, 0, {}),
    "annotate": ("annotate", {**BUILD, **ALL}, 0, {"drops": 6}),
    "annotate, notes": ("annotate", {**BUILD, "release_notes": "N"}, 0, {}),
    "copy": ("copy", {**BUILD, "to_folder": "QA"}, 0, {}),
    "invite": ("invite", {**BUILD, "groups": "QA"}, 0, {}),
    "invite, mail": ("invite", {**BUILD, **MAIL}, 2, {}),
    "invite, mail everybody": ("invite", {**BUILD, **MEANT}, 0, {}),
    "promote": (
        "promote",
        {**BUILD, **ALL, **MEANT, "to_folder": "QA", "source_tags": "promoted"},
        0,
        {"drops": 6, "drops and hides": 6, "everything at once": 6},
    ),
    "promote, tags": ("promote", {**BUILD, "to_folder": "QA", "tags": "rc", "groups": "QA"}, 0, {}),
    "promote, mail": ("promote", {**BUILD, "tags": "rc", **MAIL}, 2, {}),
}


def test_every_step_is_here() -> None:
    expect_rows({step for step, *_ in RUNS.values()}, STEPS, "RUNS, tests/steps/test_unconfirmed.py")


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", RUNS)
def test_no_output_claims_what_the_service_does_not_have(run: Run, service: Service, name: str, setting: str) -> None:
    step, inputs, code, other = RUNS[name]
    choose(service, **SETTINGS[setting])
    before = service.state
    done = run(step, **inputs)
    assert done.code == (3 if setting == "takes no Basic" else other.get(setting, code)), done.log
    if done.code not in {0, 6}:
        assert service.state == before
    agrees(done, service)


def agrees(done: Outcome, service: Service) -> None:
    """Fail if an output, or the line that says what was written, says anything that the service does not have."""
    out = {name: value for name, value in done.outputs.items() if value is not None}
    project, build = out.get("promoted-project-id", ANDROID), out.get("promoted-build-id", NEWEST_ANDROID)
    there = service.build(project, build)
    if "changed" in out:
        held = {"tags": there["tags"], "release-notes": there["changelog"], "metadata": there["metadata"]}
        held |= {"permission-groups": there["groups"], "landing-page-mode": there["landingPageMode"]}
        if invited(service):  # who is invited may install, too
            held["permission-groups"] = [one for one in there["groups"] if one in out.get("permission-groups", [])]
        assert {name: out[name] for name in held if name in out} == {name: held[name] for name in held if name in out}
    wrote = next((line for line in done.log.splitlines() if line.startswith(f"Wrote to build {build}")), "")
    assert ("permission groups" in wrote) <= ("Beta Testers" in there["groups"])
    assert ("landing page" in wrote) <= (there["landingPageMode"] == "open")
    assert ("metadata" in wrote) <= (there["metadata"].get("ticket") == "APP-1")
    mailed = {mail["to"] for mail in service.outbox}
    assert out.get("notified") in {None, "unknown", *([False] if not mailed else []), *([True] if mailed == QA else [])}
    if out.get("invited-groups"):
        assert invited(service)


# --- E1: an invitation may mail every tester of the app -------------------------------------------------------------


@pytest.mark.parametrize("notify", ["true", "first-attempt", "if-copied"])
@pytest.mark.parametrize("attempt", ["1", "2"])
@pytest.mark.parametrize("dry_run", ["false", "true"])
def test_notify_is_refused_unless_everybody_is_meant(
    run: Run, service: Service, notify: str, attempt: str, dry_run: str
) -> None:
    choose(service, invites="everybody")
    inputs = {**BUILD, "groups": "QA", "notify": notify, "dry_run": dry_run}
    env = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ATTEMPT": attempt}
    for step, more in (("invite", {}), ("promote", {"to_folder": "RC", "tags": "rc"})):
        if (step, notify) == ("invite", "if-copied"):
            continue
        done = run(step, env=env, **inputs, **more)
        assert done.code == 2
        assert f"notify is {notify}, but this is a newer server, which may mail every tester of the app" in done.log
        assert "set allow-notify-everybody: true" in done.log
        assert done.outputs.get("failed-step", "check") == "check"
    assert (service.writes, service.outbox) == ([], [])


@pytest.mark.parametrize("step", ["invite", "promote"])
def test_that_everybody_may_be_mailed_is_said_before(process: Process, service: Service, step: str) -> None:
    choose(service, invites="everybody")
    env = {f"APPDIST_{name.upper()}": text for name, text in {**BUILD, **MEANT}.items()}
    done = process(step, env={**env, "GITHUB_ACTIONS": "true", "APPDIST_DEBUG": "true"})
    assert done.code == 0, done.log
    said = "it may invite every tester of the app, not only those of groups, and mail them"
    assert done.text.index(said) < done.text.index("debug: POST")
    assert len(service.outbox) > len(QA)
    assert (done.outputs["notified"], done.outputs["invited-groups"]) == ("unknown", "QA")
    invited_row = "| **Invited** | QA (3 testers); every tester of the app may have been invited and mailed |"
    assert invited_row in done.files["summary.md"]
    assert "mailed to" not in done.files["summary.md"] + done.text


@pytest.mark.parametrize("step", ["invite", "promote"])
def test_without_notify_it_still_says_that_more_may_be_invited(run: Run, service: Service, step: str) -> None:
    choose(service, invites="everybody-always")
    done = run(step, **BUILD, groups="QA")
    assert done.code == 0
    assert "it may invite every tester of the app, not only those of groups, and may mail them although" in done.log
    assert done.outputs["notified"] == "unknown"
    assert service.outbox  # so "false" would have been wrong


@pytest.mark.parametrize("found", [BUILD, {"package_name": "a.b", "build_id": "latest"}], ids=["ids", "search"])
@pytest.mark.parametrize("step", ["invite", "promote"])
def test_a_server_that_announces_nothing_is_known_by_the_build(
    run: Run, server: HTTPServer, step: str, found: dict[str, str]
) -> None:
    """The list of groups is the same everywhere: it is the build that shows it, before the invitation is sent."""
    group = {"id": "12", "name": "QA", "testers": [[{"email": "a@example.com"}]]}
    project = {"id": ANDROID, "name": "App", "packageName": "a.b", "platform": "Android"}
    build = {"id": NEWEST_ANDROID, "appVersion": "1", "comment": "", "tags": [], "platform": "Android"}
    builds = f"/api/1/projects/{ANDROID}/builds/"
    for path, answer in (
        ("/api/1/testers/groups", {"groups": [group]}),
        ("/api/1/projects/", {"projects": [project]}),
        (builds, {"builds": [build]}),
        (f"{builds}{NEWEST_ANDROID}", {"build": build}),
    ):
        server.expect_request(path, method="GET").respond_with_json({"status": "ok", **answer})
    done = run(step, **found, **MAIL, base_url=server.url_for(""))
    assert done.code == 2
    assert "but this is a newer server, which may mail every tester of the app" in done.log
    assert {request.method for request, _ in server.log} == {"GET"}


def test_an_answer_that_is_lost_leaves_unknown_whom_it_mailed(run: Run, service: Service) -> None:
    choose(service, invites="everybody-always")
    service.fault(path="/invites/$", drop="after")
    done = run("invite", **BUILD, groups="QA")
    assert (done.code, done.outputs["notified"]) == (6, "unknown")


# --- E2: what is dropped is not called written ----------------------------------------------------------------------

DROPPED = {
    "metadata": ("metadata", "it does not show ticket as sent"),
    "landing_page_mode": ("landing page mode", "it shows closed"),
    "permission_groups": ("permission groups", "it shows QA"),
}


@pytest.mark.parametrize("name", DROPPED)
@pytest.mark.parametrize("step", ["annotate", "promote"])
def test_what_came_back_otherwise_is_an_error(run: Run, service: Service, step: str, name: str) -> None:
    choose(service, updates="drop")
    what, problem = DROPPED[name]
    done = run(step, **BUILD, tags="rc", **{name: ALL[name]}, **(MEANT if step == "promote" else {}))
    assert done.code == 6
    assert f"accepted the update, but did not make it ({what}: {problem}). It wrote: tags rc." in done.log
    assert f"omit {name.replace('_', '-')}" in done.log
    assert (done.outputs["changed"], done.outputs["tags"]) == (True, ["rc"])
    assert service.writes == [TAG_BUILD]  # and no invitation
    assert service.outbox == []
    agrees(done, service)


@pytest.mark.parametrize("name", DROPPED)
def test_what_did_not_come_back_is_not_called_written(process: Process, service: Service, name: str) -> None:
    choose(service, updates="drop-and-hide")
    env = {f"APPDIST_{key.upper()}": text for key, text in {**BUILD, "tags": "rc", name: ALL[name]}.items()}
    done = process("annotate", env=env | {"GITHUB_ACTIONS": "true"})
    assert done.code == 0
    what = DROPPED[name][0].removesuffix(" mode")
    assert f"does not show whether it has made all of it. Not confirmed: {what}" in done.text
    assert f"| **Not confirmed** | {what}" in done.files["summary.md"]
    assert "| **Written** | tags rc |" in done.files["summary.md"]
    assert done.outputs[name.replace("_", "-")] == ""
    assert done.outputs["changed"] == "true"  # an update was sent
    sent = [one for one in service.sent if one != GET_GROUPS]
    assert sent == [TAG_BUILD, GET_BUILD]  # read once


@pytest.mark.parametrize("folder", [{}, {"to_folder": "RC"}], ids=str)
@pytest.mark.parametrize("updates", ["drop", "drop-and-hide"])
@pytest.mark.parametrize("mail", [MEANT, {"groups": "QA"}], ids=["mail", "silent"])
@pytest.mark.parametrize(
    "groups", [{"permission_groups": "Beta Testers"}, {"clear_permission_groups": "true"}], ids=["set", "clear"]
)
def test_nobody_is_invited_who_may_not_be_able_to_install(
    run: Run, service: Service, folder: Any, updates: str, mail: Any, groups: Any
) -> None:
    choose(service, updates=updates, invites="everybody-always")
    done = run("promote", **BUILD, tags="rc", **mail, **groups, **folder)
    assert (done.code, done.outputs["failed-step"]) == (6, "annotate"), done.log
    assert "omit permission-groups (or clear-permission-groups)" in done.log
    assert "Not done: invite." in done.log
    assert not invited(service)
    assert service.outbox == []
    agrees(done, service)


def test_what_is_not_shown_does_not_stop_a_promotion_that_needs_no_permission(run: Run, service: Service) -> None:
    choose(service, updates="drop-and-hide")
    done = run("promote", **BUILD, metadata="a=b", tags="rc", groups="QA")
    assert (done.code, done.outputs["metadata"], done.outputs["tags"]) == (0, None, ["rc"])
    assert "Not confirmed: metadata a." in done.log


SHOWN = {"landing_page_mode": "landingPageMode", "permission_groups": "groups", "metadata": "metadata"}


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize(("updates", "code"), [("drop-and-hide", 6), ("all", 0)])
def test_what_the_answer_lacks_is_read_from_the_build(
    run: Run, service: Service, seed: dict[str, Any], name: str, updates: str, code: int
) -> None:
    """Beyond what is documented, a server may show it."""
    service.reset({**seed, "shows": {"build": [SHOWN[name]]}, "settings": {"updates": updates}})
    if updates == "all":
        service.fault(method="PATCH", path="/builds/", after=True, body={"status": "ok"})
    done = run("annotate", **BUILD, **{name: ALL[name]})
    assert done.code == code, done.log
    assert "Not confirmed" not in done.log
    agrees(done, service)
    assert done.outputs[name.replace("_", "-")]


@pytest.mark.parametrize("name", ["release_notes", "tags"])
@pytest.mark.parametrize(("made", "code"), [(True, 0), (False, 6)])
@pytest.mark.parametrize("step", ["annotate", "promote"])
def test_notes_and_tags_are_read_from_the_build(
    run: Run, service: Service, name: str, step: str, made: bool, code: int
) -> None:
    if made:
        service.fault(method="PATCH", path="/builds/", after=True, body={"status": "ok"})
    else:
        service.fault(method="PATCH", path="/builds/", status=200, body={"status": "ok"})
    done = run(step, **BUILD, **{name: ALL[name]})
    assert done.code == code, done.log
    agrees(done, service)
    assert done.outputs[name.replace("_", "-")] is not None
    assert service.sent[-2:] == [TAG_BUILD, GET_BUILD]


def test_a_build_that_cannot_be_read_again_confirms_nothing(run: Run, service: Service) -> None:
    service.fault(method="PATCH", path="/builds/", after=True, body={"status": "ok"})
    service.fault(method="GET", path="/builds/", status=404, body={"status": "fail", "code": 1})
    done = run("tag", **BUILD, tags="rc")
    assert (done.code, done.outputs["tags"], done.outputs["changed"]) == (0, None, True)
    assert "Not confirmed: tags rc." in done.log


def test_tags_that_stay_are_an_error_though_an_addition_is_none(
    run: Run, service: Service, seed: dict[str, Any]
) -> None:
    service.reset(seed)
    build: Mapping[str, str] = {"project_id": ANDROID, "build_id": "8893377"}  # tagged ci
    run("tag", **build, tags="ci, rc")
    service.fault(method="PATCH", path="/builds/", status=200, body={"status": "ok", "tags": ["ci", "rc"]})
    done = run("tag", **build, tags="rc", tags_mode="remove")
    assert (done.code, done.outputs["tags"]) == (6, ["ci", "rc"])
    assert "did not make it (tags: it shows ci, rc)" in done.log
