"""From words on a page to what people read: lines in the order of columns, and tables.

It knows where words stand and which lines are drawn between them. It knows no file format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge.documents.glyphs import Rule, Word
from knowledge.documents.ruled import LEVEL, NEAR, PROSE_WORDS, Grid, levelled, ruled

CELL_GAP = 1.1
"""Of the letters' size: a wider gap within a line parts two columns of text, or two cells."""
GUTTER = 8.0
"""Points; columns of text stand at least this far apart."""
COLUMN_LINES = 4


@dataclass(frozen=True)
class Line:
    """A line as it stands on the page; `gap` is the space above it in heights of its letters."""

    text: str
    size: float
    bold: bool
    top: float = 0.0
    gap: float = 0.0


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
    grids, rest = ruled(words, rules)
    runs = _runs(rest)
    parts: list[Part] = []
    waiting = sorted(grids, key=lambda grid: grid.top)
    for region in _regions(runs):
        for part in _region_parts(region):
            while waiting and waiting[0].top <= part.top:
                parts.append(waiting.pop(0))
            parts.append(part)
    return [*parts, *waiting]


def _runs(words: Sequence[Word]) -> list[_Run]:
    """Words put together into lines, parted where a wide gap stands between two; from top to bottom."""
    runs: list[_Run] = []
    for line in levelled(words):
        start = 0
        for place, (one, other) in enumerate(pairwise(line), start=1):
            if other.left - one.right > CELL_GAP * max(one.size, other.size):
                runs.append(_Run(tuple(line[start:place])))
                start = place
        runs.append(_Run(tuple(line[start:])))
    return runs


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
