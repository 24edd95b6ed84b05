"""Studies with a known truth."""

import numpy as np

from assistant.statistics import VoteTable

TRUE = (0.3, 0.3, -0.6)
"""The effects of tuning, of retrieval and of both, in the studies of `scored`."""


def shared_out(questions, raters, per_question):
    """Question and rater of each vote, the raters taking turns."""
    return np.repeat(np.arange(questions), per_question), np.arange(questions * per_question) % raters


def scored(dice, *, questions, raters, per_question, question_spread=0.4, rater_spread=0.2, lift=0.6):
    """Scores of four lanes: hard questions, strict raters, and effects that differ between both."""
    question, rater = shared_out(questions, raters, per_question)
    tastes = dice.normal(0, question_spread, (questions, 2))[question]
    tastes = tastes + dice.normal(0, rater_spread, (raters, 2))[rater]
    level = 3 + dice.normal(0, 0.8, questions)[question] + dice.normal(0, 0.5, raters)[rater]
    lanes = np.array([0.0, lift, lift, lift]) + tastes @ np.array([[0, 1, 0, 1], [0, 0, 1, 1]])
    return VoteTable(question, rater, level[:, None] + lanes + dice.normal(0, 0.8, (len(question), 4)))
