"""What differs between the dialects, and who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from appdist_emulator.seed import default_seed
from emulator.support import BUILD, KEY, unsigned

if TYPE_CHECKING:
    import requests

    from emulator.support import Ask

CLASSIC_BUILD = [
    "id", "self", "projectId", "appName", "appVersion", "appVersionCode", "appDisplayName", "iconUrl", "appUrl",
    "landingPageMode", "sessions", "crashes", "testers", "feedbacks", "downloads", "uploadedAt", "uploadedVia",
    "hasTestFairySdk", "insightsEnabled", "videoEnabled",
]  # fmt: skip
COMPAT_BUILD = [
    "id", "projectId", "appName", "appVersion", "appVersionCode", "appDisplayName", "iconUrl", "appUrl",
    "downloads", "uploadedAt", "uploadedVia", "comment", "isDistributionEnabled", "platform", "tags",
]  # fmt: skip


def in_each(name: str, classic: Any, compat: Any) -> pytest.MarkDecorator:
    """One test for both dialects, with what each of them does."""
    return pytest.mark.parametrize(
        ("emulator", name), [("classic", classic), ("compat", compat)], indirect=["emulator"]
    )


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


def link_to(api: Ask, build: str = BUILD) -> str:
    answer = api("GET", f"{build}/download/")
    assert answer.status_code == 302
    return answer.headers["Location"]
