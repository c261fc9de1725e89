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
        **dict.fromkeys(("app-name", "package-name", "platform")),
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


# --- What came back is compared ---

NOTES = "# New\r\n\r\n- Seats & rails  \r\n- ü"
ANSWERS: dict[str, tuple[dict[str, str], dict[str, Any], int, str]] = {
    # inputs, the service's answer, exit code, what is said
    "line ends": ({"release_notes": NOTES}, {"changelog": "# New\n\n- Seats & rails\n- ü"}, 0, ""),
    "escaped": ({"release_notes": NOTES}, {"changelog": "# New\n\n- Seats &amp; rails\n- ü"}, 0, ""),
    "cut": ({"release_notes": NOTES}, {"changelog": "# New"}, 0, "keeps only the first 5 characters"),
    "other notes": ({"release_notes": NOTES}, {"changelog": "Old"}, 6, "release notes: it shows 'Old'"),
    "no notes": ({"release_notes": NOTES}, {"changelog": ""}, 6, "release notes: it shows none"),
    "case of a tag": ({"tags": "RC"}, {"tags": ["rc"]}, 0, ""),
    "other tags": ({"tags": "rc"}, {"tags": ["ci"]}, 6, "tags: it shows ci"),
    "no tags": ({"tags": "rc"}, {"tags": []}, 6, "tags: it shows none"),
    "groups in another order": ({"permission_groups": "QA, 14"}, {"groups": ["Beta Testers", "QA"]}, 0, ""),
    "a group more": ({"permission_groups": "QA"}, {"groups": ["QA", "Beta Testers"]}, 6, "it shows QA, Beta Testers"),
    "a group less": ({"permission_groups": "QA, 14"}, {"groups": ["QA"]}, 6, "permission groups: it shows QA"),
    "groups not cleared": ({"clear_permission_groups": "true"}, {"groups": ["QA"]}, 6, "it shows QA"),
    "ids of groups": ({"permission_groups": "QA"}, {"groups": ["12"]}, 0, "Not confirmed: permission groups QA"),
    "page": ({"landing_page_mode": "open"}, {"landing_page_mode": "Open"}, 0, ""),
    "other page": ({"landing_page_mode": "open"}, {"landing_page_mode": "closed"}, 6, "it shows closed"),
    "a dot in a key": ({"metadata": "a.b=1\nc="}, {"metadata": {"a_b": 1}}, 0, ""),
    "a key less": ({"metadata": "a=1\nb=2"}, {"metadata": {"a": "1"}}, 6, "metadata: it does not show b as sent"),
    "an old value": ({"metadata": "a=1"}, {"metadata": {"a": "0"}}, 6, "metadata: it does not show a as sent"),
    "no metadata": ({"metadata": "a=1"}, {"metadata": []}, 6, "metadata: it does not show a as sent"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_came_back_is_compared_with_what_was_sent(run: Run, service: Service, name: str) -> None:
    inputs, answer, code, said = ANSWERS[name]
    service.fault(method="PATCH", path="builds", status=200, body={"status": "ok", **answer})
    done = run("annotate", **inputs, **BUILD)
    assert done.code == code, done.log
    assert said in done.log
    if not said:
        assert not any(text in done.log for text in ("Not confirmed", "keeps only", "but the service answered"))
    assert service.writes == [TAG_BUILD]
    if code == 6:
        assert "Wrote" not in done.log
    field = next(iter(answer))
    shown = {"changelog": "release-notes", "groups": "permission-groups"}.get(field, field.replace("_", "-"))
    assert done.outputs[shown] == (None if "Not confirmed" in said else answer[field] or done.outputs[shown])
