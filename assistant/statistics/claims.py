"""What may be said when many things are tested at once: corrected chances, and ranks that overlap.

It knows chances (p-values) and who beat whom. It does not know what was tested.
"""

from collections.abc import Mapping, Sequence

from assistant.statistics.estimates import Estimate

LEVEL = 0.05
"""How often a report may see a difference where there is none."""


def holm(chances: Sequence[float]) -> list[float]:
    """Chances corrected for their number (Holm 1979): one below 0.05 holds with all the others beside it."""
    order = sorted(range(len(chances)), key=lambda place: chances[place])
    corrected, highest = [1.0] * len(chances), 0.0
    for step, place in enumerate(order):
        highest = max(highest, min(1.0, (len(chances) - step) * chances[place]))
        corrected[place] = highest
    return corrected


def rank_ranges(lanes: int, differences: Mapping[tuple[int, int], Estimate]) -> list[tuple[int, int]]:
    """The best and worst rank that each lane can have: lanes that can't be told apart share their ranks.

    Args:
        lanes: how many there are.
        differences: by pair (a, b), how much better b is than a; corrected for their number here.
    """
    chances = holm([found.chance if found.known else 1.0 for found in differences.values()])
    above, below = [0] * lanes, [0] * lanes
    for ((a, b), found), chance in zip(differences.items(), chances, strict=True):
        if chance < LEVEL:
            better, worse = (b, a) if found.value > 0 else (a, b)
            above[worse] += 1
            below[better] += 1
    return [(1 + up, lanes - down) for up, down in zip(above, below, strict=True)]
