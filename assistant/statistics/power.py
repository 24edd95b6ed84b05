"""How many votes it takes: planned by simulation before a study, and followed while it runs.

It knows the ranking model and the analysis that follows, and plans with that very analysis. It does not know
what is compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, log, sqrt

import numpy as np
from scipy.stats import norm

from assistant.statistics.claims import LEVEL
from assistant.statistics.estimates import Estimate
from assistant.statistics.factorial import TUNING
from assistant.statistics.rankings import strengths
from assistant.statistics.votes import VoteTable

POWER = 0.8
"""How often a study of the planned size finds the effect."""
QUESTION_SPREAD = 0.5
RATER_SPREAD = 0.2
"""How much an effect differs from question to question, and from rater to rater: standard deviations, in
log-odds. Planned with, since nobody knows them before; a study then uses what it sees."""
STUDIES = 200
"""Simulated studies of each size: mostly, the power is within 0.03 of what many more would show."""
FEWEST_RANKINGS = 40
"""With fewer, an effect of 65 wins in 100 is missed more often than found."""


@dataclass(frozen=True)
class Plan:
    """What a study needs to find an effect with a power of 80 %."""

    questions: int
    raters: int
    per_question: int
    power: float

    @property
    def rankings(self) -> int:
        """All votes together."""
        return self.questions * self.per_question

    @property
    def each(self) -> int:
        """Votes that each rater gives, at most."""
        return ceil(self.rankings / self.raters)


def log_odds(win_rate: float) -> float:
    """The strength that wins this share of pairs: 0.65 is 0.619."""
    if not 0 < win_rate < 1:
        raise ValueError(f"a win rate of {win_rate} is not between 0 and 1")
    return log(win_rate / (1 - win_rate))


def simulated_rankings(
    lanes: Sequence[float],
    *,
    questions: int,
    raters: int,
    per_question: int,
    dice: np.random.Generator,
    question_spread: float = 0.0,
    rater_spread: float = 0.0,
) -> VoteTable:
    """Rankings of four lanes of these strengths; both effects differ by the spreads, each for itself.

    The raters of each question follow one another in turn, as items are shared out.
    """
    question = np.repeat(np.arange(questions), per_question)
    rater = np.arange(questions * per_question) % raters
    tastes = dice.normal(0, question_spread, (questions, 2))[question]
    tastes = tastes + dice.normal(0, rater_spread, (raters, 2))[rater]
    either = np.array([[0, 1, 0, 1], [0, 0, 1, 1]])
    heights = np.asarray(lanes) + tastes @ either + dice.gumbel(size=(len(question), 4))
    ranks = np.argsort(np.argsort(-heights, axis=1), axis=1)
    return VoteTable(question, rater, ranks.astype(np.float64) + 1)


def power(
    lanes: Sequence[float],
    along: Sequence[float],
    *,
    questions: int,
    raters: int,
    per_question: int,
    question_spread: float = QUESTION_SPREAD,
    rater_spread: float = RATER_SPREAD,
    studies: int = STUDIES,
    seed: int = 0,
) -> float:
    """The share of simulated studies that decide the contrast `along` [4] of these strengths [4]."""
    dice, found = np.random.default_rng(seed), 0
    for _ in range(studies):
        votes = simulated_rankings(
            lanes,
            questions=questions,
            raters=raters,
            per_question=per_question,
            dice=dice,
            question_spread=question_spread,
            rater_spread=rater_spread,
        )
        fitted = strengths(votes)
        found += not isinstance(fitted, Estimate) and fitted.contrast(along).decided
    return found / studies


def plan(win_rate: float, raters: int, *, per_question: int | None = None, seed: int = 0) -> Plan:
    """How many questions it takes to see that tuned (or grounded) answers win this share of pairs.

    Three sizes are simulated, and the size for a power of 80 % is read off between them: the probit of the
    power grows with the root of the size. Takes seconds.

    Args:
        win_rate: the effect one cares about, above 0.5, such as 0.65.
        raters: how many people rate.
        per_question: how many of them rate each question; None: all.
        seed: of the simulation.
    """
    effect, each = log_odds(win_rate), per_question or raters
    if win_rate < 0.52:
        raise ValueError(f"a win rate of {win_rate} is too near 0.5 to plan for; take 0.52 or more")
    lanes = (0.0, effect, 0.0, effect)
    guess = 12.0 / effect**2 / each
    sizes = sorted({max(4, round(guess * part)) for part in (0.6, 1.2, 2.4)})
    rates = [
        power(lanes, TUNING.tolist(), questions=size, raters=raters, per_question=each, seed=seed + size)
        for size in sizes
    ]
    probits = norm.ppf(np.clip(rates, 0.5 / STUDIES, 1 - 0.5 / STUDIES))
    slope, start = np.polyfit(np.sqrt(sizes), probits, 1)
    reached = (norm.ppf(POWER) - start) / slope if slope > 0.01 else inf
    questions = ceil(min(max(reached, 2.0) ** 2, sizes[-1] * 4))
    return Plan(questions, raters, each, float(norm.cdf(start + slope * sqrt(questions))))


@dataclass(frozen=True)
class Progress:
    """How far a study is on one effect.

    `state` is "waiting" (too few to say anything), "going on", "decided" (there is an effect), or "alike"
    (no effect as large as the one cared about).
    """

    state: str
    more: int
    """About how many more rankings it takes; 0 once it is known."""


def progress(
    effect: Estimate, *, smallest: float, rankings: int, planned: int, chance: float | None = None
) -> Progress:
    """How far a study is on an effect.

    Whoever looks again and again until the chance is below 0.05 finds differences that are none in every
    fifth study or more. So until the planned number of votes is there, only a bound that holds at all looks
    together decides (`anytime_level`).

    Args:
        effect: as it is now, in log-odds or points.
        smallest: the effect one cares about, in the same unit, above 0.
        rankings: how many votes there are.
        planned: how many were planned.
        chance: that of the effect after correction for others tested beside it; None: its own.
    """
    chance = effect.chance if chance is None else chance
    needed = _needed(effect, smallest, rankings)
    if rankings < FEWEST_RANKINGS or not effect.known:
        return Progress("waiting", _rounded(max(needed, FEWEST_RANKINGS) - rankings))
    if chance < (anytime_level(effect, smallest) if rankings < planned else LEVEL):
        return Progress("decided", 0)
    if -smallest < effect.low and effect.high < smallest:
        return Progress("alike", 0)
    # What is planned for can be there and still be missed, one time in five; then a quarter more is worth it.
    aim = max(needed, planned) if rankings < planned else max(needed, rankings * 5 // 4)
    return Progress("going on", _rounded(aim - rankings))


def anytime_level(effect: Estimate, smallest: float) -> float:
    """The chance below which an effect may be called one, however often and whenever one looks.

    Robbins' mixture: with effects of the size of `smallest` (standard deviation) set against none, the odds
    pass 1 / 0.05 at any time in at most 0.05 of the studies without an effect.
    """
    ratio = (smallest / effect.error) ** 2
    bound = sqrt(2 * (1 + 1 / ratio) * (log(1 / LEVEL) + log(1 + ratio) / 2))
    return float(2 * norm.sf(bound))


def _needed(effect: Estimate, smallest: float, rankings: int) -> int:
    """Rankings for an error small enough to find the smallest effect with a power of 80 %."""
    if not effect.known:
        return FEWEST_RANKINGS
    wanted = smallest / (norm.ppf(1 - LEVEL / 2) + norm.ppf(POWER))
    return max(FEWEST_RANKINGS, ceil(rankings * (effect.error / wanted) ** 2))


def _rounded(more: int) -> int:
    """Up to the next 5: nobody knows it better."""
    return max(5, 5 * ceil(more / 5))
