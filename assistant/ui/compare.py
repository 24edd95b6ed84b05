"""The page Compare: one message box, four assistants that answer side by side, and the chats kept so far.

It reads, calls the studio and shows. The look is known by `turns.py` and `answers.py`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import gradio as gr

from assistant.chats import Chat, Turn
from assistant.errors import AssistantError
from assistant.lanes import LANES, Answer
from assistant.store import FULL_STRENGTH
from assistant.studio import Studio
from assistant.ui.board import Board, draw_board, draw_strength, toolbar
from assistant.ui.chat_list import chat_list_html
from assistant.ui.instructions import instructions_panel
from assistant.ui.layout import CALM, EACH, live, notice
from assistant.ui.marks import keep_mark
from assistant.ui.new_chats import NewChats
from assistant.ui.sources import source_html
from assistant.ui.turns import lane_answer, lane_heads, question_html, thread_html, welcome_html
from knowledge.errors import KnowledgeError

SECONDS_BETWEEN_UPDATES = 0.1
"""A browser falls behind when four lanes are redrawn more often than ten times a second."""
FULL_PACE = 8
"""Chats that write at that pace at the same time; among more, so many updates a second are shared out, since
each takes the processor from those who wait for their first word."""

WIRES = "window.quartetWire = trigger; // 'ask_sample' 'open_chat' 'remove_chat' 'open_source' 'mark_answer'"
"""Hands `compare.js` the way to send what was clicked; the quoted names are the events that may come."""

STILL_WRITING = "The lanes are still answering in this chat. Wait for them, or stop them first."

MOST_ANSWERED = 24
"""Chats answered at the same time: the 20 that the engine has slots and places in line for, and some more,
which are told at once that it is busy."""

QUICK: dict[str, Any] = {**CALM, "queue": False}
"""For what takes no time: by plain request. Gradio loses an event that comes while it closes the stream of
the last one, and these would open and close one each."""
KEPT: dict[str, Any] = {
    **QUICK,
    "js": "(value, chat) => [value, quartet.named(chat)]",
    "trigger_mode": "always_last",
}
"""For what is kept while it is typed or set; the newest is what counts."""

Update = dict[Any, Any]
"""New values by component."""
Answers = Iterator[tuple[Answer, ...]]


class Handlers:
    """What happens on the page; each method reads, calls the studio, and says what to show."""

    def __init__(self, studio: Studio, board: Board) -> None:
        self._studio = studio
        self._board = board
        self._new_chats = NewChats(studio)
        self._written: set[str] = set()

    def load(self, request: gr.Request) -> Update:
        """The chat that the page's address names, or an empty one."""
        chat_id = str(request.query_params.get("chat", ""))
        shown = self.open(chat_id)
        if not chat_id:  # somebody who types while the page still loads keeps what they typed
            del shown[self._board.question], shown[self._board.chat_id], shown[self._board.strength.slider]
        return shown

    def open(self, chat_id: str) -> Update:
        """Show a chat, or with no id an empty one; one that is not there gives an empty one and says so."""
        try:
            return self._shown(self._studio.chats.read(chat_id) if chat_id else None)
        except AssistantError as problem:
            return self._shown(None) | {self._board.problem: notice(str(problem), "problem")}

    def open_chat(self, event: gr.EventData) -> Update:
        """Show the chat that was clicked; without an id an empty one."""
        return self.open(str(event.chat))

    def follow(self, chat_id: str) -> Update:
        """How far the answers are; as they were stored once they have ended."""
        shown = self.open(chat_id)
        del shown[self._board.question], shown[self._board.strength.slider]  # what is typed and set meanwhile
        return shown

    def remove_chat(self, present: str, event: gr.EventData) -> Update:
        """Remove the chat whose removal was confirmed; if it is the one shown, an empty one follows."""
        gone = str(event.chat)
        if gone in self._written:
            return {self._board.problem: notice(STILL_WRITING)}
        self._studio.chats.remove(gone)
        return self._shown(None) if gone == present else {self._board.chats: self._chat_list(present)}

    def save_draft(self, text: str, chat_id: str) -> str:
        """Keep what is typed, in a chat that is made if there is none yet; returns its id."""
        chat_id = self._new_chats.chat(chat_id)
        last = self._last_turn(chat_id)
        # The last letters can come in after they were sent: then they are a question, no draft any more.
        asked = last is not None and last.question == text.strip()
        self._studio.chats.save_draft(chat_id, "" if asked else text)
        return chat_id

    def save_strength(self, percent: float, chat_id: str) -> str:
        """Keep the voice strength, in a chat that is made if there is none yet; returns its id."""
        chat_id = self._new_chats.chat(chat_id)
        self._studio.chats.save_strength(chat_id, round(percent))
        return chat_id

    def reset_strength(self, chat_id: str) -> tuple[int, str]:
        """Go back to the voice as it was trained; returns its strength and the chat's id."""
        return FULL_STRENGTH, self.save_strength(FULL_STRENGTH, chat_id)

    def send(self, text: str, chat_id: str, percent: float) -> Iterator[Update]:
        """Ask the four lanes and show them writing."""
        if not text.strip():
            yield {self._board.problem: notice("Type a question first.")}
            return
        try:
            chat_id = self._new_chats.chat(chat_id)
        except AssistantError as problem:
            yield {self._board.problem: notice(str(problem), "problem")}
            return
        yield from self._streamed(chat_id, self._studio.ask(chat_id, text, scale=percent / 100), sent=True)

    def ask_sample(self, chat_id: str, percent: float, event: gr.EventData) -> Iterator[Update]:
        """Ask the sample question that was clicked."""
        yield from self.send(str(event.question), chat_id, percent)

    def retry(self, chat_id: str, percent: float) -> Iterator[Update]:
        """Ask the last question again, with another seed."""
        yield from self._streamed(chat_id, self._studio.ask_again(chat_id, scale=percent / 100), sent=False)

    def stop(self, chat_id: str) -> None:
        """End the answers that are being written; they keep what they have said."""
        self._studio.stop(chat_id)

    def open_source(self, chat_id: str, event: gr.EventData) -> str:
        """The document behind a source that was clicked, with its passage marked."""
        try:
            chat = self._studio.chats.read(chat_id)
            turn = next(turn for turn in chat.turns if turn.id == int(event.turn))
            answer = turn.answers[str(event.lane)]
            source = answer.sources[int(event.number) - 1]
        except (AssistantError, StopIteration, KeyError, IndexError, ValueError):
            return notice("This source is not stored yet. Open it again when the answer has ended.")
        read = answer.record.created if answer.record else ""
        return source_html(source, int(event.number), self._studio.knowledge, answered=read)

    def mark(self, chat_id: str, event: gr.EventData) -> str:
        """Keep the quick mark that was clicked; returns what went wrong."""
        return keep_mark(self._studio, chat_id, event)

    def _streamed(self, chat_id: str, answers: Answers, *, sent: bool) -> Iterator[Update]:
        """The board while lanes write, then as it was stored; a problem is shown and ends it."""
        board, problem = self._board, ""
        if chat_id in self._written:
            yield {board.problem: notice(STILL_WRITING)}
            return
        self._written.add(chat_id)
        try:
            with closing(answers) as written:  # type: ignore[type-var]
                yield from self._writing(chat_id, written, {board.question: ""} if sent else {})
        except (AssistantError, KnowledgeError) as error:
            problem = notice(str(error), "problem")
        finally:
            self._written.discard(chat_id)
        if self._last_turn(chat_id) is not None or problem:
            yield self.follow(chat_id) | {board.problem: problem}

    def _writing(self, chat_id: str, answers: Answers, opening: Update) -> Iterator[Update]:
        said: dict[str, Answer] = {}
        turn: Turn | None = None
        for given in paced(answers, lambda: len(self._written)):
            update: Update = {}
            if turn is None:
                chat = self._studio.chats.read(chat_id)
                turn = chat.turns[-1]
                update = self._asked(chat) | opening
            changed = {answer.lane: answer for answer in given if said.get(answer.lane) != answer}
            now = replace(turn, answers=changed)
            lanes = [lane for lane in LANES if lane.key in changed]
            yield update | {
                self._board.lanes[lane.key]: lane_answer(now, lane, writing=True) for lane in lanes
            }
            said |= changed

    def _asked(self, chat: Chat) -> Update:
        board = self._board
        return {
            board.chat_id: chat.id,
            board.thread: thread_html(chat.turns[:-1], self._studio.marks.of_chat(chat.id)),
            board.asked: question_html(chat.turns[-1]),
            board.problem: "",
            board.chats: self._chat_list(chat.id),
        } | self._buttons(busy=True, retry=False)

    def _shown(self, chat: Chat | None) -> Update:
        """A chat as it is stored, on every component."""
        board = self._board
        turns, marks = (chat.turns, self._studio.marks.of_chat(chat.id)) if chat else ((), {})
        last = turns[-1] if turns else None
        writing = chat is not None and chat.id in self._written  # for another page, which this one follows
        shown = {
            board.chat_id: chat.id if chat else "",
            board.thread: thread_html(turns[:-1], marks) if last else welcome_html(self._studio),
            board.asked: question_html(last),
            board.problem: "",
            board.question: chat.draft if chat else "",
            board.strength.slider: chat.strength if chat and not self._studio.remote else FULL_STRENGTH,
            board.chats: self._chat_list(chat.id if chat else ""),
        }
        shown |= {
            board.lanes[lane.key]: lane_answer(last, lane, writing=writing, marks=marks) for lane in LANES
        }
        shown |= {board.clock: gr.Timer(active=writing)}
        return shown | self._buttons(busy=writing, retry=last is not None and not writing)

    def _buttons(self, *, busy: bool, retry: bool) -> Update:
        return {
            self._board.send: gr.Button(visible=not busy),
            self._board.stop: gr.Button(visible=busy),
            self._board.retry: gr.Button(visible=retry),
        }

    def _chat_list(self, present: str) -> str:
        return chat_list_html(self._studio.chats.latest(100), present)

    def _last_turn(self, chat_id: str) -> Turn | None:
        try:
            turns = self._studio.chats.read(chat_id).turns
        except AssistantError:
            return None
        return turns[-1] if turns else None


