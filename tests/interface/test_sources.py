"""Which source of an input wins: the option, the input, or the environment."""

from __future__ import annotations

import pytest

from harness import API_KEY, BUILD, Run
from interface.support import INPUT
from sauce_appdist.errors import InputError
from sauce_appdist.interface.environment import gather
from sauce_appdist.steps import annotate, find, tag


def test_an_input_beats_the_environment_and_empty_is_not_given() -> None:
    environ = {
        "APPDIST_REGION": "legacy",
        "APPDIST_INPUT_REGION": "eu-central-1",
        "APPDIST_INPUT_TIMEOUT": "",
        "APPDIST_TIMEOUT": "9s",
    }
    assert gather(find.Inputs, {}, environ).texts == {"region": "eu-central-1", "timeout": "9s"}
    assert gather(find.Inputs, {"region": "us-east-1"}, environ).texts["region"] == "us-east-1"


def test_what_an_earlier_job_left_does_not_mix_with_an_explicit_build_or_sign_in() -> None:
    inherited = {"APPDIST_BUILD_ID": "1", "APPDIST_PROJECT_ID": "2", "APPDIST_EMAIL": "e@x.org", "APPDIST_API_KEY": "k"}
    sources = gather(find.Inputs, {}, inherited | {"APPDIST_INPUT_BUILD_URL": "/projects/3/builds/4"})
    assert sources.texts == {"build_url": "/projects/3/builds/4", "email": "e@x.org", "api_key": "k"}
    assert sources.ignored == ["APPDIST_BUILD_ID", "APPDIST_PROJECT_ID"]
    given = gather(find.Inputs, {}, inherited | {"APPDIST_INPUT_OIDC_TOKEN": "t", "APPDIST_INPUT_OIDC_CONFIG_KEY": "c"})
    assert given.texts == {"build_id": "1", "project_id": "2", "oidc_token": "t", "oidc_config_key": "c"}


def test_an_email_that_is_given_goes_with_the_key_of_the_environment() -> None:
    given = gather(find.Inputs, {"email": "me@x.org"}, {"APPDIST_EMAIL": "you@x.org", "APPDIST_API_KEY": "k"})
    assert given.texts == {"email": "me@x.org", "api_key": "k"}


def test_an_earlier_job_that_tells_its_build_in_several_ways_is_one_way() -> None:
    dotenv = {"APPDIST_BUILD_ID": "1", "APPDIST_PROJECT_ID": "2", "APPDIST_VERSION_CODE": "7"}
    url = {"APPDIST_BUILD_URL": "/projects/2-a/builds/1"}
    assert gather(find.Inputs, {}, dotenv | url).texts == {"build_id": "1", "project_id": "2"}
    assert gather(find.Inputs, {}, url | {"APPDIST_VERSION_CODE": "7"}).texts == {"build_url": "/projects/2-a/builds/1"}
    newest = {"APPDIST_BUILD_ID": "latest", "APPDIST_PROJECT_ID": "2", "APPDIST_VERSION": "7"}
    assert gather(find.Inputs, {}, newest).texts == {"build_id": "latest", "project_id": "2", "version": "7"}


def test_what_an_action_hands_over_empty_does_not_come_from_elsewhere() -> None:
    elsewhere = {"APPDIST_TAGS": "leak", "APPDIST_REGION": "legacy", "APPDIST_BUILD_URL": "/projects/3/builds/4"}
    empty = {"APPDIST_INPUT_TAGS": "", "APPDIST_INPUT_REGION": "", "APPDIST_INPUT_BUILD_URL": "inherit"}
    assert "tags" not in gather(tag.Inputs, {}, elsewhere | empty).texts
    assert gather(tag.Inputs, {}, elsewhere).texts["tags"] == "leak"  # a shell: everything is in the environment
    assert gather(tag.Inputs, {}, elsewhere | empty).texts["region"] == "legacy"


def test_an_error_names_the_variables_that_were_ignored(run: Run) -> None:
    done = run("find", "--platform", "Android", env={"APPDIST_PACKAGE_NAME": "com.northwind.travel"})
    assert done.code == INPUT
    assert "(Ignored in favour of the inputs that are set here: APPDIST_PACKAGE_NAME.)" in done.log


def test_a_misspelt_variable_is_told(run: Run) -> None:
    """Not read, a threshold that the user has set would not be judged."""
    environ = {"APPDIST_MAX_CRASH": "0", "APPDIST_VERDICT": "passed", "APPDIST_ID_TOKEN": "x", "APPDIST_MIN_AGE": "1h"}
    done = run("gate", env=environ, max_crashes="1000", **BUILD)
    assert "No step reads APPDIST_MAX_CRASH (did you mean 'APPDIST_MAX_CRASHES'?).\n" in done.log
    assert "No step reads" not in run("find", env={"APPDIST_MAX_CRASHES": "0"}, **BUILD).log


LITERAL = {"literal_variables": True}  # as our GitLab templates pass free text


def test_on_gitlab_free_text_that_is_one_variable_is_looked_up_once() -> None:
    environ = {"CI_COMMIT_MESSAGE": "$APPDIST_API_KEY", "APPDIST_INPUT_RELEASE_NOTES": "$CI_COMMIT_MESSAGE"}
    assert gather(annotate.Inputs, {}, environ, **LITERAL).texts == {"release_notes": "$APPDIST_API_KEY"}
    assert gather(annotate.Inputs, {}, environ).texts == {"release_notes": "$CI_COMMIT_MESSAGE"}
    for text in ("costs $5 and ${HOME}", "$5", "$100", "$"):
        assert gather(annotate.Inputs, {}, {"APPDIST_INPUT_RELEASE_NOTES": text}, **LITERAL).texts == {
            "release_notes": text
        }


def test_a_commit_message_cannot_name_a_secret() -> None:
    """What the shell or GitLab has expanded already is text, whatever it looks like."""
    message, key = "$APPDIST_API_KEY", {"APPDIST_API_KEY": API_KEY}
    for layer in ({"APPDIST_RELEASE_NOTES": message}, {}):
        given = gather(annotate.Inputs, {} if layer else {"release_notes": message}, key | layer, **LITERAL)
        assert given.texts["release_notes"] == message
    for name in ("APPDIST_API_KEY", "CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD", "CI_JOB_JWT_V2"):
        with pytest.raises(InputError, match=f"is the variable {name}, which looks like a credential"):
            gather(annotate.Inputs, {}, key | {name: "x", "APPDIST_INPUT_RELEASE_NOTES": f"${{{name}}}"}, **LITERAL)
    with pytest.raises(InputError, match="release-notes is the variable TYPO, which does not exist"):
        gather(annotate.Inputs, {}, {"APPDIST_INPUT_RELEASE_NOTES": "$TYPO"}, **LITERAL)
