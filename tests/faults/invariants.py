"""What holds in every cell, whatever the fault was."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

from faults.commands import SECRETS
from faults.runs import GATE_FILES, GITLAB_FILES, Account, Clean, Ran
from faults.tables import INJECTED
from harness import ROOT
from redaction.search import spellings
from sauce_appdist import errors
from sauce_appdist.steps import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from faults.cells import Cell

MEMORY = 150 << 20  # bytes
CPU = 6.0  # seconds of processor; a machine that is busy with other things does not count
LOG = 400_000  # characters
ATTEMPT = 2.0  # seconds beyond its timeout that a request may take: its pause, and a busy machine
AROUND = 14.0  # seconds for the start, the polls for a copy (7 s), and the end
BUG = 1
DOCUMENTED = {int(code) for code in re.findall(r"^\| (\d+) \|", (ROOT / "docs/reference/errors.md").read_text(), re.MULTILINE)} - {BUG}  # fmt: skip
TITLES = {error.title for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "title")}
_NOTHING_WRITTEN = {2, 3, 4, 7, 8}


def broken(cell: Cell, ran: Ran, clean: Clean) -> list[str]:
    """The invariants that a cell breaks, each with what is wrong."""
    return [f"{name}: {problem}" for name, check in INVARIANTS.items() for problem in check(cell, ran, clean)]


# --- The process ----------------------------------------------------------------------------------------


def _time(_cell: Cell, ran: Ran, _: Clean) -> Iterator[str]:
    allowed = AROUND + (ran.timeout + ATTEMPT) * (len(ran.seen) + 2)
    if ran.killed:
        yield f"still running after {ran.seconds:.0f} s"
    elif ran.seconds > allowed:
        yield f"{ran.seconds:.1f} s, allowed are {allowed:.1f} s for {len(ran.seen)} requests"
    if ran.cpu > CPU:
        yield f"{ran.cpu:.1f} s of processor time"


def _memory(_cell: Cell, ran: Ran, _: Clean) -> Iterator[str]:
    if ran.memory > MEMORY:
        yield f"{ran.memory >> 20} MB"


def _exit_code(_cell: Cell, ran: Ran, _: Clean) -> Iterator[str]:
    if ran.code not in DOCUMENTED and not ran.killed:
        yield f"exit code {ran.code}"


def _no_bug(_cell: Cell, ran: Ran, _: Clean) -> Iterator[str]:
    for place, text in ran.texts().items():
        for sign in ("Traceback", "bug in sauce-appdist", "a bug, please report", "Exception ignored"):
            if sign in text:
                yield f"{sign!r} in {place}"
        if len(text) > LOG:
            yield f"{len(text)} characters in {place}"


# --- What it did ----------------------------------------------------------------------------------------


def _at_most_once(cell: Cell, ran: Ran, clean: Clean) -> Iterator[str]:
    for act, number in ran.account.acts.items():
        allowed = clean.ran.account.acts[act]
        if cell.lies or "updated" in act:  # tags that cannot be seen are written, although they may be there
            allowed = max(allowed, 1)
        if number > allowed and "download" not in act.casefold():
            yield f"{act}: {number} times"
    mails = [(mail["to"], mail["build_id"]) for mail in ran.account.mails]
    twice = sorted({mail for mail in mails if mails.count(mail) > 1})
    if twice:
        yield f"mailed twice: {twice}"


def _exit_code_is_true(cell: Cell, ran: Ran, clean: Clean) -> Iterator[str]:
    now, was = ran.account.as_written(), ran.account_before.as_written()
    done = clean.ran.account.as_written()
    if ran.code == 0 and now != done and not cell.lies:
        yield f"exit code 0, but not everything is done: {_difference(clean.ran.account, ran.account)}"
    if ran.code == 0 and cell.hides_refused_groups:
        yield "exit code 0, although groups may have been refused"
    if ran.code in _NOTHING_WRITTEN and now != was:
        yield f"exit code {ran.code}, but it has written: {_difference(ran.account_before, ran.account)}"
    if ran.code in {5, 130} and now != was:
        # Only an update may be sent again safely; the message says so.
        written = [
            act for act in ran.account.acts if "update" not in act.casefold() and "download" not in act.casefold()
        ]
        if written:
            yield f"exit code {ran.code}, but it has written: {written}"
        elif ran.code == 5 and not re.search(r"unknown", ran.stdout + ran.stderr):
            yield "exit code 5 and no word that the update may have been made"


def _difference(one: Account, other: Account) -> str:
    parts = []
    for name in ("builds", "rest", "invitations", "mails", "acts"):
        before, after = getattr(one, name), getattr(other, name)
        if before == after:
            continue
        if name == "builds":
            keys = [key for key in {*before, *after} if before.get(key) != after.get(key)]
            parts += [f"build {'/'.join(key)}: {before.get(key)} -> {after.get(key)}" for key in keys]
        else:
            parts.append(f"{name}: {before} -> {after}")
    return "; ".join(parts)[:600]


# --- What it tells --------------------------------------------------------------------------------------


class Told:
    """The outputs of a run, and the truth to compare them with."""

    def __init__(self, cell: Cell, ran: Ran, clean: Clean) -> None:
        self.cell, self.ran, self.clean = cell, ran, clean
        self.outputs: Mapping[str, Any] = ran.outputs or {}
        self.account = ran.account
        self.new = {key for key in self.account.builds if key not in ran.account_before.builds}
        copied_to = [key for key in self.account.builds if key[1] == self.text("promoted-build-id")]
        own = (ran.step.inputs.get("project-id", ""), ran.step.inputs.get("build-id", ""))
        self.place = copied_to[0] if copied_to else own
        self.target: Mapping[str, Any] = self.account.builds.get(self.place, {})
        self.invited = ran.account.invitations[len(ran.account_before.invitations) :]
        self.mailed = len(ran.account.mails) > len(ran.account_before.mails)
        self.updated = any("update" in act.casefold() for act in ran.account.acts)

    def may_have(self, part: str) -> bool:
        """Whether the copy or the invitation was under way: its request arrived, or was lost on a broken connection."""
        paths = [seen.request.path.rstrip("/") for seen in self.ran.seen if seen.request and seen.request.writes]
        stopped = self.text("failed-step") == part or self.ran.step.words == part
        return stopped or any(path.endswith((f"/{part}", f"/{part}s")) for path in paths)

    def text(self, name: str) -> str:
        """An output as text; "" if it is unknown."""
        value = self.outputs.get(name)
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        return value if isinstance(value, str) else json.dumps(value)

    def items(self, name: str) -> list[str] | None:
        """An output that is a list; None if it is unknown."""
        value = self.outputs.get(name)
        if value in (None, "", "unknown"):
            return None
        if isinstance(value, list):
            return [str(item) for item in value]
        return next(csv.reader(io.StringIO(value), skipinitialspace=True), [])

    def clean_text(self, name: str) -> str:
        """What a run without a fault says."""
        other = Told(self.cell, self.clean.ran, self.clean)
        return other.text(name).replace(self.clean.ran.address, self.ran.address)


def _copied(told: Told) -> str | None:
    said, made = told.text("copied"), bool(told.new)
    if said == "true" and not made:
        return "true, but no copy was made"
    if made and said not in {"true", "unknown"}:
        return f"{said!r}, but a copy was made"
    if said == "unknown" and not told.may_have("copy"):
        return "unknown, but no copy was requested"
    return None


def _promoted(told: Told) -> str | None:
    build, project = told.text("promoted-build-id"), told.text("promoted-project-id")
    known = {key for key in told.account.builds if key[1] == build}
    if build and not known:
        return f"build {build} does not exist"
    if project and told.place[0] != project:
        return f"project {project} does not have build {build}"
    if build and told.text("copied") == "true" and not known & told.new:
        return f"build {build} is not the copy"
    return None


def _promoted_url(told: Told) -> str | None:
    url = told.text("promoted-build-url")
    return None if not url or all(part in url for part in told.place) else f"{url} is not of {told.place}"


def _folder_path(told: Told) -> str | None:
    return _same(told, "folder-path", told.target.get("folder"))


def _promoted_app(told: Told) -> str | None:
    return _same(told, "promoted-app-name", told.target.get("appName"))


def _notified(told: Told) -> str | None:
    said = told.text("notified")
    if told.mailed and said not in {"true", "unknown"}:
        return f"{said!r}, but testers were mailed"
    if said == "true" and not told.mailed:
        return "true, but nobody was mailed"
    if said == "unknown" and not told.may_have("invite"):
        return "unknown, but nobody was to be invited yet"
    return None


def _invited_groups(told: Told) -> str | None:
    said = told.items("invited-groups")
    really = {name for one in told.invited for name in one["groups"]}
    if said and not set(said) <= really:
        return f"{said}, but invited are {sorted(really)}"
    if told.ran.code == 0 and told.ran.step.dialect == "classic" and really and set(said or []) != really:
        return f"{said}, but invited are {sorted(really)}"
    return None


def _changed(told: Told) -> str | None:
    said = told.text("changed")
    if said == "true" and not told.updated:
        return "true, but nothing was updated"
    if said in {"false", ""} and told.updated and told.ran.step.words != "promote":
        return f"{said!r}, but there was an update"
    if said == "false" and told.updated:
        return "false, but there was an update"
    return None


def _tags(told: Told) -> str | None:
    return _same_items(told, "tags", told.target.get("tags"))


def _permission_groups(told: Told) -> str | None:
    return _same_items(told, "permission-groups", told.target.get("groups"))


def _assigned(told: Told) -> str | None:
    return _same_items(told, "assigned-groups", told.target.get("groups"))


def _assigned_to_project(told: Told) -> str | None:
    said = told.items("assigned-project-groups")
    return None if said is None or set(said) <= set(told.target.get("project-groups", [])) else f"{said}"


def _notes(told: Told) -> str | None:
    return _same(told, "release-notes", told.target.get("changelog"))


def _landing(told: Told) -> str | None:
    if not told.target:
        return _as_in_a_clean_run("landing-page-mode")(told)
    return _same(told, "landing-page-mode", told.target.get("landingPageMode"))


def _metadata(told: Told) -> str | None:
    said = told.outputs.get("metadata")
    if not said or said == "unknown":
        return None
    if told.ran.step.dry:
        return None
    data = json.loads(said) if isinstance(said, str) else said
    really = told.target.get("metadata", {})
    return None if data == really else f"{data}, but the build has {really}"


def _same(told: Told, name: str, really: object) -> str | None:
    said = told.text(name)
    return None if said in {"", "unknown", str(really)} or told.ran.step.dry else f"{said!r}, but it is {really!r}"


def _same_items(told: Told, name: str, really: list[str] | None) -> str | None:
    said = told.items(name)
    if said is None or told.ran.step.dry or set(said) == set(really or []):
        return None
    return f"{said}, but they are {really}"


def _completed(told: Told) -> str | None:
    said = told.items("completed-steps") or []
    facts = {
        "copy": bool(told.new) or told.text("copied") == "false",
        "annotate": told.updated or told.text("changed") == "false",
        "tag": told.updated or told.text("changed") == "false",
        "source-tag": told.updated,
        "invite": bool(told.invited) or told.ran.step.inputs.get("notify") == "if-copied",
    }
    wrong = [part for part in said if not facts.get(part, True)]
    return f"{wrong} did not happen" if wrong and not told.ran.step.dry else None


def _failed_step(told: Told) -> str | None:
    said = told.text("failed-step")
    if told.ran.code == 0 and said:
        return f"{said!r}, but the exit code is 0"
    return None


def _dry_run(told: Told) -> str | None:
    said = told.text("dry-run")
    return None if said in {"", "true" if told.ran.step.dry else "false"} else said


def _verdict(told: Told) -> str | None:
    said, code = told.text("verdict"), told.ran.code
    if (code == 7 and said != "failed") or (code == 8 and said != "inconclusive"):
        return f"{said!r}, but the exit code is {code}"
    if code == 0 and told.clean_text("verdict") and said != "passed" and told.clean_text("verdict") == "passed":
        return f"{said!r}, but the exit code is 0"
    return None


def _as_in_a_clean_run(name: str) -> Callable[[Told], str | None]:
    def rule(told: Told) -> str | None:
        said, expected = told.text(name), told.clean_text(name)
        return None if told.cell.invents or said in {"", "unknown", expected} else f"{said!r}, but it is {expected!r}"

    return rule


def _anything(_: Told) -> str | None:
    """For an output that only describes what the step looked at."""
    return None


# How each output is compared with what the service did.
OUTPUTS: Mapping[str, Callable[[Told], str | None]] = {
    "copied": _copied,
    "promoted-build-id": _promoted,
    "promoted-project-id": _promoted,
    "promoted-build-url": _promoted_url,
    "folder-path": _folder_path,
    "promoted-app-name": _promoted_app,
    "assigned-groups": _assigned,
    "assigned-project-groups": _assigned_to_project,
    "notified": _notified,
    "invited-groups": _invited_groups,
    "changed": _changed,
    "tags": _tags,
    "permission-groups": _permission_groups,
    "release-notes": _notes,
    "landing-page-mode": _landing,
    "metadata": _metadata,
    "completed-steps": _completed,
    "failed-step": _failed_step,
    "dry-run": _dry_run,
    "verdict": _verdict,
    **{
        name: _as_in_a_clean_run(name)
        for name in (
            *("invalid-groups", "invalid-project-groups"),
            *("app-name", "package-name", "platform", "project-id", "build-id", "app-version", "version-code"),
            *("uploaded-at", "build-url", "sessions", "crashes", "testers", "feedbacks", "downloads"),
            *("region", "host", "sign-in", "projects", "dialect", "sunset"),
        )
    },
}
# What the gate saw; its verdict is what counts.
_OBSERVED = (
    *("reason", "checks", "judged-at", "judged-for", "waited", "looks", "build-age", "crash-rate", "devices"),
    *("coverage", "blocked-feedbacks", "failed-checks", "baseline-build-id", "baseline-crash-rate", "missing"),
)


def _outputs_are_true(cell: Cell, ran: Ran, clean: Clean) -> Iterator[str]:
    if ran.step.is_api or ran.killed:
        return
    if ran.outputs is None:
        yield "there are none"
        return
    expected = {name.replace("_", "-") for name in load(ran.step.words).Outputs.model_fields}
    if missing := expected - ran.outputs.keys():
        yield f"missing: {sorted(missing)}"
    told = Told(cell, ran, clean)
    for name in ran.outputs:
        problem = OUTPUTS.get(name, _anything)(told)
        if problem and not (cell.invents and name not in _ACTS):
            yield f"{name} is {problem}"


_ACTS = {"copied", "notified", "changed", "completed-steps", "failed-step"}

# --- What nobody may see --------------------------------------------------------------------------------


def _beginnings() -> re.Pattern[str]:
    """A beginning of eight characters of any spelling of any secret, twelve of its middle, or a JWT."""
    found = {spelling[:8] for secret in SECRETS for spelling in spellings(secret)}
    found |= {secret[at : at + 12] for secret in SECRETS for at in range(len(secret) - 11)}
    return re.compile("|".join([*(re.escape(one) for one in sorted(found, key=len, reverse=True)), r"eyJ[\w-]{5,}"]))


_SECRET = _beginnings()


def _no_secret(_cell: Cell, ran: Ran, _: Clean) -> Iterator[str]:
    for place, text in {**ran.texts(), "names": "\n".join(ran.after)}.items():
        kept = text
        if place == "stdout" and ran.step.place == "github":
            kept = "\n".join(line for line in text.split("\n") if not line.startswith("::add-mask::"))
        for variant in {kept, kept.replace("\\", ""), kept.replace("\u200b", "")}:
            if found := _SECRET.search(variant):
                yield f"{found[0]} in {place}: …{variant[max(0, found.start() - 60) : found.end() + 30]!r}"
                break


def _nothing_for_strangers(_cell: Cell, ran: Ran, _: Clean) -> Iterator[str]:
    for heard in ran.strangers:
        text = heard.decode("latin-1")
        if (found := _SECRET.search(text)) and not text.split(" ")[1].startswith("/Basic"):
            yield f"another host got {found[0]!r}: {text[:200]!r}"


# GitHub's runner: https://github.com/actions/runner, ActionCommand.cs. It trims, and takes `##[` anywhere.
_COMMAND = re.compile(r"^\s*::([^\s:]+)[^:]*?::(.*)$")
_OLD_COMMAND = re.compile(r"##(vso|teamcity)?\[")
_COLOURS = re.compile(r"\x1b\[(?:31;1m|33;1m|0m|0K)|\r(?=\x1b\[0K)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def _is_ours(command: re.Match[str]) -> bool:
    """Whether a step says this to GitHub's runner."""
    name, value = command.groups()
    if name in {"warning", "error"}:
        title = re.search(r"title=([^:,]*)", command[0])
        return title is not None and title[1].replace("%2C", ",") in {*TITLES, "sauce-appdist"}
    return name in {"add-mask", "group", "endgroup"} and not (name == "add-mask" and INJECTED in value)


