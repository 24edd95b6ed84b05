"""The questions that nobody could answer, as HTML.

It knows how gaps look. It does not know how they are found.
"""

from collections.abc import Sequence
from html import escape

from assistant.gaps import Gap
from assistant.ui.parts import empty, section
from assistant.ui.rendering import moment
from assistant.wording import counted

SHOWN = 12
"""Gaps shown; the export has all."""
NONE = (
    "Once somebody on the page Compare asks what no document answers, the question stands here, with how "
    "often it was asked."
)


def gaps_html(gaps: Sequence[Gap]) -> str:
    """The gaps, the most frequent first, with the way to export them."""
    if not gaps:
        return empty("Open questions will appear here", NONE)
    items = "".join(map(_gap, gaps[:SHOWN]))
    more = f" The first {SHOWN} are shown; the CSV holds all." if len(gaps) > SHOWN else ""
    return (
        section("Open questions", counted(sum(gap.times for gap in gaps), "question"))
        + '<p class="q-quiet">What was asked and nobody could answer. Add a document that says it.'
        f'{more} <a href="gaps.csv" download>Export as CSV</a></p><ol class="q-documents-gaps">{items}</ol>'
    )


def _gap(gap: Gap) -> str:
    first, *others = gap.questions
    times = "asked once" if gap.times == 1 else f"asked {gap.times} times"
    facts = f"{times} · {escape(gap.reason)} · {moment(gap.latest)}"
    said = "".join(f"<li>{escape(question)}</li>" for question in others)
    alike = f"<details><summary>Much the same</summary><ul>{said}</ul></details>" if others else ""
    return f"<li><b>{escape(first)}</b><span>{facts}</span>{alike}</li>"
