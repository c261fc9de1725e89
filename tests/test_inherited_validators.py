"""Pydantic collects validators by attribute name: a class that reuses an inherited name hides the inherited check."""

from __future__ import annotations

from typing import Any, Self

import pytest
from pydantic import BaseModel, field_validator, model_validator

from sauce_appdist.steps import STEPS, load

KINDS = ("validators", "field_validators", "root_validators", "model_validators")


def validators(model: Any) -> set[str]:
    """The attribute names of a model's validators, inherited ones too."""
    return {name for kind in KINDS for name in getattr(model.__pydantic_decorators__, kind)}


def hidden(model: type[BaseModel]) -> list[str]:
    """Each validator name that more than one class of the MRO defines, and those classes."""
    classes = [cls for cls in model.__mro__ if issubclass(cls, BaseModel) and cls is not BaseModel]
    found = []
    for name in sorted({name for cls in classes for name in validators(cls)}):
        owners = [f"{cls.__module__}.{cls.__qualname__}" for cls in classes if name in vars(cls)]
        if len(owners) != 1:
            found.append(f"{name} is defined by {', '.join(owners)}: give each its own name")
    return found


@pytest.mark.parametrize("step", STEPS)
def test_no_validator_hides_another(step: str) -> None:
    inputs = load(step).Inputs
    assert validators(inputs), f"no validator of {step} was found: has pydantic changed where it keeps them?"
    if problems := hidden(inputs):
        pytest.fail("\n".join(problems), pytrace=False)


class Left(BaseModel):
    number: int = 1

    @model_validator(mode="after")
    def _fit(self) -> Self:
        raise ValueError("from the left")

    @field_validator("number")
    @classmethod
    def _small(cls, number: int) -> int:
        return number


class Right(BaseModel):
    @model_validator(mode="after")
    def _fit(self) -> Self:
        raise ValueError("from the right")


class Both(Left, Right):
    """The bases collide, though neither inherits from the other."""


class Plain(Left):
    """A plain method hides a validator as well."""

    def _small(self) -> int:  # type: ignore[override]
        return 1


def test_a_validator_that_hides_another_is_found() -> None:
    assert hidden(Left) == []
    here = Left.__module__
    assert hidden(Both) == [f"_fit is defined by {here}.Left, {here}.Right: give each its own name"]
    assert hidden(Plain) == [f"_small is defined by {here}.Plain, {here}.Left: give each its own name"]
