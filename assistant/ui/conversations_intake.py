"""The part of the page Conversations where files wait: look at them, correct how they are read, clean, add.

It reads, calls the studio and shows. What waits is kept in the workspace; an import is a process of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import gradio as gr

from assistant.conversations import ASKED, LABELS, SHAPES, STEPS, TABLES, Found, Layout
from assistant.jobs import Job, JobLog
from assistant.studio import Studio
from assistant.ui.conversations_intake_parts import preview_html, progress_html, steps_html, waiting_html
from assistant.ui.dropzone import Delivery
from assistant.ui.layout import CALM, EACH, notice
from assistant.ui.parts import PROBLEMS, html
from assistant.wording import counted

KIND = "conversations"
ROWS = [("A row a message", "messages"), ("A row a question and its answer", "pairs")]
OPTIONAL = ("time", "topic", "customer", "private")
MOST_SPEAKERS = 200
"""Speakers a person chooses from."""
NONE = "—"
"""In place of a column where none is meant."""
Update = dict[Any, Any]
"""New values by component."""


@dataclass(frozen=True)
class IntakeBoard:
    """The components of this part."""

    said: gr.HTML
    progress: gr.HTML
    panel: gr.Column
    waiting: gr.HTML
    picked: gr.Textbox
    corrections: gr.Column
    shape: gr.Radio
    thread: gr.Dropdown
    speaker: gr.Dropdown
    text: gr.Dropdown
    question: gr.Dropdown
    answer: gr.Dropdown
    time: gr.Dropdown
    topic: gr.Dropdown
    customer: gr.Dropdown
    private: gr.Dropdown
    team: gr.Dropdown
    left_out: gr.Dropdown
    preview: gr.HTML
    steps: gr.HTML
    begin: gr.Button
    clear: gr.Button
    clock: gr.Timer

    @property
    def all(self) -> list[Any]:
        """Every one of them."""
        return [getattr(self, each.name) for each in fields(self)]

    @property
    def columns(self) -> list[Any]:
        """Those that say what the columns of a table are."""
        return [self.shape, *(getattr(self, name) for name in LABELS)]


class Intake:
    """What happens in this part; each method reads, calls the studio, and says what to show."""

    def __init__(self, studio: Studio, board: IntakeBoard) -> None:
        self._studio = studio
        self._board = board

    def add(self, event: gr.EventData) -> Update:
        """Take over the files that were dropped; they wait until a person adds them."""
        delivery = Delivery.of(event)
        failed = "".join(notice(text, "problem") for text in delivery.failed)
        return self._changed(lambda: self._studio.incoming.add(delivery.files), "", failed)

    def show(self, event: gr.EventData) -> Update:
        """Look at the file that was clicked."""
        return self.shown(str(event.name))

    def arrange(self, picked: str, shape: str, *columns: Any) -> Update:
        """Read the columns of a table as a person says; who writes for the company is guessed anew."""
        named = {name: str(column) for name, column in zip(LABELS, columns, strict=True) if column}
        wanted = {name: column for name, column in named.items() if name in (*SHAPES[shape], *OPTIONAL)}
        layout = Layout(shape, {name: column for name, column in wanted.items() if column != NONE})

        def change() -> None:
            found = self._studio.incoming.find(picked).recognised
            if found and (found.layout.shape, found.layout.columns) != (shape, layout.columns):
                self._studio.incoming.arrange(picked, layout)

        return self._changed(change, picked)

    def choose(self, picked: str, team: list[str], left_out: list[str]) -> Update:
        """Take these speakers for the company's own, and leave those out."""

        def change() -> None:
            found = self._studio.incoming.find(picked).recognised
            if found:
                layout = replace(found.layout, team=tuple(team), left_out=tuple(left_out))
                self._studio.incoming.arrange(picked, layout)

        return self._changed(change, picked)

    def toggle(self, picked: str, event: gr.EventData) -> Update:
        """Switch a step of cleaning on or off."""
        step, incoming = str(event.name), self._studio.incoming
        if step not in STEPS:
            return self.shown(picked)
        turned = replace(incoming.cleaning, **{step: not getattr(incoming.cleaning, step)})
        return self._changed(lambda: incoming.clean_by(turned), picked)

    def discard(self, picked: str, event: gr.EventData) -> Update:
        """Forget a file that waits."""
        return self._changed(lambda: self._studio.incoming.drop(str(event.name)), picked)

    def clear(self) -> Update:
        """Forget all files that wait."""
        return self._changed(self._studio.incoming.clear, "")

    def begin(self, picked: str) -> Update:
        """Add what waits."""
        return self._changed(self._studio.import_conversations, picked)

    def stop(self, picked: str) -> Update:
        """Ask the import to end."""
        job = self._job()
        return self._changed(lambda: self._studio.jobs.stop(job.key) if job else None, picked)

    def running(self) -> Job | None:
        """The import that is under way."""
        job = self._job()
        return job if job and job.active else None

    def following(self, job: Job) -> Update:
        """How far an import is."""
        return {self._board.progress: self._progress(job)}

    def ended(self) -> Update:
        """What became of the last import, and what still waits."""
        job = self._job()
        if job is None:
            return self.shown("")
        kept = [event for event in self._studio.jobs.events(job.key) if event["event"] == "kept"]
        said = "".join(notice(f"{each['name']} was added.", "good") for each in kept)
        said += notice(job.message, "problem" if job.status != "stopped" else "") if job.message else ""
        return self.shown("", said)

    def shown(self, picked: str, said: str = "") -> Update:
        """This part as it is now, with one file picked."""
        board, job = self._board, self.running()
        try:
            found = self._studio.incoming.found()
        except PROBLEMS as problem:
            found, said = [], said + notice(str(problem), "problem")
        chosen = next((each for each in found if each.source.name == picked), None)
        chosen = chosen or next((each for each in found if each.recognised), found[0] if found else None)
        usable = sum(each.ready for each in found)
        update: Update = {
            board.said: said,
            board.progress: self._progress(job) if job else "",
            board.panel: gr.Column(visible=bool(found) and job is None),
            board.waiting: waiting_html(found, chosen.source.name if chosen else ""),
            board.picked: chosen.source.name if chosen else "",
            board.begin: gr.Button(f"Add {counted(usable, 'file')}", interactive=usable > 0),
            board.clock: gr.Timer(active=job is not None),
        }
        return update | self._looked_at(chosen)

    def _looked_at(self, chosen: Found | None) -> Update:
        board, incoming = self._board, self._studio.incoming
        if chosen is None:
            return {board.corrections: gr.Column(visible=False), board.preview: "", board.steps: ""}
        recognised, preview = chosen.recognised, incoming.preview(chosen.source.name)
        update: Update = {
            board.preview: preview_html(recognised, preview) if recognised else "",
            board.steps: steps_html(incoming.cleaning, preview) if preview.looked_at else "",
            board.corrections: gr.Column(visible=bool(recognised and recognised.kind in ASKED)),
        }
        if recognised is None or recognised.kind not in ASKED:
            return update
        table, layout = recognised.kind in TABLES, recognised.layout
        update[board.shape] = gr.Radio(value=layout.shape, visible=table)
        for name in LABELS:
            wanted = table and name in (*SHAPES[layout.shape], *OPTIONAL)
            wanted = wanted and not (name == "private" and layout.shape == "pairs")
            column = layout.columns.get(name) or (None if name in SHAPES[layout.shape] else NONE)
            update[getattr(board, name)] = gr.Dropdown(
                choices=[*([] if name in SHAPES[layout.shape] else [NONE]), *recognised.columns],
                value=column,
                visible=wanted,
            )
        speakers = [*dict.fromkeys((*layout.team, *layout.left_out, *recognised.speakers[:MOST_SPEAKERS]))]
        asks = layout.shape == "messages"
        update[board.team] = gr.Dropdown(choices=speakers, value=list(layout.team), visible=asks)
        update[board.left_out] = gr.Dropdown(choices=speakers, value=list(layout.left_out), visible=asks)
        return update

    def _progress(self, job: Job) -> str:
        events, log = self._studio.jobs.events(job.key), JobLog(job.folder)
        return progress_html(events, stopping=log.stop_asked())

    def _changed(self, change: Callable[[], object], picked: str, said: str = "") -> Update:
        try:
            change()
        except PROBLEMS as problem:
            return self.shown(picked, said + notice(str(problem), "problem"))
        return self.shown(picked, said)

    def _job(self) -> Job | None:
        return next((job for job in self._studio.jobs.list() if job.kind == KIND), None)


