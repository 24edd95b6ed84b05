"""The findings of a study in sentences for a manager, none surer than the figures.

It knows how findings are said in plain words. It works none out.
"""

from collections.abc import Sequence
from math import exp

from assistant.lanes import LANES
from assistant.reports.evidence import Evidence, system_name
from assistant.reports.findings import PREFERENCE, Findings, Measure
from assistant.statistics import Estimate
from assistant.statistics.power import FEWEST_RANKINGS

SUBJECTS = ("Fine-tuning", "Retrieval")
MOST_SAID = 400
"""More rankings than this are not told as a number: it would be a guess."""
HEADLINES = {
    "empty": "No votes yet",
    "few": "Not enough votes yet",
    "undecided": "Not decided",
    "alike": "No difference worth having",
}


def headline(found: Findings) -> str:
    """The answer in a few words."""
    if found.state != "decided":
        return HEADLINES[found.state]
    return f"Take {system_name(found.advised)}" if found.advised else "Decided in part"


def recommendation(found: Findings) -> list[str]:
    """What to do, how sure that is, and what it rests on."""
    if found.state == "empty":
        return ["Nobody has voted. Send each rater their link; the report follows as the votes come in."]
    if found.state == "few":
        return [
            f"There are {found.rankings} rankings, and under {FEWEST_RANKINGS} an effect of 65 wins in 100 "
            f"is missed more often than found. It takes {_more(found)} before anything can be said."
        ]
    if found.state == "undecided":
        return [
            "The votes do not tell the four assistants apart: what was seen could well be chance.",
            f"It takes {_more(found)} to show a difference of 65 wins in 100, if there is one."
            if found.progress.more
            else "More votes of this kind are unlikely to change that.",
        ]
    if found.state == "alike":
        return [
            "Whatever tuning and retrieval do, it is less than 65 wins in 100 and less than half a point. "
            "Prompt only is the cheapest to run, so take that."
        ]
    effects = effects_in_words(found) if found.preference.effects.tuning.known else []
    return [*_advice(found), *effects]


def _advice(found: Findings) -> list[str]:
    if not found.advised:
        return [
            "Some effects are sure, but which assistant people prefer over all is not decided. Weigh the "
            "effects below by what matters to you."
        ]
    lane = system_name(found.advised)
    if not found.rivals:
        others = [lane for lane in LANES if lane.key in found.ranks and lane.key != found.advised]
        worse = _listed([lane.name for lane in others])
        return [f"People prefer {lane} to {worse}; each of these differences is surer than 95 %."]
    rivals = _listed([system_name(rival) for rival in found.rivals])
    return [f"{lane} can't be told apart from {rivals} in preference, and it is the simplest of them to run."]


def effects_in_words(found: Findings) -> list[str]:
    """A sentence for tuning, one for retrieval, and what both together do to that."""
    sentences = [
        f"{subject} {_listed([_effect(measure, place) for measure in found.measures])}."
        for place, subject in enumerate(SUBJECTS)
    ]
    more = [measure for measure in found.measures if measure.holds[2] and _adds(measure)]
    less = [measure for measure in found.measures if measure.holds[2] and not _adds(measure)]
    if more:
        sentences.append(f"Together they do more for {_named(more)} than both promise alone.")
    if less:
        lost = "one undoes part of the other"
        sentences.append(f"Together they do less for {_named(less)} than both promise alone: {lost}.")
    return sentences


def _effect(measure: Measure, place: int) -> str:
    """What one factor does to one measure, as the rest of a sentence."""
    effect = measure.effects.each[place]
    name = _name(measure)
    if not measure.holds[place]:
        return f"has no sure effect on {name}"
    if measure.key == PREFERENCE:
        rate, low, high = (won(each) for each in (effect.value, effect.low, effect.high))
        return f"wins {rate:.0f} of 100 comparisons ({low:.0f} to {high:.0f})"
    verb, to = ("adds", "to") if effect.value > 0 else ("takes", "from")
    size = abs(effect.value)
    low, high = sorted((abs(effect.low), abs(effect.high)))
    return f"{verb} {size:.1f} points {to} {name} ({low:.1f} to {high:.1f})"


