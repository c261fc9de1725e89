"""Render what CI systems and readers see of a step's interface.

python tools/render.py           write action.yml, actions/, gitlab-templates/ and the tables in the READMEs
python tools/render.py --check   exit 1 and name the files that are stale
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "core"))

from sauce_appdist import __version__  # noqa: E402 - the checkout's, whatever is installed
from sauce_appdist.auth.methods import METHODS  # noqa: E402
from sauce_appdist.interface import input_variable, kebab, variable  # noqa: E402
from sauce_appdist.interface.inputs import (  # noqa: E402
    BuildInputs,
    choices,
    declared_default,
    describe_field,
    extra,
    input_default,
    is_secret,
    sections,
)
from sauce_appdist.interface.outputs import BuildOutputs, StepOutputs  # noqa: E402
from sauce_appdist.shell import api_commands  # noqa: E402
from sauce_appdist.steps import STEPS, load  # noqa: E402
from sauce_appdist.steps.gate.report_files import JSON_REPORT, JUNIT_REPORT  # noqa: E402
from sauce_appdist.verdict.checks import CHECK_ROWS, Source  # noqa: E402
from sauce_appdist.wire.retry import RETRIED, Fate, RequestKind  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pydantic.fields import FieldInfo

REPOSITORY = "OWNER/sauce-appdist"
PROMOTE = "promote"  # the root action
READING = {"check", "find", "gate"}  # the steps that write nothing
ID_TOKEN_AUDIENCE = "oidc_id_token_audience"  # GitLab creates the token before the step could add a default
HEADER = "# Rendered by tools/render.py from core/{source}: edit that, then run `make render`.\n"
ICONS = {
    "check": "check-circle",
    "find": "search",
    "gate": "shield",
    "tag": "tag",
    "annotate": "edit-3",
    "copy": "copy",
    "invite": "mail",
    PROMOTE: "trending-up",
}

BOOTSTRAP = (ROOT / "core" / "bootstrap.sh").read_text("utf-8")


def from_bootstrap(pattern: str) -> list[str]:
    """What core/bootstrap.sh and the templates share: it is written there."""
    found = re.findall(pattern, BOOTSTRAP, re.MULTILINE)
    if not found:
        raise SystemExit(f"core/bootstrap.sh has nothing like {pattern}")
    return found


OLDEST, NEWEST = from_bootstrap(r"^oldest=(\d+)")[0], from_bootstrap(r"^oldest=\d+ newest=(\d+)")[0]
INDEX_SETTINGS = " | ".join(from_bootstrap(r"^      (PIP_.*)\) ;;$"))
PIP_DEFAULTS = from_bootstrap(r"^  (export PIP_.*)$")[0]

# What a GitLab job runs. Every input is in the environment: nothing is interpolated into this text.
# The interpreter is isolated, so that neither the checkout nor PYTHON… variables can put code into it.
# The exit codes are those of errors.py: 2 for what the user can fix, 5 if the package index fails.
GITLAB_SCRIPT = f"""\
set -eu
fail() {{ printf 'sauce-appdist: %s\\n' "$2" >&2; exit "$1"; }}
python3 -I -S -c 'import sys
good = (3, {OLDEST}) <= sys.version_info[:2] <= (3, {NEWEST}) and sys.implementation.name == "cpython"
sys.exit(not good)' 2>/dev/null ||
  fail 2 "This job needs CPython 3.{OLDEST} to 3.{NEWEST} as python3, and its image has: $(python3 -V 2>&1 || true). \
Set the template's input image, for example image: python:3.13-slim."
full() {{ fail 2 "There is no room for the dependencies, about 30 MB. Free some, or set the CI/CD variable TMPDIR to a \
directory that has room."; }}
deps=$(mktemp -d) || fail 2 "There is no directory for temporary files (the reason is above). Set the CI/CD variable \
TMPDIR to a directory that the job can write to."
trap 'rm -rf "$deps"' EXIT
printf '%s\\n' "$APPDIST_INPUT_PACKAGE" > "$deps/package.txt" || full
# Installing may run code of packages: it gets no credentials. Of pip's settings it gets those of the index.
pip_install() (
  for name in $(env | sed -n -e 's/^\\(APPDIST_[A-Za-z0-9_]*\\)=.*/\\1/p' -e 's/^\\(PIP_[A-Za-z0-9_]*\\)=.*/\\1/p'); do
    case $name in
      {INDEX_SETTINGS}) ;;
      *) unset "$name" ;;
    esac
  done
  {PIP_DEFAULTS}
  python3 -I -m pip install --quiet --no-compile --no-deps "$@"
)
install() {{
  if pip_install --target "$deps" "$@" > "$deps/log" 2>&1; then return; fi
  cat "$deps/log" >&2 || true
  case $(cat "$deps/log") in
    *'No module named pip'*) fail 2 "The python3 of this image has no pip. Set the template's input image, for example \
image: python:3.13-slim." ;;
    *'No space left on device'* | *'Disk quota exceeded'*) full ;;
  esac
  head -c 65536 /dev/zero > "$deps/room" || full
  fail 5 "The dependencies could not be installed; pip's output is above. Check that this runner can reach its package \
index (PIP_INDEX_URL, HTTPS_PROXY, certificates), and the template's input package."
}}
install -r "$deps/package.txt"
install --upgrade --only-binary :all: --require-hashes -r "$deps/sauce_appdist/requirements.lock"
python3 -I -S -X utf8 -c 'import sys
sys.path.append(sys.argv.pop(1))
from sauce_appdist.cli import entrypoint
entrypoint()' "$deps" STEP
"""


class Dumper(yaml.SafeDumper):
    """Block scalars for texts of several lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, _text)


