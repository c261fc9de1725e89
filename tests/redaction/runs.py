"""A run of a command in a process of its own, with any sign-in method on any CI system, and what it left."""

from __future__ import annotations

import base64
import io
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from harness import ANDROID, EMAIL, NEWEST_ANDROID
from identity import AUDIENCE, CLIENT_ID
from redaction.failures import FAILURES, INPUT, Failure
from redaction.search import (
    CLIENT_SECRET,
    CONFIG_KEY,
    DIGITS,
    LEFT_OVER,
    PERCENT,
    PROXY_PASSWORD,
    PROXY_USER,
    QUOTES,
    STATIC_TOKEN,
    WORD,
    found_in,
)
from sauce_appdist.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pytest

    from redaction.stage import Stage


@dataclass(frozen=True)
class Way:
    """What signs in: its environment, and its secrets that are known before."""

    env: Callable[[Stage], dict[str, str]]
    first: tuple[str, ...]
    dialect: str = "classic"
    github: bool = False  # only there
    provider: bool = False  # fetches something
    later: tuple[str, ...] = ()  # what is made of them when it is needed


def oidc(**more: str) -> dict[str, str]:
    return {"APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY} | {
        f"APPDIST_OIDC_{name.upper()}": text for name, text in more.items()
    }


def client(stage: Stage, **more: str) -> dict[str, str]:
    given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "token_url": stage.identity.token_url}
    return oidc(**given, **more)


def job(stage: Stage, provider: str, **more: str) -> dict[str, str]:
    around = stage.identity.github_env if provider == "github" else {}
    return oidc(provider=provider, id_token_audience=AUDIENCE, **more) | around


def exchange(stage: Stage, provider: str, how: str) -> dict[str, str]:
    given = {"exchange": how, "token_url": stage.identity.token_url, "client_id": CLIENT_ID}
    return job(stage, provider, **given)


def basic(email: str, key: str) -> tuple[str, ...]:
    return key, base64.b64encode(f"{email}:{key}".encode()).decode()


# RFC 6749, part 2.3.1: both are form-encoded before they are joined.
_PAIR = f"{CLIENT_ID}:{quote(CLIENT_SECRET, safe='')}"
WAYS: dict[str, Way] = {
    "key with e-mail": Way(lambda _: {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT}, basic(EMAIL, PERCENT)),
    "key that is a word": Way(
        lambda _: {"APPDIST_EMAIL": "word@northwind.example", "APPDIST_API_KEY": f" {WORD}\n"},
        basic("word@northwind.example", WORD),
    ),
    "key alone": Way(lambda _: {"APPDIST_API_KEY": QUOTES}, (QUOTES,), dialect="compat"),
    "token": Way(lambda _: oidc(token=STATIC_TOKEN), (CONFIG_KEY, STATIC_TOKEN)),
    "client credentials": Way(client, (CONFIG_KEY, CLIENT_SECRET), provider=True),
    "client credentials by Basic": Way(
        lambda stage: client(stage, client_auth="basic"),
        (CONFIG_KEY, CLIENT_SECRET),
        provider=True,
        later=(base64.b64encode(_PAIR.encode()).decode(),),
    ),
    "job on GitHub": Way(lambda stage: job(stage, "github"), (CONFIG_KEY,), github=True, provider=True),
    "job on GitLab": Way(lambda stage: job(stage, "gitlab"), (CONFIG_KEY,)),
    "job on GitHub, exchanged": Way(
        lambda stage: exchange(stage, "github", "client-assertion"), (CONFIG_KEY,), github=True, provider=True
    ),
    "job on GitLab, exchanged": Way(
        lambda stage: exchange(stage, "gitlab", "token-exchange"), (CONFIG_KEY,), "compat", provider=True
    ),
}

MORE_WAYS: dict[str, Way] = {
    "key of digits": Way(lambda _: {"APPDIST_API_KEY": DIGITS}, (DIGITS,), dialect="compat"),
    "client credentials as JSON": Way(
        lambda stage: client(stage, token_format="json"), (CONFIG_KEY, CLIENT_SECRET), provider=True
    ),
}
MODES = ("github", "gitlab", "plain", "json", "json on github")
BUILD = {"project-id": ANDROID, "build-id": NEWEST_ANDROID}
MAIL = {"notify": "true", "allow-notify-everybody": "true"}  # a newer server does not mail without the second
COMMANDS: dict[str, tuple[str, dict[str, str]]] = {
    "check": ("check", {}),
    "find": ("find", BUILD),
    "gate": (
        "gate",
        BUILD
        | {"feedback-block-pattern": "(?s).+", "coverage-groups": "QA", "min-coverage": "1%", "min-devices": "1"}
        | {"baseline": "previous", "max-crash-rate-increase": "100%", "require-tags": "x", "gate-mode": "report"},
    ),
    "tag": ("tag", BUILD | {"tags": "a, b"}),
    "annotate": (
        "annotate",
        BUILD | {"release-notes": "Line 1\nLine 2", "metadata": "k=v", "permission-groups": "QA", "tags": "c"},
    ),
    "copy": ("copy", BUILD | {"to-folder": "QA", "copy-groups": "QA"}),
    "invite": ("invite", BUILD | {"groups": "QA", "message": "Hello"} | MAIL),
    "promote": (
        "promote",
        BUILD
        | {"to-folder": "QA", "tags": "rc", "release-notes": "Notes", "source-tags": "x", "groups": "QA"}
        | {**MAIL, "metadata": "k=v"},
    ),
    "download": ("api builds download", BUILD | {"to": "."}),
    "logs": ("api sessions logs", BUILD | {"session-id": "8911052001"}),
    "update": ("api builds update", BUILD | {"tags": "d", "metadata": "k=v", "release-notes": "N"}),
}


