"""What a runner, a shell or a terminal reads of foreign text: outputs that are exact or absent, and a log of text only."""

from __future__ import annotations

import io
import json
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

from hypothesis import example, given, settings, strategies as st

from ci.support import commands
from harness import github_outputs
from properties.support import hostile
from sauce_appdist.ci.github import GitHub
from sauce_appdist.ci.gitlab import DOTENV, OUTPUTS, GitLab
from sauce_appdist.ci.report import Fact, PartResult, Report
from sauce_appdist.ci.terminal import Answers, JsonOutput, Terminal
from sauce_appdist.errors import InputError
from sauce_appdist.steps import load

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from sauce_appdist.ci.base import Ci

SECRET = "nw-demo-key-0001"
texts = hostile | st.builds(lambda one, other: one + SECRET + other, hostile, hostile)
# C0 but for tabs and line feeds, DEL and C1; what turns a line round; line ends that are no line feed; text unseen.
UNSAFE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0001]")


def outputs(values: list[str]) -> Any:
    name, version, code, url, notes = values
    made = load("promote").Outputs(app_name=name, app_version=version, version_code=code, build_url=url)
    made.release_notes, made.metadata, made.tags = notes, {"key": name}, [version, code]
    made.project_id = "6905338"
    return made


lists = st.lists(texts, min_size=5, max_size=5)


def no_secret(value: Any) -> Any:
    """A value with the secret hidden, by nothing of ours."""
    if isinstance(value, str):
        return re.sub(f"(?:{SECRET})+", "***", value)
    if isinstance(value, list):
        return [no_secret(item) for item in value]
    return {no_secret(key): no_secret(item) for key, item in value.items()} if isinstance(value, dict) else value


def writable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@settings(max_examples=150)
@given(values=lists)
def test_a_later_step_reads_the_outputs_as_they_are(
    values: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "github-output"
    file.unlink(missing_ok=True)
    ci = GitHub({"GITHUB_OUTPUT": str(file)}, io.StringIO())
    with redirect_stdout(io.StringIO()):
        ci.mask(SECRET)
    os.environ["GITHUB_OUTPUT"] = str(file)  # github-action-utils reads the process's own
    try:
        ci.finish(outputs(values))
    finally:
        del os.environ["GITHUB_OUTPUT"]
    found = github_outputs(file.read_bytes().decode())
    assert found == {name: writable(no_secret(text)) for name, text in outputs(values).texts().items()}


def dotenv(text: bytes) -> dict[str, str]:
    """A dotenv report as GitLab reads it: its limits, a line each.

    Source: https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv and Ci::ParseDotenvArtifactService,
    which splits at the first "=" and strips both sides; quotes stay.
    """
    assert len(text) <= 5 * 1024
    found = {}
    for line in text.decode("utf-8").splitlines():
        key, equals, value = line.partition("=")
        assert equals == "=", line
        assert re.fullmatch(r"[A-Za-z0-9_]+", key), line
        found[key] = value.strip()
    assert len(found) <= 20
    return found


@settings(max_examples=150)
@given(values=lists)
@example(values=["a", "'1'", '"2"', "x" * 6000, "n"])
@example(values=["a", f"1{SECRET}", "a\u2028b", " x", "n"])
def test_a_later_job_reads_a_value_exactly_or_not_at_all(
    values: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, out = tmp_path_factory.getbasetemp(), io.StringIO()
    ci = GitLab({"CI_PROJECT_DIR": str(folder)}, out)
    ci.mask(SECRET)
    made = outputs(values)
    ci.finish(made)
    found = dotenv((folder / DOTENV).read_bytes())
    wanted = {name: no_secret(text) for name, text in made.dotenv().items()}
    assert found.items() <= wanted.items()
    assert found["APPDIST_PROJECT_ID"] == "6905338"
    assert not [value for value in found.values() if "$" in value or re.search("%[A-Za-z_]+%", value)]
    raw = (folder / OUTPUTS).read_text("utf-8")
    assert json.loads(raw) == no_secret(made.values())
    assert not UNSAFE.search(raw)


def spoken(ci: Ci, values: list[str]) -> None:
    """Let it say everything in every way."""
    title, one, two, three, four = values
    ci.mask(SECRET)
    ci.debugging = True
    ci.info(one)
    ci.debug(two)
    ci.warning(three)
    ci.error(InputError(four))
    with ci.section(title):
        ci.info(title)
    ci.report = Report(title, [Fact("Build", one, f"https://h.example/{two}"), Fact("App", three)])
    ci.report.parts = [PartResult("copy", "done", two)]
    ci.report.notes = four


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines_of(kind: type[Ci], values: list[str], folder: Path, out: io.StringIO) -> str:
    ci = kind({"CI_PROJECT_DIR": str(folder)}, out)
    with redirect_stdout(out), redirect_stderr(out):
        spoken(ci, values)
        if isinstance(ci, Answers):
            ci.show(values, columns=["a"], rows=[[one] for one in values], text=values[0])
            ci.show_recording("log", writable(values[1]))
        if not isinstance(ci, JsonOutput):
            ci.finish(outputs(values))
    return out.getvalue()


@settings(max_examples=100)
@given(values=lists)
def test_a_log_has_no_command_escape_or_secret(values: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    for kind in (GitHub, GitLab, Terminal, Answers):
        plain, log = (lines_of(kind, said, folder, io.StringIO()) for said in (["x"] * 5, values))
        assert SECRET not in log.replace(f"::add-mask::{SECRET}\n", "", 1)
        ours = re.compile(r"\x1b\[(?:0K|0m|31;1m|33;1m)|(?<=\d:appdist_)\w*\r|\r(?=\x1b\[0K)", re.ASCII)
        assert not UNSAFE.search(re.sub(r"(section_(?:start|end):\d+:\w+)\r", r"\1", ours.sub("", log)))
        assert len(re.findall(r"\x1b\[0Ksection_", log)) == len(re.findall(r"\x1b\[0Ksection_", plain))
        assert [one.split("::")[1].split(" ")[0] for one in commands(log)] == [
            one.split("::")[1].split(" ")[0] for one in commands(plain)
        ]


@settings(max_examples=40)
@given(values=lists)
def test_a_terminal_obeys_nothing(values: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    screen = lines_of(Terminal, values, tmp_path_factory.getbasetemp(), Screen())
    ours = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;(?:id=\d+)?;(?:https://h\.example/[!-~]*)?\x1b\\", re.ASCII)
    assert not UNSAFE.search(ours.sub("", screen))
    assert SECRET not in screen


@settings(max_examples=100)
@given(values=lists, encoding=st.sampled_from(["utf-8", "ascii", "latin-1"]))
def test_json_means_the_same_and_shows_nothing_to_obey(values: list[str], encoding: str) -> None:
    written = io.BytesIO()
    out = io.TextIOWrapper(written, encoding)
    ci = JsonOutput({}, out)
    ci.mask(SECRET)
    made = outputs(values)
    ci.finish(made)
    text = written.getvalue().decode(encoding)
    assert json.loads(text) == no_secret(made.values())
    assert not UNSAFE.search(text)
    assert not re.search("[\u061c\u200b\u200e\u200f\ufeff]", text)
    assert not commands(text)
