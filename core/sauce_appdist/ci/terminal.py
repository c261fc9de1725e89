"""A person at a terminal, or a script that reads JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from sauce_appdist.ci import MARKS, Ci, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sauce_appdist.ci import Report
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

    def finish(self, outputs: Outputs) -> None:
        print(json.dumps(self.values(outputs), ensure_ascii=False, indent=2), file=self._out, flush=True)
