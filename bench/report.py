"""Figures as Markdown, and into bench/README.md between their marks."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.setting import Setting


class Section:
    """One block of figures."""

    def __init__(self, name: str, setting: Setting) -> None:
        self.name = name
        self._lines = [f"*{setting.machine}*"]

    def line(self, text: str) -> None:
        self._lines += ["", text] if not (text.startswith("- ") and self._lines[-1].startswith("- ")) else [text]

    def skipped(self, reason: str) -> None:
        self.line(f"- Not measured: {reason}.")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self._lines += ["", _row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]

    def __str__(self) -> str:
        return "\n".join(self._lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def into(readme: Path, section: Section) -> None:
    """Replace what is between the section's marks."""
    text = readme.read_text(encoding="utf-8")
    begin, end = f"<!-- figures: {section.name} -->", f"<!-- end: {section.name} -->"
    block = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not block.search(text):
        raise ValueError(f"{readme.name} has no marks for {section.name}")
    readme.write_text(block.sub(lambda _: f"{begin}\n{section}\n{end}", text), encoding="utf-8")


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def mebibytes(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


def times(values: tuple[float, float]) -> str:
    """Rounded up, so that no figure flatters the step."""
    median, fastest = (f"{math.ceil(value * 100) / 100:.2f}\N{MULTIPLICATION SIGN}" for value in values)
    return f"{median} ({fastest})"


def verdict(aim: str, values: tuple[float, float], most: float) -> str:
    """Whether an aim is met, in words; a benchmark never fails."""
    met = [value <= most for value in values]
    word = "Met" if all(met) else "Not clear" if any(met) else "Missed"
    return f"- Aim: {aim}. **{word}**: {times(values)}."
