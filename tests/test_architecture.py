"""The boundaries of docs/explanation/design.md, held by reading the imports."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from harness import BUILD, ROOT, Service, connection, expect_rows
from sauce_appdist.ci import SYSTEMS
from sauce_appdist.interface import input_variable
from sauce_appdist.interface.inputs import ConnectionInputs, choices

if TYPE_CHECKING:
    from pathlib import Path

CORE = ROOT / "core" / "sauce_appdist"
MODULES = sorted(CORE.rglob("*.py"))
# What a module may use, from the bottom up; a package stands for its modules.
LAYERS = [
    {"errors", "text", "cancellation", "clock"},
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
# What a verdict may use of the standard library: nothing that does I/O.
PURE = {"__future__", "collections", "dataclasses", "datetime", "decimal", "enum", "fractions", "json", "re", "sys"}
PURE |= {"typing", "unicodedata", "xml"}


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
    if room in {"steps", "verdict"}:  # the time is passed in
        assert not {"time", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"} & (names | used)
    if room == "verdict":
        assert not {name.split(".")[0] for name in names} - {"sauce_appdist", *PURE}, f"{path} may do I/O"
        assert "open" not in used
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


@pytest.mark.parametrize(("step", "inputs"), [("check", {}), ("promote", {**BUILD, "tags": "rc", "groups": "QA"})])
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_ci_run_loads_only_what_it_needs(
    service: Service, tmp_path: Path, name: str, step: str, inputs: dict[str, str]
) -> None:
    """From the first input to the last output; nor does a run in one CI system load another's module."""
    never = ["rich", "argparse", "shtab", "flask", "yaml", "xml", "appdist_emulator"]
    never += ["sauce_appdist.shell", "sauce_appdist.auth.oidc", "sauce_appdist.steps.gate.observe"]
    never += [system.module for other, system in SYSTEMS.items() if other != name]
    code = (
        "import os, sys; from sauce_appdist.cli import main; code = main([sys.argv[1]], os.environ, sys.stderr); "
        "print(code, *sorted(set(sys.argv[2:]) & sys.modules.keys()))"
    )
    environ = {SYSTEMS[name].variable: "true", **connection(service.url)}
    environ |= {input_variable(input_name): text for input_name, text in inputs.items()}
    command = [sys.executable, "-c", code, step, *never]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "0\n", done.stdout + done.stderr


# --- what loads what --------------------------------------------------------------------------

PACKAGES = [CORE, ROOT / "core" / "appdist_emulator"]


def modules_of(package: Path) -> dict[str, Path]:
    """Every module of a package by its dotted name; a package's `__init__` has the package's own."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def import_graph(package: Path) -> dict[str, set[str]]:
    """Which modules of the package each one imports, under TYPE_CHECKING and inside functions too."""
    modules = modules_of(package)
    graph = {}
    for name, path in modules.items():
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.module, f"{path}:{node.lineno}: use an absolute import"
                assert not node.level, f"{path}:{node.lineno}: use an absolute import"
                for alias in node.names:
                    if alias.name != "__version__":  # a constant that is there before anything else loads
                        member = f"{node.module}.{alias.name}"
                        found.add(member if member in modules else node.module)
        graph[name] = found & modules.keys()
    return graph


def rooms(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same graph with a package's subpackages as nodes instead of their modules."""

    def room(name: str) -> str:
        return ".".join(name.split(".")[:2])

    found: dict[str, set[str]] = {}
    for name, used in graph.items():
        found.setdefault(room(name), set()).update({room(one) for one in used} - {room(name)})
    return found


def circle(graph: dict[str, set[str]]) -> str | None:
    """Return one import circle, written as `a -> b -> a`, or None if there is none."""
    done: set[str] = set()

    def search(path: list[str]) -> list[str] | None:
        for name in sorted(graph[path[-1]]):
            if name in path:
                return [*path[path.index(name) :], name]
            if name not in done and (found := search([*path, name])):
                return found
        done.add(path[-1])
        return None

    found = (search([name]) for name in sorted(graph))
    return next((" -> ".join(one) for one in found if one), None)


def loaded(package: Path, entries: set[str]) -> set[str]:
    """The modules that these load, directly or not. A string that is a module's name, as in STEPS, loads it."""
    modules, graph = modules_of(package), import_graph(package)
    found: set[str] = set()
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name in modules and name not in found:
            found.add(name)
            tree = ast.parse(modules[name].read_text("utf-8"))
            strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            waiting += [*graph[name], *(modules.keys() & strings), name.rpartition(".")[0]]
    return found


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_no_module_imports_in_a_circle(package: Path) -> None:
    graph = import_graph(package)
    for found in (circle(graph), circle(rooms(graph))):
        if found:
            pytest.fail(f"import circle: {found}", pytrace=False)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_something_loads_each_module(package: Path) -> None:
    """Entry points are `python -m`, the scripts of pyproject.toml, and an import of the package itself."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"].values()
    entries = {package.name, f"{package.name}.__main__", *(script.partition(":")[0] for script in scripts)}
    unused = sorted(modules_of(package).keys() - loaded(package, entries))
    if unused:
        remedy = "import them, name them in a registry, or delete them"
        pytest.fail(f"nothing loads {', '.join(unused)}: {remedy}", pytrace=False)


def test_circles_and_unused_modules_are_found(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    (package / "desk").mkdir(parents=True)
    for name, text in {
        "__init__": "",
        "__main__": "from shop import cart",
        "cart": "ROWS = {'pay': 'shop.desk.pay'}",
        "till": "from shop.desk import pay",  # nothing loads it
        "desk/__init__": "",
        "desk/pay": "if TYPE_CHECKING:\n    from shop.desk.bill import Bill",
        "desk/bill": "def total():\n    import shop.prices",
        "prices": "",
    }.items():
        (package / f"{name}.py").write_text(text)
    assert circle(import_graph(package)) is None
    everything = modules_of(package).keys()
    assert everything - loaded(package, {"shop.__main__"}) == {"shop.till"}
    (package / "prices.py").write_text("from shop.desk.pay import Payment")
    assert circle(import_graph(package)) == "shop.desk.bill -> shop.prices -> shop.desk.pay -> shop.desk.bill"
    assert circle(rooms(import_graph(package))) == "shop.desk -> shop.prices -> shop.desk"


# --- CI systems -----------------------------------------------------------------------------------


def test_every_ci_system_is_a_row() -> None:
    """A third system costs a module and a row; without the row nothing would ever load the module."""
    modules = {f"sauce_appdist.ci.{path.stem}" for path in (CORE / "ci").glob("*.py")}
    rows = {system.module for system in SYSTEMS.values()}
    shared = {f"sauce_appdist.ci.{name}" for name in ("__init__", "base", "report", "terminal")}
    expect_rows(rows, modules - shared, "SYSTEMS, core/sauce_appdist/ci/__init__.py")
    providers = choices(ConnectionInputs.model_fields["oidc_provider"])
    expect_rows(providers, SYSTEMS, "oidc_provider, core/sauce_appdist/interface/inputs.py")


@pytest.mark.parametrize("name", SYSTEMS)
def test_only_ci_knows_ci_systems(name: str) -> None:
    outside = [path for path in MODULES if name_of(path) != "ci" and SYSTEMS[name].variable in path.read_text("utf-8")]
    assert outside == []
