"""What studies come to: planted effects are found, nothing is claimed where there is nothing."""

from dataclasses import replace

import numpy as np
import pytest

from assistant.comparison import HUMAN
from assistant.reports.findings import findings
from assistant.reports.words import (
    agreement_in_words,
    blinding_in_words,
    headline,
    recommendation,
    standing,
)
from tests.assistant.reports.studied import GROUNDED, NOTHING, TUNED_VOICE, study


def always_a_first(dice):
    return (1, 2, 3, 4)


@pytest.fixture(scope="module")
def found():
    return findings(study(questions=60, raters=5))


def test_planted_effects_are_found_and_lie_in_their_intervals(found):
    preference, voice, accuracy = found.measures
    assert (preference.name, voice.name, accuracy.name) == ("Preference", "Brand voice", "Accuracy")
    assert preference.holds[:2] == (True, True)
    # Of (0, 1.2, 0.8, 2.0): tuning ((1.2 + 2) - 0.8) / 2, retrieval ((0.8 + 2) - 1.2) / 2, and 0 beyond.
    for effect, truth in zip(preference.effects.each, (1.2, 0.8, 0.0), strict=True):
        assert effect.low <= truth <= effect.high
    assert voice.holds == (True, False, False)
    assert accuracy.holds[1]
    assert voice.effects.tuning.low <= 1.2 <= voice.effects.tuning.high
    assert accuracy.effects.retrieval.low <= 0.8 <= accuracy.effects.retrieval.high
    assert found.advised == "combined"
    assert found.ranks["combined"] == (1, 1)


def test_a_decision_is_said_with_how_sure_it_is(found):
    said = " ".join(recommendation(found))
    assert headline(found) == "Take Combined"
    assert "People prefer Combined to Prompt only, Fine-tuned and RAG" in said
    assert "adds 1.2 points to brand voice (1." in said
    assert "Retrieval wins" in said


def test_a_lazy_rater_is_found_and_left_out():
    evidence = study(lazy=always_a_first)
    found = findings(evidence)
    assert [each.left_out for each in found.raters] == [False, False, True]
    assert found.rankings == 60
    said = " ".join(agreement_in_words(found))
    assert "Sam put A first 30 times in 30" in said
    assert "Their votes are left out." in said
    assert "With everybody's votes, a tuned answer would win" in said
    assert found.with_everybody.tuning.value < found.preference.effects.tuning.value


@pytest.mark.slow
def test_studies_without_a_difference_claim_one_in_few_cases():
    """A smaller version of `python -m tests.benchmarks.null`, which takes 200 studies."""
    claimed = [findings(study(NOTHING, questions=24, seed=seed)).state == "decided" for seed in range(40)]
    assert sum(claimed) <= 6  # 0.05 of 40 is 2; more than 6 come by chance in 3 of 1,000


@pytest.mark.parametrize(
    ("evidence", "state", "title", "said"),
    [
        (study(questions=0), "empty", "No votes yet", "Nobody has voted."),
        (study(questions=10), "few", "Not enough votes yet", "There are 30 rankings"),
        (study(NOTHING, questions=24, seed=2), "undecided", "Not decided", "could well be chance"),
        (study(NOTHING, questions=150, raters=6), "alike", "No difference worth having", "take that"),
        (study(keys=("prompt", "rag")), "decided", "Take RAG", "People prefer RAG to Prompt only;"),
    ],
    ids=["nobody", "few", "by chance", "alike", "two lanes"],
)
def test_what_is_not_decided_is_said_to_be(evidence, state, title, said):
    found = findings(evidence)
    assert (found.state, headline(found)) == (state, title)
    assert said in " ".join(recommendation(found))


def test_lanes_that_cannot_be_told_apart_leave_the_simplest():
    same = TUNED_VOICE | {"preference": (0.0, 2.0, 0.0, 2.0)}
    found = findings(study(same, questions=60, raters=5))
    assert (found.advised, found.rivals) == ("tuned", ("combined",))
    assert "Fine-tuned can't be told apart from Combined" in recommendation(found)[0]


def test_the_real_agent_is_ranked_and_leaves_the_effects_as_they_are():
    found = findings(study(human=True, raters=4))
    assert found.ranks[HUMAN] == (1, 1)
    assert found.preference.holds[0]
    assert found.advised == "combined"


def test_while_the_round_is_open_more_is_asked_of_a_decision():
    weak = {"preference": (0.0, 0.45, 0.0, 0.45)}
    ended = findings(study(weak, questions=60, raters=4, each=2, seed=3))
    assert ended.preference.holds[0]
    early = study(weak, questions=60, raters=4, each=2, seed=3, state="open")
    assert not findings(replace(early, items=early.items * 2)).preference.holds[0]


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (replace(study(), votes=()), "No votes yet: about 40 more rankings."),
        (study(questions=10), "Not enough votes yet: about"),
        (study(questions=60, raters=5), "Decided: fine-tuning wins"),
        (study(NOTHING, questions=150, raters=6), "Decided: neither tuning nor retrieval"),
        (study(keys=("prompt", "rag")), "Take RAG. Not all four assistants answer here"),
    ],
    ids=["nobody", "few", "decided", "alike", "two lanes"],
)
def test_how_far_a_study_is_in_a_line(evidence, said):
    assert standing(evidence, findings(evidence)).startswith(said)


@pytest.mark.parametrize(
    ("guess", "said"),
    [
        (None, "Raters were not asked"),
        (
            lambda dice, key: GROUNDED[key],
            "The blinding failed: raters told which answers had been looked up (100",
        ),
        (lambda dice, key: dice.random() < 0.5, "The blinding held"),
    ],
    ids=["not asked", "seen through", "by dice"],
)
def test_whether_the_blinding_held(guess, said):
    assert blinding_in_words(findings(study(guess=guess)).blinding).startswith(said)


def test_repeats_and_twins_are_counted():
    careful = findings(study(raters=3)).raters
    assert all(each.care.identical.value == 1 for each in careful)
    assert all(each.care.repeats.compared == 18 for each in careful)


def test_one_rater_speaks_for_themselves():
    found = findings(study(questions=60, raters=1, each=1))
    assert "holds for these people" in agreement_in_words(found)[-1]
    assert np.isnan(found.raters[0].care.agreement.value)


def test_the_order_of_votes_plays_no_part():
    evidence = study()
    order = np.random.default_rng(1).permutation(len(evidence.votes))
    moved = replace(evidence, votes=tuple(evidence.votes[place] for place in order))
    one, other = findings(evidence).preference.effects, findings(moved).preference.effects
    assert one.tuning.low == pytest.approx(other.tuning.low, abs=1e-8)
