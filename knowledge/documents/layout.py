"""From words on a page to what people read: lines in the order of columns, and tables.

It knows where words stand and which lines are drawn between them. It knows no file format.
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
CELL_GAP = 1.1
"""Of the letters' size: a wider gap within a line parts two columns of text, or two cells."""
LEVEL = 0.45
"""Of the letters' size: words whose feet differ by less stand in one line, raised figures too."""
GUTTER = 8.0
"""Points; columns of text stand at least this far apart."""
COLUMN_LINES = 4
PROSE_WORDS = 3.5
"""Words a line: columns with fewer on average are those of a table."""


@dataclass(frozen=True)
class Line:
    """A line as it stands on the page; `gap` is the space above it in heights of its letters."""

    text: str
    size: float
    bold: bool
    top: float = 0.0
    gap: float = 0.0


@dataclass(frozen=True)
class Grid:
    """A table: its rows of cells, and where it begins."""

    rows: tuple[tuple[str, ...], ...]
    top: float = 0.0


@dataclass(frozen=True)
class _Run:
    """Words that follow each other in a line without a wide gap."""

    words: tuple[Word, ...]

    @property
    def left(self) -> float:
        return self.words[0].left

    @property
    def right(self) -> float:
        return max(word.right for word in self.words)

    @property
    def top(self) -> float:
        return min(word.top for word in self.words)

    @property
    def bottom(self) -> float:
        return max(word.bottom for word in self.words)

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


Part = Line | Grid


def arrange(words: Sequence[Word], rules: Sequence[Rule]) -> list[Part]:
    """What a page says, in reading order."""
    grids, rest = _ruled(words, rules)
    runs = _runs(rest)
    parts: list[Part] = []
    waiting = sorted(grids, key=lambda grid: grid.top)
    for region in _regions(runs):
        for part in _region_parts(region):
            while waiting and waiting[0].top <= part.top:
                parts.append(waiting.pop(0))
            parts.append(part)
    return [*parts, *waiting]


# Tables with lines around their cells


def _ruled(words: Sequence[Word], rules: Sequence[Rule]) -> tuple[list[Grid], list[Word]]:
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
    lines = {column: _levelled(held) for column, held in cells.items()}
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


# Lines and columns


def _runs(words: Sequence[Word]) -> list[_Run]:
    """Words put together into lines, parted where a wide gap stands between two; from top to bottom."""
    runs: list[_Run] = []
    for line in _levelled(words):
        start = 0
        for place, (one, other) in enumerate(pairwise(line), start=1):
            if other.left - one.right > CELL_GAP * max(one.size, other.size):
                runs.append(_Run(tuple(line[start:place])))
                start = place
        runs.append(_Run(tuple(line[start:])))
    return runs


