"""What a server says of a failed request, whatever its shape: the service, an identity provider, GitHub's runner.

One reader for all of them: docs/reference/errors.md#what-the-server-says lists the shapes.
"""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sauce_appdist.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOREIGN = "This may come from a proxy or a firewall."
_MAX_BODY = 1 << 20  # bytes that are read
_WINDOW = 8192  # characters of a page that are looked at; it names itself in its first lines
_LONGEST = 300  # characters of a message that are shown
_EXCERPT = 160  # characters of a page or a text that are shown
_DEEPEST = 4
# In the order in which they are told: OAuth (RFC 6749), Okta, ADFS, problem details (RFC 9457), JSON:API and GraphQL.
_NAMES = (
    *("error", "errorCode", "error_description", "errorSummary"),
    *("title", "message", "detail", "errors"),
)
# What is not closed goes on to the end, as in a browser. It also keeps the search linear.
_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|svg)\b.*?(?:</\1\s*>|\Z)|<[^>]*(?:>|\Z)", re.IGNORECASE | re.DOTALL
)
# A failed answer of an identity provider may have a token that nobody knows yet: a JWT, or what a field calls one.
_TOKEN = re.compile(
    r"(\b(?:access|id|refresh)_token[\"']?\s{0,4}[:=]\s{0,4}[\"']?)[^\s\"'&,<>]{8,}|eyJ[\w-]{5,}(?:\.[\w-]*){0,4}",
    re.ASCII,
)
_TITLE = re.compile(r"<title[^<>]*>(.*)", re.IGNORECASE | re.DOTALL)
_END_OF_TITLE = re.compile("</title", re.IGNORECASE)


class Reason(NamedTuple):
    """What a failed answer says: one line without secrets, "" if it says nothing.

    A message is what JSON names as the reason. A page or any other text may come from something in between.
    """

    text: str = ""
    kind: Literal["message", "page", "text"] = "message"

    def __bool__(self) -> bool:
        return bool(self.text)

    def __str__(self) -> str:
        if self.kind == "message":
            return self.text
        return f"a page, {self.text!r}" if self.kind == "page" else f"the text {self.text!r}"

    @property
    def doubt(self) -> str:
        """A sentence on who may have answered instead; "" for a message."""
        return "" if self.kind == "message" else FOREIGN


def read_reason(body: bytes, redact: Callable[[str], str]) -> Reason:
    """The reason in the body of a failed answer; `redact` hides secrets. What looks like a token is hidden too."""
    return _reason(body, lambda text: _TOKEN.sub(r"\1***", redact(text)))


def _reason(body: bytes, redact: Callable[[str], str]) -> Reason:
    try:
        data = json.loads(body[: _MAX_BODY + 1])
    except (ValueError, RecursionError):
        data = None
    said = ": ".join(dict.fromkeys(text.strip().rstrip(".") for text in _told(data) if text.strip()))
    if said:
        return Reason(one_line(redact(said), _LONGEST))
    if isinstance(data, dict) and (not data or data.keys() & {"status", "code"}):
        return Reason()
    text = data if isinstance(data, str) else body[:_MAX_BODY].decode("utf-8", "replace")
    # Before anything is cut, taken out or decoded: half a secret would not be recognized, nor one without its "<".
    text = redact(text if len(body) <= _MAX_BODY else f"{text}…")
    if not text.lstrip("\ufeff \t\r\n").startswith("<"):
        shown = one_line(text, _EXCERPT)
        return Reason(shown, "text") if shown else Reason()
    page = text if len(text) <= _WINDOW else f"{text[:_WINDOW]}…"
    shown = one_line(redact(unescape(_title(page))), _EXCERPT)
    shown = shown or one_line(redact(unescape(_UNSEEN.sub(" ", page))), _EXCERPT)
    return Reason(shown, "page")


def _title(page: str) -> str:
    """The title of a page; "" if it has none."""
    before, *closed = _END_OF_TITLE.split(page, maxsplit=1)
    found = _TITLE.search(before) if closed else None
    return found[1] if found else ""


def _told(value: Any, depth: int = 0) -> Iterator[str]:
    """The texts that name a reason, in the order of `_NAMES`; of an object inside `errors`, any text."""
    if isinstance(value, str):
        if depth:
            yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if depth:
            yield str(value)
    elif isinstance(value, list) and depth < _DEEPEST:
        for item in value:
            yield from _told(item, depth + 1 if isinstance(item, (dict, list)) else depth)
    elif isinstance(value, dict) and depth < _DEEPEST:
        found = [text for name in _NAMES for text in _told(value.get(name), depth + 1)]
        if not found and depth:
            rest = [value["code"]] if "code" in value else list(value.values())
            found = [text for item in rest for text in _told(item, depth + 1)]
        yield from found
