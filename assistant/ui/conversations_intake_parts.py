"""Files that wait to be imported, as HTML: what each is, how it would be read, what cleaning does.

It knows how they look. It does not know how they are read.
"""

from collections.abc import Sequence
from html import escape

from assistant.conversations import LABELS, MOST_KEPT, STEPS, Cleaning, Example, Found, Preview, Recognised
from assistant.jobs import Event
from assistant.ui.conversations_parts import chat_html, examples_html
from assistant.ui.layout import notice
from assistant.ui.parts import action, duration, quiet, section, size
from assistant.wording import counted

SHOWN = 3
"""Conversations of a preview that are shown."""
LATER = ("folded", "capped")
"""Steps that need all conversations, so that a preview can't count them."""
NOBODY = "Nobody of your team answers in these. Choose who writes for you, or whether the columns are right."
LARGE = 200_000_000
"""Bytes of a file beside which it is told what is kept of it."""
HUGE = (
    f"A large file: up to {MOST_KEPT:,} conversations of it are kept, of more a fair sample from its "
    "beginning to its end. It takes some minutes for each 100 MB. You can leave this page meanwhile. "
    "Stopped, it keeps nothing."
)
HONEST = (
    "Patterns find most personal data, not all. Look at some conversations afterwards, and leave out or edit "
    "what must not be learned."
)


def waiting_html(found: Sequence[Found], picked: str) -> str:
    """The files that wait, the picked one marked; each with what it is, or why it can't be used."""
    rows = "".join(_waiting(each, each.source.name == picked) for each in found)
    title = section("Look before you add", counted(len(found), "file"))
    return f'{title}<ul class="q-intake-files">{rows}</ul>' if found else ""


def preview_html(recognised: Recognised | None, preview: Preview) -> str:
    """The first rows of a table with what each column is, and the first conversations as they would be."""
    if preview.problem:
        return (_table(recognised) if recognised else "") + notice(preview.problem, "problem")
    told, used = preview.conversations, len(preview.conversations)
    chats = "".join(f'<div class="q-card q-intake-chat">{chat_html(each)}</div>' for each in told[:SHOWN])
    said = f"{counted(used, 'conversation')} of the first {preview.looked_at:,} can be used"
    body = f'<div class="q-intake-chats">{chats}</div>' if chats else notice(NOBODY, "problem")
    return _table(recognised) + section("As they would be learned", said) + body


def steps_html(cleaning: Cleaning, preview: Preview) -> str:
    """The steps of cleaning, each with its switch, how often it changed something, and examples."""
    tally = preview.tally
    rows = "".join(
        _step(step, getattr(cleaning, step), tally.counts[step], tally.examples.get(step, ()))
        for step in STEPS
    )
    title = section("Cleaning", f"changes in the first {preview.looked_at:,}")
    return f'{title}<ul class="q-intake-steps">{rows}</ul>{quiet(HONEST, "q-intake-note")}'


def progress_html(events: Sequence[Event], *, stopping: bool) -> str:
    """How far the import is, with the time left and the way to stop it."""
    told = [event for event in events if event["event"] == "progress"]
    last: Event = told[-1] if told else {"text": "Getting ready", "fraction": 0.0, "conversations": 0}
    text, fraction, read = str(last["text"]), float(last["fraction"]), int(last["conversations"])
    seconds = last["time"] - told[0]["time"] if told else 0.0
    known = fraction > 0.02 and seconds > 1
    left = f" · about {duration(seconds / fraction * (1 - fraction))} left" if known else ""
    counts = f" · {read:,} read" if read else ""
    stop = "<span>Stopping</span>" if stopping else action("Stop", "stop", label="Stop the import")
    return (
        '<div class="q-card q-intake-progress" role="status">'
        f"<div><b>{escape(text)}{counts}{left}</b>{stop}</div>"
        f'<span class="q-meter q-parts-meter"><span style="width:{round(100 * fraction)}%"></span></span>'
        "</div>"
    )


def _waiting(found: Found, picked: bool) -> str:
    name = found.source.name
    what = found.recognised.title if found.recognised else "Not usable"
    drop = action("Discard", "discard", name, kind="bare", label=f"Discard {name}")
    said = f'<p class="q-intake-problem">{escape(found.problem)}</p>' if found.problem else ""
    if found.ready and found.source.size > LARGE:
        said += quiet(HUGE)
    chosen = ' aria-current="true"' if picked else ""
    return (
        f'<li{chosen}><button type="button" class="q-parts-link" data-do="pick" data-name="{escape(name)}">'
        f"{escape(name)}</button><span>{escape(what)} · {size(found.source.size)}</span>{drop}{said}</li>"
    )


def _table(recognised: Recognised | None) -> str:
    """The first rows, with each column that is used under its name here."""
    if recognised is None or not recognised.rows:
        return ""
    used = {column: LABELS[name] for name, column in recognised.layout.columns.items()}
    heads = "".join(
        f"<th{_mark(column in used)}>{escape(column)}<i>{escape(used.get(column, ''))}</i></th>"
        for column in recognised.columns
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{_mark(column in used)}>{escape(cell[:140])}</td>"
            for column, cell in zip(recognised.columns, row, strict=False)
        )
        + "</tr>"
        for row in recognised.rows
    )
    return (
        f'<div class="q-intake-table" tabindex="0"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _mark(used: bool) -> str:
    return ' class="q-intake-used"' if used else ""


def _step(step: str, on: bool, count: int, examples: Sequence[Example]) -> str:
    name, about = STEPS[step]
    switch = (
        f'<button type="button" role="switch" aria-checked="{str(on).lower()}" class="q-intake-switch" '
        f'data-do="toggle" data-name="{step}" aria-label="{escape(name)}"></button>'
    )
    number = "when added" if step in LATER else f"{count:,}"
    shown = number if on else "off"
    return (
        f"<li>{switch}<p><b>{escape(name)}</b> {escape(about)}</p><span>{shown}</span>"
        f"{examples_html(examples) if on else ''}</li>"
    )
