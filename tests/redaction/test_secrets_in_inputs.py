"""A secret in an input, an argument or a file where it does not belong."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from harness import EMAIL, expect_rows
from identity import CLIENT_ID
from redaction.failures import INPUT
from redaction.runs import COMMANDS, Inside, basic, check, run, shown_by
from redaction.search import CONFIG_KEY, PERCENT, QUOTES, STATIC_TOKEN, WORD
from sauce_appdist.ci import SYSTEMS
from sauce_appdist.interface.inputs import ConnectionInputs, is_secret
from sauce_appdist.steps import STEPS, load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from redaction.stage import Stage


def pasted(secret: str) -> list[str]:
    return [secret, f"This is {secret}, of course", f"https://x.example/?key={quote(secret, safe='')}", f"k={secret}"]


NAMES: dict[str, Mapping[str, str]] = {
    "github": {"GITHUB_ACTIONS": "true"},
    "gitlab": {"GITLAB_CI": "true"},
    "plain": {},
}


def test_every_ci_system_is_a_place() -> None:
    expect_rows(NAMES.keys() - {"plain"}, SYSTEMS, "NAMES, tests/redaction/test_secrets_in_inputs.py")


@pytest.mark.parametrize("place", NAMES)
@pytest.mark.parametrize("step", STEPS)
def test_a_secret_in_an_input_where_it_does_not_belong(
    inside: Inside, step: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each input that is none, alone and in other text, in another spelling too."""
    monkeypatch.chdir(tmp_path)
    declared = load(step).Inputs
    names = [name for name, field in declared.model_fields.items() if not is_secret(field)]
    secrets = [PERCENT, QUOTES, WORD, *basic(EMAIL, PERCENT)]
    env = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT, "APPDIST_BASE_URL": "http://127.0.0.1:9"}
    env |= {"APPDIST_OIDC_TOKEN": QUOTES, "APPDIST_OIDC_CLIENT_SECRET": WORD, "APPDIST_DEBUG": "true", **NAMES[place]}
    given = {f"APPDIST_INPUT_{name.upper().replace('-', '_')}": text for name, text in COMMANDS[step][1].items()}
    for number, name in enumerate(names):
        secret = (PERCENT, QUOTES, WORD)[number % 3]
        for text in pasted(secret):
            code, said = inside(
                step,
                env={**env, **given, f"APPDIST_INPUT_{name.upper()}": text},
                secrets=secrets,
                masks=place == "github",
            )
            assert code == INPUT, said
            assert "contains a credential. Remove it." in said


