"""Measure everything side by side and write the figures to bench/README.md: `make bench`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import cold, find, load, redact, report, warm, wire
from bench.measure import Failed
from bench.setting import Setting

SECTIONS = {
    "wire": wire.run,
    "warm": warm.run,
    "find": find.run,
    "cold": cold.run,
    "redact": redact.run,
    "load": load.run,
}


def main() -> int:
    """Measure everything; 1 if a contestant fails to run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, help="measure this one, leave the figures of the others")
    parser.add_argument("--quick", action="store_true", help="a few rounds, printed and not written")
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="sauce-appdist-bench-") as temp:
        setting = Setting(Path(temp).resolve(), quick=options.quick)
        for name in [options.only] if options.only else SECTIONS:
            sys.stderr.write(f"{name}\n")
            try:
                section = SECTIONS[name](setting)
            except (Failed, AssertionError, RuntimeError) as error:
                sys.stderr.write(f"{name} cannot be measured: {error}\n")
                failed = True
                continue
            print(f"\n## {name}\n\n{section}\n", flush=True)
            if not options.quick:
                report.into(Path(__file__).with_name("README.md"), section)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
