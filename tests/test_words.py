"""The word list of tools/lint.py: it finds each word, and the repository has none of them."""

from __future__ import annotations

import re
import runpy
from typing import Any

import pytest

from harness import ROOT

# A text with a word of the list, and what is reported of it.
SAMPLES = [
    ("Raises it with the way to mend it.", "mend", "fix"),
    ("Mends the groups.", "Mends", "fix"),
    ("all if they are left away.", "left away", "omitted"),
    ("give one, or leave it away", "leave it away", "omit"),
    ("give groups, or leave to-folder away", "leave to-folder away", "omit"),
    ("it will install them anew.", "anew", "again"),
    ("What to do where nobody can tell.", "nobody can tell", "cannot be determined"),
    ("$CI_COMMIT_TAG and its like are expanded.", "and its like", "and similar"),
    ("it is created if need be.", "if need be", "if needed"),
    ("taken from the surroundings", "the surroundings", "the environment"),
    ("has a credential in it: take it out.", "take it out", "remove it"),
    ("build-id is '../1', which is no id", "is no id", "is not a valid"),
    ("base-url is no URL", "is no URL", "is not a valid"),
    ("acme.example, which is no region of ours", "is no region", "is not a region"),
    ("is no regular expression: missing )", "is no regular expression", "is not a valid"),
    ("email is given without api-key", "is given without", "needs"),
    ("wait is given, but no check is", "is given, but", "is set, but"),
    ("tags and clear-tags are both given: keep one", "are both given", "are both set"),
    ("Time since the upload, at least.", ", at least.", "Minimum"),
    ("Crashes, at most.", ", at most.", "Maximum"),
    ("build-id is latest, but of what: give app-name", "but of what", "needs"),
    ("No sensible answer", "sensible answer", "valid response"),
    # a text that goes on in the next line
    ('"needs a key, or leave "\n    f"it away"', "leave it away", "omit"),
    ("# created if\n# need be", "if need be", "if needed"),
    ("> created if\n> need be", "if need be", "if needed"),
]


@pytest.fixture(scope="module")
def lint() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "tools" / "lint.py"))


@pytest.mark.parametrize(("text", "words", "better"), SAMPLES)
def test_a_word_of_the_list_is_found(lint: dict[str, Any], text: str, words: str, better: str) -> None:
    assert f"page.md:3: '{words}': write '{better}'" in list(lint["find_words"]("page.md", f"Page\n\n{text}\n"))


def test_every_word_of_the_list_has_a_sample(lint: dict[str, Any]) -> None:
    texts = "\n".join(text for text, *_ in SAMPLES)
    for words in lint["WORDS"]:
        assert re.search(words, texts, re.IGNORECASE), words


@pytest.mark.parametrize(
    "text",
    [
        "recommended, amended",
        "a renewal",
        "take it",
        "There is no idea in it.",
        "at least 3, at most 5",
        "is not given",
    ],
)
def test_other_words_are_not_found(lint: dict[str, Any], text: str) -> None:
    assert not list(lint["find_words"]("page.md", text))


def test_the_repository_has_none_of_them(lint: dict[str, Any]) -> None:
    assert not lint["words"]()
