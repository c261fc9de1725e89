"""What a step reports at its end, independent of the CI system."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sauce_appdist.errors import AppDistError
    from sauce_appdist.verdict.checks import Check

PartState = Literal["done", "planned", "failed", "unknown", "not done"]
MARKS: Mapping[str, str] = {
    "done": "✅",
    "planned": "📝",
    "failed": "❌",
    "unknown": "❓",
    "not done": "⬜",
    # of a gate's checks
    "passed": "✅",
    "inconclusive": "❓",
    "error": "❗",
}


class Fact(NamedTuple):
    """A row of the summary: a label, a text, and the URL that the text links to."""

    label: str
    text: str
    url: str | None = None


class PartResult(NamedTuple):
    """One part of a promotion, how it ended and what it did."""

    name: str
    state: PartState
    detail: str


@dataclass
class Report:
    """What a step reports at its end; filled while it runs. `state` counts only if there is no problem."""

    title: str
    facts: list[Fact] = field(default_factory=list)
    parts: list[PartResult] = field(default_factory=list)
    notes: str | None = None
    links: list[Fact] = field(default_factory=list)
    problem: AppDistError | None = None
    state: PartState = "done"
    checks: list[Check] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """The symbol for how the step ended."""
        return MARKS["failed" if self.problem else self.state]

    def fact(self, label: str, text: str | None, url: str | None = None) -> None:
        """Add a row; None and "" are left out, a second row of the same label replaces the first."""
        self.facts = [fact for fact in self.facts if fact.label != label]
        if text:
            self.facts.append(Fact(label, text, url))
            if url:
                self.links.append(Fact(label, text, url))
