"""Mails."""

from pathlib import Path

import pytest

from knowledge.errors import KnowledgeError
from tests.knowledge.documents.making import mail, read


def test_a_mail_is_its_subject_its_sender_and_its_words(tmp_path: Path) -> None:
    document = read(tmp_path, "a.eml", mail(text="Are the pots red?\n\nYours, Ann", attached="pots.pdf"))
    assert document.title == "Größe of pots"
    assert document.text == (
        "Größe of pots\n\nFrom: Ann <ann@example.org>\n\nAre the pots red?\n\nYours, "
        "Ann\n\nAttached: pots.pdf"
    )


def test_a_mail_that_is_a_web_page_is_read_as_one(tmp_path: Path) -> None:
    document = read(
        tmp_path, "a.eml", mail(page="<h2>Pots</h2><p>They are <b>red</b>.</p><script>no</script>")
    )
    assert document.text.endswith("Pots\n\nThey are red.")


def test_where_a_mail_comes_twice_the_text_is_taken(tmp_path: Path) -> None:
    assert "styled" not in read(tmp_path, "a.eml", mail(text="Plain words.", page="<p>styled</p>")).text


def test_a_mail_in_an_encoding_it_does_not_name_is_read(tmp_path: Path) -> None:
    raw = "Subject: Pots\nFrom: a@b.org\nContent-Type: text/plain; charset=nonsense\n\nGröße".encode("cp1252")
    assert read(tmp_path, "a.eml", raw).text.endswith("Größe")


def test_a_file_that_is_no_mail_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"a\.eml can't be read; it seems damaged \(it has no subject"):
        read(tmp_path, "a.eml", b"just words")
