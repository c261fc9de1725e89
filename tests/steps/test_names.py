"""Groups and tags by name: the one that is meant, in whatever spelling, or an error that names the choices."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness import ANDROID, BUILD, Run, Service

COMPOSED, DECOMPOSED = "M\u00fcnchen QA", "Mu\u0308nchen QA"


def groups(seed: dict[str, Any], *rows: tuple[int, str]) -> dict[str, Any]:
    more = [{"id": number, "name": name, "testers": [f"t{number}@northwind.example"]} for number, name in rows]
    return {**seed, "groups": [*seed["groups"], *more]}


def sent(service: Service) -> Any:
    return service.requests[-1]["form"]["groups"]


def test_a_group_by_its_id_is_sent_by_its_id(run: Run, service: Service, seed: dict[str, Any]) -> None:
    """Its name is another group's id: sent by name, 500 people would be invited instead of one."""
    service.reset(groups(seed, (39, "All customers"), (45, "39")))
    done = run("invite", groups="45", **BUILD)
    assert sent(service) == "45"
    assert done.outputs["invited-groups"] == ["39"]
    assert run("invite", groups="All customers", **BUILD).code == 0
    assert sent(service) == "All customers"


@pytest.mark.parametrize(
    ("step", "name", "inputs"),
    [
        ("invite", "groups", {}),
        ("annotate", "permission-groups", {}),
        ("copy", "copy-groups", {"to_folder": "F"}),
        ("copy", "copy-project-groups", {"to_folder": "F"}),
        ("copy", "copy-groups", {"to_folder": "F", "on_invalid_groups": "warn"}),
        ("promote", "groups", {"tags": "a"}),
        ("gate", "coverage-groups", {"min_coverage": "1%"}),
    ],
)
@pytest.mark.parametrize("rows", [((39, "All customers"), (45, "39")), ((39, "Team"), (45, "Team"))])
def test_a_name_of_two_groups_is_refused_with_the_ids(
    run: Run,
    service: Service,
    seed: dict[str, Any],
    step: str,
    name: str,
    inputs: dict[str, str],
    rows: tuple[tuple[int, str], ...],
) -> None:
    service.reset(groups(seed, *rows))
    meant = rows[1][1]
    done = run(step, **{name.replace("-", "_"): meant}, **inputs, **BUILD)
    assert done.code == 2
    choices = ", ".join(f"{number} ({text})" for number, text in rows)
    assert f"{name} has {meant!r}, which fits 2 tester groups: {choices}. Set the id of the one" in done.log
    assert service.writes == []


