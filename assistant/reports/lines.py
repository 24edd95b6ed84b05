"""The figures of a table of ratings as text for a terminal.

It knows how numbers are lined up. It computes none (`systems.py`).
"""

from collections.abc import Sequence

from assistant.reports.systems import Difference, PairFigures, ScoreFigures, SystemFigures
from assistant.statistics import Estimate

OVER_ITEMS = "95 % intervals over items; the raters are taken as they are."


def as_text(found: list[ScoreFigures] | PairFigures) -> str:
    """All figures as lines."""
    if isinstance(found, PairFigures):
        return "\n".join([*_pairs(found), "", OVER_ITEMS])
    return "\n\n".join(["\n".join(_aspect(each)) for each in found] + [OVER_ITEMS])


def _aspect(found: ScoreFigures) -> list[str]:
    return [
        f"{found.aspect}: {_counts(found)}",
        "",
        *_systems(found.systems),
        "",
        *_agreement(found.agreement),
        "",
        *_differences(found.differences, 3, "on items rated for both"),
    ]


def _pairs(found: PairFigures) -> list[str]:
    won = found.winners
    first = found.first_wins
    return [
        f"pairs: {_counts(found)}",
        f"winner: a {won['a']:,}, b {won['b']:,}, tie {won['tie']:,}",
        "",
        *_systems(found.systems),
        "",
        *_agreement(found.agreement),
        f"the one named first won {0.5 + first.value:.3f} {_interval(first, 3, 0.5)}, ties aside",
        "",
        *_differences(found.differences, 1, "in points of strength"),
    ]


def _counts(found: ScoreFigures | PairFigures) -> str:
    rated = f"{found.ratings:,} ratings of {found.items:,} items"
    return f"{rated}, {len(found.systems)} systems, {found.raters} raters"


def _systems(systems: Sequence[SystemFigures]) -> list[str]:
    """A line a system: rank, mean over its items, strength."""
    width = max(len(each.system) for each in systems)
    means = systems[0].mean is not None
    head = f"{'system':{width}}  rank " + (f"{'mean':>8}  {'95 % interval':18}{'items':>7}" if means else "")
    lines = [f"{head}{'strength':>10}  95 % interval"]
    for each in systems:
        ranks = f"{each.best_rank}" + (f"-{each.worst_rank}" if each.worst_rank > each.best_rank else "")
        strength = f"{_value(each.strength, 1):>10}  {_interval(each.strength, 1)}"
        lines.append(f"{each.system:{width}}  {ranks:5}{_mean(each.mean)}{strength}")
    reasons = {each.strength.reason for each in systems if each.strength.reason}
    return lines + [f"strengths can't be told: {reason}" for reason in sorted(reasons)]


def _mean(mean: Estimate | None) -> str:
    return f"{_value(mean, 4):>8}  {_interval(mean, 4):18}{mean.count:>7}" if mean else ""


def _agreement(agreement: dict[str, Estimate]) -> list[str]:
    return [
        f"Krippendorff's alpha, {level}: "
        + (f"{found.value:.4f} {_interval(found, 4)}" if found.known else f"can't be told: {found.reason}")
        for level, found in agreement.items()
    ]


def _differences(differences: Sequence[Difference], digits: int, what: str) -> list[str]:
    """A line a pair, the ones that hold with a star."""
    alone = sum(each.value.decided for each in differences)
    held = sum(each.holds for each in differences)
    lines = [
        f"differences {what}: {len(differences)} pairs, {alone} with an interval without 0, "
        f"{held} of these hold beside all others (*)"
    ]
    names = [f"{each.system} over {each.other}" for each in differences]
    width = max((len(name) for name in names), default=0)
    for name, each in zip(names, differences, strict=True):
        shown = f"{each.value.value:+.{digits}f} {_interval(each.value, digits)}" if each.value.known else ""
        lines.append(f"{name:{width}}  {shown or each.value.reason}{' *' if each.holds else ''}")
    return lines


def _value(estimate: Estimate, digits: int) -> str:
    return f"{estimate.value:.{digits}f}" if estimate.value == estimate.value else "-"


def _interval(estimate: Estimate, digits: int, shift: float = 0.0) -> str:
    if not estimate.known:
        return "[can't be told]"
    return f"[{estimate.low + shift:.{digits}f}, {estimate.high + shift:.{digits}f}]"
