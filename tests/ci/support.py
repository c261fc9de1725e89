"""A promotion to be told, and names that try to break out of what tells it."""

from __future__ import annotations

import re
from typing import Any

from harness import ANDROID, NEWEST_ANDROID, Service

BUILD: dict[str, Any] = {"APPDIST_PROJECT_ID": ANDROID, "APPDIST_BUILD_ID": NEWEST_ANDROID}
GITHUB, GITLAB = {"GITHUB_ACTIONS": "true", **BUILD}, {"GITLAB_CI": "true", **BUILD}
PROMOTE = {
    "APPDIST_TO_FOLDER": "QA",
    "APPDIST_TAGS": "rc",
    "APPDIST_RELEASE_NOTES": "Line 1\nLine 2 🎉",
    "APPDIST_GROUPS": "QA",
    "APPDIST_NOTIFY": "true",
}
EVIL = "x\n::error::pwned\r\n  ::set-output name=build-id::9\n##[warning]w ##vso[task.setvariable variable=a]b ##teamcity[buildStop] | y\x1b[31m`</details>` [l](javascript:1) <b> ghadelimiter_1\nEOF\nname<<EOF"


def evil(service: Service) -> None:
    """The app, its version and its folder have names that try to break out."""
    service.fault(
        method="GET",
        path=f"/builds/{NEWEST_ANDROID}$",
        status=200,
        times=None,
        body={
            "status": "ok",
            "build": {
                "id": NEWEST_ANDROID,
                "projectId": ANDROID,
                "self": "/projects/1/builds/2)\n::error::x|<script>",
                "appName": EVIL,
                "appVersion": EVIL,
                "appVersionCode": "1",
                "platform": EVIL,
                "packageName": EVIL,
            },
        },
    )


def commands(text: str) -> list[str]:
    """What a runner of GitHub, Azure Pipelines or TeamCity would take for a command."""
    return [line for line in re.split(r"[\n\r]", text) if re.match(r"\s*::", line) or re.search(r"##\w*\[", line)]
