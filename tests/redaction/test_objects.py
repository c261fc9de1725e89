"""Objects and errors that a script holds show no secret."""

from __future__ import annotations

import pickle
import pprint
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from harness import ANDROID, EMAIL, NEWEST_ANDROID
from identity import CLIENT_ID
from redaction.failures import FAILURES
from redaction.runs import WAYS, basic
from redaction.search import CLIENT_SECRET, CONFIG_KEY, PERCENT, QUOTES, STATIC_TOKEN, found_in
from sauce_appdist import Client
from sauce_appdist.auth.oidc import Provider, Token, TokenHttp
from sauce_appdist.errors import AppDistError, InputError
from sauce_appdist.interface.environment import gather, parse
from sauce_appdist.interface.inputs import ConnectionInputs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from redaction.stage import Stage


def objects() -> dict[str, tuple[Any, list[str]]]:
    """What a script holds, and what it must not give away by being looked at."""
    made: dict[str, tuple[Any, list[str]]] = {}
    base = {"APPDIST_BASE_URL": "http://127.0.0.1:9"}
    ways = {
        "basic": ({"APPDIST_EMAIL": EMAIL, "APPDIST_API_KEY": PERCENT}, [*basic(EMAIL, PERCENT)]),
        "key": ({"APPDIST_API_KEY": QUOTES}, [QUOTES]),
        "token": (
            {"APPDIST_OIDC_TOKEN": STATIC_TOKEN, "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY},
            [STATIC_TOKEN, CONFIG_KEY],
        ),
        "client": (
            {
                "APPDIST_OIDC_TOKEN_URL": "http://127.0.0.1:9/token",
                "APPDIST_OIDC_CLIENT_ID": CLIENT_ID,
                "APPDIST_OIDC_CLIENT_SECRET": CLIENT_SECRET,
                "APPDIST_OIDC_CONFIG_KEY": CONFIG_KEY,
            },
            [CLIENT_SECRET, CONFIG_KEY],
        ),
    }
    for name, (env, secrets) in ways.items():
        texts = gather(ConnectionInputs, {}, base | env).texts
        script = Client.from_env(base | env)
        for part, thing in {
            "inputs": parse(ConnectionInputs, texts),
            "client": script,
            "transport": script.transport,
            "auth": script.transport._auth,
        }.items():
            made[f"{part}, {name}"] = (thing, secrets)
    made["a token"] = (Token(STATIC_TOKEN), [STATIC_TOKEN])
    made["provider"] = (
        Provider(TokenHttp(), token_url="x", client_id="c", client_secret=CLIENT_SECRET),
        [CLIENT_SECRET],
    )
    return made


OBJECTS = objects()


@pytest.mark.parametrize("name", OBJECTS)
def test_looking_at_an_object_shows_no_secret(name: str) -> None:
    thing, secrets = OBJECTS[name]
    for look in (repr, str, format, pprint.pformat, lambda one: f"{one!r:>5}{[one]}"):
        assert not found_in(look(thing), secrets)


HELD = [name for name in OBJECTS if "," in name]


@pytest.mark.parametrize("name", HELD)
def test_neither_do_its_attributes(name: str) -> None:
    """As a debugger, or a traceback with locals, has them."""
    thing, secrets = OBJECTS[name]
    assert not found_in(repr(getattr(thing, "__dict__", "")), secrets)


@pytest.mark.parametrize("name", HELD)
def test_an_object_with_secrets_is_not_pickled(name: str) -> None:
    thing, secrets = OBJECTS[name]
    try:
        pickled = pickle.dumps(thing)
    except (TypeError, AttributeError, pickle.PicklingError):
        return
    assert not found_in(pickled.decode("latin-1"), secrets)


@pytest.mark.parametrize("failure", [name for name, failure in FAILURES.items() if not failure.kind])
def test_errors_and_logs_of_a_script_show_no_secret(
    stage: Stage, failure: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """No CI is there to hide anything: the client itself does."""
    caplog.set_level("DEBUG", "sauce_appdist")
    base = stage.base(FAILURES[failure])
    calls: list[Callable[[Client], object]] = [
        lambda script: script.projects.list(),
        lambda script: script.builds.get(ANDROID, NEWEST_ANDROID),
        lambda script: script.builds.update(ANDROID, NEWEST_ANDROID, tags=["a"]),
        lambda script: script.builds.download(ANDROID, NEWEST_ANDROID, to=tmp_path / "app.apk"),
        lambda script: script.sessions.logs(ANDROID, NEWEST_ANDROID, "8911052001"),
    ]
    for way in ("key with e-mail", "key alone", "token"):
        env = WAYS[way].env(stage) | {"APPDIST_RETRIES": "0", "APPDIST_BASE_URL": f"{base}/{quote(failure)}/compat/0"}
        with Client.from_env(env) as script:
            for call in calls:
                caplog.clear()
                try:
                    call(script)
                except (
                    AppDistError,
                    ValueError,
                ) as error:  # a ValueError where it is a bug, which tells nothing either
                    looks = (
                        repr(error),
                        str(error),
                        repr(vars(error)),
                        repr(error.args),
                        *traceback.format_exception(error),
                    )
                    assert not found_in("\n".join(looks), WAYS[way].first)
                assert not found_in(caplog.text, WAYS[way].first)


def test_an_input_error_of_a_script_shows_no_secret() -> None:
    for name, text in (("APPDIST_API_KEY", "two words-zq77"), ("APPDIST_OIDC_TOKEN", "ümläut-zq77-x")):
        with pytest.raises(InputError) as caught:
            Client.from_env({name: text, "APPDIST_REGION": "mars"})
        assert not found_in("".join(traceback.format_exception(caught.value)) + repr(caught.value), [text])
