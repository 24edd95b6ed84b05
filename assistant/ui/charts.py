"""Charts as HTML and SVG that follow the page's colours and width: bars of counts, and losses over steps.

It knows how numbers become a picture. It does not know what they mean.
"""

import math
from collections.abc import Sequence
from html import escape

Point = tuple[float, float]
MOST_POINTS = 240
"""Points drawn of a line at most; a longer one is thinned out."""
TICKS = (1, 2, 2.5, 5, 10)


def bars(names: Sequence[str], counts: Sequence[int], caption: str) -> str:
    """Counts as upright bars with their names below; `caption` says what is counted."""
    highest = max(counts, default=0) or 1
    columns = "".join(
        f'<li><b>{count:,}</b><i style="--share:{count / highest:.4f}"></i><span>{escape(name)}</span></li>'
        for name, count in zip(names, counts, strict=True)
    )
    return (
        f'<figure class="q-charts-bars"><figcaption>{escape(caption)}</figcaption>'
        f'<ol style="--bars:{len(counts)}">{columns}</ol></figure>'
    )


def loss_chart(training: Sequence[Point], evaluation: Sequence[Point], steps: int) -> str:
    """Training loss as a line and its running mean, evaluation loss as dots on a line, over `steps` steps."""
    values = [loss for _, loss in (*training, *evaluation)]
    if not values:
        return ""
    ticks = nice_ticks(min(values), max(values))
    decimals = max(len(f"{tick:g}".partition(".")[2]) for tick in ticks)
    scale = _Scale(max(steps, 1), ticks[0], ticks[-1])
    lines = (
        _line("q-charts-raw", training, scale)
        + _line("q-charts-training", running_mean(training), scale)
        + _line("q-charts-evaluation", evaluation, scale)
    )
    grid = "".join(
        f'<i style="top:{scale.top(tick):.2f}%"><span>{tick:.{decimals}f}</span></i>' for tick in ticks
    )
    dots = "".join(scale.dot(point) for point in evaluation)
    said = f"Training loss {training[-1][1]:.3f}. " if training else ""
    said += f"Loss on held-out conversations {evaluation[-1][1]:.3f}." if evaluation else ""
    return (
        f'<figure class="q-charts-loss" role="img" aria-label="{said}">'
        f'<figcaption>{_legend(held_out=bool(evaluation))}</figcaption><div class="q-charts-plot">{grid}'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none">{lines}</svg>{dots}</div>'
        f'<div class="q-charts-steps"><span>0</span><span>Step</span><span>{steps:,}</span></div></figure>'
    )


def overlaid_losses(named: Sequence[tuple[str, Sequence[Point], Sequence[Point]]]) -> str:
    """The losses of two trainings over one another; each has a name, a loss in training and one held out."""
    values = [loss for _, training, held in named for _, loss in (*training, *held)]
    if not values:
        return ""
    ticks = nice_ticks(min(values), max(values))
    decimals = max(len(f"{tick:g}".partition(".")[2]) for tick in ticks)
    steps = max(step for _, training, held in named for step, _ in (*training, *held))
    scale = _Scale(max(steps, 1), ticks[0], ticks[-1])
    lines = dots = keys = ""
    for (name, training, held), colour in zip(named, ("training", "evaluation"), strict=False):
        lines += _line(f"q-charts-{colour} q-charts-thin", running_mean(training), scale)
        lines += _line(f"q-charts-{colour}", held, scale)
        dots += "".join(scale.dot(point, colour) for point in held)
        keys += f'<span><i class="q-charts-key-{colour}"></i>{escape(name)}</span>'
    grid = "".join(
        f'<i style="top:{scale.top(tick):.2f}%"><span>{tick:.{decimals}f}</span></i>' for tick in ticks
    )
    about = "<span>Loss on held-out conversations; in training, thin</span>"
    names = escape(" and ".join(name for name, *_ in named))
    return (
        f'<figure class="q-charts-loss" role="img" aria-label="Losses of {names}">'
        f'<figcaption>{keys}{about}</figcaption><div class="q-charts-plot">{grid}'
        f'<svg viewBox="0 0 100 100" preserveAspectRatio="none">{lines}</svg>{dots}</div>'
        f'<div class="q-charts-steps"><span>0</span><span>Step</span><span>{steps:,.0f}</span></div></figure>'
    )


def nice_ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers that span low to high."""
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(tick * power for tick in TICKS if tick * power >= span / 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(number * step, 10) for number in range(first, max(last, first + 1) + 1)]


def running_mean(points: Sequence[Point], keep: float = 0.9) -> list[Point]:
    """The points with each value a mean of those before it, the nearer ones weighing more."""
    smooth: list[Point] = []
    total = weight = 0.0
    for step, value in points:
        total, weight = keep * total + value, keep * weight + 1
        smooth.append((step, total / weight))
    return smooth


class _Scale:
    """Where a value stands in the plot, in percent of its width and height."""

    def __init__(self, steps: float, low: float, high: float) -> None:
        self._steps, self._low, self._high = steps, low, high

    def left(self, step: float) -> float:
        return 100 * min(step / self._steps, 1.0)

    def top(self, value: float) -> float:
        return 100 * (self._high - value) / (self._high - self._low)

    def dot(self, point: Point, colour: str = "evaluation") -> str:
        step, value = point
        place = f"left:{self.left(step):.2f}%;top:{self.top(value):.2f}%"
        return f'<b class="q-charts-key-{colour}" style="{place}" title="Step {step:g}: {value:.3f}"></b>'


def _line(name: str, points: Sequence[Point], scale: _Scale) -> str:
    every = max(1, math.ceil(len(points) / MOST_POINTS))
    kept = [*points[:-1:every], *points[-1:]]
    path = " ".join(f"{scale.left(step):.2f},{scale.top(value):.2f}" for step, value in kept)
    return f'<polyline class="{name}" points="{path}"/>' if len(kept) > 1 else ""


def _legend(*, held_out: bool) -> str:
    keys = {"training": "Loss in training (mean, and each step)"}
    keys |= {"evaluation": "Loss on held-out conversations"} if held_out else {}
    return "".join(f'<span><i class="q-charts-key-{key}"></i>{text}</span>' for key, text in keys.items())
