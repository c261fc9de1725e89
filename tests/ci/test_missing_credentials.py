"""Why a job has no credentials, or the wrong ones: what only its CI system knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import API_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Process, Service

NONE = {"APPDIST_EMAIL": "", "APPDIST_API_KEY": ""}
GITHUB, GITLAB = NONE | {"GITHUB_ACTIONS": "true"}, NONE | {"GITLAB_CI": "true"}
DEPENDABOT = "Settings > Secrets and variables > Dependabot"
FORK = "A pull request from a fork gets neither secrets"


@pytest.mark.parametrize("event", ["push", "pull_request", "pull_request_target"])
def test_dependabot_has_secrets_of_its_own(process: Process, event: str) -> None:
    done = process("check", env=GITHUB | {"GITHUB_EVENT_NAME": event, "GITHUB_ACTOR": "dependabot[bot]"})
    assert done.code == 2
    assert DEPENDABOT in done.text
    assert FORK not in done.text


@pytest.mark.parametrize(
    ("event", "fork"), [("pull_request", True), ("pull_request_review", True), ("pull_request_target", False)]
)
def test_a_fork_has_none(process: Process, event: str, fork: bool) -> None:
    done = process("check", env=GITHUB | {"GITHUB_EVENT_NAME": event, "GITHUB_ACTOR": "octocat"})
    assert done.code == 2
    assert (FORK in done.text) is fork
    assert DEPENDABOT not in done.text


@pytest.mark.parametrize(("protected", "told"), [("false", True), ("true", False), ("", False)])
def test_a_ref_without_protection_has_no_protected_variables(process: Process, protected: str, told: bool) -> None:
    done = process("check", env=GITLAB | {"CI_COMMIT_REF_PROTECTED": protected, "CI_COMMIT_REF_NAME": "feature/x"})
    assert done.code == 2
    hint = "The branch or tag feature/x is not protected (CI_COMMIT_REF_PROTECTED=false)"
    assert (hint in done.text) is told


@pytest.mark.parametrize(
    ("variable", "name"),
    [("APPDIST_API_KEY", "api-key"), ("APPDIST_EMAIL", "email"), ("APPDIST_OIDC_TOKEN", "oidc-token")],
)
def test_a_variable_of_type_file_is_named(
    process: Process, service: Service, tmp_path: Path, variable: str, name: str
) -> None:
    """GitLab writes its value into a file beside the workspace, and sets the variable to the path."""
    (tmp_path / "variable").write_text(API_KEY, "utf-8")
    done = process("check", env={"GITLAB_CI": "true", variable: str(tmp_path / "variable")})
    assert done.code == 2
    assert f"{name} is the path of a file, and not its content." in done.text
    assert "change the variable's type from File to Variable" in done.text
    assert service.sent == []


def test_release_notes_are_not_a_path(process: Process, service: Service, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("Fixes", "utf-8")
    env = {"GITLAB_CI": "true", "NOTES": str(tmp_path / "notes"), "APPDIST_INPUT_RELEASE_NOTES": "$NOTES"}
    done = process("annotate", env=env | {"APPDIST_BUILD_ID": "8911052", "APPDIST_PROJECT_ID": "6905338"})
    assert done.code == 2
    assert "release-notes is the path of a file" in done.text
    assert "Or set release-notes-file to the path." in done.text
    assert service.sent == []
