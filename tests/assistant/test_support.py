"""Answers held against the documents, alike for all lanes."""

import json

from assistant.brand import Brand
from assistant.lanes import LANES, Answer
from assistant.support import checked, phrases

BRAND = Brand("Acme", greeting="Hello!", sign_off="Bye.", decline=" Not in my notes. ")


class Judge:
    """Finds every answer's last sentence unsupported, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def unsupported(self, text, *, ignoring=()):
        self.asked.append((text, ignoring))
        return (text.split(". ")[-1],)


def test_every_lane_is_held_against_the_same_documents() -> None:
    judge = Judge()
    answers = [Answer(lane.key, f"One. {lane.key}") for lane in LANES]
    assert [answer.unsupported for answer in checked(answers, BRAND, judge)] == [
        (lane.key,) for lane in LANES
    ]
    assert {ignoring for _, ignoring in judge.asked} == {("Hello!", "Bye", "Not in my notes")}


def test_an_answer_without_words_is_left_as_it_is() -> None:
    judge, silent = Judge(), Answer("tuned", error="No adapter yet")
    assert checked([silent], BRAND, judge) == (silent,) and judge.asked == []


def test_a_brand_that_says_nothing_of_its_own_ignores_nothing() -> None:
    assert phrases(Brand("Acme")) == ()


def test_what_was_found_unsupported_comes_back_from_storage() -> None:
    answer = Answer("rag", "One. Two.", unsupported=("Two.",))
    stored = json.loads(json.dumps(answer.to_json()))
    assert Answer.from_json(stored) == answer
    del stored["unsupported"]
    assert Answer.from_json(stored).unsupported == ()
