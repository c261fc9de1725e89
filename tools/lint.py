"""Run the linters for everything but Python code, and the word list; ruff and mypy are in the Makefile.

python tools/lint.py   prints the command line and the output of each that fails, and exits 1

The word list keeps texts in plain English.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

# Regular expressions of words that we do not use, and what to write instead.
WORDS = {
    r"mend(?:s|ed|ing)?": "fix",
    r"left away": "omitted",
    r"leav(?:e|es|ing) [\w-]+ away": "omit",
    r"anew": "again",
    r"nobody can tell": "cannot be determined",
    r"and its like": "and similar",
    r"if need be": "if needed",
    r"the surroundings": "the environment",
    r"take it out": "remove it",
    r"is no (?:id|URL|regular expression|JWT|JSON|number|integer|date|time|duration|text|file|path)": "is not a valid",
    r"is no region": "is not a region",
    r"(?:is|are) given without": "needs",
    r"(?:is|are) given, but": "is set, but",
    r"are both given": "are both set",
    r", at least\.": "Minimum",
    r", at most\.": "Maximum",
    r"but of what": "needs",
    r"sensible answer": "valid response",
}
# What may be between two words: a string or a comment goes on in the next line.
GAP = r"""(?:[\s#>]|f?["'])+"""
WORDED = ("*.md", "*.yml", "*.py", "*.sh", "Makefile", ".ci/*")
LISTED = (":!tools/lint.py", ":!tests/test_words.py")  # where the words themselves stand


def files(*patterns: str) -> list[str]:
    """What git has or would add, in a fixed order."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return sorted(name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


def find_words(name: str, text: str) -> Iterator[str]:
    """Each use of WORDS in a file's text, as `file:line: 'mend': write 'fix'`."""
    for words, better in WORDS.items():
        for found in re.finditer(rf"\b{words.replace(' ', GAP)}(?!\w)", text, re.IGNORECASE):
            line = text.count("\n", 0, found.start()) + 1
            yield f"{name}:{line}: '{re.sub(GAP, ' ', found[0])}': write '{better}'"


def words() -> list[str]:
    """The uses of WORDS in the repository."""
    texts = {name: (ROOT / name).read_text("utf-8") for name in files(*WORDED, *LISTED)}
    return [problem for name, text in texts.items() for problem in find_words(name, text)]


def as_pipeline(template: str) -> dict[str, Any]:
    """A template's job with the defaults filled in, which is what GitLab's schema describes."""
    header, jobs = yaml.safe_load_all((ROOT / template).read_text("utf-8"))
    inputs: dict[str, Any] = header["spec"]["inputs"]

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {filled(name): filled(one) for name, one in value.items()}
        if isinstance(value, list):
            return [filled(one) for one in value]
        found = re.fullmatch(r"\$\[\[ inputs\.([\w-]+) \]\]", value) if isinstance(value, str) else None
        return inputs[found[1]].get("default", "required") if found else value

    job: dict[str, Any] = filled(jobs)
    return job


def commands(folder: Path) -> list[list[str]]:
    """Every linter with its files; writes split templates to `folder`."""
    workflows = files("examples/github-*.yml", ".github/workflows/*.yml")
    actions = files("action.yml", "actions/*/action.yml")
    parts = []
    for template in files("gitlab-templates/*.yml"):
        name = Path(template).stem
        header = (ROOT / template).read_text("utf-8").partition("\n---\n")[0]
        (folder / f"{name}.spec.yml").write_text(header, "utf-8")
        (folder / f"{name}.job.yml").write_text(yaml.safe_dump(as_pipeline(template)), "utf-8")
        parts += [str(folder / f"{name}.spec.yml"), str(folder / f"{name}.job.yml")]
    zizmor = ["zizmor", "--offline", "--strict-collection", "--no-progress", "--quiet", "--config", "tools/zizmor.yml"]
    schema = ["check-jsonschema", "--quiet", "--builtin-schema"]
    return [
        ["actionlint", "-no-color", *workflows],
        [*zizmor, *actions, *workflows],
        [*schema, "vendor.github-actions", *actions],
        [*schema, "vendor.github-workflows", *workflows],
        [*schema, "vendor.gitlab-ci", *parts, *files("examples/gitlab-*.yml")],
        ["yamllint", "--strict", *files("*.yml", "*.yaml", ".yamllint")],
        ["shellcheck", *files("*.sh", ".ci/*")],
    ]


def main() -> int:
    """Run them side by side."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        # A linter may call another one (actionlint does).
        env = {"PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}

        def run(command: list[str]) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [BIN / command[0], *command[1:]],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                check=False,
            )

        todo = commands(Path(folder))
        problems = words()
        failed = len(problems)
        print("".join(f"{problem}\n" for problem in problems), end="")
        for command, done in zip(todo, pool.map(run, todo), strict=True):
            if done.returncode:
                failed += 1
                print(f"$ {shlex.join(command)}\n{done.stdout.rstrip()}\n")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
