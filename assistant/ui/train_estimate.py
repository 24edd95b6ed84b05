"""What a training will take as HTML: time, memory and money, beside training from nothing.

It knows how it looks. It does not know how it is reckoned.
"""

from html import escape

from assistant.training.estimate import Estimate
from assistant.training.price import Price
from assistant.ui.course import Course
from assistant.ui.parts import duration, facts, quiet, size
from assistant.wording import counted

YEAR = 365.25 * 24 * 3600
ASK_FIRST = (
    "How long will it take, and what will it cost? <b>Estimate first</b> measures a few steps on this "
    "machine, which takes about a minute."
)


def estimate_html(estimate: Estimate | None, price: Price) -> str:
    """The estimate in figures, a warning where it may not fit, or how to get one."""
    if estimate is None:
        return quiet(ASK_FIRST, "q-train-ask")
    pairs = [("Time", f"{about(estimate.seconds)} at most"), ("Memory", size(estimate.memory))]
    if price.hour:
        pairs.append(("Cost", price.text(estimate.money(price.hour))))
    pairs.append(("Weights trained", f"{100 * estimate.share:.2g} %"))
    return (
        f'<div class="q-card q-train-estimate">{facts(pairs)}{_warning(estimate)}'
        f"{quiet(_scratch(estimate, price))}</div>"
    )


def measuring_html(course: Course) -> str:
    """A measurement that is under way."""
    stage = (
        f"Waiting for its turn: {counted(course.before, 'task')} before it"
        if course.before
        else course.stage or "Starting to measure"
    )
    return (
        '<div class="q-card q-train-estimate" role="status"><p class="q-quiet q-train-measuring">'
        f'<i class="q-dot q-dot-busy"></i>{escape(stage)}</p></div>'
    )


def about(seconds: float) -> str:
    """A length of time for people, also one of days and years."""
    if seconds < 2 * 24 * 3600:
        return duration(seconds)
    return f"{seconds / 86400:,.0f} days" if seconds < YEAR else f"{seconds / YEAR:,.1f} years"


def _scratch(estimate: Estimate, price: Price) -> str:
    money = f" and {price.text(estimate.scratch_money(price.hour))}" if price.hour else ""
    return (
        f"For comparison: training a model of this size from nothing would take this machine about "
        f"{about(estimate.scratch_seconds)}, {size(estimate.scratch_memory)} of memory{money}."
    )


def _warning(estimate: Estimate) -> str:
    if not estimate.crowded:
        return ""
    return (
        '<div class="q-notice q-notice-problem" role="alert">'
        f"It needs about {size(estimate.memory)} of memory, and {size(estimate.free)} were free. Choose a "
        "smaller batch or a shorter length in the expert settings, close what else is open, or start Quartet "
        "with a smaller model.</div>"
    )
