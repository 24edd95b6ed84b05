"""What every page shares: the header with the company's name and the way to each page, and the status line.

It knows the order of things on a page. It does not know what any page does.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from assistant.access import ALONE, Person, asking, may_open
from assistant.errors import AssistantError
from assistant.studio import Readiness, Studio

MARK = (
    '<svg class="q-mark" viewBox="0 0 22 22" width="22" height="22" aria-hidden="true">'
    '<rect x="1" y="9" width="3.5" height="12" rx="1.2" fill="var(--q-prompt)"/>'
    '<rect x="6.5" y="5" width="3.5" height="16" rx="1.2" fill="var(--q-tuned)"/>'
    '<rect x="12" y="7" width="3.5" height="14" rx="1.2" fill="var(--q-rag)"/>'
    '<rect x="17.5" y="1" width="3.5" height="20" rx="1.2" fill="var(--q-combined)"/></svg>'
)

CALM: dict[str, Any] = {"show_progress": "hidden"}
"""For every event: no veil over what is about to change."""
EACH: dict[str, Any] = {**CALM, "trigger_mode": "multiple"}
"""For what is done one after another, as fast as one likes: else Gradio passes over an event while another of
its kind is on its way."""
DEVICES = {"cpu": "this computer’s processor", "cuda": "this computer’s graphics card"}
LOCAL_ENGINE = re.compile(rf"(?P<model>\S+?)(-[0-9a-f]{{8}})? on (?P<device>{'|'.join(DEVICES)}), ")
"""How the local engine begins to describe itself; the eight letters are of a starter model's download."""

SHOWN = "element.querySelector('[aria-current]')?.scrollIntoView({block: 'nearest', inline: 'center'});"
"""Brings the present page's name into view where the header is too narrow for all."""
HOME = "./"
"""The address of the first page. All addresses are relative, so that a proxy may serve them under a path."""


@dataclass(frozen=True)
class Page:
    """A page of the workbench; `draw` puts its components and handlers in place. The first has no address."""

    name: str
    address: str
    draw: Callable[[Studio], None]


def frame(studio: Studio, page: Page, pages: Sequence[Page]) -> None:
    """Draw a page with its header and status line, inside the Blocks or route that is open."""
    gr.Navbar(visible=False)
    titled = f"document.title = '{page.name} · Quartet'; {SHOWN}"
    live(lambda: header(company_name(studio), page, pages), elem_id="q-header", js_on_load=titled)
    status = live(lambda: status_line(studio.readiness), elem_id="q-status")
    clock = gr.Timer(1.0)

    def follow() -> tuple[str, gr.Timer]:
        """Where the models are; polling ends once they are loaded or cannot be."""
        state = studio.readiness
        return status_line(state), gr.Timer(active=not (state.ready or state.problem))

    clock.tick(
        follow,
        outputs=[status, clock],
        queue=False,
        api_name=f"status_{page.address or 'compare'}",
        **CALM,
    )
    with gr.Column(elem_classes=["q-page", f"q-page-{page.address or 'compare'}"]):
        page.draw(studio)


def live(draw: Callable[[], str], **options: Any) -> gr.HTML:
    """HTML that is drawn anew when its page is loaded.

    Given the function itself, Gradio would attach the load once for every route that follows, and call each.
    """
    shown = gr.HTML(draw(), apply_default_css=False, **options)
    gr.on(None, draw, None, shown, queue=False, api_visibility="private", **CALM)
    return shown


def company_name(studio: Studio) -> str:
    """The open company's name; its folder's where the voice can't be read, which the pages then say."""
    try:
        return studio.brand().name
    except AssistantError:
        return studio.workspace.root.name


def header(company: str, page: Page, pages: Sequence[Page]) -> str:
    """The wordmark, the company's name and the ways to the pages, as HTML."""
    person = asking()
    links = "".join(
        f'<a href="{each.address or HOME}"{" aria-current=page" * (each == page)}>{escape(each.name)}</a>'
        for each in pages
        if may_open(person, each.address)
    )
    return (
        f'<div class="q-bar"><a class="q-wordmark" href="{HOME}" aria-label="Quartet, home">{MARK}Quartet</a>'
        f'<span class="q-company" title="{escape(company)}">{escape(company)}</span>'
        f'<nav class="q-nav" aria-label="Pages">{links}</nav>{_leaving(person)}</div>'
    )


def _leaving(person: Person) -> str:
    """Who is logged in, and the way out; nothing where nobody has to log in."""
    if person is ALONE:
        return ""
    return (
        f'<form class="q-leave" method="post" action="logout"><span title="{escape(person.role.value)}">'
        f"{escape(person.name)}</span><button>Log out</button></form>"
    )


def way(address: str, words: str, rest: str = "") -> str:
    """A link to a page and what follows it, as HTML; nothing for those who may not open that page."""
    link = f'<a href="{escape(address)}">{escape(words)}</a>{escape(rest)}'
    return link if may_open(asking(), address) else ""


def status_line(state: Readiness) -> str:
    """One line under the header: which model answers, what is still loading, or what went wrong."""
    if state.problem:
        return notice(f"{state.text} {state.problem}", "problem")
    text = escape(state.text)
    if state.ready:
        said = f'<i class="q-dot q-dot-good"></i><span>{escape(briefly(state.text))}</span>'
        return (
            f'<details class="q-status-details" role="status"><summary class="q-status-line" title="{text}">'
            f"{said}</summary><p>{text}</p></details>"
        )
    percent = round(100 * state.fraction)
    return (
        f'<div class="q-status-line" role="status"><i class="q-dot q-dot-busy"></i>'
        f'<span title="{text}">{text}</span>'
        f'<span class="q-meter"><span style="width:{percent}%"></span></span></div>'
    )


def briefly(description: str) -> str:
    """Model and device in plain words; a description that is not the local engine's stays as it is."""
    found = LOCAL_ENGINE.match(description)
    return f"{found['model']} on {DEVICES[found['device']]}" if found else description


def heading(title: str, lead: str = "") -> str:
    """The opening of a page: its title and a sentence on what it is for, as HTML."""
    return f'<div class="q-heading"><h1>{escape(title)}</h1><p>{escape(lead)}</p></div>'


def notice(text: str, kind: str = "note") -> str:
    """A message in place, as HTML: `kind` is note, good or problem. Empty text gives nothing."""
    if not text:
        return ""
    role = "alert" if kind == "problem" else "status"
    return f'<div class="q-notice q-notice-{kind}" role="{role}">{escape(text)}</div>'
