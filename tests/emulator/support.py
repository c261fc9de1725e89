"""The default account of the emulator: who asks, for what, and how a refusal looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    Ask = Callable[..., requests.Response]
    Look = Callable[[str], Any]

PROJECTS = "/api/1/projects/"
PROJECT = "/api/1/projects/6905338"
BUILD = f"{PROJECT}/builds/8911052"
KEY = "nw-demo-key-0001"
CI = ("ci@northwind.example", KEY)  # an admin who may everything
OWNER = ("owner@northwind.example", "nw-demo-key-0002")
READER = ("audit@northwind.example", "nw-demo-key-0003")
TESTER = ("helen.ward@northwind.example", "nw-demo-key-0004")
MANAGER = ("manager@northwind.example", "nw-demo-key-0005")
CREW_LEAD = ("crew.lead@northwind.example", "nw-demo-key-0006")
OIDC = {"Authorization": "Bearer demo-oidc-token", "X-OIDC-Config-Key": "oidc_northwind_demo"}
in_both = pytest.mark.parametrize("emulator", ["classic", "compat"], indirect=True)


def unsigned(request: Any) -> Any:
    return request  # keeps requests from adding credentials of its own


def failure(answer: requests.Response) -> tuple[int, int, str]:
    body = answer.json()
    assert body["status"] == "fail"
    return answer.status_code, body["code"], body["message"]
