"""Tables with lines drawn around their cells, told from where words stand and where lines are drawn.

It knows words and lines. What is written outside of tables is put in order by `layout.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge.documents.glyphs import Rule, Word

NEAR = 3.0
"""Points; lines of a grid that are no further apart are one."""
SQUARE = 4.0
FAR = 4000.0
"""Points; nothing is drawn farther from the page's corner that people could see."""
LEVEL = 0.45
"""Of the letters' size: words whose feet differ by less stand in one line, raised figures too."""
PROSE_WORDS = 3.5
"""Words a line: columns with fewer on average are those of a table."""


@dataclass(frozen=True)
class Grid:
    """A table: its rows of cells, and where it begins."""

    rows: tuple[tuple[str, ...], ...]
    top: float = 0.0


def ruled(words: Sequence[Word], rules: Sequence[Rule]) -> tuple[list[Grid], list[Word]]:
    """The tables drawn on the page, and the words outside of them."""
    grids: list[Grid] = []
    rest = list(words)
    for group in _touching(rules):
        across = _levels([rule.top for rule in group if rule.across])
        sides = [rule for rule in group if not rule.across]
        down = _levels([rule.left for rule in sides])
        if len(across) < 3 or len(down) < 3:
            continue
        inside = [word for word in rest if down[0] - NEAR <= _centre(word) <= down[-1] + NEAR]
        found, taken = _grids(inside, across, sides, down)
        grids += found
        rest = [word for word in rest if id(word) not in taken]
    return grids, rest


def _grids(
    words: Sequence[Word], across: Sequence[float], sides: Sequence[Rule], down: Sequence[float]
) -> tuple[list[Grid], set[int]]:
    """Runs of rows with several cells filled, and the ids of their words; a box around text is no table."""
    grids: list[Grid] = []
    taken: set[int] = set()
    run: list[tuple[str, ...]] = []
    start = across[0]
    for top, bottom in [*pairwise(across), (across[-1], across[-1])]:
        held = [word for word in words if top <= word.middle < bottom]
        rows = _rows_between(top, bottom, held, sides, down)
        if any(sum(map(bool, row)) > 1 for row in rows):
            start = start if run else top
            run += rows
            taken |= set(map(id, held))
        elif held or bottom == top:
            grids += [Grid(tuple(run), start)] if run else []
            run = []
    return grids, taken


def _centre(word: Word) -> float:
    return (word.left + word.right) / 2


def _touching(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Rules in groups that hang together: those that share a small square of the page."""
    parents = list(range(len(rules)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    owners: dict[tuple[int, int], int] = {}
    for number, rule in enumerate(rules):
        for square in _squares(rule):
            parents[root(number)] = root(owners.setdefault(square, number))
    groups: dict[int, list[Rule]] = {}
    for number, rule in enumerate(rules):
        groups.setdefault(root(number), []).append(rule)
    yield from (group for group in groups.values() if len(group) > 4)


def _squares(rule: Rule) -> Iterator[tuple[int, int]]:
    """The squares a rule goes through, a little more on each side."""
    edges = (rule.left - NEAR / 2, rule.right + NEAR / 2, rule.top - NEAR / 2, rule.bottom + NEAR / 2)
    left, right, top, bottom = (int(min(max(edge, -FAR), FAR) // SQUARE) for edge in edges)
    yield from ((across, down) for across in range(left, right + 1) for down in range(top, bottom + 1))


def _levels(values: Sequence[float]) -> list[float]:
    """The places of lines, those that are one line to the eye taken together."""
    levels: list[float] = []
    for value in sorted(values):
        if not levels or value - levels[-1] > NEAR:
            levels.append(value)
    return levels


def _rows_between(
    top: float, bottom: float, words: Sequence[Word], sides: Sequence[Rule], down: Sequence[float]
) -> list[tuple[str, ...]]:
    """The row between two lines across; several, where records stand level and no line parts them."""
    middle = (top + bottom) / 2
    own = [edge for edge in down if any(_stands_at(rule, edge, middle) for rule in sides)] or [down[0]]
    cells: dict[int, list[Word]] = {}
    for word in words:
        edge = max((edge for edge in own if edge <= _centre(word) + NEAR), default=own[0])
        cells.setdefault(down.index(edge), []).append(word)
    if not cells:
        return []
    lines = {column: levelled(held) for column, held in cells.items()}
    if _is_list_of_records(list(lines.values())):
        return [_row(level, len(down) - 1) for level in _by_level(lines)]
    return [
        _row(
            {column: [word for line in held for word in line] for column, held in lines.items()},
            len(down) - 1,
        )
    ]


def _stands_at(rule: Rule, edge: float, height: float) -> bool:
    return abs(rule.left - edge) <= NEAR and rule.top <= height <= rule.bottom


def _is_list_of_records(cells: Sequence[Sequence[Sequence[Word]]]) -> bool:
    """Whether a row holds short lines that stand side by side in most of its cells: not one wrapped text."""
    long = [lines for lines in cells if len(lines) > 2]
    words = sum(len(line) for lines in cells for line in lines)
    return len(long) > 1 and words <= PROSE_WORDS * sum(map(len, cells))


def _by_level(lines: dict[int, list[list[Word]]]) -> list[dict[int, list[Word]]]:
    """The lines of several cells, those on one level together."""
    levels: list[tuple[float, dict[int, list[Word]]]] = []
    for column, held in lines.items():
        for line in held:
            foot, size = line[0].bottom, line[0].size
            level = next(
                (each for at, each in levels if abs(at - foot) < size / 2 and column not in each), None
            )
            if level is None:
                levels.append((foot, {column: line}))
            else:
                level[column] = line
    return [level for _, level in sorted(levels, key=lambda each: each[0])]


def _row(cells: dict[int, list[Word]], width: int) -> tuple[str, ...]:
    return tuple(" ".join(word.text for word in cells.get(column, ())) for column in range(max(width, 1)))


def levelled(words: Sequence[Word]) -> list[list[Word]]:
    """Words on one level, each level from left to right."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.bottom, word.left)):
        if lines and abs(lines[-1][0].bottom - word.bottom) < LEVEL * max(lines[-1][0].size, word.size):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda word: word.left) for line in lines]
