"""The part of the page Conversations where people read: find, turn, leave out, edit, undo.

It reads, calls the store and shows. What a person changed is kept in the workspace and can be undone.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from assistant.conversations import KeptConversations
from assistant.errors import AssistantError
from assistant.prompts import Message
from assistant.studio import Studio
from assistant.ui.conversations_parts import SPEAKERS, change_html, reader_html
from assistant.ui.layout import CALM, EACH, notice
from assistant.ui.parts import PROBLEMS, html, section

Update = dict[Any, Any]
"""New values by component."""
_BEGINS = re.compile(rf"^({'|'.join(SPEAKERS.values())}):[^\S\n]?", re.MULTILINE)
EDITING = "Each message begins on a line of its own with Customer: or Reply:"


@dataclass(frozen=True)
class ReaderBoard:
    """The components of this part."""

    part: gr.Column
    words: gr.Textbox
    search: gr.Button
    only_out: gr.Checkbox
    undo: gr.HTML
    reader: gr.HTML
    editor: gr.Column
    source: gr.Textbox
    text: gr.Textbox
    save: gr.Button
    cancel: gr.Button

    @property
    def all(self) -> list[Any]:
        """Every one of them."""
        return [getattr(self, each.name) for each in fields(self)]


class Reader:
    """What happens in this part; each method reads, calls the store, and says what to show."""

    def __init__(self, studio: Studio, board: ReaderBoard, counts: Callable[[], Update]) -> None:
        """With what shows the other parts anew where it changed what is learned from."""
        self._studio = studio
        self._board = board
        self._counts = counts

    def search(self, words: str, only_out: bool) -> Update:
        """The first conversation that holds these words."""
        return self.shown(words, only_out)

    def turn(self, words: str, only_out: bool, event: gr.EventData) -> Update:
        """Another of the conversations that hold these words."""
        number = str(event.name)
        return self.shown(words, only_out, int(number) if number.isdigit() else 0)

    def exclude(self, words: str, only_out: bool, event: gr.EventData) -> Update:
        """Learn nothing from the conversation that was clicked."""
        at, source = _place(event)
        return self._changed(lambda: self._studio.conversations.changes.exclude(source), words, only_out, at)

    def include(self, words: str, only_out: bool, event: gr.EventData) -> Update:
        """Learn from it again."""
        at, source = _place(event)
        return self._changed(lambda: self._studio.conversations.changes.include(source), words, only_out, at)

    def undo(self, words: str, only_out: bool) -> Update:
        """Take back the last change."""
        return self._changed(self._studio.conversations.changes.undo, words, only_out)

    def edit(self, event: gr.EventData) -> Update:
        """Open the conversation that was clicked for editing."""
        _, source = _place(event)
        told = self._told(False)
        at = told.place_of(source)
        if at is None:
            return {self._board.reader: notice("This conversation is gone. Load the page anew.", "problem")}
        return {
            self._board.editor: gr.Column(visible=True),
            self._board.source: source,
            self._board.text: as_text(told[at].messages),
        }

    def save(self, source: str, text: str, words: str, only_out: bool) -> Update:
        """Keep the edited conversation in the place of the old one."""

        def change() -> None:
            self._studio.conversations.changes.edit(source, messages_of(text))

        try:
            change()
        except PROBLEMS as problem:
            return {self._board.undo: notice(str(problem), "problem")}
        at = self._holding(words, only_out).place_of(source)
        return self.shown(words, only_out, at or 0) | self._counts()

    def cancel(self) -> Update:
        """Close the editor."""
        return {self._board.editor: gr.Column(visible=False)}

    def shown(self, words: str = "", only_out: bool = False, at: int = 0, said: str = "") -> Update:
        """This part as it is now."""
        board = self._board
        try:
            store = self._studio.conversations
            reading = store.read()
            told, last = self._holding(words, only_out), store.changes.last()
        except PROBLEMS as problem:
            return {board.part: gr.Column(visible=True), board.reader: notice(str(problem), "problem")}
        out = bool(reading.excluded)
        return {
            board.part: gr.Column(visible=bool(reading.conversations) or out),
            board.only_out: gr.Checkbox(visible=out, label=f"Only the {len(reading.excluded):,} left out"),
            board.undo: said + change_html(last),
            board.reader: reader_html(told, at, words.strip(), excluded=only_out and out),
            board.editor: gr.Column(visible=False),
        }

    def _holding(self, words: str, only_out: bool) -> KeptConversations:
        return self._told(only_out).holding(words)

    def _told(self, only_out: bool) -> KeptConversations:
        reading = self._studio.conversations.read()
        return reading.excluded if only_out and reading.excluded else reading.conversations

    def _changed(self, change: Callable[[], object], words: str, only_out: bool, at: int = 0) -> Update:
        try:
            change()
        except PROBLEMS as problem:
            return self.shown(words, only_out, at, notice(str(problem), "problem"))
        return self.shown(words, only_out, at) | self._counts()


def as_text(messages: Sequence[Message]) -> str:
    """A conversation as a text that a person edits; `messages_of` reads it back."""
    return "\n\n".join(f"{SPEAKERS[message.role]}: {message.content}" for message in messages)


def messages_of(text: str) -> list[Message]:
    """The messages of an edited text.

    Raises:
        AssistantError: something stands before the first speaker.
    """
    roles = {name: role for role, name in SPEAKERS.items()}
    before, *rest = _BEGINS.split(text)
    if before.strip() or not rest:
        raise AssistantError(f"{EDITING}. The text begins with {before.strip()[:40]!r}.")
    return [Message(roles[name], said.strip()) for name, said in zip(rest[::2], rest[1::2], strict=True)]


def _place(event: gr.EventData) -> tuple[int, str]:
    """Where a conversation stands in the list, and its source."""
    at, _, source = str(event.name).partition(" ")
    return (int(at) if at.isdigit() else 0), source


def reader_part() -> ReaderBoard:
    """Draw this part; it is seen once there is something to read."""
    with gr.Column(visible=False) as part:
        gr.HTML(section("Read some"), apply_default_css=False, js_on_load=None)
        with gr.Row(elem_classes="q-parts-ask"):
            words = gr.Textbox(
                show_label=False, label="Find conversations", placeholder="Find a word, such as refund"
            )
            search = gr.Button("Find", size="md")
        only_out = gr.Checkbox(label="Only those left out", visible=False, container=False)
        undo = html("q-conversations-undo", "undo")
        reader = html("q-conversations-reader", "turn", "exclude", "include", "edit")
        with gr.Column(visible=False, elem_id="q-conversations-editor") as editor:
            source = gr.Textbox(visible="hidden", label="Source")
            text = gr.Textbox(label="Edit this conversation", info=EDITING, lines=8, max_lines=24)
            with gr.Row(elem_classes="q-actions"):
                save = gr.Button("Save", variant="primary", size="md")
                cancel = gr.Button("Cancel", size="md")
    return ReaderBoard(part, words, search, only_out, undo, reader, editor, source, text, save, cancel)


def connect_reader(does: Reader, board: ReaderBoard, counts: list[Any]) -> None:
    """Connect the handlers of this part; `counts` are the components that show what is learned from."""
    asked, shown = [board.words, board.only_out], board.all
    finding = [board.words.submit, board.search.click, board.only_out.input]
    gr.on(finding, does.search, asked, shown, api_name="conversations_search", **CALM)
    board.reader.turn(does.turn, asked, shown, api_name="conversations_turn", **CALM)
    board.reader.edit(does.edit, None, shown, api_name="conversation_open", **CALM)
    board.cancel.click(does.cancel, None, shown, api_name="conversation_close_show", **CALM)
    kept, both = [board.source, board.text, *asked], [*shown, *counts]
    board.reader.exclude(does.exclude, asked, both, api_name="conversation_exclude", **EACH)
    board.reader.include(does.include, asked, both, api_name="conversation_include", **EACH)
    board.undo.undo(does.undo, asked, both, api_name="conversation_undo", **EACH)
    board.save.click(does.save, kept, both, api_name="conversation_edit", **CALM)
