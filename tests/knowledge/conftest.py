"""Fixtures of the knowledge tests: an encoder a person can check by hand, and files made on the spot."""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from docx import Document as new_word
from fpdf import FPDF
from numpy.typing import NDArray
from pypdf import PdfReader, PdfWriter

from knowledge.chunking import CutSettings
from knowledge.retrieval import KnowledgeBase

Write = Callable[[str, str | bytes], tuple[Path, str]]

POTS = """# Pots

## Clay

Clay pots come in red and brown.

## Returns

Unopened pots go back within a month.
"""
HOURS = "# Hours\n\n## Shop\n\nThe shop opens at nine in the morning.\n"


class WordEncoder:
    """Counts words: two texts are alike as far as they share words. Remembers what it was asked."""

    def __init__(self, identity: str = "words", dimension: int = 64) -> None:
        self.identity = identity
        self.dimension = dimension
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += texts
        vectors = np.full((len(texts), self.dimension), 0.01, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().replace("?", "").replace(".", "").split():
                vectors[row, zlib.crc32(word.encode()) % self.dimension] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def knowledge(tmp_path: Path, encoder: WordEncoder) -> KnowledgeBase:
    return KnowledgeBase(tmp_path / "knowledge", lambda: encoder)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], tuple[Path, str]]:
    """Write a file; gives what `KnowledgeBase.add` takes."""

    def write_file(name: str, content: str | bytes) -> tuple[Path, str]:
        path = tmp_path / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path, name

    return write_file


def make_pdf(path: Path, pages: Sequence[Sequence[tuple[str, int, str]]], title: str = "") -> Path:
    """A PDF of the lines given: text, size in points, "B" for bold."""
    pdf = FPDF()
    if title:
        pdf.set_title(title)
    for page in pages:
        pdf.add_page()
        for text, size, style in page:
            pdf.set_font("Helvetica", style, size)
            pdf.multi_cell(0, size / 2, text, new_x="LMARGIN", new_y="NEXT")
    pdf.output(str(path))
    return path


def lock_pdf(path: Path, password: str) -> Path:
    """The same PDF, locked for changes (and for reading, with a password)."""
    writer = PdfWriter(clone_from=PdfReader(path))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    writer.write(path)
    return path


def make_word(path: Path) -> Path:
    """A Word file with a title, headings, a list and a table."""
    word = new_word()
    word.add_heading("Returns and refunds", 0)
    word.add_paragraph("We take things back.")
    word.add_heading("Unopened pots", 1)
    word.add_paragraph("Send them within thirty days.")
    word.add_paragraph("in their box", style="List Bullet")
    word.add_paragraph("with the receipt", style="List Bullet")
    word.add_heading("Fees", 2)
    table = word.add_table(rows=2, cols=2)
    for cell, text in zip(
        (*table.rows[0].cells, *table.rows[1].cells), ("Weight", "Fee", "2 kg", "3 pounds"), strict=True
    ):
        cell.text = text
    word.add_paragraph("Fees are per parcel.")
    word.save(str(path))
    return path


def reopened(
    knowledge: KnowledgeBase, encoder: WordEncoder, settings: CutSettings | None = None
) -> KnowledgeBase:
    """The same folder as another process would open it."""
    return KnowledgeBase(knowledge.folder, lambda: encoder, settings=settings)


def names(knowledge: KnowledgeBase) -> list[str]:
    """The documents that can be searched."""
    return [state.name for state in knowledge.documents() if state.state == "ready"]


def best(knowledge: KnowledgeBase, question: str) -> str:
    """The document that answers a question best."""
    return knowledge.search(question).found[0].passage.document
