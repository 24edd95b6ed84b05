"""The part of the page Conversations that reports on them: the verdict, numbers, and a closer look.

It reads, calls the core and shows. What a closer look found is kept in the workspace.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import gradio as gr

from assistant.conversations import KeptConversations, Summary, near_duplicate_rate, summary, verdict
from assistant.studio import Studio
from assistant.ui.conversations_parts import example_html
from assistant.ui.conversations_report_parts import closer_html, looking_html, numbers_html, verdict_html
from assistant.ui.layout import notice
from assistant.ui.parts import PROBLEMS, html, section

MOST_COMPARED = 2000
"""Conversations that are compared with each other on every visit; an import has folded duplicates anyway."""
Update = dict[Any, Any]
"""New values by component."""


@dataclass(frozen=True)
class ReportBoard:
    """The components of this part."""

    verdict: gr.HTML
    numbers: gr.HTML
    part: gr.Column
    look: gr.Button
    closer: gr.HTML

    @property
    def all(self) -> list[Any]:
        """Every one of them."""
        return list(vars(self).values())


class Report:
    """What happens in this part; each method reads, calls the core, and says what to show."""

    def __init__(self, studio: Studio, board: ReportBoard) -> None:
        self._studio = studio
        self._board = board

    def look(self) -> Iterator[Update]:
        """Look closer, and tell how far that is."""
        try:
            for text, fraction in self._studio.look_closer():
                yield {self._board.closer: looking_html(text, fraction)}
        except PROBLEMS as problem:
            yield {self._board.closer: notice(str(problem), "problem")}
            return
        yield self.shown()

    def shown(self) -> Update:
        """This part as it is now."""
        board, store = self._board, self._studio.conversations
        try:
            told = store.read().conversations
            look = store.closer_look()
        except PROBLEMS as problem:
            return {board.verdict: "", board.numbers: notice(str(problem), "problem")}
        if not told:
            return {board.verdict: "", board.numbers: example_html(), board.part: gr.Column(visible=False)}
        counted, duplicates = _counted(told)
        return {
            board.verdict: verdict_html(verdict(counted, duplicates)),
            board.numbers: numbers_html(counted, duplicates),
            board.part: gr.Column(visible=True),
            board.look: gr.Button("Look again" if look else "Look closer"),
            board.closer: closer_html(look, store.stamp),
        }


@lru_cache(maxsize=1)
def _counted(told: KeptConversations) -> tuple[Summary, float | None]:
    """The numbers, and the share of near-duplicates where there are not too many to compare all."""
    some = list(told) if len(told) <= MOST_COMPARED else None
    return summary(told if some is None else some), None if some is None else near_duplicate_rate(some)


def report_part() -> ReportBoard:
    """Draw this part."""
    verdict = html("q-conversations-verdict")
    numbers = html("q-conversations-numbers")
    with gr.Column(visible=False, elem_id="q-conversations-closer") as part:
        gr.HTML(section("A closer look"), apply_default_css=False, js_on_load=None)
        closer = html("q-report-closer", "exclude")
        with gr.Row(elem_classes="q-actions"):
            look = gr.Button("Look closer", size="md", elem_id="q-report-look")
    return ReportBoard(verdict, numbers, part, look, closer)
