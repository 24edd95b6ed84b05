"""Small things the working pages share: buttons inside HTML, tables, figures for people, the way back.

It knows how they look and which event a click on one sends. It does not know what follows.
"""

import json
from collections.abc import Iterable, Sequence
from html import escape

import gradio as gr

from assistant.errors import AssistantError
from knowledge.errors import KnowledgeError

PROBLEMS = (AssistantError, KnowledgeError)
"""What a person can put right; its text is shown in place."""

_WIRE = """const events = %s;
element.addEventListener('click', event => {
  const button = event.target.closest('[data-do]');
  if (button && events.includes(button.dataset.do)) trigger(button.dataset.do, {...button.dataset});
});"""


def wired(*events: str) -> str:
    """The `js_on_load` of a gr.HTML whose `action` buttons send these events and what they carry."""
    return _WIRE % json.dumps(events)


def html(elem_id: str, *events: str) -> gr.HTML:
    """An empty place for HTML that handlers fill; its `action` buttons send these events."""
    wire = wired(*events) if events else None
    return gr.HTML(elem_id=elem_id, elem_classes="q-parts-place", apply_default_css=False, js_on_load=wire)


def action(text: str, do: str, name: str = "", *, kind: str = "plain", label: str = "") -> str:
    """A button inside HTML; `label` says more to those who can't see what stands around it."""
    says = f' aria-label="{escape(label)}"' if label else ""
    carries = f'data-do="{escape(do)}" data-name="{escape(name)}"{says}'
    return f'<button type="button" class="q-parts-{kind}" {carries}>{escape(text)}</button>'


def table(name: str, heads: Sequence[str], rows: Iterable[str]) -> str:
    """A table of rows that are HTML already. A head with "#" stands over numbers, one with "-" is unseen."""
    cells = "".join(_head_cell(head) for head in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<table class="q-table {name}"><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>'


def _head_cell(head: str) -> str:
    if head.startswith("#"):
        return f'<th class="q-number">{escape(head[1:])}</th>'
    return (
        f'<th><span class="q-unseen">{escape(head[1:])}</span></th>'
        if head[0] == "-"
        else f"<th>{escape(head)}</th>"
    )


def number(text: str) -> str:
    """A table cell with a number."""
    return f'<td class="q-number">{escape(text)}</td>'


def quiet(text: str, name: str = "") -> str:
    """A paragraph that stands back; `text` is HTML."""
    return f'<p class="q-quiet {name}">{text}</p>'


def undo_strip(names: list[str]) -> str:
    """What was removed last, with the way back; nothing if nothing was."""
    if not names:
        return ""
    shown = escape(names[0]) if len(names) == 1 else f"{len(names)} files"
    return (
        f'<div class="q-parts-undo" role="status"><span>Removed <b>{shown}</b></span>'
        f"{action('Undo', 'restore', names[0], label=f'Undo the removal of {names[0]}')}</div>"
    )


def size(count: int) -> str:
    """Bytes for people: "812 B", "3.4 KB", "12 MB", "3.4 GB"."""
    if count < 1000:
        return f"{count} B"
    value, unit = next(
        (count / one, unit) for one, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")) if count >= 0.9995 * one
    )
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:,.0f} {unit}"


def duration(seconds: float) -> str:
    """A length of time for people: "40 s", "12 min", "2 h 5 min"."""
    if seconds < 59.5:
        return f"{max(seconds, 0):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def facts(pairs: list[tuple[str, str]]) -> str:
    """Names and values side by side; both are plain text."""
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="q-parts-facts">{rows}</dl>'


def empty(title: str, text: str, link: tuple[str, str] | None = None) -> str:
    """What stands where nothing is yet: what is missing, what to do, and a link (address, words) there."""
    way = f'<p><a href="{escape(link[0])}">{escape(link[1])}</a></p>' if link else ""
    return f'<div class="q-parts-empty"><h3>{escape(title)}</h3><p>{escape(text)}</p>{way}</div>'


def section(title: str, aside: str = "") -> str:
    """The title of a part of a page; `aside` is a short text at its right."""
    side = f"<span>{escape(aside)}</span>" if aside else ""
    return f'<div class="q-parts-section"><h2>{escape(title)}</h2>{side}</div>'
