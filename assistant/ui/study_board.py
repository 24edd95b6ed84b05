"""The components of the page Study: the list of studies, and one study with what can be changed in it.

It knows what stands where. It does not know what is shown or what happens; `study.py` does.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant.comparison.questions import SUFFIXES
from assistant.ui.dropzone import dropzone
from assistant.ui.layout import heading
from assistant.ui.parts import html, section

LEAD = "Colleagues judge the answers without knowing whose they are. What they say decides."
FILE_HINT = "JSON Lines, a table with a column “question”, or text with a question a line"
HELD_OUT = 30
"""Conversations taken at once unless another number is typed."""
MOST_RATERS = 10
"""Raters that can be asked of each question."""
HUMAN_HELP = "Where it is known, your agent’s own answer joins as one more, unnamed like the others."


@dataclass(frozen=True)
class Adding:
    """What adds questions to a draft."""

    part: gr.Accordion
    typed: gr.Textbox
    add_typed: gr.Button
    count: gr.Number
    add_held_out: gr.Button
    add_chats: gr.Button
    drop: gr.HTML


@dataclass(frozen=True)
class Editing:
    """What changes the criteria of a draft."""

    part: gr.Accordion
    name: gr.Textbox
    low: gr.Textbox
    high: gr.Textbox
    save: gr.Button


@dataclass(frozen=True)
class Sharing:
    """How a study is shared out."""

    part: gr.Accordion
    per_item: gr.Slider
    repeats: gr.Slider
    human: gr.Checkbox

    @property
    def values(self) -> list[Any]:
        """What is set."""
        return [self.per_item, self.repeats, self.human]


@dataclass(frozen=True)
class Board:
    """All components that handlers read or write."""

    study_id: gr.Textbox
    new_name: gr.Textbox
    new: gr.Button
    studies: gr.HTML
    said: gr.HTML
    nothing: gr.HTML
    body: gr.Column
    name: gr.Textbox
    now: gr.HTML
    adding: Adding
    items: gr.HTML
    joining: gr.Row
    rater: gr.Textbox
    add_rater: gr.Button
    raters: gr.HTML
    plan: gr.HTML
    sharing: Sharing
    criteria: gr.HTML
    editing: Editing
    remove: gr.HTML
    clock: gr.Timer

    @property
    def shown(self) -> list[Any]:
        """What a study fills."""
        parts = (self.adding.part, self.joining, self.editing.part, self.sharing.part)
        places = (self.now, self.items, self.raters, self.plan, self.criteria, self.remove)
        head = (self.study_id, self.studies, self.said, self.nothing, self.body, self.name)
        return [*head, *places, *parts, *self.sharing.values, *self.typed, self.clock]

    @property
    def typed(self) -> list[Any]:
        """What is typed and then taken over."""
        editing = self.editing
        return [self.new_name, self.rater, self.adding.typed, editing.name, editing.low, editing.high]


def draw() -> Board:
    """Put all components in place."""
    study_id = gr.Textbox(visible="hidden", elem_id="q-study-id", label="Study")
    gr.HTML(heading("Study", LEAD), apply_default_css=False, js_on_load=None)
    with gr.Row(elem_classes="q-parts-columns q-study-columns"):
        with gr.Column(scale=3, min_width=260, elem_classes="q-study-side"):
            with gr.Row(elem_classes="q-parts-ask"):
                new_name = _line("Name of a new study", "q-study-new-name")
                new = gr.Button("New study", size="md", elem_id="q-study-new")
            studies = html("q-study-studies", "open")
        with gr.Column(scale=9, min_width=320):
            said, nothing = html("q-study-said"), html("q-study-nothing")
            with gr.Column(visible=False, elem_classes="q-study-body") as body:
                name = _line("Name of the study", "q-study-name")
                now = html("q-study-now", "start", "stop", "redraft", "open_round", "close_round")
                with gr.Row(elem_classes="q-parts-columns"):
                    with gr.Column(scale=6, min_width=320):
                        adding, items = _questions()
                    with gr.Column(scale=5, min_width=300):
                        joining, rater, add_rater, raters, plan, sharing = _raters()
                        criteria, editing = _criteria()
                remove = html("q-study-remove", "remove_study")
    return Board(
        *(study_id, new_name, new, studies, said, nothing, body, name, now, adding, items, joining, rater),
        *(add_rater, raters, plan, sharing, criteria, editing, remove, gr.Timer(1.0, active=False)),
    )


def _questions() -> tuple[Adding, gr.HTML]:
    _title("Questions")
    with gr.Accordion("Add questions", open=True, elem_classes="q-study-adding") as part:
        typed = gr.Textbox(
            label="Type them, one a line", lines=3, max_lines=12, elem_id="q-study-typed", max_length=200_000
        )
        add_typed = gr.Button("Add these", size="sm", elem_id="q-study-add-typed")
        with gr.Row(elem_classes="q-actions"):
            count = gr.Number(
                HELD_OUT,
                label="From conversations held out",
                minimum=1,
                maximum=500,
                precision=0,
                min_width=190,
                elem_id="q-study-count",
            )
            add_held_out = gr.Button("Take them", size="sm", elem_id="q-study-add-held-out")
            add_chats = gr.Button("Take those of past chats", size="sm", elem_id="q-study-add-chats")
        drop = dropzone(
            "Drop a file of questions here", FILE_HINT, SUFFIXES, folders=False, elem_id="q-study-drop"
        )
    items = html("q-study-items", "remove_item", "clear_items")
    return Adding(part, typed, add_typed, count, add_held_out, add_chats, drop), items


def _raters() -> tuple[gr.Row, gr.Textbox, gr.Button, gr.HTML, gr.HTML, Sharing]:
    _title("Raters")
    with gr.Row(elem_classes="q-parts-ask") as joining:
        rater = _line("Name of a rater", "q-study-rater")
        add_rater = gr.Button("Add", size="md", elem_id="q-study-add-rater")
    raters, plan = html("q-study-raters", "remove_rater"), html("q-study-plan")
    with gr.Accordion("How it is shared out", open=False) as part:
        per_item = gr.Slider(
            *(1, MOST_RATERS, 3),
            step=1,
            label="Raters for each question",
            buttons=[],
            elem_id="q-study-per-item",
        )
        repeats = gr.Slider(
            *(0, 30, 10),
            step=5,
            label="Shown again, in %",
            info="Tells whether a rater says the same twice.",
            buttons=[],
            elem_id="q-study-repeats",
        )
        human = gr.Checkbox(
            False, label="With your own agent’s answer", info=HUMAN_HELP, elem_id="q-study-human"
        )
    return joining, rater, add_rater, raters, plan, Sharing(part, per_item, repeats, human)


def _criteria() -> tuple[gr.HTML, Editing]:
    _title("What they score")
    criteria = html("q-study-criteria", "edit_criterion", "remove_criterion")
    with gr.Accordion("Add or change a criterion", open=False) as part:
        name = gr.Textbox(label="Name", max_length=40, elem_id="q-study-criterion")
        low = gr.Textbox(label="What deserves a 1", max_length=200, elem_id="q-study-low")
        high = gr.Textbox(label="What deserves a 5", max_length=200, elem_id="q-study-high")
        save = gr.Button("Save the criterion", size="sm", elem_id="q-study-save-criterion")
    return criteria, Editing(part, name, low, high, save)


def _title(text: str) -> None:
    gr.HTML(section(text), apply_default_css=False, js_on_load=None)


def _line(label: str, elem_id: str) -> gr.Textbox:
    return gr.Textbox(show_label=False, label=label, placeholder=label, max_length=80, elem_id=elem_id)
