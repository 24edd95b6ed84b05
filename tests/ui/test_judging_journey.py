"""A round from the study to its figures: raters of known taste judge in the browser, and it is found."""

import numpy as np
import pytest

from assistant.comparison import Item, StudySettings
from assistant.lanes import LANES
from assistant.server import make_app
from assistant.statistics import VoteTable, effects_of_scores
from assistant.statistics.raters import care
from tests.benchmarks.judging import (
    PLANTED,
    doubts_on,
    effects_on,
    judge,
    make_study,
    open_report,
    planted_studio,
)
from tests.simulated_raters import Careful, Lazy, PlantedEngine, rate
from tests.ui.conftest import listening_server
from tests.ui.working_pages import until

QUESTIONS = 8


@pytest.fixture
def study(studio, engine, monkeypatch):
    """A study that the planted assistants have answered, with three raters."""
    monkeypatch.setattr(engine, "generate", PlantedEngine().generate)
    made = studio.studies.new("Spring round")
    studio.studies.save_settings(made.id, StudySettings(seed=11))
    studio.studies.add_items(
        made.id, [Item(0, f"Do refunds for pot {n} take long?") for n in range(QUESTIONS)]
    )
    for name in ("Maria", "Ben", "Lazy"):
        studio.rounds.add_rater(made.id, name)
    studio.answer_study(made.id)
    until(lambda: not studio.answering.now(made.id, studio.studies).running)
    return studio.rounds.open(made.id)


def table(votes, of):
    """What `of` gives of each vote, as rows; a column for each lane."""
    rows = [[of(vote)[lane.key] for lane in LANES] for vote in votes]
    items, raters = zip(*((vote.showing.item_id, vote.showing.rater_id) for vote in votes), strict=True)
    return VoteTable(np.array(items), np.array(raters), np.array(rows, dtype=float))


def test_what_raters_meant_is_stored_under_the_right_lanes_and_their_taste_is_found(
    studio, study, address, browser_page
):
    raters = studio.rounds.raters(study.id)
    people = [Careful(5, 4.0, 2.5), Careful(6, 4.0, 2.5), Lazy(7, 0.0, 0.0)]
    for rater, person in zip(raters, people, strict=True):
        rate(browser_page, f"{address}/rate/{rater.token}", person)

    items = {item.id: item for item in studio.studies.items(study.id)}
    votes = [vote for vote in studio.votes.of_study(study.id) if vote.counts]
    assert len(votes) == 3 * QUESTIONS
    for vote in votes:
        meant = people[[rater.id for rater in raters].index(vote.showing.rater_id)].meant[
            vote.showing.place - 1
        ]
        for lane in LANES:
            said = meant[items[vote.showing.item_id].answers[lane.key].text]
            assert (
                vote.ranks[lane.key],
                vote.scores("brand-voice")[lane.key],
                vote.scores("accuracy")[lane.key],
            ) == said

    places = np.array(
        [[vote.showing.systems.index(lane.key) + 1 for lane in LANES] for vote in votes], dtype=float
    )
    doubts = [found.doubts for found in care(table(votes, lambda vote: vote.ranks), places=places)]
    assert [bool(each) for each in doubts] == [False, False, True]
    assert doubts[2][0] == f"put A first {QUESTIONS} times in {QUESTIONS}"

    careful = [vote for vote in votes if vote.showing.rater_id != raters[2].id]
    voice = effects_of_scores(table(careful, lambda vote: vote.scores("brand-voice")))
    accuracy = effects_of_scores(table(careful, lambda vote: vote.scores("accuracy")))
    assert voice.tuning.low < 2 < voice.tuning.high
    assert accuracy.retrieval.low < 2 < accuracy.retrieval.high
    assert voice.retrieval.low < 0 < voice.retrieval.high
    guesses = studio.votes.guesses(study.id)
    assert len(guesses) == 12
    assert all(guess.by_system == {lane.key: lane.grounded for lane in LANES} for guess in guesses)


@pytest.mark.slow
def test_a_study_made_judged_and_reported_in_the_browser_finds_what_was_planted(browser_page, tmp_path):
    studio = planted_studio(tmp_path)
    with listening_server(make_app(studio)) as address:
        make_study(browser_page, address, studio, questions=30, seed=1)
        judge(browser_page, address, studio, seed=1)
        open_report(browser_page, address)
        assert browser_page.locator(".qr h1").inner_text() == "Take Combined"
        found = effects_on(browser_page)
        assert set(found) == set(PLANTED)
        assert [each for each, (_, low, high) in found.items() if not low <= PLANTED[each] <= high] == []
        doubts = doubts_on(browser_page)
    assert doubts["Maria"] == doubts["Ben"] == "none"
    assert doubts["Lazy"].startswith("put A first 30 times in 30")
