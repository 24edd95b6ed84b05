"""The page Conversations: add files of past chats, see them in numbers, mend refused lines, and read some.

It reads, calls the store and shows. What makes a line usable is known by `assistant.conversations`.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import gradio as gr

from assistant.conversations import Conversation, near_duplicate_rate, summary
from assistant.studio import Studio
from assistant.ui.conversations_parts import (
    example_html,
    files_html,
    reader_html,
    refused_html,
    summary_html,
)
from assistant.ui.dropzone import Delivery, dropzone
from assistant.ui.layout import heading, notice
from assistant.ui.parts import PROBLEMS, html, section
from assistant.ui.rendering import counted

LEAD = "What the tuned assistants learn your voice from: real chats with the replies you would give again."
HINT = "JSONL with OpenAI messages or ShareGPT turns, one conversation a line, up to 50 MB a file"
Board = tuple[str, str, str, str, str, gr.Column]
"""Notices, files, numbers, refused lines, reader, and whether there is anything to read."""


class Handlers:
    """What happens on the page; each method reads, calls the store, and says what to show."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._removed: dict[Path, list[str]] = {}

    def load(self) -> Board:
        """The page as it is now."""
        return self._board("")

    def add(self, event: gr.EventData) -> Board:
        """Take in the files that were dropped; each says what became of it."""
        delivery = Delivery.of(event)
        said = [self._add(path, name) for path, name in delivery.files]
        return self._board("".join(said) + "".join(notice(text, "problem") for text in delivery.failed))

    def remove(self, event: gr.EventData) -> Board:
        """Take out the file that was clicked."""
        name = str(event.name)

        def change() -> None:
            self._studio.conversations.remove(name)
            self._gone.append(name)

        return self._changed(change)

    def restore(self) -> Board:
        """Bring back the file that was removed last."""

        def change() -> None:
            if self._gone:
                self._studio.conversations.restore(self._gone[-1])
                self._gone.pop()

        return self._changed(change)

    def search(self, words: str) -> str:
        """The first conversation that holds these words."""
        return self._reader(words, 0)

    def turn(self, words: str, event: gr.EventData) -> str:
        """Another of the conversations that hold these words."""
        number = str(event.name)
        return self._reader(words, int(number) if number.isdigit() else 0)

    @property
    def _gone(self) -> list[str]:
        """The names of removed files that can be brought back, the last one at the end."""
        return self._removed.setdefault(self._studio.workspace.root, [])

    def _add(self, path: Path, name: str) -> str:
        store = self._studio.conversations
        try:
            there = any(file.name == name for file in store.files())
            reading = store.add(path, name)
        except PROBLEMS as problem:
            return notice(str(problem), "problem")
        done = "took the place of the earlier file" if there else "added"
        text = f"{name} {done}: {counted(len(reading.conversations), 'conversation')}."
        refused = (
            f" {counted(len(reading.refused), 'line')} refused, listed below." if reading.refused else ""
        )
        return notice(text + refused, "good")

    def _changed(self, change: Callable[[], object]) -> Board:
        try:
            change()
        except PROBLEMS as problem:
            return self._board(notice(str(problem), "problem"))
        return self._board("")

    def _board(self, said: str) -> Board:
        try:
            store = self._studio.conversations
            reading, files = store.read(), files_html(store.files(), self._gone[-1:])
        except PROBLEMS as problem:
            return said + notice(str(problem), "problem"), "", "", "", "", gr.Column(visible=False)
        told = reading.conversations
        numbers = summary_html(summary(told), _duplicates(told)) if told else example_html()
        reader = reader_html(told, 0, "") if told else ""
        return said, files, numbers, refused_html(reading.refused), reader, gr.Column(visible=bool(told))

    def _reader(self, words: str, at: int) -> str:
        words = words.strip()
        try:
            conversations = self._studio.conversations.read().conversations
        except PROBLEMS as problem:
            return notice(str(problem), "problem")
        return reader_html([each for each in conversations if _holds(each, words.lower())], at, words)


def _holds(conversation: Conversation, words: str) -> bool:
    return any(words in message.content.lower() for message in conversation.messages)


@lru_cache(maxsize=1)
def _duplicates(conversations: tuple[Conversation, ...]) -> float:
    return near_duplicate_rate(conversations)


def page(studio: Studio) -> None:
    """Draw the page and connect its handlers."""
    gr.HTML(heading("Conversations", LEAD), apply_default_css=False, js_on_load=None)
    with gr.Row(elem_classes="q-parts-columns"):
        with gr.Column(scale=7, min_width=320):
            drop = dropzone(
                "Drop conversations here",
                HINT,
                (".jsonl", ".json"),
                folders=False,
                elem_id="q-conversations-drop",
            )
            said = html("q-conversations-said")
            files = html("q-conversations-files", "remove", "restore")
            refused = html("q-conversations-refused")
        with gr.Column(scale=5, min_width=320):
            numbers = html("q-conversations-numbers")
            with gr.Column(visible=False) as reading:
                words, search, reader = _reader_part()

    does, calm = Handlers(studio), {"show_progress": "hidden"}
    board = [said, files, numbers, refused, reader, reading]
    gr.on(None, does.load, None, board, api_name="conversations_load", **calm)
    drop.upload(does.add, None, board, api_name="conversations_add", **calm)
    files.remove(does.remove, None, board, api_name="conversations_remove", **calm)
    files.restore(does.restore, None, board, api_name="conversations_restore", **calm)
    gr.on([words.submit, search.click], does.search, words, reader, api_name="conversations_search", **calm)
    reader.turn(does.turn, words, reader, api_name="conversations_turn", **calm)


def _reader_part() -> tuple[gr.Textbox, gr.Button, gr.HTML]:
    gr.HTML(section("Read some"), apply_default_css=False, js_on_load=None)
    with gr.Row(elem_classes="q-parts-ask"):
        words = gr.Textbox(
            show_label=False, label="Find conversations", placeholder="Find a word, such as refund"
        )
        search = gr.Button("Find", size="md")
    return words, search, html("q-conversations-reader", "turn")
