"""The page Train: choose how, see what it will take, follow how it goes; its versions stand beside.

It reads, calls the studio and shows. A training is a process of its own, in `assistant.training`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant.conversations import Conversation
from assistant.errors import AssistantError
from assistant.jobs import Job, JobLog
from assistant.studio import Studio
from assistant.training import TrainingSettings
from assistant.training.presets import PRESETS
from assistant.training.price import Price, read_price, write_price
from assistant.training.task import FEWEST, split_for
from assistant.ui.course import Course
from assistant.ui.guarding import ODD, refusal
from assistant.ui.layout import CALM, heading, notice
from assistant.ui.parts import PROBLEMS, html, section
from assistant.ui.train_estimate import estimate_html, measuring_html
from assistant.ui.train_parts import course_html, line_html, material_html
from assistant.ui.train_settings import Choices, choices, settings_of, values_of
from assistant.ui.train_versions import Versions, closer_part, connect, in_use_part

LEAD = "Your conversations become an adapter: a small file that gives the model your company's voice."
GO_ON = ("lost", "failed", "stopped")
"""How a training ended that can go on from where it was saved."""
Update = dict[Any, Any]
"""New values by component."""


@dataclass(frozen=True)
class Board:
    """The components that handlers write to."""

    material: gr.HTML
    estimate: gr.HTML
    said: gr.HTML
    start: gr.Button
    measure: gr.Button
    stop: gr.Button
    discard: gr.Button
    go_on: gr.Button
    course: gr.HTML
    line: gr.HTML
    clock: gr.Timer

    @property
    def all(self) -> list[Any]:
        """Every one of them."""
        return list(vars(self).values())


class Handlers:
    """What happens on the page; each method reads, calls the studio, and says what to show."""

    def __init__(self, studio: Studio, board: Board, choices: Choices, versions: Versions) -> None:
        self._studio = studio
        self._board = board
        self._choices = choices
        self._versions = versions

    def load(self, *values: Any) -> Update:
        """The page as it is now; a training that is under way is found again."""
        try:
            price = read_price(self._studio.workspace)
        except AssistantError:
            price = Price()  # `estimate_html` shows what is wrong
        shown = self._shown("", values) | self._versions.shown()
        return shown | {self._choices.hour: price.hour, self._choices.currency: price.currency}

    def choose(self, key: str) -> list[Any]:
        """The settings of the preset that was chosen."""
        chosen = next((preset for preset in PRESETS if preset.key == key), None)
        if chosen is None:
            raise refusal(ODD)
        return values_of(chosen.settings)

    def estimate(self, *values: Any) -> Update:
        """What there is to learn from, and what a training with these settings will take."""
        return {self._board.material: self._material(values), self._board.estimate: self._estimate(values)}

    def price(self, hour: float | None, currency: str | None, *values: Any) -> Update:
        """Keep the price of an hour."""
        price = Price(float(hour or 0), (currency or "").strip())
        return self._changed(lambda: write_price(self._studio.workspace, price), values)

    def measure(self, *values: Any) -> Iterator[Update]:
        """Measure a few steps; getting the base model ready can take a while."""
        board = self._board
        yield {board.said: notice("Getting ready"), board.measure: gr.Button(interactive=False)}
        studio = self._studio
        yield self._changed(
            lambda: studio.trainings.measure(settings_of(values), studio.training_model()), values
        )

    def start(self, *values: Any) -> Iterator[Update]:
        """Begin to train a new version, or stand in line for it."""
        board = self._board
        yield {board.said: notice("Getting ready"), board.start: gr.Button(interactive=False)}
        yield self._changed(lambda: self._start(values), values)

    def stop(self, *values: Any) -> Update:
        """Ask the training to save what it has learned as a version, and end."""
        return self._ended("keep", values)

    def discard(self, *values: Any) -> Update:
        """Ask the training to end and leave nothing behind."""
        return self._ended("discard", values)

    def leave(self, event: gr.EventData) -> Update:
        """Take a training out of the line."""
        said = ""
        try:
            self._studio.jobs.stop(str(event.name), "discard")
        except AssistantError as problem:
            said = notice(str(problem), "problem")
        return {self._board.said: said, self._board.line: line_html(self._trainings()[1])}

    def go_on(self, *values: Any) -> Update:
        """Go on with the training that ended before its time."""
        job, _ = self._trainings()
        return self._changed(lambda: self._studio.trainings.go_on(job.key) if job else None, values)

    def follow(self, *values: Any) -> Update:
        """How the training or the measurement goes; everything else once it has ended."""
        job, line = self._trainings()
        measuring = self._measuring()
        if job and job.active:
            return {
                self._board.course: self._course_html(job),
                self._board.line: line_html(line),
                self._board.estimate: self._estimate(values),
            }
        if measuring and measuring.active:
            return {self._board.estimate: self._estimate(values)}
        return self._shown("", values) | self._versions.shown()

    def _start(self, values: tuple[Any, ...]) -> None:
        settings = settings_of(values)
        TrainingSettings.of(settings)
        self._studio.train(settings)

    def _ended(self, how: Any, values: tuple[Any, ...]) -> Update:
        job, _ = self._trainings()
        return self._changed(lambda: self._studio.jobs.stop(job.key, how) if job else None, values)

    def _changed(self, change: Callable[[], object], values: tuple[Any, ...]) -> Update:
        try:
            change()
        except PROBLEMS as problem:
            return self._shown(notice(str(problem), "problem"), values)
        return self._shown("", values)

    def _shown(self, said: str, values: tuple[Any, ...]) -> Update:
        board, (job, line), measuring = self._board, self._trainings(), self._measuring()
        active, measures = bool(job and job.active), bool(measuring and measuring.active)
        resumable = bool(job and job.status in GO_ON and self._course(job).step)
        usable = len(self._conversations()) >= FEWEST
        if measuring and measuring.status in ("failed", "lost") and not said:
            said = notice(f"It could not be measured. {measuring.message}", "problem")
        return {
            board.material: self._material(values),
            board.estimate: self._estimate(values),
            board.said: said,
            board.start: gr.Button(
                "Train another after it" if active else "Train a new version", interactive=usable
            ),
            board.measure: gr.Button(interactive=usable and not measures),
            board.stop: gr.Button(visible=active),
            board.discard: gr.Button(visible=active),
            board.go_on: gr.Button(visible=resumable and not self._discarded(job)),
            board.course: self._course_html(job),
            board.line: line_html(line),
            board.clock: gr.Timer(active=active or measures),
        }

    def _conversations(self) -> Sequence[Conversation]:
        try:
            return self._studio.conversations.read().conversations
        except PROBLEMS:
            return ()  # `_material` shows what is wrong

    def _material(self, values: tuple[Any, ...]) -> str:
        try:
            settings = TrainingSettings.of(settings_of(values))
            told = self._studio.conversations.read().conversations
            parts = split_for(told, settings)
        except PROBLEMS as problem:
            return notice(str(problem), "problem")
        return material_html(len(parts.train), len(parts.evaluation), len(told))

    def _estimate(self, values: tuple[Any, ...]) -> str:
        measuring = self._measuring()
        if measuring and measuring.active:
            return measuring_html(self._course(measuring))
        if len(self._conversations()) < FEWEST:
            return ""
        try:
            return estimate_html(self._reckoned(values), read_price(self._studio.workspace))
        except PROBLEMS as problem:
            return notice(str(problem), "problem")

    def _reckoned(self, values: tuple[Any, ...]) -> Any:
        if not self._studio.readiness.ready:  # the model may not have been fetched yet
            return None
        studio = self._studio
        return studio.trainings.estimate(self._conversations(), settings_of(values), studio.training_model())

    def _trainings(self) -> tuple[Job | None, list[Job]]:
        """The training to show, and those that wait behind it, in their order."""
        jobs = [job for job in self._studio.jobs.list() if job.kind == "training"]
        active = [job for job in reversed(jobs) if job.active]
        working = next((job for job in active if job.status == "running"), active[0] if active else None)
        return working or next(iter(jobs), None), [job for job in active if job is not working]

    def _measuring(self) -> Job | None:
        return next((job for job in self._studio.jobs.list() if job.kind == "measuring"), None)

    def _course(self, job: Job) -> Course:
        return Course.of(self._studio.jobs.events(job.key))

    def _discarded(self, job: Job | None) -> bool:
        return bool(job and self._course(job).discarded)

    def _course_html(self, job: Job | None) -> str:
        if job is None:
            return ""
        return course_html(
            job, self._course(job), used=self._versions.used(), stopping=JobLog(job.folder).stop_wanted
        )


def page(studio: Studio) -> None:
    """Draw the page and connect its handlers."""
    gr.HTML(heading("Train", LEAD), apply_default_css=False, js_on_load=None)
    with gr.Row(elem_classes="q-parts-columns"):
        with gr.Column(scale=7, min_width=320):
            gr.HTML(section("A new version"), apply_default_css=False, js_on_load=None)
            material = html("q-train-material")
            chosen = choices()
            estimate = html("q-train-estimate")
            buttons = _buttons()
            said, course, line = html("q-train-said"), html("q-train-course"), html("q-train-line", "leave")
        with gr.Column(scale=5, min_width=320):
            used = in_use_part()
    versions = Versions(studio, *used, *closer_part())
    connect(versions)
    clock = gr.Timer(1.0, active=False)
    board = Board(material, estimate, said, *buttons, course, line, clock)
    _connect(Handlers(studio, board, chosen, versions), board, chosen, versions)


def _buttons() -> tuple[gr.Button, gr.Button, gr.Button, gr.Button, gr.Button]:
    """Start, estimate, stop twice and go on, in the order of `Board`."""
    with gr.Row(elem_classes="q-actions"):
        return (
            gr.Button("Train a new version", variant="primary", size="md", elem_id="q-train-start"),
            gr.Button("Estimate first", size="md", elem_id="q-train-measure"),
            gr.Button("Stop and keep", size="md", visible=False, elem_id="q-train-stop"),
            gr.Button(
                "Stop and discard", variant="stop", size="md", visible=False, elem_id="q-train-discard"
            ),
            gr.Button("Go on with the last one", size="md", visible=False, elem_id="q-train-go-on"),
        )


def _connect(does: Handlers, board: Board, chosen: Choices, versions: Versions) -> None:
    fields, once = chosen.fields, {"trigger_mode": "once", **CALM}
    everything = [*board.all, *versions.components]
    priced = [chosen.hour, chosen.currency]
    gr.on(None, does.load, fields, [*everything, *priced], api_name="train_load", **CALM)
    chosen.preset.input(does.choose, chosen.preset, fields, api_name="train_preset", **CALM)
    board.start.click(does.start, fields, board.all, api_name="train_start", **once)
    board.measure.click(does.measure, fields, board.all, api_name="train_measure", **once)
    board.stop.click(does.stop, fields, board.all, api_name="train_stop", **CALM)
    board.discard.click(does.discard, fields, board.all, api_name="train_discard", **CALM)
    board.go_on.click(does.go_on, fields, board.all, api_name="train_go_on", **CALM)
    board.line.leave(does.leave, None, board.all, api_name="train_leave", **CALM)
    board.clock.tick(does.follow, fields, everything, api_name="train_follow", **CALM)
    changes = [field.change for field in fields]
    gr.on(changes, does.estimate, fields, board.all, api_name="train_estimate", **CALM)
    prices = [each.change for each in priced]
    gr.on(prices, does.price, [*priced, *fields], board.all, api_name="train_price", **CALM)
