"""The boundaries of docs/design.md, held by reading the imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CORE = ROOT / "core" / "sauce_appdist"
MODULES = sorted(CORE.rglob("*.py"))
# What a module may use, from the bottom up; a package stands for its modules.
LAYERS = [
    {"errors", "text"},
    {"models", "verdict"},
    {"wire"},
    {"auth"},
    {"api"},
    {"interface"},
    {"ci"},
    {"client"},
    {"steps"},
    {"shell"},
    {"cli"},
    {"__main__", "__init__"},  # the front door: it loads the client when somebody asks for it
]


def name_of(path: Path) -> str:
    return path.relative_to(CORE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Every module that is imported anywhere in a file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def level(module: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if module in layer)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CORE)))
def test_modules_use_only_what_lies_below(path: Path) -> None:
    for name in imports(path):
        if name.startswith("sauce_appdist.") and name != "sauce_appdist.__version__":
            used = name.split(".")[1]
            if (CORE / used).is_dir() or (CORE / f"{used}.py").exists():
                assert level(used) <= level(name_of(path)), f"{path} imports {name}"


def uses(path: Path) -> set[str]:
    """Dotted names and called builtins in a file."""
    tree = ast.parse(path.read_text("utf-8"))
    dotted = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return dotted | {
        node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CORE)))
def test_each_room_keeps_to_itself(path: Path) -> None:
    room, names, used = name_of(path), imports(path), uses(path)
    if path != CORE / "client.py":  # Client.from_env, for scripts
        assert room == "cli" or "os.environ" not in used
    if room != "cli":
        assert not {"os.getenv", "sys.exit", "exit"} & used
    if room not in {"cli", "ci"}:
        assert "print" not in used
    if room not in {"wire", "auth"}:
        assert not {name for name in names if name.split(".")[0] in {"requests", "urllib3", "http", "socket"}}
    if path != CORE / "ci" / "github.py":
        assert "github_action_utils" not in names
    if path != CORE / "ci" / "terminal.py":
        assert not {name for name in names if name.split(".")[0] == "rich"}


def test_emulator_knows_nothing_of_the_client() -> None:
    for path in (ROOT / "core" / "appdist_emulator").rglob("*.py"):
        assert not {name for name in imports(path) if name.startswith("sauce_appdist")}, path


@pytest.mark.parametrize("step", ["find", "tag", "promote"])
def test_a_ci_run_loads_neither_rich_nor_argparse_nor_flask(step: str) -> None:
    """The start of a step is paid for in every job."""
    code = (
        "import sys; from sauce_appdist.cli import main; "
        f"main([{step!r}], {{'GITHUB_ACTIONS': 'true'}}, sys.stdout); "
        "print(*sorted({'rich', 'argparse', 'shtab', 'flask', 'requests'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""  # a wrong input is told before even requests loads
