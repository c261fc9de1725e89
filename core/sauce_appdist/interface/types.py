"""The types of inputs: how text is parsed into a value, and how a value is written as text."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, BeforeValidator, SecretStr

from sauce_appdist.text import MIN_SECRET, is_placeholder, is_single_line, one_line
from sauce_appdist.wire.regions import check_base_url, check_url

if TYPE_CHECKING:
    from collections.abc import Callable


_DURATION = re.compile(r"(\d+)(s|m|h|d)", re.IGNORECASE | re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TRUE, _FALSE = {"true", "on", "yes", "1"}, {"false", "off", "no", "0"}


def _flag(value: object) -> object:
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"is {one_line(value, 40)!r}, expected true or false (on/off, yes/no, 1/0 work too)")


def _word(value: object) -> object:
    """For an input that is a boolean or another word: every spelling of a boolean becomes true or false."""
    word = str(value).strip().lower()
    return "true" if word in _TRUE else "false" if word in _FALSE else word


def _duration(most_days: int) -> Callable[[object], object]:
    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        if found := _DURATION.fullmatch(value.strip()):
            seconds = float(found[1]) * _SECONDS[found[2].lower()]
            if seconds > most_days * _SECONDS["d"]:
                raise ValueError(f"is {one_line(value, 40)!r}, expected at most {most_days}d")
            return seconds
        raise ValueError(f"is {one_line(value, 40)!r}, expected a whole number with its unit: 90s, 15m, 24h or 7d")

    return read


# What GitHub's expressions make of a list or an object, and toJSON of nothing.
_UNCONVERTED = {"Array", "Object", "null", "[object Object]"}
# Other notations of a list. Read as items, `forbid-tags: "- blocked"` would let a build with that tag pass.
_OTHER_LISTS = {
    re.compile(r"\[[^\[\]\",\n\r]*[,\n\r][^\[\]]*\]"): "is a list in brackets without quotes",
    re.compile(r"[-*] [^\n\r]*(?:[\n\r]\s*[-*] [^\n\r]*)*"): "is a list with a dash before each item",
    re.compile(
        r"'[^']*'(?:(?:\s*,|[^\S\n\r]*[\n\r])\s*'[^']*')*|“[^”]*”"
    ): "is in quotes that would be part of the names",
    re.compile(r"(?s).*\S[^\S\n\r]+#\s.*"): "has ' # ', but there are no comments in a list",
}


def _lines(text: str) -> list[str]:
    """The lines of a text. Only line feeds and carriage returns end one: U+2028 and its kin are part of a value."""
    return re.split(r"\r\n|\r|\n", text)


def _items(value: object) -> object:
    """A list separated by commas or newlines, or a JSON array of strings; a quoted item may contain commas.

    There are no comments: `#4711` is an item.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text in _UNCONVERTED:
        raise ValueError(f"is {text!r}, which is not a list: convert the expression with toJSON or join")
    items = _json_items(text) if text.startswith("[") else None
    if items is None:
        if problem := _other_list(text):
            raise ValueError(
                f"{problem}: set names separated by commas or newlines. For a name that really has that, set a JSON "
                'array of strings, like ["a", "b"]'
            )
        try:
            rows = [row for line in _lines(text) for row in _csv_rows(line)]
        except csv.Error:
            raise ValueError('contains an unclosed quote: quote an item with a comma like "a, b"') from None
        items = [item.strip() for row in rows for item in row if item.strip()]
    if not items:
        raise ValueError("contains no item: set names separated by commas or newlines, or omit it")
    return list(dict.fromkeys(items))


def _other_list(text: str) -> str | None:
    """What a text is if it is a list in a notation that would be taken for names."""
    return next((problem for pattern, problem in _OTHER_LISTS.items() if pattern.fullmatch(text)), None)


def _csv_rows(line: str) -> list[list[str]]:
    """The items of a line by itself: an unclosed quote does not swallow the next line."""
    return list(csv.reader([line.strip()], skipinitialspace=True, strict=True))


