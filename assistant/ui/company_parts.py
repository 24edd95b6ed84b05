"""The company as HTML: its first steps, the prompt its voice makes, and the companies on this machine.

It knows how they look. It does not know how a voice is kept or a company opened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from assistant.brand import Brand
from assistant.prompts import system_prompt
from assistant.studio import Step
from assistant.ui.parts import action, section

FORM = "#q-company-tone"
ABOUT = {
    "company": "Name, tone and rules, below.",
    "documents": "So that answers can look things up.",
    "conversations": "So that it can learn how you write.",
    "train": "One button, some minutes.",
}
OWN = (
    "Your own instructions are in force: they were written on Compare and replace the voice. "
    "What you change in the fields is kept, but the assistants do not see it."
)


@dataclass(frozen=True)
class Listed:
    """A company in the list; `key` is the name of its folder."""

    key: str
    name: str
    open: bool


def steps_html(steps: Sequence[Step]) -> str:
    """The first steps with their ways there; nothing once all are done."""
    done = sum(step.done for step in steps)
    if done == len(steps):
        return ""
    items = "".join(_step_html(step, number) for number, step in enumerate(steps, start=1))
    return f'{section("First steps", f"{done} of {len(steps)} done")}<ol class="q-company-steps">{items}</ol>'


def preview_html(brand: Brand, *, saved: bool) -> str:
    """The prompt as the assistants are given it, and whether it is saved."""
    state = "As it is saved" if saved else "Not saved yet"
    mark = "" if saved else " q-company-unsaved"
    note = _own_note(brand) if brand.instructions.strip() else ""
    words = len(system_prompt(brand).split())
    return (
        f"{section('What the assistants are told', state)}{note}"
        f'<div class="q-card q-company-preview{mark}"><pre>{escape(system_prompt(brand))}</pre></div>'
        f'<p class="q-quiet q-company-count">{words:,} words, read before every question.</p>'
    )


def companies_html(companies: Sequence[Listed]) -> str:
    """The companies by name, each with a way to open it."""
    items = "".join(_company_html(company) for company in companies)
    return f'{section("Companies on this machine")}<ul class="q-company-list">{items}</ul>'


def _step_html(step: Step, number: int) -> str:
    name = escape(step.name)
    way = FORM if step.page == "company" else step.page  # this very page: its form stands below
    title = f"<b>{name}</b>" if step.done else f'<a href="{escape(way)}">{name}</a>'
    state = "Done" if step.done else ABOUT.get(step.page, "")
    kind = "done" if step.done else "open"
    return (
        f'<li class="q-company-step-{kind}"><i aria-hidden="true">{"✓" if step.done else number}</i>'
        f"<div>{title}<span>{escape(state)}</span></div></li>"
    )


def _own_note(brand: Brand) -> str:
    lost = f"This discards the {len(brand.instructions.split()):,} words written there."
    discard = action("Discard them", "follow_voice", kind="alert")
    fold = f"<details><summary>Follow the voice again</summary><p>{lost} {discard}</p></details>"
    return f'<div class="q-notice q-company-own" role="status">{OWN}{fold}</div>'


def _company_html(company: Listed) -> str:
    here = '<span class="q-tag q-company-here">Open now</span>'
    way = here if company.open else action("Open", "open_company", company.key, label=f"Open {company.name}")
    return f"<li><div><b>{escape(company.name)}</b><span>{escape(company.key)}</span></div>{way}</li>"
