"""GitHub Actions: workflow commands, step outputs and the job summary."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import github_action_utils as gha

from sauce_appdist.ci.base import Ci, Job
from sauce_appdist.ci.report import MARKS
from sauce_appdist.errors import InputError
from sauce_appdist.text import encodable, markdown, markdown_block, web_link

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sauce_appdist.auth.oidc import Token, TokenHttp
    from sauce_appdist.ci.report import Report
    from sauce_appdist.errors import AppDistError
    from sauce_appdist.interface.outputs import StepOutputs


def job(environ: Mapping[str, str]) -> Job:
    """The job, from GitHub's default variables; a pull request's branch is its head."""
    is_tag = environ.get("GITHUB_REF_TYPE") == "tag"
    name = environ.get("GITHUB_REF_NAME")
    repository = f"{environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{environ.get('GITHUB_REPOSITORY')}"
    run = environ.get("GITHUB_RUN_ID")
    attempt = environ.get("GITHUB_RUN_ATTEMPT", "")
    return Job(
        commit=environ.get("GITHUB_SHA"),
        branch=None if is_tag else environ.get("GITHUB_HEAD_REF") or name,
        tag=name if is_tag else None,
        pipeline_url=f"{repository}/actions/runs/{run}" if run else None,
        actor=environ.get("GITHUB_ACTOR"),
        attempt=int(attempt) if attempt.isdecimal() and len(attempt) < 10 else None,
        system="github",
    )


def id_token(environ: Mapping[str, str], audience: str, http: TokenHttp) -> Token:
    """The job's ID token, from the runner. Raises InputError if the job may not request one."""
    if environ.get("GITHUB_ACTIONS") != "true":
        raise InputError("oidc-provider is github, but this is not GitHub Actions.")
    url, token = environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"), environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not token:
        raise InputError(
            "oidc-provider is github, but this job may not request an ID token. Add to the job (or to the workflow; a "
            "called workflow needs it in the calling job too):\n  permissions:\n    id-token: write"
            + _fork_hint(environ)
        )
    http.learn(token)
    from sauce_appdist.auth.oidc import github_id_token  # most jobs sign in otherwise

    return github_id_token(url, token, audience, http)


def missing_secrets(environ: Mapping[str, str]) -> str:
    """Why a run of Dependabot or of a fork has no credentials; "" for any other job."""
    # A run that somebody repeats keeps its actor, and with it the secrets it gets.
    if environ.get("GITHUB_ACTOR") == "dependabot[bot]":
        return (
            "\nA run that Dependabot starts, on push too, gets Dependabot secrets and no Actions secrets: store "
            "the credentials under Settings > Secrets and variables > Dependabot, or run this only if "
            "github.actor != 'dependabot[bot]'."
        )
    return _fork_hint(environ)


def _fork_hint(environ: Mapping[str, str]) -> str:
    event = environ.get("GITHUB_EVENT_NAME", "")
    if not event.startswith("pull_request") or event == "pull_request_target":
        return ""
    return (
        "\nA pull request from a fork gets neither secrets nor an ID token: run this on push, or only if "
        "github.event.pull_request.head.repo.full_name == github.repository."
    )


def log(environ: Mapping[str, str], out: TextIO) -> Ci:
    """The log of a job."""
    return GitHub(environ, out, job(environ))


class GitHub(Ci):
    """Writes the runner's commands and files."""

    def _announce(self, secret: str) -> None:
        for line in secret.splitlines():  # the runner masks whole lines
            if line.strip():
                self._command("add-mask", line.strip())

    def _command(self, name: str, text: str = "") -> None:
        # github-action-utils puts a space before the second `::` of a command without properties, which
        # some runners do not recognize.
        self._print(f"::{name}::{text.replace('%', '%25')}")

    def warning(self, text: str) -> None:
        gha.warning(self.clean(text), title="sauce-appdist")

    def error(self, problem: AppDistError) -> None:
        gha.error(self.clean(str(problem)), title=problem.title)

    @contextmanager
    def section(self, title: str) -> Iterator[None]:
        self._command("group", self.clean(title))
        try:
            yield
        finally:
            self._command("endgroup")

    def finish(self, outputs: StepOutputs) -> None:
        try:
            if "GITHUB_OUTPUT" in self.environ:
                for name, text in outputs.texts().items():
                    gha.set_output(name, encodable(self._redact(text)))
        finally:
            if "GITHUB_STEP_SUMMARY" in self.environ:
                gha.append_job_summary(encodable(summary(self.report, self._redact)))

    def output_files(self) -> Mapping[str, Path]:
        return {
            name: Path(self.environ[name]) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY") if name in self.environ
        }


def summary(report: Report, redact: Callable[[str], str] = str) -> str:
    """The report as GitHub's Markdown.

    `redact` gets every text before it is cut or escaped, which would hide a secret from it.
    """

    def cell(text: str) -> str:
        return markdown(redact(text))

    lines = [f"### {report.mark} {cell(report.title)}", ""]
    if report.problem:
        lines += [f"**{report.problem.title}**", "", markdown_block(redact(str(report.problem))), ""]
    if report.facts:
        lines += ["| | |", "|---|---|"]
        for label, text, url in report.facts:
            shown, address = cell(text), web_link(redact(url or "")).replace("&", "&amp;")
            lines.append(f"| **{label}** | {f'[{shown}]({address})' if address else shown} |")
        lines.append("")
    if report.parts:
        lines += ["| Step | | |", "|---|---|---|"]
        lines += [f"| {part.name} | {MARKS[part.state]} {part.state} | {cell(part.detail)} |" for part in report.parts]
        lines.append("")
    if report.checks:
        lines += ["| Check | | Observed | Threshold | |", "|---|---|---|---|---|"]
        lines += [
            f"| {one.name} | {MARKS[str(one.state)]} {one.state} | "
            + " | ".join(cell(text) for text in (one.observed, one.threshold, one.reason))
            + " |"
            for one in report.checks
        ]
        lines.append("")
    if report.notes:
        lines += [
            "<details><summary>Release notes</summary>",
            "",
            markdown_block(redact(report.notes)),
            "",
            "</details>",
            "",
        ]
    return "\n".join(lines)
