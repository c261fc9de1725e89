"""The download of a build in either dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from appdist_emulator import Emulator
from appdist_emulator.dialects import compat
from appdist_emulator.seed import default_seed
from emulator.compat.support import failure, link_to, reset
from emulator.support import BUILD, KEY, PROJECT

if TYPE_CHECKING:
    from emulator.support import Ask


def test_classic_sends_the_file_itself() -> None:
    with Emulator({**default_seed(), "settings": {"storage": False}}) as emulator:
        auth = ("ci@northwind.example", KEY)
        answer = requests.get(f"{emulator.url}{BUILD}/download/", auth=auth, timeout=5, allow_redirects=False)
        assert (answer.status_code, answer.content[:2]) == (200, b"PK")
        assert requests.get(f"{emulator.url}/_storage/x/a.apk", timeout=5).status_code == 404


def test_a_download_leads_to_another_host(api: Ask, emulator: Emulator, follow: Ask) -> None:
    link = urlsplit(link_to(api))
    assert (link.scheme, link.hostname, link.port) == ("http", "localhost", urlsplit(emulator.url).port)
    assert link.path.startswith("/_storage/")
    assert link.path.endswith("/northwindtravel-4.3.0.apk")
    assert sorted(parse_qs(link.query)) == ["X-Amz-Expires", "X-Amz-Signature"]
    answer = follow(link.geturl())
    assert (answer.status_code, answer.content[:2]) == (200, b"PK")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert api("GET", BUILD).json()["build"]["downloads"] == 6


def test_another_host_for_who_came_to_localhost(emulator: Emulator, follow: Ask) -> None:
    url = emulator.url.replace("127.0.0.1", "localhost")
    location = follow(f"{url}{BUILD}/download/", headers={"X-API-Key": KEY}).headers["Location"]
    assert urlsplit(location).hostname == "127.0.0.1"
    assert follow(location).status_code == 200


def test_an_upload_comes_back(api: Ask, follow: Ask) -> None:
    file = {"file": ("Größe 1 #2?.apk", b"the very bytes")}
    reply = api("POST", "/api/upload/", auth=None, data={"api_key": KEY}, files=file).json()
    link = link_to(api, f"/api/1/projects/{reply['project_id']}/builds/{reply['build_id']}")
    assert follow(link).content == b"the very bytes"


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "Basic eDp5"}, {"Authorization": "Bearer t"}, {"X-API-Key": KEY}, {"X-OIDC-Config-Key": "x"}],
)
def test_the_storage_takes_no_second_credential(api: Ask, follow: Ask, headers: dict[str, str]) -> None:
    link = link_to(api)
    answer = follow(link, headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/xml")
    assert "<Code>InvalidArgument</Code>" in answer.text
    assert follow(link).status_code == 200  # it is not used up by that


def test_a_signature_is_good_for_one_download_of_one_file(api: Ask, follow: Ask) -> None:
    link, other = link_to(api), link_to(api)
    signature, other_signature = (parse_qs(urlsplit(url).query)["X-Amz-Signature"][0] for url in (link, other))
    assert signature != other_signature
    wrong = [
        link.partition("?")[0],
        link.replace(signature, ""),
        link.replace(signature, other_signature),
        link.replace("X-Amz-Expires=", "X-Amz-Expires=9"),
        link.replace("northwindtravel-4.3.0", "northwindtravel-4.2.0"),
        link.replace("/_storage/", "/_storage/x"),
    ]
    assert len({*wrong, link}) == 7
    for url in wrong:
        answer = follow(url)
        assert (answer.status_code, b"PK" in answer.content) == (403, False)
    assert follow(link).status_code == 200
    used = follow(link)
    assert (used.status_code, b"PK" in used.content) == (403, False)
    assert follow(other).status_code == 200


def test_a_signature_expires(api: Ask, follow: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "LINK_LIFETIME", 0)
    answer = follow(link_to(api))
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)


def test_links_end_with_the_account(api: Ask, follow: Ask) -> None:
    link = link_to(api)
    reset(api)
    assert follow(link).status_code == 403


def test_without_storage_there_is_an_install_page(api: Ask, emulator: Emulator, follow: Ask) -> None:
    reset(api, settings={"storage": False})
    location = link_to(api)
    assert location.startswith(emulator.url)
    answer = follow(location)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!doctype html>")


def test_who_may_not_download(api: Ask) -> None:
    assert failure(api("GET", f"{PROJECT}/builds/1/download/")) == (200, 1)
    assert failure(api("GET", f"{BUILD}/download/", auth=None)) == (401, 104)


def test_links_that_have_ended_are_forgotten(emulator: Emulator, api: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    dialect: Any = emulator._gateway._service.dialect
    monkeypatch.setattr(compat, "LINK_LIFETIME", 0)
    for _ in range(5):
        link = api("GET", f"{BUILD}/download/").headers["Location"]
        assert requests.get(link, timeout=10).status_code == 403
    assert len(dialect._links) == len(dialect._signatures) == 1
