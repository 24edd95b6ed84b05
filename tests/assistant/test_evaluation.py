"""Scores by program: each checked against counts done by hand, and nothing scored from broken pairs."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.brand import Brand
from assistant.errors import AssistantError
from assistant.evaluation import (
    Question,
    accurate,
    declines,
    evaluate,
    read_answers,
    read_questions,
    token_f1,
    voice,
)
from assistant.prompts import Message

BRAND = Brand(
    "Fern",
    greeting="Hello!",
    sign_off="Bye!",
    decline="That isn't in my notes",
    forbidden=("policy", "no way!"),
    max_words=6,
)
KEYS = ("prompt", "tuned", "rag", "combined")


def fact(*spellings: str) -> Question:
    return Question("q", "?", key_facts=(spellings,))


@pytest.mark.parametrize(
    ("spellings", "text", "held"),
    [
        (["5 days"], "It takes 5 days.", True),
        (["5 days"], "It takes 15 days.", False),
        (["5 days"], "It takes 0.5 days.", False),
        (["5 days"], "It takes 1,5 days.", False),
        (["5 days"], "It takes (5 days)", True),
        (["5 day"], "It takes 5 days.", False),
        (["£14"], "It is £14.", True),
        (["£14"], "It is £14, and that's it.", True),
        (["£14"], "It is £14.50.", False),
        (["£14"], "It is £14,50", False),
        (["£1"], "It is £1,400", False),
        (["400"], "It is 1,400", False),
        (["£45"], "As soon as...£45", True),
        (["tuesday"], "On Tuesday", True),
        (["Don't"], "don’t", True),
        (["30 days"], "within 30\u00a0days or 30\n days", True),
        (["£3.90", "3.90"], "costs 3.90 pounds", True),
        (["£3.90", "3.90"], "costs 13.90 pounds", False),
        (["50%"], "it is 50% off", True),
        (["a.b"], "axb", False),
    ],
)
def test_a_fact_is_held_where_it_stands_by_itself(spellings, text, held):
    assert accurate(fact(*spellings), text, BRAND) is held


def test_all_facts_have_to_be_there_in_one_spelling_each():
    question = replace(fact(), key_facts=(("£45", "45 pounds"), ("free",)))
    assert accurate(question, "Free from 45 pounds.", BRAND)
    assert not accurate(question, "It costs £45.", BRAND)
    assert not accurate(question, "", BRAND)


@pytest.mark.parametrize(
    ("text", "declined"),
    [
        ("Hello! That isn’t in my notes.", True),
        ("THAT ISN'T IN MY NOTES", True),
        ("I don't know, sorry.", True),
        ("I cannot find that.", True),
        ("It is £5.", False),
        ("", False),
    ],
)
def test_a_reply_declines_in_the_brands_words_or_common_ones(text, declined):
    assert declines(text, BRAND) is declined
    assert accurate(Question("q", "?", answerable=False), text, BRAND) is declined


def test_a_brand_without_words_for_it_does_not_decline_always():
    assert not declines("It is £5.", Brand("Fern"))


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("Hello! It is five. Bye!", 1.0),
        ("  Hello! It is five. Bye!\n", 1.0),
        ("It is five. Bye!", 0.75),
        ("Hello! It is five.", 0.75),
        ("Hello! Our Policy says five. Bye!", 0.75),
        ("Hello! No way! Bye!", 0.75),
        ("Hello! Our policyholders say five. Bye!", 1.0),
        ("Hello! One two three four five Bye!", 0.75),
        ("Our policy says one two three four", 0.0),
        ("", 0.0),
    ],
)
def test_the_voice_is_the_share_of_kept_markers(text, share):
    assert voice(text, BRAND, first=True) == share


def test_a_follow_up_needs_no_greeting():
    assert voice("It is five. Bye!", BRAND, first=False) == 1.0
    assert voice("It is five.", BRAND, first=False) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("answer", "gold", "score"),
    [
        ("The delivery is free", "delivery is free", 1.0),  # articles do not count
        ("free delivery", "Delivery: free!", 1.0),
        ("yes yes yes", "yes no", 2 * 1 / 5),
        ("it is five days", "five days", 2 * 2 / 6),
        ("£3.90", "3.90", 1.0),
        ("nothing shared", "at all", 0.0),
        ("", "something", 0.0),
        ("something", "", 0.0),
        ("the", "a", 0.0),
    ],
)
def test_token_f1_by_hand(answer, gold, score):
    assert token_f1(answer, gold) == pytest.approx(score)
    assert token_f1(gold, answer) == pytest.approx(score)


QUESTIONS = (
    Question("q1", "five days?", answer="five days", key_facts=(("5 days",),)),
    Question(
        "q2",
        "how much",
        history=(Message("user", "a"), Message("assistant", "b")),
        answer="£5",
        key_facts=(("£5",),),
    ),
    Question("q3", "who knows", answerable=False),
    Question("q4", "who knows more", answerable=False),
)


def all_answers(**texts: list[str]) -> dict[tuple[str, str], str]:
    return {
        (question.id, lane): text
        for lane in texts
        for question, text in zip(QUESTIONS, texts[lane], strict=True)
    }


GIVEN = all_answers(
    prompt=["Hello! 6 days Bye!", "£4 Bye!", "Hello! 9 Bye!", "Hello! 9 Bye!"],
    tuned=["Hello! 6 days Bye!", "£5 Bye!", "Hello! 9 Bye!", "Hello! 9 Bye!"],
    rag=["5 days", "£5", "I don't know", "I don't know"],
    combined=["Hello! 5 days Bye!", "£5 Bye!", "Hello! I don't know Bye!", "Hello! 9 Bye!"],
)


def test_each_criterion_is_a_mean_over_the_questions_it_fits():
    found = {criterion.name: criterion for criterion in evaluate(QUESTIONS, GIVEN, BRAND).criteria}
    assert list(found) == ["accuracy", "voice", "declined", "token-F1"]

    def means(name: str) -> list[float]:
        return [found[name].lanes[key].value for key in KEYS]

    assert means("accuracy") == [0.0, 0.25, 1.0, 0.75]
    assert means("declined") == [0.0, 0.0, 1.0, 0.5]
    # Without greeting and sign-off, three first replies keep 2 of 4 markers and the follow-up 2 of 3.
    assert means("voice") == pytest.approx([1.0, 1.0, (3 * 0.5 + 2 / 3) / 4, 1.0])
    assert found["accuracy"].lanes["rag"].count == 4
    assert found["declined"].lanes["rag"].count == found["token-F1"].lanes["rag"].count == 2
    # By hand: tuning ((0.25 + 0.75) - (0 + 1)) / 2, retrieval ((1 + 0.75) - (0 + 0.25)) / 2, and
    # the interaction (0.75 - 0.25) - (1 - 0).
    three = found["accuracy"].effects
    assert [three.tuning.value, three.retrieval.value, three.interaction.value] == [0.0, 0.75, -0.5]


def test_repeating_the_question_is_scored_as_a_floor():
    result = evaluate(QUESTIONS, GIVEN, BRAND)
    assert result.echo_f1 == pytest.approx((1.0 + 0.0) / 2)
    assert result.questions == 4


def test_without_all_four_lanes_there_are_no_effects():
    two = {key: text for key, text in GIVEN.items() if key[1] in ("prompt", "rag")}
    criteria = evaluate(QUESTIONS, two, BRAND).criteria
    assert all(criterion.effects is None for criterion in criteria)
    assert set(criteria[0].lanes) == {"prompt", "rag"}


def test_criteria_that_fit_fewer_than_two_questions_are_left_out():
    few = QUESTIONS[1:3]  # one gold answer, one that can't be known, one first reply
    given = {key: text for key, text in GIVEN.items() if key[0] in ("q2", "q3")}
    assert [criterion.name for criterion in evaluate(few, given, BRAND).criteria] == ["accuracy", "voice"]
    greeting_only = Brand("Fern", greeting="Hello!")
    assert [criterion.name for criterion in evaluate(few, given, greeting_only).criteria] == ["accuracy"]


def test_a_brand_without_markers_has_no_voice_to_score():
    names = [criterion.name for criterion in evaluate(QUESTIONS, GIVEN, Brand("Fern")).criteria]
    assert names == ["accuracy", "declined", "token-F1"]


def test_missing_answers_are_refused_as_the_pairs_are_broken():
    given = dict(GIVEN)
    del given["q2", "rag"], given["q4", "rag"]
    with pytest.raises(AssistantError, match=r"^2 answers are missing, the first is q2 by rag\."):
        evaluate(QUESTIONS, given, BRAND)
    with pytest.raises(AssistantError, match=r"^All answers are missing\."):
        evaluate(QUESTIONS, {}, BRAND)


def test_questions_that_allow_no_score_are_refused():
    with pytest.raises(AssistantError, match="1 questions allow no score: at least two"):
        evaluate(QUESTIONS[:1], GIVEN, BRAND)
    plain = [Question("q1", "a"), Question("q2", "b")]
    with pytest.raises(AssistantError, match="2 questions allow no score"):
        evaluate(plain, GIVEN, Brand("Fern"))


def test_what_other_questions_got_does_not_count():
    more = {**GIVEN, ("q9", "prompt"): "5 days", ("q1", "elsewhere"): "5 days"}
    assert evaluate(QUESTIONS, more, BRAND) == evaluate(QUESTIONS, GIVEN, BRAND)


def test_scores_are_plain_numbers():
    estimate = evaluate(QUESTIONS, GIVEN, BRAND).criteria[0].lanes["rag"]
    assert not any(isinstance(value, np.generic) for value in (estimate.value, estimate.low, estimate.high))


# Files

FULL = {
    "id": 7,
    "question": "how much?",
    "history": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello"}],
    "answer": "£5",
    "key_facts": [["£5", "5 pounds"], ["today"]],
    "answerable": True,
    "topic": "prices",
}


def lines_of(path: Path, *lines: object) -> Path:
    path.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8"
    )
    return path


def test_questions_are_read_with_their_history_and_gold(tmp_path):
    path = lines_of(
        tmp_path / "q.jsonl", FULL, "", {"id": "b", "question": "and?", "history": None, "answer": None}
    )
    assert read_questions(path) == (
        Question(
            "7",
            "how much?",
            (Message("user", "hi"), Message("assistant", "Hello")),
            "£5",
            (("£5", "5 pounds"), ("today",)),
        ),
        Question("b", "and?"),
    )
    assert [question.first for question in read_questions(path)] == [False, True]


def test_files_with_a_byte_order_mark_windows_line_ends_or_odd_characters_are_read(tmp_path):
    (tmp_path / "q.jsonl").write_bytes(
        b'\xef\xbb\xbf{"id": "a", "question": "one\xe2\x80\xa8line"}\r\n'
        b'{"id": "b", "question": "two\xc2\x85"}\r\n'
    )
    assert [question.question for question in read_questions(tmp_path / "q.jsonl")] == [
        "one\u2028line",
        "two\x85",
    ]


BAD_LINES = {
    "no JSON": ('{"id": "a", ', "JSONDecodeError"),
    "a list": ("[1, 2]", "AttributeError"),
    "a number": ("3", "AttributeError"),
    "no id": ('{"question": "a"}', "KeyError: 'id'"),
    "no question": ('{"id": "a"}', "KeyError: 'question'"),
    "a question that is no text": ('{"id": "a", "question": 5}', "5 should be a text"),
    "a history of texts": ('{"id": "a", "question": "b", "history": ["hi"]}', "TypeError"),
    "a turn without role": (
        '{"id": "a", "question": "b", "history": [{"content": "hi"}]}',
        "KeyError: 'role'",
    ),
    "a turn of a number": (
        '{"id": "a", "question": "b", "history": [{"role": "user", "content": 1}]}',
        "1 should be",
    ),
    "an answer of a list": ('{"id": "a", "question": "b", "answer": ["c"]}', "should be a text"),
    "a fact that is one text": (
        '{"id": "a", "question": "b", "key_facts": ["£45"]}',
        "should be a list of its spellings",
    ),
}


@pytest.mark.parametrize(("line", "text"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_named(tmp_path, line, text):
    path = lines_of(tmp_path / "mine.jsonl", {"id": "x", "question": "fine"}, "", line)
    with pytest.raises(AssistantError, match=r"^mine\.jsonl, line 3: ") as caught:
        read_questions(path)
    assert text in str(caught.value)
    assert "Correct the line" in str(caught.value)


def test_a_file_that_is_missing_empty_or_no_text_is_named(tmp_path):
    for path, text in [
        (tmp_path / "gone.jsonl", "can't be read"),
        (lines_of(tmp_path / "empty.jsonl", "", " "), "holds no question"),
        (tmp_path, "can't be read"),
    ]:
        with pytest.raises(AssistantError, match=text) as caught:
            read_questions(path)
        assert str(path) in str(caught.value)
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "a", "question": "\xa35"}')
    with pytest.raises(AssistantError, match="can't be read"):
        read_questions(tmp_path / "latin.jsonl")


def test_an_id_on_two_lines_is_refused(tmp_path):
    path = lines_of(tmp_path / "q.jsonl", {"id": 1, "question": "a"}, {"id": "1", "question": "b"})
    with pytest.raises(AssistantError, match="the id '1' stands on two lines"):
        read_questions(path)


def test_answers_come_back_by_question_and_lane(tmp_path):
    lines = [
        {"id": 1, "lane": "rag", "answer": "a\u2028b", "record": None},
        {"id": "1", "lane": "prompt", "answer": ""},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    assert read_answers(path) == {("1", "rag"): "a\u2028b", ("1", "prompt"): ""}


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"id": 1, "lane": "rag"}', '{"id": 1, "lane": "rag", "answer": null}'], ids=str
)
def test_a_bad_line_of_answers_is_named(tmp_path, line):
    path = lines_of(tmp_path / "a.jsonl", {"id": "1", "lane": "rag", "answer": "a"}, line)
    with pytest.raises(AssistantError, match=r"^a\.jsonl, line 2: .* is not an answer"):
        read_answers(path)
