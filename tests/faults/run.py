"""`make faults`: the whole matrix, or those of its cells that a pattern names.

    python tests/faults/run.py [--only PATTERN] [--width N] [--list]

PATTERN is a cell's name, or one with `*` in it.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from faults.cells import Cell, cell_of, cells_of
from faults.commands import STEPS
from faults.invariants import broken
from faults.report import report
from faults.runs import Ran, StageOfMatrix

EVERY = 10.0  # seconds between two lines of progress


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", help="a cell's name, or a pattern of names")
    parser.add_argument("--width", type=int, default=16, help="cells at once")
    parser.add_argument("--list", action="store_true", help="print the names and run nothing")
    asked = parser.parse_args()
    with StageOfMatrix(asked.width) as stage:
        cells = chosen(stage, asked.only)
        if asked.list or not cells:
            print("\n".join(map(str, cells)) or f"no cell is called {asked.only}")
            return 0 if cells else 2
        return run(stage, cells, loud=len(cells) == 1)


def chosen(stage: StageOfMatrix, only: str) -> list[Cell]:
    """The cells that a name or a pattern means."""
    names = [name for name in STEPS if fnmatch.fnmatchcase(name, only.partition("/")[0])]
    if not set(only) & set("*?["):
        return [cell_of(only, stage.clean)] if names and only.count("/") >= 2 else []
    cells = [cell for name in names for cell in cells_of(STEPS[name], stage.clean(STEPS[name]))]
    return [cell for cell in cells if only == "*" or fnmatch.fnmatchcase(str(cell), only)]


def run(stage: StageOfMatrix, cells: list[Cell], *, loud: bool) -> int:
    """Run cells, print what they break, and return the exit code."""
    began = told = time.monotonic()
    codes: Counter[int] = Counter()
    failures: Counter[str] = Counter()
    failed = 0

    def done(cell: Cell, ran: Ran) -> None:
        nonlocal told, failed
        codes[ran.code] += 1
        problems = broken(cell, ran, stage.clean(cell.step))
        failures.update(problem.partition(":")[0] for problem in problems)
        if problems or loud:
            failed += bool(problems)
            print(report(cell, ran, problems), flush=True)
        if time.monotonic() - told > EVERY:
            told = time.monotonic()
            print(f"{codes.total()} of {len(cells)} cells, {failed} failed, {told - began:.0f} s", flush=True)

    stage.run_all(cells, done)
    print(f"{len(cells)} cells in {time.monotonic() - began:.0f} s, {failed} failed")
    print("exit codes: " + ", ".join(f"{code}: {number}" for code, number in sorted(codes.items())))
    for name, number in failures.most_common():
        print(f"  {name}: {number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
