"""Text from outside made safe to show: without secrets, control characters, workflow commands and Markdown."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# GitHub's runner accepts `::command::` after leading blanks, and `##[command]` anywhere in a line, as Azure Pipelines
# accepts `##vso[…]` and TeamCity `##teamcity[…]`. A shell step may run on any of them.
_MARK = r"##(?=[A-Za-z]*\[)"
_COMMAND = re.compile(rf"^(\s*):(?=:)|{_MARK}", re.MULTILINE)
MIN_SECRET = 8  # characters; anything shorter is a placeholder, and hiding it would hide digits and words everywhere
_MIN_PART = 4  # characters; hiding a shorter part of a secret would hide much of every message
_CUT = re.compile(r"(\S{4,})…")
_ZERO_WIDTH_SPACE = "\u200b"
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")  # comes along when text is pasted


class Unpicklable:
    """A class that holds secrets: pickling it raises TypeError, so that they are not stored or sent by accident."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds secrets and cannot be pickled")


class Redactor:
    """Replaces every known secret by `***`, in every encoding in which it may be sent or shown."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spellings: list[str] = []
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Hide a secret from now on. Each line of a secret of several lines is hidden too."""
        for part in {secret, *(line for line in secret.splitlines() if len(line.strip()) >= _MIN_PART)}:
            if part.strip():
                self._spellings = sorted({*self._spellings, *_spelled(part)}, key=len, reverse=True)

    def finds(self, text: str) -> bool:
        """Whether a text contains a secret of at least MIN_SECRET characters."""
        return any(len(spelling) >= MIN_SECRET and spelling in text for spelling in self._spellings)

    def host(self, url: str) -> str:
        """A scheme and host, hidden as a whole if it contains a secret in any case."""
        folded = url.casefold()
        return "***" if any(spelling.casefold() in folded for spelling in self._spellings) else url

    def __call__(self, text: str) -> str:
        for spelling in self._spellings:
            text = text.replace(spelling, "***")
        return _CUT.sub(self._without_beginning, text) if "…" in text else text

    def _without_beginning(self, cut: re.Match[str]) -> str:
        """A truncated word, without the beginning of a secret at its end."""
        word = cut[1]
        for spelling in self._spellings:
            for length in range(min(len(word), len(spelling) - 1), _MIN_PART - 1, -1):
                if word.endswith(spelling[:length]):
                    return f"{word[:-length]}***…"
        return cut[0]


def _spelled(secret: str) -> set[str]:
    """A secret as it may appear in a URL, a form, JSON (PHP escapes slashes there), a page, a list or an error."""
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    coded = {quote(secret, safe=safe, errors="surrogateescape") for safe in ("", "/")}
    coded.add(quote_plus(secret, errors="surrogateescape"))
    coded |= {re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), text) for text in coded}
    slashed = {text.replace("/", r"\/") for text in escaped}
    listed = secret.replace('"', '""')
    return {secret, secret.strip(), html.escape(secret), listed, *escaped, *slashed, *coded}


def is_placeholder(secret: str) -> bool:
    """Whether a text is too short for a credential: it is neither used nor hidden."""
    return len(secret.strip()) < MIN_SECRET


def without_commands(json_text: str) -> str:
    """JSON of the same meaning in which no runner finds a command."""
    return re.sub(_MARK, r"#\\u0023", json_text)


def printable(text: str) -> str:
    """Lines for a log: without control characters, and without anything that a runner reads as a command."""
    text = _CONTROL.sub(_ZERO_WIDTH_SPACE, text.replace("\r\n", "\n").replace("\r", "\n"))
    return _COMMAND.sub(
        lambda found: found.group().replace(":", f":{_ZERO_WIDTH_SPACE}").replace("##", f"#{_ZERO_WIDTH_SPACE}#"),
        text,
    )


def is_single_line(text: str) -> bool:
    """Whether a text has neither line breaks, tabs nor control characters."""
    return not re.search(r"[\t\n]", text) and not _CONTROL.search(text)


def visible(text: str) -> str:
    """A text without soft hyphens, zero-width spaces and byte order marks."""
    return _INVISIBLE.sub("", text)


def folded(text: str) -> str:
    """A text as people compare it: one Unicode form (NFC), white space as single blanks, nothing invisible."""
    if not text.isascii():
        import unicodedata  # few names need it

        text = unicodedata.normalize("NFC", visible(text))
    return " ".join(text.split())


def meant(name: str, known: Iterable[str]) -> list[str]:
    """Those of the known names that a name means: the exact one, else those that read the same (see `folded`)."""
    known = list(known)
    return [one for one in known if one == name] or [one for one in known if folded(one) == folded(name)]


def reads_as(one: str | None, other: str | None) -> bool:
    """Whether two names are the same to people (see `folded`)."""
    return one == other or (one is not None and other is not None and folded(one) == folded(other))


def did_you_mean(value: str, known: Iterable[str | None]) -> str:
    """` (did you mean 'QA'?)` if a known name is similar, ignoring case; else an empty text."""
    import difflib  # loaded only if there is a mistake

    folded = {name.casefold(): name for name in known if name}
    near = difflib.get_close_matches(value.casefold(), folded, n=1)
    return f" (did you mean {one_line(folded[near[0]], 60)!r}?)" if near and folded[near[0]] != value else ""


def one_line(text: str, limit: int = 200) -> str:
    """A text with its white space folded to single spaces, truncated to `limit` characters."""
    text = " ".join(printable(text).split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def markdown(text: str, limit: int = 200) -> str:
    """One line that stays plain text in Markdown, also in a table cell."""
    text = re.sub(r"([\\`*_\[\]<>|~&$#!@])", r"\\\1", one_line(text, limit))
    return text.replace("://", "\\://").replace("www.", "www\\.")


def markdown_block(text: str, limit: int = 4000) -> str:
    """A fenced code block that its content cannot close, truncated to `limit` characters."""
    if len(text) > limit:
        text = f"{text[:limit]}\n… ({len(text) - limit} more characters)"
    ticks = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, ticks + 1)
    return f"{fence}text\n{_CONTROL.sub(_ZERO_WIDTH_SPACE, text)}\n{fence}"


def basic_pair(user: str, password: str) -> str:
    """User and password as encoded for HTTP Basic authentication, which is as secret as the password."""
    return b64encode(f"{user}:{password}".encode(errors="replace")).decode("ascii")


def plural(count: int, noun: str) -> str:
    """`1 tester`, `3 testers`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def span(seconds: float) -> str:
    """A duration in words: `1d 2h`, or `1m 30s` for 90 seconds."""
    left, parts = int(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        parts += [f"{count}{unit}"] if count else []
    return " ".join(parts) or "0s"
