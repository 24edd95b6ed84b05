"""Answers that look alike: no marks of citation, no Markdown, and every word as it was."""

import pytest

from assistant.comparison.likeness import NO_WORDS, plain_answer

TITLE = "Returns > Unopened pots"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Within 30 days [1].", "Within 30 days."),
        ("Within 30 days [1, 2], free [3-4].", "Within 30 days, free."),
        ("Within 30 days.[^1]", "Within 30 days."),
        ("Within 30 days¹.", "Within 30 days."),
        ("Within 30 days【4:0†returns】.", "Within 30 days."),
        ("Within 30 days (source: returns.md).", "Within 30 days."),
        ("Within 30 days [Source: returns.md, page 3].", "Within 30 days."),
        (f"Within 30 days [{TITLE}].", "Within 30 days."),
        ("See [our page](https://acme.example/returns).", "See our page."),
        ("![logo](x.png) Hello", "logo Hello"),
        ("**Within** __30__ *days* `now`", "Within 30 days now"),
        ("***Really** soon*", "Really soon"),
        ("### Returns", "Returns"),
        ("> Quoted", "Quoted"),
        ("* one", "• one"),
        ("- **two**", "• two"),
        ("a * b * c and snake_case_name", "a * b * c and snake_case_name"),
        ("5 days (or 7) [sic]", "5 days (or 7) [sic]"),
        ("An area of 10 m² is fine", "An area of 10 m² is fine"),
    ],
)
def test_marks_that_tell_where_an_answer_comes_from_are_gone(written, shown):
    assert plain_answer(written, [TITLE]) == ((shown,),)


@pytest.mark.parametrize(
    ("written", "sentences"),
    [
        ("Yes. It takes 5 days! Is that fine? Good…", ["Yes.", "It takes 5 days!", "Is that fine?", "Good…"]),
        ('She said "Stop." Then left.', ['She said "Stop."', "Then left."]),
        ("It costs £3.90 today. 30 days later too.", ["It costs £3.90 today.", "30 days later too."]),
        ("1. Open the box.", ["1. Open the box."]),
        ("はい。五日です。", ["はい。", "五日です。"]),
        ("no end", ["no end"]),
    ],
    ids=["ends", "quoted", "numbers", "list", "Japanese", "none"],
)
def test_an_answer_is_told_sentence_by_sentence(written, sentences):
    assert plain_answer(written) == (tuple(sentences),)


def test_paragraphs_stay_apart_and_a_list_of_sources_is_left_out():
    written = "Hello!\n\n- one\n- two\n\n```\ncode\n```\nSources: returns.md\nReferences:\n"
    assert plain_answer(written) == (("Hello!",), ("• one",), ("• two",), ("code",))


@pytest.mark.parametrize("written", ["", "  \n ", "[1]", "Sources:"])
def test_an_answer_without_words_says_so(written):
    assert plain_answer(written) == ((NO_WORDS,),)
