"""Answers as JSON: written otherwise, compared, and the models that the client makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

# What is in these depends on what happened.
_FREE = {"metadata", "identity", "eventData", "actionData"}


def with_ids(answer: Any, kind: type[str | int]) -> Any:
    """The answer with every id written as a string, or as a number where it is one."""
    if isinstance(answer, list):
        return [with_ids(one, kind) for one in answer]
    if not isinstance(answer, dict):
        return answer
    changed = {}
    for name, value in answer.items():
        if _is_id(name) and str(value).isdecimal():
            changed[name] = kind(value)
        else:
            changed[name] = value if name in _FREE else with_ids(value, kind)
    return changed


def with_news(answer: Any) -> Any:
    """The answer with one more field in each of its objects."""
    if isinstance(answer, list):
        return [with_news(one) for one in answer]
    if isinstance(answer, dict):
        return {name: with_news(value) for name, value in answer.items()} | {"brandNew": [1]}
    return answer


def models_in(result: Any) -> Iterator[BaseModel]:
    """Every model in what a method of the client returns, however deep."""
    if isinstance(result, BaseModel):
        yield result
        result = list(vars(result).values())
    for part in result if isinstance(result, list) else ():
        yield from models_in(part)


def differences(sample: Any, answer: Any, place: str) -> Iterator[str]:
    """Where an answer lacks what a sample has, or has it in another JSON type. Ids may be numbers or strings."""
    if isinstance(sample, dict) and isinstance(answer, dict):
        for name, value in sample.items():
            yield from _in_field(name, value, answer, f"{place}.{name}")
    elif isinstance(sample, list) and isinstance(answer, list):
        yield from _in_list(sample, answer, place)
    elif answer is None and sample is not None:
        yield f"{place} is null"
    elif type(sample) is not type(answer):
        yield f"{place} is {answer!r}, not like {sample!r}"


def _is_id(name: str) -> bool:
    return name == "id" or name.endswith(("Id", "_id"))


def _in_field(name: str, value: Any, answer: dict[str, Any], place: str) -> Iterator[str]:
    if name not in answer:
        yield f"{place} is missing"
    elif name in _FREE:
        if not isinstance(answer[name], dict):
            yield f"{place} is no object"
    elif not (_is_id(name) and type(answer[name]) in {int, str}):
        yield from differences(value, answer[name], place)


def _in_list(sample: list[Any], answer: list[Any], place: str) -> Iterator[str]:
    if not sample:
        return
    if not answer:
        yield f"{place} is empty"
    found = [list(differences(sample[0], one, f"{place}[]")) for one in answer]
    # One that is whole will do: others may have nothing yet, like a tester who never came.
    whole = [] in found
    yield from (one for each in found for one in each if not (whole and one.endswith(("is empty", "is null"))))
