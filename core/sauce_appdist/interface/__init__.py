"""What a step declares, its inputs and outputs, and how their names look in each place.

One source: `tools/render.py` makes action.yml files, GitLab templates and README tables of it, the
command line makes its options of it.

`build_id` in Python is `build-id` as an input, `--build-id` on the command line and
`APPDIST_BUILD_ID` in the environment. Actions and templates pass their inputs as
`APPDIST_INPUT_BUILD_ID`, so that an explicit input wins over a variable of the job or the
project, and one that is not set falls back to it. Empty means *not set*, everywhere.
"""

from __future__ import annotations


def kebab(name: str) -> str:
    """The name of an input or output in YAML."""
    return name.replace("_", "-")


def variable(name: str) -> str:
    """The environment variable, which is also the GitLab dotenv output."""
    return f"APPDIST_{name.upper()}"


def input_variable(name: str) -> str:
    """The environment variable in which an action or a template hands an input over."""
    return f"APPDIST_INPUT_{name.upper()}"