@pytest.mark.parametrize("place", NAMES)
def test_the_encoded_pair_in_an_input(
    inside: Inside, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What HTTP Basic makes of e-mail and key is as good as they are."""
    monkeypatch.chdir(tmp_path)
    _, pair = basic(EMAIL, PERCENT)
    env = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT, "APPDIST_BASE_URL": "http://127.0.0.1:9", **NAMES[place]}
    for name in ("region", "build_url", "tags", "wait_for_build"):
        code, _ = inside(
            "tag", env={**env, f"APPDIST_INPUT_{name.upper()}": pair}, secrets=[pair], masks=place == "github"
        )
        assert code == INPUT


def test_a_secret_in_a_file_of_release_notes(stage: Stage, tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text(f"# Changes\n\nCall it with {QUOTES}!\n")
    runs = [
        run(
            stage,
            tmp_path,
            step,
            "key alone",
            mode,
            "success",
            inputs={"release-notes-file": str(notes), "release-notes": ""},
        )
        for step, mode in (("annotate", "github"), ("promote", "gitlab"), ("annotate", "json"), ("promote", "plain"))
    ]
    check(runs, {INPUT})
    assert shown_by(runs, "contains a credential. Remove it.")


@pytest.mark.parametrize(
    "text",
    [
        "two words-zq77-x",
        "first-zq-line\nsecond-zq-line\r\nthird-zq-line",
        "key-zq77-ümläut",
        "key-zq77\twith-tab-zq",
        "key-zq77\x1b[31m-colour-zq",
        "zero\u200bwidth-zq77",
        "50%25-zq77 and more",
        "'quoted-zq77' \"twice-zq77\"",
        "-----BEGIN KEY-----\nMIIzq77zq77zq77\n-----END KEY-----\n",
    ],
)
@pytest.mark.parametrize("name", [name for name, field in ConnectionInputs.model_fields.items() if is_secret(field)])
def test_a_secret_that_is_none_is_refused_without_showing_it(inside: Inside, name: str, text: str) -> None:
    lines = [line.strip() for line in text.splitlines()]
    ways = {
        "api_key": {"APPDIST_EMAIL": EMAIL},
        "oidc_token": {"APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY},
        "oidc_config_key": {"APPDIST_OIDC_TOKEN": STATIC_TOKEN},
        "oidc_client_secret": {
            "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY,
            "APPDIST_OIDC_CLIENT_ID": CLIENT_ID,
            "APPDIST_OIDC_TOKEN_URL": "http://127.0.0.1:9/token",
        },
    }
    # A client's secret goes into no header as it is: it may have more in it. Then only the step has something to say.
    fits = name == "oidc_client_secret" and not re.search(r"[\n\t\x1b]", text)
    for step, place in itertools.product(["tag"] if fits else ["check", "tag"], NAMES):
        env = {**ways[name], **NAMES[place], f"APPDIST_{name.upper()}": text, "APPDIST_DEBUG": "true"}
        code, said = inside(step, env=env, secrets=[text, *lines], masks=place == "github")
        assert code == INPUT
        assert (f"{name.replace('_', '-')} is empty, or contains " in said) is not fits
        masks = [line for line in said.split("\n") if line.startswith("::add-mask::")]
        if place == "github":
            assert said.split("\n")[: len(masks)] == masks, "before all else"
            masked = [line.removeprefix("::add-mask::").replace("%25", "%") for line in masks]
            assert set(lines) <= set(masked), "line by line"
            assert not any("\n" in line or "\r" in line for line in masked)
        else:
            assert not masks


@pytest.mark.parametrize(
    "argv",
    [
        ["tag", "--api-key", PERCENT],
        ["tag", f"--api-key={PERCENT}"],
        ["tag", f"--apikey={PERCENT}"],
        ["tag", f"--api_key={PERCENT}"],
        ["tag", f"--oidc-clientsecret={PERCENT}"],
        ["tag", PERCENT],
        ["tag", "--tags", "a", PERCENT],
        ["tag", f"--{PERCENT}"],
        [PERCENT],
        ["api", PERCENT],
        ["api", "builds", PERCENT],
        ["api", "builds", "get", "--project-id", "1", "--build-id", PERCENT],
        ["api", "testers", "delete", "--tester-id", PERCENT],
        ["api", "groups", "create", "--name", PERCENT],
        ["api", "webhooks", "add", "--name", "x", "--url", f"https://x.example/{PERCENT}"],
        ["tag", "--api-key-file", PERCENT],
        ["completion", PERCENT],
    ],
    ids=lambda argv: " ".join(argv).replace(PERCENT, "…"),
)
def test_a_secret_on_the_command_line(inside: Inside, argv: list[str]) -> None:
    """Who types it where it does not belong has it in the list of processes; at least not in the log too."""
    for place in NAMES.values():
        env = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT, "APPDIST_BASE_URL": "http://127.0.0.1:9", **place}
        code, said = inside(*argv, env=env, secrets=[PERCENT], masks="GITHUB_ACTIONS" in place and "api" not in argv)
        assert code == INPUT, said
        assert said


@pytest.mark.parametrize("argv", [["--api-key", PERCENT], [f"--api-key={PERCENT}"], [f"--apikey={PERCENT}"]])
def test_a_secret_that_only_the_command_line_has(inside: Inside, argv: list[str]) -> None:
    code, said = inside("whoami", *argv, env={}, secrets=[PERCENT])
    assert code == INPUT
    assert "api-key" in said


def test_a_variable_that_looks_like_a_credential_is_no_text(inside: Inside) -> None:
    env = {"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT, "GITLAB_CI": "true", "DEPLOY_TOKEN": QUOTES}
    for name in ("APPDIST_API_KEY", "DEPLOY_TOKEN"):
        notes = {"APPDIST_INPUT_RELEASE_NOTES": f"${{{name}}}"}
        code, said = inside("annotate", env=env | notes, secrets=[PERCENT, QUOTES])
        assert (code, "looks like a credential" in said) == (INPUT, True)
