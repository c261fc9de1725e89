"""A credential that is too short is a placeholder: it is not used, and hides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import ANDROID, API_KEY, EMAIL, NEWEST_ANDROID

if TYPE_CHECKING:
    from harness import Process, Service

SIGNED_IN = {"APPDIST_EMAIL": "", "APPDIST_API_KEY": "", "APPDIST_INPUT_EMAIL": EMAIL, "APPDIST_INPUT_API_KEY": API_KEY}
BUILD = {"APPDIST_INPUT_BUILD_ID": NEWEST_ANDROID, "APPDIST_INPUT_PROJECT_ID": ANDROID}
JOBS = [{"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}, {}]


@pytest.mark.parametrize("job", JOBS, ids=["github", "gitlab", "shell"])
@pytest.mark.parametrize("variable", ["APPDIST_OIDC_CLIENT_SECRET", "APPDIST_ID_TOKEN"])
@pytest.mark.parametrize("text", ["0", "8911", "6905338"])
def test_one_that_is_not_used_hides_nothing(process: Process, job: dict[str, str], variable: str, text: str) -> None:
    done = process("find", env=SIGNED_IN | BUILD | job | {variable: text})
    assert done.code == 0, done.log
    shown = done.text + done.log + "".join(done.files.values())
    assert "***" not in shown
    assert "add-mask::" + text not in shown
    assert f"build {NEWEST_ANDROID} in project {ANDROID}" in shown
    assert f"{variable} has fewer than 8 characters, so it is treated as a placeholder" in done.text + done.log


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"APPDIST_INPUT_API_KEY": "1234567"}, "api-key"),
        ({"APPDIST_API_KEY": "TODO", "APPDIST_INPUT_API_KEY": ""}, "api-key"),
        ({"APPDIST_OIDC_TOKEN": "x", "APPDIST_OIDC_CONFIG_KEY": "cfg-0000001"}, "oidc-token"),
        ({"APPDIST_OIDC_TOKEN": "tok-0000001", "APPDIST_OIDC_CONFIG_KEY": "cfg"}, "oidc-config-key"),
        (
            {
                "APPDIST_OIDC_TOKEN_URL": "https://id.example/token",
                "APPDIST_OIDC_CLIENT_ID": "ci",
                "APPDIST_OIDC_CLIENT_SECRET": "0",
                "APPDIST_OIDC_CONFIG_KEY": "cfg-0000001",
            },
            "oidc-client-secret",
        ),
    ],
)
def test_one_that_is_used_is_refused_by_name(
    process: Process, service: Service, given: dict[str, str], name: str
) -> None:
    alone = {"APPDIST_EMAIL": "", "APPDIST_API_KEY": ""}
    done = process("check", env={"GITHUB_ACTIONS": "true"} | alone | given)
    assert done.code == 2
    assert f"{name} has fewer than 8 characters, so it is not a credential" in done.text
    assert "treated as a placeholder" not in done.text
    assert service.sent == []


def test_eight_characters_are_hidden(process: Process) -> None:
    done = process("find", env=SIGNED_IN | BUILD | {"APPDIST_OIDC_CLIENT_SECRET": "Northwind"})
    assert done.code == 0, done.log
    assert "Northwind" not in done.text
    assert "placeholder" not in done.text + done.log