def paced(answers: Answers, writing: Callable[[], int] = lambda: 1) -> Answers:
    """The newest answers so far, at most every `SECONDS_BETWEEN_UPDATES`, seldomer where many chats write.

    The last ones come always, and so do new places in the waiting line: after one, nothing may come for long.
    """
    places: list[int | None] = []
    shown_at, held = float("-inf"), None
    for given in answers:
        held, before = given, places
        places = [answer.waiting for answer in given]
        pause = SECONDS_BETWEEN_UPDATES * max(1.0, writing() / FULL_PACE)
        if places != before or time.monotonic() - shown_at >= pause:
            yield given
            shown_at, held = time.monotonic(), None
    if held is not None:
        yield held


def page(studio: Studio) -> None:
    """Draw the page and connect its handlers."""
    with gr.Column(elem_id="q-top"):
        tools = toolbar(strength=not studio.remote)
        gr.HTML(tools, elem_id="q-tools", apply_default_css=False, js_on_load=None)
        strength = draw_strength()
        live(lambda: lane_heads(studio), elem_id="q-heads", js_on_load=None)
    board = draw_board(strength)
    with gr.Column(elem_id="q-drawer-instructions", elem_classes="q-drawer q-drawer-right"):
        instructions_panel(studio)
    _connect(Handlers(studio, board), board)


