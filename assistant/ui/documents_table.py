"""The list of documents as HTML, what is being added to it, and what was removed from it last.

It knows how documents look in the list. It does not know how they come in.
"""

from collections.abc import Mapping, Sequence
from html import escape

from assistant.ui.intake import Addition
from assistant.ui.layout import notice
from assistant.ui.parts import action, duration, empty, number, section, size, table, undo_strip
from assistant.ui.rendering import moment
from assistant.wording import counted
from knowledge.library import READY
from knowledge.retrieval import DocumentState, Progress

BEFORE, AFTER = 2, 4
"""Files shown around the one that is being read."""
HEADS = ("Document", "#Passages", "#Size", "#Cited", "Last change", "-Remove")
GIVES_ORDERS = (
    "This document holds text that speaks to the assistant as an order. If nobody meant it to, take it out:"
)
NO_DOCUMENTS = (
    "Drop your first files above: delivery, returns, opening hours, prices, whatever people ask about."
)


def table_html(
    documents: Sequence[DocumentState],
    removed: Sequence[DocumentState],
    news: str = "",
    *,
    cited: Mapping[str, int],
) -> str:
    """All documents, refused ones first; the last removal with its undo; the knowledge base's own news.

    `cited` tells by name how many questions a document was shown for.
    """
    undo = undo_strip([state.name for state in removed])
    if not documents:
        return notice(news) + undo + empty("No documents yet", NO_DOCUMENTS)
    ordered = sorted(documents, key=lambda state: state.state == READY)
    rows = table("q-documents-table", HEADS, (_row(state, cited.get(state.name, 0)) for state in ordered))
    return notice(news) + section("Your documents", _totals(documents)) + undo + rows


def addition_html(addition: Addition | None) -> str:
    """What is being added, or how the last addition ended; nothing if there was none."""
    if addition is None:
        return ""
    return _running(addition) if addition.running else _ended(addition)


def _totals(documents: Sequence[DocumentState]) -> str:
    ready = [state for state in documents if state.state == READY]
    parts = [counted(len(ready), "document"), counted(sum(state.passages for state in ready), "passage")]
    refused = len(documents) - len(ready)
    return " · ".join(parts + ([f"{refused} refused"] if refused else []))


def _row(state: DocumentState, cited: int) -> str:
    name, ready = escape(state.name), state.state == READY
    opens = f'class="q-parts-link" data-opens="source" data-do="open" data-name="{name}"'
    title = (
        f'<button type="button" {opens}>{name}</button>'
        if ready
        else f'<b class="q-documents-name">{name}</b>'
    )
    tag = "" if ready else '<span class="q-tag q-documents-refused">Refused</span>'
    message = f'<p class="q-documents-message">{escape(state.message)}</p>' if state.message else ""
    message += _order(state.order) if ready and state.order else ""
    remove = action("Remove", "remove", state.name, kind="bare", label=f"Remove {state.name}")
    passages = f"{state.passages:,}" if ready else "–"
    numbers = number(passages) + number(size(state.bytes)) + number(f"{cited:,}" if ready else "–")
    return f"<td>{tag}{title}{message}</td>{numbers}<td>{moment(state.added)}</td><td>{remove}</td>"


def _order(order: str) -> str:
    """A note on text that would have the assistant do something else than answer."""
    return (
        '<p class="q-documents-message"><span class="q-tag q-documents-refused">Gives orders</span>'
        f"{GIVES_ORDERS} <q>{escape(order)}</q></p>"
    )


def _running(addition: Addition) -> str:
    progress = addition.progress or Progress("Reading", 0, len(addition.names), addition.names[0])
    reading = progress.stage == "Reading"
    # Reading and embedding take about as long as each other, so each gets a half of the bar.
    share = progress.done / max(progress.total, 1)
    percent = round(50 * share if reading else 50 + 50 * share)
    left = _left(addition.seconds_left, "to read" if reading else "")
    later = f" · {counted(addition.waiting, 'file')} to follow" if addition.waiting else ""
    files = _files(addition.names, progress.done) if reading and len(addition.names) > 1 else ""
    return (
        '<div class="q-card q-documents-adding" role="status">'
        f'<div class="q-documents-now"><b>{escape(progress.text)}{left}{later}</b>'
        f"{action('Stop', 'stop', label='Stop adding')}</div>"
        f'<span class="q-meter q-parts-meter"><span style="width:{percent}%"></span></span>{files}</div>'
    )


def _left(seconds: float | None, what: str) -> str:
    return "" if seconds is None else f" · about {duration(seconds)} left {what}".rstrip()


def _files(names: Sequence[str], done: int) -> str:
    """The files around the one that is being read: those behind it ticked, those ahead waiting."""
    first = max(0, done - BEFORE)
    items = "".join(
        f'<li class="q-documents-{_standing(index, done)}">{escape(name)}</li>'
        for index, name in enumerate(names[first : done + AFTER + 1], start=first)
    )
    return f'<ul class="q-documents-files">{items}</ul>'


def _standing(index: int, done: int) -> str:
    if index == done:
        return "reading"
    return "read" if index < done else "waits"


def _ended(addition: Addition) -> str:
    when, parts = moment(addition.ended), []
    if addition.added:
        replaced = f"; {addition.replaced} took the place of an earlier one" if addition.replaced else ""
        parts.append(notice(f"{counted(addition.added, 'document')} added ({when}){replaced}.", "good"))
    if addition.unchanged:
        there = "was there already" if addition.unchanged == 1 else "were there already"
        parts.append(notice(f"{counted(addition.unchanged, 'document')} {there}, unchanged ({when})."))
    if addition.refused:
        refused = f"{counted(len(addition.refused), 'file')} can't be used ({when}). The list says why."
        parts.append(notice(refused, "problem"))
    return "".join(parts) + notice(addition.problem, "problem")
