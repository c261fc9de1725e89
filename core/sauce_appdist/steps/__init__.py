"""One module per step: its purpose, its Inputs, its Outputs and `run`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from sauce_appdist.interface.inputs import ConnectionInputs
    from sauce_appdist.interface.outputs import StepOutputs
    from sauce_appdist.steps.context import Context

# In the order of a promotion. A module is loaded only when its step is used.
STEPS = {
    "check": "sauce_appdist.steps.check",
    "find": "sauce_appdist.steps.find",
    "gate": "sauce_appdist.steps.gate.step",
    "tag": "sauce_appdist.steps.tag",
    "annotate": "sauce_appdist.steps.annotate",
    "copy": "sauce_appdist.steps.copy",
    "invite": "sauce_appdist.steps.invite",
    "promote": "sauce_appdist.steps.promote",
}


ALIASES = {"whoami": "check"}  # a name that people try first


InputsT = TypeVar("InputsT", bound="ConnectionInputs")
OutputsT = TypeVar("OutputsT", bound="StepOutputs")


class Step(Protocol[InputsT, OutputsT]):
    """The members of a step's module; the first line of its docstring is the step's description."""

    __doc__: str | None

    @property
    def Inputs(self) -> type[InputsT]: ...  # noqa: N802 - a class

    @property
    def Outputs(self) -> type[OutputsT]: ...  # noqa: N802 - a class

    def run(self, inputs: InputsT, context: Context, out: OutputsT, /) -> None:
        """Run the step. Fills `out` as it goes, so that a failing step still reports what happened."""


def load(name: str) -> Step[Any, Any]:
    """The step's module. Raises KeyError for an unknown name."""
    return cast("Step[Any, Any]", import_module(STEPS[ALIASES.get(name, name)]))
