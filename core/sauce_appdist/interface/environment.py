"""Validated inputs from options, passed inputs and the environment, and which of these takes precedence."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pydantic import ValidationError

from sauce_appdist.auth.methods import inheritable
from sauce_appdist.errors import InputError
from sauce_appdist.interface import input_variable, kebab, variable
from sauce_appdist.interface.inputs import (
    BuildInputs,
    StepInputs,
    choices,
    extra,
    input_default,
    is_secret,
    parts_of_build_url,
)
from sauce_appdist.models import spellings
from sauce_appdist.text import did_you_mean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic.fields import FieldInfo

InputsT = TypeVar("InputsT", bound=StepInputs)


def secrets_in(inputs: type[StepInputs], environ: Mapping[str, str]) -> dict[str, str]:
    """Every secret that the environment holds for these inputs by its variable, whether or not it is used."""
    secrets = [name for name, field in inputs.model_fields.items() if is_secret(field)]
    names = [spelled(name) for name in secrets for spelled in (input_variable, variable)]
    return {name: environ[name] for name in names if environ.get(name, "").strip()}


# An input that is set keeps the inputs of this group from falling back to the environment.
_EXCLUDED_BY = {"build": "build", "basic": "oidc", "oidc": "basic"}
# Set together with a build of the environment, these are what it must be; without one, they search.
_ASSERTIONS = {"platform", "package_name", "app_name"}
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)


class InputTexts(NamedTuple):
    """The text of every input that is set, and where it comes from.

    `ignored` are variables that were set aside in favour of explicit inputs, `build_from` those that say which build.
    `warnings` are for the user.
    """

    texts: dict[str, str]
    ignored: list[str]
    build_from: list[str]
    warnings: list[str]


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
    Raises InputError for an input that must not be empty and is, and for a free text that names a variable which does
    not exist or looks like a credential.
    """
    fields = inputs.model_fields
    passed = {name: environ[input_variable(name)] for name in fields if input_variable(name) in environ}
    given = {name: _without_bom(text) for name, text in {**passed, **options}.items()}
    problems = [_empty(kebab(name), fields[name]) for name, text in given.items() if _is_refused(fields[name], text)]
    unset = {name: extra(fields[name])["unset"] for name, text in given.items() if _is_unset(fields[name], text)}
    explicit = {name: text for name, text in given.items() if text and name not in unset}
    warnings: list[str] = []
    for name, text in explicit.items():
        if literal_variables and name not in options and extra(fields[name])["multiline"]:
            explicit[name] = _looked_up(kebab(name), text, environ, warnings)
        elif not is_secret(fields[name]) and (found := _variables_in(text, environ)):
            warnings.append(
                f"{kebab(name)} contains {', '.join(found)}, which nothing expands: it is used as it is written. On "
                "GitHub, write an expression such as ${{ github.sha }} or ${{ env.NAME }} instead."
            )

    inherited: dict[str, str] = {}
    ignored: list[str] = []
    excludes = _excludes(explicit, fields, environ)
    for name, field in fields.items():
        text = _without_bom(environ.get(variable(name), ""))
        only_passed = name not in BuildInputs.model_fields and name in passed
        if name in explicit or only_passed or unset.get(name) == "off" or variable(name) not in environ:
            continue
        if excludes(name):
            ignored += [variable(name)] if text else []
        elif _is_refused(field, text):
            problems.append(_empty(variable(name), field))
        elif text and not _is_unset(field, text):
            inherited[name] = text
    if problems:
        raise InputError("\n".join(problems))
    needed = _one_reference(inherited)
    ignored += [variable(name) for name in inherited if name not in needed]
    build_from = [variable(name) for name in needed if extra(fields[name])["group"] == "build"]
    return InputTexts({**needed, **explicit}, ignored, build_from, warnings)


def _excludes(
    explicit: Mapping[str, str], fields: Mapping[str, FieldInfo], environ: Mapping[str, str]
) -> Callable[[str], bool]:
    """Whether an input must not fall back to the environment, because explicit inputs say something else."""
    chosen = [name for name, text in explicit.items() if text != input_default(fields[name])]
    groups = {_EXCLUDED_BY.get(extra(fields[name])["group"]) for name in chosen}
    build = {name for name in chosen if extra(fields[name])["group"] == "build"}
    if build <= _ASSERTIONS and _has_reference(environ):
        groups.discard("build")
    completing = inheritable([kebab(name) for name in chosen])

    def excluded(name: str) -> bool:
        group = extra(fields[name])["group"]
        other_host = name == "base_url" and "region" in explicit
        return group in groups or other_host or (group == "oidc" and kebab(name) not in completing)

    return excluded


def _has_reference(environ: Mapping[str, str]) -> bool:
    """Whether the environment names one build, rather than a search for it."""
    build_id = environ.get(variable("build_id"), "").strip().casefold()
    by_ids = build_id not in {"", "latest"} and bool(environ.get(variable("project_id")))
    return by_ids or bool(environ.get(variable("build_url")))


