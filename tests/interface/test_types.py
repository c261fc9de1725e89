"""How text becomes a value, whatever the text is."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from harness import ANDROID, BUILD, NEWEST_ANDROID
from interface.support import SIGNED_IN
from sauce_appdist.errors import InputError
from sauce_appdist.interface.environment import parse
from sauce_appdist.interface.types import as_text
from sauce_appdist.steps import find, promote, tag


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a", ["a"]),
        (" a , b,, a ", ["a", "b"]),
        ("a\n# yes\n  b\r\nc,d", ["a", "# yes", "b", "c", "d"]),
        ("a b, c#d", ["a b", "c#d"]),
        ('6" phones, b', ['6" phones', "b"]),
        ("ünï, 🎉", ["ünï", "🎉"]),
    ],
)
def test_lists(text: str, items: list[str]) -> None:
    assert parse(tag.Inputs, {**SIGNED_IN, **BUILD, "tags": text}).tags == items


def test_a_quoted_group_may_have_a_comma() -> None:
    inputs = parse(promote.Inputs, {**SIGNED_IN, **BUILD, "groups": '"QA, Berlin", Beta'})
    assert inputs.groups == ["QA, Berlin", "Beta"]


@given(st.lists(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1), min_size=1, unique=True))
def test_a_list_output_is_read_back_as_the_same_list(items: list[str]) -> None:
    assert parse(promote.Inputs, {**SIGNED_IN, **BUILD, "groups": as_text(items)}).groups == items


@pytest.mark.parametrize(("text", "value"), [("true", True), ("On", True), ("YES", True), ("1", True), ("false", False), ("off", False), ("no", False), ("0", False)])  # fmt: skip
def test_booleans(text: str, value: bool) -> None:
    assert parse(find.Inputs, {**SIGNED_IN, **BUILD, "dry_run": text}).dry_run is value


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("24H", 86400), ("7d", 604800)])
def test_durations(text: str, seconds: float) -> None:
    assert parse(find.Inputs, {**SIGNED_IN, **BUILD, "wait_for_build": text}).wait_for_build == seconds


@pytest.mark.parametrize("text", ["on", "True", "YES", "1"])
def test_words_for_true_are_taken_where_there_is_a_third_choice(text: str) -> None:
    texts = {**SIGNED_IN, **BUILD, "groups": "QA", "notify": text, "to_folder": "F", "allow_all_testers": text}
    inputs = parse(promote.Inputs, texts)
    assert (inputs.notify, inputs.allow_all_testers) == ("true", "true")


@pytest.mark.parametrize("name", ["\U0001f469\u200d\U0001f4bb Devs", "Caf\u00e9\u00a0Nord", "\u05d0\u05d1"])
def test_names_in_any_script_are_taken(name: str) -> None:
    assert parse(promote.Inputs, {**SIGNED_IN, **BUILD, "groups": name}).groups == [name]


@given(st.dictionaries(st.sampled_from(sorted(promote.Inputs.model_fields)), st.text(), max_size=6))
def test_whatever_is_given_ends_in_inputs_or_one_input_error(texts: dict[str, str]) -> None:
    try:
        parse(promote.Inputs, {**SIGNED_IN, **texts})
    except InputError as error:
        assert str(error)  # noqa: PT017 - both ends are fine, nothing else is


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Z"]), min_size=8))
def test_no_message_shows_a_secret(secret: str) -> None:
    for name in ("api_key", "oidc_token", "oidc_config_key"):
        try:
            parse(promote.Inputs, {**BUILD, "region": "mars", "base_url": "x", name: secret})
        except InputError as error:
            assert secret not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "url",
    [
        "https://mobile.saucelabs.com/projects/6905338-northwind/builds/8911052",
        "/projects/6905338/builds/8911052",
        "/projects/6905338-northwind/builds/8911052/",
        "https://mobile.saucelabs.com/projects/6905338-northwind/builds/8911052?tab=notes#top",
    ],
)
def test_build_urls(url: str) -> None:
    wanted = parse(find.Inputs, {**SIGNED_IN, "build_url": url}).reference()
    assert (wanted.project_ids[0], wanted.build_id, wanted.latest) == (ANDROID, NEWEST_ANDROID, False)


def test_a_build_url_of_another_region_says_which() -> None:
    url = "https://mobile.eu-central-1.saucelabs.com/projects/1-a/builds/2"
    with pytest.raises(InputError, match="build-url is in region eu-central-1, but region is us-east-1"):
        parse(find.Inputs, {**SIGNED_IN, "build_url": url})
    assert (
        parse(find.Inputs, {**SIGNED_IN, "build_url": url, "region": "eu-central-1"})
        .api_url()
        .endswith("eu-central-1.saucelabs.com")
    )