def intake_part() -> IntakeBoard:
    """Draw this part; nothing of it is seen until files wait."""
    said = html("q-conversations-said")
    progress = html("q-conversations-progress", "stop")
    with gr.Column(visible=False, elem_id="q-intake", elem_classes="q-card") as panel:
        waiting = html("q-intake-waiting", "pick", "discard")
        with gr.Column(visible=False, elem_id="q-intake-corrections") as corrections:
            shape = gr.Radio(ROWS, show_label=False, label="Shape")
            with gr.Row(elem_classes="q-intake-columns"):
                columns = {name: _dropdown(name) for name in LABELS}
            with gr.Row(elem_classes="q-intake-columns"):
                team = _speakers("Who writes for you", "Their messages are the voice to learn.")
                left_out = _speakers("Left out", "Bots and private notes.")
        preview = html("q-intake-preview")
        steps = html("q-intake-cleaning", "toggle")
        with gr.Row(elem_classes="q-actions"):
            begin = gr.Button("Add", variant="primary", size="md", elem_id="q-intake-begin")
            clear = gr.Button("Discard all", size="md", elem_id="q-intake-clear")
    return IntakeBoard(
        said=said,
        progress=progress,
        panel=panel,
        waiting=waiting,
        picked=gr.Textbox(visible="hidden", label="File", elem_id="q-intake-picked"),
        corrections=corrections,
        shape=shape,
        team=team,
        left_out=left_out,
        preview=preview,
        steps=steps,
        begin=begin,
        clear=clear,
        clock=gr.Timer(0.5, active=False),
        **columns,
    )


