"""What the documents promise: tests, links and citations lead to something."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from harness import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("actions/*/README.md"))]
FACTS = "docs/reference/api-facts.md"
# Whatever may cite a fact of the API. Rendered files repeat what these say.
SOURCES = [
    path
    for folder in ("core", "tests", "tools", "bench", "docs", "examples")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".sh", ".yml", ".md"} and "node_modules" not in path.parts
]


def slugs(page: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page of Markdown.

    A heading's text in lower case, without what is not a letter, a digit, `_`, `-` or a space; spaces become hyphens. A
    heading that repeats an earlier one gets a number.
    """
    seen: Counter[str] = Counter()
    anchors = set()
    text = re.sub(r"^ {0,3}(```|~~~).*?^ {0,3}\1", "", page, flags=re.DOTALL | re.MULTILINE)
    for heading in re.findall(r"^ {0,3}#{1,6} +(.*?)(?: +#+)? *$", text, re.MULTILINE):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w -]", "", shown.lower()).replace(" ", "-")
        anchors.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return anchors


def test_anchors_are_those_of_github() -> None:
    page = """# `build-id`: which one?
## Tags, notes & more
## [When it fails](errors.md) ##
## Twice
## Twice
## über_uns
```sh
# no heading
```
"""
    assert slugs(page) == {"build-id-which-one", "tags-notes--more", "when-it-fails", "twice", "twice-1", "über_uns"}


def test_every_citation_of_the_api_leads_to_a_heading() -> None:
    headings = slugs((ROOT / FACTS).read_text("utf-8"))
    cited = [
        (path.relative_to(ROOT), anchor)
        for path in SOURCES
        for anchor in re.findall(r"api-facts\.md#([\w-]*)", path.read_text("utf-8"))
    ]
    assert len(cited) > 35
    assert [f"{path}: #{anchor}" for path, anchor in cited if anchor not in headings] == []


def test_code_cites_the_api_in_one_form() -> None:
    """Code names the page by its whole path, with a heading; nothing names a page outside the repository."""
    loose = re.compile(r"\S*facts\.md\S*|\bv3\.md\b|\bfact sheet\b|\brest-api-(?:saucelabs|testfairy)\b")
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in SOURCES
        if path != ROOT / "tests/test_docs.py"
        for name in loose.findall(path.read_text("utf-8"))
        if not re.search("api-facts" if path.suffix == ".md" else re.escape(FACTS) + "#[a-z]", name)
    ]
    assert found == []


def test_every_test_that_a_page_names_exists() -> None:
    named = {found for page in PAGES for found in re.findall(r"`(tests/\S+\.py)::(\w+)`", page.read_text("utf-8"))}
    assert len(named) > 30
    missing = [
        f"{file}::{name}"
        for file, name in sorted(named)
        if not (ROOT / file).exists() or f"def {name}(" not in (ROOT / file).read_text("utf-8")
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([\w-]+))?\)", text):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        if anchor:
            assert anchor in slugs(file.read_text("utf-8")), f"{target}#{anchor}"
