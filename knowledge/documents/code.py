"""Reads program code: each class and function a section of its own, under the names of those around it.

It knows where definitions begin, told by Pygments for the language of the file. It runs nothing.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pygments.lexers import get_lexer_for_filename
from pygments.token import Keyword, Name, _TokenType
from pygments.util import ClassNotFound

from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.text import clean, decode

LONGEST_LINE = 2_000
"""Characters; longer lines were made by a program, and no person looks for them."""
DEEPEST = 8
"""Spaces before a definition that still gets a section of its own."""
_DEFINES = frozenset(
    [
        "class",
        "def",
        "function",
        "fn",
        "func",
        "interface",
        "struct",
        "enum",
        "trait",
        "impl",
        "module",
        "namespace",
        "type",
        "object",
        "protocol",
        "record",
        "fun",
        "sub",
        "procedure",
    ]
)
_DECORATION = re.compile(r"\s*(@|#\[|///?|/\*|\*|#|--)")


Piece = tuple[_TokenType, str]


@dataclass(frozen=True)
class Definition:
    """Where a class or function begins: its line, counted from 0, and how far it is indented."""

    line: int
    indent: int
    name: str


def read_code(data: bytes, name: str, digest: str) -> Document:
    """A file of code, titled with its path, its lines as they are."""
    builder = DocumentBuilder(name, digest)
    write_code(clean(decode(data, name)), name, builder)
    return builder.finish(name)


def write_code(text: str, name: str, builder: DocumentBuilder) -> None:
    """Hand over code, parted before each definition."""
    lines = [line for line in text.expandtabs(4).split("\n") if len(line) <= LONGEST_LINE]
    start, open_names = 0, list[Definition]()
    for each in _definitions("\n".join(lines), name):
        begin = _with_decoration(lines, each.line, start)
        builder.verbatim("\n".join(lines[start:begin]))
        open_names = [other for other in open_names if other.indent < each.indent]
        builder.mark(len(open_names) + 1, each.name)
        open_names.append(each)
        start = begin
    builder.verbatim("\n".join(lines[start:]))


def _definitions(text: str, name: str) -> Iterator[Definition]:
    """Classes and functions in the order of the file; none where the language is not known."""
    try:
        lexer = get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return
    for number, tokens in enumerate(_token_lines(lexer.get_tokens(text))):
        line = "".join(word for _, word in tokens)
        indent = len(line) - len(line.lstrip(" "))
        defined = _defined(tokens)
        if defined and indent <= DEEPEST:
            yield Definition(number, indent, defined)


def _token_lines(tokens: Iterable[Piece]) -> Iterator[list[Piece]]:
    """The tokens line by line; one that spans lines is in each of them."""
    line: list[Piece] = []
    for kind, word in tokens:
        first, *others = word.split("\n")
        line.append((kind, first))
        for other in others:
            yield line
            line = [(kind, other)]
    yield line


def _defined(tokens: Sequence[Piece]) -> str:
    """The name that a line defines; an empty string if it defines none."""
    before = ""
    for kind, word in tokens:
        if not word.strip():
            continue
        if kind in Name.Function or kind in Name.Class or (kind in Name and before in _DEFINES):
            return word
        before = word.strip() if kind in Keyword else ""
    return ""


def _with_decoration(lines: list[str], line: int, lowest: int) -> int:
    """The line where the comments and decorators right above a definition begin."""
    while line > lowest and lines[line - 1].strip() and _DECORATION.match(lines[line - 1]):
        line -= 1
    return line
