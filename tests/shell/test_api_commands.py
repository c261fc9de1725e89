"""`sauce-appdist api`: every endpoint from a shell, against the emulator."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cached_property
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import ANDROID, API_KEY, NEWEST_ANDROID, Process, Service, connection, expect_rows
from sauce_appdist.api.webhooks import ACTIONS
from sauce_appdist.client import Client
from sauce_appdist.shell import api_commands
from shell.support import ASKS, BUILD, OWNER, REACHES, Api, filled

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_httpserver import HTTPServer


RESOURCES = {name for name, part in vars(Client).items() if isinstance(part, cached_property)}


def methods_of(resource: str) -> dict[str, Callable[..., object]]:
    """The public methods of a resource, by the verb that each is for."""
    methods = vars(getattr(api_commands.module(resource), resource.capitalize())).items()
    return {name.replace("_", "-"): one for name, one in methods if callable(one) and not name.startswith("_")}


def test_every_method_of_the_client_has_a_command_and_every_command_a_row_here() -> None:
    expect_rows(api_commands.RESOURCES, RESOURCES, "RESOURCES, core/sauce_appdist/shell/api_commands.py")
    methods = {f"{resource} {verb}" for resource in RESOURCES for verb in methods_of(resource)}
    commands = {f"{resource} {verb}" for resource, rows in api_commands.RESOURCES.items() for verb in rows}
    expect_rows(commands, methods, "RESOURCES, core/sauce_appdist/shell/api_commands.py")
    expect_rows(REACHES, methods, "REACHES, tests/shell/support.py")


@pytest.mark.parametrize("command", REACHES)
def test_a_command_takes_every_parameter_of_its_method(command: str) -> None:
    """But for rows with a `call` of their own, which is where they differ."""
    resource, verb = command.split()
    row = api_commands.RESOURCES[resource][verb]
    taken = f"{row.needs} {row.takes}".split()
    expect_rows(api_commands.PARAMETERS.keys() & taken, taken, "PARAMETERS, core/sauce_appdist/shell/api_commands.py")
    if not row.call:
        parameters = set(signature(methods_of(resource)[verb]).parameters) - {"self"}
        expect_rows(
            taken, parameters, f"the Verb of `{command}` (needs or takes), core/sauce_appdist/shell/api_commands.py"
        )


@pytest.mark.parametrize("command", REACHES)
def test_every_endpoint_is_reached(api: Api, service: Service, client: Client, tmp_path: Path, command: str) -> None:
    options, request = REACHES[command]
    *options, request = filled([*options, request], client, tmp_path)
    before = len(service.sent)
    agreed = ["--yes"] if command in ASKS else []
    done = api(*command.split(), *options, *agreed, env=OWNER)
    assert done.code == 0, done.log
    assert service.sent[before:] == [request]
    assert json.loads(done.text) is not None
    people = api(*command.split(), *options, *agreed, people=True, env=OWNER)
    assert API_KEY not in people.text + people.log


def test_a_table_for_people_and_json_for_scripts(process: Process) -> None:
    table = process("api", "projects", "list")
    assert table.text.splitlines()[:2] == [
        "id       name              platform  package-name          landing-page-mode",
        "6905338  Northwind Travel  Android   com.northwind.travel  closed",
    ]
    script = process("api", "projects", "list", "--json", "--debug")
    answer = json.loads(script.text)
    assert answer[0] == {
        **answer[0],
        "id": "6905338",
        "self": "/projects/6905338-northwindtravel",
        "packageName": "com.northwind.travel",
        "landingPageMode": "closed",
    }
    assert "GET /api/1/projects/ -> 200" in script.log  # all else is on stderr


def test_pages(api: Api, service: Service) -> None:
    one = api("audits", "list")
    found = re.search(r"Page 1 of (\d+), (\d+) in total; --all reads all pages\.", one.log)
    assert found
    pages, total = int(found[1]), int(found[2])
    assert pages >= 3
    assert len(json.loads(one.text)["audits"]) == 50
    assert json.loads(one.text)["pagination"] == {"page": 1, "per_page": 50, "total": total, "total_pages": pages}
    before = len(service.sent)
    everything = json.loads(api("audits", "list", "--all").text)
    assert len(everything) == total
    assert len({audit["id"] for audit in everything}) == total
    assert len(service.sent) - before == -(-total // 100)
    assert json.loads(api("audits", "list", "--page", str(pages + 1)).text)["audits"] == []
    assert "page and all are both set: set only one of them." in api("audits", "list", "--page", "2", "--all").log


@pytest.mark.parametrize(
    ("argv", "code", "expected"),
    [
        ("builds list", 2, "the following arguments are required: --project-id"),
        ("buildz list", 2, "invalid choice: 'buildz' (did you mean 'builds'?)"),
        ("builds update --relase-notes a --project-id 1 --build-id 2", 2, "unrecognized arguments: --relase-notes (did you mean '--release-notes'?)\nSee sauce-appdist api builds update --help."),
        ("sessions get --project-id 6905338 --build-id 8911052 --session-id 9", 4, "Check project-id and build-id and session-id."),
        ("audits list --page 0", 2, "page is 0, expected 1 or more"),
        (f'builds invite --project-id {ANDROID} --build-id {NEWEST_ANDROID} --groups "QA,Stakeholders"', 2, "groups has 'QA,Stakeholders', but a name here cannot contain a comma"),
        (f"builds download --project-id {ANDROID} --build-id {NEWEST_ANDROID} --to /dev/null", 2, "to is /dev/null, expected a file or a directory"),
        (f"builds download --project-id {ANDROID} --build-id {NEWEST_ANDROID} --to -", 2, "to is -, expected a file or a directory"),
        (f"builds download --project-id {ANDROID} --build-id {NEWEST_ANDROID} --to /tmp/not-there/", 2, "to is /tmp/not-there/, a directory that does not exist: create it first"),
        ("builds list --project-id ../1", 2, "project-id is '../1', which is not a valid id"),
        ("builds get --project-id 1 --build-id 2", 4, "Check project-id and build-id."),
        (f"builds update --project-id {ANDROID} --build-id {NEWEST_ANDROID}", 2, "nothing to update: set release-notes"),
        (f"builds update --project-id {ANDROID} --build-id {NEWEST_ANDROID} --groups QA --clear-groups", 2, "groups and clear-groups are both set: set only one of them."),
        (f"builds update --project-id {ANDROID} --build-id {NEWEST_ANDROID} --landing-page-mode opn", 2, "did you mean 'open'?"),
        (f"builds download --project-id {ANDROID} --build-id {NEWEST_ANDROID} --to /nowhere/at/all", 2, "to is /nowhere/at/all, which cannot be written: No such file or directory"),
        ("testers get --tester-id 999", 4, "Check the tester's e-mail or id"),
        ("groups add-testers --group-id 999 --emails a@example.com", 4, "group not found"),
        ("groups add-testers --group-id 12 --emails nobody@example.com", 4, "Check the tester's e-mail or id"),
        ("audits list --start-date 31.3.2026", 2, "start-date is '31.3.2026', expected a date like 2026-03-31"),
        ("audits list --action-type many", 2, "action-type is 'many', expected a whole number"),
        ("audits list --per-page 500", 4, "refused (HTTP 400, code 1)"),
        ("audits list --start-date 2026-03-02 --end-date 2026-03-01", 2, "start-date 2026-03-02 is after end-date 2026-03-01"),
        ("testers add --emails x@a.example;y@b.example --notify", 2, "emails has 'x@a.example;y@b.example', expected one e-mail address per item"),
        ("testers list --build-id=", 2, "--build-id is empty: set a value, or omit the option."),
        ("audits list --site=", 2, "--site is empty"),
        (f"builds get --project-id {ANDROID} --project-id 1 --build-id 2", 2, "argument --project-id: is set twice, but takes one value"),
        (f"builds invite --project-id {ANDROID} --build-id 2 --groups QA --notify --notify false", 2, "argument --notify: is set twice"),
        ("webhooks add --name CI --url hook", 2, "url is not a valid URL: expected one like https://hooks.example.com/appdist"),
        ("webhooks add --name CI --url https://a.example --actions upload,install", 2, f"actions is 'install', expected one of {', '.join(ACTIONS)}"),
        ("webhooks get --webhook-id 999", 4, "refused (HTTP 400, code 1)"),
        ("sites create --site-name abc", 2, "site-name is 'abc', expected at least four letters, digits, - or _"),
        ("sites create --site-name emea-2", 3, "the account may not do this"),
    ],
)  # fmt: skip
def test_what_goes_wrong(api: Api, argv: str, code: int, expected: str) -> None:
    done = api(*argv.split())
    assert expected in done.log
    assert done.code == code
    assert done.text == ""


def test_a_list_that_is_partly_done_says_which(api: Api, service: Service) -> None:
    """As a newer server answers: ok, and those that it knows."""
    service.fault(path="/testers/groups/12$", body={"status": "ok", "testers": [{"email": "A@example.com"}]})
    done = api("groups", "add-testers", "--group-id", "12", "--emails", "a@example.com, b@example.com")
    assert done.code == 6
    assert "nothing changed for b@example.com: no such tester, or nothing to change. The others are done." in done.log
    assert json.loads(done.text) == [{"email": "A@example.com"}]
    service.fault(path="/testers/groups/12$", body={"status": "ok", "testers": []})
    done = api("groups", "add-testers", "--group-id", "12", "--emails", "b@example.com")
    assert done.code == 2
    assert "emails: nothing changed for b@example.com: no such tester, or nothing to change." in done.log
    assert "Done for the rest" not in done.log


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (["builds", "invite", *BUILD, "--groups", "QA", "--notify", "--yes"], "/invites/$"),
        (["builds", "copy", *BUILD, "--to-folder", "F"], "/copy$"),
        (["testers", "delete", "--tester-id", "504", "--yes"], "/testers/504$"),
    ],
)
@pytest.mark.parametrize("fault", [{"drop": "after"}, {"after": True, "status": 502}])
def test_a_write_of_unknown_fate_says_so_and_is_not_repeated(
    api: Api, service: Service, command: list[str], path: str, fault: dict[str, Any]
) -> None:
    service.fault(path=path, times=None, **fault)
    done = api(*command)
    assert done.code == 6
    assert (
        "Whether the request had an effect is unknown. It was not sent again: check before you repeat it." in done.log
    )
    assert len(service.writes) == 1


def test_groups_that_nobody_has_are_told(api: Api) -> None:
    copied = api("builds", "copy", *BUILD, "--to-folder", "F", "--groups", "QA,Nobody")
    assert copied.code == 6
    assert "Done, except for groups that the service does not know: Nobody." in copied.log
    assert json.loads(copied.text)["invalid_groups"] == ["Nobody"]
    updated = api("builds", "update", *BUILD, "--groups", "Nobody")
    assert (updated.code, "Done, except for groups that the service does not know: Nobody." in updated.log) == (6, True)


def test_in_a_job_nothing_gets_among_the_data(process: Process) -> None:
    """A file that is made of stdout may become an artifact: no mask command, which has the key in it, no note."""
    for env in ({"GITHUB_ACTIONS": "true"}, {"GITLAB_CI": "true"}, {}):
        done = process("api", "sessions", "logs", *BUILD, "--session-id", "8911052001", "--debug", env=env)
        assert done.code == 0
        assert API_KEY not in done.text + done.log
        assert "::" not in done.text
        assert "debug:" in done.log
        assert "debug:" not in done.text
        failed = process("api", "builds", "get", "--project-id", "1", "--build-id", "2", env=env)
        assert (failed.code, failed.text) == (4, "")
        assert "The service refused" in failed.log


def test_data_holds_no_command_of_a_runner(api: Api, service: Service, seed: dict[str, Any]) -> None:
    seed["groups"].append({"name": "##[error]owned\n::error::owned", "testers": ["a@example.com"]})
    service.reset(seed)
    done = api("groups", "list")
    assert json.loads(done.text)[-1]["name"] == "##[error]owned\n::error::owned"
    assert "##[" not in done.text
    assert not re.search(r"^\s*::", done.text + api("groups", "list", people=True).text, re.MULTILINE)


def test_json_is_whole_where_a_stream_cannot_show_everything(
    process: Process, service: Service, seed: dict[str, Any]
) -> None:
    seed["groups"].append({"name": "Grüße 🚆 日本", "testers": ["a@example.com"]})
    service.reset(seed)
    for encoding in ("cp1252:replace", "utf-8"):
        done = process("api", "groups", "list", "--json", env={"PYTHONIOENCODING": encoding})
        assert json.loads(done.text)[-1]["name"] == "Grüße 🚆 日本"


def test_one_thing_is_shown_with_all_it_has(api: Api, client: Client) -> None:
    hook = client.webhooks.list()[0]
    lines = dict(
        line.split(maxsplit=1)
        for line in api("webhooks", "get", "--webhook-id", hook.id, people=True).text.splitlines()
    )
    assert lines["status"] == hook.status
    assert lines["enabled"] == ("yes" if hook.enabled else "no")
    assert lines["url"] == hook.url
    sites = api("sites", "list", people=True, env=OWNER)
    assert "northwind-rail" in sites.text
    assert "Managers: owner@northwind.example" in sites.log
    with_build = api("testers", "list", "--build-id", NEWEST_ANDROID, people=True)
    assert {"downloaded", "sessions"} <= set(with_build.text.splitlines()[0].split())


def test_a_dry_run_sends_nothing_that_changes(api: Api, service: Service) -> None:
    done = api("builds", "delete", *BUILD, "--dry-run")
    assert done.code == 0
    path = f"/api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}"
    assert json.loads(done.text) == {"dry-run": True, "told": f"dry-run is set, so DELETE {path} is not sent."}
    assert service.sent == []
    wrong = api("builds", "update", *BUILD, "--dry-run")
    assert (wrong.code, "nothing to update" in wrong.log) == (2, True)  # it checks what it would send
    assert api("builds", "get", *BUILD, "--dry-run").code == 0


def test_only_the_connection_comes_from_the_environment(api: Api, service: Service) -> None:
    """An earlier job's APPDIST_BUILD_ID must not say what is deleted."""
    done = api("builds", "delete", "--yes", env={"APPDIST_PROJECT_ID": ANDROID, "APPDIST_BUILD_ID": NEWEST_ANDROID})
    assert done.code == 2
    assert "the following arguments are required: --project-id, --build-id" in done.log
    assert service.sent == []


