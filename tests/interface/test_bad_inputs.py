"""Bad input: one clear message that names the input and how to fix it, and the documented exit code."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from harness import ANDROID, API_KEY, BUILD, EMAIL, NEWEST_ANDROID, Process, Run, Service
from interface.support import AUTH, INPUT, TRANSPORT

if TYPE_CHECKING:
    from pathlib import Path


def bad(step: str, expected: str, *, drop: str = "", code: int = INPUT, **inputs: str) -> Any:
    name = "-".join([step, *inputs, *([f"no-{drop}"] if drop else [])]) or step
    return pytest.param(step, inputs, drop.split(), expected, code, id=name[:80])


@pytest.mark.parametrize(
    ("step", "inputs", "drop", "expected", "code"),
    [
        # credentials
        bad("find", "no credentials: set email and api-key, api-key alone (newer servers), or oidc-config-key with oidc-token, oidc-client-id or oidc-provider", drop="APPDIST_EMAIL APPDIST_API_KEY", **BUILD),
        bad("find", "sign in with email and api-key or by OIDC, not both", email=EMAIL, api_key=API_KEY, oidc_token="tok-1234", oidc_config_key="cfg-1234", **BUILD),
        bad("find", "email needs api-key", drop="APPDIST_API_KEY", **BUILD),
        bad("find", "Only newer servers accept an api-key alone: set email too", code=AUTH, drop="APPDIST_EMAIL", **BUILD),
        bad("find", "oidc-token needs oidc-config-key", drop="APPDIST_EMAIL APPDIST_API_KEY", oidc_token="tok-1234", **BUILD),
        bad("find", "api-key is empty, or contains white space", api_key="two words", **BUILD),
        bad("find", "the service does not accept the credentials", api_key="wrong-key", code=AUTH, **BUILD),
        bad("find", "api-key has fewer than 8 characters, so it is not a credential", api_key="changeme"[:7], **BUILD),
        # where to
        bad("find", "region is 'us-west-1', expected one of us-east-1, eu-central-1, legacy", region="us-west-1", **BUILD),
        bad("find", "(did you mean 'eu-central-1'?)", region="eu-central", **BUILD),
        bad("find", "base-url is not a URL: expected scheme and host", base_url="mobile.saucelabs.com", **BUILD),
        bad("find", "base-url is not a URL", base_url="https://[::1", **BUILD),
        bad("find", "base-url is not https, and acme.example is not this machine", base_url="http://acme.example", **BUILD),
        bad("find", "base-url contains credentials", base_url="https://me:secret@acme.example", **BUILD),
        bad("find", "base-url contains the API's path, which the step adds", base_url="https://acme.example/api/1/", **BUILD),
        bad("find", "base-url has a query", base_url="https://acme.example/?a=1", **BUILD),
        bad("find", "no-such-host.invalid cannot be reached", base_url="https://no-such-host.invalid", retries="0", code=TRANSPORT, **BUILD),
        # how
        bad("find", "timeout is '10', expected a whole number with its unit: 90s, 15m, 24h or 7d", timeout="10", **BUILD),
        bad("find", "timeout is 0, expected at least 1s", timeout="0s", **BUILD),
        bad("find", "timeout is '9999999999d', expected at most 30d", timeout="9999999999d", **BUILD),
        bad("find", "wait-for-build is '1.5m'", wait_for_build="1.5m", **BUILD),
        bad("find", "retries is 'many', expected a whole number", retries="many", **BUILD),
        bad("find", "retries is 11, expected 0 to 10", retries="11", **BUILD),
        bad("find", "dry-run is 'maybe', expected true or false", dry_run="maybe", **BUILD),
        # the build
        bad("find", "no build: set build-id and project-id, or build-url, or package-name"),
        bad("find", "build-id needs a project: set project-id", build_id=NEWEST_ANDROID),
        bad("find", "`build-id: latest` needs an app", build_id="latest"),
        bad("find", "build-id is '../1', which is not a valid id", build_id="../1", project_id=ANDROID),
        bad("find", "build-url is 'https://x.example/apps/1', expected …/projects/<project>/builds/<build>", build_url="https://x.example/apps/1"),
        bad("find", "build-url and project-id name different projects", build_url="/projects/1-a/builds/2", **BUILD),
        bad("find", "8 builds match. Set build-id and project-id", package_name="com.northwind.travel"),
        bad("find", "none of 4 visible projects has package-name 'com.northwind.travl' (did you mean 'com.northwind.travel'?)", package_name="com.northwind.travl"),
        bad("find", "none with version '9.9'. The newest are: build-id 8911052, version 4.3.0", package_name="com.northwind.travel", platform="android", version="9.9"),
        bad("find", "project 999 has no build, or is not visible", project_id="999", build_id="latest"),
        bad("copy", "2 projects match: other platforms, other apps, or copies in folders. Set project-id. The projects:", package_name="com.northwind.travel", platform="Android", build_id="latest", to_folder="Release Candidates"),
        bad("promote", "3 projects match: other platforms, other apps, or copies in folders. Set project-id or platform. The projects:", package_name="com.northwind.travel", build_id="latest", to_folder="QA"),
        bad("copy", "copy-groups names unknown tester groups: 'QA, Berlin'", to_folder="F", copy_groups='"QA, Berlin"', on_invalid_groups="warn", **BUILD),
        bad("find", "project 6905338 has no build 1", project_id=ANDROID, build_id="1"),
        bad("find", "does not show which folder a project is in", package_name="com.northwind.travel", folder="QA"),
        # tags
        bad("tag", "tags is required: Tags, separated by commas", **BUILD),
        bad("tag", "tags contains no item", tags=" , \n ,", **BUILD),
        bad("tag", "a tag cannot contain a comma", tags='"a, b"', **BUILD),
        bad("tag", "contains an unclosed quote", tags='"a', **BUILD),
        bad("tag", "tags-mode is 'ad', expected one of replace, add, remove (did you mean 'add'?)", tags="a", tags_mode="ad", **BUILD),
        bad("tag", "need the current tags, which this service does not show", tags="a", tags_mode="add", **BUILD),
        bad("tag", "need the current tags, which this service does not show", tags="a", tags_mode="remove", **BUILD),
        # annotations
        bad("annotate", "nothing to annotate: set release-notes", **BUILD),
        bad("annotate", "release-notes and release-notes-file are both set", release_notes="a", release_notes_file="b", **BUILD),
        bad("annotate", "release-notes-file missing.md does not exist in", release_notes_file="missing.md", **BUILD),
        bad("annotate", "release-notes contains only white space", release_notes="  \n ", **BUILD),
        bad("annotate", "metadata line 2 is 'no equals', expected key=value", metadata="a=b\nno equals", **BUILD),
        bad("annotate", "metadata line 1 has the key 'a b'", metadata="a b=c", **BUILD),
        bad("annotate", "metadata line 2 sets a a second time", metadata="a=1\na=2", **BUILD),
        bad("annotate", "landing-page-mode is 'opn', expected one of open, closed (did you mean 'open'?)", landing_page_mode="opn", **BUILD),
        bad("annotate", "permission-groups names unknown tester groups: 'Beta Tester' (did you mean 'Beta Testers'?)", permission_groups="QA, Beta Tester", **BUILD),
        bad("annotate", "permission-groups and clear-permission-groups are both set", permission_groups="QA", clear_permission_groups="yes", **BUILD),
        bad("annotate", "ci-metadata is true, but this is neither GitHub Actions nor GitLab CI", ci_metadata="true", **BUILD),
        # copy
        bad("copy", "to-folder is required", **BUILD),
        bad("copy", "to-folder contains only white space", to_folder="   ", **BUILD),
        bad("copy", "to-folder contains a line break", to_folder="a\nb", **BUILD),
        bad("copy", "copy-groups names unknown tester groups: 'qa' (did you mean 'QA'?)", to_folder="F", copy_groups="qa", **BUILD),
        bad("copy", "if-exists is 'overwrite', expected one of copy, skip", to_folder="F", if_exists="overwrite", **BUILD),
        # invite
        bad("invite", "groups is required", **BUILD),
        bad("invite", "groups names unknown tester groups: 'Nobody'. Known groups: QA, Beta Testers", groups="Nobody", **BUILD),
        bad("invite", "notify is 'maybe', expected one of false, true, first-attempt, if-copied", groups="QA", notify="maybe", **BUILD),
        bad("invite", "notify is if-copied, but only promote makes copies", groups="QA", notify="if-copied", **BUILD),
        bad("promote", "notify: if-copied needs to-folder: set to-folder, or omit notify: if-copied", groups="QA", notify="if-copied", **BUILD),
        bad("invite", "only GitHub Actions tells a job which attempt it is", groups="QA", notify="first-attempt", **BUILD),
        # promote
        bad("promote", "nothing to promote: set at least one of", **BUILD),
        bad("promote", "source-tags needs to-folder: set to-folder, or omit source-tags", source_tags="a", tags="b", **BUILD),
        bad("promote", "notify needs groups: set groups, or omit notify", notify="true", tags="b", **BUILD),
        bad("promote", "tags-mode needs tags: set tags, or omit tags-mode", tags_mode="add", groups="QA", **BUILD),
        bad("promote", "groups names unknown tester groups: 'Nobody'", groups="Nobody", to_folder="F", **BUILD),
        bad("promote", "release-notes-file missing.md does not exist", release_notes_file="missing.md", to_folder="F", **BUILD),
        bad("promote", "need the current tags", to_folder="F", tags="a", tags_mode="add", **BUILD),
    ],
)  # fmt: skip
def test_bad_input(
    run: Run, service: Service, step: str, inputs: dict[str, str], drop: list[str], expected: str, code: int
) -> None:
    done = run(step, env=dict.fromkeys(drop, ""), **inputs)
    assert expected in done.log
    assert done.code == code
    assert done.log.count("\n") < 12
    assert "Traceback" not in done.log
    assert "secret" not in done.log
    assert service.writes == []


def test_files_that_cannot_be_read_are_named(run: Run, service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "notes.d"
    folder.mkdir()
    latin = tmp_path / "latin.md"
    latin.write_bytes("Grüße".encode("latin-1"))
    empty = tmp_path / "empty.md"
    empty.write_text(" \n")
    binary = tmp_path / "binary.md"
    binary.write_bytes(b"a\0b")
    leak = tmp_path / "leak.md"
    leak.write_text(f"Made with {API_KEY}")
    for path, expected in (
        (leak, "contains a credential. Remove it."),
        (folder, "cannot be read: Is a directory"),
        (latin, "is not UTF-8 (byte 3): save it as UTF-8"),
        (empty, "is empty: add text, or omit the input."),
        (binary, "contains a NUL character"),
    ):
        done = run("annotate", release_notes_file=str(path), **BUILD)
        assert done.code == INPUT
        assert f"release-notes-file {path} {expected}" in done.log
    assert service.writes == []


def test_text_that_is_not_utf8_is_refused(process: Process, service: Service) -> None:
    done = process(
        "annotate", env={"APPDIST_RELEASE_NOTES": "Gr\udcfc\udcdfe", "APPDIST_BUILD_ID": "1", "APPDIST_PROJECT_ID": "1"}
    )
    assert done.code == INPUT
    assert "release-notes is not UTF-8" in done.log
    assert service.sent == []


def test_a_secret_that_is_not_utf8_is_refused(process: Process) -> None:
    done = process("find", env={"APPDIST_API_KEY": "\udcff\udcfe", "APPDIST_BUILD_ID": "1", "APPDIST_PROJECT_ID": "1"})
    assert done.code == INPUT
    assert "api-key is empty, or contains white space or a character outside ASCII" in done.log


@pytest.mark.parametrize("name", ["build_id", "region", "release_notes", "base_url", "tags"])
def test_a_credential_where_it_does_not_belong_is_not_even_shown_in_part(
    process: Process, service: Service, name: str
) -> None:
    secret = "".join(f"{number:x}-" for number in range(60))
    env = {"GITHUB_ACTIONS": "true", "APPDIST_API_KEY": secret, "APPDIST_PROJECT_ID": "1", "APPDIST_BUILD_ID": "1"}
    done = process("annotate", env={**env, f"APPDIST_INPUT_{name.upper()}": f"x{secret}"})
    assert done.code == INPUT
    assert f"{name.replace('_', '-')} contains a credential. Remove it." in done.text
    assert secret[:12] not in done.text.replace(f"::add-mask::{secret}", "") + done.files["summary.md"] + done.log
    assert service.sent == []


def test_every_wrong_input_is_told_at_once(run: Run) -> None:
    done = run("promote", region="mars", timeout="soon", tags='"', if_exists="?", **BUILD)
    assert all(f"{name} " in done.log for name in ("region", "timeout", "tags", "if-exists"))


def test_a_port_that_speaks_something_else(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                connection.recv(1000)

        thread = threading.Thread(target=greet)
        thread.start()
        done = run("find", base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", **BUILD)
        thread.join()
    assert done.code == TRANSPORT
    assert "does not speak HTTP" in done.log


def test_tls_failure(run: Run, service: Service) -> None:
    done = run("find", base_url=service.url.replace("http:", "https:"), **BUILD)
    assert done.code == TRANSPORT
    assert "does not speak TLS" in done.log


def test_a_bundle_whose_name_is_too_long_is_a_wrong_input(run: Run) -> None:
    done = run("find", ca_bundle="x" * 5000, **BUILD)
    assert done.code == INPUT
    assert "which does not exist: expected a PEM file" in done.log


def test_a_duration_has_ascii_units(run: Run) -> None:
    assert "expected a whole number with its unit" in run("find", timeout="5\u017f", **BUILD).log
