"""Rich Text files."""

from pathlib import Path

import pytest

from knowledge.errors import KnowledgeError
from tests.knowledge.documents.making import read, tables

ROW = r"\trowd\cellx1000\cellx2000 {}\cell {}\cell\row "


def test_rich_text_is_read_as_paragraphs(tmp_path: Path) -> None:
    source = (
        r"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0\pard Clay {\b pots} come in Gr\'f6\'dfe 5.\par Second one.\par}"
    )
    assert read(tmp_path, "a.rtf", source).text == "Clay pots come in Größe 5.\n\nSecond one."


def test_rows_of_cells_are_a_table(tmp_path: Path) -> None:
    rows = ROW.format("Weight", "Fee") + ROW.format("2 kg", "3 pounds")
    document = read(tmp_path, "a.rtf", r"{\rtf1\ansi Fees\par " + rows + r"\pard After.\par}")
    assert tables(document) == ["Weight | Fee\n2 kg | 3 pounds"]


def test_a_file_that_is_no_rich_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"a\.rtf can't be read; it seems damaged"):
        read(tmp_path, "a.rtf", "words")


def test_rich_text_by_another_name_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "letter.doc", r"{\rtf1\ansi Dear Ann\par}").text == "Dear Ann"
