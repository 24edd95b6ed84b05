"""Conversations as HTML: their files, numbers, refused lines, and one of them to read.

It knows how they look. It does not know how they are read or kept.
"""

from collections.abc import Mapping, Sequence
from html import escape

from assistant.conversations import (
    STEPS,
    About,
    Conversation,
    Example,
    FileSummary,
    Refusal,
)
from assistant.ui.parts import action, empty, number, quiet, section, size, table, undo_strip
from assistant.ui.rendering import moment
from assistant.wording import counted

SHOWN_REFUSALS = 100
SPEAKERS = {"system": "Instructions", "user": "Customer", "assistant": "Reply"}
CHANGES = {"excluded": "Left out", "included": "In use again:", "edited": "Edited"}
NO_FILES = "Drop an export of your help desk above, with replies your company is proud of."
NOTE = "q-conversations-note"
SHAPES = (
    '{"messages": [\n  {"role": "user", "content": "Is express quicker?"},\n'
    '  {"role": "assistant", "content": "Yes, by a day."}]}',
    '{"conversations": [\n  {"from": "human", "value": "Is express quicker?"},\n'
    '  {"from": "gpt", "value": "Yes, by a day."}]}',
)
MENDING = (
    "The rest of these files is in use. Mend these in the file and drop it again: "
    "it takes the place of the one here."
)


def files_html(files: Sequence[FileSummary], removed: Sequence[str]) -> str:
    """The files, and the last removal with its undo."""
    undo = undo_strip(list(removed))
    if not files:
        return undo + empty("No conversations yet", NO_FILES)
    heads = ("File", "#Conversations", "#Refused", "#Size", "Added", "-Remove")
    title = section("Your files", counted(len(files), "file"))
    return title + undo + table("q-conversations-files", heads, map(_file_row, files))


def example_html() -> str:
    """What a file looks like, for those who have none here yet."""
    shapes = "".join(f"<pre>{escape(shape)}</pre>" for shape in SHAPES)
    return (
        section("What a file holds")
        + quiet(
            "Whatever your help desk exports is looked at first. The simplest is one conversation a line, "
            "in either of these shapes.",
            NOTE,
        )
        + f'<div class="q-card q-conversations-example">{shapes}</div>'
        + quiet("Broken into lines here to be read; in the file each conversation stands on one.", NOTE)
    )


def refused_html(refused: Sequence[Refusal]) -> str:
    """The places that can't be used, with the rule each breaks and what to do."""
    if not refused:
        return ""
    heads = ("File", "#Line", "Found", "Rule", "Next step")
    rows = table("", heads, map(_refusal_row, refused[:SHOWN_REFUSALS]))
    left = len(refused) - SHOWN_REFUSALS
    title = section("Refused", counted(len(refused), "place")) + quiet(MENDING, NOTE)
    more = quiet(f"And {left:,} more.") if left > 0 else ""
    return f'{title}<div class="q-conversations-refused" tabindex="0">{rows}</div>{more}'


def reader_html(
    conversations: Sequence[Conversation], at: int, searched: str, *, excluded: bool = False
) -> str:
    """One of the conversations as a chat, with what can be done with it, and the ways to its neighbours."""
    if not conversations:
        held = f"No conversation holds “{searched}”. Try another word." if searched else "Nothing is here."
        return empty("None found", held)
    at = min(max(at, 0), len(conversations) - 1)
    shown = conversations[at]
    before = _turner("Previous", at - 1, possible=at > 0)
    after = _turner("Next", at + 1, possible=at + 1 < len(conversations))
    place = f"<span>{at + 1:,} of {len(conversations):,}</span>"
    name = f"{at} {shown.source}"
    out = (
        action("Use again", "include", name, label="Use this conversation again")
        if excluded
        else action("Edit", "edit", name, kind="bare", label="Edit this conversation")
        + action("Leave out", "exclude", name, label="Leave out this conversation")
    )
    return (
        f'<div class="q-conversations-pager">{before}{place}{after}</div>'
        f'<div class="q-card"><div class="q-conversations-head">{where_html(shown)}<div>{out}</div></div>'
        f"{chat_html(shown, searched)}</div>"
    )


