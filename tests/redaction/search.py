"""The secrets, their spellings, and the search for them."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Sequence


PERCENT = "k%41%zz-%0A-qwvx/100%+it=&?#~zjq"  # what a URL would change
QUOTES = "q\"u'o\\te<zjx>&amp;|*`wqk`$%;"  # what JSON, HTML, CSV, Python and Markdown would change
WORD = "Northwin"  # eight characters, in every app's name
DIGITS = "13572468"
CONFIG_KEY = "cfg-zq77-xkv9"
STATIC_TOKEN = f"tkn.{CONFIG_KEY}.qqw8-zzy3"  # the one secret is part of the other
CLIENT_SECRET = "cs:zq\"5%/x'\\w+v=&jqz"
PROXY_PASSWORD = "prx%zq-81-wvy"
PROXY_USER = "proxyuser"
LEFT_OVER = "left-over-zq-4711"  # of another way to sign in, which is not used


def spellings(secret: str) -> set[str]:
    """How a secret may be written; parts too short to be told from other text are left out."""
    found: set[str] = set()
    for part in {secret, secret.strip(), *(line.strip() for line in secret.splitlines())}:
        quoted = {quote(part, safe=safe) for safe in ("", "/", "/-._~")} | {quote_plus(part)}
        found |= {part, part.replace("\\", ""), part.replace('"', '""'), part.replace("%", "%25"), *quoted}
        found |= {re.sub("%..", lambda code: code[0].lower(), one) for one in quoted}
        found |= {json.dumps(part)[1:-1], repr(part)[1:-1], html.escape(part)}
        found |= {base64.b64encode(part.encode()).decode(), base64.urlsafe_b64encode(part.encode()).decode()}
    return {one for one in found if len(one) >= 8}


def found_in(text: str, secrets: Sequence[str]) -> list[str]:
    """Which secrets, or which twelve letters of a long one, stand in a text; each with what is around it."""
    texts = (text, text.replace("\\", ""), text.replace("\u200b", ""))
    folded = "\n".join(dict.fromkeys(texts)).casefold()
    found = []
    for secret in secrets:
        wanted = next((one for one in spellings(secret) if any(one in text for text in texts)), None)
        if not wanted and len(secret) >= 16 and not JWT.match(secret):
            written = {secret, quote(secret, safe="/"), quote(secret, safe=""), json.dumps(secret)[1:-1]}
            windows = {one[at : at + 12].casefold() for one in written for at in range(len(one) - 11)}
            wanted = next((window for window in windows if window in folded), None)
        if wanted:
            found.append(f"{secret:.40}: {around(wanted, (*texts, folded))}")
    return found + ([f"a JWT: {around(one[0], texts)}"] if (one := JWT.search(text)) else [])


# Any token of a provider, and any beginning of one that was cut.
JWT = re.compile(r"eyJ[\w-]{8,}")


def around(wanted: str, texts: Sequence[str]) -> str:
    text = next(text for text in texts if wanted in text)
    at = text.index(wanted)
    return repr(f"…{text[max(0, at - 90) : at + min(len(wanted), 40) + 20]}…")
