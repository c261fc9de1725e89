"""No secret comes out: every step through every failure, with every way to sign in, in every place.

Each run is a process as a CI system starts it. What it left (stdout, stderr, every file and its name) is searched
for each secret that it knew, in each spelling. Only GitHub's mask commands may have them, and come first.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, get_args
from urllib.parse import quote

import pytest

from harness import expect_rows
from identity import AUDIENCE, CLIENT_ID, Flavour, Trust
from redaction.failures import ANY, API, AUTH, BUG, FAILURES, PROVIDER_FAILURES, SIGNATURE, STORAGES, TRANSPORT
from redaction.runs import COMMANDS, MODES, MORE_WAYS, WAYS, Ran, check, run, shown_by
from redaction.search import CLIENT_SECRET, DIGITS, PERCENT, QUOTES, STATIC_TOKEN, WORD, found_in, spellings
from redaction.stage import Recording, Stage
from sauce_appdist.ci import SYSTEMS
from sauce_appdist.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_what_is_searched_for_is_found() -> None:
    """The search itself can fail."""
    for secret in (PERCENT, QUOTES, WORD, DIGITS, STATIC_TOKEN, CLIENT_SECRET, "first-line-1\nsecond-line-2"):
        for spelled in spellings(secret):
            assert found_in(f"x{spelled}y", [secret]), spelled
        assert not found_in("nothing of it, though northwind and some words", [secret])
    assert found_in(f"cut: {STATIC_TOKEN[:14]}…", [STATIC_TOKEN])
    assert found_in(f"lower: {STATIC_TOKEN.upper()}", [STATIC_TOKEN])
    assert found_in(re.sub(r"([<>|*`&$'\"])", r"\\\1", QUOTES), [QUOTES])
    assert found_in("eyJhbGciOiJSUzI1NiJ9.e30.x", [])


def test_everything_is_in_the_table() -> None:
    expect_rows(COMMANDS.keys() & STEPS, STEPS, "COMMANDS, tests/redaction/runs.py")
    expect_rows(set(MODES) & SYSTEMS.keys(), SYSTEMS, "MODES, tests/redaction/runs.py (and `environment` there)")
    for turn in range(len(FAILURES)):
        assert {command for command, _, _ in turns(turn)} == set(COMMANDS)
        assert {way for _, way, _ in turns(turn)} == set(WAYS)
        assert {mode for _, _, mode in turns(turn)} == set(MODES)
    met = {(command, mode) for turn in range(len(FAILURES)) for command, _, mode in turns(turn)}
    assert len(met) == len(COMMANDS) * len(MODES)
    assert {way.provider for way in WAYS.values()} == {True, False}


def turns(turn: int) -> Iterator[tuple[str, str, str]]:
    """Each command, with one way after the other and one place after the other."""
    for number, command in enumerate(COMMANDS):
        way = list(WAYS)[(number + turn) % len(WAYS)]
        mode = MODES[(number + 2 * turn) % len(MODES)]
        if WAYS[way].github:  # elsewhere there is no such identity
            mode = "github" if (number + turn) % 2 else "json on github"
        yield command, way, mode


@pytest.mark.parametrize("failure", FAILURES)
def test_every_step_and_every_way_through(stage: Stage, tmp_path: Path, failure: str) -> None:
    turn = list(FAILURES).index(failure)
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda row: run(stage, tmp_path, row[0], row[1], row[2], failure), turns(turn)))
    expected = FAILURES[failure]
    check(runs, expected.codes, shown=expected.shown)
    for ran in runs:
        if ran.mode.startswith("json") and expected.kind != "unwritable" and ran.out:
            json.loads(ran.out)


@pytest.mark.parametrize("way", ["key with e-mail", "key alone"])
def test_a_credential_with_odd_letters_in_every_answer(stage: Stage, tmp_path: Path, way: str) -> None:
    """Names, tags and links are made of answers, each escaped in its own way."""
    rows = [(step, mode) for step in ("find", "promote", "annotate") for mode in MODES[:4]]
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda row: run(stage, tmp_path, row[0], way, row[1], "success that echoes"), rows))
    check(runs, ANY, shown=True)


FETCHING = [name for name, way in (WAYS | MORE_WAYS).items() if way.provider]


@pytest.mark.parametrize("failure", PROVIDER_FAILURES)
def test_every_way_through_a_provider(stage: Stage, tmp_path: Path, failure: str) -> None:
    """A token is asked for in vain, by each step and in each way."""
    turn = list(PROVIDER_FAILURES).index(failure)
    url = f"{stage.url}/{quote(f'provider {failure}')}/token"

    def one(number: int) -> Ran:
        way = FETCHING[(number + turn) % len(FETCHING)]
        mode = MODES[(number + 2 * turn) % len(MODES)]
        if (WAYS | MORE_WAYS)[way].github:
            mode = "github" if (number + turn) % 2 else "json on github"
        env = {"ACTIONS_ID_TOKEN_REQUEST_URL": url} if way == "job on GitHub" else {"APPDIST_OIDC_TOKEN_URL": url}
        return run(stage, tmp_path, list(COMMANDS)[number], way, mode, "success", env=env)

    assert len(STEPS) >= len(FETCHING)
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(one, range(len(STEPS))))
    check(runs, PROVIDER_FAILURES[failure][1])
    assert shown_by(runs, "token")


@pytest.mark.parametrize("flavour", get_args(Flavour))
def test_a_provider_that_repeats_what_it_was_sent(stage: Stage, tmp_path: Path, flavour: Flavour) -> None:
    """A real one, in each product's way to say no: with the client's secret, and with the job's ID token."""
    turn = get_args(Flavour).index(flavour)
    with Recording(flavour=flavour, echoes=True, scopes={"other"}, clients={CLIENT_ID: CLIENT_SECRET}) as careless:
        careless.trust = Trust(careless, AUDIENCE, "somebody else")
        env = {"APPDIST_OIDC_TOKEN_URL": careless.token_url, "APPDIST_OIDC_SCOPE": "wanted"}
        ways = [FETCHING[turn % 2], "client credentials as JSON", "job on GitLab, exchanged"]
        commands = [list(STEPS)[(turn + number) % len(STEPS)] for number in range(len(ways))]
        modes = ["github", MODES[turn % 5], "gitlab"]
        with ThreadPoolExecutor(3) as pool:
            runs = list(
                pool.map(
                    lambda row: run(stage, tmp_path, row[0], row[1], row[2], "success", env=env),
                    zip(commands, ways, modes, strict=True),
                )
            )
        assert careless.token_requests
    check(runs, {AUTH, TRANSPORT}, shown=flavour not in {"html", "adfs-html", "empty", "not-json"})


@pytest.mark.parametrize("storage", STORAGES)
def test_a_signed_url_through_every_failure(stage: Stage, tmp_path: Path, storage: str) -> None:
    turn = list(STORAGES).index(storage)
    way, mode = list(WAYS)[turn % 5], MODES[turn % len(MODES)]
    ran = run(stage, tmp_path, "download", way, mode, f"to a storage that {storage}")
    ran.secrets.append(SIGNATURE)
    check([ran], {API, TRANSPORT})
    assert "/download/" in ran.err
    assert not ran.files


def test_an_answer_that_nobody_thought_of(stage: Stage, tmp_path: Path) -> None:
    """What it is called with, or the exception quotes, is not told either."""
    answer = "Retry-After that is none"
    runs = [run(stage, tmp_path, "find", "key of digits", mode, answer) for mode in ("github", "gitlab", "plain")]
    check(runs, {BUG, TRANSPORT})
