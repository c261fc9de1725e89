"""From options, passed inputs and the environment to checked inputs: which source wins."""

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
    """Every secret that the environment has for these inputs, used or not."""
    names = [name for name, field in inputs.model_fields.items() if is_secret(field)]
    texts = [environ.get(spelled(name), "") for name in names for spelled in (input_variable, variable)]
    return [text for text in dict.fromkeys(texts) if text]


_RIVALS = {"build": "build", "basic": "oidc", "oidc": "basic"}


class Given(NamedTuple):
    """The text of every input that is given, and the variables that were left aside for what was."""

    texts: dict[str, str]
    ignored: list[str]


def gather(
    inputs: type[StepInputs],
    options: Mapping[str, str],
    environ: Mapping[str, str],
    *,
    literal_variables: bool = False,
) -> Given:
    """Every input that is given: by option, else as an input, else by the environment.

    With `literal_variables` a free text that is a lone `$NAME` is the value of that variable.

    Where an action or a template hands inputs over, only those that say which build and how to connect
    fall back to the environment. What an earlier job left never mixes with what this step is told:
    the build falls back as a whole or not at all, and so does each way to sign in where the other is given.
    Raises InputError for a variable that free text names and that is not there, or is a secret.
    """
    fields = inputs.model_fields
    explicit = {
        name: options.get(name) or _handed_over(name, fields[name], environ, literal_variables=literal_variables)
        for name in fields
    }
    explicit = {name: text for name, text in explicit.items() if text}
    chosen = [name for name, text in explicit.items() if text != input_default(fields[name])]
    aside = {_RIVALS[group] for name in chosen if (group := extra(fields[name])["group"])}
    company = inheritable([kebab(name) for name in chosen])
    inherited: dict[str, str] = {}
    ignored: list[str] = []
    for name, field in fields.items():
        text = environ.get(variable(name), "")
        own = name not in BuildInputs.model_fields and input_variable(name) in environ
        if name in explicit or not text or own:
            continue
        foreign = extra(field)["group"] == "oidc" and kebab(name) not in company
        if extra(field)["group"] in aside or foreign:
            ignored.append(variable(name))
        else:
            inherited[name] = text
    enough = _one_build(inherited)
    ignored += [variable(name) for name in inherited if name not in enough]
    return Given({**enough, **explicit}, ignored)


def _one_build(texts: dict[str, str]) -> dict[str, str]:
    """An earlier job leaves its build in several ways at once; the shortest is enough."""
    if {"build_id", "project_id"} <= texts.keys() and texts["build_id"] != "latest":
        enough = {"build_id", "project_id"}
    elif "build_url" in texts:
        enough = {"build_url"}
    else:
        return texts
    group = {name for name, field in BuildInputs.model_fields.items() if extra(field)["group"] == "build"}
    return {name: text for name, text in texts.items() if name in enough or name not in group}


def _handed_over(name: str, field: FieldInfo, environ: Mapping[str, str], *, literal_variables: bool) -> str:
    """An input as an action or a template gives it.

    Our GitLab templates do not expand free text, so a lone `$CI_COMMIT_MESSAGE` is looked up here, once:
    whatever that message says stays text.
    """
    text = environ.get(input_variable(name), "")
    found = re.fullmatch(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", text.strip(), re.ASCII)
    if not found or not extra(field)["multiline"] or not literal_variables:
        return text
    wanted = found[1] or found[2]
    if re.search(r"(TOKEN|KEY|PASSWORD|SECRET|JWT)(_V\d+)?$", wanted, re.IGNORECASE):
        raise InputError(f"{kebab(name)} is the variable {wanted}, which looks like a credential: give a text.")
    if wanted not in environ:
        raise InputError(f"{kebab(name)} is the variable {wanted}, which does not exist in this job: give a text.")
    return environ[wanted]


def parse(
    inputs: type[InputsT], texts: Mapping[str, str], holds_secret: Callable[[str], bool] = lambda _: False
) -> InputsT:
    """The validated inputs. Raises InputError, which names every wrong input and shows no secret.

    A secret that stands where it does not belong would be published, or shown in parts by a message.
    """
    for name, text in texts.items():
        if not is_secret(inputs.model_fields[name]) and holds_secret(text):
            raise InputError(f"{kebab(name)} has one of the credentials in it: take it out.")
    problems: list[str] = []
    try:
        return inputs.model_validate(texts)
    except ValidationError as error:
        problems += [_problem(inputs, texts, one) for one in error.errors(include_input=False, include_url=False)]
    # Outside: the error of pydantic has the values, and would be this one's context.
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
