"""Answers made to look alike, so that form does not tell who wrote them: plain paragraphs of plain sentences.

It knows marks of citation, Markdown and sentence ends. It changes no word of what an answer says.
"""

import re
from collections.abc import Collection

NO_WORDS = "(no answer)"

_CITATION = re.compile(
    r"\s*(?:\[\s*\^?\d+(?:\s*[,;–-]\s*\d+)*\s*\]"  # [1], [1, 2], [^3]
    r"|【[^】\n]*】"
    r"|(?<![mt])[⁰¹²³⁴⁵⁶⁷⁸⁹]+(?=\W|$)"  # but not m²
    r"|[(\[]\s*(?:sources?|passages?|see|cf\.|doc(?:ument)?s?)\b[^)\]\n]{0,120}[)\]])",
    re.IGNORECASE,
)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_EMPHASIS = re.compile(
    r"(?<![\w*])(\*{1,3})(?=\S)(.+?)(?<=\S)\1(?![\w*])|(?<!\w)(_{1,2})(?=\S)(.+?)(?<=\S)\3(?!\w)"
)
_OPENING = re.compile(r"^\s*(?:#{1,6}\s+|>\s?|```.*$)")
_BULLET = re.compile(r"^\s*[-*+•]\s+")
_SOURCES = re.compile(r"^\W*(?:sources?|references?|citations?)\W*(?::.*)?$", re.IGNORECASE)
_SENTENCE_END = re.compile(
    r"(?<!^\d)(?<!^\d\d)([.!?…][\"'”’)]*)\s+(?=[\"'“‘(]?[A-ZÀ-ÖØ-Þ0-9])|([。！？])(?=.)"
)


def plain_answer(text: str, titles: Collection[str] = ()) -> tuple[tuple[str, ...], ...]:
    """An answer as paragraphs of sentences, without citation marks and Markdown.

    Args:
        text: the answer as it was written.
        titles: titles of passages; where one stands in brackets, it is taken for a citation.
    """
    for title in filter(None, titles):
        text = re.sub(rf"\s*[(\[]{re.escape(title)}[)\]]", "", text)
    lines = [_plain_line(line) for line in text.splitlines()]
    paragraphs = tuple(_sentences(line) for line in lines if line and not _SOURCES.match(line))
    return paragraphs or ((NO_WORDS,),)


def _plain_line(line: str) -> str:
    line = _BULLET.sub("• ", _OPENING.sub("", line))
    line = _CITATION.sub("", _LINK.sub(r"\1", line))
    for _ in range(2):  # emphasis inside emphasis
        line = _EMPHASIS.sub(lambda found: found[2] or found[4], line)
    return " ".join(line.replace("`", "").split()).strip()


def _sentences(line: str) -> tuple[str, ...]:
    ended = _SENTENCE_END.sub(lambda end: (end[1] or end[2]) + "\n", line)
    return tuple(ended.split("\n"))
