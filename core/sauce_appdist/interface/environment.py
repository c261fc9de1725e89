"""Validated inputs from options, passed inputs and the environment, and which of these takes precedence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pydantic import ValidationError

from sauce_appdist.auth.methods import inheritable
from sauce_appdist.errors import InputError
from sauce_appdist.interface import input_variable, kebab, variable
from sauce_appdist.interface.inputs import BuildInputs, StepInputs, choices, extra, input_default, is_secret
from sauce_appdist.text import did_you_mean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic.fields import FieldInfo

InputsT = TypeVar("InputsT", bound=StepInputs)


def secrets_in(inputs: type[StepInputs], environ: Mapping[str, str]) -> list[str]:
    """Every secret that the environment holds for these inputs, whether or not it is used."""
    names = [name for name, field in inputs.model_fields.items() if is_secret(field)]
    texts = [environ.get(spelled(name), "") for name in names for spelled in (input_variable, variable)]
    return [text for text in dict.fromkeys(texts) if text]


# An input that is set keeps the inputs of this group from falling back to the environment.
_EXCLUDED_BY = {"build": "build", "basic": "oidc", "oidc": "basic"}


class InputTexts(NamedTuple):
    """The text of every input that is set, and the variables that were ignored in favour of explicit inputs."""

    texts: dict[str, str]
    ignored: list[str]


def gather(
    inputs: type[StepInputs],
    options: Mapping[str, str],
    environ: Mapping[str, str],
    *,
    literal_variables: bool = False,
) -> InputTexts:
    """Every input that is set: by an option, else as a passed input, else in the environment.

    With `literal_variables`, a free text that is only `$NAME` is replaced by the value of that variable.

    If an action or a template passes inputs, only those of the build and the connection fall back to the
    environment. Explicit inputs never mix with variables of an earlier job: the build falls back as a whole or
    not at all, and a sign-in method never falls back if the inputs set another one.
    Raises InputError if a free text names a variable that does not exist or looks like a credential.
    """
    fields = inputs.model_fields
    explicit = {
        name: options.get(name) or _passed_input(name, fields[name], environ, literal_variables=literal_variables)
        for name in fields
    }
    explicit = {name: text for name, text in explicit.items() if text}
    chosen = [name for name, text in explicit.items() if text != input_default(fields[name])]
    excluded = {_EXCLUDED_BY[group] for name in chosen if (group := extra(fields[name])["group"])}
    completing = inheritable([kebab(name) for name in chosen])
    inherited: dict[str, str] = {}
    ignored: list[str] = []
    for name, field in fields.items():
        text = environ.get(variable(name), "")
        passed_empty = name not in BuildInputs.model_fields and input_variable(name) in environ
        if name in explicit or not text or passed_empty:
            continue
        group = extra(field)["group"]
        if group in excluded or (group == "oidc" and kebab(name) not in completing):
            ignored.append(variable(name))
        else:
            inherited[name] = text
    needed = _one_reference(inherited)
    ignored += [variable(name) for name in inherited if name not in needed]
    return InputTexts({**needed, **explicit}, ignored)


def _one_reference(texts: dict[str, str]) -> dict[str, str]:
    """The texts with a single reference to the build: an earlier job leaves several of the same build."""
    if {"build_id", "project_id"} <= texts.keys() and texts["build_id"] != "latest":
        reference = {"build_id", "project_id"}
    elif "build_url" in texts:
        reference = {"build_url"}
    else:
        return texts
    group = {name for name, field in BuildInputs.model_fields.items() if extra(field)["group"] == "build"}
    return {name: text for name, text in texts.items() if name in reference or name not in group}


def _passed_input(name: str, field: FieldInfo, environ: Mapping[str, str], *, literal_variables: bool) -> str:
    """An input as an action or a template passes it; empty if it is not set.

    Our GitLab templates do not expand variables in free text. A text that is only `$CI_COMMIT_MESSAGE` is
    therefore looked up here, once: a `$` in that message is not expanded.
    """
    text = environ.get(input_variable(name), "")
    found = re.fullmatch(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", text.strip(), re.ASCII)
    if not found or not extra(field)["multiline"] or not literal_variables:
        return text
    wanted = found[1] or found[2]
    if re.search(r"(TOKEN|KEY|PASSWORD|SECRET|JWT)(_V\d+)?$", wanted, re.IGNORECASE):
        raise InputError(f"{kebab(name)} is the variable {wanted}, which looks like a credential. Set a text.")
    if wanted not in environ:
        raise InputError(
            f"{kebab(name)} is the variable {wanted}, which does not exist in this job. Set a text instead."
        )
    return environ[wanted]


def parse(
    inputs: type[InputsT], texts: Mapping[str, str], holds_secret: Callable[[str], bool] = lambda _: False
) -> InputsT:
    """The validated inputs. Raises InputError, which names every wrong input and shows no secret.

    A credential in an input that is not secret is an error: the step could publish it, or a message could show a
    part of it.
    """
    for name, text in texts.items():
        if not is_secret(inputs.model_fields[name]) and holds_secret(text):
            raise InputError(f"{kebab(name)} contains a credential. Remove it.")
    problems: list[str] = []
    try:
        return inputs.model_validate(texts)
    except ValidationError as error:
        problems += [_problem(inputs, texts, one) for one in error.errors(include_input=False, include_url=False)]
    # Outside of `except`: pydantic's error holds the values, and would become the context of this error.
    raise InputError("\n".join(dict.fromkeys(problems)))


def _problem(inputs: type[StepInputs], texts: Mapping[str, str], problem: Any) -> str:
    if not problem["loc"]:
        return f"{problem['ctx']['error']}."
    name = str(problem["loc"][0])
    field = inputs.model_fields[name]
    if problem["type"] == "missing":
        return f"{kebab(name)} is required: {field.description}"
    if "error" in problem.get("ctx", {}):
        return f"{kebab(name)} {problem['ctx']['error']}."
    value = "not readable" if is_secret(field) else repr(one_line(str(texts[name]), 60))
    if known := choices(field):
        return f"{kebab(name)} is {value}, expected one of {', '.join(known)}{_suggestion(name, texts[name], known)}."
    if problem["type"].startswith("int"):
        return f"{kebab(name)} is {value}, expected a whole number."
    return f"{kebab(name)} is {value}: {problem['msg']}."


def _suggestion(name: str, value: str, known: tuple[str, ...]) -> str:
    if name == "region" and value.startswith("us-"):
        return "; other Sauce Labs products have other regions, in the US this one has us-east-1 and legacy"
    return did_you_mean(value, known)