def _adds(measure: Measure) -> bool:
    return measure.effects.interaction.value > 0


def _name(measure: Measure) -> str:
    """What a measure is called inside a sentence."""
    return "the preference" if measure.key == PREFERENCE else measure.name[0].lower() + measure.name[1:]


def _named(measures: Sequence[Measure]) -> str:
    return _listed([_name(measure) for measure in measures])


def won(odds: float) -> float:
    """A strength in log-odds as comparisons won of 100."""
    return 100 / (1 + exp(-max(-50.0, min(50.0, odds))))


def agreement_in_words(found: Findings) -> list[str]:
    """How far the raters agree, and who is left out."""
    said = [_agreement(measure) for measure in found.measures]
    said += [_rater(each.name, each.care.doubts, each.left_out) for each in found.raters if each.care.doubts]
    if any(each.left_out for each in found.raters):
        every = found.with_everybody
        said.append(
            "With everybody's votes, a tuned answer would win "
            f"{won(every.tuning.value):.0f} and one that looks things up {won(every.retrieval.value):.0f} of "
            "100 comparisons."
        )
    if 0 < len(found.raters) < 3:
        said.append("With fewer than three raters, what is said here holds for these people, not for others.")
    return said


def _agreement(measure: Measure) -> str:
    alpha = measure.agreement
    if not alpha.known:
        return f"{measure.name}: agreement can't be told, {alpha.reason}."
    words = (
        "raters agree well"
        if alpha.low > 0.6
        else "raters agree in part"
        if alpha.low > 0.2
        else "raters agree a little more than chance"
        if alpha.low > 0
        else "raters agree no more than chance"
    )
    return f"{measure.name}: {words} (alpha {alpha.value:.2f}, {alpha.low:.2f} to {alpha.high:.2f})."


def _rater(name: str, doubts: Sequence[str], left_out: bool) -> str:
    end = "Their votes are left out." if left_out else "Their votes still count: too few others are left."
    return f"{name} {_listed(doubts)}. {end}"


def blinding_in_words(blinding: Estimate) -> str:
    """Whether raters could tell who looked things up."""
    if not blinding.known:
        return "Raters were not asked, or have not said, which answers had been looked up."
    share = f"{50 + 100 * blinding.value:.0f} of 100 guesses right, chance gives 50, {blinding.count} guesses"
    if blinding.low > 0:
        return f"The blinding failed: raters told which answers had been looked up ({share})."
    if blinding.count < 20:
        return f"There are too few guesses to tell whether the blinding held ({share})."
    return f"The blinding held: raters could not tell which answers had been looked up ({share})."


def standing(evidence: Evidence, found: Findings) -> str:
    """How far a study is, in a line: "Not enough votes yet: about 35 more rankings." or "Decided: …"."""
    if not evidence.all_lanes:
        return f"{headline(found)}. Not all four assistants answer here, so effects can't be told apart."
    if found.progress.state == "waiting":
        return f"{'Not enough votes' if found.rankings else 'No votes'} yet: {_more(found)}."
    if found.progress.state == "going on":
        return f"Not decided yet: {_more(found)}."
    if found.progress.state == "alike":
        return "Decided: neither tuning nor retrieval wins as much as 65 comparisons of 100."
    sure = [
        f"{subject.lower()} {_effect(found.preference, place)}"
        for place, subject in enumerate(SUBJECTS)
        if found.preference.holds[place]
    ]
    return f"Decided: {_listed(sure)}."


def _more(found: Findings) -> str:
    """How many more votes it takes; raters who differ are not outvoted by asking the same ones more."""
    if found.progress.more <= MOST_SAID:
        return f"about {found.progress.more} more rankings"
    return f"more than {MOST_SAID} more rankings, best by other raters too"


def _listed(texts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
