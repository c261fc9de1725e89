"""What differs between the dialects, and who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from appdist_emulator.seed import default_seed

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    Ask = Callable[..., requests.Response]
    Look = Callable[[str], Any]

PROJECTS = "/api/1/projects/"
PROJECT = "/api/1/projects/6905338"
BUILD = f"{PROJECT}/builds/8911052"
KEY = "nw-demo-key-0001"
OIDC = {"Authorization": "Bearer demo-oidc-token", "X-OIDC-Config-Key": "oidc_northwind_demo"}
READER = ("audit@northwind.example", "nw-demo-key-0003")
CLASSIC_BUILD = [
    "id", "self", "projectId", "appName", "appVersion", "appVersionCode", "appDisplayName", "iconUrl", "appUrl",
    "landingPageMode", "sessions", "crashes", "testers", "feedbacks", "downloads", "uploadedAt", "uploadedVia",
    "hasTestFairySdk", "insightsEnabled", "videoEnabled",
]  # fmt: skip
COMPAT_BUILD = [
    "id", "projectId", "appName", "appVersion", "appVersionCode", "appDisplayName", "iconUrl", "appUrl",
    "downloads", "uploadedAt", "uploadedVia", "comment", "isDistributionEnabled", "platform", "tags",
]  # fmt: skip
in_both = pytest.mark.parametrize("emulator", ["classic", "compat"], indirect=True)


def in_each(name: str, classic: Any, compat: Any) -> pytest.MarkDecorator:
    """One test for both dialects, with what each of them does."""
    return pytest.mark.parametrize(
        ("emulator", name), [("classic", classic), ("compat", compat)], indirect=["emulator"]
    )


def unsigned(request: Any) -> Any:
    return request  # keeps requests from adding credentials of its own


def signed(key: str = KEY) -> dict[str, Any]:
    return {"auth": unsigned, "headers": {"X-API-Key": key}}


def failure(answer: requests.Response) -> tuple[int, int]:
    body = answer.json()
    assert sorted(body) == ["code", "message", "status"]
    assert body["status"] == "fail"
    return answer.status_code, body["code"]


def reset(api: Ask, **changes: Any) -> None:
    answer = api("POST", "/_emulator/reset", json={**default_seed(), **changes})
    assert answer.status_code == 200, answer.text


SUNSET = "Thu, 31 Dec 2026 23:59:59 GMT"
OWNER = ("owner@northwind.example", "nw-demo-key-0002")


def link_to(api: Ask, build: str = BUILD) -> str:
    answer = api("GET", f"{build}/download/")
    assert answer.status_code == 302
    return answer.headers["Location"]
