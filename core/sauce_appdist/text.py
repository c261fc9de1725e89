"""Text from outside made safe to show: without secrets, control characters, workflow commands and Markdown."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What a terminal obeys, what ends a line, what turns the order of a line round, half a surrogate pair, and tags, which
# are text that nobody sees, unless they name the country of a flag.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
    r"|(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0000-\U000e007f]+"
)
# In JSON an escape means the same, so everything that is not seen is escaped, but for the joiners of scripts and emoji.
_NOT_SEEN = (  # compiled where JSON is written
    "[\x80-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
# GitHub's runner accepts `::command::` after leading blanks, and `##[command]` anywhere in a line, as Azure Pipelines
# accepts `##vso[…]` and TeamCity `##teamcity[…]`. A shell step may run on any of them.
_MARK = r"##(?=[A-Za-z]*\[)"
_COMMAND = re.compile(rf"^([^\S\n]*):(?=:)|{_MARK}", re.MULTILINE)
MIN_SECRET = 8  # characters; anything shorter is a placeholder, and hiding it would hide digits and words everywhere
_MIN_PART = 4  # characters; hiding a shorter part of a secret would hide much of every message
_CUT = re.compile(r"…+|\.{3,}")
_MASKS = ("***", "???", "XXX")  # the first that no secret begins with, ends with or contains
_COMPARED = 200  # characters of a name that are compared: the time for it grows with their square
_ZERO_WIDTH_SPACE = "\u200b"
# What GitHub turns into a link or an emoji: @name, #123, GH-123, :name:. Not 12:30:45, which people copy.
_LINKED = re.compile(r"@|#(?=\d)|\bGH-(?=\d)|:(?!\d\d:)(?=[\w+-]+:)", re.IGNORECASE | re.ASCII)
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")  # comes along when text is pasted


class Unpicklable:
    """A class that holds secrets: pickling it raises TypeError, so that they are not stored or sent by accident."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds secrets and cannot be pickled")


