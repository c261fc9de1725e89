"""Redaction and escaping of 1 MB of each kind of text, against `str.replace` of the same spellings."""

from __future__ import annotations

import base64
import json
import random
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING

from bench.report import Section, milliseconds, times

from sauce_appdist.text import Redactor, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.setting import Setting

SIZE, MOST = 1_000_000, 1.0  # characters; seconds
_JWT = f"eyJhbGciOiJSUzI1NiJ9.{'Zm9v/' * 300}.c2ln"
_SECRETS = ["nw-demo-key-0001", "q\"u'o\\te<zjx>&amp;|`wqk`$%;", _JWT]


def run(setting: Setting) -> Section:
    section = Section("redact", setting)
    redact = Redactor(_SECRETS)
    rows, slowest = [], 0.0
    for name, text in _texts().items():
        works: dict[str, Callable[[], object]] = {
            "redact": partial(redact, text),
            "replace": partial(_replaced, text, redact._spellings),
            "printable": partial(printable, text),
        }
        taken = _taken(works, setting.rounds(9))
        ratios = [one / two for one, two in zip(taken["redact"], taken["replace"], strict=True)]
        ratio = statistics.median(ratios), min(taken["redact"]) / min(taken["replace"])
        slowest = max(slowest, statistics.median(taken["redact"]), statistics.median(taken["printable"]))
        rows.append([name, *(milliseconds(statistics.median(taken[work])) for work in works), times(ratio)])
    section.table(["1 MB of", "`Redactor`", "`str.replace`", "`printable`", "`Redactor` takes"], rows)
    met = "Met" if slowest <= MOST else "Missed"
    section.line(f"- Aim: at most {MOST:g} s for each, whatever the text. **{met}**: {milliseconds(slowest)}.")
    return section


def _texts() -> Mapping[str, str]:
    dice = random.Random(1)
    page = '<div class="a"><!-- b --><title>c &amp; d</title></div>'
    answer = json.dumps({"projects": [{"id": 6905338, "name": "App …", "self": "/projects/6905338", "url": "a/b"}]})
    return {
        "one word, and a cut": "a" * (SIZE - 1) + "…",
        "cuts": "…" * SIZE,
        "short words, each cut": _filled("abcd…"),
        "the beginning of a token, each cut": _filled("eyJhbGci…"),
        "secrets, one after the other": _filled(_SECRETS[0] + " "),
        "tokens": _filled(_JWT + "\n"),
        "an image as base64": "data:image/png;base64," + base64.b64encode(dice.randbytes(SIZE * 3 // 4)).decode(),
        "JSON": _filled(answer),
        "HTML": _filled(page),
        "control characters": _filled("\x00\x1b[31m\x85\u202e"),
        "empty lines": "\n" * SIZE,
    }


def _filled(piece: str) -> str:
    return (piece * (SIZE // len(piece) + 1))[:SIZE]


def _replaced(text: str, spellings: set[str]) -> str:
    for spelling in spellings:
        text = text.replace(spelling, "***")
    return text


def _taken(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each round; all take turns."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - started)
    return taken
