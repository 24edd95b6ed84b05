"""Reads Markdown (.md) from the tokens of markdown-it. It knows Markdown's blocks and no other format."""

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.tables import write_table
from knowledge.documents.text import clean, decode

SHORT_LINE = 50  # characters


def read_markdown(data: bytes, name: str, digest: str) -> Document:
    """A Markdown file: headings become the path of what stands below them, table rows become lines."""
    title, source = _front_matter(clean(decode(data, name)))
    builder = DocumentBuilder(name, digest)
    write_markdown(source, builder)
    return builder.finish(title)


def write_markdown(source: str, builder: DocumentBuilder) -> None:
    """Hand over Markdown: its headings, blocks and tables."""
    _Writer(builder).write(MarkdownIt("commonmark").enable("table").parse(source))


def _front_matter(source: str) -> tuple[str, str]:
    """The title from the settings block some Markdown files open with, and the text after that block."""
    lines = source.split("\n")
    if lines[0].strip() != "---" or "---" not in [line.strip() for line in lines[1:]]:
        return "", source
    end = [line.strip() for line in lines].index("---", 1)
    titles = [
        line.partition(":")[2].strip().strip("\"'") for line in lines[1:end] if line.startswith("title:")
    ]
    return "".join(titles[:1]), "\n".join(lines[end + 1 :])


class _Writer:
    """Walks the tokens once, in order, and hands headings and blocks to the builder."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._lists: list[int | None] = []
        self._mark = ""
        self._follows = False

    def write(self, tokens: Sequence[Token]) -> None:
        remaining = iter(tokens)
        for token in remaining:
            if token.type == "heading_open":
                self._builder.heading(int(token.tag[1]), _inline_text(next(remaining)))
            elif token.type == "table_open":
                write_table(self._builder, _rows(remaining))
            elif token.type == "inline":
                self._block(_inline_text(token))
            elif token.type in ("fence", "code_block"):
                self._builder.verbatim(token.content)
            elif token.type == "html_block":
                self._block(_words_of_html(token.content))
            else:
                self._list(token)

    def _list(self, token: Token) -> None:
        """Keep count of the lists we are in, and of the mark the next entry opens with."""
        if token.type == "bullet_list_open":
            self._lists.append(None)
        elif token.type == "ordered_list_open":
            self._lists.append(int(token.attrs.get("start", 1)))
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
            self._follows = bool(self._lists)
        elif token.type == "list_item_open":
            number = self._lists[-1]
            self._mark = "- " if number is None else f"{number}. "
            if number is not None:
                self._lists[-1] = number + 1

    def _block(self, text: str) -> None:
        self._builder.block(self._mark + text if text.strip() else "", tight=self._follows)
        self._follows = bool(self._lists)
        self._mark = ""


def _inline_text(token: Token) -> str:
    """The words of a line without its marks: emphasis, links and code keep their text, pictures go."""
    parts: list[str] = []
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type == "softbreak":
            parts.append(_line_break("".join(parts)))
        elif child.type == "hardbreak" or (child.type == "html_inline" and child.content.startswith("<br")):
            parts.append("\n")
    return "".join(parts)


def _words_of_html(source: str) -> str:
    from bs4 import BeautifulSoup  # few files hold any, and it takes time to load

    return BeautifulSoup(source, "lxml").get_text(" ")


def _line_break(before: str) -> str:
    """A line that ends early was ended on purpose; a long one was only wrapped."""
    return "\n" if len(before) - before.rfind("\n") <= SHORT_LINE else " "


def _rows(tokens: Iterator[Token]) -> list[list[str]]:
    """The rows of the table just opened."""
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_inline_text(token))
    return rows
