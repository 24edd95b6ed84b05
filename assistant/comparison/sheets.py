"""Who judges what, in which order and under which letters: drawn by chance, shared out evenly.

It knows numbers and system keys. What is shuffled is numbered only afterwards, so no number tells anything.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from assistant.comparison.model import Kind, StudySettings

SMALLEST_TO_CHECK = 4
"""Questions on a sheet below which none is repeated: they would be remembered."""
APART = 3
"""At least so many others stand between a question and its return, where the sheet is long enough."""


@dataclass(frozen=True)
class Drawn:
    """A line of a sheet: the item, why it stands there, and who wrote the answers A, B, C ..."""

    item: int
    kind: Kind
    systems: tuple[str, ...]


def share_out(
    items: Sequence[int], raters: Sequence[int], per_item: int, chance: Random
) -> dict[int, list[int]]:
    """The items of each rater: every item goes to `per_item` raters (all where there are fewer).

    No rater has two more than another, and which raters share an item is left to chance.
    """
    shared: dict[int, list[int]] = {rater: [] for rater in raters}
    for item in chance.sample(items, len(items)):
        least = sorted(raters, key=lambda rater: (len(shared[rater]), chance.random()))
        for rater in least[:per_item]:
            shared[rater].append(item)
    return shared


def share_for_one_more(judged: Mapping[int, int], raters: int, per_item: int, chance: Random) -> list[int]:
    """The items of a rater who joins later: as many as the others have, those least judged so far first.

    Args:
        judged: by item, how many raters have judged it.
        raters: how many there are with the new one.
        per_item: how many raters each item should have.
        chance: decides among those judged equally often.
    """
    share = math.ceil(len(judged) * min(per_item, raters) / raters)
    return sorted(judged, key=lambda item: (judged[item], chance.random()))[:share]


def draw_sheet(
    items: Sequence[int], answered: Mapping[int, Sequence[str]], settings: StudySettings, chance: Random
) -> list[Drawn]:
    """One rater's sheet: their items in random order, some of them again, and one identical pair.

    Args:
        items: what this rater judges.
        answered: by item, the systems that answered it.
        settings: how many are repeated.
        chance: decides.
    """
    order = list(items)
    chance.shuffle(order)
    sheet = [Drawn(item, "item", _shuffled(answered[item], chance)) for item in order]
    if len(order) < SMALLEST_TO_CHECK:
        return sheet
    again = chance.sample(order, math.ceil(settings.repeat_share * len(order)) + 1)
    for item in again[1:]:
        _put_back(sheet, Drawn(item, "repeat", _shuffled(answered[item], chance)), chance)
    _put_back(sheet, Drawn(again[0], "pair", _with_a_twin(answered[again[0]], chance)), chance)
    return sheet


def _shuffled(systems: Sequence[str], chance: Random) -> tuple[str, ...]:
    return tuple(chance.sample(sorted(systems), len(systems)))


def _with_a_twin(systems: Sequence[str], chance: Random) -> tuple[str, ...]:
    """The systems in random order, one of them in the place of another."""
    _left_out, *kept = _shuffled(systems, chance)
    return tuple(chance.sample([*kept, kept[0]], len(kept) + 1))


def _put_back(sheet: list[Drawn], again: Drawn, chance: Random) -> None:
    """Put a line on the sheet at some distance after (or else before) the first showing of its item."""
    first = next(place for place, drawn in enumerate(sheet) if drawn.item == again.item)
    after = range(first + APART + 1, len(sheet) + 1)
    before = range(max(first - APART + 1, 0))
    sheet.insert(chance.choice(after or before or [len(sheet)]), again)
