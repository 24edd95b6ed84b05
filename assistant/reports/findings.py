"""What the votes of a study come to: effects, lanes, agreement, raters, blinding, and what may be claimed.

It knows which figures a report needs. It does not know how they are said (`words.py`) or drawn (`page.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assistant.comparison import HIGHEST_SCORE, LOWEST_SCORE
from assistant.lanes import LANES
from assistant.ratings import Vote
from assistant.reports.evidence import Evidence
from assistant.statistics import Effects, Estimate, VoteTable, alpha, holm, rank_ranges
from assistant.statistics.claims import LEVEL
from assistant.statistics.estimates import Scores, unknown
from assistant.statistics.factorial import (
    effects_of_rankings,
    effects_of_scores,
    lane_means,
    strength_differences,
    win_rates,
)
from assistant.statistics.power import FEWEST_RANKINGS, Progress, anytime_level, log_odds, progress
from assistant.statistics.raters import Rater as Care
from assistant.statistics.raters import blinding, care

SMALLEST = {"preference": log_odds(0.65), "score": 0.5}
"""The effect that is worth having: 65 wins in 100, or half a point."""
PREFERENCE = "preference"

State = Literal["empty", "few", "undecided", "alike", "decided"]


@dataclass(frozen=True)
class Measure:
    """One way to look at the answers: the preference, from rankings, or a criterion, from scores."""

    key: str
    name: str
    effects: Effects
    """In log-odds for the preference, in points for a criterion."""
    corrected: tuple[float, float, float]
    """The chances of the effects, corrected for all that the report tests."""
    ended: bool
    """Whether all votes that were planned are there; until then, only what holds at every look is claimed."""
    lanes: Mapping[str, Estimate]
    """By system: the share of comparisons won, or the mean score."""
    agreement: Estimate
    """Krippendorff's alpha, ordinal."""

    @property
    def smallest(self) -> float:
        """The effect that is worth having."""
        return SMALLEST["preference" if self.key == PREFERENCE else "score"]

    @property
    def holds(self) -> tuple[bool, bool, bool]:
        """Which effects may be called one."""
        first, second, third = (
            chance < (LEVEL if self.ended or not each.known else anytime_level(each, self.smallest))
            for chance, each in zip(self.corrected, self.effects.each, strict=True)
        )
        return first, second, third


@dataclass(frozen=True)
class RaterFound:
    """A rater with their name, and whether their votes are left out."""

    name: str
    care: Care
    left_out: bool


@dataclass(frozen=True)
class Findings:
    """All that a report says, in figures."""

    state: State
    measures: tuple[Measure, ...]
    ranks: Mapping[str, tuple[int, int]]
    """By system, the best and worst rank in preference that it can have."""
    advised: str
    """The lane to take, by key; empty where that is not decided."""
    rivals: tuple[str, ...]
    """Lanes that can't be told apart from the one advised."""
    raters: tuple[RaterFound, ...]
    with_everybody: Effects
    """The effects on preference with the votes that are left out."""
    blinding: Estimate
    rankings: int
    questions: int
    unusable: int
    """Votes that would send none of the answers."""
    progress: Progress

    @property
    def preference(self) -> Measure:
        """The first of the measures."""
        return self.measures[0]


def findings(evidence: Evidence) -> Findings:
    """Work out everything from a study's votes."""
    found_raters = _raters(evidence)
    left_out = [found.care.rater for found in found_raters if found.left_out]
    rankings = evidence.rankings(left_out)
    measures = _measures(evidence, left_out)
    ranks = _ranks(evidence, rankings)
    state = _state(evidence, measures, ranks, len(rankings))
    advised, rivals = _advice(state, measures, ranks)
    return Findings(
        state,
        measures,
        ranks,
        advised,
        rivals,
        found_raters,
        _effects_of_rankings(evidence, evidence.rankings()),
        _blinding(evidence),
        len(rankings),
        len(np.unique(rankings.questions)),
        sum(vote.judgement.unusable for vote in evidence.counted),
        _progress(evidence, measures, len(rankings)),
    )


def _measures(evidence: Evidence, left_out: list[int]) -> tuple[Measure, ...]:
    """The preference and each criterion, their chances corrected for one another (Holm)."""
    rankings = evidence.rankings(left_out)
    tables = [(criterion, evidence.scores(criterion.key, left_out)) for criterion in evidence.study.criteria]
    effects = [_effects_of_rankings(evidence, rankings)]
    effects += [_effects_of_scores(evidence, scores) for _, scores in tables]
    chances = iter(holm([each.chance for found in effects for each in found.each]))
    named = [(PREFERENCE, "Preference", _within(win_rates(rankings), 0.0, 1.0), rankings)]
    named += [
        (criterion.key, criterion.name, _within(lane_means(scores), LOWEST_SCORE, HIGHEST_SCORE), scores)
        for criterion, scores in tables
    ]
    return tuple(
        Measure(
            key,
            name,
            effects[place],
            (next(chances), next(chances), next(chances)),
            has_ended(evidence),
            dict(zip(evidence.systems, lanes, strict=True)),
            _agreement(votes),
        )
        for place, (key, name, lanes, votes) in enumerate(named)
    )


def planned_rankings(evidence: Evidence) -> int:
    """How many votes that count there will be when all raters are through."""
    each_question = min(evidence.study.settings.raters_per_item, max(len(evidence.raters), 1))
    return len(evidence.items) * each_question


def has_ended(evidence: Evidence) -> bool:
    """Whether the round is closed or all planned votes are there."""
    return evidence.study.state == "closed" or len(evidence.counted) >= planned_rankings(evidence)