@dataclass
class Ran:
    """What a process left."""

    what: str
    mode: str
    code: int
    out: str
    err: str
    files: dict[str, str]
    secrets: list[str]
    first: list[str]  # what GitHub has to be told before all else
    given: set[str]  # those of them that the environment has
    masks: bool  # whether it had to speak to GitHub

    @property
    def masked(self) -> list[str]:
        lines = [line for line in self.out.splitlines() if line.startswith("::add-mask::")]
        return [line.removeprefix("::add-mask::").replace("%25", "%") for line in lines]

    def leaks(self) -> list[str]:
        """Everything that should not have come out, and every mask that is missing or late."""
        names = "\n".join(self.files)
        kept = [line for line in self.out.split("\n") if not (self.masks and line.startswith("::add-mask::"))]
        places = {"stdout": "\n".join(kept), "stderr": self.err, "names of files": names, **self.files}
        found = [
            f"{self.what}: {place}: {one}" for place, text in places.items() for one in found_in(text, self.secrets)
        ]
        masks = [place for place, text in places.items() if "add-mask" in text]
        found += [f"{self.what}: a mask in {place}" for place in masks]
        if "Traceback" in self.err:
            found.append(f"{self.what}: {self.err}")
        return found + [f"{self.what}: {problem}" for problem in (self._order() if self.masks else ())]

    def _order(self) -> Iterator[str]:
        """Known secrets are masked before anything is said, fetched ones before anything else is."""
        lines = self.out.splitlines()
        first = list(itertools.takewhile(lambda line: line.startswith("::add-mask::"), lines))
        early = {line.removeprefix("::add-mask::").replace("%25", "%") for line in first}
        for secret in self.first:
            # The pair of HTTP Basic is made where all inputs are right.
            if secret not in early and (self.code != INPUT or secret in self.given):
                yield f"{secret!r} is not masked first, but {sorted(early)}"
        for number, line in enumerate(lines):
            # The line that tells of an answer is the last one before its token is known.
            if re.match(r"debug: Asking (for a|GitHub for an ID) token: .* -> 200$", line):
                taken = any(
                    later.startswith(("debug: The access token:", "debug: The job's")) for later in lines[number:]
                )
                if taken and not lines[number + 1].startswith("::add-mask::eyJ"):
                    yield f"no mask follows {line!r}, but {lines[number + 1]!r}"


def environment(stage: Stage, here: Path, way: Way, mode: str, failure: Failure) -> tuple[dict[str, str], list[str]]:
    """What a job has around a step, and which secrets are among it besides those of its way to sign in."""
    environ = {"PATH": os.environ["PATH"], "APPDIST_DEBUG": "true", "APPDIST_RETRIES": "0", "APPDIST_TIMEOUT": "30s"}
    environ |= way.env(stage)
    around: list[str] = []
    broken = failure.kind == "unwritable"
    if "APPDIST_OIDC_PROVIDER" in environ and not way.github:
        environ["APPDIST_ID_TOKEN"] = stage.identity.id_token(AUDIENCE)
        around.append(environ["APPDIST_ID_TOKEN"])
    if mode.endswith("github"):
        place = here / "no" / "such" if broken else here
        environ |= {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(place / "github-output"), "GITHUB_SHA": "8b04f5d8"}
        environ |= {"GITHUB_STEP_SUMMARY": str(place / "summary.md")}
        environ.setdefault("ACTIONS_ID_TOKEN_REQUEST_TOKEN", stage.identity.request_token)
        around.append(stage.identity.request_token)
    elif mode == "gitlab":
        environ |= {"GITLAB_CI": "true", "CI_COMMIT_SHA": "8b04f5d8"}
        environ["CI_PROJECT_DIR"] = str(here / "no" / "such" if broken else here)
    port = str(stage.front.server_port)
    return environ | {name: text.replace("{port}", port) for name, text in failure.env.items()}, around


