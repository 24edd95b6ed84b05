"""Passages: where documents are cut, and that every passage keeps its place."""

from itertools import pairwise

import pytest

from knowledge.chunking import CutSettings, Passage, count_words, cut
from knowledge.documents import Document
from knowledge.documents.code import read_code
from knowledge.documents.markdown import read_markdown
from knowledge.documents.model import DocumentBuilder
from knowledge.errors import KnowledgeError


def cut_markdown(source: str, words: int = 90, overlap: int = 20) -> tuple[Passage, ...]:
    document = read_markdown(source.encode(), "care.md", "digest")
    return checked(document, CutSettings(words, overlap))


def checked(document: Document, settings: CutSettings) -> tuple[Passage, ...]:
    passages = cut(document, settings)
    assert all(document.text[passage.start : passage.end] == passage.text for passage in passages)
    assert len({passage.id for passage in passages}) == len(passages)
    return passages


def sentences(count: int, first: int = 0) -> str:
    return " ".join(f"This is sentence number {number} of it." for number in range(first, first + count))


def test_a_passage_knows_where_it_stands() -> None:
    passage = cut_markdown(f"# Returns\n\n## Unopened pots\n\n{sentences(8)}\n")[0]
    assert passage.title == "Returns › Unopened pots"
    assert (passage.heading, passage.document, passage.place) == (
        ("Unopened pots",),
        "care.md",
        passage.title,
    )


def test_the_place_names_the_page() -> None:
    builder = DocumentBuilder("a.pdf", "digest")
    builder.page(2)
    builder.heading(1, "Fees")
    builder.heading(2, "Abroad")
    builder.block("Three pounds.")
    assert [passage.place for passage in checked(builder.finish(), CutSettings())] == [
        "Fees › Abroad, page 2"
    ]


def test_passages_never_cross_headings() -> None:
    source = "# Care\n\n" + "".join(f"## Part {part}\n\n{sentences(12)}\n\n" for part in "ABC")
    for passage in cut_markdown(source, words=60):
        assert sum(f"Part {part}" in passage.text for part in "ABC") <= 1


@pytest.mark.parametrize("words", [30, 60, 90])
def test_passages_keep_to_the_length_set(words: int) -> None:
    passages = cut_markdown(f"# Care\n\n{sentences(100)}\n", words=words, overlap=7)
    lengths = [count_words(passage.text) for passage in passages]
    assert max(lengths) <= words * 1.2
    assert min(lengths) > words / 3


def test_neighbours_share_the_overlap_set() -> None:
    passages = cut_markdown(f"# Care\n\n{sentences(40)}\n", words=60, overlap=20)
    shared = [one.end - two.start for one, two in pairwise(passages)]
    assert all(length > 0 for length in shared)
    apart = cut_markdown(f"# Care\n\n{sentences(40)}\n", words=60, overlap=0)
    assert all(one.end <= two.start for one, two in pairwise(apart))


def test_a_long_section_is_cut_at_sentence_ends() -> None:
    passages = cut_markdown(f"# Care\n\n{sentences(40)}\n", words=60, overlap=0)
    assert all(passage.text.endswith(".") for passage in passages)


def test_nothing_is_lost() -> None:
    source = f"# Care\n\n{sentences(40)}\n\n## Water\n\n{sentences(30, 100)}\n"
    found = " ".join(passage.text for passage in cut_markdown(source, words=40, overlap=10))
    assert all(f"number {number} of" in found for number in [*range(40), *range(100, 130)])


FAQ = "# Help\n\n## Questions\n\n" + "".join(f"### May I do {n}?\n\nYes, number {n}.\n\n" for n in range(8))


def test_tiny_neighbours_share_a_passage_under_their_parent() -> None:
    passages = cut_markdown(FAQ, words=40)
    assert all(passage.title == "Help › Questions" for passage in passages)
    assert 1 < len(passages) < 8


def test_every_question_stays_with_its_answer() -> None:
    for passage in cut_markdown(FAQ, words=40):
        assert passage.text.count("May I do") == passage.text.count("Yes, number")


def test_questions_in_running_text_stay_with_their_answers() -> None:
    text = "\n\n".join(f"May I bring thing {n}?\n\n{sentences(4)} Answer {n}." for n in range(9))
    for passage in cut_markdown(f"# Help\n\n{text}\n", words=90):
        assert passage.text.count("May I bring") == passage.text.count("Answer")


def test_tiny_sections_under_different_parents_stay_apart() -> None:
    source = "# Help\n\n## A\n\n### One\n\nYes.\n\n## B\n\n### Two\n\nNo.\n"
    assert [passage.title for passage in cut_markdown(source)] == ["Help › A › One", "Help › B › Two"]


