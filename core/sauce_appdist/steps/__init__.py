"""One module per step: what it is for, its Inputs, its StepOutputs and `run`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from sauce_appdist.ci import Ci
    from sauce_appdist.client import Client
    from sauce_appdist.interface.inputs import ConnectionInputs
    from sauce_appdist.interface.outputs import StepOutputs

# In the order of a promotion; the modules are loaded when they are asked for.
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


ALIASES = {"whoami": "check"}  # what people would try first


class Step(Protocol):
    """What a step's module has; its docstring's first line says what the step does."""

    __doc__: str | None
    Inputs: type[ConnectionInputs]
    Outputs: type[StepOutputs]

    def run(self, inputs: Any, client: Client, ci: Ci, out: Any) -> None:
        """Do it. `out` is filled on the way, so that a failing step has told what happened."""


def load(name: str) -> Step:
    """The step's module. Raises KeyError for a name that is no step."""
    return cast("Step", import_module(STEPS[ALIASES.get(name, name)]))