def dump(document: dict[str, Any]) -> str:
    """YAML in the order of the dict, never folded."""
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, width=10_000, allow_unicode=True)


def header(step: str) -> str:
    """The comment that names the source of a rendered file."""
    return HEADER.format(source=STEPS[step].replace(".", "/") + ".py")


def summary(step: str) -> str:
    """A step's description: the first line of its module's docstring."""
    return (load(step).__doc__ or "").partition("\n")[0]


def fields(step: str) -> Iterator[tuple[str, FieldInfo, bool]]:
    """Every input, and whether the environment may set it instead."""
    for title, group in sections(load(step).Inputs).items():
        for name, field in group.items():
            yield name, field, title != "This step"


def describe_input(name: str, field: FieldInfo, *, inherited: bool) -> str:
    """An input's description for YAML."""
    text = describe_field(field)
    if known := choices(field):
        text += f" One of {', '.join(known)}."
    if not inherited:
        return text
    if extra(field)["group"] == "build":
        return f"{text} If you set no input of the build, the step reads {variable(name)} from the environment."
    return f"{text} If you omit it, the step reads {variable(name)} from the environment."


def action(step: str) -> str:
    """The composite action of a step."""
    inputs: dict[str, Any] = {}
    for name, field, inherited in fields(step):
        entry: dict[str, Any] = {"description": describe_input(name, field, inherited=inherited)}
        entry["required"] = field.is_required()
        # The runner sets a default only where the key is absent: `off` and `inherit` tell that from an empty value.
        if default := extra(field)["unset"] or ("" if inherited else input_default(field)):
            entry["default"] = default
        inputs[kebab(name)] = entry
    core = "$GITHUB_ACTION_PATH/core" if step == PROMOTE else "$GITHUB_ACTION_PATH/../../core"
    run = {
        "id": "run",
        "shell": "bash",
        "env": {input_variable(name): f"${{{{ inputs.{kebab(name)} }}}}" for name, *_ in fields(step)},
        "run": f'bash "{core}/bootstrap.sh" {step}',
    }
    outputs = {
        kebab(name): {"description": field.description, "value": f"${{{{ steps.run.outputs.{kebab(name)} }}}}"}
        for name, field in load(step).Outputs.model_fields.items()
    }
    title = "Sauce App Distribution" + ("" if step == PROMOTE else f": {step}")
    return header(step) + dump(
        {
            "name": title,
            "description": summary(step),
            "author": "sauce-appdist",
            "branding": {"icon": ICONS[step], "color": "red"},
            "inputs": inputs,
            "outputs": outputs,
            "runs": {"using": "composite", "steps": [run]},
        }
    )


