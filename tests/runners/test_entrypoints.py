"""What is rendered and committed, read as a CI system reads it; no runner is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness import expect_rows
from runners.cases import CASES
from runners.support import ACTION, ROOT
from sauce_appdist import __version__
from sauce_appdist.interface import input_variable, kebab
from sauce_appdist.interface.inputs import is_secret
from sauce_appdist.steps import STEPS, load

if TYPE_CHECKING:
    from pathlib import Path


def action(step: str) -> dict[str, Any]:
    path = ROOT / ("action.yml" if step == "promote" else f"actions/{step}/action.yml")
    document: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return document


def template(step: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the one job of a template."""
    header, jobs = yaml.safe_load_all((ROOT / "gitlab-templates" / f"{step}.yml").read_text("utf-8"))
    (job,) = jobs.values()
    return header, job


def names(step: str, *, secrets: bool = True) -> set[str]:
    return {name for name, field in load(step).Inputs.model_fields.items() if secrets or not is_secret(field)}


# --- GitHub ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_an_action_maps_every_input_and_interpolates_nothing(step: str) -> None:
    """GitHub sets no INPUT_… for a composite action's steps: what is not mapped here does not arrive."""
    document = action(step)
    (run,) = document["runs"]["steps"]
    assert document["runs"]["using"] == "composite"
    assert set(document["inputs"]) == {kebab(name) for name in names(step)}
    assert run["env"] == {input_variable(name): f"${{{{ inputs.{kebab(name)} }}}}" for name in names(step)}
    assert set(run) == {"id", "shell", "env", "run"}, "no other action is used"
    assert "${{" not in run["run"]
    up = "" if step == "promote" else "/../.."
    assert run["run"] == f'bash "$GITHUB_ACTION_PATH{up}/core/bootstrap.sh" {step}'


@pytest.mark.parametrize("step", STEPS)
def test_an_action_hands_on_every_output(step: str) -> None:
    document = action(step)
    assert set(document["outputs"]) == {kebab(name) for name in load(step).Outputs.model_fields}
    for name, output in document["outputs"].items():
        assert output["value"] == f"${{{{ steps.run.outputs.{name} }}}}"
        assert output["description"]


@pytest.mark.parametrize("step", STEPS)
def test_what_the_environment_can_give_has_no_default_of_its_own(step: str) -> None:
    """GitHub cannot tell a default from a value that was given, so it would always win; `inherit` says where to look."""
    for name, field in action(step)["inputs"].items():
        assert field["description"]
        if "from the environment." in field["description"]:
            word = "inherit" if "If you set no input of the build" in field["description"] else ""
            assert field.get("default", "") == word, name
            assert field["required"] is False


def test_a_runner_runs_every_step() -> None:
    expect_rows(CASES, STEPS, "CASES, tests/runners/cases.py")


def test_there_is_an_action_and_a_template_for_every_step_and_no_other() -> None:
    assert {path.parent.name for path in ROOT.glob("actions/*/action.yml")} == set(STEPS) - {"promote"}
    assert {path.stem for path in ROOT.glob("gitlab-templates/*")} == set(STEPS)


# --- GitLab ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
def test_a_template_maps_every_input_and_interpolates_nothing(step: str) -> None:
    header, job = template(step)
    own = {"job-name", "stage", "image", "rules", "package"}
    assert set(header["spec"]["inputs"]) == own | {kebab(name) for name in names(step, secrets=False)}
    values = {
        name: value["value"] if isinstance(value, dict) else value for name, value in job.pop("variables").items()
    }
    booleans = {
        kebab(name) for name in names(step) if header["spec"]["inputs"].get(kebab(name), {}).get("type") == "boolean"
    }
    assert values == {
        # A boolean in a text of more than itself is a text, which every GitLab takes as a variable's value.
        input_variable(name): f"$[[ inputs.{kebab(name)} ]]" + (" " if kebab(name) in booleans else "")
        for name in names(step, secrets=False)
    } | {"APPDIST_INPUT_PACKAGE": "$[[ inputs.package ]]"}
    (script,) = job.pop("script")
    assert "$[[" not in script
    assert not {"before_script", "after_script", "hooks"} & job.keys()
    assert re.search(rf" {step}\n$", script)
    for setting in ("stage", "image", "rules"):
        assert job[setting] == f"$[[ inputs.{setting} ]]"


@pytest.mark.parametrize("step", STEPS)
def test_a_template_has_no_secret_in_it(step: str) -> None:
    """An input's value can be read by whoever can see the pipeline's configuration."""
    header, _ = template(step)
    secrets = {"api_key", "oidc_token", "oidc_config_key", "oidc_client_secret"}
    assert names(step) - names(step, secrets=False) == secrets
    assert not {name.replace("_", "-") for name in secrets} & header["spec"]["inputs"].keys()


def test_the_docs_tell_which_inputs_of_a_template_are_no_texts() -> None:
    """GitLab takes a quoted boolean for a text and refuses it, and a number without quotes."""
    specs = [template(step)[0]["spec"]["inputs"] for step in STEPS]
    types = {name: spec.get("type", "string") for inputs in specs for name, spec in inputs.items()}
    page = (ROOT / "docs" / "reference" / "gitlab.md").read_text("utf-8")
    (told,) = re.findall(r"^Unquoted: (.*)$", page, re.MULTILINE)
    assert set(re.findall(r"`([a-z-]+)`", told)) - {"true", "false"} == {
        name for name, kind in types.items() if kind != "string"
    }
    assert "number" not in types.values()