def _levelled(words: Sequence[Word]) -> list[list[Word]]:
    """Words on one level, each level from left to right."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.bottom, word.left)):
        if lines and abs(lines[-1][0].bottom - word.bottom) < LEVEL * max(lines[-1][0].size, word.size):
            lines[-1].append(word)
        else:
            lines.append([word])
    return [sorted(line, key=lambda word: word.left) for line in lines]


def _regions(runs: Sequence[_Run]) -> list[list[_Run]]:
    """The runs in groups, in reading order: column after column where the page has columns."""
    gutter = _gutter(runs)
    if gutter is None:
        return [list(runs)] if runs else []
    regions: list[list[_Run]] = []
    band: list[_Run] = []
    for run in runs:
        if run.left < gutter < run.right:
            regions += _columns(band, gutter)
            regions.append([run])
            band = []
        else:
            band.append(run)
    regions += _columns(band, gutter)
    return _joined(regions)


def _joined(regions: Sequence[list[_Run]]) -> list[list[_Run]]:
    """Lines of their own that follow each other, put together again."""
    joined: list[list[_Run]] = []
    for region in regions:
        if joined and len(region) == 1 and len(joined[-1]) and _full(joined[-1], region[0]):
            joined[-1] = [*joined[-1], *region]
        else:
            joined.append(list(region))
    return joined


def _full(region: Sequence[_Run], run: _Run) -> bool:
    return run.left < region[-1].right and region[-1].left < run.right and region[-1].bottom <= run.bottom


def _columns(band: Sequence[_Run], gutter: float) -> list[list[_Run]]:
    left = [run for run in band if run.right <= gutter + GUTTER / 2]
    taken = set(map(id, left))
    right = [run for run in band if id(run) not in taken]
    return [part for side in (left, right) for part in (_regions(side) if side else [])]


def _gutter(runs: Sequence[_Run]) -> float | None:
    """Where the space between two columns of running text is; None where there are no columns."""
    if len(runs) < 2 * COLUMN_LINES:
        return None
    left, right = min(run.left for run in runs), max(run.right for run in runs)
    best: tuple[float, float] | None = None
    for edge in sorted({run.left for run in runs if left + 60 < run.left < right - 60}):
        place = edge - GUTTER / 2
        crossing = sum(run.left < place < run.right for run in runs)
        before = [run for run in runs if run.right <= place]
        after = [run for run in runs if run.left >= place]
        if crossing <= len(runs) / 3 and _is_text(before) and _is_text(after) and _beside(before, after):
            room = edge - max((run.right for run in before), default=0.0)
            score = room - crossing * 4.0
            if room >= GUTTER and (best is None or score > best[0]):
                best = (score, place)
    return best[1] if best else None


def _is_text(runs: Sequence[_Run]) -> bool:
    return len(runs) >= COLUMN_LINES and sum(len(run.words) for run in runs) >= PROSE_WORDS * len(runs)


def _beside(left: Sequence[_Run], right: Sequence[_Run]) -> bool:
    """Whether two groups stand side by side and not one above the other."""
    top, bottom = max(left[0].top, right[0].top), min(left[-1].bottom, right[-1].bottom)
    return bottom - top > 3 * left[0].words[0].size


# What a column holds


def _region_parts(runs: Sequence[_Run]) -> list[Part]:
    """Lines, and tables told by cells that stand below each other."""
    parts: list[Part] = []
    rows: list[list[_Run]] = []
    for level in [*_same_level(runs), []]:
        if len(level) > 1 and (not rows or _aligned(rows[-1], level)):
            rows.append(level)
            continue
        parts += _table_or_lines(rows)
        rows = [level] if len(level) > 1 else []
        if len(level) == 1:
            parts.append(_line(level))
    return _with_gaps(parts)


def _same_level(runs: Sequence[_Run]) -> list[list[_Run]]:
    levels: list[list[_Run]] = []
    for run in sorted(runs, key=lambda run: (run.bottom, run.left)):
        if levels and abs(levels[-1][0].bottom - run.bottom) < LEVEL * run.words[0].size:
            levels[-1].append(run)
        else:
            levels.append([run])
    return [sorted(level, key=lambda run: run.left) for level in levels]


def _aligned(one: Sequence[_Run], other: Sequence[_Run]) -> bool:
    """Whether at least two cells of two rows stand below each other: left edges, right edges or middles."""
    matches = sum(any(_below(cell, above) for above in one) for cell in other)
    close = other[0].top - one[0].bottom < 2.5 * other[0].words[0].size
    return close and matches >= 2


def _below(cell: _Run, above: _Run) -> bool:
    middle, other = (cell.left + cell.right) / 2, (above.left + above.right) / 2
    return min(abs(cell.left - above.left), abs(cell.right - above.right), abs(middle - other)) < 2 * NEAR


def _table_or_lines(rows: Sequence[Sequence[_Run]]) -> list[Part]:
    if len(rows) < 2:
        return [_line(row) for row in rows]
    edges = _cell_edges(rows)
    cells = []
    for row in rows:
        texts = [""] * len(edges)
        for run in row:
            place = max((number for number, edge in enumerate(edges) if edge <= run.right - 1), default=0)
            place = _own_place(run, edges, place)
            texts[place] = f"{texts[place]} {run.text}".strip()
        cells.append(tuple(texts))
    return [Grid(tuple(cells), rows[0][0].top)]


def _cell_edges(rows: Sequence[Sequence[_Run]]) -> list[float]:
    """Where the columns of a table without lines begin: places that no cell reaches across."""
    spans = sorted((run.left, run.right) for row in rows for run in row)
    edges, reached = [spans[0][0]], spans[0][1]
    for left, right in spans[1:]:
        if left > reached:
            edges.append(left)
        reached = max(reached, right)
    return edges


def _own_place(run: _Run, edges: Sequence[float], place: int) -> int:
    """The column in which a cell begins."""
    begins = max((number for number, edge in enumerate(edges) if edge <= run.left + 1), default=0)
    return min(begins, place)


def _line(runs: Sequence[_Run]) -> Line:
    words = [word for run in runs for word in run.words]
    letters = sum(len(word.text) for word in words)
    sizes: dict[float, int] = {}
    for word in words:
        sizes[word.size] = sizes.get(word.size, 0) + len(word.text)
    size = max(sizes, key=lambda each: sizes[each])
    bold = sum(len(word.text) for word in words if word.bold) > 0.9 * letters
    text = " ".join(run.text for run in runs)
    return Line(text, size, bold, min(run.top for run in runs))


def _with_gaps(parts: Sequence[Part]) -> list[Part]:
    """The lines, each with the space above it."""
    found: list[Part] = []
    above: Part | None = None
    for part in parts:
        if isinstance(part, Line) and isinstance(above, Line):
            gap = (part.top - above.top - above.size) / max(part.size, 1.0)
            part = Line(part.text, part.size, part.bold, part.top, gap)
        found.append(part)
        above = part
    return found