def _no_foreign_command(_cell: Cell, ran: Ran, _: Clean) -> Iterator[str]:
    for place, text in (("stdout", ran.stdout), ("stderr", ran.stderr)):
        if found := _OLD_COMMAND.search(text):
            yield f"{found[0]} in {place}"
        for line in text.splitlines():
            command = _COMMAND.match(line)
            if command and not (ran.step.place == "github" and _is_ours(command)):
                yield f"{line[:100]!r} in {place}"


def _no_control_character(_cell: Cell, ran: Ran, _: Clean) -> Iterator[str]:
    for place, text in ran.texts().items():
        shown = _COLOURS.sub("", text) if ran.step.place == "gitlab" and place == "stdout" else text
        if place in {"stdout", "stderr"} and (found := _CONTROL.search(shown)):
            yield f"{found[0]!r} in {place}: …{shown[max(0, found.start() - 60) : found.end() + 20]!r}"


def _no_foreign_file(_cell: Cell, ran: Ran, _: Clean) -> Iterator[str]:
    for name in {*ran.before, *ran.after}:
        if ran.before.get(name) == ran.after.get(name) or name.startswith("runner/"):
            continue
        place, rest = name.split("/", 1)
        if place == "work" and rest in GITLAB_FILES and ran.step.place == "gitlab":
            continue
        if place == "work" and rest in GATE_FILES and "min-sessions" in ran.step.inputs:
            continue
        if place == "work" and rest == "app.apk" and ran.code in {0, 6, 130}:
            continue
        yield f"{name} was {'changed' if name in ran.before and name in ran.after else 'made' if name in ran.after else 'removed'}"


def _whole_download(cell: Cell, ran: Ran, clean: Clean) -> Iterator[str]:
    wanted, got = clean.ran.written.get("app.apk"), ran.written.get("app.apk")
    if wanted and got not in {None, wanted} and not cell.invents:
        yield f"{len(got or b'')} bytes instead of {len(wanted)}"
    if wanted and ran.code == 0 and got is None:
        yield "exit code 0 without the file"


INVARIANTS: Mapping[str, Callable[[Cell, Ran, Clean], Iterator[str]]] = {
    "bounded time": _time,
    "bounded memory": _memory,
    "documented exit code": _exit_code,
    "no bug": _no_bug,
    "at most once": _at_most_once,
    "true exit code": _exit_code_is_true,
    "true outputs": _outputs_are_true,
    "no secret": _no_secret,
    "no secret for strangers": _nothing_for_strangers,
    "no foreign command": _no_foreign_command,
    "no control character": _no_control_character,
    "no foreign file": _no_foreign_file,
    "whole download": _whole_download,
}
