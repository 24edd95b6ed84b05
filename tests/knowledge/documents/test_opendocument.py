"""OpenDocument texts and slides."""

from pathlib import Path

import pytest

from knowledge.errors import KnowledgeError
from tests.knowledge.documents.making import SPACES, archive, odf, places, read, tables


def test_a_text_is_read_in_the_order_of_its_body(tmp_path: Path) -> None:
    body = """<office:text><text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>
    <text:h text:outline-level="1">Returns</text:h><text:p>Send<text:s/>them <text:span>back</text:span>.
    <text:note><text:p>a note</text:p></text:note> Soon.</text:p>
    <text:list><text:list-item><text:p>in their box</text:p>
    </text:list-item><text:list-item><text:p>with the receipt</text:p></text:list-item></text:list>
    <text:h text:outline-level="2">Fees</text:h><table:table>
    <table:table-row><table:table-cell><text:p>Weight</text:p></table:table-cell>
    <table:table-cell><text:p>Fee</text:p></table:table-cell></table:table-row>
    <table:table-row><table:table-cell><text:p>2 kg</text:p></table:table-cell>
    <table:table-cell><text:p>3</text:p></table:table-cell></table:table-row></table:table></office:text>"""
    document = read(tmp_path, "a.odt", odf(body))
    assert document.title == "Returns"
    assert places(document) == [
        ((), "Send them back. Soon.\n\n- in their box\n- with the receipt"),
        (("Fees",), "Weight | Fee\n2 kg | 3"),
    ]
    assert tables(document) == ["Weight | Fee\n2 kg | 3"]


def test_slides_know_their_number_and_title(tmp_path: Path) -> None:
    page = """<draw:page><draw:frame presentation:class="title"><draw:text-box>
    <text:p>{}</text:p></draw:text-box></draw:frame><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>
    <presentation:notes><text:p>hidden</text:p></presentation:notes></draw:page>"""
    slides = page.format("Pots", "Red ones.") + page.format("Bags", "Blue ones.")
    document = read(tmp_path, "a.odp", odf(f"<office:presentation>{slides}</office:presentation>"))
    assert places(document) == [(("Pots",), "Red ones."), (("Bags",), "Blue ones.")]
    assert ([section.page for section in document.sections], document.unit) == ([1, 2], "slide")
    assert document.title == "Care guide"


def test_a_locked_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"a\.odt is locked with a password\. .* Open it in LibreOffice"):
        read(tmp_path, "a.odt", odf("", manifest="<m><encryption-data/></m>"))


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    bomb = (
        '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]>' + f"<a {SPACES}><text:p>&y; seen</text:p></a>"
    )
    document = read(tmp_path, "a.odt", archive({"content.xml": bomb, "META-INF/manifest.xml": "<m/>"}))
    assert document.text == "seen"
