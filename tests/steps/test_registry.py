"""Steps are rows; whoever adds one is told what is missing, and where it goes."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING

import pytest

import sauce_appdist.steps
from harness import ROOT, expect_rows
from sauce_appdist.steps import STEPS, Step, annotate, check, copy, find, invite, load, promote, tag
from sauce_appdist.steps.gate import step as gate
from sauce_appdist.verdict.checks import Thresholds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# mypy holds each module to the Protocol: its inputs and outputs are what its `run` takes.
CHECK: Step[check.Inputs, check.Outputs] = check
FIND: Step[find.Inputs, find.Outputs] = find
GATE: Step[gate.Inputs, gate.Outputs] = gate
TAG: Step[tag.Inputs, tag.Outputs] = tag
ANNOTATE: Step[annotate.Inputs, annotate.Outputs] = annotate
COPY: Step[copy.Inputs, copy.Outputs] = copy
INVITE: Step[invite.Inputs, invite.Outputs] = invite
PROMOTE: Step[promote.Inputs, promote.Outputs] = promote
TYPED = (CHECK, FIND, GATE, TAG, ANNOTATE, COPY, INVITE, PROMOTE)


def test_every_module_with_a_step_is_a_row() -> None:
    """A module of steps/ that has Inputs, Outputs and run of its own is a step."""
    names = [info.name for info in walk_packages(sauce_appdist.steps.__path__, "sauce_appdist.steps.")]
    steps = {
        name
        for name in names
        if all(
            getattr(getattr(import_module(name), part, None), "__module__", "") == name for part in ("Inputs", "run")
        )
    }
    expect_rows(STEPS.values(), steps, "STEPS, core/sauce_appdist/steps/__init__.py")
    expect_rows([str(vars(step)["__name__"]) for step in TYPED], steps, "TYPED, tests/steps/test_registry.py")


def test_a_missing_row_is_named_with_its_table() -> None:
    expect_rows(["find", "tag"], ["tag", "find"], "TABLE, file.py")
    with pytest.raises(pytest.fail.Exception) as failure:
        expect_rows(["find", "old"], ["find", "new"], "TABLE, file.py")
    assert str(failure.value).splitlines() == [
        "new needs an entry in TABLE, file.py",
        "old has an entry in TABLE, file.py, but does not exist",
    ]


CORE = ROOT / "core" / "sauce_appdist"


def unread(inputs: Iterable[str], sources: Iterable[str]) -> list[str]:
    """The inputs that no source reads as an attribute."""
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return [name for name in inputs if name not in attributes]


@pytest.mark.parametrize("step", STEPS)
def test_code_reads_every_input(step: str) -> None:
    """A declared input that nothing reads is rendered everywhere and does nothing."""
    # The gate reads its thresholds by the names of that class's fields.
    names = [name for name in load(step).Inputs.model_fields if name not in Thresholds.__dataclass_fields__]
    ignored = unread(names, [path.read_text("utf-8") for path in CORE.rglob("*.py")])
    if ignored:
        pytest.fail(f"{STEPS[step]} declares {', '.join(ignored)}, but no code reads it", pytrace=False)


def test_an_input_that_nothing_reads_is_found() -> None:
    source = "def run(inputs):\n    reply_to = inputs.message"
    assert unread(["message", "reply_to"], [source]) == ["reply_to"]


EXAMPLE = '''"""Ask the service whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sauce_appdist.interface.inputs import ConnectionInputs
from sauce_appdist.interface.outputs import StepOutputs, output

if TYPE_CHECKING:
    from sauce_appdist.steps.context import Context


class Inputs(ConnectionInputs):
    """The connection."""


class Outputs(StepOutputs):
    """Whether it answers."""

    answers: bool | None = output("true if the service answers.")


def run(_: Inputs, context: Context, out: Outputs) -> None:
    """One GET."""
    context.client.projects.list()
    out.answers = True
'''


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A copy of what is rendered and what renders it."""
    for name in ("core", "tools", "actions", "docs", "gitlab-templates", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "action.yml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def render(scratch: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "tools/render.py"], cwd=scratch, capture_output=True, text=True, check=False, timeout=60
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr + done.stdout


def insert(path: Path, before: str, text: str) -> None:
    old = path.read_text("utf-8")
    assert old.count(before) == 1, before
    path.write_text(old.replace(before, text + before), "utf-8")


def test_a_new_step_is_told_what_it_needs(scratch: Path) -> None:
    steps = scratch / "core" / "sauce_appdist" / "steps"
    (steps / "example.py").write_text(EXAMPLE, "utf-8")
    insert(steps / "__init__.py", '    "find": "', '    "example": "sauce_appdist.steps.example",\n')
    code, said = render(scratch)
    assert code == 1
    assert re.findall(r"^step example needs (.*)$", said, re.MULTILINE) == [
        "a row in ICONS, tools/render.py (a Feather icon for the GitHub Marketplace)",
        "a page, actions/example/README.md",
        "a mark <!-- rendered: outputs example --><!-- /rendered --> in its page",
    ]

    insert(scratch / "tools" / "render.py", '    "find": "search",', '    "example": "activity",\n')
    page = scratch / "actions" / "example" / "README.md"
    page.parent.mkdir()
    page.write_text("# example\n\n<!-- rendered: outputs example -->\n<!-- /rendered -->\n", "utf-8")
    code, said = render(scratch)
    assert code == 0, said
    assert "| `answers` | true if the service answers. |" in page.read_text("utf-8")
    assert "icon: activity" in (page.parent / "action.yml").read_text("utf-8")
    assert (scratch / "gitlab-templates" / "example.yml").exists()
