"""The parts of a promotion in order: what each has to do, how it ended, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sauce_appdist.ci.report import PartResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sauce_appdist.ci.report import PartState


@dataclass
class _Entry:
    name: str
    detail: str = ""  # what it has to do, then what it did
    state: PartState = "not done"
    begun: bool = False
    completed: bool = False  # it did what the inputs ask for
    wrote: bool = False  # it changed something on the service


class Ledger:
    """One entry per part; the source of outputs, summary and advice."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self.failed: str | None = None  # the part that stopped the promotion

    def plan(self, parts: Mapping[str, str]) -> None:
        """Add parts, and what each has to do."""
        for name, detail in parts.items():
            self._entry(name).detail = detail

    def begin(self, names: Iterable[str]) -> None:
        """Mark parts as begun; adds those that are missing."""
        for name in names:
            self._entry(name).begun = True

    def note(self, name: str, detail: str, state: PartState = "done") -> None:
        """Record what a part did, and the state it ends in if nothing fails."""
        entry = self._entry(name)
        entry.detail, entry.state = detail, state

    def complete(self, names: Iterable[str], *, planned: bool, wrote: bool) -> None:
        """Record parts that ended well. `planned`: a dry run, so that they did nothing."""
        for entry in map(self._entry, names):
            if planned or entry.state == "not done":
                entry.state = "planned" if planned else "done"
            entry.completed = not planned
            entry.wrote = entry.wrote or wrote

    def fail(self, names: Iterable[str], detail: str, *, unknown: bool, wrote: bool) -> None:
        """Record parts that stop the promotion. `unknown`: they may have had their effect."""
        for entry in map(self._entry, names):
            self.failed = self.failed or entry.name
            entry.state, entry.detail, entry.completed = "unknown" if unknown else "failed", detail, False
            entry.wrote = entry.wrote or wrote

    @property
    def completed(self) -> list[str]:
        """Names of the parts that did what the inputs ask for."""
        return [entry.name for entry in self._entries.values() if entry.completed]

    @property
    def written(self) -> list[str]:
        """Names of the parts that changed something on the service."""
        return [entry.name for entry in self._entries.values() if entry.wrote]

    @property
    def remaining(self) -> list[str]:
        """Names of the parts that were planned and not begun."""
        return [entry.name for entry in self._entries.values() if not entry.begun]

    def results(self) -> list[PartResult]:
        """Every part for the summary; one that was not begun has no detail."""
        return [
            PartResult(entry.name, entry.state, entry.detail if entry.state != "not done" or entry.begun else "")
            for entry in self._entries.values()
        ]

    def _entry(self, name: str) -> _Entry:
        return self._entries.setdefault(name, _Entry(name))
