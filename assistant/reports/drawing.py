"""Figures as HTML: effects on a line with their intervals, lanes as bars with theirs, and tables.

It knows numbers and names. It does not know what a study is. Everything stays readable without colour.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

from assistant.statistics import Estimate

STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Row:
    """A line of a picture: its name, the estimate that is drawn, what stands beside it, and its colour."""

    name: str
    estimate: Estimate
    text: str
    sure: bool = True
    colour: str = "accent"


def effects_picture(rows: Sequence[Row], less: str, more: str) -> str:
    """Estimates as dots with intervals around a line at 0, which is no effect; not sure ones are hollow."""
    known = [row.estimate for row in rows if row.estimate.known]
    reach = max((max(abs(each.low), abs(each.high)) for each in known), default=1.0) or 1.0
    end = _round_up(reach)
    lines = "".join(_effect_row(row, end) for row in rows)
    return (
        f'<div class="qr-plot"><div class="qr-axis"><span>{escape(less)}</span><span>no effect</span>'
        f"<span>{escape(more)}</span></div>{lines}</div>"
    )


def _effect_row(row: Row, end: float) -> str:
    found = row.estimate
    drawn = '<i class="qr-zero" style="left:50%"></i>'
    if found.known:
        low, middle, high = (50 + 50 * value / end for value in (found.low, found.value, found.high))
        sure = "qr-sure" if row.sure else "qr-unsure"
        drawn += (
            f'<i class="qr-reach {sure}" style="left:{low:.2f}%;width:{high - low:.2f}%"></i>'
            f'<i class="qr-dot {sure}" style="left:{middle:.2f}%"></i>'
        )
    return _line(row, drawn)


def bars_picture(rows: Sequence[Row], lowest: float, highest: float) -> str:
    """Estimates as bars from `lowest` with their intervals; none starts anywhere else."""
    return '<div class="qr-plot">' + "".join(_bar_row(row, lowest, highest) for row in rows) + "</div>"


def _bar_row(row: Row, lowest: float, highest: float) -> str:
    found, drawn = row.estimate, ""
    if found.value == found.value:
        width = _percent(found.value, lowest, highest)
        drawn = f'<i class="qr-bar" style="width:{width:.2f}%;background:var(--q-{row.colour})"></i>'
    if found.known:
        low, high = (_percent(value, lowest, highest) for value in (found.low, found.high))
        drawn += f'<i class="qr-whisker" style="left:{low:.2f}%;width:{high - low:.2f}%"></i>'
    return _line(row, drawn)


def _line(row: Row, drawn: str) -> str:
    return (
        f'<div class="qr-line"><span class="qr-name">{escape(row.name)}</span>'
        f'<span class="qr-track" aria-hidden="true">{drawn}</span>'
        f'<span class="qr-text">{escape(row.text)}</span></div>'
    )


def _percent(value: float, lowest: float, highest: float) -> float:
    return 100 * min(max((value - lowest) / (highest - lowest), 0.0), 1.0)


def _round_up(value: float) -> float:
    """The next round number."""
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in STEPS if step * power >= value * (1 - 1e-9))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts; a head with "#" stands over numbers."""
    kinds = [' class="qr-number"' if head.startswith("#") else "" for head in heads]
    top = _cells("th", kinds, [head.lstrip("#") for head in heads])
    lines = "".join(_cells("td", kinds, row) for row in rows)
    return f'<div class="qr-wide"><table><thead>{top}</thead><tbody>{lines}</tbody></table></div>'


def _cells(tag: str, kinds: Sequence[str], texts: Sequence[str]) -> str:
    cells = (f"<{tag}{kind}>{escape(text)}</{tag}>" for kind, text in zip(kinds, texts, strict=True))
    return f"<tr>{''.join(cells)}</tr>"
