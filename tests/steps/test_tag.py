"""`tag`: one request that replaces, and none where nothing changes."""

from __future__ import annotations

from typing import Any

import pytest

from harness import ANDROID, BUILD, NEWEST_ANDROID, Run, Service
from steps.support import TAG_BUILD


def test_tag_replaces_with_one_request(run: Run, service: Service) -> None:
    done = run("tag", tags="rc, nightly", **BUILD)
    assert done.outputs == {"dry-run": False, "tags": ["rc", "nightly"], "changed": True}
    assert service.sent == [TAG_BUILD]
    assert service.build(ANDROID, NEWEST_ANDROID)["tags"] == ["rc", "nightly"]


@pytest.mark.parametrize(
    ("mode", "tags", "expected"),
    [("add", "rc, ci", ["ci", "rc"]), ("remove", "ci, never", []), ("replace", "x", ["x"])],
)
def test_tag_modes(run: Run, service: Service, seed: dict[str, Any], mode: str, tags: str, expected: list[str]) -> None:
    service.reset({**seed, "shows": {"build": ["tags"]}})
    build = {"project_id": ANDROID, "build_id": "8893377"}  # tagged ci
    done = run("tag", tags=tags, tags_mode=mode, **build)
    assert done.code == 0, done.log
    assert done.outputs["tags"] == expected
    assert done.outputs["changed"] is True
    assert service.build(**build)["tags"] == expected


@pytest.mark.parametrize(("mode", "tags"), [("add", "ci"), ("remove", "never")])
def test_tags_that_are_as_wanted_are_not_sent(
    run: Run, service: Service, seed: dict[str, Any], mode: str, tags: str
) -> None:
    service.reset({**seed, "shows": {"build": ["tags"]}})
    done = run("tag", tags=tags, tags_mode=mode, project_id=ANDROID, build_id="8893377")
    assert done.outputs == {"dry-run": False, "tags": ["ci"], "changed": False}
    assert service.writes == []


def test_a_service_that_adds_instead_of_replacing_is_told(run: Run, service: Service) -> None:
    service.fault(method="PATCH", path="builds", status=200, body={"status": "ok", "tags": ["old", "new"]})
    done = run("tag", tags="new", **BUILD)
    assert done.code == 0
    assert done.outputs["tags"] == ["old", "new"]
    assert "but the service answered old, new" in done.log
