"""Tables of ratings from elsewhere: a CSV file read and checked, line by line.

It knows two shapes: a score of one system's answer, or the winner of two. It does not know what follows.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from assistant.errors import AssistantError

SCORE_COLUMNS = ("item", "system", "aspect", "rater", "score")
PAIR_COLUMNS = ("item", "a", "b", "rater", "winner")
MISSING = ("", "na", "n/a", "nan", "null")
"""What an empty cell is called, in lower case; such a line says nothing."""

MOST_IN_A_CELL = 100_000
"""Characters."""


@dataclass(frozen=True)
class Score:
    """What a rater gave one system's answer to an item, on one aspect."""

    item: str
    system: str
    aspect: str
    rater: str
    score: float


@dataclass(frozen=True)
class Pair:
    """Which of two systems' answers to an item a rater preferred: -1 is a, 1 is b, 0 a tie."""

    item: str
    a: str
    b: str
    rater: str
    winner: int


@dataclass(frozen=True)
class Ratings:
    """A table that was read: `scores` or `pairs`, and what was found in passing."""

    scores: tuple[Score, ...] = ()
    pairs: tuple[Pair, ...] = ()
    notes: tuple[str, ...] = ()


def read_ratings(path: Path) -> Ratings:
    """Read a CSV file of ratings: item, system, aspect, rater, score; or item, a, b, rater, winner.

    Commas, semicolons or tabs part the columns, which can stand in any order and beside others.

    Raises:
        AssistantError: the file can't be read, lacks a column, or a line is not as it should be.
    """
    text = _text(path)
    first = text.partition("\n")[0]
    csv.field_size_limit(MOST_IN_A_CELL)  # the library keeps one for all readers of a process
    rows = csv.reader(StringIO(text), delimiter=max(",;\t", key=first.count))
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        columns = _columns(header, path)
        places = [header.index(name) for name in columns]
        lines = _cells(rows, places, len(header), path)
        return _scores(lines, path) if columns == SCORE_COLUMNS else _pairs(lines, path)
    except csv.Error as problem:
        raise AssistantError(
            f"{path.name}, line {rows.line_num}: {problem}. Save it as plain CSV."
        ) from problem


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise AssistantError(f"{path} can't be read ({problem}). Name a CSV file in UTF-8.") from problem


def _columns(header: list[str], path: Path) -> tuple[str, ...]:
    for columns in (SCORE_COLUMNS, PAIR_COLUMNS):
        if set(columns) <= set(header):
            doubled = [name for name in columns if header.count(name) > 1]
            if doubled:
                raise AssistantError(f"{path.name}: the column {doubled[0]!r} is there twice. Rename one.")
            return columns
    found = ", ".join(name for name in header if name) or "nothing"
    raise AssistantError(
        f"{path.name}, line 1: the columns are {found[:200]}. They should be {', '.join(SCORE_COLUMNS)}, or "
        f"{', '.join(PAIR_COLUMNS)}. Put their names in the first line."
    )


Line = tuple[int, list[str]]
"""The number of a line in the file, and its wanted cells."""


def _cells(rows: Any, places: list[int], width: int, path: Path) -> Iterator[Line]:
    """The lines of a csv.reader that are not empty."""
    for row in rows:
        number = rows.line_num
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != width:
            raise AssistantError(
                f"{path.name}, line {number}: it has {len(row)} cells, and the first line has {width}. Put a "
                "text that holds a comma in double quotes."
            )
        yield number, [row[place].strip() for place in places]


def _scores(lines: Iterator[Line], path: Path) -> Ratings:
    scores, missing = [], 0
    for number, (item, system, aspect, rater, value) in lines:
        _named(path, number, item=item, system=system, aspect=aspect, rater=rater)
        if value.lower() in MISSING:
            missing += 1
            continue
        scores.append(Score(item, system, aspect, rater, _number(value, path, number)))
    _some(scores, path)
    kept, doubled = _last_of_each(scores, lambda each: (each.item, each.system, each.aspect, each.rater))
    return Ratings(scores=kept, notes=_notes(missing, doubled))


def _pairs(lines: Iterator[Line], path: Path) -> Ratings:
    pairs, missing = [], 0
    for number, (item, a, b, rater, value) in lines:
        _named(path, number, item=item, a=a, b=b, rater=rater)
        if a == b:
            raise AssistantError(
                f"{path.name}, line {number}: a and b are both {a!r}. Name two systems, or remove it."
            )
        if value.lower() in MISSING:
            missing += 1
            continue
        pairs.append(Pair(item, a, b, rater, _winner(value, a, b, path, number)))
    _some(pairs, path)
    kept, doubled = _last_of_each(pairs, lambda each: (each.item, *sorted((each.a, each.b)), each.rater))
    return Ratings(pairs=kept, notes=_notes(missing, doubled))


def _named(path: Path, number: int, **cells: str) -> None:
    for name, value in cells.items():
        if not value:
            raise AssistantError(
                f"{path.name}, line {number}: {name} is empty. Fill it in, or remove the line."
            )


def _number(value: str, path: Path, line: int) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise AssistantError(
            f"{path.name}, line {line}: the score is {value[:40]!r}; it should be a number with a point, "
            "such as 4 or 3.5, or be empty. Correct it."
        )
    return number


def _winner(value: str, a: str, b: str, path: Path, line: int) -> int:
    known = {a: -1, b: 1} | {"a": -1, "b": 1, "tie": 0}
    found = known.get(value, known.get(value.lower()))
    if found is None:
        raise AssistantError(
            f"{path.name}, line {line}: the winner is {value[:40]!r}; it should be a, b or tie. Correct it."
        )
    return found


Rating = TypeVar("Rating", Score, Pair)


def _some(ratings: list[Rating], path: Path) -> None:
    if not ratings:
        raise AssistantError(f"{path.name} holds no rating. Add a line for each.")


def _last_of_each(
    ratings: list[Rating], key: Callable[[Rating], tuple[str, ...]]
) -> tuple[tuple[Rating, ...], int]:
    """The last rating of each rater on each thing, and how many earlier ones it takes the place of."""
    kept = {key(rating): rating for rating in ratings}
    return tuple(kept.values()), len(ratings) - len(kept)


def _notes(missing: int, doubled: int) -> tuple[str, ...]:
    notes = []
    if missing:
        notes.append(f"{missing} lines hold no rating and are left out.")
    if doubled:
        notes.append(f"{doubled} ratings were given again by the same rater; the last one counts.")
    return tuple(notes)
