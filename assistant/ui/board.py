"""The components of the page Compare: the columns, the message box, and two of its drawers.

It knows what stands where. It does not know what is shown or what happens; `compare.py` does.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant.lanes import LANES
from assistant.store import FULL_STRENGTH

MOST_STRENGTH = 150
"""Percent; a voice above it mostly falls apart."""

STRENGTH_BUTTON = (
    '<button type="button" class="q-tool q-tool-strength" data-opens="strength">'
    '<i style="--hue: var(--q-tuned)" class="q-swatch"></i>'
    '<i style="--hue: var(--q-combined)" class="q-swatch"></i>'
    '<span>Voice<span class="q-tool-more"> strength</span> '
    f'<b class="q-strength">{FULL_STRENGTH} %</b></span></button>'
)
STRENGTH_HELP = (
    "How strongly Fine-tuned and Combined speak in the learned voice, from the next question or Retry on. "
    "0 % is the base model; above 100 % exaggerates."
)
TOOLBAR = (
    '<div class="q-toolbar">'
    '<button type="button" class="q-tool" data-opens="chats"><svg viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M2 4h12M2 8h12M2 12h8"/></svg>Chats</button>'
    '<button type="button" class="q-tool" data-new-chat><svg viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M8 3v10M3 8h10"/></svg>New chat</button><span class="q-tool-gap"></span>{strength}'
    '<button type="button" class="q-tool" data-opens="instructions">'
    '<svg viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M3 13l1-3.5L11 2.5l2.5 2.5L6.5 12zM9.5 4l2.5 2.5"/></svg>'
    "Instructions</button></div>"
)
"""The ways into the drawers and to a new chat."""


def toolbar(*, strength: bool) -> str:
    """The toolbar as HTML, with the way to the voice strength where it can be chosen."""
    return TOOLBAR.format(strength=STRENGTH_BUTTON if strength else "")


@dataclass(frozen=True)
class Strength:
    """How strongly the tuned lanes speak in the learned voice: a slider in percent, and the way back."""

    slider: gr.Slider
    reset: gr.Button


@dataclass(frozen=True)
class Board:
    """The components that handlers write to."""

    chat_id: gr.Textbox
    thread: gr.HTML
    asked: gr.HTML
    lanes: dict[str, gr.HTML]
    problem: gr.HTML
    question: gr.Textbox
    strength: Strength
    send: gr.Button
    stop: gr.Button
    retry: gr.Button
    chats: gr.HTML
    source: gr.HTML
    clock: gr.Timer

    @property
    def all(self) -> list[Any]:
        """Every component that a chat fills."""
        one_each = (
            self.chat_id,
            self.thread,
            self.asked,
            self.problem,
            self.question,
            self.strength.slider,
        )
        return [*one_each, *self.lanes.values(), self.send, self.stop, self.retry, self.chats, self.clock]


def draw_strength() -> Strength:
    """Put the voice strength in place."""
    with gr.Column(elem_id="q-drawer-strength", elem_classes="q-drawer"):
        slider = gr.Slider(
            *(0, MOST_STRENGTH, FULL_STRENGTH),
            step=5,
            label="Voice strength",
            info=STRENGTH_HELP,
            buttons=[],
            elem_id="q-strength",
        )
        reset = gr.Button(f"Back to {FULL_STRENGTH} %", size="sm", elem_id="q-strength-reset")
    return Strength(slider, reset)


def draw_board(strength: Strength) -> Board:
    """Put the other components in place."""
    chat_id = gr.Textbox(visible="hidden", elem_id="q-chat-id", label="Chat")
    thread = _html("q-thread")
    with gr.Column(elem_id="q-live"):
        asked = _html("q-asked")
        with gr.Row(elem_classes="q-grid"):
            lanes = {lane.key: _html(f"q-live-{lane.key}", f"q-cell q-cell-{lane.key}") for lane in LANES}
    with gr.Column(elem_id="q-composer"):
        problem = _html("q-problem")
        with gr.Row(elem_classes="q-compose"):
            question = gr.Textbox(
                show_label=False,
                label="Your question",
                placeholder="Ask all four assistants",
                lines=1,
                max_lines=8,
                autofocus=True,
                elem_id="q-question",
            )
            retry = gr.Button("Retry", size="md", visible=False, elem_id="q-retry")
            stop = gr.Button("Stop", size="md", visible=False, elem_id="q-stop")
            send = gr.Button("Send", size="md", variant="primary", elem_id="q-send")
    with gr.Column(elem_id="q-drawer-chats", elem_classes="q-drawer"):
        chats = _html("q-chats")
    with gr.Column(elem_id="q-drawer-source", elem_classes="q-drawer q-drawer-right"):
        source = _html("q-source")
    clock = gr.Timer(1.0, active=False)
    return Board(
        *(chat_id, thread, asked, lanes, problem, question, strength, send, stop, retry, chats, source, clock)
    )


def _html(elem_id: str, elem_classes: str = "") -> gr.HTML:
    return gr.HTML(elem_id=elem_id, elem_classes=elem_classes, apply_default_css=False, js_on_load=None)
