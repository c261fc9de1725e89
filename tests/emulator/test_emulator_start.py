"""Seeds, the command line, and what importing the package costs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from appdist_emulator import Emulator, SeedError
from appdist_emulator.cli import main
from harness import ANDROID, NEWEST_ANDROID, connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = {"email": "a@b.example", "api_key": "secret-key"}
APP = {"name": "A", "package_name": "a.b", "platform": "iOS"}
BUILD = {"version": "1.0", "version_code": "1"}
SESSION = {"start_time": "2026-01-02 03:04:05", "duration": "01:00", "tester": "t@b.example", "device": "Phone"}
FEEDBACK = {"text": "t", "reported_by": "t@b.example"}
HISTORY = {"entries": 1, "since": "2026-01-01 00:00:00", "until": "2026-01-02 00:00:00"}


def one_build(**build: Any) -> dict[str, Any]:
    return {"users": [USER], "projects": [{**APP, "builds": [{**BUILD, **build}]}]}


# --- seeds ------------------------------------------------------------------------------------


def test_users_are_enough() -> None:
    with Emulator({"users": [USER]}) as emulator:
        answer = requests.get(f"{emulator.url}/api/1/projects/", auth=("a@b.example", "secret-key"), timeout=5)
        assert answer.json() == {"status": "ok", "projects": []}


def test_ids_are_made_where_the_seed_has_none() -> None:
    seed = {
        "users": [USER],
        "groups": [{"name": "g", "testers": ["t@b.example", "T@b.example"]}],
        "projects": [{**APP, "builds": [{**BUILD, "groups": ["g"]}, {**BUILD, "id": "8800005", "version": "2"}]}],
    }
    with Emulator(seed) as emulator:
        state = requests.get(f"{emulator.url}/_emulator/state", timeout=5).json()
    assert state["projects"][0]["id"] == "6800001"
    assert [build["id"] for build in state["projects"][0]["builds"]] == ["8800006", "8800005"]
    assert state["groups"] == [{"id": 1, "name": "g", "testers": ["t@b.example"]}]


def test_a_seeded_build_can_show_up_later() -> None:
    seed = {"users": [USER], "projects": [{**APP, "builds": [{**BUILD, "visible_after": 60}]}]}
    with Emulator(seed) as emulator:
        answer = requests.get(f"{emulator.url}/api/1/projects/", auth=("a@b.example", "secret-key"), timeout=5)
        assert answer.json()["projects"] == []


@pytest.mark.parametrize(
    ("seed", "hint"),
    [
        ({}, "users: field required"),
        ({"users": [USER], "compny": "x"}, "compny: unknown key (did you mean company?)"),
        ({"users": [{**USER, "role": "boss"}]}, "users[0].role"),
        ({"users": [{**USER, "permissions": ["all"]}]}, "users[0].permissions[0]"),
        ({"users": [USER, USER]}, "users[].email: must be unique"),
        ({"users": [USER], "projects": [{**APP, "builds": [{"version": "1"}]}]}, "version_code"),
        (
            {"users": [USER], "projects": [{**APP, "builds": [{**BUILD, "uploaded_at": "yesterday"}]}]},
            "projects[0].builds[0].uploaded_at: must be a time like",
        ),
        ({"users": [USER], "projects": [{**APP, "groups": ["x"]}]}, "projects[0].groups: no group is named"),
        (
            {"users": [USER], "projects": [{**APP, "builds": [{**BUILD, "groups": ["x"]}]}]},
            "projects[0].builds[0].groups: no group is named 'x'",
        ),
        ({"users": [USER], "projects": [{**APP, "id": 1}, {**APP, "id": "1"}]}, "projects[].id"),
        ({"users": [USER], "projects": [{**APP, "id": "x"}]}, "projects[0].id"),
        ({"users": [USER], "shows": {"build": ["colour"]}}, "shows.build[0]"),
        ({"users": [USER], "oidc": {"config_key": "c", "tokens": {"t": "n@b.example"}}}, "oidc.tokens"),
        (
            {"users": [USER], "oidc": {"config_key": "c", "tokens": {"secret-token": {"error": "x"}}}},
            "oidc.tokens",
        ),
        ({"users": [USER], "oidc": {"config_key": "c", "tokens": {"secret-token": {"x": "y"}}}}, "oidc.tokens"),
        (
            {"users": [USER], "testers": [{"id": 1, "email": "s@b.example"}, {"id": 1, "email": "t@b.example"}]},
            "testers[].id: must be unique",
        ),
        (one_build(recorded_sessions=[SESSION]), "projects[0].builds[0].sessions: fewer than in recorded_sessions"),
        (
            one_build(sessions=1, recorded_sessions=[{**SESSION, "crashed": True}]),
            "builds[0].crashes: fewer than in recorded_sessions",
        ),
        (one_build(sessions=1, recorded_sessions=[{**SESSION, "duration": "15 min"}]), "recorded_sessions[0].duration"),
        (
            one_build(sessions=2, recorded_sessions=[{**SESSION, "id": 1}] * 2),
            "recorded_sessions[].id: must be unique",
        ),
        (one_build(recorded_feedbacks=[FEEDBACK]), "builds[0].feedbacks: fewer than in recorded_feedbacks"),
        (
            one_build(feedbacks=2, recorded_feedbacks=[{**FEEDBACK, "id": 1}] * 2),
            "recorded_feedbacks[].id: must be unique",
        ),
        (
            one_build(feedbacks=1, recorded_feedbacks=[{**FEEDBACK, "session_id": 5}]),
            "recorded_feedbacks[0].session_id: not in recorded_sessions",
        ),
        ({"users": [USER], "webhooks": [{"name": "n", "url": "u", "actions": ["boom"]}]}, "webhooks[0].actions[0]"),
        ({"users": [USER], "webhooks": [{"id": 1, "name": "n", "url": "u"}] * 2}, "webhooks[].id"),
        ({"users": [USER], "webhooks": [{"name": "n", "url": "u", "status": "1"}]}, "webhooks[0].status: unknown key"),
        ({"users": [USER], "enterprise_id": 7, "sites": [{"id": 7, "name": "rail"}]}, "sites[].id"),
        ({"users": [USER], "sites": [{"name": "rail"}, {"name": "Rail"}]}, "sites[].name"),
        ({"users": [USER], "sites": [{"name": "rail", "login_method": 2}]}, "sites[0].login_method"),
        ({"users": [USER], "audit_history": {**HISTORY, "entries": 0}}, "audit_history.entries"),
        (
            {"users": [USER], "audit_history": {**HISTORY, "until": "2025-01-01 00:00:00"}},
            "audit_history.until: must be later than since",
        ),
    ],
)
def test_a_bad_seed_is_explained(seed: dict[str, Any], hint: str) -> None:
    with pytest.raises(SeedError) as caught:
        Emulator(seed)
    assert hint in str(caught.value)
    assert "secret" not in str(caught.value)


# --- importing --------------------------------------------------------------------------------


def test_importing_the_package_imports_no_flask() -> None:
    code = (
        "import sys, appdist_emulator, appdist_emulator.cli\n"
        "sys.exit(any(name in sys.modules for name in ('flask', 'werkzeug')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_package_stands_alone() -> None:
    code = (
        "import sys, appdist_emulator.server, appdist_emulator.cli\n"
        "sys.exit(any(name.startswith('sauce_appdist') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- the command line -------------------------------------------------------------------------


@contextlib.contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "appdist_emulator", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            found = re.fullmatch(r"Emulator listening on (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
            assert found
            yield process, found[1]
        finally:
            process.kill()


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end(number: signal.Signals) -> None:
    with serving() as (process, url), requests.Session() as session:
        session.get(f"{url}/api/1/projects/?api_key=hidden", timeout=5)
        session.get(f"{url}/_emulator/", timeout=5)  # not told
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, err) == (0, "")
    (line,) = out.splitlines()
    assert re.fullmatch(r"GET /api/1/projects/ 401 \d+\.\d ms", line)


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
def test_quiet_and_a_seed_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "seed.json"
    file.write_text(json.dumps({"company": "Mine", "users": [USER]}), encoding="utf-8")
    with serving("--quiet", "--seed", str(file)) as (process, url):
        answer = requests.get(f"{url}/api/1/projects/", auth=("a@b.example", "secret-key"), timeout=5)
        assert answer.status_code == 200
        assert requests.get(f"{url}/_emulator/state", timeout=5).json()["company"] == "Mine"
        process.terminate()
        assert process.communicate(timeout=10) == ("", "")
        assert process.returncode == 0


def complaint(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(list(options)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        err = complaint(capsys, "--port", str(port))
    assert err.count("\n") == 1
    assert f"--port {port}:" in err
    assert "0 for a free one" in err


@pytest.mark.parametrize("port", ["x", "70000", "-1"])
def test_a_bad_port(capsys: pytest.CaptureFixture[str], port: str) -> None:
    assert "--port" in complaint(capsys, f"--port={port}")


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (None, "No such file"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "JSON object"),
        (b"{}", "users: field required"),
        (b'{"users": [], "x": 1}', "users: "),
    ],
)
def test_a_seed_that_cannot_be_used(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | None, hint: str
) -> None:
    file = tmp_path / "seed.json"
    if content is not None:
        file.write_bytes(content)
    err = complaint(capsys, "--seed", str(file))
    assert err.count("\n") == 1
    assert f"--seed {file}:" in err
    assert hint in err


def test_without_flask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in {"flask", "werkzeug", "appdist_emulator"}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "flask", None)
    err = complaint(capsys)
    assert "pip install 'sauce-appdist[emulator]'" in err
    assert err.count("\n") == 1


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "--seed" in capsys.readouterr().out


def test_the_emulator_is_a_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sauce_appdist", "emulator", "--port", "0", "--quiet"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        url = running.stdout.readline().strip().rpartition(" ")[2]
        env = {"PATH": os.environ["PATH"], **connection(url)}
        build = {"APPDIST_PROJECT_ID": ANDROID, "APPDIST_BUILD_ID": NEWEST_ANDROID}
        found = subprocess.run(
            [*command[:3], "find", "--json"], env=env | build, capture_output=True, text=True, check=True
        )
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    assert json.loads(found.stdout)["build-id"] == NEWEST_ANDROID
