"""What the documents promise: tests, links and citations lead to something."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness import ROOT
from sauce_appdist import errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FACTS = "docs/reference/api-facts.md"
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([\w-]*))?\)")
MENTION = re.compile(r"(?<![\w/.-])(docs/[\w/-]+\.md)(?:#([\w-]*))?")


def tracked(*patterns: str) -> list[Path]:
    """The repository's files, and what would be added to it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return [ROOT / name for name in sorted(set(listed.stdout.splitlines())) if (ROOT / name).is_file()]


PAGES = tracked("*.md")
# Whatever else may name a page, or cite a fact of the API.
SOURCES = tracked("*.py", "*.sh", "*.js", "*.yml", "*.toml", "Makefile", ".ci/*")


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


def leads_somewhere(file: Path, anchor: str) -> bool:
    """Whether a file is there, in the repository, and has the heading."""
    inside = file.exists() and file.is_relative_to(ROOT)
    return inside and (not anchor or anchor in slugs(file.read_text("utf-8")))


def test_every_page_that_code_names_is_there() -> None:
    named = [(path.relative_to(ROOT), *found) for path in SOURCES for found in MENTION.findall(path.read_text("utf-8"))]
    assert sum(page == FACTS for _, page, _ in named) > 35
    lost = [f"{path}: {page}#{anchor}" for path, page, anchor in named if not leads_somewhere(ROOT / page, anchor)]
    assert lost == []


def test_code_cites_the_api_in_one_form() -> None:
    """Code names the page by its whole path, with a heading; nothing names a page outside the repository."""
    loose = re.compile(r"\S*facts\.md\S*|\bv3\.md\b|\bfact sheet\b|\brest-api-(?:saucelabs|testfairy)\b")
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in [*SOURCES, *PAGES]
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
    text = re.sub(r"^( *)```.*?^\1```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    links = [((page.parent / target).resolve() if target else page, anchor) for target, anchor in LINK.findall(text)]
    assert [f"{file}#{anchor}" for file, anchor in links if not leads_somewhere(file, anchor)] == []


def uses(document: Any) -> Iterator[tuple[str, set[str]]]:
    """Every action and template of ours in a document, by its file, and the inputs that it is given."""
    if isinstance(document, list):
        for one in document:
            yield from uses(one)
    elif isinstance(document, dict):
        if action := re.fullmatch(r"OWNER/sauce-appdist(?:/(.+))?@v1", str(document.get("uses"))):
            yield f"{action[1]}/action.yml" if action[1] else "action.yml", set(document.get("with", {}))
        elif template := re.search(r"/OWNER/sauce-appdist/v1/(.+)", str(document.get("remote"))):
            yield template[1], set(document.get("inputs", {}))
        yield from uses(list(document.values()))


def test_what_pages_show_to_paste_has_inputs_that_exist() -> None:
    shown = [
        (page.relative_to(ROOT), file, given)
        for page in PAGES
        for _, text in re.findall(r"^( *)```yaml\n(.*?)^\1```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        for file, given in uses(yaml.safe_load(text))
    ]
    assert len(shown) > 15
    for page, file, given in shown:
        declared = next(yaml.safe_load_all((ROOT / file).read_text("utf-8")))
        known = declared.get("spec", declared)["inputs"]
        assert given <= set(known), f"{page}: {file} has no input {given - set(known)}"


def test_the_index_lists_every_page() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / target).resolve() for target, _ in LINK.findall(index.read_text("utf-8")) if target}
    assert [str(page) for page in tracked("docs/*.md") if page not in listed | {index}] == []


def test_every_error_of_the_tree_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    for code in errors.ExitCode:
        assert f"| {code.value} |" in page, code
