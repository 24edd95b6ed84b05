"""Books."""

from pathlib import Path

import pytest

from knowledge.errors import KnowledgeError
from tests.knowledge.documents.making import archive, places, read

CONTAINER = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
BOOK = """<package xmlns:dc="http://purl.org/dc/elements/1.1/">
<metadata><dc:title>Plant care</dc:title></metadata>
<manifest><item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="two" href="two.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="ch%20one.xhtml" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="n"/><itemref idref="one"/><itemref idref="two"/></spine></package>"""


def book(**more: str) -> bytes:
    chapter = "<html><body><h1>{}</h1><p>{}</p></body></html>"
    return archive(
        {
            "META-INF/container.xml": CONTAINER,
            "OPS/book.opf": BOOK,
            "OPS/ch one.xhtml": chapter.format("Water", "Once a week."),
            "OPS/two.xhtml": chapter.format("Light", "Not too much."),
            "OPS/nav.xhtml": chapter.format("Contents", "Water, Light"),
            **more,
        }
    )


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
