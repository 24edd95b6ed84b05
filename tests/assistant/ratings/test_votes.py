"""Votes: each stored once, corrected by a new one, refused with a text, and apart from quick marks."""

from dataclasses import replace

import pytest

from assistant.comparison import CRITERIA
from assistant.errors import AssistantError
from assistant.ratings import Desk, Judgement
from assistant.store import open_database
from tests.studies import judgement, opened

SCORES = {"brand-voice": (1, 2, 3, 4), "accuracy": (5, 4, 3, 2)}
FULL = Judgement((2, 1, 3, 3), SCORES, True, " Too long. ", (("Wrong.",), (), (), ()), "Yes.", 31.26)


@pytest.fixture
def parts(tmp_path):
    return Desk.of(open_database(tmp_path / "it.db"))


@pytest.fixture
def study(parts):
    return opened(parts)


@pytest.fixture
def showing(parts, study):
    sheet = parts.rounds.sheet(parts.rounds.raters(study.id)[0].id)
    return next(showing for showing in sheet if showing.kind == "item")


def test_a_vote_comes_back_as_it_was_given_also_after_a_restart(parts, study, showing, tmp_path):
    parts.votes.cast(showing, "k", FULL, study.criteria)
    (vote,) = Desk.of(open_database(tmp_path / "it.db")).votes.of_study(study.id)
    assert vote.showing == showing
    assert vote.judgement == replace(FULL, comment="Too long.", seconds=31.3)
    assert vote.ranks == dict(zip(showing.systems, (2, 1, 3, 3), strict=True))
    assert vote.scores("accuracy") == dict(zip(showing.systems, (5, 4, 3, 2), strict=True))
    assert (vote.counts, vote.corrections) == (True, 0)


def test_the_same_vote_sent_again_is_stored_once_also_after_a_correction(parts, study, showing):
    parts.votes.cast(showing, "first", judgement(score=2), study.criteria)
    parts.votes.cast(showing, "first", judgement(score=2), study.criteria)
    parts.votes.cast(showing, "second", judgement(score=4), study.criteria)
    parts.votes.cast(showing, "first", judgement(score=2), study.criteria)  # came late, over a slow line
    (vote,) = parts.votes.of_study(study.id)
    assert (vote.judgement.scores["accuracy"], vote.corrections) == ((4,) * 4, 1)
    assert [each.judgement.scores["accuracy"][0] for each in parts.votes.history(showing.id)] == [2, 4]


def test_votes_are_told_by_rater_and_place(parts, study):
    raters = parts.rounds.raters(study.id)
    for rater in reversed(raters):
        for showing in reversed(parts.rounds.sheet(rater.id)):
            parts.votes.cast(showing, "k", judgement(), study.criteria)
    theirs = parts.votes.of_rater(raters[1].id)
    assert list(theirs) == list(range(1, 9))
    assert {vote.showing.rater_id for vote in theirs.values()} == {raters[1].id}
    told = [(vote.showing.rater_id, vote.showing.place) for vote in parts.votes.of_study(study.id)]
    assert told == [(rater.id, place) for rater in raters for place in range(1, 9)]
    assert sum(vote.counts for vote in parts.votes.of_study(study.id)) == 18


def test_how_far_each_rater_is_counts_showings_not_corrections(parts, study):
    first, second, third = parts.rounds.raters(study.id)
    for showing, key in zip(parts.rounds.sheet(first.id)[:3] * 2, "abcdef", strict=True):
        parts.votes.cast(showing, key, judgement(), study.criteria)
    assert parts.votes.counts(study.id) == {first.id: (3, 8), second.id: (0, 8), third.id: (0, 8)}


@pytest.mark.parametrize(
    ("given", "kept"),
    [((1, 3, 3, 5), (1, 2, 2, 3)), ((4, 4, 4, 4), (1, 1, 1, 1)), ((1, 2, 3, 4), (1, 2, 3, 4))],
    ids=["gaps", "all tie", "dense"],
)
def test_ranks_are_kept_without_gaps(parts, study, showing, given, kept):
    parts.votes.cast(showing, "k", Judgement(given, SCORES), study.criteria)
    assert parts.votes.of_study(study.id)[0].judgement.ranks == kept


def test_where_none_is_usable_all_tie_unless_they_were_ranked(parts, study, showing):
    parts.votes.cast(showing, "k", Judgement((), SCORES, unusable=True), study.criteria)
    assert parts.votes.of_study(study.id)[0].judgement.ranks == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (Judgement((), SCORES), "ranks 0 of 4 answers"),
        (Judgement((1, 2, 3), SCORES), "ranks 3 of 4 answers"),
        (Judgement((0, 1, 2, 3), SCORES), "Give each of them a place"),
        (
            Judgement((1, 2, 3, 4), {"accuracy": (1, 1, 1, 1)}),
            "Brand voice: each of the 4 answers needs a score",
        ),
        (Judgement((1, 2, 3, 4), SCORES | {"accuracy": (1, 1, 1, 6)}), "Accuracy: .* from 1 to 5"),
        (Judgement((1, 2, 3, 4), SCORES, comment="x" * 4001), "4,001 letters; at most 4,000 fit"),
    ],
    ids=["no ranks", "three", "rank 0", "a criterion", "score 6", "comment"],
)
def test_half_a_vote_is_refused_with_a_text_and_nothing_stored(parts, study, showing, wrong, says):
    with pytest.raises(AssistantError, match=says):
        parts.votes.cast(showing, "k", wrong, study.criteria)
    assert parts.votes.of_study(study.id) == ()


def test_after_the_round_no_vote_is_taken_or_changed(parts, study, showing):
    parts.votes.cast(showing, "k", judgement(score=2), study.criteria)
    parts.rounds.close(study.id)
    with pytest.raises(AssistantError, match="This round is closed"):
        parts.votes.cast(showing, "other", judgement(score=5), study.criteria)
    assert parts.votes.of_study(study.id)[0].judgement.scores["accuracy"] == (2,) * 4


def test_guesses_are_kept_by_showing_and_can_be_changed(parts, study, showing):
    parts.votes.guess(showing, [True, False, False, False])
    parts.votes.guess(showing, [True, True, False, False])
    (guess,) = parts.votes.guesses(study.id)
    assert guess.by_system == dict(zip(showing.systems, (True, True, False, False), strict=True))
    with pytest.raises(AssistantError, match="about 3 answers of 4"):
        parts.votes.guess(showing, [True] * 3)


def test_the_usual_criteria_are_scored_under_their_names(study):
    assert study.criteria == CRITERIA
    assert [criterion.key for criterion in CRITERIA] == ["brand-voice", "accuracy"]
