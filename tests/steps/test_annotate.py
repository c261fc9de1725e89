"""`annotate`: everything with one PATCH, and nothing that was not asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness import ANDROID, BUILD, NEWEST_ANDROID, Run, Service
from steps.support import GET_GROUPS, TAG_BUILD

if TYPE_CHECKING:
    from pathlib import Path


def test_annotate_writes_everything_with_one_patch(run: Run, service: Service) -> None:
    done = run(
        "annotate",
        release_notes="# New\n\n- 🎉 Seats & rails",
        metadata="ticket=APP-123\n\nempty=\nurl=https://x.example/?a=b",
        landing_page_mode="open",
        permission_groups="14, QA",
        tags="rc",
        **BUILD,
    )
    assert done.code == 0, done.log
    assert service.sent == [GET_GROUPS, TAG_BUILD]
    build = service.build(ANDROID, NEWEST_ANDROID)
    assert build["changelog"] == "# New\n\n- 🎉 Seats & rails"
    assert build["metadata"] == {"commit": "e41f7c8", "ticket": "APP-123", "empty": "", "url": "https://x.example/?a=b"}
    assert (build["landingPageMode"], build["groups"], build["tags"]) == ("open", ["Beta Testers", "QA"], ["rc"])
    assert done.outputs == {
        "dry-run": False,
        "changed": True,
        "release-notes": "# New\n\n- 🎉 Seats & rails",
        "tags": ["rc"],
        "permission-groups": ["Beta Testers", "QA"],
        "landing-page-mode": "open",
        "metadata": build["metadata"],
    }


def test_what_is_left_away_is_left_as_it_is(run: Run, service: Service) -> None:
    before = service.build(ANDROID, NEWEST_ANDROID)
    assert run("annotate", metadata="a=b", **BUILD).code == 0
    after = service.build(ANDROID, NEWEST_ANDROID)
    assert after == {**before, "metadata": {**before["metadata"], "a": "b"}}
    assert service.sent == [TAG_BUILD]


def test_permission_groups_are_cleared_only_on_demand(run: Run, service: Service) -> None:
    assert service.build(ANDROID, NEWEST_ANDROID)["groups"] == ["QA"]
    done = run("annotate", clear_permission_groups="true", **BUILD)
    assert done.outputs["permission-groups"] == []
    assert service.build(ANDROID, NEWEST_ANDROID)["groups"] == []
    assert [request["form"] for request in service.requests] == [{"groups": ""}]


@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_notes_from_a_file(run: Run, service: Service, tmp_path: Path, bom: str) -> None:
    notes = "Zeile 1\n\n" + "🎉 ünï\r\n" * 9000  # more than 100 kB
    (tmp_path / "notes.md").write_bytes((bom + notes).encode())
    done = run("annotate", release_notes_file=str(tmp_path / "notes.md"), **BUILD)
    assert done.outputs["release-notes"] == notes
    assert service.build(ANDROID, NEWEST_ANDROID)["changelog"] == notes


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_SHA": "abc",
                "GITHUB_REF_TYPE": "branch",
                "GITHUB_REF_NAME": "main",
                "GITHUB_SERVER_URL": "https://github.example",
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_RUN_ID": "7",
                "GITHUB_ACTOR": "mona",
            },
            {"commit": "abc", "branch": "main", "pipeline_url": "https://github.example/o/r/actions/runs/7", "actor": "mona"},
        ),
        (
            {"GITHUB_ACTIONS": "true", "GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "3/merge", "GITHUB_HEAD_REF": "fix"},
            {"branch": "fix"},
        ),
        ({"GITHUB_ACTIONS": "true", "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1"}, {"tag": "v1"}),
        (
            {
                "GITLAB_CI": "true",
                "CI_COMMIT_SHA": "abc",
                "CI_COMMIT_TAG": "v1",
                "CI_PIPELINE_URL": "https://gitlab.example/o/r/-/pipelines/7",
                "GITLAB_USER_LOGIN": "tanuki",
            },
            {"commit": "abc", "tag": "v1", "pipeline_url": "https://gitlab.example/o/r/-/pipelines/7", "actor": "tanuki"},
        ),
        ({"GITLAB_CI": "true", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix"}, {"branch": "fix"}),
    ],
)  # fmt: skip
def test_ci_metadata(run: Run, service: Service, env: dict[str, str], expected: dict[str, str]) -> None:
    done = run(
        "annotate", env=env, ci_metadata="true", metadata="commit=mine" if "actor" not in expected else "x=y", **BUILD
    )
    assert done.code == 0, done.log
    extra = {"x": "y"} if "actor" in expected else {"commit": "mine"}
    assert service.build(ANDROID, NEWEST_ANDROID)["metadata"] == {"commit": "e41f7c8"} | expected | extra


def test_what_the_service_refuses_is_said(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "settings": {"require_login": True}})
    done = run("annotate", landing_page_mode="open", **BUILD)
    assert done.code == 4
    assert "code 156" in done.log
    assert "use landing-page-mode: closed" in done.log


def test_an_update_of_unknown_fate_says_that_it_may_be_sent_again(run: Run, service: Service) -> None:
    service.fault(method="PATCH", path="builds", drop="after")
    done = run("annotate", tags="rc", **BUILD)
    assert done.code == 5
    assert "It is unknown whether the update was made; it is safe to send it again" in done.log
    assert service.writes == [TAG_BUILD]
