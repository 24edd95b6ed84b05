"""The page Conversations: add files of past chats, see them in numbers, read some, and mend what is wrong.

It reads, calls the store and shows. Files that wait stand in `conversations_intake.py`, reading in
`conversations_reader.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.studio import Studio
from assistant.ui.conversations_intake import Intake, IntakeBoard, connect_intake, intake_part
from assistant.ui.conversations_parts import files_html, refused_html
from assistant.ui.conversations_reader import Reader, ReaderBoard, connect_reader, reader_part
from assistant.ui.conversations_report import Report, ReportBoard, report_part
from assistant.ui.dropzone import dropzone
from assistant.ui.layout import CALM, EACH, heading, notice
from assistant.ui.parts import PROBLEMS, html

LEAD = "What the tuned assistants learn your voice from: real chats with the replies you would give again."
HINT = (
    "CSV, Excel, Zendesk or Intercom exports, mail (.mbox, .eml), transcripts, OpenAI or ShareGPT JSON; "
    "files, folders or zip, up to 2 GB"
)
SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".xlsx", ".mbox", ".eml", ".txt", ".zip")
LARGEST = 2_000_000_000
Update = dict[Any, Any]
"""New values by component."""


@dataclass(frozen=True)
class Board:
    """The components of the page beside those of its parts."""

    files: gr.HTML
    refused: gr.HTML
    report: ReportBoard

    @property
    def all(self) -> list[Any]:
        """Every one of them."""
        return [self.files, self.refused, *self.report.all]


class Handlers:
    """What happens on the page; each method reads, calls the store, and says what to show."""

    def __init__(self, studio: Studio, board: Board, intake: Intake, reader: Reader) -> None:
        self._studio = studio
        self._board = board
        self._intake = intake
        self._reader = reader
        self._report = Report(studio, board.report)
        self._removed: dict[Path, list[str]] = {}

    def load(self) -> Update:
        """The page as it is now."""
        return self.kept() | self._intake.shown("") | self._reader.shown()

    def follow(self) -> Update:
        """How far an import is; everything once it has ended."""
        job = self._intake.running()
        if job:
            return self._intake.following(job)
        return self.kept() | self._intake.ended() | self._reader.shown()

    def remove(self, event: gr.EventData) -> Update:
        """Take out the file that was clicked."""
        name = str(event.name)

        def change() -> None:
            self._studio.conversations.remove(name)
            self._gone.append(name)

        return self._changed(change)

    def restore(self) -> Update:
        """Bring back the file that was removed last."""

        def change() -> None:
            if self._gone:
                self._studio.conversations.restore(self._gone[-1])
                self._gone.pop()

        return self._changed(change)

    def kept(self, said: str = "") -> Update:
        """The files that are in use, in numbers, and what was refused of them."""
        board = self._board
        try:
            store = self._studio.conversations
            reading, files = store.read(), files_html(store.files(), self._gone[-1:])
        except PROBLEMS as problem:
            return {board.files: said + notice(str(problem), "problem"), board.refused: ""}
        shown: Update = {board.files: said + files, board.refused: refused_html(reading.refused)}
        return shown | self._report.shown()

    def look(self) -> Iterator[Update]:
        """Look closer at the conversations, and tell how far that is."""
        yield from self._report.look()

    @property
    def _gone(self) -> list[str]:
        """The names of removed files that can be brought back, the last one at the end."""
        return self._removed.setdefault(self._studio.workspace.root, [])

    def _changed(self, change: Callable[[], object]) -> Update:
        try:
            change()
        except PROBLEMS as problem:
            return self.kept(notice(str(problem), "problem")) | self._reader.shown()
        return self.kept() | self._reader.shown()


def page(studio: Studio) -> None:
    """Draw the page and connect its handlers."""
    gr.HTML(heading("Conversations", LEAD), apply_default_css=False, js_on_load=None)
    drop = dropzone(
        "Drop conversations here",
        HINT,
        SUFFIXES,
        folders=True,
        largest=LARGEST,
        elem_id="q-conversations-drop",
    )
    intake_board = intake_part()
    with gr.Row(elem_classes="q-parts-columns"):
        with gr.Column(scale=7, min_width=320):
            files = html("q-conversations-files", "remove", "restore")
            refused = html("q-conversations-refused")
            reader_board = reader_part()
        with gr.Column(scale=5, min_width=320):
            report = report_part()
    board = Board(files, refused, report)
    _connect(studio, board, intake_board, reader_board, drop)


def _connect(
    studio: Studio, board: Board, intake_board: IntakeBoard, reader_board: ReaderBoard, drop: gr.HTML
) -> None:
    intake = Intake(studio, intake_board)
    reader = Reader(studio, reader_board, lambda: does.kept())
    does = Handlers(studio, board, intake, reader)
    whole, kept = [*board.all, *intake_board.all, *reader_board.all], [*board.all, *reader_board.all]
    gr.on(None, does.load, None, whole, api_name="conversations_load", **CALM)
    intake_board.clock.tick(does.follow, None, whole, api_name="conversations_follow", **CALM)
    board.files.remove(does.remove, None, kept, api_name="conversations_remove", **EACH)
    board.files.restore(does.restore, None, kept, api_name="conversations_restore", **EACH)
    connect_intake(intake, intake_board, drop)
    connect_reader(reader, reader_board, board.all)
    report = board.report
    report.look.click(does.look, None, report.all, api_name="conversations_look", trigger_mode="once", **CALM)
    asked, both = [reader_board.words, reader_board.only_out], [*board.all, *reader_board.all]
    report.closer.exclude(reader.exclude, asked, both, api_name="conversation_reject", **CALM)
