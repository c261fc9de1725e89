"""Given, but empty: what the runners pass for a missing variable, and for a key that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from runners.cases import BUILD, PROJECT, QA
from runners.support import CONNECTION

if TYPE_CHECKING:
    from runners.support import Act, GitLab, Service

LEFT = {"APPDIST_BUILD_ID": "8893377", "APPDIST_PROJECT_ID": PROJECT}
PROMOTE = {"tags": "rc", "groups": "QA"}
MISSING = {"github": "${{ vars.MISSING }}", "gitlab": "$MISSING"}
EMPTY = [
    ("promote", {"max-crash-rate": "", "min-sessions": "1"}, "max-crash-rate is empty"),
    ("promote", {"build-url": ""}, "build-url is empty"),
    ("promote", {"to-folder": ""}, "to-folder is empty"),
    ("gate", {"forbid-tags": "", "max-feedbacks": "0"}, "forbid-tags is empty"),
    ("tag", {"build-id": "", "project-id": PROJECT}, "build-id is empty"),
]


def inputs(step: str, changed: dict[str, str], missing: str) -> dict[str, str]:
    base = {"promote": PROMOTE, "tag": {"tags": "rc"}}.get(step, {})
    return base | {name: text or missing for name, text in changed.items()}


@pytest.mark.parametrize(("step", "changed", "problem"), EMPTY)
def test_an_expression_without_a_value_stops_a_github_step(
    act: Act, service: Service, step: str, changed: dict[str, str], problem: str
) -> None:
    service.upload()
    run = act.step(step, inputs(step, changed, MISSING["github"]), env=CONNECTION | LEFT)
    assert run.exit_code() == 2
    (error,) = run.commands("error")
    assert error.startswith(problem)
    assert service.writes == []
    assert service.outbox == []


@pytest.mark.parametrize(("step", "changed", "problem"), EMPTY)
def test_a_variable_without_a_value_stops_a_gitlab_job(
    gitlab: GitLab, service: Service, step: str, changed: dict[str, str], problem: str
) -> None:
    service.upload()
    run = gitlab.step(step, inputs(step, changed, MISSING["gitlab"]), variables=LEFT | {"MISSING": ""})
    assert run.exit_code("it") == 2
    assert problem in run.log("it")
    assert service.writes == []
    assert service.outbox == []


def test_what_is_not_set_falls_back_and_is_off_on_github(act: Act, service: Service) -> None:
    service.upload()
    run = act.step("promote", PROMOTE, env=CONNECTION | LEFT)
    assert run.code == 0
    assert service.build("8893377")["tags"] == ["rc"]
    assert service.build(BUILD)["tags"] == []
    assert "The build comes from the environment: APPDIST_BUILD_ID, APPDIST_PROJECT_ID." in run.log("job", "it")
    words: dict[str, Any] = {"build-url": "inherit", "max-crash-rate": "off", "to-folder": "off"}
    assert act.step("promote", PROMOTE | words, env=CONNECTION | LEFT).code == 0


def test_what_is_not_set_falls_back_and_is_off_on_gitlab(gitlab: GitLab, service: Service) -> None:
    service.upload()
    run = gitlab.step("promote", PROMOTE, variables=LEFT)
    assert run.exit_code("it") == 0
    assert service.build("8893377")["tags"] == ["rc"]
    assert service.build(BUILD)["tags"] == []
    assert "The build comes from the environment: APPDIST_BUILD_ID, APPDIST_PROJECT_ID." in run.log("it")
    assert {mail["to"] for mail in service.outbox} <= set(QA)