def test_a_download_is_whole_or_not_there(api: Api, service: Service, tmp_path: Path) -> None:
    done = api("builds", "download", *BUILD, "--to", str(tmp_path / "app.apk"))
    assert done.code == 0
    assert json.loads(done.text) == {"path": str(tmp_path / "app.apk"), "size": (tmp_path / "app.apk").stat().st_size}
    (tmp_path / "app.apk").unlink()
    service.fault(path="/download/$", status=502, times=9)
    assert api("builds", "download", *BUILD, "--to", str(tmp_path / "app.apk"), "--retries", "0").code == 5
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_is_cut_short_is_partly_done(api: Api, service: Service) -> None:
    page = {"status": "ok", "audits": [{"id": 1}], "pagination": {"page": 1, "total": 315, "total_pages": 1}}
    service.fault(path="/audits/$", body=page, times=None)
    done = api("audits", "list", "--all")
    assert done.code == 6
    assert json.loads(done.text) == [{"id": "1"}]
    assert "The service sent 1 audit on 2 pages, but announced 315 in total: some may be missing." in done.log
    assert "The list may be incomplete, as the warning says" in done.log


def test_a_download_without_a_place_replaces_nothing(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["builds", "download", *BUILD]
    place = Path(json.loads(api(*words).text)["path"])
    place.write_bytes(b"mine")
    second = api(*words)
    assert second.code == 2
    assert f"{place} exists, and a name that the service chooses replaces no file" in second.log
    assert "--to" in second.log
    assert place.read_bytes() == b"mine"
    assert api(*words, "--to", place.name).code == 0
    assert place.read_bytes() != b"mine"
    assert list(tmp_path.iterdir()) == [place]


def test_one_session_has_the_names_of_its_document(api: Api, client: Client) -> None:
    session = client.sessions.list(ANDROID, NEWEST_ANDROID)[0].id
    assert "startTime" in json.loads(api("sessions", "list", *BUILD).text)[0]
    one = json.loads(api("sessions", "get", *BUILD, "--session-id", session).text)
    assert ("sessionStartTime" in one, "startTime" in one) == (True, False)


def test_an_answer_that_says_nothing_is_a_sentence(api: Api, service: Service) -> None:
    service.fault(path="/invites/$", body="", times=None)
    done = api("builds", "invite", *BUILD, "--groups", "QA")
    assert done.code == 6
    assert "an empty body. Whether the request had an effect is unknown." in done.log


LOG = b"one\r\ntwo\r\x1b[31mred\x1b[0m\x07 \xff\xfe \xe2\x80\xa8::error::x\n##[error]y\n\xef\xbb\xbfno end"


@pytest.mark.parametrize(("env", "kept"), [({}, True), ({"CI": "true"}, False), ({"GITHUB_ACTIONS": "true"}, False)])
@pytest.mark.parametrize("file", [True, False])
def test_a_log_is_what_was_recorded(
    server: HTTPServer, tmp_path: Path, env: dict[str, str], kept: bool, file: bool
) -> None:
    """In a pipe of a job it is made harmless: there the runner reads it, and would run its commands."""
    server.expect_request(f"/api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/sessions/3/").respond_with_data(
        LOG, content_type="application/text"
    )
    environ = {"PATH": os.environ["PATH"], **connection(server.url_for("")), **env}
    command = [sys.executable, "-m", "sauce_appdist", "api", "sessions", "logs", *BUILD, "--session-id", "3"]
    with (tmp_path / "log").open("wb") as stream:
        done = subprocess.run(
            command, env=environ, stdout=stream if file else subprocess.PIPE, stderr=subprocess.PIPE, check=True
        )
    written = (tmp_path / "log").read_bytes() if file else done.stdout
    assert (written == LOG) is (kept or file)
    if not kept and not file:
        assert b"\n##[" not in written
        assert b"\x1b" not in written
        assert "\n::" not in written.decode()
