"""What a step does not need is never loaded, whatever is installed beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from harness import connection

if TYPE_CHECKING:
    from pathlib import Path

    from harness import Service


def test_optional_packages_of_others_are_not_loaded(service: Service, tmp_path: Path) -> None:
    """requests would load these to guess encodings and to read JSON."""
    for name in ("chardet", "simplejson", "charset_normalizer"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name} was loaded')\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sauce_appdist", "check"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), **connection(service.url)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
