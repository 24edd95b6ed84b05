"""Rounds: answers frozen once, links that nobody guesses, sheets drawn when the round is opened."""

from collections import Counter

import pytest

from assistant.comparison import HUMAN, StudySettings
from assistant.comparison.rounds import TOKEN_BYTES
from assistant.errors import AssistantError
from assistant.ratings import Desk
from assistant.store import open_database
from tests.studies import SYSTEMS, answer, answered, drafted, judgement, opened


@pytest.fixture
def parts(tmp_path):
    return Desk.of(open_database(tmp_path / "it.db"))


def sheets(parts, study):
    return {rater.name: parts.rounds.sheet(rater.id) for rater in parts.rounds.raters(study.id)}


def test_each_rater_has_a_token_of_their_own_that_leads_to_them_alone(parts):
    study = drafted(parts)
    raters = parts.rounds.raters(study.id)
    assert len({rater.token for rater in raters}) == 3
    assert TOKEN_BYTES * 8 >= 128
    assert all(len(rater.token) == TOKEN_BYTES * 4 / 3 for rater in raters)
    for rater in raters:
        assert parts.rounds.by_token(rater.token) == (study, rater)


@pytest.mark.parametrize("token", ["", "x" * 32, "\ud800", "' OR 1=1 --"])
def test_another_token_leads_nowhere(parts, token):
    drafted(parts)
    assert parts.rounds.by_token(token) is None


def test_opening_draws_every_sheet_once_and_for_all(parts, tmp_path):
    study = drafted(parts, questions=20)
    assert set(sheets(parts, study).values()) == {()}
    answered(parts, study)
    assert parts.rounds.open(study.id).state == "open"
    drawn = sheets(parts, study)
    for sheet in drawn.values():
        assert [showing.place for showing in sheet] == list(range(1, 24))
        assert Counter(showing.kind for showing in sheet) == {"item": 20, "repeat": 2, "pair": 1}
    assert sheets(Desk.of(open_database(tmp_path / "it.db")), study) == drawn
    with pytest.raises(AssistantError, match="is open for votes"):
        parts.rounds.open(study.id)


def test_the_human_answer_stands_only_where_it_is_wanted_and_known(parts):
    study = opened(parts, settings=StudySettings(human=True))
    for sheet in sheets(parts, study).values():
        items = [showing for showing in sheet if showing.kind == "item"]
        assert all(sorted(showing.systems) == sorted((*SYSTEMS, HUMAN)) for showing in items)
    without = opened(parts)
    assert all(HUMAN not in showing.systems for sheet in sheets(parts, without).values() for showing in sheet)


def test_one_who_joins_an_open_round_gets_a_sheet_with_what_was_judged_least(parts):
    study = opened(parts, questions=12, raters=3, settings=StudySettings(raters_per_item=2))
    _lazy, *busy = parts.rounds.raters(study.id)
    for rater in busy:
        for showing in parts.rounds.sheet(rater.id):
            parts.votes.cast(showing, "k", judgement(), study.criteria)
    judged = Counter(vote.showing.item_id for vote in parts.votes.of_study(study.id) if vote.counts)
    joined = parts.rounds.add_rater(study.id, "Late")
    theirs = {showing.item_id for showing in parts.rounds.sheet(joined.id)}
    assert len(theirs) == 6
    assert all(judged[item] == 1 for item in theirs)


def test_an_answer_is_given_once(parts):
    study = answered(parts, drafted(parts))
    item = parts.studies.items(study.id)[0]
    with pytest.raises(AssistantError, match="has its answers already"):
        parts.rounds.save_answers(item.id, [answer(system, "Other.") for system in SYSTEMS])
    assert parts.studies.item(item.id) == item
    assert item.answers["combined"].record.adapter == "adapter-0007"


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda parts: parts.rounds.begin(parts.studies.new("Empty").id, SYSTEMS, {}), "has no question yet"),
        (
            lambda parts: parts.rounds.begin(drafted(parts).id, ["prompt"], {}),
            "Only one assistant can answer",
        ),
        (
            lambda parts: parts.rounds.open(parts.rounds.begin(drafted(parts).id, SYSTEMS, {}).id),
            "6 questions have no",
        ),
        (lambda parts: parts.rounds.open(drafted(parts).id), "is a draft; this can only be done while"),
        (
            lambda parts: parts.rounds.close(drafted(parts).id),
            "is a draft; this can only be done while it is open",
        ),
        (lambda parts: parts.rounds.back_to_draft(opened(parts).id), "while it is being answered"),
        (
            lambda parts: parts.rounds.add_rater(drafted(parts).id, "rater 2"),
            "There is a rater 'rater 2' already",
        ),
        (lambda parts: parts.rounds.add_rater(drafted(parts).id, ""), "The name has 0 letters"),
    ],
    ids=["empty", "one lane", "unanswered", "open draft", "close draft", "opened", "twin", "no name"],
)
def test_what_can_not_be_done_now_is_refused_with_a_text(parts, act, says):
    with pytest.raises(AssistantError, match=says):
        act(parts)


def test_going_back_to_the_draft_forgets_the_answers_and_nothing_else(parts):
    study = drafted(parts)
    answered(parts, study)
    parts.rounds.back_to_draft(study.id)
    assert parts.studies.read(study.id) == study
    assert [item.question for item in parts.studies.items(study.id)] == [f"Question {n}?" for n in range(6)]
    assert not any(item.answers for item in parts.studies.items(study.id))


def test_a_rater_can_be_removed_until_they_have_voted(parts):
    study = opened(parts)
    first, second, third = parts.rounds.raters(study.id)
    parts.votes.cast(parts.rounds.sheet(first.id)[0], "k", judgement(), study.criteria)
    parts.rounds.remove_rater(study.id, second.id)
    with pytest.raises(AssistantError, match="has voted, and votes are kept"):
        parts.rounds.remove_rater(study.id, first.id)
    assert parts.rounds.raters(study.id) == (first, third)
    assert parts.rounds.by_token(second.token) is None