def test_an_update_takes_only_names_that_mean_one_group(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset(groups(seed, (39, "All customers"), (45, "39")))
    done = run("annotate", permission_groups="45", **BUILD)
    assert done.code == 2
    assert "permission-groups has '39' (id 45): the service would split that name, or take it for another" in done.log
    assert service.writes == []


@pytest.mark.parametrize(
    ("there", "typed"),
    [
        (COMPOSED, DECOMPOSED),
        (DECOMPOSED, COMPOSED),
        ("QA\u00a0Team", "QA Team"),
        ("QA  Team", "QA Team"),
        ("QA Team ", "QA Team"),
        ("QA Team", "QA\u00a0 Team"),
    ],
)
def test_a_group_in_another_spelling_is_told(
    run: Run, service: Service, seed: dict[str, Any], there: str, typed: str
) -> None:
    service.reset(groups(seed, (77, there)))
    done = run("invite", groups=typed, **BUILD)
    assert done.code == 0, done.log
    assert done.outputs["invited-groups"] == [there]
    assert sent(service) == ("77" if there != there.strip() else there)
    assert re.search(r"groups: '.*' is the group '.*' \(id 77\)\.", done.log)


def test_the_exact_spelling_comes_first(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset(groups(seed, (77, COMPOSED), (78, DECOMPOSED)))
    done = run("invite", groups=DECOMPOSED, **BUILD)
    assert done.outputs["invited-groups"] == [DECOMPOSED]
    assert "is the group" not in done.log


# --- Tags -----------------------------------------------------------------------------------------------


@pytest.fixture
def tagged(service: Service, seed: dict[str, Any]) -> dict[str, str]:
    """A build of a service that shows tags."""
    build = {"project_id": ANDROID, "build_id": "8893377"}
    service.reset({**seed, "shows": {"build": ["tags"]}})
    return build


def test_a_tag_in_another_spelling_is_removed_and_not_added_twice(run: Run, tagged: dict[str, str]) -> None:
    assert run("tag", tags=COMPOSED, **tagged).code == 0
    done = run("tag", tags=DECOMPOSED, tags_mode="add", **tagged)
    assert done.outputs["tags"] == [COMPOSED]
    assert "is spelled" in done.log
    done = run("tag", tags=f"{DECOMPOSED}, never", tags_mode="remove", **tagged)
    assert done.outputs["tags"] == []
    assert "Not on this build, so nothing to remove: never." in done.log


def test_a_search_finds_a_tag_in_another_spelling(run: Run, tagged: dict[str, str]) -> None:
    assert run("tag", tags=COMPOSED, **tagged).code == 0
    done = run("find", project_id=ANDROID, with_tags=DECOMPOSED)
    assert done.outputs["build-id"] == tagged["build_id"]


@pytest.mark.parametrize(
    ("there", "typed"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED), ("do not\u00a0ship", "DO NOT ship")]
)
def test_a_forbidden_tag_is_found_in_every_spelling(run: Run, tagged: dict[str, str], there: str, typed: str) -> None:
    assert run("tag", tags=there, **tagged).code == 0
    done = run("gate", forbid_tags=typed, **tagged)
    assert done.code == 7
    assert done.outputs["failed-checks"] == ["forbid-tags"]


# --- Apps and folders ---------------------------------------------------------------------------------


@pytest.fixture
def foldered(service: Service, seed: dict[str, Any]) -> dict[str, str]:
    """A build whose copy is already in a folder, on a service that shows folders."""
    original, copy = seed["projects"][0], seed["projects"][3]
    copy |= {"folder": f"/{COMPOSED}", "name": COMPOSED}
    copy["builds"][0] |= {name: original["builds"][-1][name] for name in ("version", "version_code")}
    copy["builds"][0]["uploaded_at"] = "2026-06-01 10:00:00"
    original["name"] = COMPOSED
    service.reset({**seed, "folders": [f"/{COMPOSED}"], "shows": {"project": ["folderPath"], "build": []}})
    return BUILD


@pytest.mark.parametrize(
    "typed", [DECOMPOSED, "M\u00fcnchen\u00a0QA", "M\u00fcn\u00adchen QA\u200b", f"/{DECOMPOSED}/"]
)
def test_a_folder_in_another_spelling_is_no_second_folder(
    run: Run, service: Service, foldered: dict[str, str], typed: str
) -> None:
    done = run("copy", to_folder=typed, if_exists="skip", **foldered)
    assert (done.code, done.outputs["copied"]) == (0, False), done.log
    assert service.writes == []
    assert run("copy", to_folder=typed, **foldered).outputs["folder-path"] == f"/{COMPOSED}"
    assert service.state["folders"] == [f"/{COMPOSED}"]
    assert f"is the folder '{COMPOSED}' of the service" in done.log.replace("/", "")


def test_a_folder_in_the_exact_spelling_comes_first(run: Run, service: Service, seed: dict[str, Any]) -> None:
    for project, name in zip(seed["projects"][2:], (COMPOSED, DECOMPOSED), strict=True):
        project["folder"] = f"/{name}"
    folders = [f"/{COMPOSED}", f"/{DECOMPOSED}"]
    service.reset({**seed, "folders": folders, "shows": {"project": ["folderPath"], "build": []}})
    for name in (COMPOSED, DECOMPOSED):
        assert run("copy", to_folder=name, **BUILD).outputs["folder-path"] == f"/{name}"


def test_an_app_in_another_spelling_is_found(run: Run, foldered: dict[str, str]) -> None:
    assert run("find", app_name=DECOMPOSED, **foldered).code == 0
    assert run("find", app_name=DECOMPOSED, folder=DECOMPOSED, build_id="latest").code == 0
    renamed = run("find", app_name="M\u00fcnchen", **foldered)
    assert renamed.code == 2
    assert f"has the app-name {COMPOSED!r}" in renamed.log
