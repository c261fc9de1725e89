"""Nothing that is set is dropped or changed without a word: lists, choices, empty values, and where they come from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from harness import ANDROID, API_KEY, EMAIL, NEWEST_ANDROID
from sauce_appdist.errors import InputError
from sauce_appdist.interface import input_variable, kebab, variable
from sauce_appdist.interface.environment import gather, parse
from sauce_appdist.interface.inputs import BuildInputs, extra
from sauce_appdist.interface.types import as_text
from sauce_appdist.steps import STEPS, annotate, find, load, promote, tag
from sauce_appdist.steps.gate import step as gate

SIGNED_IN: dict[str, Any] = {"email": EMAIL, "api_key": API_KEY}
BUILD: dict[str, Any] = {"project_id": ANDROID, "build_id": NEWEST_ANDROID}
BUILD_INPUTS = [name for name, field in BuildInputs.model_fields.items() if extra(field)["group"] == "build"]


def tags(text: str) -> list[str]:
    found: list[str] = parse(tag.Inputs, {**SIGNED_IN, **BUILD, "tags": text}).tags
    return found


def metadata(text: str) -> dict[str, str] | None:
    found: dict[str, str] | None = parse(annotate.Inputs, {**SIGNED_IN, **BUILD, "metadata": text}).metadata
    return found


# --- Lists --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("rc\n#4711", ["rc", "#4711"]),
        ("rc\n#123, nightly", ["rc", "#123", "nightly"]),
        ("#4711", ["#4711"]),
        ("blocked\n#wip", ["blocked", "#wip"]),
        ('["rc", "nightly"]', ["rc", "nightly"]),
        ('[\n  "rc",\n  "b"\n]', ["rc", "b"]),
        ("[45, 46]", ["45", "46"]),
        ("[wip]", ["[wip]"]),
        ("[wip], rc", ["[wip]", "rc"]),
        ('"null"', ["null"]),
        ("null, rc", ["null", "rc"]),
        ("-1, C#, a - b, it's, o'clock", ["-1", "C#", "a - b", "it's", "o'clock"]),
        ("rc, - a", ["rc", "- a"]),
        ('["- a", "b # c"]', ["- a", "b # c"]),
    ],
)
def test_an_item_is_what_was_written(text: str, items: list[str]) -> None:
    assert tags(text) == items


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Array", "tags is 'Array', which is not a list: convert the expression with toJSON or join."),
        ("Object", "tags is 'Object', which is not a list"),
        (" null ", "tags is 'null', which is not a list"),
        ("[object Object]", "tags is '[object Object]', which is not a list"),
        ('["a", "b"', "tags looks like a JSON array, but is not valid JSON"),
        ("['a', 'b']", "tags looks like a JSON array, but is not valid JSON"),
        ("a\u2028b", "tags contains a line break or a control character"),
        ("a\x0bb", "tags contains a line break or a control character"),
        ('["a" "b"]', "tags looks like a JSON array, but is not valid JSON"),
        ('["a", null]', "tags is a JSON array with an item that is not a string"),
        ("[true]", "tags is a JSON array with an item that is not a string"),
        ("[1.10]", "tags is a JSON array with an item that is not a string"),
        ('[["a"]]', "tags is a JSON array with an item that is not a string"),
        ('["a", " "]', "tags is a JSON array with an empty item"),
        ("[]", "tags contains no item"),
        ('"a\nb"', "tags contains an unclosed quote"),
        ("[blocked, wip]", "tags is a list in brackets without quotes"),
        ("[\n  blocked\n]", "tags is a list in brackets without quotes"),
        ("- blocked", "tags is a list with a dash before each item"),
        ("  - blocked\n\n  - wip\n", "tags is a list with a dash before each item"),
        ("* blocked", "tags is a list with a dash before each item"),
        ("'blocked'", "tags is in quotes that would be part of the names"),
        ("'blocked', 'wip'", "tags is in quotes that would be part of the names"),
        ("“blocked”", "tags is in quotes that would be part of the names"),
        ("blocked # by QA", "tags has ' # ', but there are no comments in a list"),
        ("wip\nblocked, # by QA", "tags has ' # ', but there are no comments in a list"),
    ],
)
def test_what_is_not_a_list_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(InputError) as told:
        tags(text)
    assert problem in str(told.value)


# --- Metadata -----------------------------------------------------------------------------------------


def test_metadata_has_no_comments_and_ends_lines_at_line_breaks_alone() -> None:
    with pytest.raises(InputError, match="metadata line 2 is '#4711', expected key=value"):
        metadata("a=b\n#4711")
    assert metadata("a=#1\nb=x\u2028y\x0bz") == {"a": "#1", "b": "x\u2028y\x0bz"}


def test_metadata_of_an_output_is_read_again() -> None:
    pairs = {"ticket": "APP-1", "notes": "a, b\n# c = d", "empty": ""}
    assert metadata(as_text(pairs)) == pairs


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1}', "metadata is a JSON object whose 'a' is not a string"),
        ('{"a": "x", "a": "y"}', "metadata sets a a second time"),
        ('{"a b": "x"}', "metadata has the key 'a b'"),
        ('{"a": "x"', "metadata starts like a JSON object, but is not valid JSON"),
        ("Object", "metadata is 'Object'"),
    ],
)
def test_what_is_not_metadata_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(InputError) as told:
        metadata(text)
    assert problem in str(told.value)


# --- Texts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Array", "Object", " null\n", "[object Object]"])
@pytest.mark.parametrize(
    "name", ["release_notes", "message", "to_folder", "copied_app_name", "feedback_block_pattern", "gate_reports"]
)
def test_what_an_expression_makes_of_no_text_is_an_error(name: str, text: str) -> None:
    texts = {**SIGNED_IN, **BUILD, "to_folder": "F", "groups": "QA", "max_feedbacks": "1"}
    with pytest.raises(InputError, match=f"{kebab(name)} is '.*': the expression that it is set from gives no text"):
        parse(promote.Inputs, {**texts, name: text})


@pytest.mark.parametrize("text", ['"QA"', "'QA'", '["QA"]', '{"a": "QA"}'])
@pytest.mark.parametrize("name", ["to_folder", "copied_app_name"])
def test_quotes_never_become_part_of_a_name(name: str, text: str) -> None:
    with pytest.raises(InputError, match=f"{kebab(name)} is .*, whose quotes would be part of it"):
        parse(promote.Inputs, {**SIGNED_IN, **BUILD, "to_folder": "F", name: text})
    assert parse(promote.Inputs, {**SIGNED_IN, **BUILD, "to_folder": "[RC] 5\" 'x'"}).to_folder == "[RC] 5\" 'x'"


@pytest.mark.parametrize("text", ["/", "//", " / / "])
def test_a_copy_needs_a_folder(text: str) -> None:
    with pytest.raises(InputError, match=r"^to-folder is .*, which names no folder"):
        parse(promote.Inputs, {**SIGNED_IN, **BUILD, "to_folder": text})


@pytest.mark.parametrize("text", ["$PATTERN", "${PATTERN}"])
def test_a_pattern_that_is_a_variable_matches_nothing(text: str) -> None:
    with pytest.raises(InputError, match=r"feedback-block-pattern is .* which matches nothing"):
        parse(promote.Inputs, {**SIGNED_IN, **BUILD, "tags": "a", "feedback_block_pattern": text})


# --- Choices ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("region", " eu-central-1\n", "eu-central-1"),
        ("region", "EU-CENTRAL-1", "eu-central-1"),
        ("landing_page_mode", "Open ", "open"),
        ("tags_mode", "\tadd", "add"),
        ("if_exists", "SKIP\n", "skip"),
        ("on_invalid_groups", " warn", "warn"),
        ("build_id", "LATEST", "latest"),
        ("build_id", " Latest\n", "latest"),
        ("baseline", "Previous", "previous"),
    ],
)
def test_a_choice_may_have_blanks_and_another_case(name: str, text: str, value: str) -> None:
    texts = {**SIGNED_IN, **BUILD, "to_folder": "F", "tags": "a", "max_crash_rate_increase": "1%", "baseline": "1"}
    assert getattr(parse(promote.Inputs, {**texts, name: text}), name) == value


# --- Given, but empty ---------------------------------------------------------------------------------

GATE = [
    name
    for name, field in gate.Inputs.model_fields.items()
    if name not in BuildInputs.model_fields and extra(field)["refuse_empty"]
]


def test_every_threshold_says_when_it_is_off() -> None:
    """A threshold is what is not set by default."""
    fields = {name: field for name, field in gate.Inputs.model_fields.items() if name not in BuildInputs.model_fields}
    assert {name for name, field in fields.items() if field.default is None} == {
        name for name, field in fields.items() if extra(field)["unset"] == "off"
    }
    assert set(GATE) == set(fields), "no input of the gate may be empty"


@pytest.mark.parametrize("empty", ["", " ", "\n", "\ufeff"])
@pytest.mark.parametrize("name", GATE)
def test_a_threshold_that_is_empty_is_an_error(name: str, empty: str) -> None:
    for options, environ in (
        ({name: empty}, {}),
        ({}, {input_variable(name): empty}),
        ({}, {variable(name): empty}),
    ):
        with pytest.raises(InputError, match=r"^\S+ is empty: the expression or variable that it is set from") as told:
            gather(promote.Inputs, options, environ)
        assert kebab(name) in str(told.value) or variable(name) in str(told.value)
        assert "write off" in str(told.value) or "omit it for the default" in str(told.value)


@pytest.mark.parametrize("name", BUILD_INPUTS)
@pytest.mark.parametrize("step", [step for step in STEPS if step != "check"])
def test_a_build_input_that_is_empty_is_an_error(step: str, name: str) -> None:
    left = {"APPDIST_BUILD_ID": "1", "APPDIST_PROJECT_ID": "2"}
    declared = load(step).Inputs
    with pytest.raises(InputError, match=f"^{kebab(name)} is empty: .* write inherit, or omit it"):
        gather(declared, {}, left | {input_variable(name): ""})
    with pytest.raises(InputError, match=f"^{kebab(name)} is empty"):
        gather(declared, {name: ""}, left)
    with pytest.raises(InputError, match=f"^{variable(name)} is empty"):
        gather(declared, {}, {key: text for key, text in left.items() if key != variable(name)} | {variable(name): ""})


@pytest.mark.parametrize("name", ["tags_mode", "if_exists", "allow_all_testers"])
def test_a_choice_whose_default_does_more_is_never_empty(name: str) -> None:
    """GitHub and GitLab hand over the default of what is not set, so that empty is an expression without a value."""
    with pytest.raises(InputError, match=f"^{kebab(name)} is empty: .* or omit it for the default, (replace|copy|inh)"):
        gather(promote.Inputs, {}, {input_variable(name): ""})


@pytest.mark.parametrize(
    "name", ["to_folder", "copy_groups", "copy_project_groups", "permission_groups", "landing_page_mode"]
)
def test_where_a_copy_goes_and_who_gets_it_is_never_empty(name: str) -> None:
    with pytest.raises(InputError, match=f"^{kebab(name)} is empty"):
        gather(promote.Inputs, {}, {input_variable(name): ""})


def test_off_and_inherit_are_not_set() -> None:
    left = {"APPDIST_BUILD_ID": "1", "APPDIST_PROJECT_ID": "2", "APPDIST_MAX_CRASHES": "3"}
    passed = {input_variable(name): "inherit" for name in BUILD_INPUTS} | {"APPDIST_INPUT_MAX_CRASHES": "off"}
    found = gather(promote.Inputs, {}, left | passed)
    assert found.texts == {"build_id": "1", "project_id": "2"}
    assert found.build_from == ["APPDIST_BUILD_ID", "APPDIST_PROJECT_ID"]
    assert gather(promote.Inputs, {"max_crashes": "Off"}, left).texts == {"build_id": "1", "project_id": "2"}
    assert gather(promote.Inputs, {}, left).texts["max_crashes"] == "3"


def test_several_empty_inputs_are_told_at_once() -> None:
    with pytest.raises(InputError) as told:
        gather(promote.Inputs, {}, {"APPDIST_INPUT_MAX_CRASHES": "", "APPDIST_INPUT_BUILD_URL": ""})
    assert [line.split()[0] for line in str(told.value).splitlines()] == ["build-url", "max-crashes"] or [
        line.split()[0] for line in str(told.value).splitlines()
    ] == ["max-crashes", "build-url"]


def test_an_explicit_build_sets_an_empty_variable_aside() -> None:
    found = gather(find.Inputs, {**BUILD}, {"APPDIST_BUILD_URL": ""})
    assert found.texts == BUILD
    assert found.build_from == []


# --- Which build, which host --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["platform", "package_name", "app_name"])
def test_what_an_inherited_build_must_be(name: str) -> None:
    left = {"APPDIST_BUILD_ID": "1", "APPDIST_PROJECT_ID": "2", "APPDIST_VERSION": "3"}
    found = gather(find.Inputs, {name: "x"}, left)
    assert found.texts == {name: "x", "build_id": "1", "project_id": "2"}
    assert found.build_from == ["APPDIST_BUILD_ID", "APPDIST_PROJECT_ID"]
    url = gather(find.Inputs, {name: "x"}, {"APPDIST_BUILD_URL": "/projects/2/builds/1"})
    assert url.texts == {name: "x", "build_url": "/projects/2/builds/1"}


def test_what_a_build_must_be_may_come_from_the_environment() -> None:
    """No earlier job leaves these: the user has set them."""
    left = {"APPDIST_BUILD_ID": "1", "APPDIST_PROJECT_ID": "2", "APPDIST_VERSION": "3", "APPDIST_PLATFORM": "iOS"}
    found = gather(find.Inputs, {}, left)
    assert found.texts == {"build_id": "1", "project_id": "2", "platform": "iOS"}
    assert found.ignored == ["APPDIST_VERSION"]


@pytest.mark.parametrize(
    "left",
    [
        {"APPDIST_BUILD_ID": "1", "APPDIST_PROJECT_ID": "2", "APPDIST_BUILD_URL": "/projects/2-a/builds/3"},
        {"APPDIST_BUILD_ID": "1", "APPDIST_PROJECT_ID": "2", "APPDIST_BUILD_URL": "/projects/4/builds/1"},
        {"APPDIST_BUILD_ID": "1", "APPDIST_BUILD_URL": "/projects/2/builds/3"},
        {"APPDIST_PROJECT_ID": "2", "APPDIST_BUILD_URL": "/projects/4/builds/3"},
    ],
)
def test_an_environment_that_names_two_builds_is_refused(left: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"^The environment names two builds: APPDIST_BUILD_URL is "):
        gather(promote.Inputs, {}, left)
    assert gather(promote.Inputs, BUILD, left).texts == BUILD


def test_the_url_of_a_build_reads_every_id_that_an_input_may_have() -> None:
    found = parse(find.Inputs, {**SIGNED_IN, "build_url": "https://mobile.saucelabs.com/projects/p-1/builds/b-2_c"})
    assert found.reference().build_id == "b-2_c"


def test_a_search_is_no_assertion() -> None:
    left = {"APPDIST_BUILD_ID": "1", "APPDIST_PROJECT_ID": "2"}
    for search in ({"platform": "x", "version": "1"}, {"package_name": "x", "build_id": "latest"}):
        found = gather(find.Inputs, search, left)
        assert found.texts == search
        assert found.ignored
    searched = gather(find.Inputs, {"platform": "x"}, {"APPDIST_PACKAGE_NAME": "y"})
    assert searched.texts == {"platform": "x"}
    assert searched.ignored == ["APPDIST_PACKAGE_NAME"]


def test_an_explicit_region_beats_a_base_url_of_the_environment() -> None:
    left = {"APPDIST_BASE_URL": "https://acme.example"}
    for passed in ({"APPDIST_INPUT_REGION": "eu-central-1"}, {"APPDIST_INPUT_REGION": "us-east-1"}):
        found = gather(find.Inputs, {}, left | passed)
        assert "base_url" not in found.texts
        assert found.ignored == ["APPDIST_BASE_URL"]
    both = gather(find.Inputs, {"region": "legacy", "base_url": "https://b.example"}, left)
    assert both.texts["base_url"] == "https://b.example"


# --- Variables in free text ---------------------------------------------------------------------------


def test_a_variable_that_gitlab_does_not_expand_is_told() -> None:
    environ = {"CI_COMMIT_SHA": "abc", "CI_JOB_ID": "1"}
    texts = {
        "APPDIST_INPUT_RELEASE_NOTES": "Build $CI_COMMIT_SHA of ${CI_JOB_ID}, costs $5",
        "APPDIST_INPUT_METADATA": "a=$X",
    }
    found = gather(annotate.Inputs, {}, environ | texts, literal_variables=True)
    assert found.texts["release_notes"] == texts["APPDIST_INPUT_RELEASE_NOTES"]
    [warning] = found.warnings
    assert warning.startswith("release-notes contains $CI_COMMIT_SHA, $CI_JOB_ID, which GitLab does not expand")
    assert "abc" not in warning
    assert gather(annotate.Inputs, {}, texts).warnings == []


def test_a_variable_that_nothing_expands_is_told() -> None:
    environ = {"GITHUB_SHA": "abc", "APPDIST_INPUT_TAGS": "rc-$GITHUB_SHA", "APPDIST_INPUT_API_KEY": "x$GITHUB_SHA"}
    [warning] = gather(annotate.Inputs, {}, environ).warnings
    assert warning.startswith("tags contains $GITHUB_SHA, which nothing expands: it is used as it is written.")
    [warning] = gather(annotate.Inputs, {"release_notes": "${GITHUB_SHA}"}, {"GITHUB_SHA": "abc"}).warnings
    assert warning.startswith("release-notes contains $GITHUB_SHA, ")


def test_a_byte_order_mark_is_no_part_of_a_text() -> None:
    found = gather(annotate.Inputs, {"release_notes": "\ufeffNotes"}, {"APPDIST_INPUT_METADATA": "\ufeffa=b"})
    assert found.texts == {"release_notes": "Notes", "metadata": "a=b"}


# --- What is read, written and read again is the same -------------------------------------------------

_ITEM = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).map(str.strip).filter(bool)
_KEY = st.text("abcXYZ019_.-", min_size=1)
_VALUE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).filter(
    lambda text: not text or bool(text.strip())
)


@given(st.lists(_ITEM, min_size=1, unique=True))
def test_a_list_is_read_back_as_the_same_list(items: list[str]) -> None:
    try:
        read = parse(promote.Inputs, {**SIGNED_IN, **BUILD, "groups": as_text(items)}).groups
    except InputError as error:  # a control character that no list may have: told, and not dropped
        assert "contains a line break or a control character" in str(error)  # noqa: PT017
        return
    assert read == items
    assert parse(promote.Inputs, {**SIGNED_IN, **BUILD, "groups": as_text(read)}).groups == read


@pytest.mark.parametrize("items", [["- a"], ["* a", "b"], ["'a'"], ["'a'", "'b'"], ["a # b"], ["“a”"], ["[a", "b]"]])
def test_names_that_look_like_another_list_are_read_back(items: list[str]) -> None:
    assert tags(as_text(items)) == items


@given(st.dictionaries(_KEY, _VALUE, min_size=1))
def test_metadata_is_read_back_as_the_same_metadata(pairs: dict[str, str]) -> None:
    assert metadata(as_text(pairs)) == pairs


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_nothing_of_a_list_is_lost(text: str) -> None:
    """Every letter and sign of the text is in an item, but for separators, quotes and white space."""
    try:
        items = parse(promote.Inputs, {**SIGNED_IN, **BUILD, "groups": text}).groups or []
    except InputError:
        return

    def signs(some: str) -> set[str]:
        return {sign for sign in some if not sign.isspace() and sign not in ',"[]\\'}

    assert signs(text) == signs("".join(items))