def _dropdown(name: str) -> gr.Dropdown:
    return gr.Dropdown(label=LABELS[name], choices=[], elem_id=f"q-intake-{name}", min_width=150)


def _speakers(label: str, info: str) -> gr.Dropdown:
    return gr.Dropdown(label=label, info=info, choices=[], multiselect=True, min_width=260)


def connect_intake(does: Intake, board: IntakeBoard, drop: gr.HTML) -> None:
    """Connect the handlers of this part."""
    drop.upload(does.add, None, board.all, api_name="conversations_add", **CALM)
    board.waiting.pick(does.show, None, board.all, api_name="conversations_file_show", **CALM)
    board.waiting.discard(does.discard, board.picked, board.all, api_name="conversations_discard", **EACH)
    columns, sides = board.columns, [board.team, board.left_out]
    changed = [each.input for each in columns]
    gr.on(
        changed, does.arrange, [board.picked, *columns], board.all, api_name="conversations_arrange", **CALM
    )
    chosen = [each.input for each in sides]
    gr.on(chosen, does.choose, [board.picked, *sides], board.all, api_name="conversations_sides", **CALM)
    board.steps.toggle(does.toggle, board.picked, board.all, api_name="conversations_clean", **EACH)
    begin = {"api_name": "conversations_import", "trigger_mode": "once"}
    board.begin.click(does.begin, board.picked, board.all, **begin, **CALM)
    board.clear.click(does.clear, None, board.all, api_name="conversations_clear", **CALM)
    board.progress.stop(does.stop, board.picked, board.all, api_name="conversations_stop", **CALM)
