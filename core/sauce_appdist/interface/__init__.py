"""The inputs and outputs that a step declares, and the spelling of their names in each place.

The declarations are the only source: `tools/render.py` renders the action.yml files, GitLab templates and tables
of the docs from them, and the command line builds its options from them.

`build_id` in Python is `build-id` as an input, `--build-id` on the command line and `APPDIST_BUILD_ID` in the
environment. Actions and templates pass their inputs as `APPDIST_INPUT_BUILD_ID`: an input that is set takes
precedence over a variable of the job or the project, and an input that is not set falls back to it. An empty input
is not set, except where that would change what the step does: see `option` in interface/inputs.py.
"""

from __future__ import annotations


def kebab(name: str) -> str:
    """The name of an input or output in YAML."""
    return name.replace("_", "-")


def variable(name: str) -> str:
    """The environment variable of an input, and the name of an output in GitLab's dotenv report."""
    return f"APPDIST_{name.upper()}"


def input_variable(name: str) -> str:
    """The environment variable in which an action or a template passes an input."""
    return f"APPDIST_INPUT_{name.upper()}"
