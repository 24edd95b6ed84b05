"""Text as it may enter: decoded, without characters that hide or harm. Knows nothing of file formats."""

import re
import unicodedata
from functools import cache

from knowledge.errors import KnowledgeError

# Control characters, lone surrogates, marks that reverse or hide text (bidirectional controls, tag
# characters, zero-width space, word joiner, byte order mark, soft hyphen).
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_BINARY = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
BINARY_SHARE = 20
"""More than one character of control in this many, and than a FEW, and it is no text."""
FEW = 3
SAMPLE = 200_000
"""Bytes that are looked at to find an encoding."""
ENCODINGS = [
    *("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("cp932", "euc_jp", "iso2022_jp", "gb18030", "big5", "euc_kr", "tis_620"),
]
"""What is tried where a file is not Unicode: the encodings that offices have used."""
MOST_MARKS = 30
"""On one letter; as Unicode's "stream-safe" text has it (UAX 15)."""
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_LIGATURES = str.maketrans(
    {
        "\ufb00": "ff",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\ufb03": "ffi",
        "\ufb04": "ffl",
        "\ufb05": "st",
        "\ufb06": "st",
    }
)


def clean(text: str) -> str:
    """Text with plain line ends, composed letters and nothing invisible; spaces are left as they are."""
    text = _UNWANTED.sub("", _LINE_ENDS.sub("\n", text)).translate(_LIGATURES)
    return unicodedata.normalize("NFC", text if text.isascii() else _stacked().sub(r"\1", text))


@cache
def _stacked() -> re.Pattern[str]:
    """More marks on one letter than any language writes; to compose thousands takes minutes."""
    marks = "".join(chr(code) for code in range(0x300, 0x1F000) if unicodedata.combining(chr(code)))
    return re.compile(f"([{marks}]{{{MOST_MARKS}}})[{marks}]+")


def tidy(text: str) -> str:
    """Clean text with single spaces, no space at line ends and at most one empty line in a row."""
    lines = [_SPACES.sub(" ", line).strip() for line in clean(text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def paragraphs(text: str) -> list[str]:
    """Clean text, parted where lines are empty, however many."""
    return re.split(r"\n{2,}", text)


def one_line(text: str) -> str:
    """Clean text on one line: for headings, titles and table cells."""
    return " ".join(clean(text).split())


def decode(data: bytes, name: str) -> str:
    """The text of a plain text file: UTF-8, UTF-16 or UTF-32, else in the encoding that fits it best.

    Raises:
        KnowledgeError: the bytes are no text.
    """
    text = _decoded(data)
    if len(_BINARY.findall(text[:SAMPLE])) > FEW + len(text[:SAMPLE]) / BINARY_SHARE:
        raise KnowledgeError(
            f"{name} holds no text that people could read; it may be a program, a picture or a file "
            "of another "
            "kind renamed. Open it in the program it was made with, save its text as a document, "
            "and add that."
        )
    return text


def _decoded(data: bytes) -> str:
    if data[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return data.decode("utf-32", errors="replace")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return _without_mark(data) or data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _guessed(data)


def _guessed(data: bytes) -> str:
    """Text in one of the encodings from before Unicode, told by which letters it would make."""
    from charset_normalizer import from_bytes  # few files need it, and it takes time to load

    matches = from_bytes(data[:SAMPLE], cp_isolation=ENCODINGS)
    best = matches.best()
    if best is None:
        return data.decode("cp1252", errors="replace")
    # Short texts often fit several encodings equally well; the one most used in offices is meant then.
    equals = [each for each in matches if (each.chaos, each.coherence) == (best.chaos, best.coherence)]
    usual = any(each.encoding == ENCODINGS[0] for each in equals)
    return data.decode(ENCODINGS[0] if usual else best.encoding, errors="replace")


def _without_mark(data: bytes) -> str:
    """UTF-16 that doesn't begin with its mark, as some programs export it; an empty string if it is not."""
    for encoding, zeros in (("utf-16-le", data[1:2000:2]), ("utf-16-be", data[:2000:2])):
        if len(zeros) > FEW and zeros.count(0) > 0.8 * len(zeros):
            return data.decode(encoding, errors="replace")
    return ""