def test_headings_are_not_searched_twice() -> None:
    passage = cut_markdown(f"# Returns\n\n## Pots\n\n{sentences(9)}\n")[0]
    assert passage.search_text.startswith("Returns\nPots\n")
    assert passage.search_text.count("Pots") == 1


def test_a_later_piece_is_searched_with_its_headings() -> None:
    passages = cut_markdown(f"# Returns\n\n## Pots\n\n{sentences(40)}\n", words=60)
    assert passages[1].search_text.startswith("Returns › Pots\nThis is")


def test_ids_outlive_changes_elsewhere() -> None:
    before = cut_markdown(f"# Care\n\n## A\n\n{sentences(6)}\n\n## B\n\n{sentences(6, 50)}\n")
    after = cut_markdown(f"# Care\n\n## A\n\nNew. {sentences(7)}\n\n## B\n\n{sentences(6, 50)}\n")
    assert before[1].id == after[1].id
    assert before[0].id != after[0].id


def test_the_same_words_twice_have_two_ids() -> None:
    passages = cut_markdown(f"# Care\n\n## A\n\n{sentences(9)}\n\n## A\n\n{sentences(9)}\n")
    assert len(passages) == 2  # that their ids differ is checked on the way


def test_a_language_without_spaces_is_cut_by_characters() -> None:
    passages = cut_markdown(f"# 説明\n\n{'これは文です。' * 60}\n", words=60, overlap=0)
    assert len(passages) > 5


@pytest.mark.parametrize(
    ("words", "overlap", "text"),
    [
        (19, 0, "Passage length: found 19 words. It must be from 20 to 400. Choose a number in between."),
        (401, 0, "Passage length: found 401 words. It must be from 20 to 400. Choose a number in between."),
        (
            60,
            31,
            "Passage overlap: found 31 words. It must be from 0 to half the passage length (30). "
            "Choose a number in between.",
        ),
        (
            60,
            -1,
            "Passage overlap: found -1 words. It must be from 0 to half the passage length (30). "
            "Choose a number in between.",
        ),
    ],
)
def test_settings_out_of_range_are_refused(words: int, overlap: int, text: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        CutSettings(words, overlap)
    assert str(caught.value) == text


TABLE = "| Weight | Fee |\n|---|---|\n" + "".join(
    f"| {n} kg | {n} pounds for each parcel |\n" for n in range(40)
)


def test_rows_of_a_long_table_stay_whole_and_keep_the_names_of_their_columns() -> None:
    passages = cut_markdown(f"# Fees\n\n## By weight\n\nWhat parcels cost.\n\n{TABLE}\nAsk us.\n", words=60)
    first, *others = passages
    assert "Weight | Fee\n0 kg" in first.text
    assert len(others) > 3
    for passage in others:
        assert passage.columns == "Weight | Fee"
        assert passage.title == "Fees › By weight › Weight | Fee"
        assert passage.place == "Fees › By weight"
        assert passage.search_text.startswith("Fees › By weight › Weight | Fee\n")
        assert all(line.endswith("parcel") for line in passage.text.split("\n") if "kg" in line)
    assert others[-1].text.endswith("\n\nAsk us.")
    assert all(count_words(passage.search_text) <= 60 * 1.2 for passage in passages)


def test_a_small_table_stays_with_the_text_around_it() -> None:
    table = "| To | Days |\n|---|---|\n| Rome | 4 |\n| Oslo | 6 |\n"
    passages = cut_markdown(
        f"# Post\n\n{sentences(11)}\n\nThis is how long it takes:\n\n{table}\n", words=60, overlap=0
    )
    assert any("how long it takes:\n\nTo | Days\nRome | 4\nOslo | 6" in passage.text for passage in passages)


def test_code_is_cut_between_its_functions() -> None:
    source = "\n\n".join(f"def function_{n}(x):\n    " + "\n    ".join(["x = x + 1"] * 12) for n in range(6))
    document = read_code(source.encode(), "shop/fees.py", "digest")
    passages = checked(document, CutSettings(40, 0))
    assert {passage.title for passage in passages} == {f"shop/fees.py › function_{n}" for n in range(6)}
    assert all(passage.text.count("def function_") <= 1 for passage in passages)


def test_the_place_names_the_slide_or_sheet() -> None:
    builder = DocumentBuilder("a.pptx", "digest", unit="slide")
    builder.page(3)
    builder.block("Three pounds.")
    assert [passage.place for passage in checked(builder.finish("Fees"), CutSettings())] == ["Fees, slide 3"]