def run(
    stage: Stage,
    folder: Path,
    command: str,
    way_name: str,
    mode: str,
    answer: str,
    *,
    env: Mapping[str, str] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> Ran:
    """One process; `inputs` are more than the command's own."""
    failure, way = FAILURES.get(answer, FAILURES["success"]), (WAYS | MORE_WAYS)[way_name]
    number = str(next(stage.number))
    here = folder / number
    here.mkdir()
    words, given = COMMANDS[command][0].split(), COMMANDS[command][1] | dict(inputs or {})
    api = words[0] == "api"
    environ, around = environment(stage, here, way, mode, failure)
    dialect = "compat" if command == "download" else way.dialect
    if failure.kind == "proxy":
        later = [PROXY_PASSWORD, base64.b64encode(f"{PROXY_USER}:{PROXY_PASSWORD}".encode()).decode()]
    else:
        later = []
        environ["APPDIST_BASE_URL"] = f"{stage.base(failure)}/{quote(answer)}/{dialect}/{number}"
    if "APPDIST_EMAIL" in environ and not api:
        # As inputs, which leave aside what the job has for another way.
        environ |= {f"APPDIST_INPUT_{name}": environ.pop(f"APPDIST_{name}") for name in ("EMAIL", "API_KEY")}
        environ["APPDIST_OIDC_TOKEN"] = LEFT_OVER
        around.append(LEFT_OVER)
    if api or mode in {"plain", "json"}:
        words += [part for name, text in given.items() for part in (f"--{name}", text)]
    else:
        environ |= {f"APPDIST_{name.upper().replace('-', '_')}": text for name, text in given.items()}
    words += ["--json"] if mode.startswith("json") else []
    full = failure.kind == "unwritable" and (api or mode in {"plain", "json", "json on github"})
    signatures, tokens = len(stage.front.signatures), len(stage.identity.signed)
    arrived = stage.front.arrived[number] = threading.Event()
    files: dict[str, str] = {}
    with ExitStack() as stack:
        started = subprocess.Popen(
            [sys.executable, "-m", "sauce_appdist", *words],
            env=environ | dict(env or {}),
            cwd=here,
            stdin=subprocess.DEVNULL,
            stdout=stack.enter_context(Path("/dev/full").open("wb")) if full else subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        stack.enter_context(started)
        if failure.kind in {"timeout", "sigterm"}:
            assert arrived.wait(30), f"{command}, {way_name} asked nothing"
            files["arguments"] = Path(f"/proc/{started.pid}/cmdline").read_text()
            assert "sauce_appdist" in files["arguments"]
        if failure.kind == "sigterm":
            started.send_signal(signal.SIGTERM)
        said, told = started.communicate(timeout=60)
    del stage.front.arrived[number]
    for path in (path for path in here.rglob("*") if path.is_file()):
        # An app may have any word in it.
        files[str(path.relative_to(here))] = "" if command == "download" else path.read_text(errors="replace")
    fetched = [*stage.front.signatures[signatures:], *stage.identity.signed[tokens:]]
    return Ran(
        f"{command}, {way_name}, {mode}, {answer}",
        mode,
        started.returncode,
        (said or b"").decode(),
        told.decode(),
        files,
        [*way.first, *way.later, *around, *later, *fetched],
        [*way.first, *around],
        {text.strip() for text in environ.values()},
        masks=mode == "github" and not api,
    )


def check(runs: Sequence[Ran], codes: set[int], *, shown: bool = False) -> None:
    wrong = [f"{ran.what}: exit code {ran.code}\n{ran.out}{ran.err}" for ran in runs if ran.code not in codes]
    leaks = [leak for ran in runs for leak in ran.leaks()]
    assert not leaks, "\n".join(leaks)
    assert not wrong, "\n".join(wrong)
    if shown:  # else it would be no wonder
        assert any("***" in f"{ran.out}{ran.err}{ran.files}" for ran in runs)


def shown_by(runs: Sequence[Ran], text: str) -> bool:
    return any(text in ran.out + ran.err for ran in runs)


@dataclass
class Inside:
    """A run in this process: there are too many of them for one each."""

    capfd: pytest.CaptureFixture[str]

    def __call__(
        self, *argv: str, env: Mapping[str, str], secrets: Sequence[str], masks: bool = False
    ) -> tuple[int, str]:
        out = io.StringIO()
        code = main(argv, env, out)
        said, told = self.capfd.readouterr()
        text = f"{out.getvalue()}{said}{told}"
        rest = [line for line in text.split("\n") if not (masks and line.startswith("::add-mask::"))]
        found = found_in("\n".join(rest), secrets)
        assert not found, (argv, found)
        return code, text
