"""What stands on a page of a PDF and where: words with the size of their letters, and lines that are drawn.

It knows PDFium and nothing of paragraphs. Distances are points, from the left and from the top of the page.
"""

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

THIN = 3.0
"""Points; a filled box no thicker than this is a line."""
MOST_OBJECTS = 2_000
"""Drawn things looked at on a page; maps and plans hold more, and no tables."""
MOST_CHARACTERS = 200_000
HYPHEN, PARTING = 2, "\u2010"
"""How PDFium tells a hyphen that parts a word at the end of a line, and how it is told from here on."""
BOLD = 600


@dataclass(frozen=True)
class Word:
    """A word and its place; `size` is the height of its letters in points."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float
    bold: bool

    @property
    def middle(self) -> float:
        """Half way between top and bottom."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Rule:
    """A straight line that is drawn on the page, from one end to the other; across or down."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def across(self) -> bool:
        """Whether it runs from left to right."""
        return self.right - self.left >= self.bottom - self.top


def words_on(page: pdfium.PdfPage) -> tuple[list[Word], bool]:
    """The words in the order they are drawn, and whether most of them run across the page as usual."""
    held = page.get_textpage()  # closes what it holds once nobody refers to it
    text = held.raw
    height = page.get_bbox()[3]
    words: list[Word] = []
    turned = start = 0
    letters: list[str] = []
    count = min(raw.FPDFText_CountChars(text), MOST_CHARACTERS)
    for index in range(count + 1):
        letter = _letter(text, index) if index < count else ""
        if letter:
            start = start if letters else index
            letters.append(letter)
        if letters and letter in ("", PARTING):
            words.append(_word(text, "".join(letters), start, start + len(letters) - 1, height))
            turned += abs(math.sin(raw.FPDFText_GetCharAngle(text, start))) > 0.2
            letters.clear()
    return words, page.get_rotation() == 0 and turned <= len(words) / 5


def rules_on(page: pdfium.PdfPage) -> list[Rule]:
    """The lines drawn across and down the page, the edges of boxes too."""
    height = page.get_bbox()[3]
    rules: list[Rule] = []
    for count, thing in enumerate(page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=4)):
        if count >= MOST_OBJECTS:
            return []
        left, bottom, right, top = thing.get_bounds()
        rules += _edges(Rule(left, height - top, right, height - bottom), raw.FPDFPath_CountSegments(thing))
    return rules


def _edges(box: Rule, segments: int) -> Iterator[Rule]:
    """A thin box is a line; a plain larger one is drawn around something: its four edges."""
    wide, high = box.right - box.left, box.bottom - box.top
    if wide <= THIN or high <= THIN:
        if max(wide, high) > 2 * THIN:
            yield box
    elif segments <= 6:
        yield Rule(box.left, box.top, box.right, box.top)
        yield Rule(box.left, box.bottom, box.right, box.bottom)
        yield Rule(box.left, box.top, box.left, box.bottom)
        yield Rule(box.right, box.top, box.right, box.bottom)


def _letter(text: Any, index: int) -> str:
    """A letter; an empty string for a space, the end of a line, or what is no letter at all."""
    code = int(raw.FPDFText_GetUnicode(text, index))
    if code == HYPHEN:
        return PARTING
    if code <= 0x20 or code == 0xA0 or code >= 0x110000 or 0xD800 <= code < 0xE000:
        return ""
    return chr(code)


def _word(text: Any, letters: str, first: int, last: int, height: float) -> Word:
    """A word with its place, told by its first and last letters; the first one tells size and weight."""
    left, right, bottom, top = _box(text, first)
    other_left, other_right, *_ = _box(text, last)
    across, baseline = ctypes.c_double(), ctypes.c_double()
    if raw.FPDFText_GetCharOrigin(text, first, ctypes.byref(across), ctypes.byref(baseline)):
        bottom = baseline.value
    size = round(_size(text, first) or top - bottom, 1)
    foot = height - bottom
    return Word(
        letters,
        min(left, other_left),
        foot - size,
        max(right, other_right),
        foot,
        size,
        _is_bold(text, first),
    )


def _box(text: Any, index: int) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of a letter, as PDFium counts."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    raw.FPDFText_GetCharBox(text, index, *map(ctypes.byref, (left, right, bottom, top)))
    return left.value, right.value, bottom.value, top.value


def _size(text: Any, index: int) -> float:
    """The size of the letters as they are seen: the font's, times how much the page enlarges it."""
    matrix = raw.FS_MATRIX()
    scale = 1.0
    if raw.FPDFText_GetMatrix(text, index, ctypes.byref(matrix)):
        scale = math.hypot(matrix.c, matrix.d)
    return float(raw.FPDFText_GetFontSize(text, index)) * (scale or 1.0)


def _is_bold(text: Any, index: int) -> bool:
    buffer, flags = ctypes.create_string_buffer(64), ctypes.c_int()
    raw.FPDFText_GetFontInfo(text, index, buffer, 64, ctypes.byref(flags))
    name = buffer.value.lower()
    return b"bold" in name or b"black" in name or raw.FPDFText_GetFontWeight(text, index) >= BOLD
