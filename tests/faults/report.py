"""How a cell that failed is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.cells import Cell
    from faults.runs import Ran


def report(cell: Cell, ran: Ran, problems: list[str]) -> str:
    """A cell that failed, what it broke, and its log."""
    log = "\n".join(f"    {line}" for line in (ran.stdout + ran.stderr).splitlines()[-30:])
    what = "\n".join(f"  BROKEN {problem}" for problem in problems)
    again = f"  again: make faults ONLY='{cell}'"
    return f"{cell}: exit code {ran.code} in {ran.seconds:.1f} s, {ran.memory >> 20} MB\n{what}\n{again}\n{log[:6000]}"
