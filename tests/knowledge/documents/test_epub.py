"""Books."""

from pathlib import Path

import pytest

from knowledge.errors import KnowledgeError
from tests.knowledge.documents.making import CONTAINER, archive, book, places, read


def test_chapters_come_in_the_order_of_the_spine(tmp_path: Path) -> None:
    document = read(tmp_path, "a.epub", book())
    assert document.title == "Plant care"
    assert places(document) == [(("Water",), "Once a week."), (("Light",), "Not too much.")]


def test_a_protected_book_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"a\.epub is locked with a password"):
        read(tmp_path, "a.epub", book(**{"META-INF/rights.xml": "<r/>"}))


def test_a_book_without_chapters_is_refused(tmp_path: Path) -> None:
    empty = archive({"META-INF/container.xml": CONTAINER, "OPS/book.opf": "<package/>"})
    with pytest.raises(KnowledgeError, match="none of its chapters is there"):
        read(tmp_path, "a.epub", empty)
