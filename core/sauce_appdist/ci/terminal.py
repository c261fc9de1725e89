"""A person at a terminal, or a script that reads JSON."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, Any, TextIO

from sauce_appdist import cancellation
from sauce_appdist.ci.base import Ci, say
from sauce_appdist.ci.report import MARKS
from sauce_appdist.text import json_text, web_link

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sauce_appdist.ci.report import Report
    from sauce_appdist.errors import AppDistError
    from sauce_appdist.interface.outputs import StepOutputs

    Row = Sequence[str]

_SCREEN = 400
_CI_VARIABLES = ("CI", "TF_BUILD", "TEAMCITY_VERSION")


def plain_report(report: Report) -> Iterator[str]:
    """The report as aligned lines, for logs."""
    yield f"{report.mark} {report.title}"
    width = max((len(fact.label) for fact in report.facts), default=0)
    for label, text, url in report.facts:
        yield f"  {label:<{width}}  {text}{f'  {url}' if url else ''}"
    width = max((len(part.name) for part in report.parts), default=0)
    for part in report.parts:
        yield f"  {MARKS[part.state]} {part.name:<{width}}  {part.detail}"
    width = max((len(check.name) for check in report.checks), default=0)
    for check in report.checks:
        why = f". {check.reason}" if check.reason else ""
        yield f"  {MARKS[str(check.state)]} {check.name:<{width}}  {check}{why}"


def _short(text: str) -> str:
    """The first line of an output, cut to a screenful; `--json` prints all of it."""
    first = text.partition("\n")[0][:_SCREEN]
    return first if first == text else f"{first} …"


def _utf8(text: str) -> str:
    """A text without surrogate escapes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:
        return False


class Terminal(Ci):
    """Progress and tables on stdout, problems on stderr; rich tables on a real terminal."""

    def warning(self, text: str) -> None:
        say(sys.stderr, f"Warning: {self.clean(text)}")

    def error(self, problem: AppDistError) -> None:
        say(sys.stderr, f"{problem.title}: {self.clean(str(problem))}")

    def finish(self, outputs: StepOutputs) -> None:
        shown = {name: _short(self.clean(text)) for name, text in outputs.texts().items() if text}
        if self._out.isatty() and self._rich(shown):
            return
        for line in plain_report(self.report):
            self.info(line)
        if shown:
            self.info("Outputs")
            width = max(map(len, shown))
            for name, text in shown.items():
                self.info(f"  {name:<{width}}  {text}")

    def _rich(self, outputs: dict[str, str]) -> bool:
        try:
            from rich.console import Console  # never loaded in CI
            from rich.style import Style
            from rich.table import Table
            from rich.text import Text
        except ImportError:
            return False
        console = Console(file=self._out)
        report = self.report
        console.print(Text(f"{report.mark} {self.clean(report.title)}", "bold"))
        facts = Table(show_header=False, box=None, padding=(0, 2))
        for label, text, url in report.facts:
            address = web_link(self.clean(url or ""))
            facts.add_row(Text(label, "dim"), Text(self.clean(text), Style(link=address) if address else ""))
        console.print(facts)
        if report.parts:
            parts = Table("step", "", "what", box=None, padding=(0, 2), header_style="dim")
            for part in report.parts:
                parts.add_row(part.name, f"{MARKS[part.state]} {part.state}", Text(self.clean(part.detail)))
            console.print(parts)
        if report.checks:
            checks = Table("check", "", "observed", "threshold", "", box=None, padding=(0, 2), header_style="dim")
            for check in report.checks:
                texts = (Text(self.clean(text)) for text in (check.observed, check.threshold, check.reason))
                checks.add_row(check.name, f"{MARKS[str(check.state)]} {check.state}", *texts)
            console.print(checks)
        if outputs:
            table = Table("output", "value", title="Outputs", title_justify="left", header_style="dim")
            for name, text in outputs.items():
                table.add_row(name, Text(text))
            console.print(table)
        return True


class Answers(Terminal):
    """Only the requested data on stdout, for a file or a pipe; everything else on stderr.

    In a job too: the runner's commands must not mix with the data.
    """

    def _print(self, text: str) -> None:
        say(sys.stderr, text)

    def ask(self, question: str) -> bool | None:
        """Whether a person agrees; None if there is no person to ask."""
        if self.job.system or not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        with cancellation.at_once():
            print(f"{self.clean(question)} [y/N] ", end="", file=sys.stderr, flush=True)
            return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def show(self, data: Any, *, columns: Row = (), rows: Sequence[Row] = (), text: str = "") -> None:
        """Print an answer of the service: a table or a text. `data` is the same for a script."""
        del data
        rows = [[self.clean(cell) for cell in row] for row in rows]
        if not (rows and self._out.isatty() and self._rich_table(columns, rows)):
            table = [columns, *rows] if columns and rows else rows
            widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
            for row in table:
                line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
                print(line.rstrip(), file=self._out)
        if text:
            print(self.clean(text), file=self._out)
        self._out.flush()

    def show_recording(self, name: str, text: str) -> None:
        """A text as it was recorded, but for secrets; bytes that are not UTF-8 are surrogate escapes in it.

        A terminal, and a CI system that reads its job's output, would obey what stands in it: for these it is made
        harmless, unless stdout is a file.
        """
        del name
        binary = getattr(self._out, "buffer", None)
        if binary is None or self._out.isatty() or (self._in_a_job() and not _is_file(self._out)):
            print(self.clean(_utf8(text)), file=self._out, flush=True)
            return
        self._out.flush()
        binary.write(self.without_secrets(text).encode("utf-8", "surrogateescape"))
        binary.flush()

    def _in_a_job(self) -> bool:
        return bool(self.job.system or any(self.environ.get(name) for name in _CI_VARIABLES))

    def _rich_table(self, columns: Row, rows: Sequence[Row]) -> bool:
        try:
            from rich.console import Console
            from rich.table import Column, Table
            from rich.text import Text
        except ImportError:
            return False
        named = [Column(name, overflow="fold") for name in columns or ["", ""]]
        table = Table(*named, box=None, padding=(0, 2, 0, 0), header_style="dim", show_header=bool(columns))
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        Console(file=self._out).print(table)
        return True


class JsonOutput(Answers):
    """One JSON text on stdout."""

    def show_recording(self, name: str, text: str) -> None:
        self._write({name: _utf8(text)})

    def show(self, data: Any, *, columns: Row = (), rows: Sequence[Row] = (), text: str = "") -> None:
        del columns, rows, text
        self._write(data)

    def finish(self, outputs: StepOutputs) -> None:
        self._write(outputs.values())

    def _write(self, data: Any) -> None:
        wide = (self._out.encoding or "utf-8").lower().replace("-", "") == "utf8"
        print(json_text(self._redacted(data), ascii_only=not wide), file=self._out, flush=True)
