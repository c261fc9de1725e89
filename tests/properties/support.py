"""Texts as somebody would write them who wants to break out of where they are shown."""

from __future__ import annotations

from hypothesis import strategies as st

_PIECES = (
    *("::error::x", "::add-mask::y", "##[group]", "##vso[task.complete]", "##teamcity[x]", "::", "##", "["),
    *("\x1b[31m", "\x1b]8;;http://evil.example\x07", "\x9b2J", "\x9d0;t\x9c", "\x07", "\b", "\x7f", "\0", "\x85"),
    *("\x1b[0Ksection_start:1:a\r\x1b[0K", "\x1b[0Ksection_end:1:a\r\x1b[0K", "\u202e", "\u2066", "\u2028", "\ud800"),
    *(
        "\u200f",
        "\ufeff",
        "\u200d",
        "👩\u200d💻",
        "\U0001f3f4\U000e0067\U000e007f",
        "\U000e0041",
        "\u0645\u06cc\u200c\u062e",
    ),
    *("\r\n", "\r", "\n", "\n\n", "\t", " ", "  ", "…", "...", "a", "Z", "0", "é", "漢"),
    *("<b>", "</details>", "</summary>", "<!--", "-->", "<img src=x>", "<script>", "<?x", "<![CDATA[", "&lt;", "&#64;"),
    *("[l](http://x.example)", "![i](//x.example)", "](", "[^1]", "[x]: http://x.example", "javascript:x"),
    *("http://x.example/a", "https://", "www.x.example", "ftp://x.example", "mailto:a@x.example", "a@x.example"),
    *("@octocat", "@org/team", "#123", "GH-7", "o/r#1", "o/r@0123abc", ":rocket:", ":+1:", ":100:", "$x$", "$`x`$"),
    *("|", "\\|", "\\", "`", "```", "````", "~~~", "~~", "*", "**", "_", "#", "---", "===", "|---|", "- [x] ", "> "),
    *(
        "$APPDIST_API_KEY",
        "%PATH%",
        "name<<EOF",
        "EOF",
        "ghadelimiter_",
        "build-id=9",
        "=",
        '"',
        "'",
        "{",
        "}",
        "\\u0085",
    ),
)

# Anything, and whatever means something to a runner, a terminal, a renderer or a parser.
hostile = st.text() | st.lists(st.sampled_from(_PIECES) | st.characters(), max_size=12).map("".join)
