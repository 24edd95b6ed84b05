"""The page Train: one button that trains a new version of the voice, how it goes, which version is in use.

It reads, calls the studio and shows. A training is a process of its own, in `assistant.training`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import gradio as gr

from assistant.adapters import Adapter, list_adapters, make_current
from assistant.conversations import Conversation, Split, split
from assistant.errors import AssistantError
from assistant.jobs import Job, JobLog
from assistant.studio import Studio
from assistant.training import TrainingSettings
from assistant.training.task import FEWEST
from assistant.ui.course import Course
from assistant.ui.layout import heading, notice
from assistant.ui.parts import PROBLEMS, html, section
from assistant.ui.train_parts import course_html, in_use_html, material_html, versions_html

LEAD = "Your conversations become an adapter: a small file that gives the model your company's voice."
DEFAULTS = TrainingSettings()
RATES = [
    (f"{name}: {factor * DEFAULTS.learning_rate:g}", factor * DEFAULTS.learning_rate)
    for name, factor in (("Careful", 0.25), ("Usual", 1), ("Bold", 2))
]
RANKS = sorted({4, 8, 16, 32, DEFAULTS.rank})
SHARE = 100 * DEFAULTS.grounded_share
ABOUT = {
    "epochs": "How often each conversation is read; more takes longer.",
    "rate": "How far each step goes; too bold forgets what the model knew.",
    "rank": "How much room the adapter has; small suits few conversations.",
    "share": "How many replies are also learned with passages shown, so that Combined reads them.",
}
GO_ON = ("lost", "failed", "stopped")
"""How a training ended that can go on from where it was saved."""
Update = dict[Any, Any]
"""New values by component."""


@dataclass(frozen=True)
class Board:
    """The components that handlers write to."""

    material: gr.HTML
    said: gr.HTML
    start: gr.Button
    stop: gr.Button
    go_on: gr.Button
    course: gr.HTML
    in_use: gr.HTML
    versions: gr.HTML
    clock: gr.Timer

    @property
    def all(self) -> list[Any]:
        """Every one of them."""
        return list(vars(self).values())


class Handlers:
    """What happens on the page; each method reads, calls the studio, and says what to show."""

    def __init__(self, studio: Studio, board: Board) -> None:
        self._studio = studio
        self._board = board

    def load(self) -> Update:
        """The page as it is now; a training that is under way is found again."""
        return self._shown("", DEFAULTS.epochs)

    def start(self, epochs: float, rate: float, rank: float, share: float) -> Iterator[Update]:
        """Begin to train a new version; getting its base model ready can take a while."""
        yield {self._board.said: notice("Getting ready"), self._board.start: gr.Button(interactive=False)}
        values = {
            "epochs": int(epochs),
            "learning_rate": float(rate),
            "rank": int(rank),
            "alpha": int(rank) * DEFAULTS.alpha // DEFAULTS.rank,
            "grounded_share": share / 100,
        }
        yield self._changed(lambda: self._start(values), epochs)

    def stop(self, epochs: float) -> Update:
        """Ask the training to save what it has and end."""
        job = self._newest()
        return self._changed(lambda: self._studio.jobs.stop(job.key) if job else None, epochs)

    def go_on(self, epochs: float) -> Update:
        """Go on with the training that ended before its time."""
        job = self._newest()
        return self._changed(lambda: self._studio.jobs.resume(job.key) if job else None, epochs)

    def follow(self, epochs: float) -> Update:
        """How the training goes; everything else once it has ended."""
        job = self._newest()
        if job and job.active:
            return {self._board.course: self._course_html(job)}
        return self._shown("", epochs)

    def use(self, epochs: float, event: gr.EventData) -> Update:
        """Answer with the version that was clicked from now on."""
        key = str(event.name)
        return self._changed(lambda: make_current(self._studio.workspace.adapters, key), epochs)

    def estimate(self, epochs: float) -> str:
        """What it would learn from, and how long so many epochs may take."""
        try:
            parts = _split(self._studio.conversations.read().conversations)
        except PROBLEMS as problem:
            return notice(str(problem), "problem")
        return material_html(len(parts.train), len(parts.evaluation), self._seconds(len(parts.train), epochs))

    def _start(self, values: dict[str, Any]) -> None:
        TrainingSettings.of(values)
        self._studio.train(values)

    def _changed(self, change: Callable[[], object], epochs: float) -> Update:
        try:
            change()
        except PROBLEMS as problem:
            return self._shown(notice(str(problem), "problem"), epochs)
        return self._shown("", epochs)

    def _shown(self, said: str, epochs: float) -> Update:
        board, job = self._board, self._newest()
        active = bool(job and job.active)
        resumable = bool(job and job.status in GO_ON and self._course(job).step)
        used, problem = self._used()
        return {
            board.material: self.estimate(epochs),
            board.said: said + problem,
            board.start: gr.Button(visible=not active, interactive=self._usable() >= FEWEST),
            board.stop: gr.Button(visible=active),
            board.go_on: gr.Button(visible=resumable),
            board.course: self._course_html(job),
            board.in_use: in_use_html(used),
            board.versions: versions_html(
                list_adapters(self._studio.workspace.adapters), used.key if used else ""
            ),
            board.clock: gr.Timer(active=active),
        }

    def _usable(self) -> int:
        try:
            return len(self._studio.conversations.read().conversations)
        except PROBLEMS:
            return 0  # `estimate` shows what is wrong

    def _used(self) -> tuple[Adapter | None, str]:
        try:
            return self._studio.adapter(), ""
        except AssistantError as problem:
            return None, notice(str(problem), "problem")

    def _newest(self) -> Job | None:
        return next((job for job in self._studio.jobs.list() if job.kind == "training"), None)

    def _course(self, job: Job) -> Course:
        return Course.of(self._studio.jobs.events(job.key))

    def _course_html(self, job: Job | None) -> str:
        if job is None:
            return ""
        used, _ = self._used()
        stopping = JobLog(job.folder).stop_asked()
        return course_html(job, self._course(job), used=used.key if used else "", stopping=stopping)

    def _seconds(self, conversations: int, epochs: float) -> float | None:
        """How long a training may take, going by the newest version; None where there is none to go by."""
        for version in list_adapters(self._studio.workspace.adapters):
            before = version.lineage
            if before and before.seconds and before.conversations and before.settings.get("epochs"):
                each = before.seconds / (before.conversations * before.settings["epochs"])
                return each * conversations * epochs
        return None


@lru_cache(maxsize=1)
def _split(conversations: tuple[Conversation, ...]) -> Split:
    return split(conversations, share=DEFAULTS.evaluation_share, seed=DEFAULTS.seed)


def page(studio: Studio) -> None:
    """Draw the page and connect its handlers."""
    gr.HTML(heading("Train", LEAD), apply_default_css=False, js_on_load=None)
    with gr.Row(elem_classes="q-parts-columns"):
        with gr.Column(scale=7, min_width=320):
            gr.HTML(section("A new version"), apply_default_css=False, js_on_load=None)
            material = html("q-train-material")
            with gr.Row(elem_classes="q-actions"):
                start = gr.Button(
                    "Train a new version", variant="primary", size="md", elem_id="q-train-start"
                )
                stop = gr.Button("Stop", variant="stop", size="md", visible=False, elem_id="q-train-stop")
                go_on = gr.Button(
                    "Go on with the last one", size="md", visible=False, elem_id="q-train-go-on"
                )
            said = html("q-train-said")
            course = html("q-train-course")
            settings = _settings_part()
        with gr.Column(scale=5, min_width=320):
            in_use, versions = html("q-train-use"), html("q-train-versions", "use")
    board = Board(material, said, start, stop, go_on, course, in_use, versions, gr.Timer(1.0, active=False))
    _connect(Handlers(studio, board), board, settings)


def _settings_part() -> list[Any]:
    """Epochs, learning rate, rank and grounded share, folded away: the defaults suit most companies."""
    with gr.Accordion("Settings", open=False, elem_id="q-train-settings"):
        return [
            gr.Slider(1, 10, DEFAULTS.epochs, step=1, label="Epochs", info=ABOUT["epochs"]),
            gr.Radio(RATES, value=DEFAULTS.learning_rate, label="Learning rate", info=ABOUT["rate"]),
            gr.Radio(RANKS, value=DEFAULTS.rank, label="Rank", info=ABOUT["rank"]),
            gr.Slider(0, 100, SHARE, step=5, label="Grounded share in %", info=ABOUT["share"]),
        ]


def _connect(does: Handlers, board: Board, settings: list[Any]) -> None:
    calm: dict[str, Any] = {"show_progress": "hidden"}
    epochs = settings[0]
    gr.on(None, does.load, None, board.all, api_name="train_load", **calm)
    board.start.click(does.start, settings, board.all, api_name="train_start", trigger_mode="once", **calm)
    board.stop.click(does.stop, epochs, board.all, api_name="train_stop", **calm)
    board.go_on.click(does.go_on, epochs, board.all, api_name="train_go_on", **calm)
    board.clock.tick(does.follow, epochs, board.all, api_name="train_follow", **calm)
    board.versions.use(does.use, epochs, board.all, api_name="version_use", **calm)
    epochs.change(does.estimate, epochs, board.material, api_name="train_estimate", **calm)