def template(step: str) -> str:
    """The GitLab template of a step: a header of inputs and one job."""
    inputs: dict[str, Any] = {
        "job-name": {"description": "Name of the job.", "default": f"appdist-{step}"},
        "stage": {"description": "Stage of the job.", "default": "deploy"},
        "image": {"description": "Image with Python 3.11 or newer and pip.", "default": "python:3.13-slim"},
        "rules": {"description": "Rules of the job.", "type": "array", "default": [{"when": "on_success"}]},
        "package": {
            "description": "What pip installs: a release (a --hash=sha256:… may follow), a wheel or a URL.",
            "default": f"sauce-appdist=={__version__}",
        },
    }
    variables: dict[str, Any] = {"APPDIST_INPUT_PACKAGE": "$[[ inputs.package ]]"}
    for name, field, inherited in fields(step):
        if is_secret(field):
            continue
        inherited = inherited and name != ID_TOKEN_AUDIENCE  # noqa: PLW2901
        entry: dict[str, Any] = {"description": describe_input(name, field, inherited=inherited)}
        default = extra(field)["unset"] or ("" if inherited else input_default(field))
        value = f"$[[ inputs.{kebab(name)} ]]"
        if field.annotation is bool and not inherited:
            entry |= {"type": "boolean", "default": default == "true"}
            value += " "  # makes it a string: not every GitLab takes a boolean as the value of a variable
        else:
            entry["type"] = "string"
            known = ("true", "false") if field.annotation is bool else choices(field)
            if known:
                entry["options"] = list(known) if default in known else [default, *known]
            if not field.is_required():
                entry["default"] = default
        inputs[kebab(name)] = entry
        # In free text, `$` is a dollar sign; elsewhere GitLab expands $CI_COMMIT_TAG and other variables.
        variables[input_variable(name)] = {"value": value, "expand": False} if extra(field)["multiline"] else value
    # GitLab warns about artifacts that are missing, and a promotion may have no gate.
    paths = ["appdist-*.json" if step == PROMOTE else "appdist-outputs.json"]
    reports = {"dotenv": "appdist.env", "annotations": "appdist-annotations.json"}
    if step == "gate":
        folder = "$[[ inputs.gate-reports ]]"
        paths.append(f"{folder}/{JSON_REPORT}")
        reports["junit"] = f"{folder}/{JUNIT_REPORT}"
    job = {
        "stage": "$[[ inputs.stage ]]",
        "image": "$[[ inputs.image ]]",
        "rules": "$[[ inputs.rules ]]",
        "variables": variables,
        # For `oidc-provider: gitlab`; nothing else uses this token.
        "id_tokens": {"APPDIST_ID_TOKEN": {"aud": "$[[ inputs.oidc-id-token-audience ]]"}},
        # A pipeline's `default:` reaches in here: what mails or copies must not run twice, or be stopped half-way.
        **({} if step in READING else {"retry": 0, "interruptible": False}),
        "script": [GITLAB_SCRIPT.replace("STEP", step)],
        "artifacts": {"when": "always", "paths": paths, "reports": reports},
    }
    return (
        header(step)
        + "# Credentials are masked CI/CD variables of the project, never inputs: APPDIST_EMAIL and APPDIST_API_KEY,\n"
        + "# or APPDIST_OIDC_CONFIG_KEY and the other inputs of a sign-in by OIDC (docs/reference/sign-in.md).\n"
        + dump({"spec": {"inputs": inputs}})
        + "---\n"
        + dump({"$[[ inputs.job-name ]]": job})
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def inputs_table(group: Mapping[str, FieldInfo]) -> str:
    """Inputs as Markdown; empty if there are none."""
    lines = ["| Input | Default | |", "|---|---|---|"] if group else []
    for name, field in group.items():
        default = f"`{declared}`" if (declared := declared_default(field)) else ""
        default = "required" if field.is_required() else default
        text = field.description or ""
        if known := choices(field):
            text += f" One of {', '.join(f'`{word}`' for word in known)}."
        if example := extra(field).get("example"):
            text += f" Example: `{example}`."
        lines.append(f"| `{kebab(name)}` | {default} | {_cell(text)} |")
    return "\n".join(lines)


def own_inputs_table(step: str) -> str:
    """The inputs of this step only, for its page."""
    return inputs_table(sections(load(step).Inputs)["This step"])


def shared_inputs_table(title: str) -> Callable[[], str]:
    """The inputs that steps share, for docs/reference/inputs.md."""
    return lambda: inputs_table(sections(BuildInputs)[title])


def outputs_table(group: Mapping[str, FieldInfo]) -> str:
    """Outputs as Markdown."""
    lines = ["| Output | | GitLab variable |", "|---|---|---|"]
    for name, field in group.items():
        dotenv = f"`{variable(name)}`" if extra(field)["dotenv"] else ""
        lines.append(f"| `{kebab(name)}` | {_cell(field.description or '')} | {dotenv} |")
    return "\n".join(lines)


def own_outputs(step: str) -> dict[str, FieldInfo]:
    """The outputs that a step does not share with others."""
    outputs = load(step).Outputs
    shared = BuildOutputs if issubclass(outputs, BuildOutputs) else StepOutputs
    return {name: field for name, field in outputs.model_fields.items() if name not in shared.model_fields}


def own_outputs_table(step: str) -> str:
    """The outputs of this step only, for its page."""
    return outputs_table(own_outputs(step))


def build_outputs_table() -> str:
    """The outputs that steps share, for docs/reference/outputs.md."""
    return outputs_table({k: v for k, v in BuildOutputs.model_fields.items() if k not in StepOutputs.model_fields})


def steps_table() -> str:
    """The steps, for the README."""
    lines = ["| Step | GitHub | GitLab | |", "|---|---|---|---|"]
    for step in STEPS:
        uses = REPOSITORY if step == PROMOTE else f"{REPOSITORY}/actions/{step}"
        page = "docs/reference/promote.md" if step == PROMOTE else f"actions/{step}/README.md"
        lines.append(f"| [{step}]({page}) | `{uses}@v1` | `gitlab-templates/{step}.yml` | {summary(step)} |")
    return "\n".join(lines)


def api_table() -> str:
    """Every endpoint, for docs/reference/api.md."""
    lines = ["| Command | In Python | |", "|---|---|---|"]
    for resource, rows in api_commands.RESOURCES.items():
        for verb in rows:
            method = f"client.{resource}.{verb.replace('-', '_')}"
            lines.append(f"| `api {resource} {verb}` | `{method}` | {_cell(api_commands.summary(resource, verb))} |")
    return "\n".join(lines)


def methods_table() -> str:
    """The sign-in methods, for docs/reference/sign-in.md."""
    lines = ["| Method | Needs | Optional | When |", "|---|---|---|---|"]
    for method in METHODS:
        needs = ", ".join(" or ".join(f"`{one}`" for one in need.split("|")) for need in method.needs)
        takes = ", ".join(f"`{one}`" for one in method.takes)
        lines.append(f"| {method.name[0].upper()}{method.name[1:]} | {needs} | {takes} | {method.when} |")
    return "\n".join(lines)


def retries_table() -> str:
    """What is sent again after which failure, for docs/reference/errors.md."""
    lines = [f"| | {' | '.join(kind.value for kind in RequestKind)} |", "|---" * (len(RequestKind) + 1) + "|"]
    for fate in Fate:
        cells = ("retried" if kind in RETRIED[fate] else "no" for kind in RequestKind)
        lines.append(f"| {fate.value} | {' | '.join(cells)} |")
    return "\n".join(lines)


def checks_table() -> str:
    """The checks of the gate, for docs/reference/gate.md."""
    lines = ["| Check | Passes if | Otherwise | Reads |", "|---|---|---|---|"]
    for row in CHECK_ROWS:
        reads = ", ".join(source.value for source in Source if source in row.reads)
        lines.append(f"| `{row.name}` | {_cell(row.passes)} | {_cell(row.otherwise)} | {reads} |")
    return "\n".join(lines)


def yaml_types_list() -> str:
    """The template inputs that are not texts in YAML, for docs/reference/gitlab.md."""
    booleans = {
        kebab(name): None
        for step in STEPS
        for name, field, inherited in fields(step)
        if field.annotation is bool and not inherited
    }
    return f"Unquoted: {', '.join(f'`{name}`' for name in booleans)} (`true` or `false`), and the array `rules`."


TABLES: Mapping[str, Callable[[], str]] = {
    "steps": steps_table,
    "api": api_table,
    "methods": methods_table,
    "retries": retries_table,
    "checks": checks_table,
    "yaml types": yaml_types_list,
    "build inputs": shared_inputs_table("The build"),
    "connection inputs": shared_inputs_table("The connection"),
    "build outputs": build_outputs_table,
}
STEP_TABLES: Mapping[str, Callable[[str], str]] = {"inputs": own_inputs_table, "outputs": own_outputs_table}


def tables(text: str) -> str:
    """A page with the parts between its `<!-- rendered: … -->` marks rendered again."""

    def part(found: re.Match[str]) -> str:
        name = found[1]
        kind, _, step = name.partition(" ")
        made = TABLES[name]() if name in TABLES else STEP_TABLES[kind](step)
        return f"<!-- rendered: {name} -->\n{made}\n<!-- /rendered -->"

    return re.sub(r"<!-- rendered: ([a-z ]+) -->.*?<!-- /rendered -->", part, text, flags=re.DOTALL)


def rendered() -> dict[Path, str]:
    """Every file that is rendered, whole or in part, and its content."""
    files = {ROOT / "gitlab-templates" / f"{step}.yml": template(step) for step in STEPS}
    files |= {
        ROOT / ("action.yml" if step == PROMOTE else f"actions/{step}/action.yml"): action(step) for step in STEPS
    }
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("actions/*/README.md")]
    return files | {page: tables(page.read_text("utf-8")) for page in pages}


