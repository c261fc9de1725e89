"""`sauce-appdist api`: every endpoint from a shell, against the emulator."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from appdist_emulator import Emulator
from harness import ANDROID, API_KEY, NEWEST_ANDROID, ROOT, Outcome, Process, Service, connection
from sauce_appdist.api.webhooks import ACTIONS
from sauce_appdist.cli import main
from sauce_appdist.client import Client
from sauce_appdist.errors import InputError
from sauce_appdist.shell import console

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

BUILD = ["--project-id", ANDROID, "--build-id", NEWEST_ANDROID]
ASKS = {
    f"{resource} {verb}"
    for resource, rows in console.RESOURCES.items()
    for verb, row in rows.items()
    if row.asks and not row.asks_if
}
# command -> options and the one request that it makes; {session}, {webhook} and {site} are looked up
REACHES: dict[str, tuple[list[str], str]] = {
    "projects list": ([], "GET /api/1/projects/"),
    "builds list": (["--project-id", ANDROID], f"GET /api/1/projects/{ANDROID}/builds/"),
    "builds get": (BUILD, f"GET /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}"),
    "builds update": ([*BUILD, "--tags", "rc, qa"], f"PATCH /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/"),
    "builds copy": ([*BUILD, "--to-folder", "F"], f"POST /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/copy"),
    "builds invite": ([*BUILD, "--groups", "QA"], f"POST /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/invites/"),
    "builds download": (
        [*BUILD, "--to", "{tmp}"],
        f"GET /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/download/",
    ),
    "builds delete": (BUILD, f"DELETE /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}"),
    "sessions list": (BUILD, f"GET /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/sessions/"),
    **{
        f"sessions {verb}": (
            [*BUILD, "--session-id", "{session}"],
            f"GET /api/1/projects/{ANDROID}/builds/{NEWEST_ANDROID}/sessions/{{session}}/",
        )
        for verb in ("get", "events", "logs")
    },
    "testers list": (["--build-id", NEWEST_ANDROID], "GET /api/1/testers"),
    "testers get": (["--tester-id", "{tester}"], "GET /api/1/testers/{tester}"),
    "testers add": (["--emails", "new@example.com", "--group", "QA"], "POST /api/1/testers/"),
    "testers block": (["--tester-id", "{tester}"], "POST /api/1/testers/{tester}/block/"),
    "testers unblock": (["--tester-id", "{tester}"], "DELETE /api/1/testers/{tester}/block/"),
    "testers delete": (["--tester-id", "{tester}"], "DELETE /api/1/testers/{tester}"),
    "groups list": ([], "GET /api/1/testers/groups"),
    "groups create": (["--name", "Night shift"], "POST /api/1/testers/groups"),
    "groups add-testers": (
        ["--group-id", "12", "--emails", "jonas.beck@northwind.example"],
        "POST /api/1/testers/groups/12",
    ),
    "groups remove-testers": (
        ["--group-id", "12", "--emails", "tomas.vega@northwind.example"],
        "DELETE /api/1/testers/groups/12",
    ),
    "feedbacks list": ([], "GET /api/1/feedbacks/"),
    "audits list": (["--start-date", "2026-01-01", "--action-type", "1905"], "GET /api/2/audits/"),
    "audits admin-trail": (["--page", "2"], "GET /api/2/audits/admin-trail/"),
    "audits tester-trail": (["--per-page", "10"], "GET /api/2/audits/tester-trail/"),
    "audits recent": ([], "GET /api/1/audits"),
    "permissions list": ([], "GET /api/1/cpanel/permissions/"),
    "webhooks list": ([], "GET /api/1/webhooks/"),
    "webhooks get": (["--webhook-id", "{webhook}"], "GET /api/1/webhook/{webhook}/"),
    "webhooks add": (
        ["--name", "CI", "--url", "https://ci.example.com/hook", "--enabled", "--actions", "upload,crash"],
        "POST /api/1/webhook/",
    ),
    "webhooks update": (
        ["--webhook-id", "{webhook}", "--name", "CI", "--url", "https://ci.example.com/hook"],
        "POST /api/1/webhook/{webhook}/",
    ),
    "webhooks delete": (["--webhook-id", "{webhook}"], "DELETE /api/1/webhook/{webhook}/"),
    "sites list": ([], "GET /api/1/site/"),
    "sites create": (["--site-name", "emea-2", "--login-method", "sso"], "POST /api/1/site/"),
    "sites delete": (["--site-id", "{site}"], "DELETE /api/1/site/{site}/"),
}
OWNER = {"APPDIST_EMAIL": "owner@northwind.example", "APPDIST_API_KEY": "nw-demo-key-0002"}  # who may change sites


class Api(Protocol):
    """Run `sauce-appdist api …`, with `--json` unless it is for people."""

    def __call__(self, *argv: str, people: bool = False, env: Mapping[str, str] | None = None) -> Outcome: ...


@pytest.fixture
def api(service: Service, capfd: pytest.CaptureFixture[str]) -> Api:
    def runner(*argv: str, people: bool = False, env: Mapping[str, str] | None = None) -> Outcome:
        out = io.StringIO()
        words = ["api", *argv, *([] if people else ["--json"])]
        code = main(words, {**connection(service.url), **(env or {})}, out)
        return Outcome(int(code), {}, capfd.readouterr().err, out.getvalue())

    return runner


@pytest.fixture
def client(service: Service) -> Client:
    return Client.from_env({**connection(service.url), **OWNER})


def filled(texts: list[str], client: Client, tmp_path: Path) -> list[str]:
    """Ids that only the account can tell."""
    known: dict[str, Callable[[], str]] = {
        "{session}": lambda: client.sessions.list(ANDROID, NEWEST_ANDROID)[0].id,
        "{webhook}": lambda: client.webhooks.list()[0].id,
        "{site}": lambda: client.sites.list().accounts[-1].id,
        "{tester}": lambda: client.testers.list()[0].id or "",
        "{tmp}": lambda: str(tmp_path),
    }
    found = {mark: look() for mark, look in known.items() if any(mark in text for text in texts)}
    for mark, value in found.items():
        texts = [text.replace(mark, value) for text in texts]
    return texts


def test_every_method_of_the_client_has_a_command_and_every_command_a_row_here() -> None:
    methods = set()
    for resource in console.RESOURCES:
        methods |= {
            f"{resource} {name.replace('_', '-')}"
            for name, value in vars(getattr(console.module(resource), resource.capitalize())).items()
            if callable(value) and not name.startswith("_")
        }
    commands = {f"{resource} {verb}" for resource, rows in console.RESOURCES.items() for verb in rows}
    assert commands == methods == set(REACHES)


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


@pytest.mark.parametrize("command", sorted(ASKS))
def test_what_cannot_be_taken_back_needs_yes_where_nobody_can_be_asked(
    api: Api, service: Service, client: Client, tmp_path: Path, command: str
) -> None:
    options = filled(REACHES[command][0], client, tmp_path)
    done = api(*command.split(), *options, env=OWNER)
    assert done.code == 2
    assert "Nobody can be asked here: give --yes. Nothing was sent." in done.log
    assert done.text == ""
    assert service.writes == []


@pytest.mark.parametrize(
    "command",
    [
        ["builds", "invite", *BUILD, "--groups", "QA"],
        ["testers", "add", "--emails", "a@example.com,b@example.com"],
    ],
)
def test_mails_are_asked_for_and_nothing_else(api: Api, service: Service, command: list[str]) -> None:
    assert api(*command).code == 0
    assert service.outbox == []
    refused = api(*command, "--notify")
    assert refused.code == 2
    assert "give --yes" in refused.log
    assert service.outbox == []
    assert api(*command, "--notify", "--yes").code == 0
    assert service.outbox


def on_a_terminal(service: Service, answer: str, *argv: str) -> tuple[int, str]:
    """Run the command on a real pseudo terminal, and type the answer when it asks."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - the child
        environ = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "120", **connection(service.url)}
        os.execve(sys.executable, [sys.executable, "-m", "sauce_appdist", *argv], environ)
    text, typed, deadline = "", False, time.monotonic() + 30
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                part = os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                break  # Linux's way to say that the other side is closed
            if not part:
                break
            text += part
        if "[y/N]" in text and not typed:
            typed = True
            os.write(terminal, f"{answer}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), text


@pytest.mark.parametrize(
    ("answer", "code", "gone"), [("y", 0, True), ("YES", 0, True), ("n", 2, False), ("", 2, False)]
)
def test_on_a_terminal_it_asks(service: Service, answer: str, code: int, gone: bool) -> None:
    ended, text = on_a_terminal(service, answer, "api", "builds", "delete", *BUILD)
    assert f"Delete build {NEWEST_ANDROID} of project {ANDROID} with its sessions and crashes? [y/N]" in text
    assert ended == code, text
    assert ("Nothing was sent." in text) is not gone
    assert (service.writes != []) is gone


def test_on_a_terminal_a_list_is_a_table(service: Service) -> None:
    code, text = on_a_terminal(service, "", "api", "builds", "list", "--project-id", ANDROID)
    assert code == 0
    assert re.search(r"id\s+app-version\s+app-version-code\s+uploaded-at", re.sub(r"\x1b\[[\d;]*m", "", text))
    assert "8911052  4.3.0" in re.sub(r"\x1b\[[\d;]*m", "", text)


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
    found = re.search(r"Page 1 of (\d+), (\d+) in all; --all reads every page\.", one.log)
    assert found
    pages, total = int(found[1]), int(found[2])
    assert pages >= 3
    assert len(json.loads(one.text)) == 50
    before = len(service.sent)
    everything = json.loads(api("audits", "list", "--all").text)
    assert len(everything) == total
    assert len({audit["id"] for audit in everything}) == total
    assert len(service.sent) - before == -(-total // 100)
    assert json.loads(api("audits", "list", "--page", str(pages + 1)).text) == []
    assert "page and all are given together" in api("audits", "list", "--page", "2", "--all").log


@pytest.mark.parametrize(
    ("argv", "code", "expected"),
    [
        ("builds list", 2, "the following arguments are required: --project-id"),
        ("buildz list", 2, "invalid choice: 'buildz' (did you mean 'builds'?)"),
        ("builds update --relase-notes a --project-id 1 --build-id 2", 2, "unrecognized arguments: --relase-notes (did you mean '--release-notes'?)\nSee sauce-appdist api builds update --help."),
        ("sessions get --project-id 6905338 --build-id 8911052 --session-id 9", 4, "Check project-id and build-id and session-id."),
        ("audits list --page 0", 2, "page is 0, expected 1 or more"),
        (f'builds invite --project-id {ANDROID} --build-id {NEWEST_ANDROID} --groups "QA,Stakeholders"', 2, "groups has 'QA,Stakeholders', but cannot be given by a name with a comma"),
        (f"builds download --project-id {ANDROID} --build-id {NEWEST_ANDROID} --to /dev/null", 2, "to is /dev/null, expected a file or a directory"),
        (f"builds download --project-id {ANDROID} --build-id {NEWEST_ANDROID} --to -", 2, "to is -, expected a file or a directory"),
        (f"builds download --project-id {ANDROID} --build-id {NEWEST_ANDROID} --to /tmp/not-there/", 2, "to is /tmp/not-there/, a directory that does not exist: make it first"),
        ("builds list --project-id ../1", 2, "project-id is '../1', which is no id"),
        ("builds get --project-id 1 --build-id 2", 4, "Check project-id and build-id."),
        (f"builds update --project-id {ANDROID} --build-id {NEWEST_ANDROID}", 2, "nothing to update: give release-notes"),
        (f"builds update --project-id {ANDROID} --build-id {NEWEST_ANDROID} --groups QA --clear-groups", 2, "give one of them"),
        (f"builds update --project-id {ANDROID} --build-id {NEWEST_ANDROID} --landing-page-mode opn", 2, "did you mean 'open'?"),
        (f"builds download --project-id {ANDROID} --build-id {NEWEST_ANDROID} --to /nowhere/at/all", 2, "to is /nowhere/at/all, where nothing can be written: No such file or directory"),
        ("testers get --tester-id 999", 4, "Check the tester's e-mail or id"),
        ("groups add-testers --group-id 999 --emails a@example.com", 4, "group not found"),
        ("groups add-testers --group-id 12 --emails nobody@example.com", 4, "Check the tester's e-mail or id"),
        ("audits list --start-date 31.3.2026", 2, "start-date is '31.3.2026', expected a date like 2026-03-31"),
        ("audits list --action-type many", 2, "action-type is 'many', expected a whole number"),
        ("audits list --per-page 500", 4, "refused (HTTP 400, code 1)"),
        ("webhooks add --name CI --url hook", 2, "url is no URL: expected one like https://hooks.example.com/appdist"),
        ("webhooks add --name CI --url https://a.example --actions upload,install", 2, f"actions is 'upload,install', expected one of {', '.join(ACTIONS)}"),
        ("webhooks get --webhook-id 999", 4, "refused (HTTP 400, code 1)"),
        ("sites create --site-name abc", 2, "site-name is 'abc', expected more than three of letters, digits, - and _"),
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
    assert "not done for b@example.com: no such tester, or it was so before. Done for the rest." in done.log
    assert json.loads(done.text) == [{"email": "A@example.com"}]
    service.fault(path="/testers/groups/12$", body={"status": "ok", "testers": []})
    done = api("groups", "add-testers", "--group-id", "12", "--emails", "b@example.com")
    assert done.code == 2
    assert "emails: not done for b@example.com: no such tester, or it was so before." in done.log
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
    assert "Whether it was done is unknown, and it was not sent again: look before you repeat it." in done.log
    assert len(service.writes) == 1


def test_groups_that_nobody_has_are_told(api: Api) -> None:
    copied = api("builds", "copy", *BUILD, "--to-folder", "F", "--groups", "QA,Nobody")
    assert copied.code == 6
    assert "It was done, but the service does not know the groups Nobody." in copied.log
    assert json.loads(copied.text)["invalid_groups"] == ["Nobody"]
    updated = api("builds", "update", *BUILD, "--groups", "Nobody")
    assert (updated.code, "does not know the groups Nobody" in updated.log) == (6, True)


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


def test_ctrl_c_at_the_question_sends_nothing(service: Service) -> None:
    ended, text = on_a_terminal(service, "\x03", "api", "builds", "delete", *BUILD)
    assert ended == 130
    assert "Cancelled. Nothing was sent." in text
    assert service.writes == []


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


@pytest.mark.parametrize(
    "command", [[], *([resource] for resource in console.RESOURCES), *(c.split() for c in REACHES)]
)
def test_help_reads_well(process: Process, command: list[str]) -> None:
    done = process("api", *command, "--help")
    assert done.code == 0
    assert done.text.startswith(f"usage: sauce-appdist {' '.join(['api', *command])}")
    assert "==SUPPRESS==" not in done.text
    if len(command) == 2:
        assert re.search(r"\((GET|POST|PATCH|DELETE) [^)]+\)", re.sub(r"\s+", " ", done.text))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("sauce-appdist ap", {"api"}),
        ("sauce-appdist api web", {"webhooks"}),
        ("sauce-appdist api testers ", {"list", "get", "add", "block", "unblock", "delete"}),
        ("sauce-appdist api builds delete --y", {"--yes"}),
        ("sauce-appdist promote --to-f", {"--to-folder"}),
    ],
)
def test_bash_completes(process: Process, tmp_path: Path, typed: str, expected: set[str]) -> None:
    """The script is given to a real bash, which is asked what it would offer."""
    bash = shutil.which("bash")
    assert bash
    script = tmp_path / "completion.bash"
    script.write_text(process("completion", "bash").text)
    words = typed.split(" ")
    ask = (
        f"source {script}; COMP_WORDS=({' '.join(words[:-1])} {words[-1] or repr('')}); COMP_CWORD={len(words) - 1}; "
        "f=$(complete -p sauce-appdist | sed 's/.*-F \\([^ ]*\\).*/\\1/'); $f; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run([bash, "--norc", "-c", ask], capture_output=True, text=True, timeout=30, check=True)
    assert expected <= {line.strip() for line in done.stdout.splitlines()}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script(process: Process, shell: str) -> None:
    done = process("completion", shell)
    assert done.code == 0
    assert "remove-testers" in done.text


@pytest.mark.parametrize("dialect", ["classic", "compat"])
def test_the_example_for_scripts_runs_as_it_is(dialect: Any) -> None:
    with Emulator(dialect=dialect) as emulator:
        done = subprocess.run(
            [sys.executable, ROOT / "examples" / "release_report.py", "2026-01-01"],
            env={"PATH": os.environ["PATH"], **connection(emulator.url)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    sessions = "12" if dialect == "classic" else "?"
    assert f"| Northwind Travel (Android) | 4.3.0 | {sessions} |" in done.stdout
    assert len(re.findall(r"^- 2026-\d\d-\d\d ", done.stdout, re.MULTILINE)) == 10
    assert ("calls this API deprecated" in done.stderr) is (dialect == "compat")


def test_from_env_needs_a_way_to_sign_in() -> None:
    with pytest.raises(InputError, match="no credentials"):
        Client.from_env({})
