"""A person at a terminal, or a script that reads JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from sauce_appdist.ci import MARKS, Ci, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sauce_appdist.ci import Report, Row
    from sauce_appdist.contract import Outputs
    from sauce_appdist.errors import AppDistError


def plain_report(report: Report) -> Iterator[str]:
    """The report as aligned lines, for logs."""
    yield f"{MARKS['failed' if report.problem else 'done']} {report.title}"
    width = max((len(fact.label) for fact in report.facts), default=0)
    for label, text, url in report.facts:
        yield f"  {label:<{width}}  {text}{f'  {url}' if url else ''}"
    width = max((len(part.name) for part in report.parts), default=0)
    for part in report.parts:
        yield f"  {MARKS[part.state]} {part.name:<{width}}  {part.detail}"


class Terminal(Ci):
    """Progress and tables on stdout, problems on stderr; rich where it is a real terminal."""

    def warning(self, text: str) -> None:
        say(sys.stderr, f"Warning: {self.clean(text)}")

    def error(self, problem: AppDistError) -> None:
        say(sys.stderr, f"{problem.title}: {self.clean(str(problem))}")

    def ask(self, question: str) -> bool | None:
        if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        print(f"{self.clean(question)} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def show(
        self, data: Any, *, columns: Sequence[str] = (), rows: Sequence[Sequence[str]] = (), text: str = ""
    ) -> None:
        if self._out.isatty() and rows and self._rich_table(columns, rows):
            rows = ()
            columns = ()
        super().show(data, columns=columns, rows=rows, text=text)

    def _rich_table(self, columns: Row, rows: Sequence[Row]) -> bool:
        try:
            from rich.console import Console
            from rich.table import Table
            from rich.text import Text
        except ImportError:
            return False
        table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="dim", show_header=bool(columns))
        for row in rows:
            table.add_row(*(Text(self.clean(cell)) for cell in row))
        Console(file=self._out).print(table)
        return True

    def finish(self, outputs: Outputs) -> None:
        shown = {name: self.clean(text) for name, text in outputs.texts().items() if text}
        if self._out.isatty() and self._rich(shown):
            return
        for line in plain_report(self.report):
            self.info(line)
        if shown:
            self.info("Outputs")
            width = max(map(len, shown))
            for name, text in shown.items():
                first, _, more = text.partition("\n")
                self.info(f"  {name:<{width}}  {first}{' …' if more else ''}")

    def _rich(self, outputs: dict[str, str]) -> bool:
        try:
            from rich.console import Console  # never on the CI path
            from rich.table import Table
            from rich.text import Text
        except ImportError:
            return False
        console = Console(file=self._out)
        report = self.report
        console.print(Text(f"{MARKS['failed' if report.problem else 'done']} {self.clean(report.title)}", "bold"))
        facts = Table(show_header=False, box=None, padding=(0, 2))
        for label, text, url in report.facts:
            facts.add_row(Text(label, "dim"), Text(self.clean(text), f"link {url}" if url else ""))
        console.print(facts)
        if report.parts:
            parts = Table("step", "", "what", box=None, padding=(0, 2), header_style="dim")
            for part in report.parts:
                parts.add_row(part.name, f"{MARKS[part.state]} {part.state}", Text(self.clean(part.detail)))
            console.print(parts)
        if outputs:
            table = Table("output", "value", title="Outputs", title_justify="left", header_style="dim")
            for name, text in outputs.items():
                table.add_row(name, Text(text))
            console.print(table)
        return True


class JsonOutput(Terminal):
    """One JSON object on stdout at the end; everything else goes to stderr."""

    def _print(self, text: str) -> None:
        say(sys.stderr, text)

    def show(
        self, data: Any, *, columns: Sequence[str] = (), rows: Sequence[Sequence[str]] = (), text: str = ""
    ) -> None:
        del columns, rows
        if isinstance(data, list):
            self.info(text)
        self._write(data)

    def finish(self, outputs: Outputs) -> None:
        self._write(outputs.given())

    def _write(self, data: Any) -> None:
        print(json.dumps(self._redacted(data), ensure_ascii=False, indent=2), file=self._out, flush=True)