def chat_html(conversation: Conversation, searched: str = "") -> str:
    """A conversation as a chat, with the searched words marked."""
    turns = "".join(
        f'<li class="q-conversations-{message.role}"><b>{SPEAKERS[message.role]}</b>'
        f"<p>{_highlighted(message.content, searched)}</p></li>"
        for message in conversation.messages
    )
    return f'<ol class="q-conversations-chat">{turns}</ol>'


def where_html(conversation: Conversation) -> str:
    """Where a conversation comes from: topic, day, and place in its file."""
    file = conversation.source.rpartition(":")[0]
    place = f"{file}, {conversation.place}" if conversation.place else conversation.source
    day = moment(conversation.time) if conversation.time else ""
    where = " · ".join(filter(None, (conversation.topic, day, place)))
    return f'<p class="q-conversations-where">{escape(where)}</p>'


def change_html(last: tuple[str, str] | None) -> str:
    """The last change of a conversation, with the way back; nothing if there is none."""
    if last is None:
        return ""
    done, source = last
    return (
        f'<div class="q-parts-undo" role="status"><span>{CHANGES[done]} <b>{escape(source)}</b></span>'
        f"{action('Undo', 'undo', source, label=f'Undo the change of {source}')}</div>"
    )


def _file_row(file: FileSummary) -> str:
    remove = action("Remove", "remove", file.name, kind="bare", label=f"Remove {file.name}")
    refused = f"{file.refused:,}" if file.refused else "–"
    numbers = number(f"{file.conversations:,}") + number(refused) + number(size(file.bytes))
    name = f"<b>{escape(file.name)}</b>{_import_html(file.about) if file.about else ''}"
    return f"<td>{name}</td>{numbers}<td>{moment(file.added)}</td><td>{remove}</td>"


def _import_html(about: About) -> str:
    """What a file was and what was done to it, folded away."""
    sampled = f" A fair sample of {about.sampled:,} was taken." if about.sampled else ""
    masked = ", ".join(f"{kind} {count:,}" for kind, count in sorted(about.masked.items()))
    more = quiet(f"Masked: {escape(masked)}.") if masked else ""
    said = f"{escape(about.title)}, {counted(about.seen, 'conversation')} read.{sampled}"
    return (
        f'<details class="q-conversations-import"><summary>{said}</summary>'
        f"{done_html(about.counts, about.examples)}{more}</details>"
    )


def done_html(counts: Mapping[str, int], examples: Mapping[str, Sequence[Example]]) -> str:
    """What the steps did to a file that is in use, with examples."""
    rows = "".join(
        f"<li><b>{escape(STEPS[step][0])}</b><span>{counts[step]:,}</span>"
        f"{examples_html(examples.get(step, ()))}</li>"
        for step in STEPS
        if counts.get(step)
    )
    return f'<ul class="q-intake-done">{rows}</ul>' if rows else quiet("Nothing had to be changed.")


def examples_html(examples: Sequence[Example]) -> str:
    """Texts before a step and after it, folded away."""
    if not examples:
        return ""
    pairs = "".join(
        f'<div><p class="q-intake-before">{escape(each.before)}</p>'
        f'<p class="q-intake-after">{escape(each.after) or "<i>left out</i>"}</p></div>'
        for each in examples
    )
    return f"<details><summary>Before and after</summary>{pairs}</details>"


def _refusal_row(refusal: Refusal) -> str:
    texts = (refusal.value, refusal.rule, refusal.advice)
    rest = "".join(f"<td>{escape(text)}</td>" for text in texts)
    return f"<td>{escape(refusal.file)}</td>{number(str(refusal.line))}{rest}"


def _turner(text: str, at: int, *, possible: bool) -> str:
    button = action(text, "turn", str(at), label=f"{text} conversation")
    return button if possible else button.replace("<button", "<button disabled", 1)


def _highlighted(text: str, searched: str) -> str:
    """The text with the searched words marked wherever they stand; capitals don't matter."""
    low, wanted = text.lower(), searched.lower()
    # Lower case can be longer than the text ("İ"): then nothing is marked rather than the wrong place.
    if not wanted or len(low) != len(text):
        return escape(text)
    parts, done = [], 0
    while (found := low.find(wanted, done)) >= 0:
        end = found + len(wanted)
        parts += [escape(text[done:found]), f"<mark>{escape(text[found:end])}</mark>"]
        done = end
    return "".join(parts) + escape(text[done:])
