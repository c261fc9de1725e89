"""The verdict as JUnit XML, for GitLab's merge requests and test reporters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

# What XML 1.0 has no way to write.
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
