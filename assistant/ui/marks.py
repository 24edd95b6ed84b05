"""Quick marks under an answer: a thumb and a score at a glance, by people who see whose answer it is.

It knows how they look and how a click is kept. Blind votes are another thing (`assistant.ballot`).
"""

import gradio as gr

from assistant.comparison import HIGHEST_SCORE, LOWEST_SCORE
from assistant.errors import AssistantError
from assistant.ratings import Mark
from assistant.studio import Studio
from assistant.ui.layout import notice

THUMB = (
    '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 7.5h2.5V14H2zM4.5 8l3-6c1.2 0 1.8.8 1.6 2L8.7'
    ' 6.5h4c.9 0 1.5.8 1.3 1.7l-1 4.6c-.2.7-.7 1.2-1.4 1.2H4.5"/></svg>'
)


def marks_html(mark: Mark, turn_id: int, lane: str) -> str:
    """The buttons, those chosen pressed; pressed again they take the mark back."""
    thumbs = "".join(
        _button("thumb", value, mark.thumb == value, label, THUMB)
        for value, label in ((1, "Good answer"), (-1, "Bad answer"))
    )
    scores = "".join(
        _button("score", value, mark.score == value, f"{value} of {HIGHEST_SCORE}", str(value))
        for value in range(LOWEST_SCORE, HIGHEST_SCORE + 1)
    )
    return (
        f'<div class="q-marks" role="group" aria-label="Quick mark" data-turn="{turn_id}" data-lane="{lane}">'
        f"{thumbs}<span>{scores}</span></div>"
    )


def keep_mark(studio: Studio, chat_id: str, event: gr.EventData) -> str:
    """Keep the mark that was pressed under one answer of this chat; returns what went wrong, as HTML."""
    try:
        turns = {str(turn.id): turn.id for turn in studio.chats.read(chat_id).turns}
        value = int(str(event.value)) if event.value else None
        studio.marks.set(turns[str(event.turn)], str(event.lane), str(event.kind), value)
    except (KeyError, ValueError):
        return notice("This answer is no longer there. Load the page again.", "problem")
    except AssistantError as problem:
        return notice(str(problem), "problem")
    return ""


def _button(kind: str, value: int, pressed: bool, label: str, content: str) -> str:
    return (
        f'<button type="button" data-{kind}="{value}" aria-pressed="{str(pressed).lower()}" title="{label}" '
        f'aria-label="{label}">{content}</button>'
    )
