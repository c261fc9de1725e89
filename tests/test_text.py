"""Text that others wrote, made harmless, and secrets, hidden."""

from __future__ import annotations

from hypothesis import given, strategies as st

from ci.support import commands
from sauce_appdist.text import Redactor, markdown_block, one_line, printable


@given(st.text())
def test_no_text_becomes_a_command(text: str) -> None:
    assert not commands(printable(text))
    assert not commands("debug: " + printable(text))
    assert one_line(text).isprintable() or not text.isprintable()


@given(st.text(st.sampled_from("`~\n a"), max_size=30))
def test_no_text_closes_its_own_fence(text: str) -> None:
    block = markdown_block(text)
    fence = block.partition("text\n")[0]
    assert fence not in block.removeprefix(fence).removesuffix(fence)


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.text())))
def test_secrets_are_hidden_in_every_spelling(parts: list[tuple[str, str]]) -> None:
    secret = "s3cr&t/key=="
    redact = Redactor([secret, "first\nlines"])
    text = "".join(noise + secret for _, noise in parts) + " s3cr%26t%2Fkey%3D%3D and first, lines"
    assert secret not in redact(text)
    assert "s3cr%26t" not in redact(text)
    assert redact("first lines") == "*** ***"
