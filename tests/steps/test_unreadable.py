"""What is there and cannot be read: never taken for "none", in any decision of a step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from harness import ANDROID, API_KEY, BUILD, EMAIL, Run, Service
from steps.support import FOLDER_BUILD, POST_COPY

if TYPE_CHECKING:
    from collections.abc import Callable

COPIED = {"status": "ok", "build_id": FOLDER_BUILD, "folder_path": "/RC", "app_name": "Northwind Travel"}
UNTOLD = "does not tell in a readable way which groups were refused"


def alter(service: Service, path: str, change: Callable[[dict[str, Any]], object], times: int = 20) -> None:
    """Let the emulator answer GETs of `path` as it does now, but changed."""
    body = requests.get(f"{service.url}{path}", auth=(EMAIL, API_KEY), timeout=10).json()
    assert body["status"] == "ok", body
    change(body)
    service.fault(path=f"{path}$", method="GET", status=200, body=body, times=times)


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ({"1": "ghost"}, ["ghost"]),
        ([["ghost"]], ["ghost"]),
        ([[["ghost"], "other"]], ["ghost", "other"]),
        ({"name": "ghost"}, ["ghost"]),
        ([{"name": "ghost"}], ["ghost"]),
        ({"3": {"name": "ghost"}}, ["ghost"]),
        ("ghost", ["ghost"]),
        (7, ["7"]),
        (["ghost", None], None),
        ([{"id": 9}], None),
        (True, None),
        (False, None),
        ([[None]], None),
        ([True], None),
        ([], []),
        ({}, []),
        ("", []),
        (None, []),
        ("missing", []),
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("field", ["invalid_groups", "invalid_project_groups"])
def test_refused_groups_of_any_shape(
    run: Run, service: Service, field: str, value: object, refused: list[str] | None
) -> None:
    body = COPIED if value == "missing" else {**COPIED, field: value}
    said = UNTOLD if refused is None else f"does not know the groups {', '.join(refused)}"
    for step, more in (("copy", {}), ("promote", {"groups": "QA", "notify": "true"})):
        service.fault(path="/copy$", status=200, body=body)
        done = run(step, to_folder="RC", **more, **BUILD)
        if refused == []:
            # A promotion goes on to invite; a newer server does not allow that without a flag of its own.
            assert (done.code, UNTOLD in done.log) == (0, False) if step == "copy" else done.code in {0, 2}, done.log
            continue
        if step == "promote" and done.code == 2:  # the newer server
            continue
        assert done.code == 6, done.log
        assert said in done.log
        assert (done.outputs["copied"], done.outputs["promoted-build-id"]) == (True, FOLDER_BUILD)
        assert done.outputs.get("notified") is None
        assert service.outbox == []
    service.fault(path="/copy$", status=200, body=body)
    warned = run("copy", to_folder="RC", on_invalid_groups="warn", **BUILD)
    assert warned.code == 0, warned.log
    assert (said in warned.log) == (refused != [])


@pytest.mark.parametrize("value", ["", None, ["5"]], ids=json.dumps)
@pytest.mark.parametrize("mode", ["copy", "skip"])
def test_a_copy_without_a_readable_id_is_of_unknown_fate(run: Run, service: Service, value: object, mode: str) -> None:
    service.fault(path="/copy$", status=200, body={**COPIED, "build_id": value})
    done = run("copy", to_folder="RC", if_exists=mode, copied_app_name="Travel RC", **BUILD)
    assert done.code == 6, done.log
    assert "a bug" not in done.log
    assert service.sent.count(POST_COPY) == 1


@pytest.mark.parametrize("value", [{"k": 1}, [1], True, None, "missing"], ids=json.dumps)
@pytest.mark.parametrize("field", ["appVersion", "appVersionCode"])
def test_if_exists_skip_does_not_copy_beside_a_build_that_it_cannot_compare(
    run: Run, service: Service, seed: dict[str, Any], field: str, value: object
) -> None:
    service.reset({**seed, "shows": {"project": ["folderPath"]}})
    named = {"to_folder": "QA", "if_exists": "skip", **BUILD}
    first = run("copy", **named)
    assert first.code == 0, first.log

    def change(body: dict[str, Any]) -> None:
        for build in body["builds"]:
            build.pop(field)
            if value != "missing":
                build[field] = value

    alter(service, f"/api/1/projects/{first.outputs['promoted-project-id']}/builds/", change)
    again = run("copy", **named)
    assert again.code == 2, again.log
    assert "cannot determine whether build" in again.log
    assert service.sent.count(POST_COPY) == 1


@pytest.mark.parametrize("value", [True, [None], [{"id": 1}], 1.5], ids=json.dumps)
def test_latest_does_not_pass_over_a_build_whose_tags_cannot_be_read(
    run: Run, service: Service, seed: dict[str, Any], value: object
) -> None:
    service.reset({**seed, "shows": {"build": ["tags"]}})

    def change(body: dict[str, Any]) -> None:
        body["builds"][0]["tags"] = value
        body["builds"][1]["tags"] = ["rc"]

    alter(service, f"/api/1/projects/{ANDROID}/builds/", change)
    done = run("find", project_id=ANDROID, build_id="latest", with_tags="rc")
    assert done.code == 2, done.log
    assert "matches cannot be determined" in done.log
