"""No secret comes out of a text, nothing else is lost, and no text makes it slow."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import example, given, strategies as st

from harness import ROOT
from properties.support import hostile
from sauce_appdist.text import Redactor, _spelled

# Few letters, so that secrets overlap and contain each other; and all that a text is cut, coded or searched with.
secret = st.text(st.sampled_from("ab*….\n\r \t/\\\"'&<%+[($^|é\ud800\udc80"), min_size=4, max_size=14).filter(str.strip)
secrets = st.lists(secret | hostile.filter(lambda text: len(text.strip()) >= 4), min_size=1, max_size=4)


@st.composite
def texts(draw: st.DrawFn) -> tuple[list[str], str]:
    """Secrets, and a text with pieces of their spellings, whole or not, between pieces of anything else."""
    hidden = draw(secrets)
    spelled = sorted({one for secret in hidden for one in _spelled(secret)})
    part = st.builds(
        lambda one, start, end: one[start:end], st.sampled_from(spelled), st.integers(0, 3), st.integers(4)
    )
    pieces = st.sampled_from(spelled) | part | st.sampled_from(["…", "...", "*", "***", "a", "b"]) | hostile
    return hidden, "".join(draw(st.lists(pieces, max_size=8)))


@given(texts())
@example((["abcdefgh", "efghijkl"], "abcdefghijkl"))
@example((["aXbcdefX", "***cdef*"], "***aXbcdefXcdef***cdef*"))
def test_no_secret_is_left_and_hiding_again_changes_nothing(case: tuple[list[str], str]) -> None:
    hidden, text = case
    redact = Redactor(hidden)
    shown = redact(text)
    lines = [line for one in hidden for line in one.splitlines() if len(line.strip()) >= 4]
    for one in (*hidden, *lines):
        assert not [spelling for spelling in _spelled(one) if spelling in shown]
    assert redact(shown) == shown
    assert shown == Redactor(reversed(hidden))(text)
    assert not redact.finds(shown)


@given(texts())
def test_nothing_but_secrets_and_their_beginnings_is_lost(case: tuple[list[str], str]) -> None:
    hidden, text = case
    cut = "…" in text or "..." in text
    spelled = {one for secret in hidden for part in (secret, *secret.splitlines()) if part for one in _spelled(part)}
    if not cut and not any(one in text for one in spelled):
        assert Redactor(hidden)(text) == text
    for piece in Redactor(hidden)(text).split("***"):
        assert piece in text or "*" in "".join([text, *hidden])


@given(st.text(st.characters(exclude_characters="k"), max_size=30), st.text(max_size=30))
def test_a_cut_shows_no_beginning(before: str, after: str) -> None:
    key = "k3y-of-two words/1"
    for length in range(4, len(key)):
        assert Redactor([key])(f"{before}{key[:length]}…{after}") == f"{before}***…{after}"
    for length in range(8, len(key)):
        assert Redactor([key])(f"{before}{key[:length]}...") == f"{before}***..."
    assert Redactor([key])("k3y-of-... k3y…") == "k3y-of-... k3y…"


_WORK = """
import resource, sys
sys.path[:0] = [sys.argv[1]]
from sauce_appdist.text import Redactor, folded, json_text, markdown, markdown_block, one_line, printable
from sauce_appdist.wire.reasons import read_reason
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
redact, size = Redactor(["abcdefgh" * 4, "eyJh" + "a" * 1500, "two words-zq77"]), 150_000
for piece in sys.argv[2:]:
    print(piece, flush=True)
    text = (piece * (size // len(piece))) + "…"
    for work in (redact, redact.finds, redact.host, printable, one_line, folded, json_text):
        work(text)
    markdown(text, size), markdown_block(text, size)
    for start in ("", "<html>", '{"error": "'):
        read_reason(f"{start}{text}".encode(), redact)
"""
_PIECES = (
    *("a", "…", "a…", "abcd…", "abcdefg...", "eyJh", "eyJhaaaa…", "abcdefgh", " ", "\n", "\r\n", "\n:", "##", "##a"),
    *("`", "<", "<!--", "<title", "<title>", "<script>", "</title", "@", ":a", "\x1b[31m", "\x85", "\U000e0041", "{"),
)


def test_no_text_makes_it_slow() -> None:
    """What grows with the square of a text takes many minutes here: it runs out of processor time."""
    command = [sys.executable, "-X", "utf8", "-c", _WORK, str(ROOT / "core"), *_PIECES]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, f"{done.stdout[-20:]!r} {done.stderr}"
