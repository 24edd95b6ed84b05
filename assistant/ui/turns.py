"""A chat as HTML: the lanes' heads, turns side by side, older ones folded, and the welcome before the first.

It knows the order of things on the board. One answer's look is known by `answers.py`.
"""

from collections.abc import Mapping, Sequence
from html import escape

from assistant.access import asking, may_open
from assistant.chats import Turn
from assistant.errors import AssistantError
from assistant.lanes import LANES, Answer, Lane
from assistant.ratings import Mark
from assistant.studio import Step, Studio
from assistant.ui.answers import NO_MARK, answer_html, hue, switches
from assistant.ui.layout import notice, way
from assistant.wording import counted
from knowledge.errors import KnowledgeError

SHOWN_TURNS = 10
"""Turns shown open; earlier ones are folded away, which keeps streaming smooth."""

Marked = Mapping[tuple[int, str], Mark]
"""Quick marks by turn and lane."""
NO_MARKS: Marked = {}

ABOUT = {
    "prompt": "Your instructions alone.",
    "tuned": "A voice learned from your conversations.",
    "rag": "Your instructions, and passages from your documents.",
    "combined": "The learned voice, and passages from your documents.",
}


NO_ADAPTER_YET, NO_DOCUMENTS_YET = "No adapter yet", "No documents yet"
WELCOME = (
    "<h1>Ask once, hear four answers</h1>"
    "<p>One model, two switches: whether it learned your voice, and whether it looks things up in your "
    "documents.</p>"
)


def lane_heads(studio: Studio) -> str:
    """The four lanes by name, colour and switches, with a lane chooser for narrow screens."""
    tabs = "".join(
        f'<button type="button" role="tab" data-lane="{lane.key}" style="{hue(lane)}">{lane.name}</button>'
        for lane in LANES
    )
    heads = "".join(_head(lane, studio) for lane in LANES)
    chooser = f'<div class="q-tabs" role="tablist" aria-label="Assistant shown">{tabs}</div>'
    return f'{chooser}<div class="q-grid">{heads}</div>'


def question_html(turn: Turn | None) -> str:
    """What was asked, as the title of its turn."""
    return f'<h2 class="q-question" data-turn="{turn.id}">{escape(turn.question)}</h2>' if turn else ""


def lane_answer(turn: Turn | None, lane: Lane, *, writing: bool = False, marks: Marked = NO_MARKS) -> str:
    """What one lane said in a turn; empty before the first turn."""
    if turn is None:
        return ""
    answer, mark = turn.answers.get(lane.key, Answer(lane.key)), marks.get((turn.id, lane.key), NO_MARK)
    return answer_html(answer, turn.id, writing=writing, mark=mark)


def thread_html(turns: Sequence[Turn], marks: Marked = NO_MARKS) -> str:
    """Earlier turns, oldest first; those before the last `SHOWN_TURNS` are folded."""
    split = max(0, len(turns) - SHOWN_TURNS)
    folded = "".join(_turn_html(turn, marks) for turn in turns[:split])
    if folded:
        folded = (
            f'<details class="q-older"><summary>{counted(split, "earlier turn")}</summary>{folded}</details>'
        )
    return folded + "".join(_turn_html(turn, marks) for turn in turns[split:])


def welcome_html(studio: Studio) -> str:
    """What stands there before the first question: what this is, first steps left to do, sample questions."""
    try:
        brand, steps = studio.brand(), studio.first_steps()
    except (AssistantError, KnowledgeError) as problem:
        return f'<div class="q-welcome">{WELCOME}{notice(str(problem), "problem")}</div>'
    samples = "".join(
        f'<li><button type="button" class="q-chip" data-sample="{question}">{question}</button></li>'
        for question in map(escape, brand.sample_questions)
    )
    listed = f'<ul class="q-samples" aria-label="Sample questions">{samples}</ul>' if samples else ""
    return f'<div class="q-welcome">{WELCOME}{_steps_html(steps)}{listed}</div>'


def _head(lane: Lane, studio: Studio) -> str:
    return (
        f'<div class="q-cell q-cell-{lane.key}"><div class="q-head" style="{hue(lane)}"><h2>{lane.name}</h2>'
        f'{switches(lane)}<p class="q-head-about">{ABOUT[lane.key]}</p>{_lacks(lane, studio)}</div></div>'
    )


def _lacks(lane: Lane, studio: Studio) -> str:
    """What a lane still needs before it can do what its switches say, with the way there."""
    lacks = []
    if lane.tuned and not _has_adapter(studio):
        lacks.append(way("train", NO_ADAPTER_YET) or NO_ADAPTER_YET)
    if lane.grounded and not len(studio.knowledge):
        lacks.append(way("documents", NO_DOCUMENTS_YET) or NO_DOCUMENTS_YET)
    return f'<p class="q-head-lacks">{" · ".join(lacks)}</p>' if lacks else ""


def _has_adapter(studio: Studio) -> bool:
    try:
        return studio.has_adapter()
    except AssistantError:  # one that can't be read; asking says why
        return True


def _turn_html(turn: Turn, marks: Marked) -> str:
    cells = "".join(
        f'<div class="q-cell q-cell-{lane.key}">{lane_answer(turn, lane, marks=marks)}</div>'
        for lane in LANES
    )
    return f'<section class="q-turn">{question_html(turn)}<div class="q-grid">{cells}</div></section>'


def _steps_html(steps: Sequence[Step]) -> str:
    """The first steps with those done ticked; nothing once all are, or for those who can't take them."""
    if not any(may_open(asking(), step.page) for step in steps if not step.done):
        return ""
    items = "".join(
        f'<li class="{"q-step-done" if step.done else "q-step-open"}"><i></i>'
        + (_step_link(step) if not step.done else f'{escape(step.name)}<span class="q-unseen">: done</span>')
        + "</li>"
        for step in steps
    )
    return f'<ol class="q-steps" aria-label="First steps">{items}</ol>'


def _step_link(step: Step) -> str:
    return f'<a href="{escape(step.page)}">{escape(step.name)}</a>'