def missing(step: str) -> list[str]:
    """What a new step still needs before it can be rendered, and where it goes."""
    readme = ROOT / "docs" / "reference" / "promote.md" if step == PROMOTE else ROOT / "actions" / step / "README.md"
    text = readme.read_text("utf-8") if readme.exists() else ""
    needs = {
        "a row in ICONS, tools/render.py (a Feather icon for the GitHub Marketplace)": step in ICONS,
        "a docstring whose first line says what it does, in its module": bool(summary(step)),
        f"a page, {readme.relative_to(ROOT)}": bool(text),
        f"a mark <!-- rendered: outputs {step} --><!-- /rendered --> in its page": not own_outputs(step)
        or f"rendered: outputs {step} -->" in text,
    }
    return [f"step {step} needs {need}" for need, there in needs.items() if not there]


def main() -> int:
    """Render, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if a file is stale")
    check = parser.parse_args().check
    if problems := [problem for step in STEPS for problem in missing(step)]:
        print("\n".join(problems), file=sys.stderr)
        return 1
    stale = [(path, text) for path, text in rendered().items() if not path.exists() or path.read_text("utf-8") != text]
    for path, text in stale:
        print(f"{'stale' if check else 'rendered'}: {path.relative_to(ROOT)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    if check and stale:
        print("run `make render` and commit the result")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
