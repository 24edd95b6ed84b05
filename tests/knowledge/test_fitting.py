"""Whether anything fits a question, in the measure of the company's own documents."""

import numpy as np
import pytest

from knowledge.fitting import LEAST, LONE_DOCUMENT, Fit, common_similarity, fit_of
from knowledge.index import build_index
from knowledge.retrieval import KnowledgeBase

HOLDS = {"pot", "red", "price"}.__contains__


def unit(*angles: float) -> np.ndarray:
    """Vectors of two numbers at these angles in degrees."""
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


@pytest.mark.parametrize(
    ("similarity", "question", "opening", "margin"),
    [
        (0.6, "The red pot?", False, 0.1),
        (0.6, "The blue pot?", False, 0.0),
        (0.6, "Blue tin?", False, -0.1),
        (0.6, "The red pot?", True, 0.18),
        (0.3, "The red pot?", False, -0.2),
    ],
    ids=["known words", "one of two unknown", "all unknown", "an opening question", "far from all passages"],
)
def test_the_margin_is_nearness_beyond_the_common_less_unknown_words(similarity, question, opening, margin):
    assert fit_of(question, similarity, 0.5, HOLDS, opening=opening).margin == pytest.approx(margin)


def test_words_that_no_document_holds_are_named_once_and_numbers_are_not_counted() -> None:
    fit = fit_of("Is order 4711 of 2 Bonsai, the bonsai pot, dearer?", 0.6, 0.5, HOLDS, opening=True)
    assert fit.words == ("order", "bonsai", "pot", "dearer")
    assert fit.unknown == ("order", "bonsai", "dearer")


@pytest.mark.parametrize(
    ("similarity", "question", "holds"),
    [
        (0.5 + LEAST + 0.01, "red pot", True),
        (0.5 + LEAST - 0.01, "red pot", False),
        (0.0, "Thank you!", True),
    ],
    ids=["near enough", "too far", "asks for nothing"],
)
def test_something_fits_or_nothing_does(similarity, question, holds) -> None:
    assert fit_of(question, similarity, 0.5, HOLDS, opening=False).holds is holds


def test_how_alike_documents_are_is_the_median_nearest_passage_of_another_document() -> None:
    index = build_index(unit(0, 10, 60, 90))
    assert common_similarity(index, ["a", "a", "b", "c"]) == pytest.approx(
        np.median(np.cos(np.radians([60, 50, 30, 30]))), abs=1e-5
    )


@pytest.mark.parametrize(
    ("angles", "common"), [((0, 5), LONE_DOCUMENT), ((0, 80), np.cos(np.radians(80))), ((0,), -1)],
    ids=["alike", "unlike", "a single passage"],
)  # fmt: skip
def test_a_lone_document_is_measured_against_itself_within_reason(angles, common) -> None:
    assert common_similarity(build_index(unit(*angles)), ["a"] * len(angles)) == pytest.approx(common)


def test_a_question_about_something_else_fits_nothing_and_still_shows_the_nearest(
    knowledge: KnowledgeBase, write
) -> None:
    for name in ("pots", "bags"):
        knowledge.add([write(f"{name}.md", f"# {name}\n\nClay {name} come in red and brown.")])
    assert knowledge.search("clay pots red").fits
    stray = knowledge.search("bicycle insurance abroad")
    assert not stray.fits and stray.found
    assert stray.fit is not None and stray.fit.unknown == ("bicycle", "insurance", "abroad")


def test_nothing_fits_where_there_are_no_documents(knowledge: KnowledgeBase) -> None:
    assert not knowledge.search("clay pots").fits


def test_the_chat_before_the_question_counts_against_its_nearness() -> None:
    alone, within = (Fit(0.45, 0.6, ("pot",), (), opening) for opening in (True, False))
    assert alone.holds and not within.holds
