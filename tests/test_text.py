"""Text that others wrote, made harmless, and secrets, hidden."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from ci.support import commands
from sauce_appdist.text import Redactor, json_text, markdown_block, one_line, printable


@given(st.text() | st.text(st.sampled_from("#:[]vso \n")))
def test_no_text_becomes_a_command(text: str) -> None:
    assert not commands(printable(text))
    assert not commands("debug: " + printable(text))
    assert one_line(text).replace("\u200b", "").isprintable() or not text.isprintable()


@pytest.mark.parametrize(
    "command",
    ["##vso[task.complete result=Failed;]", "a ##VSO[x]", "###teamcity[buildStop]", "##[group]x", "::error::x"],
)
def test_commands_of_other_runners_are_read_and_not_obeyed(command: str) -> None:
    assert commands(command)
    assert not commands(printable(command))
    assert printable(command).replace("\u200b", "") == command
    assert json.loads(json_text({"said": command})) == {"said": command}
    assert not commands(json_text(command))


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
