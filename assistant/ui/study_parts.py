"""A study as HTML: the list of studies, where one is, its questions, criteria and raters.

It knows how they look and which event a click on one sends. It does not know what follows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from assistant.comparison import SYSTEM_NAMES, Criterion, Item, Rater, Study
from assistant.comparison.answering import Progress
from assistant.lanes import Answer
from assistant.statistics.power import Plan
from assistant.ui.layout import notice
from assistant.ui.parts import action, duration, empty, quiet, table
from assistant.ui.rendering import markdown, moment
from assistant.wording import counted

STATES = {"draft": "Draft", "answering": "Answers", "open": "Votes", "closed": "Closed"}
"""The steps of a study, in order, as people read them."""
SHOWN_ITEMS = 60
"""Questions listed at once."""
NO_STUDY = empty(
    "Let people decide, without knowing whose answer it is",
    "A study asks your questions to all four assistants once. Your colleagues then rank and score the "
    "answers without seeing who wrote them. Name a study to begin.",
)
PLANNING = quiet("Working out how many questions it takes …")


@dataclass(frozen=True)
class Sheet:
    """How far one rater is: how many of their sheet's showings they judged."""

    rater: Rater
    done: int
    total: int


def list_html(studies: Sequence[Study], shown: str) -> str:
    """All studies, the one shown marked."""
    items = "".join(_listed(study, study.id == shown) for study in studies)
    return f'<ul class="q-study-list">{items}</ul>' if items else ""


def _listed(study: Study, shown: bool) -> str:
    current = " aria-current=true" if shown else ""
    return (
        f"<li{current}>{action(study.name, 'open', study.id, kind='link')}"
        f"<span>{STATES[study.state]} · {moment(study.created)}</span></li>"
    )


def steps_html(study: Study) -> str:
    """Where a study is, as a line of steps."""
    names = list(STATES)
    at = names.index(study.state)
    steps = "".join(
        f'<li class="{"q-study-past" if place < at else ""}"{" aria-current=step" if place == at else ""}>'
        f"<span>{STATES[name]}</span></li>"
        for place, name in enumerate(names)
    )
    return f'<ol class="q-study-steps" aria-label="Where this study is">{steps}</ol>'


def draft_html(items: int, raters: int, missing: Sequence[str]) -> str:
    """What a draft still needs, and the way on."""
    lacks = [] if items else ["questions"]
    lacks += [] if raters else ["raters"]
    if lacks:
        return _said(f"Add {' and '.join(lacks)}, then let the assistants answer.")
    without = f" {' and '.join(missing)} can’t answer yet and will be left out." if missing else ""
    return _said(
        f"{counted(items, 'question')} for {counted(raters, 'rater')}. The assistants answer once; after "
        f"that nothing can be changed.{without}",
        action("Get the answers", "start", kind="strong"),
    )


def answering_html(progress: Progress) -> str:
    """How far the answers are, and what can be done."""
    bar = f'<progress max="{progress.total}" value="{progress.done}" aria-label="Answered"></progress>'
    text = f"{progress.done} of {progress.total} questions answered"
    if progress.running:
        left = progress.seconds_left
        return _said(text + (f", about {duration(left)} left." if left else "."), action("Stop", "stop"), bar)
    again = _sure("Back to the draft", "redraft", "Forget these answers?", "Forget them")
    if progress.done == progress.total:
        return _said(
            f"All {progress.total} questions are answered. Look at some below, then let the raters begin.",
            action("Open the round", "open_round", kind="strong") + again,
        )
    problem = notice(progress.problem, "problem") if progress.problem else ""
    return problem + _said(
        f"{text}; nobody is at work.", action("Go on", "start", kind="strong") + again, bar
    )


def open_html(votes: int, total: int) -> str:
    """How far the votes are, and the end of the round."""
    bar = f'<progress max="{max(total, 1)}" value="{votes}" aria-label="Votes"></progress>'
    close = _sure(
        "Close the round", "close_round", "No vote is taken or changed after that.", "Close it for good"
    )
    return _said(f"{votes} of {counted(total, 'vote')} given.", close, bar)


def closed_html(votes: int) -> str:
    """What is said of a round that is over."""
    return _said(f"The round is over, with {counted(votes, 'vote')}. The raters’ links show who wrote what.")


def standing_html(standing: str, study_id: str) -> str:
    """What the votes come to so far, and the way to the report."""
    report = f'<a href="report?study={escape(study_id)}">See the report</a>'
    return quiet(f"{escape(standing)} {report}", "q-study-standing")