class Redactor:
    """Replaces every known secret by `***`, in every encoding in which it may be sent or shown.

    The beginning of a secret right before a cut (`…` or `...`) is hidden too. A text without secrets comes back
    unchanged. The time is proportional to the text, whoever wrote it, at most times the longest secret.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._spellings: set[str] = set()
        self._by_head: dict[str, list[str]] = {}
        self._longest = 0
        self._mask = _MASKS[0]
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Hide a secret from now on. Each line of a secret of several lines is hidden too."""
        for part in {secret, *(line for line in secret.splitlines() if len(line.strip()) >= _MIN_PART)}:
            for spelling in _spelled(part) - self._spellings if part.strip() else ():
                self._spellings.add(spelling)
                self._by_head.setdefault(spelling[:_MIN_PART], []).append(spelling)
                self._longest = max(self._longest, len(spelling))
                if _may_continue(self._mask, spelling):
                    fitting = (mask for mask in _MASKS if not any(_may_continue(mask, one) for one in self._spellings))
                    self._mask = next(fitting, _MASKS[0])

    def finds(self, text: str) -> bool:
        """Whether a text contains a secret of at least MIN_SECRET characters."""
        return any(len(spelling) >= MIN_SECRET and spelling in text for spelling in self._spellings)

    def host(self, url: str) -> str:
        """A scheme and host, hidden as a whole if it contains a secret in any case."""
        folded = url.casefold()
        return "***" if any(spelling.casefold() in folded for spelling in self._spellings) else url

    def __call__(self, text: str) -> str:
        # All are searched in the original: replacing one would leave a piece of another that overlaps it.
        shown: list[str] = []
        end = 0
        for start, stop in sorted([*self._whole(text), *self._cut_off(text)]):
            if start > end or not shown:
                shown += text[end:start], self._mask
            end = max(end, stop)
        return "".join([*shown, text[end:]]) if shown else text

    def _whole(self, text: str) -> Iterator[tuple[int, int]]:
        """Where secrets are; occurrences of one spelling that overlap or touch count as one."""
        for spelling in self._spellings:
            start = at = text.find(spelling)
            while at >= 0:
                stop = at + len(spelling)
                at = text.find(spelling, at + 1)
                if not stop >= at >= 0:
                    yield start, stop
                    start = at

    def _cut_off(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the beginning of a secret is right before a cut, with no other cut in it."""
        if "…" not in text and "..." not in text:
            return
        after = 0
        for cut in _CUT.finditer(text):
            first, end = max(after, cut.start() - self._longest + 1), cut.start()
            after = cut.end()
            # Dots end sentences too, which must not lose a word because a secret begins with it.
            last = end - (_MIN_PART if cut[0][0] == "…" else MIN_SECRET)
            for head, spellings in self._by_head.items() if first <= last else ():
                at = text.find(head, first, end)
                while 0 <= at <= last:
                    if any(spelling.startswith(text[at:end]) for spelling in spellings):
                        yield at, end
                        break
                    at = text.find(head, at + 1, end)


def _may_continue(mask: str, spelling: str) -> bool:
    """Whether a mask, next to other text, may become part of this spelling of a secret."""
    return mask in spelling or spelling[0] in mask or spelling[-1] in mask


def _spelled(secret: str) -> set[str]:
    """A secret as it may appear in a URL, a form, JSON (PHP escapes slashes there), a page, a list or an error."""
    # Python quotes a text that has both quotes in another way than a text that has one.
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    escaped |= {repr(secret)[1:-1], repr(secret + "'\"")[1:-4]}
    raw = _bytes(secret)
    coded = {*(quote(raw, safe=safe) for safe in ("", "/")), quote_plus(raw)}
    coded |= {re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), text) for text in coded}
    slashed = {text.replace("/", r"\/") for text in escaped}
    listed = secret.replace('"', '""')
    shown = one_line(secret, len(secret) * 2) if len(secret.splitlines()) == 1 else secret  # in messages
    return {secret, secret.strip(), html.escape(secret), listed, shown, *escaped, *slashed, *coded}


def _bytes(text: str) -> bytes:
    """UTF-8, also of bytes from the environment that are not, and of half surrogate pairs from JSON."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def encodable(text: str) -> str:
    """The text with `?` for half a surrogate pair, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def is_placeholder(secret: str) -> bool:
    """Whether a text is too short for a credential: it is neither used nor hidden."""
    return len(secret.strip()) < MIN_SECRET


def json_text(data: Any, *, ascii_only: bool = False) -> str:
    """Indented JSON in which no runner finds a command, and that shows a terminal nothing to obey or to hide."""
    text = json.dumps(data, ensure_ascii=ascii_only, indent=2)
    text = re.sub(_NOT_SEEN, lambda found: json.dumps(found[0])[1:-1], text)
    return re.sub(_MARK, r"#\\u0023", text).replace("\x7f", r"\u007f")


def printable(text: str) -> str:
    """Lines for a log: without control characters, and without anything that a runner reads as a command."""
    text = _CONTROL.sub(_ZERO_WIDTH_SPACE, _with_line_feeds(text))
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
    known, plain = list(known), folded(name)
    return [one for one in known if one == name] or [one for one in known if folded(one) == plain]


def reads_as(one: str | None, other: str | None) -> bool:
    """Whether two names are the same to people (see `folded`)."""
    return one == other or (one is not None and other is not None and folded(one) == folded(other))


def did_you_mean(value: str, known: Iterable[str | None]) -> str:
    """` (did you mean 'QA'?)` if a known name is similar, ignoring case; else an empty text."""
    import difflib  # loaded only if there is a mistake

    folded = {name[:_COMPARED].casefold(): name for name in known if name}
    near = difflib.get_close_matches(value[:_COMPARED].casefold(), folded, n=1)
    return f" (did you mean {one_line(folded[near[0]], 60)!r}?)" if near and folded[near[0]] != value else ""


def one_line(text: str, limit: int = 200) -> str:
    """A text with its white space folded to single spaces, truncated to `limit` characters."""
    text = " ".join(printable(text).split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def markdown(text: str, limit: int = 200) -> str:
    """One line that stays plain text in GitHub's Markdown, also in a table cell and after its filters.

    Those make links of names, numbers and emoji codes in what is rendered already, where an escape is gone: there, a
    zero-width space is put in between.
    """
    text = _LINKED.sub(lambda found: f"{found[0]}{_ZERO_WIDTH_SPACE}", one_line(text, limit))
    text = re.sub(r"([\\`*_\[\]<>|~&$#!@])", r"\\\1", text)
    return text.replace("://", "\\://").replace("www.", "www\\.")


def web_link(url: str) -> str:
    """A web address without anything that ends a link, whether in Markdown or on a terminal; "" for any other text."""
    address = quote(url, safe="/:?#@!$&'*+,;=%-._~", errors="replace")
    return address if re.match("https?://[^/?#]", address) else ""


def markdown_block(text: str, limit: int = 4000) -> str:
    """A fenced code block that its content cannot close, truncated to `limit` characters."""
    if len(text) > limit:
        text = f"{text[:limit]}\n… ({len(text) - limit} more characters)"
    text = _CONTROL.sub(_ZERO_WIDTH_SPACE, _with_line_feeds(text))
    ticks = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, ticks + 1)
    return f"{fence}text\n{text}\n{fence}"


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
