"""The job summary, rendered by GitHub's own renderer of Markdown: foreign text stays text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import cmarkgfm  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]
from hypothesis import given, settings, strategies as st

from properties.support import hostile
from sauce_appdist.ci.github import summary
from sauce_appdist.ci.report import Fact, PartResult, Report
from sauce_appdist.errors import InputError
from sauce_appdist.text import markdown, markdown_block, one_line
from sauce_appdist.verdict.checks import Check, CheckState

URL = "https://mobile.saucelabs.com/projects/1/builds/2"
# What GitHub's filters turn into links and pictures in the rendered text, outside of code and links.
MENTIONED = re.compile(r"(?<![\w`])@[a-z0-9]|(?<!\w)#\d|\bGH-\d|:(?!\d\d:)[\w+-]+:", re.IGNORECASE | re.ASCII)


class Page(HTMLParser):
    """The tags of a page in their order, and its texts, joined where no tag is between them."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.texts: list[str] = [""]
        self.strange: list[str] = []
        self.feed(cmarkgfm.github_flavored_markdown_to_html(source, Options.CMARK_OPT_UNSAFE))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.texts.append("")
        self.links += [value for name, value in attrs if name == "href"]
        self.strange += [f"{tag} {name}" for name, _ in attrs if (tag, name) not in {("a", "href"), ("pre", "lang")}]

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        self.texts[-1] += data

    def handle_comment(self, data: str) -> None:
        self.strange.append(data)

    def handle_decl(self, decl: str) -> None:
        self.strange.append(decl)

    handle_pi = unknown_decl = handle_comment

    @property
    def shown(self) -> list[str]:
        return [seen(text) for text in self.texts if seen(text)]


def seen(text: str) -> str:
    """What a reader sees of a text; zero-width spaces are put in to keep it harmless."""
    return text.replace("\u200b", "").strip()


def line(text: str) -> str:
    return seen(one_line(text))


def report(texts: list[str]) -> Report:
    title, fact, detail, observed, threshold, reason, notes, problem = texts
    made = Report(title, [Fact("Build", fact, URL), Fact("App", fact)], [PartResult("copy", "done", detail)], notes)
    made.checks = [Check("min-age", CheckState.FAILED, observed, threshold, reason)]
    made.problem = InputError(problem)
    return made


def test_a_page_shows_what_is_in_it() -> None:
    page = Page("### a <b>x</b>\n\n[l](http://x) @me www.x.example\n\n| a | b |\n|---|---|\n| c | <!-- d --> |")
    assert {"h3", "b", "a", "table", "td"} <= set(page.tags)
    assert page.links == ["http://x", "http://www.x.example"]
    assert page.strange == [" d "]
    assert MENTIONED.search(" ".join(page.shown))


@settings(max_examples=250)
@given(st.lists(hostile, min_size=8, max_size=8))
def test_foreign_text_is_neither_markup_nor_a_mention(texts: list[str]) -> None:
    title, fact, detail, observed, threshold, reason, notes, problem = texts
    plain, page = Page(summary(report([*["x"] * 6, notes and "x", "x"]))), Page(summary(report(texts)))
    assert (page.tags, page.links, page.strange) == (plain.tags, [URL], [])
    expected = [
        *(seen(f"❌ {one_line(title)}"), "Wrong input", block(problem), "Build", line(fact), "App", line(fact)),
        *("Step", "copy", "✅ done", line(detail)),
        *("Check", "Observed", "Threshold", "min-age", "❌ failed", line(observed), line(threshold), line(reason)),
        *(["Release notes", block(notes)] if notes else []),
    ]
    assert page.shown == [text.strip() for text in expected if text.strip()]
    code = {block(problem), block(notes)}
    for text in page.texts:
        assert seen(text) in code or not MENTIONED.search(text), text


def block(text: str) -> str:
    """What a fenced block shows of a text."""
    return seen(markdown_block(text).partition("\n")[2].rpartition("\n")[0])


@settings(max_examples=150)
@given(hostile, st.sampled_from(["", "https://", "http://h.example/", "javascript:", "//", "https://h.example/?"]))
def test_no_address_breaks_its_link(text: str, start: str) -> None:
    made = Report("x", [Fact("Build", "shown", start + text), Fact("App", "more")])
    plain, page = Page(summary(Report("x", [Fact("Build", "shown"), Fact("App", "more")]))), Page(summary(made))
    assert [tag for tag in page.tags if tag not in {"a", "/a"}] == plain.tags
    assert not page.strange
    assert page.shown == plain.shown
    assert all(link and re.match(r"https?://[^/?#]", link) for link in page.links)


def test_an_address_leads_where_it_says() -> None:
    address = "https://h.example/a b|(c)`<d>?q=1&copy;=[x]#f\n"
    made = Report("x", [Fact("Build", "shown", address), Fact("App", "shown", "javascript:alert(1)")])
    assert Page(summary(made)).links == ["https://h.example/a%20b%7C%28c%29%60%3Cd%3E?q=1&copy;=%5Bx%5D#f%0A"]


@given(hostile)
def test_markdown_in_the_middle_of_a_line_stays_text(text: str) -> None:
    page = Page(f"before {markdown(text)} after")
    assert page.tags == ["p", "/p"]
    assert page.shown == [seen(f"before {one_line(text)} after")] or not line(text)