def plan_html(plan: Plan | None, items: int) -> str:
    """How many questions it takes; nothing said yet while it is being worked out."""
    if plan is None:
        return PLANNING
    need = (
        f"With {counted(plan.raters, 'rater')}, about {counted(plan.questions, 'question')} show a "
        f"difference that wins 65 times in 100 ({plan.rankings} rankings, at most {plan.each} a rater)."
    )
    short = plan.questions - items
    rest = f" {counted(short, 'more question')} to go." if short > 0 else " You have enough."
    return quiet(escape(need + rest))


def items_html(items: Sequence[Item], *, draft: bool) -> str:
    """The questions: to be removed while it is a draft, with their answers afterwards."""
    if not items:
        return quiet("No questions yet. Thirty to a hundred usually decide.")
    rows = "".join(_item(number, item, draft) for number, item in enumerate(items[:SHOWN_ITEMS], 1))
    more = quiet(f"and {len(items) - SHOWN_ITEMS} more") if len(items) > SHOWN_ITEMS else ""
    clear = action("Remove all", "clear_items", kind="bare") if draft and len(items) > 1 else ""
    return f'<ol class="q-study-items">{rows}</ol>{more}{clear}'


def criteria_html(criteria: Sequence[Criterion], *, draft: bool) -> str:
    """What is scored, and what a 1 and a 5 mean."""
    rows = []
    for each in criteria:
        change = action("Edit", "edit_criterion", each.key, label=f"Edit {each.name}", kind="bare")
        remove = action("Remove", "remove_criterion", each.key, label=f"Remove {each.name}", kind="bare")
        rows.append(
            f"<div><dt>{escape(each.name)}{f'<span>{change}{remove}</span>' if draft else ''}</dt>"
            f"<dd><b>1</b> {escape(each.low)}</dd><dd><b>5</b> {escape(each.high)}</dd></div>"
        )
    return f'<dl class="q-study-criteria">{"".join(rows)}</dl>'


def raters_html(sheets: Sequence[Sheet], *, drawn: bool, closed: bool) -> str:
    """Each rater with their link to copy, and how far they are."""
    if not sheets:
        return quiet("No raters yet. Three or more tell differences of taste from differences of answers.")
    rows = [_rater(sheet, drawn, closed) for sheet in sheets]
    return table("q-study-raters", ("Rater", "#Judged" if drawn else "-Judged", "-Link"), rows)


def remove_html() -> str:
    """The way to remove a study, asked about first."""
    return _sure(
        "Remove this study", "remove_study", "Its answers and votes go with it, for good.", "Remove it"
    )


def _said(text: str, actions: str = "", more: str = "") -> str:
    return (
        f'<div class="q-study-now"><p>{escape(text)}</p>{more}<div class="q-study-acts">{actions}</div></div>'
    )


def _sure(text: str, do: str, warning: str, sure: str) -> str:
    """An action that is asked about before it is done."""
    return (
        f'<details class="q-study-sure"><summary>{escape(text)}</summary><p>{escape(warning)} '
        f"{action(sure, do, kind='alert')}</p></details>"
    )


def _item(number: int, item: Item, draft: bool) -> str:
    origin = " · ".join(
        filter(None, (item.topic, item.origin, "with the agent’s answer" if item.reference else ""))
    )
    before = f"{counted(len(item.history), 'turn')} before · " if item.history else ""
    remove = action("Remove", "remove_item", str(item.id), kind="bare", label=f"Remove question {number}")
    answers = _answers(item.answers) if item.answers else ""
    return (
        f"<li><div><p>{escape(item.question)}</p><span>{before}{escape(origin)}</span></div>"
        f"{remove if draft else ''}{answers}</li>"
    )


def _answers(answers: Mapping[str, Answer]) -> str:
    shown = "".join(
        f"<dt>{SYSTEM_NAMES[system]}</dt><dd>{markdown(answers[system].text)}</dd>"
        for system in SYSTEM_NAMES
        if system in answers
    )
    return f"<details><summary>Answers</summary><dl>{shown}</dl></details>"


def _rater(sheet: Sheet, drawn: bool, closed: bool) -> str:
    # Relative, so that it also holds behind a proxy with a prefix; copying makes it whole.
    link = f"rate/{escape(sheet.rater.token)}"
    judged = f"{sheet.done} of {sheet.total}" if drawn else ""
    remove = action(
        "Remove", "remove_rater", str(sheet.rater.id), kind="bare", label=f"Remove {sheet.rater.name}"
    )
    gone = remove if not sheet.done and not closed else ""
    return (
        f'<td>{escape(sheet.rater.name)}</td><td class="q-number">{judged}</td>'
        f'<td>{gone}<a href="{link}" target="_blank" rel="noreferrer">Open</a> '
        f'<button type="button" class="q-parts-plain" data-copy="{link}">Copy link</button></td>'
    )