@pytest.mark.parametrize("step", [step for step in STEPS if step != "check"])
def test_a_version_is_to_be_quoted(step: str) -> None:
    for inputs in (action(step)["inputs"], template(step)[0]["spec"]["inputs"]):
        assert "Quote it in YAML: an unquoted 1.10 is 1.1." in inputs["version"]["description"]
        assert "Quote it in YAML" in inputs["version-code"]["description"]


def test_pip_gets_what_bootstrap_gives_it() -> None:
    bootstrap = (ROOT / "core" / "bootstrap.sh").read_text("utf-8")
    kept = {name for line in re.findall(r"^ +(PIP_.*)\) ;;$", bootstrap, re.MULTILINE) for name in line.split(" | ")}
    (script,) = template("tag")[1]["script"]
    (line,) = re.findall(r"^ +(PIP_.*)\) ;;$", script, re.MULTILINE)
    assert set(line.split(" | ")) == kept > {"PIP_*INDEX*", "PIP_*CERT*", "PIP_*PROXY*"}


def test_what_a_template_installs_sees_no_credentials(tmp_path: Path) -> None:
    """The function that runs pip, in a real shell, with a python3 that tells what it sees."""
    _, job = template("check")
    function = re.search(r"pip_install\(\) \(.*?^\)$", job["script"][0], re.MULTILINE | re.DOTALL)
    assert function
    (tmp_path / "python3").write_text("#!/bin/sh\nenv\n")
    (tmp_path / "python3").chmod(0o755)
    given = {
        "APPDIST_API_KEY": "k-0001",
        "APPDIST_ID_TOKEN": "j.w.t",
        "APPDIST_INPUT_X": "two\nAPPDIST_Y=1",
        "PIP_INDEX_URL": "i",
        "PIP_USER": "1",
        "PIP_TRUSTED_HOST": "h",
    }
    script = f'{function[0]}\npip_install x; printf %s "$APPDIST_API_KEY"'
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", **given}
    done = subprocess.run(["sh", "-euc", script], env=env, capture_output=True, text=True, check=True)
    seen, _, after = done.stdout.rpartition("\n")
    assert "APPDIST_" not in seen
    assert {"PIP_INDEX_URL=i", "PIP_TRUSTED_HOST=h", "PIP_USER=0"} <= set(seen.splitlines())
    assert after == "k-0001"  # the step itself still has it


@pytest.mark.parametrize("step", STEPS)
def test_free_text_is_not_expanded_in_a_template(step: str) -> None:
    _, job = template(step)
    not_expanded = {name for name, value in job["variables"].items() if isinstance(value, dict)}
    assert all(job["variables"][name]["expand"] is False for name in not_expanded)
    free = {"release_notes", "metadata", "message", "feedback_block_pattern"} & names(step)
    assert not_expanded == {input_variable(name) for name in free}


# --- What belongs together ------------------------------------------------------------------------


def test_the_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["tool"]["hatch"]["version"]["path"] == "core/sauce_appdist/__init__.py"
    changelog = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert {__version__, "Unreleased"} & set(changelog)
    major = __version__.partition(".")[0]
    for step in STEPS:
        header, _ = template(step)
        assert header["spec"]["inputs"]["package"]["default"] == f"sauce-appdist=={__version__}"
    for example in ROOT.glob("examples/*.yml"):
        text = example.read_text("utf-8")
        assert set(re.findall(rf"{ACTION}(?:/actions/\w+)?[@/](v\d+)", text)) == {f"v{major}"}, example.name


def test_the_lock_has_what_the_project_needs_without_what_is_for_terminals() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.split(r"[<>=]", one)[0]: one for one in project["dependencies"]}
    lock = (ROOT / "core" / "requirements.lock").read_text("utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    assert needed.keys() - {"rich", "shtab"} <= locked.keys()
    assert not {"rich", "shtab", "flask"} & locked.keys()
    entries = re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE)[1:]
    assert len(entries) == len(locked)
    assert all("--hash=sha256:" in entry for entry in entries)


# --- Freshness ------------------------------------------------------------------------------------


def render(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, root / "tools" / "render.py", "--check"], capture_output=True, encoding="utf-8", check=False
    )


def test_what_is_rendered_is_fresh() -> None:
    done = render(ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "name", ["action.yml", "actions/tag/action.yml", "gitlab-templates/find.yml", "actions/find/README.md"]
)
def test_a_stale_file_is_named(tmp_path: Path, name: str) -> None:
    for part in ("action.yml", "actions", "gitlab-templates", "tools", "core", "README.md", "docs"):
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / part)
    path = tmp_path / name
    if path.suffix == ".md":
        path.write_text("<!-- rendered: inputs find -->\nold\n<!-- /rendered -->\n", "utf-8")
    else:
        path.write_text(path.read_text("utf-8").replace("description: ", "description: Not ", 1), "utf-8")
    done = render(tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, f"stale: {name}")
    path.unlink()
    if path.suffix == ".yml":
        assert render(tmp_path).returncode == 1
