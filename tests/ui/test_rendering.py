"""Text as HTML that can do nothing."""

import re

import pytest

from assistant.ui.rendering import markdown, moment
from assistant.wording import counted


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Five **days**, or *six*.", "<p>Five <strong>days</strong>, or <em>six</em>.</p>"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
        ("one\ntwo", "<p>one<br />\ntwo</p>"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
    ],
    ids=["emphasis", "list", "line break", "signs"],
)
def test_markdown_is_drawn(text, html):
    assert markdown(text).strip() == html


@pytest.mark.parametrize(
    "text",
    [
        "![x](https://evil.example/pixel.png)",
        "[click](https://evil.example)",
        "[click](javascript:alert(1))",
        "<https://evil.example>",
        "[a]: https://evil.example\n\n[a] ![a]",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<form action=https://evil.example><input></form>",
        "<style>body{display:none}</style>",
        "<iframe src=https://evil.example></iframe>",
        "a <svg onload=alert(1)> b",
        "```html\n<script>alert(1)</script>\n```",
        "| <b>x</b> |\n|---|\n| ![x](//evil.example) |",
    ],
)
def test_links_images_and_html_stay_text(text):
    tags = set(re.findall(r"<\s*/?\s*([a-z0-9]+)", markdown(text)))
    assert tags <= {"p", "br", "pre", "code", "table", "thead", "tbody", "tr", "th", "td"}
    assert not re.search(r"<[^>]*(?:href|src|on[a-z]+|style)\s*=", markdown(text))


def test_numbers_and_times_are_written_for_people():
    assert [counted(number, "passage") for number in (0, 1, 1200)] == [
        "0 passages",
        "1 passage",
        "1,200 passages",
    ]
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]{2}, \d\d:\d\d", moment("2026-01-01T12:00:00+00:00"))
