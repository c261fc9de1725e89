"""The search by tags, which finds the candidates that a gate judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from appdist_emulator.seed import named_seed
from gate.support import FAILED, INPUT, OK
from harness import in_both

if TYPE_CHECKING:
    from harness import Run, Service

FERRIES = {"package_name": "com.northwind.ferries"}


@in_both
@pytest.mark.parametrize(
    ("inputs", "build_id"),
    [
        ({**FERRIES, "with_tags": "released"}, "8920001"),
        ({**FERRIES, "with_tags": "candidate", "build_id": "latest"}, "8920003"),
        ({**FERRIES, "with_tags": "candidate", "version": "2.4.0"}, "8920002"),
        ({"project_id": "6950110", "with_tags": "candidate", "build_id": "latest"}, "8920003"),
        ({"project_id": "6950110", "with_tags": "candidate", "build_id": "8920002"}, "8920002"),
    ],
    ids=str,
)
def test_find_by_tags(run: Run, service: Service, inputs: dict[str, str], build_id: str) -> None:
    service.reset(named_seed("gate"))
    done = run("find", **inputs)
    assert (done.code, done.outputs["build-id"]) == (OK, build_id), done.log


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({**FERRIES, "with_tags": "candidate"}, "2 builds match. Set build-id and project-id"),
        ({**FERRIES, "with_tags": "candidate, gone"}, "has 3 builds, none with the tags candidate, gone. The newest are: build-id 8920003"),
        ({**FERRIES, "with_tags": "Candidate"}, "none with the tags Candidate"),
        ({**FERRIES, "with_tags": "x", "version": "2.4.0"}, "none with version '2.4.0' and the tags x"),
        ({"project_id": "6950110", "build_id": "8920001", "with_tags": "candidate"}, "none with the tags candidate and build-id 8920001"),
        ({"with_tags": "candidate"}, "no build: set build-id and project-id"),
        ({**FERRIES, "with_tags": '"a, b"'}, "with-tags has 'a, b', but a tag cannot contain a comma"),
    ],
    ids=str,
)  # fmt: skip
def test_no_build_has_the_tags(run: Run, service: Service, inputs: dict[str, str], expected: str) -> None:
    service.reset(named_seed("gate"))
    done = run("find", **inputs)
    assert done.code == INPUT
    assert expected in done.log


@pytest.mark.parametrize("build", [{}, {"build_id": "8920002"}, {"build_id": "latest", "version": "2.4.0"}], ids=str)
def test_where_the_service_shows_no_tags_nobody_can_search_by_them(
    run: Run, service: Service, build: dict[str, str]
) -> None:
    service.reset(named_seed("gate") | {"shows": {}})
    done = run("find", project_id="6950110", with_tags="candidate", **build)
    assert done.code == INPUT
    assert "with-tags is set, but this service does not show the tags of builds: set build-id" in done.log


def test_the_newest_candidate_every_hour(run: Run, service: Service) -> None:
    """What a scheduled job does: it goes on once, and finds nothing new to do the next time."""
    service.reset(named_seed("gate") | {"settings": {"life_speed": 1e9}})
    search = {**FERRIES, "folder": "/", "with_tags": "candidate", "build_id": "latest"}
    bad_one = run("promote", **search, to_folder="RC", max_crashes="0", if_exists="skip")
    assert (bad_one.code, bad_one.outputs["build-id"], service.writes) == (FAILED, "8920003", [])
    search["version"] = "2.4.0"
    good = {**search, "to_folder": "RC", "max_crashes": "0", "min_sessions": "40", "if_exists": "skip"}
    hours = [run("promote", **good) for _ in range(2)]
    assert [(done.code, done.outputs["copied"]) for done in hours] == [(OK, True), (OK, False)], hours[1].log
    assert len(service.writes) == 1
