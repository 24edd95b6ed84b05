"""Text as it may enter: decoded, without characters that hide or harm. Knows nothing of file formats."""

import re
import unicodedata

from knowledge.errors import KnowledgeError

# Control characters, lone surrogates, marks that reverse or hide text (bidirectional controls, tag
# characters, zero-width space, word joiner, byte order mark, soft hyphen).
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
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
    return unicodedata.normalize("NFC", text)


def tidy(text: str) -> str:
    """Clean text with single spaces, no space at line ends and at most one empty line in a row."""
    lines = [_SPACES.sub(" ", line).strip() for line in clean(text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str) -> str:
    """Clean text on one line: for headings, titles and table cells."""
    return " ".join(clean(text).split())


def decode(data: bytes, name: str) -> str:
    """The text of a plain text file: UTF-8, or UTF-16 where it starts with the mark for it.

    Raises:
        KnowledgeError: the bytes are neither.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise KnowledgeError(
            f"{name}, line {line}: found the byte 0x{data[problem.start]:02x}, which is not UTF-8 text. "
            "Text files must be UTF-8. Open it in an editor, save it with the encoding UTF-8, and add it "
            "again."
        ) from problem
