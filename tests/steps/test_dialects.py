"""Two servers, one behaviour: what is said of the newer one, and the ways to sign in to each.

The other modules here run all they have on both.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness import ANDROID, API_KEY, BUILD, EMAIL, NEWEST_ANDROID, Process, Run, Service, expect_rows
from sauce_appdist import Client
from sauce_appdist.errors import ApiError
from sauce_appdist.steps import STEPS

INPUTS: dict[str, dict[str, str]] = {
    "check": {},
    "find": {},
    "gate": {"min_downloads": "0"},
    "tag": {"tags": "a"},
    "annotate": {"release_notes": "N", "metadata": "k=v"},
    "copy": {"to_folder": "QA"},
    "invite": {"groups": "QA", "notify": "true", "allow_notify_everybody": "true"},
    "promote": {
        "to_folder": "QA",
        "tags": "rc",
        "groups": "QA",
        "notify": "true",
        "allow_notify_everybody": "true",
    },
}
SIGN_IN: dict[str, dict[str, str]] = {
    "basic": {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": API_KEY},
    "x-api-key": {"APPDIST_EMAIL": "", "APPDIST_API_KEY": API_KEY},
    "oidc": {
        "APPDIST_EMAIL": "",
        "APPDIST_API_KEY": "",
        "APPDIST_OIDC_TOKEN": "demo-oidc-token",
        "APPDIST_OIDC_CONFIG_KEY": "oidc_northwind_demo",
    },
}


def test_every_step_is_here() -> None:
    expect_rows(INPUTS, STEPS, "INPUTS, tests/steps/test_dialects.py")


@pytest.mark.parametrize("way", SIGN_IN)
@pytest.mark.parametrize("step", INPUTS)
def test_every_step_with_every_way_to_sign_in(run: Run, service: Service, step: str, way: str) -> None:
    done = run(step, env=SIGN_IN[way], **BUILD, **INPUTS[step])
    if (service.dialect, way) == ("classic", "x-api-key"):
        assert done.code == 3
        assert "then api-key. Only newer servers accept an api-key alone: set email too." in done.log
        assert {request["status"] for request in service.requests} == {401}
        return
    assert done.code == 0, done.log
    assert {request["auth"] for request in service.requests} == {way}
    assert API_KEY not in done.log + done.text
    # The sunset is told once, however many requests there were, and with its date.
    told = done.log.count("calls this API deprecated and will switch it off on Thu, 31 Dec 2026")
    assert told == (1 if service.dialect == "compat" else 0)


def test_a_newer_server_may_want_the_key_alone(run: Run, service: Service, seed: dict[str, Any]) -> None:
    service.reset({**seed, "settings": {"basic_auth": False}} if service.dialect == "compat" else seed)
    done = run("find", env={"APPDIST_API_KEY": "wrong-key-0000"}, **BUILD)
    assert done.code == 3
    assert ("This is a newer server, which may need api-key without email." in done.log) is (
        service.dialect == "compat"
    )


def test_the_warning_is_an_annotation_in_a_job(process: Process, service: Service) -> None:
    env = {"GITHUB_ACTIONS": "true", "APPDIST_PROJECT_ID": ANDROID, "APPDIST_BUILD_ID": NEWEST_ANDROID}
    done = process("find", env=env)
    assert done.code == 0
    assert done.text.count("::warning title=sauce-appdist::The service calls this API deprecated") == (
        1 if service.dialect == "compat" else 0
    )
    assert done.outputs["sessions"] == ("" if service.dialect == "compat" else "12")


@pytest.fixture
def client(service: Service) -> Client:
    return Client.from_env(
        {
            "APPDIST_EMAIL": "owner@northwind.example",
            "APPDIST_API_KEY": "nw-demo-key-0002",
            "APPDIST_BASE_URL": service.url,
        }
    )


def test_webhooks_and_sites_are_found_under_either_name(client: Client, service: Service) -> None:
    client.webhooks.add(name="CI", url="https://ci.example.com/hook", enabled=True, actions=["upload"])
    hook = next(one for one in client.webhooks.list() if one.name == "CI")
    assert (hook.enabled, hook.actions) == (True, ["upload"])
    client.webhooks.update(hook.id, name="CI 2", url="https://ci.example.com/hook", enabled=False)
    assert client.webhooks.get(hook.id).name == "CI 2"
    client.webhooks.delete(hook.id)
    assert hook.id not in [one.id for one in client.webhooks.list()]
    client.sites.create("emea-2", login_method="credentials")
    site = next(one for one in client.sites.list().accounts if one.name == "emea-2")
    client.sites.delete(site.id)
    assert "emea-2" not in [one.name for one in client.sites.list().accounts]
    name = "webhooks" if service.dialect == "compat" else "webhook"
    assert service.sent.count(f"GET /api/1/{name}/{hook.id}/") == 1
    # What was answered once is kept: the documented name was asked in vain at most once for each.
    missed = [request for request in service.requests if request["status"] == 404]
    assert len(missed) == (2 if service.dialect == "compat" else 0)


def test_what_is_not_there_is_not_there_under_either_name(client: Client) -> None:
    with pytest.raises(ApiError):
        client.webhooks.get("999")


def test_a_download_is_the_file(client: Client, service: Service, tmp_path: Any) -> None:
    """A newer server sends us to its storage on another host, which refuses credentials."""
    file = client.builds.download(ANDROID, NEWEST_ANDROID, to=tmp_path)
    assert file.path.parent == tmp_path
    assert file.path.suffix == ".apk"
    assert file.path.stat().st_size == file.size > 0
    hosts = [request for request in service.requests if request["path"].startswith("/_storage/")]
    assert len(hosts) == (1 if service.dialect == "compat" else 0)
    assert {request["auth"] for request in hosts} <= {None}


def test_a_download_without_a_storage_says_so(
    client: Client, service: Service, seed: dict[str, Any], tmp_path: Any
) -> None:
    if service.dialect == "classic":
        return  # it sends the file itself
    service.reset({**seed, "settings": {"storage": False}})
    with pytest.raises(ApiError, match="if the account has no file storage: ask an admin"):
        client.builds.download(ANDROID, NEWEST_ANDROID, to=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_signed_url_is_never_shown(process: Process, service: Service, tmp_path: Any) -> None:
    (tmp_path / "apps").mkdir()
    download = ["--project-id", ANDROID, "--build-id", NEWEST_ANDROID, "--to", str(tmp_path / "apps"), "--debug"]
    done = process("api", "builds", "download", *download)
    assert done.code == 0, done.log
    service.fault(
        path="^/_storage/", status=403, body="<Error><SignatureProvided>…X-Amz-Signature=</SignatureProvided></Error>"
    )
    refused = process("api", "builds", "download", *download)
    if service.dialect == "compat":
        assert refused.code == 5
        assert "localhost, which stores the file, answers HTTP 403." in refused.log
    assert "Signature" not in json.dumps([done.text, done.log, refused.text, refused.log])


def test_an_unknown_email_is_left_out_or_refused(client: Client, service: Service) -> None:
    if service.dialect == "classic":
        with pytest.raises(ApiError, match="tester not found"):
            client.groups.add_testers("12", ["nobody@example.com"])
    else:
        assert client.groups.add_testers("12", ["nobody@example.com"]) == []


def test_all_pages_are_read_however_long_they_may_be(client: Client) -> None:
    everything = list(client.audits.list())
    assert len(everything) == client.audits.list().page(1).pagination.total
    assert len(everything) > 100
    assert len({audit.id for audit in everything}) == len(everything)
