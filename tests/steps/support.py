"""The build that the steps of these tests work on, and the requests that they send."""

from __future__ import annotations

from typing import Any

import requests

from harness import ANDROID, API_KEY, NEWEST_ANDROID, Service

PACKAGE = "com.northwind.travel"
FOLDER_PROJECT, FOLDER_BUILD = "6940502", "8864810"  # /Release Candidates of the default seed
TAG_BUILD = f"PATCH /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/"
GET_BUILD = f"GET /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}"
POST_COPY = f"POST /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/copy"
GET_PROJECTS, GET_GROUPS = "GET /api/1/projects/", "GET /api/1/testers/groups"


def upload(service: Service, **fields: str) -> dict[str, Any]:
    """What a pipeline does before our steps."""
    defaults = {"package_name": PACKAGE, "app_version": "4.4.0", "app_version_code": "4400"}
    answer = requests.post(
        f"{service.url}/api/upload/",
        data={"api_key": API_KEY, **defaults, **fields},
        files={"file": ("travel.apk", b"not really an apk")},
        timeout=10,
    ).json()
    assert answer["status"] == "ok", answer
    return answer  # type: ignore[no-any-return]
