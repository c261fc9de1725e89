"""How the text of an input becomes a value, and how a value becomes text again."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, SecretStr

from sauce_appdist.text import is_single_line, one_line
from sauce_appdist.wire.regions import check_base_url, check_url

if TYPE_CHECKING:
    from collections.abc import Callable


_DURATION = re.compile(r"(\d+)(s|m|h|d)", re.IGNORECASE)
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
    """Of an input that is true, false or something else: the words that booleans take."""
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


def _items(value: object) -> object:
    """A list from commas or newlines; a `#` line is a comment; quotes hold a comma together."""
    if not isinstance(value, str):
        return value
    lines = [line for line in value.splitlines() if not line.lstrip().startswith("#")]
    try:
        rows = list(csv.reader((line.strip() for line in lines), skipinitialspace=True, strict=True))
    except csv.Error:
        raise ValueError('has a quote that is not closed: write "a, b" around an item with a comma') from None
    items = list(dict.fromkeys(item.strip() for row in rows for item in row if item.strip()))
    if not items:
        raise ValueError("has no item in it: give names separated by commas or newlines, or leave it away")
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
        raise ValueError("is only white space: give a value, or leave it away")
    value = _utf8(value.strip())
    if not is_single_line(value):
        raise ValueError("has a line break or a control character in it: give a single line")
    return value


def _prose(value: str) -> str:
    if not value.strip():
        raise ValueError("is only white space: give a text, or leave it away")
    if "\0" in value:
        raise ValueError("has a NUL character in it: give plain text")
    return _utf8(value)


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[\w-]+", value, re.ASCII):
        raise ValueError(f"is {one_line(value, 60)!r}, which is no id: expected something like 6905338")
    return value


def _secret(value: SecretStr) -> SecretStr:
    # requests would quote a header it cannot send in its error.
    text = value.get_secret_value().strip()
    if not text or not re.fullmatch(r"[!-~]+", text):
        raise ValueError("is empty, or has white space or a letter outside ASCII in it: paste it again")
    return SecretStr(text)


def _passphrase(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text or not is_single_line(text):
        raise ValueError("is empty, or has a line break or a control character in it: paste it again")
    return SecretStr(_utf8(text))


def _pairs(value: object) -> object:
    """`key=value` lines; the keys become metadata_<key>."""
    if not isinstance(value, str):
        return value
    pairs: dict[str, str] = {}
    for number, line in enumerate(value.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, text = (part.strip() for part in line.partition("="))
        if not equals:
            raise ValueError(f"line {number} is {one_line(line, 60)!r}, expected key=value")
        if not re.fullmatch(r"[\w.-]+", key, re.ASCII):
            raise ValueError(f"line {number} has the key {one_line(key, 60)!r}: letters, digits, _ . - only")
        if key in pairs:
            raise ValueError(f"line {number} gives {key} a second time: keep one")
        pairs[key] = text
    if not pairs:
        raise ValueError("has no key=value line in it: give one, or leave it away")
    return pairs


Line = Annotated[str, AfterValidator(_line)]
Prose = Annotated[str, AfterValidator(_prose)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Passphrase = Annotated[SecretStr, AfterValidator(_passphrase)]  # never goes raw into a header
Identifier = Annotated[Line, AfterValidator(_identifier)]
BaseUrl = Annotated[Line, AfterValidator(check_base_url)]
SecretUrl = Annotated[Line, AfterValidator(check_url)]
Word = BeforeValidator(_word)
Flag = Annotated[bool, BeforeValidator(_flag)]
Duration = Annotated[float, BeforeValidator(_duration(30))]
Age = Annotated[float, BeforeValidator(_duration(3650))]
Items = Annotated[list[Line], BeforeValidator(_items)]
Tags = Annotated[Items, AfterValidator(_no_comma("a tag cannot contain"))]
CommaFreeNames = Annotated[Items, AfterValidator(_no_comma("cannot be given by a name with"))]
Pairs = Annotated[dict[str, Prose | Literal[""]], BeforeValidator(_pairs)]


def duration_text(seconds: float) -> str:
    """A duration in its largest whole unit: `30s`, `2h`."""
    unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0)
    return f"{seconds / _SECONDS[unit]:.0f}{unit}" if seconds else "0s"


def as_text(value: Any) -> str:
    """How an output looks as text: true/false, lists as this contract reads them, objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_quoted(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _quoted(item: str) -> str:
    """An item of a list so that `_items` reads it back."""
    return '"{}"'.format(item.replace('"', '""')) if re.search(r'[,"#]', item) else item
