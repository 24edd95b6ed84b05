"""PowerPoint files."""

from pathlib import Path

import pytest
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from knowledge.errors import KnowledgeError
from tests.knowledge.documents.making import deck, places, read, tables


def test_every_slide_is_a_section_under_its_title(tmp_path: Path) -> None:
    document = read(
        tmp_path, "a.pptx", deck([("Returns", ["Within thirty days."]), ("Fees", ["one", "two", "three"])])
    )
    assert document.unit == "slide"
    assert places(document) == [(("Returns",), "Within thirty days."), (("Fees",), "- one\n- two\n- three")]
    assert [section.page for section in document.sections] == [1, 2]


def test_tables_and_notes_are_read(tmp_path: Path) -> None:
    document = read(tmp_path, "a.pptx", deck([("Fees", ["By weight."])], table=True, notes="Say it slowly."))
    assert tables(document) == ["Weight | Fee\n2 kg | 3 pounds"]
    assert document.text.endswith("Notes: Say it slowly.")


def test_what_most_slides_repeat_is_left_out(tmp_path: Path) -> None:
    slides = [(f"Title {number}", [f"Text of slide {number}."]) for number in range(4)]
    assert "Confidential" not in read(tmp_path, "a.pptx", deck(slides, footer="Confidential")).text


def test_a_chart_is_read_as_the_table_it_draws(tmp_path: Path) -> None:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Sales of pots and bags by month"
    numbers = CategoryChartData()
    numbers.categories = ["May", "June"]
    numbers.add_series("Pots", (4, 5.5))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, Inches(4), Inches(3), numbers)
    deck.save(tmp_path / "made.pptx")
    document = read(tmp_path, "a.pptx", (tmp_path / "made.pptx").read_bytes())
    assert tables(document) == ["| Pots\nMay | 4\nJune | 5.5"]


def test_slides_of_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError) as caught:
        read(tmp_path, "a.pptx", deck([("Hello", []), ("", [])]))
    assert str(caught.value) == (
        "a.pptx holds no text: its 2 slides show pictures. Only text can be searched. "
        "Run text recognition (OCR) over it, or add the document it was made from."
    )
