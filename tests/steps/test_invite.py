"""`invite`: who is mailed, once."""

from __future__ import annotations

from typing import Any

import pytest

from harness import ANDROID, BUILD, NEWEST_ANDROID, Run, Service
from steps.support import GET_BUILD, GET_GROUPS

INVITE = f"POST /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/invites/"
MAIL = {"notify": "true", "allow_notify_everybody": "true"}  # a newer server does not mail without the second


def test_invite_is_silent_by_default(run: Run, service: Service) -> None:
    done = run("invite", groups="QA, 14", **BUILD)
    notified = "unknown" if service.dialect == "compat" else False
    platform = "Android" if service.dialect == "compat" else None
    app = {"app-name": "Northwind Travel", "package-name": None, "platform": platform}
    assert done.outputs == {"dry-run": False, **app, "invited-groups": ["QA", "Beta Testers"], "notified": notified}
    assert service.sent == [GET_GROUPS, GET_BUILD, INVITE]
    assert service.outbox == []


def test_invite_mails_everybody_once(run: Run, service: Service) -> None:
    done = run("invite", groups="QA, Beta Testers", message="Please\ntest 🎉", **MAIL, **BUILD)
    assert done.outputs["notified"] == ("unknown" if service.dialect == "compat" else True)
    mails = service.outbox
    assert len(mails) == len({mail["to"] for mail in mails}) > 3
    assert {mail["comment"] for mail in mails} == {"Please\ntest 🎉"}


@pytest.mark.parametrize(("attempt", "mails"), [("1", True), ("2", False)])
def test_first_attempt_mails_only_then(run: Run, service: Service, attempt: str, mails: bool) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ATTEMPT": attempt}
    done = run("invite", env=env, groups="QA", **{**MAIL, "notify": "first-attempt"}, **BUILD)
    assert done.code == 0, done.log
    assert done.outputs["notified"] == ("unknown" if service.dialect == "compat" else mails)
    assert bool(service.outbox) is mails


@pytest.mark.parametrize(
    "fault",
    [{"drop": "after"}, {"drop": "before"}, {"status": 502, "after": True}, {"status": 200, "body": "", "after": True}],
)
def test_an_invite_of_unknown_fate_is_reported_and_never_sent_twice(
    run: Run, service: Service, fault: dict[str, Any]
) -> None:
    service.fault(path="/invites/$", times=None, **fault)
    done = run("invite", groups="QA", **MAIL, **BUILD)
    assert done.code == 6
    assert done.outputs["notified"] == "unknown"
    assert "were invited and mailed; the step did not send it again" in done.log
    assert service.sent.count(INVITE) == 1
    assert len(service.outbox) <= 3


def test_a_group_with_a_comma_is_named_by_its_id(run: Run, service: Service, seed: dict[str, Any]) -> None:
    seed["groups"].append({"id": 77, "name": "QA, Berlin", "testers": ["b@northwind.example"]})
    service.reset(seed)
    assert run("invite", groups='"QA, Berlin"', **BUILD).outputs["invited-groups"] == ["QA, Berlin"]
    assert service.requests[-1]["form"]["groups"] == "77"
    done = run("annotate", permission_groups="77", **BUILD)
    assert done.code == 2
    assert "takes no ids here. Rename the group." in done.log


@pytest.mark.parametrize("step", ["invite", "promote"])
def test_a_dry_run_says_what_it_would_do_and_not_what_it_has_done(run: Run, service: Service, step: str) -> None:
    done = run(step, groups="QA, Beta Testers", **MAIL, **BUILD, dry_run="true")
    assert done.code == 0
    whom = (
        "every tester of the app may be invited and mailed" if service.dialect == "compat" else "would mail 6 testers"
    )
    assert f"Would invite to build {NEWEST_ANDROID}: QA (3 testers), Beta Testers (4 testers); {whom}." in done.log
    assert "mailed to" not in done.log
    assert service.outbox == []


@pytest.mark.parametrize("step", ["invite", "promote"])
@pytest.mark.parametrize("dry_run", ["false", "true"])
def test_groups_without_testers_have_nobody_to_mail(
    run: Run, service: Service, seed: dict[str, Any], step: str, dry_run: str
) -> None:
    seed["groups"] += [{"id": 77, "name": "New", "testers": []}, {"id": 78, "name": "Newer", "testers": []}]
    service.reset(seed)
    done = run(step, groups="New, Newer", **MAIL, **BUILD, dry_run=dry_run)
    assert done.code == 0, done.log
    assert service.outbox == []
    if service.dialect == "classic":
        assert done.outputs["notified"] is False
        assert "New (0 testers), Newer (0 testers); nobody to mail." in done.log
        assert ("these groups have no testers, so there is nobody to mail" in done.log) is (dry_run == "false")
    mixed = run("invite", groups="New, QA", **MAIL, **BUILD)
    assert mixed.outputs["notified"] == ("unknown" if service.dialect == "compat" else True)
