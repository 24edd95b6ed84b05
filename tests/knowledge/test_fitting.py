"""Whether anything fits a question, in the measure of the company's own documents."""

import numpy as np
import pytest

from knowledge.fitting import (
    FEWEST,
    FIRST_QUESTION,
    LEAST,
    LONE_DOCUMENT,
    UNKNOWN_WEIGHT,
    USUAL_CONTRAST,
    USUAL_SPREAD,
    Fit,
    Measure,
    common_similarity,
)
from knowledge.index import build_index
from knowledge.retrieval import KnowledgeBase

HOLDS = {"pot", "red", "price"}.__contains__


def unit(*angles: float) -> np.ndarray:
    """Vectors of two numbers at these angles in degrees."""
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


EAST = unit(0)[0]


def weighed(question: str, similarity: float, *, opening: bool = False) -> Fit:
    """A question in the measure of a company whose documents are usually 0.5 alike."""
    return Measure(0.5, USUAL_SPREAD, unit(0, 90)).fit(question, EAST, similarity, HOLDS, opening=opening)


@pytest.mark.parametrize(
    ("similarity", "question", "opening", "margin"),
    [
        (0.6, "The red pot?", False, 0.1),
        (0.6, "The blue pot?", False, 0.1 - UNKNOWN_WEIGHT / 2),
        (0.6, "Blue tin?", False, 0.1 - UNKNOWN_WEIGHT),
        (0.6, "Hello, I was wondering about the red pot", False, 0.1),
        (0.6, "The red pot?", True, 0.1 + FIRST_QUESTION),
        (0.3, "The red pot?", False, -0.2),
    ],
    ids=["known words", "one of two unknown", "all unknown", "talk", "an opening question", "far from all"],
)
def test_the_margin_is_nearness_beyond_the_common_less_unknown_words(similarity, question, opening, margin):
    assert weighed(question, similarity, opening=opening).margin == pytest.approx(margin)


def test_words_that_no_document_holds_are_named_once_and_numbers_are_not_counted() -> None:
    fit = weighed("Is order 4711 of 2 Bonsai, the bonsai pot, dearer?", 0.6, opening=True)
    assert fit.words == ("order", "bonsai", "pot", "dearer")
    assert fit.unknown == ("order", "bonsai", "dearer")


@pytest.mark.parametrize(
    ("similarity", "question", "holds"),
    [
        (0.5 + LEAST + 0.01, "red pot", True),
        (0.5 + LEAST - 0.01, "red pot", False),
        (0.0, "Thank you!", True),
        (0.0, "Okay, sounds good", True),
    ],
    ids=["near enough", "too far", "asks for nothing", "talk"],
)
def test_something_fits_or_nothing_does(similarity, question, holds) -> None:
    assert weighed(question, similarity).holds is holds


def test_a_passage_that_stands_out_from_all_fits_better_than_one_that_all_are_near() -> None:
    angles = np.linspace(60, 90, FEWEST)
    far, near = Measure(0.5, USUAL_SPREAD, unit(*angles)), Measure(0.5, USUAL_SPREAD, unit(*angles / 3))
    standing_out, one_of_many = (
        measure.fit("red pot", EAST, 0.9, HOLDS, opening=False) for measure in (far, near)
    )
    cosines = np.cos(np.radians(angles))
    assert standing_out.contrast == pytest.approx((0.9 - cosines.mean()) / cosines.std(), rel=1e-4)
    assert standing_out.margin > one_of_many.margin
    few = Measure(0.5, USUAL_SPREAD, unit(*angles[1:]))
    assert few.fit("red pot", EAST, 0.9, HOLDS, opening=False).contrast == USUAL_CONTRAST


def pressed(vectors: np.ndarray, by: float) -> np.ndarray:
    """The same vectors as an embedder gives them whose cosines all lie close to 1."""
    pushed = np.hstack([vectors, np.full((len(vectors), 1), by, dtype=np.float32)])
    return pushed / np.linalg.norm(pushed, axis=1, keepdims=True)


def test_an_embedder_whose_cosines_lie_close_together_decides_alike() -> None:
    chance = np.random.default_rng(1)
    vectors = chance.normal(size=(240, 100)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [str(number // 8) for number in range(200)]
    asked = np.vstack([vectors[:40] + share * vectors[200:] for share in (0.0, 1.0, 3.0)])
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)

    def margins(passages: np.ndarray, questions: np.ndarray) -> np.ndarray:
        measure = Measure.of(build_index(passages), names)
        nearest = (questions @ passages.T).max(axis=1)
        pairs = zip(questions, nearest, strict=True)
        return np.array(
            [measure.fit("red", each, float(near), HOLDS, opening=False).margin for each, near in pairs]
        )

    plain = margins(vectors[:200], asked)
    close = margins(pressed(vectors[:200], 2.0), pressed(asked, 2.0))
    assert np.corrcoef(plain, close)[0, 1] > 0.99
    assert np.abs(plain - close).max() < 0.15 * np.ptp(plain)


def test_a_few_passages_do_not_tell_how_far_cosines_spread() -> None:
    assert Measure(0.5, USUAL_SPREAD / 10, unit(*range(FEWEST - 1))).scale == 1
    assert Measure(0.5, USUAL_SPREAD / 10, unit(*range(FEWEST))).scale == pytest.approx(7.5)


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
