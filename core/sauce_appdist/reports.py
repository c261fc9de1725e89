"""The files that a gate leaves: JSON for scripts, and JUnit XML for GitLab's merge requests and test reporters."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from sauce_appdist.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

JSON_REPORT, JUNIT_REPORT = "appdist-gate.json", "appdist-gate.xml"
# What XML 1.0 has no way to write.
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Reports:
    """Both files, in a directory that has none of an earlier run: what is there is of this one."""

    def __init__(self, folder: str) -> None:
        """Raises InputError where they cannot be written."""
        self._folder = Path(folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name in (JSON_REPORT, JUNIT_REPORT):
                self._write(name, "")
                (self._folder / name).unlink()
        except OSError as error:
            raise self._unwritable(error) from None

    def write(self, about: Mapping[str, Any], junit: str) -> None:
        """Raises InputError where they cannot be written."""
        try:
            self._write(JSON_REPORT, json.dumps(about, ensure_ascii=False, indent=2) + "\n")
            self._write(JUNIT_REPORT, junit)
        except OSError as error:
            for name in (JSON_REPORT, JUNIT_REPORT):  # better none than one of before
                with suppress(OSError):
                    (self._folder / name).unlink()
            raise self._unwritable(error) from None

    def _write(self, name: str, text: str) -> None:
        """There is the whole of it or the one before, whenever the job is cancelled."""
        part = self._folder / f".{name}.part"
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(self._folder / name)

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(f"gate-reports is {self._folder}, where nothing can be written: {error.strerror}.")


def junit(
    title: str, classname: str, cases: Sequence[tuple[str, str, str]], *, inconclusive_is_error: bool, at: datetime
) -> str:
    """A file of one suite. A case is a name, its state and a text.

    `failed` is a failure; `passed` is a success; everything else is an error, or skipped if it is not
    `inconclusive_is_error`.
    """
    kinds = {"passed": "", "failed": "failure", "error": "error"}
    doubtful = "error" if inconclusive_is_error else "skipped"
    listed = [(name, kinds.get(state, doubtful), text) for name, state, text in cases]
    totals = {"tests": str(len(listed))}
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        totals[name] = str(sum(one == kind for _, one, _ in listed))
    root = ET.Element("testsuites", {"name": "sauce-appdist", **totals, "time": "0"})
    about = {"name": _writable(title), **totals, "time": "0", "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S")}
    suite = ET.SubElement(root, "testsuite", about)
    for name, kind, text in listed:
        case = ET.SubElement(suite, "testcase", {"classname": _writable(classname), "name": name, "time": "0"})
        if kind:
            ET.SubElement(case, kind, {"message": _writable(text)}).text = _writable(text)
        else:
            ET.SubElement(case, "system-out").text = _writable(text)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
