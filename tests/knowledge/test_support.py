"""Whether the documents say what an answer claims."""

import pytest

from knowledge.retrieval import KnowledgeBase
from knowledge.support import LEAST, claims, is_supported
from tests.knowledge.conftest import POTS, Write

NEAR = LEAST + 0.1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Pots cost £3.50 each. Red pots cost more!", ("Pots cost £3.50 each.", "Red pots cost more!")),
        ("- Red pots cost five\n- Blue pots cost nine", ("Red pots cost five", "Blue pots cost nine")),
        ("Do red pots cost five?", ()),
        ("Happy to help!", ()),
        ("I'm sorry for the confusion about pots.", ()),
        ("Hello from Acme, dear plant friend! Red pots cost five.", ("Red pots cost five.",)),
        ("", ()),
    ],
    ids=["sentences", "lines", "question", "nothing said", "of itself", "ignored phrase", "empty"],
)
def test_claims_are_the_sentences_that_say_something_of_the_company(text, found) -> None:
    assert claims(text, ignoring=("hello from acme", "")) == found


@pytest.mark.parametrize(
    ("sentence", "similarity", "passages", "supported"),
    [
        ("Pots cost £3.50.", NEAR, ["A pot costs £3.50."], True),
        ("Pots cost £3.", NEAR, ["A pot costs £3.00."], True),
        ("Pots cost £4.50.", NEAR, ["A pot costs £3.50."], False),
        ("Pots of 9 cm cost £3.", NEAR, ["Pots cost £3.", "Pots of 9 cm are red."], True),
        ("Pots cost £35.", NEAR, ["Pots cost £3.50."], False),
        ("Pots are red.", LEAST - 0.01, ["Pots are red."], False),
        ("Pots are red.", NEAR, ["Pots are blue."], True),
        ("Pots cost £3.", NEAR, [], False),
    ],
    ids=[
        "figure held",
        "same figure",
        "other figure",
        "two passages",
        "longer",
        "far off",
        "no figure",
        "nothing",
    ],
)
def test_a_claim_needs_a_passage_that_speaks_of_it_and_its_figures(
    sentence, similarity, passages, supported
) -> None:
    assert is_supported(sentence, similarity, passages) is supported


def test_sentences_that_no_document_supports_are_told_in_order(
    knowledge: KnowledgeBase, write: Write
) -> None:
    knowledge.add([write("pots.md", POTS)])
    answer = "Clay pots come in red and brown. Clay pots come in 12 sizes. Bicycles ship abroad weekly."
    assert knowledge.unsupported(answer) == ("Clay pots come in 12 sizes.", "Bicycles ship abroad weekly.")
    assert knowledge.unsupported(answer, ignoring=("bicycles",)) == ("Clay pots come in 12 sizes.",)


def test_without_documents_nothing_is_held_against_an_answer(knowledge: KnowledgeBase) -> None:
    assert knowledge.unsupported("Bicycles ship abroad weekly.") == ()
