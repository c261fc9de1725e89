"""Files for outputs that cannot be written are noticed before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci.support import GITHUB, GITLAB, PROMOTE

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Process, Service

FILES = ["appdist-outputs.json", "appdist.env", "appdist-annotations.json"]


@pytest.mark.parametrize("name", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_github(process: Process, service: Service, tmp_path: Path, name: str) -> None:
    done = process("promote", env=GITHUB | PROMOTE | {name: str(tmp_path / "no" / "such")})
    assert done.code == 2
    assert f"::error title=Outputs cannot be written::{name} cannot be written: No such file or directory" in done.text
    assert "Nothing was sent." in done.text
    assert done.text.count("::error") == 1
    assert service.sent == []


def test_the_summary_tells_it_if_it_can(process: Process, tmp_path: Path) -> None:
    done = process("promote", env=GITHUB | PROMOTE | {"GITHUB_OUTPUT": str(tmp_path)})
    assert done.code == 2
    assert "GITHUB_OUTPUT cannot be written: Is a directory" in done.files["summary.md"]


@pytest.mark.parametrize("name", FILES)
def test_gitlab(process: Process, service: Service, tmp_path: Path, name: str) -> None:
    (tmp_path / "project" / name).mkdir(parents=True)
    done = process("promote", env=GITLAB | PROMOTE | {"CI_PROJECT_DIR": str(tmp_path / "project")})
    assert done.code == 2
    assert f"Outputs cannot be written: {name} cannot be written: Is a directory" in done.text
    assert service.sent == []
