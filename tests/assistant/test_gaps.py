"""Questions that nobody could answer, gathered from the chats."""

import csv
import io
from dataclasses import replace

import pytest

from assistant.brand import Brand
from assistant.chats import Chats, Turn
from assistant.gaps import DECLINED, NOTHING_FITS, gaps, gaps_csv, times_cited
from assistant.lanes import Answer, Record, Sampling, Source
from assistant.store import open_database
from assistant.workspace import Workspace
from knowledge.fitting import Fit
from knowledge.retrieval import Findings, Found
from tests.fakes import WordEncoder

BRAND = Brand("Acme", decline="That is not in my notes.")
POT, BAG = (Source(name, "id", name, name, "text", 0, 4, 0.5) for name in ("pots.md", "bags.md"))
RECORD = Record("paper", None, 0.0, "7", "q", (), "", Sampling(), "end", 1, 1, 0.0, 0.0, 1.0, "")


def answer(lane: str, text: str = "Five.", *sources: Source, version: str | None = "7") -> Answer:
    return Answer(lane, text, sources, replace(RECORD, index_version=version))


def turn(number: int, question: str, *answers: Answer) -> Turn:
    return Turn(number, question, f"2026-01-0{number}T10:00:00+00:00", {each.lane: each for each in answers})


def unanswered(number: int, question: str) -> Turn:
    return turn(number, question, answer("rag"), answer("combined"))


def searching(version: str = "7", fits: bool = False):
    """A search that finds a passage which fits, or does not."""

    def search(question: str) -> Findings:
        fit = Fit(1.0 if fits else 0.0, 0.5, ("word",), (), True)
        return Findings(question, (Found(None, 1.0, 1, 1, 0.5, ()),), version, 0.0, fit)  # type: ignore[arg-type]

    return search


def reasons(*turns: Turn, search=None) -> list[str]:
    return [gap.reason for gap in gaps(turns, BRAND, search or searching(), WordEncoder())]


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ((answer("rag"), answer("combined")), [NOTHING_FITS]),
        ((answer("rag", "No.", POT), answer("combined", "Hi! That is not in my notes. Bye", POT)), []),
        ((answer("rag", "THAT IS NOT IN MY NOTES", POT),), [DECLINED]),
        ((answer("rag", "Five.", POT),), []),
        ((answer("rag", version=None),), []),
        ((Answer("rag"), answer("prompt")), []),
        ((), []),
    ],
    ids=[
        "nothing fits",
        "one lane answers",
        "declined",
        "answered",
        "no documents then",
        "cut off",
        "no answer",
    ],
)
def test_a_question_is_open_if_no_lane_that_looks_things_up_could_answer(answers, found) -> None:
    assert reasons(turn(1, "How much?", *answers)) == found


def test_questions_that_ask_much_the_same_are_one_gap_and_the_most_frequent_comes_first() -> None:
    turns = [
        unanswered(4, "is there an app for android"),
        unanswered(3, "do you match prices"),
        unanswered(2, "is there an app"),
        unanswered(1, "there is an app?"),
    ]
    first, second = gaps(turns, BRAND, searching(), WordEncoder())
    assert first.questions == ("is there an app for android", "is there an app", "there is an app?")
    assert (first.times, first.latest) == (3, "2026-01-04T10:00:00+00:00")
    assert second.questions == ("do you match prices",)


@pytest.mark.parametrize(
    ("version", "fits", "open_"),
    [("8", True, False), ("8", False, True), ("7", True, True)],
    ids=["a document came that fits", "one came that does not", "documents as they were"],
)
def test_a_gap_closes_once_a_document_that_fits_was_added(version, fits, open_) -> None:
    assert bool(reasons(unanswered(1, "any app?"), search=searching(version, fits))) is open_


def test_a_document_is_counted_once_for_each_question_it_was_shown_for() -> None:
    turns = [
        turn(2, "Q", answer("rag", "a", POT, POT, BAG), answer("combined", "b", POT)),
        turn(1, "Q", answer("rag", "a", POT)),
    ]
    assert times_cited(turns) == {"pots.md": 2, "bags.md": 1}


def test_the_export_has_a_row_for_each_question_and_begins_no_formula() -> None:
    found = gaps([unanswered(2, "=app now"), unanswered(1, "app now")], BRAND, searching(), WordEncoder())
    head, *rows = csv.reader(io.StringIO(gaps_csv(found)))
    assert head == ["gap", "times asked", "question", "why", "latest (UTC)"]
    assert [row[2] for row in rows] == ["'=app now", "app now"]
    assert {tuple(row[:2]) for row in rows} == {("1", "2")}


def test_all_chats_tell_what_their_grounded_lanes_said_the_newest_first(workspace: Workspace) -> None:
    chats = Chats(open_database(workspace.database))
    for question in ("First?", "Second?"):
        made = chats.add_turn(chats.new(), question)
        chats.save_answers(made, (answer("prompt"), answer("rag", "a", POT)))
    told = chats.everything()
    assert [each.question for each in told] == ["Second?", "First?"]
    assert [list(each.answers) for each in told] == [["rag"], ["rag"]]
    assert times_cited(told) == {"pots.md": 2}