def _connect(does: Handlers, board: Board) -> None:
    """Which handler answers which event."""
    wire = gr.HTML(visible="hidden", elem_id="q-wire", js_on_load=WIRES)
    gr.on(None, does.load, None, board.all, api_name="chat_load", **QUICK)
    _connect_asking(does, board, wire)
    _connect_strength(does, board)
    wire.open_chat(does.open_chat, None, board.all, api_name="chat_open", **QUICK)
    board.clock.tick(does.follow, board.chat_id, board.all, api_name="chat_follow", **QUICK)
    wire.remove_chat(does.remove_chat, board.chat_id, board.all, api_name="chat_remove", **{**QUICK, **EACH})
    wire.mark_answer(does.mark, board.chat_id, board.problem, api_name="chat_mark", **{**QUICK, **EACH})
    opened = wire.open_source(does.open_source, board.chat_id, board.source, api_name="source_open", **QUICK)
    opened.then(None, js="() => quartet.showPassage()")
    board.chat_id.change(None, board.chat_id, None, js="id => quartet.address(id)")


def _connect_asking(does: Handlers, board: Board, wire: gr.HTML) -> None:
    """The message box, what makes the lanes write, and Stop."""
    text, chat = board.question, [board.chat_id, board.strength.slider]
    limits: dict[str, Any] = {**CALM, "concurrency_id": "answers", "concurrency_limit": MOST_ANSWERED}
    asked, js = (
        [text.submit, board.send.click],
        "(text, chat, ...rest) => [text, quartet.named(chat), ...rest]",
    )
    gr.on(asked, does.send, [text, *chat], board.all, api_name="chat_send", js=js, **limits)
    sample = "(chat, ...rest) => [quartet.named(chat), ...rest]"
    wire.ask_sample(does.ask_sample, chat, board.all, api_name="chat_sample", js=sample, **limits)
    board.retry.click(does.retry, chat, board.all, api_name="chat_retry", **limits)
    board.stop.click(does.stop, board.chat_id, None, api_name="chat_stop", **QUICK)
    text.input(does.save_draft, [text, board.chat_id], board.chat_id, api_name="chat_draft", **KEPT)


def _connect_strength(does: Handlers, board: Board) -> None:
    """The voice strength: kept as it is set, and shown wherever it says so."""
    slider, reset, chat_id = board.strength.slider, board.strength.reset, board.chat_id
    slider.input(does.save_strength, [slider, chat_id], chat_id, api_name="chat_strength", **KEPT)
    back: dict[str, Any] = {**QUICK, "js": "chat => [quartet.named(chat)]"}
    reset.click(does.reset_strength, chat_id, [slider, chat_id], api_name="chat_strength_reset", **back)
    slider.change(None, slider, None, js="percent => quartet.strength(percent)")
