"""Write core/requirements.lock, and check it.

The lock holds what a pipeline runs: the dependencies of pyproject.toml without rich and shtab, which are for
terminals only, each with the hashes of its files for every platform. Its first line is a digest of
the rest: core/bootstrap.sh names the directory of an install after it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "core" / "requirements.lock"
LEFT_OUT = {"rich", "shtab"}
HEAD = "# sauce-appdist lock "
# Where the composite actions and the GitLab templates run, in the words of `uv --python-platform`.
PLATFORMS = (
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "aarch64-pc-windows-msvc",
)


def wanted() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    requirements = [Requirement(text) for text in project["dependencies"]]
    return [r for r in requirements if canonicalize_name(r.name) not in LEFT_OUT]


def minors() -> range:
    # Those of Python 3 that bootstrap.sh takes.
    text = (ROOT / "core" / "bootstrap.sh").read_text("utf-8")
    found = re.search(r"^oldest=(\d+) newest=(\d+)\b", text, re.MULTILINE)
    if not found:
        sys.exit("core/bootstrap.sh has no line `oldest=NN newest=NN`")
    return range(int(found[1]), int(found[2]) + 1)


def first_line(body: str) -> str:
    return HEAD + hashlib.sha256(body.encode()).hexdigest()[:16]


def uv(*arguments: str, stdin: str | None = None) -> bool:
    # Not configured by anything: the same input gives the same lock on every machine. Where the files
    # come from (UV_DEFAULT_INDEX) may differ, their hashes do not.
    command = ["uv", "--no-config", "--quiet", *arguments]
    return subprocess.run(command, input=stdin, text=True, encoding="utf-8", check=False).returncode == 0


def write(*, upgrade: bool) -> None:
    _, _, old = LOCK.read_text("utf-8").partition("\n") if LOCK.exists() else ("", "", "")
    with tempfile.TemporaryDirectory() as directory:
        draft = Path(directory) / "requirements.txt"
        draft.write_text(old, "utf-8", newline="\n")  # uv keeps the versions it finds here
        done = uv(
            *("pip", "compile", "--universal", f"--python-version=3.{minors()[0]}", "--generate-hashes"),
            *("--only-binary=:all:", "--no-header", "--no-annotate", f"--output-file={draft}"),
            *(["--upgrade"] if upgrade else []),
            "-",
            stdin="".join(f"{requirement}\n" for requirement in wanted()),
        )
        if not done:
            sys.exit("uv pip compile failed; core/requirements.lock is unchanged")
        body = draft.read_text("utf-8")
    LOCK.write_text(f"{first_line(body)}\n{body}", "utf-8", newline="\n")


def parse(body: str) -> tuple[dict[str, str], list[str]]:
    # The locked versions, and the problems of the lines.
    versions: dict[str, str] = {}
    wrong = []
    for line in re.sub(r" *\\\n *", " ", body).splitlines():
        found = re.fullmatch(r"([\w.-]+)==([\w.!+]+)( ; .+?)?((?: --hash=sha256:[0-9a-f]{64})+)", line)
        if found:
            versions[canonicalize_name(found[1])] = found[2]
        else:
            wrong.append(f"not of the form NAME==VERSION --hash=sha256:…: {line[:80]!r}")
    return versions, wrong


def problems() -> list[str]:
    head, _, body = LOCK.read_bytes().decode().partition("\n")
    versions, found = parse(body)
    if head != first_line(body):
        found.append(f"its first line is {head!r}, but its content has the digest {first_line(body)!r}")
    for requirement in wanted():
        version = versions.get(canonicalize_name(requirement.name))
        if version is None:
            found.append(f"{requirement.name} is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{requirement.name}=={version} does not satisfy pyproject.toml: {requirement}")
    found += [f"{name} must not be in it" for name in sorted(LEFT_OUT & versions.keys())]
    return found


def missing_wheels() -> list[str]:
    found = []
    with tempfile.TemporaryDirectory() as directory:
        for platform in PLATFORMS:
            for minor in minors():
                there = uv(
                    *("pip", "install", "--dry-run", f"--target={directory}", "--require-hashes"),
                    *("--no-deps", "--only-binary=:all:", f"--requirements={LOCK}"),
                    *(f"--python-platform={platform}", f"--python-version=3.{minor}"),
                )
                if not there:
                    found.append(f"cannot be installed on Python 3.{minor} on {platform}: see above")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Without options: writes the lock from pyproject.toml, keeps versions that are still in "
        "range, and checks that each platform and Python has wheels. Commit the result.",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--upgrade", action="store_true", help="take the newest versions that are in range")
    mode.add_argument("--check", action="store_true", help="change nothing; needs no network")
    mode.add_argument(
        "--check-wheels",
        action="store_true",
        help="change nothing; ask the index for every platform's wheels",
    )
    options = parser.parse_args()
    # uv is beside the interpreter of the venv, which may not be activated.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if not (options.check or options.check_wheels):
        write(upgrade=options.upgrade)
    found = problems()
    if not options.check:
        found += missing_wheels()
    for problem in found:
        print(f"core/requirements.lock: {problem}", file=sys.stderr)
    if found:
        print("Fix it with `python tools/lock.py` and commit the result.", file=sys.stderr)
        return 1
    if not options.check:
        print(f"core/requirements.lock: {len(parse(LOCK.read_text('utf-8').partition(chr(10))[2])[0])} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
