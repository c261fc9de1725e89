"""`tag`: one request that replaces, and none where nothing changes."""

from __future__ import annotations

from typing import Any

import pytest

from harness import ANDROID, BUILD, NEWEST_ANDROID, Run, Service
from steps.support import TAG_BUILD


def test_tag_replaces_with_one_request(run: Run, service: Service) -> None:
    done = run("tag", tags="rc, nightly", **BUILD)
    app = dict.fromkeys(("app-name", "package-name", "platform"))  # nothing was read that shows it
    assert done.outputs == {"dry-run": False, **app, "tags": ["rc", "nightly"], "changed": True}
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
    platform = "Android" if service.dialect == "compat" else None
    app = {"app-name": "Northwind Travel", "package-name": None, "platform": platform}
    assert done.outputs == {"dry-run": False, **app, "tags": ["ci"], "changed": False}
    assert service.writes == []


def test_a_service_that_adds_instead_of_replacing_is_told(run: Run, service: Service) -> None:
    service.fault(method="PATCH", path="builds", status=200, body={"status": "ok", "tags": ["old", "new"]})
    done = run("tag", tags="new", **BUILD)
    assert done.code == 0
    assert done.outputs["tags"] == ["old", "new"]
    assert "but the service answered old, new" in done.log


@pytest.mark.parametrize("step", ["tag", "promote"])
@pytest.mark.parametrize("mode", ["add", "remove"])
def test_a_tag_that_an_update_would_split_is_kept_whole(
    run: Run, service: Service, seed: dict[str, Any], step: str, mode: str
) -> None:
    service.reset({**seed, "shows": {"build": ["tags"]}})
    build = f"/api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}"
    shown = {"id": NEWEST_ANDROID, "tags": ["a, b", "ci"]}
    service.fault(method="GET", path=f"{build}$", status=200, body={"status": "ok", "build": shown}, times=None)
    folder = {"to_folder": "RC"} if step == "promote" else {}
    done = run(step, tags="ci" if mode == "remove" else "rc", tags_mode=mode, **BUILD, **folder)
    assert done.code == 2
    assert "has the tag 'a, b', which contains a comma: an update would split it into several tags" in done.log
    assert "Rename that tag in the dashboard, or use tags-mode: replace" in done.log
    assert "group" not in done.log
    assert service.writes == []
    unchanged = run("tag", tags="never" if mode == "remove" else "ci", tags_mode=mode, **BUILD)
    assert (unchanged.code, unchanged.outputs["changed"], service.writes) == (0, False, [])
