"""The main job, for real: on the emulator in this terminal, then through act, a real GitHub runner; then the gate.

Exits 1 if a result is not as expected.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.rule import Rule
from rich.table import Table

from appdist_emulator import Emulator
from appdist_emulator.seed import named_seed
from sauce_appdist.text import one_line

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
EMAIL, API_KEY = "ci@northwind.example", "nw-demo-key-0001"  # of the emulator's example account
NOTES = "# 4.4.0\n\n- Night trains 🌙\n- Fewer crashes on rotation"
EXAMPLE = ROOT / "examples" / "github-promote.yml"
# Stands in for the user's build: the app that it makes tells the emulator its version.
GRADLEW = """\
#!/usr/bin/env python3
import json, os, zipfile
os.makedirs("app/build/outputs/apk/release")
about = {"packageName": "com.northwind.travel", "appName": "Northwind Travel"}
about |= {"appVersion": "4.4.1", "appVersionCode": "4410"}
zipfile.ZipFile("app/build/outputs/apk/release/app-release.apk", "w").writestr("appdist.json", json.dumps(about))
"""
FOLDER = "/Release Candidates"  # where the example copies to
console = Console()


def title(text: str) -> None:
    """A rule across the terminal."""
    console.print()
    console.print(Rule(f"[bold]{text}"))


def expect(what: str, actual: object, expected: object) -> None:
    """Tick off an expected result, or end the demo."""
    if actual != expected:
        console.print(f"[red]✗ {what}: expected {expected!r}, got {actual!r}")
        sys.exit(1)
    console.print(f"[green]✓[/] {what}")


def upload(url: str, version: str, code: str) -> dict[str, Any]:
    """Upload a build, as a pipeline does before our steps."""
    answer = requests.post(
        f"{url}/api/upload/",
        data={
            "api_key": API_KEY,
            "package_name": "com.northwind.travel",
            "app_version": version,
            "app_version_code": code,
        },
        files={"file": ("travel.apk", b"stands for an app")},
        timeout=10,
    )
    return answer.json()  # type: ignore[no-any-return]


def builds(url: str, folder: str) -> list[dict[str, Any]]:
    """The builds that a folder holds."""
    state = requests.get(f"{url}/_emulator/state", timeout=10).json()
    return [build for project in state["projects"] for build in project["builds"] if build["folderPath"] == folder]


def show(url: str, build: dict[str, Any]) -> set[str]:
    """Show the copy on the service; returns the addresses that were mailed."""
    mails = [
        mail for mail in requests.get(f"{url}/_emulator/outbox", timeout=10).json() if mail["build_id"] == build["id"]
    ]
    table = Table(show_header=False, box=None, padding=(0, 2))
    for label, text in (
        ("copy", f"build {build['id']} in project {build['projectId']}, {build['folderPath']}"),
        ("tags", ", ".join(build["tags"])),
        ("notes", build["changelog"]),
        ("metadata", json.dumps(build["metadata"])),
        (
            "invited",
            ", ".join(sorted({group for invitation in build["invitations"] for group in invitation["groups"]})),
        ),
        ("mailed", "\n".join(mail["to"] for mail in mails)),
    ):
        table.add_row(f"[dim]{label}", text)
    console.print(table)
    people = {mail["to"] for mail in mails}
    expect("nobody was mailed twice", len(mails), len(people))
    return people


def terminal(url: str) -> None:
    """Promote from a terminal."""
    title("A pipeline uploads a build")
    answer = upload(url, "4.4.0", "4400")
    console.print(f"POST /api/upload/ → build_url {answer['build_url']}", soft_wrap=True)
    title("sauce-appdist promote")
    command = [str(BIN / "sauce-appdist"), "promote", "--build-url", answer["build_url"]]
    command += ["--to-folder", "Night Trains", "--tags", "rc, nightly", "--release-notes", NOTES]
    command += ["--metadata", "ticket=APP-1234", "--groups", "QA, Beta Testers", "--notify", "true"]
    env = {**os.environ, "APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": API_KEY, "APPDIST_BASE_URL": url}
    expect("it ends with 0", subprocess.run(command, env=env, check=False).returncode, 0)
    title("What the service holds now")
    [build] = builds(url, "/Night Trains")
    people = show(url, build)
    expect("the tags are there", build["tags"], ["rc", "nightly"])
    expect("the notes are there, emoji and all", build["changelog"], NOTES)
    expect("everybody in QA and Beta Testers was mailed", len(people) >= 4, True)


def gate() -> None:
    """Gate a good candidate and one that crashes; a day passes in six seconds."""
    title("The gate: two candidates, one of them good")
    command = [str(BIN / "sauce-appdist"), "promote", "--project-id", "6950110", "--to-folder", "Releases"]
    command += ["--min-age", "24h", "--min-sessions", "20", "--max-crash-rate", "1%"]
    command += ["--wait", "1m", "--interval", "10s"]
    command += ["--feedback-block-pattern", "(?i)blocker", "--groups", "Stakeholders", "--notify", "true"]
    with Emulator(named_seed("gate")) as emulator, tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": API_KEY, "APPDIST_BASE_URL": emulator.url}

        def promote(build: str) -> tuple[int, list[str]]:
            console.print(f"[dim]$ sauce-appdist promote --build-id {build} --min-sessions 20 --max-crash-rate 1% …")
            done = subprocess.run([*command, "--build-id", build], env=env, cwd=folder, check=False)
            verdict = json.loads((Path(folder) / "appdist-gate.json").read_text("utf-8"))
            return done.returncode, [one["name"] for one in verdict["checks"] if one["state"] == "failed"]

        def written() -> list[str]:
            requests_ = requests.get(f"{emulator.url}/_emulator/requests", timeout=10).json()
            return [f"{one['method']} {one['path']}" for one in requests_ if one["method"] != "GET"]

        expect("2.4.0 waits for its sessions, and passes", promote("8920002"), (0, []))
        before = written()
        expect("it was copied, and its testers were invited", len(before), 2)
        crashed = (7, ["max-crash-rate", "feedback-block-pattern"])
        expect("2.5.0 is stopped with exit code 7: crashes, and a tester's feedback", promote("8920003"), crashed)
        expect("nothing of 2.5.0 was written, and nobody was invited", written(), before)


def runner(url: str) -> None:
    """Run the example that users paste in act, a real GitHub runner."""
    title(f"The same through a real GitHub runner: {EXAMPLE.relative_to(ROOT)}")
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    missing = [name for name in ("act", "curl", "jq") if not shutil.which(name, path=path)]
    if missing:
        console.print(f"skipped, because this machine has no {' and no '.join(missing)}")
        return
    before = {build["id"] for build in builds(url, FOLDER)}
    with tempfile.TemporaryDirectory() as folder:
        lines, code = act(url, Path(folder), path)
    outputs: dict[str, str] = {}
    for line in lines:
        if line.get("command") == "set-output" and line.get("stepID") == ["promote"]:
            outputs[line["name"]] = line["arg"]
        elif line.get("raw_output") and not line.get("command"):
            console.print(
                f"│ {line['msg'].rstrip()}".replace(API_KEY, "***"), markup=False, highlight=False, soft_wrap=True
            )
    if code:
        for line in lines[-20:]:
            console.print(str(line.get("msg", "")).replace(API_KEY, "***"), markup=False)
    expect("act ends with 0", code, 0)
    title("Its step outputs, and what the service holds")
    for name, text in outputs.items():
        if text:
            console.print(f"  {name:<24} {one_line(text)}", markup=False, soft_wrap=True)
    copies = [build for build in builds(url, FOLDER) if build["id"] not in before]
    expect(f"{FOLDER} holds one more build", len(copies), 1)
    people = show(url, copies[0])
    expect("the copy's id is an output", outputs["promoted-build-id"], copies[0]["id"])
    announced = "".join(line["msg"] for line in lines if line.get("jobID") == "announce" and line.get("raw_output"))
    expect("the later job announced the link", outputs["promoted-build-url"] in announced, True)
    expect(
        "QA and Stakeholders were mailed, on the first attempt", (len(people) >= 4, outputs["notified"]), (True, "true")
    )


def act(url: str, folder: Path, path: str) -> tuple[list[dict[str, Any]], int]:
    """Run the example in a repository of its own. Returns act's output lines and its exit code."""
    repository = folder / "repository"
    workflow = repository / ".github" / "workflows" / "promote.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(EXAMPLE.read_text("utf-8"), "utf-8")
    gradlew = repository / "gradlew"
    gradlew.write_text(GRADLEW, "utf-8")
    gradlew.chmod(0o755)
    (folder / "event.json").write_text(json.dumps({"head_commit": {"message": "Night trains 🌙"}}), "utf-8")
    env = {
        name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "UV_", "SSL_", "REQUESTS_", "LANG"))
    }
    env |= {"PATH": path, "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"), "APPDIST_API_KEY": API_KEY}
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        [
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@northwind.example",
            "commit",
            "--quiet",
            "--message=Night trains",
        ],
    ):
        subprocess.run(["git", *command], cwd=repository, env=env, check=True)
    ours = folder / "sauce-appdist"  # act copies this for every step, so leave out the virtual environment
    for name in ("actions", "core"):
        shutil.copytree(ROOT / name, ours / name)
    shutil.copy(ROOT / "action.yml", ours)
    command = ["act", "push", "--json", "--rm", "--no-cache-server", "--platform", "ubuntu-latest=-self-hosted"]
    command += ["--eventpath", str(folder / "event.json"), "--action-cache-path", str(folder / "actions")]
    command += ["--local-repository", f"OWNER/sauce-appdist@v1={ours}", "--var", f"APPDIST_BASE_URL={url}"]
    command += ["--secret", f"APPDIST_EMAIL={EMAIL}", "--secret", "APPDIST_API_KEY"]
    done = subprocess.run(
        command, cwd=repository, env=env, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode:
        console.print(done.stderr[-1000:], markup=False)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], done.returncode


def main() -> None:
    """The promotion in both places, and the gate."""
    title("The emulator: an account with two platforms, several builds, groups and testers")
    with Emulator() as emulator:
        state = requests.get(f"{emulator.url}/_emulator/state", timeout=10).json()
        console.print(f"{state['company']} at {emulator.url}")
        for project in state["projects"]:
            versions = ", ".join(build["appVersion"] for build in project["builds"])
            console.print(f"  {project['name']} ({project['platform']}, {project['folderPath']}): {versions}")
        for group in state["groups"]:
            console.print(f"  group {group['name']}: {len(group['testers'])} testers")
        terminal(emulator.url)
        runner(emulator.url)
    gate()
    console.print("\n[bold green]All results are as expected.")


if __name__ == "__main__":
    main()
