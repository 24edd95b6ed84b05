"""How honest the intervals are: `python -m tests.benchmarks.coverage [--studies 2000]`.

In simulated studies with a known truth: how often the 95 % intervals hold it, how often percentile bootstraps
over questions and raters do on the same studies, and the power beside the table that planning rests on.
Takes some minutes.
"""

import argparse
from collections.abc import Callable

import numpy as np

from assistant.statistics import Effects, VoteTable, effects_of_rankings, effects_of_scores
from assistant.statistics.factorial import CONTRASTS
from assistant.statistics.power import power, simulated_rankings
from tests.assistant.statistics.simulated import TRUE, scored
from tests.assistant.statistics.test_power import LANES, TABLE

DESIGNS = (
    # questions, raters, raters a question
    (30, 3, 3),
    (40, 4, 2),
    (40, 6, 3),
    (60, 8, 2),
)
SPREADS = {"alike": 0.0, "differ": 0.2, "differ much": 0.4}
"""How much the effects differ from rater to rater (standard deviation, in points or log-odds)."""
BOOTSTRAP_STUDIES, RESAMPLES = 200, 400


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--studies", type=int, default=2000)
    studies = options.parse_args().studies
    print("95 % intervals that hold the truth, in percent: tuning, retrieval, both; all three; bootstrap")
    for name, (draw, analyse, truth) in KINDS.items():
        everything = []
        for design in DESIGNS:
            for raters_are, spread in SPREADS.items():
                held = coverage(draw, analyse, truth, design, spread, studies)
                everything.append(held.mean())
                naive = bootstrap_coverage(draw, design, spread) if name == "scores" else float("nan")
                print(
                    f"{name:9} {design[0]:3} questions, {design[1]} raters, {design[2]} each, {raters_are:12}"
                    f"{held[0]:6.1f}{held[1]:6.1f}{held[2]:6.1f} {held.mean():8.1f} {naive:8.1f}",
                    flush=True,
                )
        print(f"{name:9} all designs {np.mean(everything):.1f}")
    print("power by rankings, beside the table: tuning, both")
    for rankings, expected in TABLE.items():
        found = [powered(along, rankings, studies) for along in ((-1, 1, 0, 0), (1, -1, -1, 1))]
        print(
            f"{rankings:4} {found[0]:.3f} ({expected[0]:.2f})  {found[1]:.3f} ({expected[1]:.2f})", flush=True
        )


Draw = Callable[[np.random.Generator, tuple[int, int, int], float], VoteTable]


def draw_scores(dice: np.random.Generator, design: tuple[int, int, int], spread: float) -> VoteTable:
    questions, raters, each = design
    return scored(dice, questions=questions, raters=raters, per_question=each, rater_spread=spread)


def draw_rankings(dice: np.random.Generator, design: tuple[int, int, int], spread: float) -> VoteTable:
    questions, raters, each = design
    return simulated_rankings(
        LANES,
        questions=questions,
        raters=raters,
        per_question=each,
        dice=dice,
        question_spread=0.4,
        rater_spread=spread,
    )


KINDS: dict[str, tuple[Draw, Callable[[VoteTable], Effects], tuple[float, ...]]] = {
    "scores": (draw_scores, effects_of_scores, TRUE),
    "rankings": (draw_rankings, effects_of_rankings, tuple(float(along @ LANES) for along in CONTRASTS)),
}


def coverage(
    draw: Draw,
    analyse: Callable[[VoteTable], Effects],
    truth: tuple[float, ...],
    design: tuple[int, int, int],
    spread: float,
    studies: int,
) -> np.ndarray:
    """The share of studies, in percent, whose interval holds the truth, for each effect."""
    dice, held = np.random.default_rng(20), np.zeros(3)
    for _ in range(studies):
        found = analyse(draw(dice, design, spread)).each
        held += [each.low <= true <= each.high for each, true in zip(found, truth, strict=True)]
    return 100 * held / studies


def bootstrap_coverage(draw: Draw, design: tuple[int, int, int], spread: float) -> float:
    """The same for the percentile bootstrap over questions and raters, and the effect of tuning alone."""
    dice, held = np.random.default_rng(20), 0
    for _ in range(BOOTSTRAP_STUDIES):
        votes = draw(dice, design, spread)
        values = votes.values @ CONTRASTS[0]
        questions = dice.multinomial(design[0], np.full(design[0], 1 / design[0]), RESAMPLES)
        raters = dice.multinomial(design[1], np.full(design[1], 1 / design[1]), RESAMPLES)
        weights = questions[:, votes.questions] * raters[:, votes.raters]
        weights = weights[weights.sum(axis=1) > 0]
        low, high = np.quantile(weights @ values / weights.sum(axis=1), [0.025, 0.975])
        held += low <= TRUE[0] <= high
    return 100 * held / BOOTSTRAP_STUDIES


def powered(along: tuple[float, ...], rankings: int, studies: int) -> float:
    alone = {"raters": 1, "per_question": 1, "question_spread": 0.0, "rater_spread": 0.0}
    return power(LANES, along, questions=rankings, studies=studies, seed=7, **alone)


if __name__ == "__main__":
    main()
