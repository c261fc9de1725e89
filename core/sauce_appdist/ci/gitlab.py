"""GitLab CI: log sections, dotenv variables, an outputs file and links on the job page.

The files are in the project's directory, where a template's `artifacts` expect them.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sauce_appdist.ci.base import Ci, Job
from sauce_appdist.ci.terminal import plain_report
from sauce_appdist.errors import InputError
from sauce_appdist.text import is_single_line, json_text, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sauce_appdist.auth.oidc import Token, TokenHttp
    from sauce_appdist.errors import AppDistError
    from sauce_appdist.interface.outputs import StepOutputs

DOTENV, OUTPUTS, ANNOTATIONS = "appdist.env", "appdist-outputs.json", "appdist-annotations.json"
DOTENV_BYTES, DOTENV_VARIABLES = 5 * 1024, 20  # GitLab's limits; past them the job fails
# In a later job, GitLab and its runner expand $NAME, ${NAME} and %NAME% in a value of a dotenv report.
_EXPANDED = re.compile(r"\$|%[A-Za-z_]\w*%", re.ASCII)
_RED, _YELLOW, _RESET = "\x1b[31;1m", "\x1b[33;1m", "\x1b[0m"


def job(environ: Mapping[str, str]) -> Job:
    """The job, from GitLab's predefined variables, which do not have the attempt."""
    return Job(
        commit=environ.get("CI_COMMIT_SHA"),
        branch=environ.get("CI_COMMIT_BRANCH") or environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"),
        tag=environ.get("CI_COMMIT_TAG"),
        pipeline_url=environ.get("CI_PIPELINE_URL"),
        actor=environ.get("GITLAB_USER_LOGIN"),
        system="gitlab",
    )


def id_token(environ: Mapping[str, str], audience: str, _http: TokenHttp) -> Token:
    """The job's ID token, which GitLab put into a variable. Raises InputError if there is none."""
    token = environ.get("APPDIST_ID_TOKEN")
    if not token:
        raise InputError(
            "oidc-provider is gitlab, but the job has no APPDIST_ID_TOKEN. Our templates declare it; elsewhere add to "
            f"the job:\n  id_tokens:\n    APPDIST_ID_TOKEN:\n      aud: {one_line(audience, 100)}"
        )
    if not re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token, re.ASCII):
        raise InputError("APPDIST_ID_TOKEN is not a JWT: let GitLab create it, under id_tokens: in the job.")
    from sauce_appdist.auth.oidc import Token  # most jobs sign in otherwise

    return Token(token)  # GitLab gives a job one: there is nothing to renew it by


def missing_secrets(environ: Mapping[str, str]) -> str:
    """Why a job may not get a protected variable; "" on a protected branch or tag."""
    if environ.get("CI_COMMIT_REF_PROTECTED") != "false":
        return ""
    ref = one_line(environ.get("CI_COMMIT_REF_NAME", ""), 60)
    return (
        f"\nThe branch or tag {ref} is not protected (CI_COMMIT_REF_PROTECTED=false), so the job gets no "
        "CI/CD variable that is protected: protect it in Settings > Repository, or run this on a protected one."
    )


def log(environ: Mapping[str, str], out: TextIO) -> Ci:
    """The log of a job."""
    return GitLab(environ, out, job(environ))


class GitLab(Ci):
    """Writes the job's log and report files."""

    def warning(self, text: str) -> None:
        self._print(f"{_YELLOW}WARNING: {self.clean(text)}{_RESET}")

    def error(self, problem: AppDistError) -> None:
        self._print(f"{_RED}{problem.title}: {self.clean(str(problem))}{_RESET}")

    @contextmanager
    def section(self, title: str) -> Iterator[None]:
        name = re.sub(r"[^a-z0-9]+", "_", f"appdist {title}".lower())[:60]
        self._print(f"\x1b[0Ksection_start:{int(time.time())}:{name}\r\x1b[0K{one_line(self.clean(title))}")
        try:
            yield
        finally:
            self._print(f"\x1b[0Ksection_end:{int(time.time())}:{name}\r\x1b[0K")

    def finish(self, outputs: StepOutputs) -> None:
        files = self.output_files()
        values = json_text(self.values(outputs))
        files[OUTPUTS].write_text(values + "\n", encoding="utf-8")
        files[DOTENV].write_text(self._dotenv(outputs), encoding="utf-8", newline="\n")
        links = [
            {"external_link": {"label": one_line(self.clean(text)), "url": self._redact(url or "")}}
            for _, text, url in self.report.links
        ]
        content = {"Mobile App Distribution": links} if links else {}
        files[ANNOTATIONS].write_text(json_text(content) + "\n", encoding="utf-8")
        for line in plain_report(self.report):
            self.info(line)

    def output_files(self) -> Mapping[str, Path]:
        folder = Path(self.environ.get("CI_PROJECT_DIR") or ".")
        return {name: folder / name for name in (OUTPUTS, DOTENV, ANNOTATIONS)}

    def _dotenv(self, outputs: StepOutputs) -> str:
        """Single-line values within GitLab's limits that stay as they are; the others are only in the outputs file."""
        lines: list[str] = []
        left_out: list[str] = []
        expanded: list[str] = []
        size = 0
        for name, value in outputs.dotenv().items():
            text = self._redact(value)
            line = f"{name}={text}\n"
            length = len(line.encode(errors="replace"))
            fits = size + length <= DOTENV_BYTES and len(lines) < DOTENV_VARIABLES
            if _EXPANDED.search(text):
                expanded.append(name)
            elif is_single_line(text) and text == text.strip() and fits:
                lines.append(line)
                size += length
            else:
                left_out.append(name)
        if left_out:
            self.info(f"Only in {OUTPUTS}, because GitLab's dotenv report cannot hold them: {', '.join(left_out)}.")
        if expanded:
            self.info(
                f"Only in {OUTPUTS}, because GitLab would put variables in place of $NAME and %NAME% in them, "
                f"credentials too: {', '.join(expanded)}."
            )
        return "".join(lines)
