"""A bug is reported without the secret that it was about."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from redaction.search import DIGITS, PERCENT, QUOTES, WORD, found_in
from sauce_appdist.ci.github import GitHub
from sauce_appdist.ci.gitlab import GitLab
from sauce_appdist.ci.terminal import JsonOutput, Terminal
from sauce_appdist.cli import _problem

if TYPE_CHECKING:
    from collections.abc import Callable


def throws(kind: str, secret: str) -> Callable[[], None]:
    def work() -> None:
        match kind:
            case "key":
                raise KeyError(secret)
            case "value":
                raise ValueError(f"could not read {secret!r}")
            case "file":
                raise FileNotFoundError(2, "No such file", f"/tmp/{secret}")
            case "context":
                try:
                    int(secret, 2)
                except ValueError as error:
                    raise RuntimeError(f"while {secret}") from error
            case "bytes":
                raise TypeError(secret.encode())
        raise AssertionError(secret)

    return work


@pytest.mark.parametrize("secret", [PERCENT, QUOTES, WORD, DIGITS])
@pytest.mark.parametrize("kind", ["key", "value", "file", "context", "bytes", "assertion"])
def test_a_bug_is_told_without_what_it_was_about(capfd: pytest.CaptureFixture[str], secret: str, kind: str) -> None:
    for place in (GitHub, GitLab, Terminal, JsonOutput):
        ci = place({}, io.StringIO())
        ci.mask(secret)
        problem = _problem(throws(kind, secret))
        assert problem
        capfd.readouterr()
        out = io.StringIO()
        ci._out = out
        ci.error(problem)
        ci.report.problem = problem
        text = out.getvalue() + "".join(capfd.readouterr())
        assert "This is a bug in sauce-appdist" in text
        assert not found_in(text, [secret]), (place, text)