def _json_items(text: str) -> list[str] | None:
    """The items of a JSON array; None for a text that only looks like one, such as `[wip]`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        if re.match(r"""\[\s*["']""", text):
            raise ValueError("looks like a JSON array, but is not valid JSON: set names separated by commas") from None
        return None
    items = []
    for item in found:
        if isinstance(item, bool) or not isinstance(item, (str, int)):
            raise ValueError(  # noqa: TRY004 - pydantic takes this one
                "is a JSON array with an item that is not a string: use an array of strings"
            )
        if not str(item).strip():
            raise ValueError("is a JSON array with an empty item: remove it")
        items.append(str(item).strip())
    return items


def _no_comma(what: str) -> Callable[[list[str]], list[str]]:
    def check(items: list[str]) -> list[str]:
        for item in items:
            if "," in item:
                raise ValueError(f"has {one_line(item, 60)!r}, but {what} a comma: the service splits there")
        return items

    return check


def _utf8(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("is not UTF-8: save the text as UTF-8") from None
    return value


def _line(value: str) -> str:
    if not value.strip():
        raise ValueError("contains only white space: set a value, or omit it")
    value = _utf8(value.strip())
    if not is_single_line(value):
        raise ValueError("contains a line break or a control character: set a single line")
    return value


def _prose(value: str) -> str:
    if not value.strip():
        raise ValueError("contains only white space: set a text, or omit it")
    if "\0" in value:
        raise ValueError("contains a NUL character: set plain text")
    return _utf8(value)


def _converted(value: str) -> str:
    """A text that is not what an expression makes of something else than a text. GitHub writes `Array` for a list."""
    if value.strip() in _UNCONVERTED:
        raise ValueError(
            f"is {value.strip()!r}: the expression that it is set from gives no text. Set a text, or omit it"
        )
    return value


def _unquoted(value: str) -> str:
    """A name as it is to be. An expression such as toJSON, a shell or an env file may leave quotes around it."""
    if re.fullmatch(r"""(?s)(["']).*\1|\[\s*".*\]|\{\s*".*\}""", value) and len(value) > 1:
        raise ValueError(f"is {one_line(value, 60)!r}, whose quotes would be part of it: set it without them")
    return value


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[\w-]+", value, re.ASCII):
        raise ValueError(f"is {one_line(value, 60)!r}, which is not a valid id: expected something like 6905338")
    return value


def _project_identifier(value: str) -> str:
    """An id, or a number and a name as the dashboard's URLs have it (`6806100-my%20app`)."""
    name = unquote(value)
    return name if re.fullmatch(r"[0-9]+-[^/?#]+", value) and is_single_line(name) else _identifier(value)


def _secret(value: SecretStr) -> SecretStr:
    # requests quotes a header that it cannot send in its error message.
    text = value.get_secret_value().strip()
    if not text or not re.fullmatch(r"[!-~]+", text):
        raise ValueError("is empty, or contains white space or a character outside ASCII: paste it again")
    _not_a_placeholder(text)
    return SecretStr(text)


def _not_a_placeholder(text: str) -> None:
    if is_placeholder(text):
        raise ValueError(
            f"has fewer than {MIN_SECRET} characters, so it is not a credential: set the real one, or omit it"
        )


def _passphrase(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text or not is_single_line(text):
        raise ValueError("is empty, or contains a line break or a control character: paste it again")
    _not_a_placeholder(text)
    return SecretStr(_utf8(text))


def _pairs(value: object) -> object:
    """`key=value` lines, or a JSON object of strings; the keys become metadata_<key>. There are no comments."""
    if not isinstance(value, str):
        return value
    if value.strip() in _UNCONVERTED:
        raise ValueError(f"is {value.strip()!r}: set one key=value a line, or convert the expression with toJSON")
    pairs = _json_pairs(value.strip()) if value.strip().startswith("{") else {}
    for number, line in enumerate(_lines("" if pairs else value), 1):
        if not line.strip():
            continue
        key, equals, text = (part.strip() for part in line.partition("="))
        if not equals:
            raise ValueError(f"line {number} is {one_line(line, 60)!r}, expected key=value")
        if not re.fullmatch(r"[\w.-]+", key, re.ASCII):
            raise ValueError(f"line {number} has the key {one_line(key, 60)!r}: letters, digits, _ . - only")
        if key in pairs:
            raise ValueError(f"line {number} sets {key} a second time: keep one")
        pairs[key] = text
    if not pairs:
        raise ValueError("contains no key=value line: set one, or omit it")
    return pairs


def _json_pairs(text: str) -> dict[str, str]:
    """The pairs of a JSON object, as the output of this name has them."""
    try:
        found = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError):
        raise ValueError("starts like a JSON object, but is not valid JSON: set one key=value a line") from None
    pairs: dict[str, str] = {}
    for key, text_ in found:
        if not isinstance(text_, str):
            raise ValueError(  # noqa: TRY004 - pydantic takes this one
                f"is a JSON object whose {one_line(key, 60)!r} is not a string: quote the value"
            )
        if not re.fullmatch(r"[\w.-]+", key, re.ASCII):
            raise ValueError(f"has the key {one_line(key, 60)!r}: letters, digits, _ . - only")
        if key in pairs:
            raise ValueError(f"sets {key} a second time: keep one")
        pairs[key] = text_
    return pairs


def keyword(word: str) -> AfterValidator:
    """A word with a meaning of its own, in whatever case it is written."""
    return AfterValidator(lambda value: word if value.casefold() == word else value)


Line = Annotated[str, AfterValidator(_line)]
Name = Annotated[
    Line, AfterValidator(_converted), AfterValidator(_unquoted)
]  # that is written or matched, not only searched for
Prose = Annotated[str, AfterValidator(_prose), AfterValidator(_converted)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Passphrase = Annotated[SecretStr, AfterValidator(_passphrase)]  # never sent as a header without encoding
Identifier = Annotated[Line, AfterValidator(_identifier)]
ProjectIdentifier = Annotated[Line, AfterValidator(_project_identifier)]
BaseUrl = Annotated[Line, AfterValidator(check_base_url)]
SecretUrl = Annotated[Line, AfterValidator(check_url)]
Word = BeforeValidator(_word)
Flag = Annotated[bool, BeforeValidator(_flag)]
Duration = Annotated[float, BeforeValidator(_duration(30))]
Age = Annotated[float, BeforeValidator(_duration(3650))]
Items = Annotated[list[Line], BeforeValidator(_items)]
Tags = Annotated[Items, AfterValidator(_no_comma("a tag cannot contain"))]
CommaFreeNames = Annotated[Items, AfterValidator(_no_comma("a name here cannot contain"))]
Pairs = Annotated[dict[str, Annotated[str, AfterValidator(_prose)] | Literal[""]], BeforeValidator(_pairs)]


def duration_text(seconds: float) -> str:
    """A duration (seconds) in the largest unit that gives a whole number: `30s`, `2h`."""
    unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0)
    return f"{seconds / _SECONDS[unit]:.0f}{unit}" if seconds else "0s"


def as_text(value: Any) -> str:
    """A value as text: booleans as true or false, lists so that an input can read them, objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            return json.dumps(value, ensure_ascii=False)
        text = ",".join(_quoted(item) for item in value)
        return json.dumps(value, ensure_ascii=False) if _other_list(text) else text
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _quoted(item: str) -> str:
    """An item of a list, quoted if `_items` would otherwise not read it back."""
    plain = not re.search(r'[,"]', item) and not item.startswith("[") and item not in _UNCONVERTED
    return item if plain else '"{}"'.format(item.replace('"', '""'))
