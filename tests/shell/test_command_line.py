"""The command line of a step."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import certifi
import pytest

from harness import ANDROID, NEWEST_ANDROID, Process, Service, connection
from interface.support import INPUT


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], "the following arguments are required: <command>"),
        (["fnd"], "invalid choice: 'fnd'"),
        (["find", "--build", "1"], "unrecognized arguments: --build (did you mean '--build-id'?)"),
        (["find", "--apikey=k-123456"], "unrecognized arguments: --apikey (did you mean '--api-key'?)"),
        (["find", "k-123456"], "1 argument too many: put an option before every value"),
        (
            ["find", "--api-key", "k-123456"],
            "--api-key is not accepted as an argument, because other users could read it: set APPDIST_API_KEY",
        ),
        (["find", "--api-key=k-123456"], "set APPDIST_API_KEY"),
        (["find", "--oidc-token", "k-123456"], "set APPDIST_OIDC_TOKEN"),
        (["tag", "--tags"], "expected one argument"),
        (
            ["annotate", "--release-notes", "-x"],
            "expected one argument. A value that begins with - needs an equals sign: --release-notes=-x",
        ),
        (["find", "--build-id", "1", "--build-id", "2"], "argument --build-id: is set twice, but takes one value"),
        (["find", "--dry-run", "--dry-run=false"], "argument --dry-run: is set twice, but takes one value"),
    ],
)
def test_wrong_command_lines(process: Process, argv: list[str], expected: str) -> None:
    done = process(*argv)
    assert done.code == INPUT
    assert expected in done.log
    assert "k-123456" not in done.log
    assert done.text == ""


def test_help_and_version(process: Process) -> None:
    assert process("--version").text.startswith("sauce-appdist 1.")
    assert "find" in process("--help").text
    page = process("copy", "--help")
    assert page.code == 0
    assert "--to-folder" in page.text
    assert "Default: inherit" in page.text.replace("\n", " ").replace("                        ", "")


def test_options_beat_the_environment(process: Process) -> None:
    env = {"APPDIST_PROJECT_ID": "1", "APPDIST_BUILD_ID": "1", "APPDIST_REGION": "eu-central-1"}
    done = process("find", "--project-id", ANDROID, "--build-id", NEWEST_ANDROID, "--dry-run", "--json", env=env)
    assert done.code == 0
    assert f'"build-id": "{NEWEST_ANDROID}"' in done.text


def test_lists_and_texts_may_repeat(process: Process, service: Service) -> None:
    words = ["--tags", "a", "--tags", "b,c", "--release-notes=-x", "--release-notes", "y", "--metadata", "a=1"]
    build = ["--project-id", ANDROID, "--build-id", NEWEST_ANDROID]
    assert process("annotate", *build, *words, "--metadata", "b=2").code == 0
    assert service.requests[-1]["form"] == {
        "tags": "a,b,c",
        "comment": "-x\ny",
        "metadata_a": "1",
        "metadata_b": "2",
    }


LATIN1 = "/usr/share/i18n/charmaps/ISO-8859-1.gz"


def test_utf8_is_read_where_the_locale_is_ascii(process: Process, service: Service) -> None:
    locale = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    build = ["--project-id", ANDROID, "--build-id", NEWEST_ANDROID]
    done = process("annotate", *build, "--tags", "für", "--metadata=wer=Jürgen", "--release-notes", "🚆", env=locale)
    assert done.code == 0, done.log
    assert service.requests[-1]["form"] == {"comment": "🚆", "tags": "für", "metadata_wer": "Jürgen"}


@pytest.mark.skipif(not Path(LATIN1).exists(), reason="makes a locale of its own from the system's sources")
def test_utf8_is_read_where_the_locale_is_latin1(process: Process, service: Service, tmp_path: Path) -> None:
    """Paths keep their bytes."""
    (tmp_path / "locale").mkdir()
    subprocess.run(["localedef", "-i", "de_DE", "-f", "ISO-8859-1", tmp_path / "locale" / "de"], check=True)
    (tmp_path / "grün.pem").write_bytes(Path(certifi.where()).read_bytes())
    locale = {"LOCPATH": str(tmp_path / "locale"), "LC_ALL": "de", "PYTHONUTF8": "0", "PYTHONIOENCODING": "utf-8"}
    env = {**locale, "APPDIST_RELEASE_NOTES": "Grüße 🚆", "APPDIST_CA_BUNDLE": str(tmp_path / "grün.pem")}
    build = ["--project-id", ANDROID, "--build-id", NEWEST_ANDROID]
    done = process("annotate", *build, "--tags", "für", "--metadata=wer=Jürgen", env=env)
    assert done.code == 0, done.log
    assert service.requests[-1]["form"] == {"comment": "Grüße 🚆", "tags": "für", "metadata_wer": "Jürgen"}
    place = process("api", "builds", "download", *build, "--to", "locale/Grün.apk", env=locale)
    assert place.code == 0, place.log
    assert (tmp_path / "locale" / "Grün.apk").exists()


def test_what_is_not_utf8_is_read_as_the_locale_does(service: Service, tmp_path: Path) -> None:
    if not Path(LATIN1).exists():
        pytest.skip("makes a locale of its own from the system's sources")
    (tmp_path / "locale").mkdir()
    subprocess.run(["localedef", "-i", "de_DE", "-f", "ISO-8859-1", tmp_path / "locale" / "de"], check=True)
    environ = {**connection(service.url), "LOCPATH": str(tmp_path / "locale"), "LC_ALL": "de", "PYTHONUTF8": "0"}
    build = ["--project-id", ANDROID, "--build-id", NEWEST_ANDROID]
    command: list[str | bytes] = [sys.executable, "-m", "sauce_appdist", "tag", *build, b"--tags=f\xfcr"]
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert service.requests[-1]["form"] == {"tags": "für"}
