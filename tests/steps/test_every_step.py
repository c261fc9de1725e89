"""What holds for every step."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from harness import API_KEY, BUILD, IOS, Run, Service

ALL: dict[str, dict[str, Any]] = {
    "find": {},
    "tag": {"tags": "rc"},
    "annotate": {"release_notes": "x"},
    "copy": {"to_folder": "QA"},
    "invite": {"groups": "QA", "notify": "true", "allow_notify_everybody": "true"},
    "promote": {
        "to_folder": "QA",
        "tags": "rc",
        "groups": "QA",
        "notify": "true",
        "allow_notify_everybody": "true",
        "source_tags": "promoted",
    },
}


@pytest.mark.parametrize("step", ALL)
def test_a_dry_run_only_reads(run: Run, service: Service, step: str) -> None:
    before = service.state
    done = run(step, dry_run="true", **ALL[step], **BUILD)
    assert done.code == 0, done.log
    assert service.writes == []
    assert service.state == before
    assert done.outputs["dry-run"] is True
    for name in ("changed", "copied", "notified"):
        assert done.outputs.get(name, False) is False
    assert done.outputs.get("invited-groups", []) == []
    assert done.outputs.get("promoted-build-id") is None


def test_a_slash_at_the_end_of_base_url_does_no_harm(run: Run, service: Service) -> None:
    done = run("find", base_url=service.url + "/", **BUILD)
    slug = "" if service.dialect == "compat" else "-northwindtravel"  # compat shows no `self`
    assert done.outputs["build-url"] == f"{service.url}/projects/6905338{slug}/builds/8911052"


@pytest.mark.parametrize("step", ALL)
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_key_that_is_not_accepted_points_at_the_region_first(
    run: Run, service: Service, step: str, region: str
) -> None:
    done = run(step, region=region, base_url=service.url, api_key="a-key-of-another-region", **ALL[step], **BUILD)
    assert done.code == 3
    assert "first check that region is the account's" in done.log
    assert "a-key-of-another-region" not in done.log


@pytest.mark.parametrize("step", [step for step in ALL if step != "find"])
def test_a_read_only_account_is_told_so(run: Run, service: Service, step: str) -> None:
    done = run(step, email="audit@northwind.example", api_key="nw-demo-key-0003", **ALL[step], **BUILD)
    assert done.code in {3, 4}
    assert "write to this project" in done.log
    assert service.outbox == []


def test_debug_tells_every_request_and_no_secret(run: Run) -> None:
    done = run("tag", tags="rc", debug="on", **BUILD)
    assert "debug: PATCH /api/1/projects/6905338/builds/8911052/ -> 200 in" in done.log
    assert API_KEY not in done.log


def test_two_runs_at_once_do_not_disturb_each_other(service: Service, run: Run) -> None:
    codes: list[int] = []
    threads = [
        threading.Thread(
            target=lambda tag=tag: codes.append(run("tag", tags=tag, project_id=IOS, build_id="8911079").code)
        )
        for tag in ("a", "b", "c")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0, 0]
    assert service.build(IOS, "8911079")["tags"][0] in {"a", "b", "c"}
