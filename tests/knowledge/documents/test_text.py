"""Text files in the encodings that offices have used."""

import pytest

from knowledge.documents.text import decode
from knowledge.errors import KnowledgeError

SAMPLES = {
    "cp1252": "Größe und Maß: für Töpfe – 5 €",
    "latin-1": "Crème brûlée à la carte, déjà vu",
    "cp1250": "Příliš žluťoučký kůň úpěl",
    "cp1251": "Привет мир, как дела сегодня",
    "cp932": "名前,年齢,住所\r\n佐藤太郎,30,東京\r\n",
    "gb18030": "我们的商店九点开门,周日休息。",
    "euc_kr": "우리 가게는 아홉 시에 문을 엽니다",
    "utf-8-sig": "Größe",
    "utf-16": "Größe €",
    "utf-32": "Größe €",
    "utf-16-le": "Opening hours: nine to five",
    "utf-16-be": "Opening hours: nine to five",
}


@pytest.mark.parametrize("encoding", SAMPLES)
def test_text_is_read_in_its_encoding(encoding: str) -> None:
    assert decode(SAMPLES[encoding].encode(encoding), "a.txt") == SAMPLES[encoding]


def test_bytes_of_a_program_are_no_text() -> None:
    with pytest.raises(KnowledgeError, match=r"a\.txt holds no text that people could read"):
        decode(bytes(range(256)) * 4, "a.txt")