def _one_reference(texts: dict[str, str]) -> dict[str, str]:
    """The texts with a single reference to the build, if they name one: an earlier job leaves several of it.

    What the build must be stays. Raises InputError for references to different builds.
    """
    ids = texts.get("project_id"), texts.get("build_id")
    latest = (ids[1] or "").strip().casefold() == "latest"
    if all(ids) and not latest:
        reference = {"build_id", "project_id"}
    elif "build_url" in texts:
        reference = {"build_url"}
    else:
        return texts
    if "build_url" in texts:
        _check_same_build(texts["build_url"], ids[0], None if latest else ids[1])
    needed = reference | _ASSERTIONS
    group = {name for name, field in BuildInputs.model_fields.items() if extra(field)["group"] == "build"}
    return {name: text for name, text in texts.items() if name in needed or name not in group}


def _check_same_build(url: str, project_id: str | None, build_id: str | None) -> None:
    """Raise InputError if the variables of an environment name different builds."""
    try:
        named = parts_of_build_url(url)
    except ValueError as error:
        raise InputError(f"{variable('build_url')} {error}.") from None
    same_project = project_id is None or not set(spellings(project_id.strip())).isdisjoint(named.project_ids)
    if not same_project or (build_id or named.build_id).strip() != named.build_id:
        raise InputError(
            f"The environment names two builds: {variable('build_url')} is {one_line(url, 100)!r}, but "
            f"{variable('project_id')} is {one_line(project_id or '', 60)!r} and {variable('build_id')} is "
            f"{one_line(build_id or '', 60)!r}. Jobs before this one may each have left one. Set the inputs of the "
            "build that you mean."
        )


def _without_bom(text: str) -> str:
    """A text without the mark that some editors put before it."""
    return text.removeprefix("\ufeff")


def _is_unset(field: FieldInfo, text: str) -> bool:
    word = extra(field).get("unset")
    return bool(word) and text.strip().casefold() == word


def _is_refused(field: FieldInfo, text: str) -> bool:
    return bool(extra(field).get("refuse_empty")) and not text.strip()


def _empty(name: str, field: FieldInfo) -> str:
    """What an input is told that must not be empty."""
    kept = "if it may come from the environment" if extra(field)["group"] == "build" else "to keep what is there"
    remedy = {
        "off": "write off if that is meant",
        "inherit": f"write inherit, or omit it, {kept}",
        "": f"omit it for the default, {input_default(field)}",
    }[extra(field)["unset"]]
    return f"{name} is empty: the expression or variable that it is set from has no value. Set a value, or {remedy}."


def _variables_in(text: str, environ: Mapping[str, str]) -> list[str]:
    """The variables of the environment whose `$NAME` is in a text."""
    names = [one or other for one, other in _VARIABLE.findall(text)]
    return [f"${name}" for name in dict.fromkeys(names) if name in environ]


def _looked_up(name: str, text: str, environ: Mapping[str, str], warnings: list[str]) -> str:
    """A free text, or the value of the one variable that it is.

    Our GitLab templates do not expand variables in free text. A text that is only `$CI_COMMIT_MESSAGE` is
    therefore looked up here, once: a `$` in that message is not expanded.
    """
    found = _VARIABLE.fullmatch(text.strip())
    if not found:
        if known := _variables_in(text, environ):
            warnings.append(
                f"{name} contains {', '.join(known)}, which GitLab does not expand in this input: readers see the "
                f"name and not the value. Put the whole text into a variable of the job, and set {name} to that "
                f"variable alone."
            )
        return text
    wanted = found[1] or found[2]
    if re.search(r"(TOKEN|KEY|PASSWORD|SECRET|JWT)(_V\d+)?$", wanted, re.IGNORECASE):
        raise InputError(f"{name} is the variable {wanted}, which looks like a credential. Set a text.")
    if wanted not in environ:
        raise InputError(f"{name} is the variable {wanted}, which does not exist in this job. Set a text instead.")
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
        if _is_path_of_a_file(text) and (is_secret(inputs.model_fields[name]) or name in _TEXTS):
            raise InputError(_path_instead(kebab(name), f"{name}_file" in inputs.model_fields))
    problems: list[str] = []
    try:
        return inputs.model_validate(texts)
    except ValidationError as error:
        problems += [_problem(inputs, texts, one) for one in error.errors(include_input=False, include_url=False)]
    # Outside of `except`: pydantic's error holds the values, and would become the context of this error.
    raise InputError("\n".join(dict.fromkeys(problems)))


_TEXTS = {"email", "release_notes", "message", "metadata"}  # none of them is ever a path


def _is_path_of_a_file(text: str) -> bool:
    """Whether a text is what GitLab makes of a CI/CD variable of type File."""
    return os.path.isabs(text.strip()) and os.path.isfile(text.strip())  # noqa: PTH113, PTH117 - a text may be too long


def _path_instead(name: str, has_file_input: bool) -> str:
    other = f" Or set {name}-file to the path." if has_file_input else ""
    return (
        f"{name} is the path of a file, and not its content. If it comes from a CI/CD variable of GitLab, change the "
        f"variable's type from File to Variable.{other}"
    )


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
