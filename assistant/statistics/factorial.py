"""The 2×2 design: what tuning does, what retrieval does, and what both do beyond their sum.

It knows that the first four columns of votes are Prompt only, Fine-tuned, RAG and Combined. It does not know
whether their numbers are about voice or accuracy.
"""

import numpy as np

from assistant.statistics.clusters import clustered_mean, discord
from assistant.statistics.estimates import Effects, Estimate, Scores, unknown
from assistant.statistics.rankings import Strengths, strengths
from assistant.statistics.votes import VoteTable

TUNING = np.array([-0.5, 0.5, -0.5, 0.5])
RETRIEVAL = np.array([-0.5, -0.5, 0.5, 0.5])
INTERACTION = np.array([1.0, -1.0, -1.0, 1.0])
CONTRASTS = (TUNING, RETRIEVAL, INTERACTION)
"""Weights of Prompt only, Fine-tuned, RAG and Combined in each effect."""
LANES = [0, 1, 2, 3]


def effects_of_scores(votes: VoteTable) -> Effects:
    """The effects on one criterion, in points, from the votes that score all four lanes.

    Each vote is compared with itself, so how strict a rater or how hard a question is plays no part.
    """
    whole = votes.telling(LANES)
    if not len(whole):
        missing = unknown("no vote scores all four lanes")
        return Effects(missing, missing, missing)
    values = whole.values @ np.stack(CONTRASTS, axis=1)
    elsewhere = discord(values, whole.questions, whole.raters)
    return Effects(
        *(clustered_mean(each, whole.questions, whole.raters, elsewhere=elsewhere) for each in values.T)
    )


def effects_of_rankings(rankings: VoteTable) -> Effects:
    """The effects on the preference, in log-odds: 0.62 is being preferred 65 times in 100.

    Plackett-Luce with x = (tuned, grounded, tuned · grounded) has as many parameters as four lanes have
    strengths, so its terms are contrasts of the strengths.
    """
    found = strengths(rankings)
    if isinstance(found, Estimate):
        return Effects(found, found, found)
    rest = [0.0] * (rankings.values.shape[1] - len(LANES))
    return Effects(*(found.contrast([*along, *rest]) for along in CONTRASTS))


def lane_means(votes: VoteTable) -> list[Estimate]:
    """The mean score of each lane [lanes], each with its interval."""
    whole = not np.isnan(votes.values).any() and len(votes) > 0
    elsewhere = discord(votes.values, votes.questions, votes.raters) if whole else None
    return [_lane(votes.telling([lane]), elsewhere) for lane in range(votes.values.shape[1])]


def win_rates(rankings: VoteTable) -> list[Estimate]:
    """How often each lane is preferred to another one shown beside it, a tie counting half [lanes]."""
    return lane_means(VoteTable(rankings.questions, rankings.raters, win_shares(rankings.values)))


def _lane(votes: VoteTable, elsewhere: float | None) -> Estimate:
    if not len(votes):
        return unknown("no votes")
    return clustered_mean(votes.values[:, 0], votes.questions, votes.raters, elsewhere=elsewhere)


def win_shares(ranks: Scores) -> Scores:
    """For each vote and lane, the share of the others it beats, a tie counting half [votes, lanes]."""
    own, other = ranks[:, :, None], ranks[:, None, :]
    both = ~np.isnan(own) & ~np.isnan(other)
    both[:, np.arange(ranks.shape[1]), np.arange(ranks.shape[1])] = False
    won = np.where(both, (own < other) + 0.5 * (own == other), 0.0).sum(axis=2)
    met = both.sum(axis=2)
    return np.divide(won, met, out=np.full(ranks.shape, np.nan), where=met > 0)


def score_differences(votes: VoteTable) -> dict[tuple[int, int], Estimate]:
    """For each two lanes, how much more the second scores than the first, from votes that score both."""
    lanes = range(votes.values.shape[1])
    return {(a, b): _difference(votes.telling([a, b])) for a in lanes for b in lanes if a < b}


def _difference(both: VoteTable) -> Estimate:
    if not len(both):
        return unknown("no vote scores both")
    return clustered_mean(both.values[:, 1] - both.values[:, 0], both.questions, both.raters)


def strength_differences(rankings: VoteTable) -> dict[tuple[int, int], Estimate]:
    """For each two lanes, how much stronger the second is than the first, in log-odds."""
    lanes, found = range(rankings.values.shape[1]), strengths(rankings)
    pairs = [(a, b) for a in lanes for b in lanes if a < b]
    return {pair: found if isinstance(found, Estimate) else _stronger(found, *pair) for pair in pairs}


def _stronger(found: Strengths, first: int, second: int) -> Estimate:
    along = np.zeros(len(found.values))
    along[[first, second]] = -1.0, 1.0
    return found.contrast(along.tolist())
