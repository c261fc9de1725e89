"""On GitLab: the dotenv report, sections, and later jobs."""

from __future__ import annotations

import json
import re

import pytest

from ci.support import EVIL, GITLAB, PROMOTE, evil
from harness import ANDROID, NEWEST_ANDROID, Process, Service
from sauce_appdist.steps import STEPS, load


def test_gitlab_files_and_sections(process: Process, service: Service) -> None:
    done = process("promote", env=GITLAB | PROMOTE)
    assert done.code == 0, done.log
    values = json.loads(done.files["appdist-outputs.json"])
    assert values["release-notes"] == "Line 1\nLine 2 🎉"
    assert (values["copied"], values["tags"]) == (True, ["rc"])
    lines = done.files["appdist.env"].splitlines()
    dotenv = dict(line.split("=", 1) for line in lines)
    assert dotenv["APPDIST_PROMOTED_BUILD_ID"] == "8911080"
    assert dotenv["APPDIST_BUILD_ID"] == NEWEST_ANDROID
    links = json.loads(done.files["appdist-annotations.json"])["Mobile App Distribution"]
    assert links[-1]["external_link"]["url"] == f"{service.url}/projects/6940503-northwindtravel/builds/8911080"
    starts = re.findall(r"\x1b\[0Ksection_start:\d+:(\w+)\r\x1b\[0K", done.text)
    ends = re.findall(r"\x1b\[0Ksection_end:\d+:(\w+)\r\x1b\[0K", done.text)
    assert (
        starts
        == ends
        == ["appdist_find", "appdist_check", "appdist_copy", "appdist_annotate_and_tag", "appdist_invite"]
    )


@pytest.mark.parametrize("step", STEPS)
def test_gitlab_dotenv_keeps_within_the_limits(step: str) -> None:
    outputs = load(step).Outputs
    assert len(outputs().dotenv()) == 0
    declared = [name for name in outputs.model_fields if outputs.model_fields[name].json_schema_extra["dotenv"]]
    assert len(declared) <= 20


def test_gitlab_dotenv_leaves_out_what_it_cannot_hold(process: Process, service: Service) -> None:
    evil(service)
    done = process("find", env=GITLAB)
    assert done.code == 0, done.log
    assert {line.split("=")[0] for line in done.files["appdist.env"].splitlines()} == {
        "APPDIST_PROJECT_ID",
        "APPDIST_BUILD_ID",
        "APPDIST_VERSION_CODE",
        "APPDIST_BUILD_URL",
    }
    assert (
        "Only in appdist-outputs.json, because GitLab's dotenv report cannot hold them: APPDIST_APP_VERSION"
        in done.text
    )
    assert json.loads(done.files["appdist-outputs.json"])["app-name"] == EVIL
    assert "\x1b[31m" not in done.text


@pytest.mark.parametrize("secret", ["$APPDIST_API_KEY", "${APPDIST_API_KEY}", "%APPDIST_API_KEY%", "$$x"])
def test_gitlab_cannot_expand_a_variable_in_what_a_later_job_gets(
    process: Process, service: Service, secret: str
) -> None:
    """An upload names its version; GitLab would put the key in its place."""
    build = service.build(ANDROID, NEWEST_ANDROID) | {"appVersion": f"5.0-{secret}", "projectId": ANDROID}
    service.fault(method="GET", path=f"/builds/{NEWEST_ANDROID}$", status=200, body={"status": "ok", "build": build})
    done = process("find", env=GITLAB)
    assert done.code == 0, done.log
    dotenv = dict(line.split("=", 1) for line in done.files["appdist.env"].splitlines())
    assert "APPDIST_APP_VERSION" not in dotenv
    assert dotenv["APPDIST_BUILD_ID"] == NEWEST_ANDROID
    assert json.loads(done.files["appdist-outputs.json"])["app-version"] == f"5.0-{secret}"
    assert "Only in appdist-outputs.json, because GitLab would put variables in place of $NAME and %NAME%" in done.text
    assert re.search(r"credentials too: APPDIST_APP_VERSION\.", done.text)


def test_gitlab_keeps_what_only_looks_like_a_variable(process: Process, service: Service) -> None:
    build = service.build(ANDROID, NEWEST_ANDROID) | {"appVersion": "5.0 (50% of 100%)", "projectId": ANDROID}
    service.fault(method="GET", path=f"/builds/{NEWEST_ANDROID}$", status=200, body={"status": "ok", "build": build})
    done = process("find", env=GITLAB)
    assert "APPDIST_APP_VERSION=5.0 (50% of 100%)" in done.files["appdist.env"].splitlines()


def test_a_later_gitlab_job_finds_its_build_without_wiring(process: Process, service: Service) -> None:
    first = process("promote", env=GITLAB | PROMOTE)
    dotenv = dict(line.split("=", 1) for line in first.files["appdist.env"].splitlines())
    later = process("tag", env={"GITLAB_CI": "true", **dotenv, "APPDIST_INPUT_TAGS": "later"})
    assert later.code == 0, later.text
    assert service.build(ANDROID, NEWEST_ANDROID)["tags"] == ["later"]
    other = process(
        "tag",
        env={
            "GITLAB_CI": "true",
            **dotenv,
            "APPDIST_INPUT_TAGS": "copy",
            "APPDIST_INPUT_BUILD_URL": dotenv["APPDIST_PROMOTED_BUILD_URL"],
        },
    )
    assert other.code == 0, other.text
    assert service.build("6940503", "8911080")["tags"] == ["copy"]
