"""Text from models, documents and people as HTML that can do nothing: no scripts, no links, no images.

It knows Markdown. It does not know where a text comes from.
"""

from collections.abc import Iterable
from datetime import datetime
from html import escape

from markdown_it import MarkdownIt

_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False, "breaks": True})
    .enable(["table", "strikethrough"])
    # Left out, so that they stay visible as the text they are: what they point to is never loaded or opened.
    .disable(["link", "image", "autolink", "reference"])
)


def markdown(text: str) -> str:
    """Markdown as safe HTML: paragraphs, emphasis, lists, tables, code; links and images stay plain text."""
    return str(_MARKDOWN.render(text))


def marked(html: str, sentences: Iterable[str], name: str, title: str) -> str:
    """HTML that `markdown` made, with sentences of its text marked where they stand."""
    for sentence in dict.fromkeys(sentences):
        piece = str(_MARKDOWN.renderInline(sentence))
        html = html.replace(piece, f'<mark class="{escape(name)}" title="{escape(title)}">{piece}</mark>')
    return html


def moment(iso: str) -> str:
    """A stored time for people, in this machine's zone: "23 Nov, 14:05"."""
    return datetime.fromisoformat(iso).astimezone().strftime("%-d %b, %H:%M")