def _effects_of_rankings(evidence: Evidence, rankings: VoteTable) -> Effects:
    return effects_of_rankings(rankings) if evidence.all_lanes else _no_effects()


def _effects_of_scores(evidence: Evidence, scores: VoteTable) -> Effects:
    if not evidence.all_lanes:
        return _no_effects()
    return effects_of_scores(scores).within(HIGHEST_SCORE - LOWEST_SCORE)


def _within(means: Sequence[Estimate], lowest: float, highest: float) -> list[Estimate]:
    return [mean.within(lowest, highest) for mean in means]


def _no_effects() -> Effects:
    missing = unknown("not all four assistants answered")
    return Effects(missing, missing, missing)


def _agreement(votes: VoteTable) -> Estimate:
    said = ~np.isnan(votes.values)
    row, system = np.nonzero(said)
    units = votes.questions[row] * votes.values.shape[1] + system
    return alpha(units, votes.values[said], questions=votes.questions[row])


def _ranks(evidence: Evidence, rankings: VoteTable) -> dict[str, tuple[int, int]]:
    """Ranks in preference; with too little to tell, each lane can have every rank."""
    count = len(evidence.systems)
    return dict(zip(evidence.systems, rank_ranges(count, strength_differences(rankings)), strict=True))


def _state(
    evidence: Evidence, measures: tuple[Measure, ...], ranks: Mapping[str, tuple[int, int]], rankings: int
) -> State:
    if not rankings:
        return "empty"
    if rankings < FEWEST_RANKINGS:
        return "few"
    if not evidence.all_lanes:  # no effects then, but lanes that differ
        return "decided" if any(rank != (1, len(ranks)) for rank in ranks.values()) else "undecided"
    if any(any(measure.holds) for measure in measures):
        return "decided"
    every = [(each, measure.smallest) for measure in measures for each in measure.effects.each[:2]]
    alike = all(-least < each.low and each.high < least for each, least in every)
    return "alike" if alike else "undecided"


def _advice(
    state: State, measures: tuple[Measure, ...], ranks: Mapping[str, tuple[int, int]]
) -> tuple[str, tuple[str, ...]]:
    """The lane to take and those it can't be told apart from.

    Lanes are compared only where an effect on the preference holds, so that a report on lanes that are all
    equal advises one in no more studies than it claims an effect. Of lanes that can be the best, the one
    with the fewest parts is taken: it costs least to run.
    """
    if state == "alike":
        return "prompt", ()
    four = measures[0].effects.tuning.known
    if state != "decided" or (four and not any(measures[0].holds)):
        return "", ()
    there = [lane for lane in LANES if lane.key in ranks]
    best = [lane for lane in there if ranks[lane.key][0] == min(ranks[each.key][0] for each in there)]
    if len(best) == len(there):
        return "", ()
    wins = measures[0].lanes
    simplest = min(best, key=lambda lane: (lane.tuned + lane.grounded, -wins[lane.key].value))
    return simplest.key, tuple(lane.key for lane in best if lane is not simplest)


def _raters(evidence: Evidence) -> tuple[RaterFound, ...]:
    """Each rater's care; doubted ones are left out as long as two others stay."""
    rankings = evidence.rankings()
    if not len(rankings):
        return ()
    found = care(
        rankings, places=evidence.places(), repeats=_repeats(evidence), identical=_identical(evidence)
    )
    sound = sum(not each.doubts for each in found)
    names = evidence.names
    return tuple(
        RaterFound(names.get(each.rater, "?"), each, bool(each.doubts) and sound > 1) for each in found
    )


def _repeats(evidence: Evidence) -> list[tuple[int, Scores, Scores]]:
    """The two rankings of each question that came twice."""
    first = {(vote.showing.rater_id, vote.showing.item_id): vote.ranks for vote in evidence.counted}
    found = []
    for vote in evidence.votes:
        key = vote.showing.rater_id, vote.showing.item_id
        if vote.showing.kind == "repeat" and key in first:
            again = dict(zip(vote.showing.systems, vote.judgement.ranks, strict=True))
            found.append((key[0], evidence.columns([first[key]])[0], evidence.columns([again])[0]))
    return found


def _identical(evidence: Evidence) -> list[tuple[int, bool]]:
    """Whether the two equal answers of each hidden pair got the same rank."""
    return [
        (vote.showing.rater_id, _twins_tie(vote)) for vote in evidence.votes if vote.showing.kind == "pair"
    ]


def _twins_tie(vote: Vote) -> bool:
    systems, ranks = vote.showing.systems, vote.judgement.ranks
    twin = next(system for system in systems if systems.count(system) > 1)
    given = {rank for system, rank in zip(systems, ranks, strict=True) if system == twin}
    return len(given) == 1


def _blinding(evidence: Evidence) -> Estimate:
    """How often raters told the lanes that look things up from those that don't, less one half."""
    lanes = [lane for lane in LANES if lane.key in evidence.systems]
    believed = [[guess.by_system[lane.key] for lane in lanes] for guess in evidence.guesses]
    return blinding(
        np.array(believed, dtype=bool).reshape(len(believed), len(lanes)),
        np.array([lane.grounded for lane in lanes]),
    )


def _progress(evidence: Evidence, measures: tuple[Measure, ...], rankings: int) -> Progress:
    """How far the study is on what tuning and retrieval do to the preference: as far as the slower one."""
    preference = measures[0]
    planned = 0 if preference.ended else planned_rankings(evidence)
    both = [
        progress(effect, smallest=preference.smallest, rankings=rankings, planned=planned, chance=chance)
        for effect, chance in zip(preference.effects.each[:2], preference.corrected, strict=False)
    ]
    return max(both, key=lambda each: (each.more, each.state == "decided"))
