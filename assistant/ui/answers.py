"""One lane's answer as HTML: its text, its sources, how fast it was, and what produced it.

It knows how an answer looks, while it is written and afterwards. It does not know chats or handlers.
"""

from html import escape

from assistant.lanes import NO_ADAPTER, Answer, Followed, Lane, Record, Source, lane_of
from assistant.ratings import Mark
from assistant.ui.layout import way
from assistant.ui.marks import marks_html
from assistant.ui.rendering import markdown, marked, moment
from assistant.wording import counted

QUERY_SHOWN = 120
"""Characters shown of what was searched for."""

CUT_OFF = "Cut off before it was finished. Retry asks again."
NO_DOCUMENTS = "This company has no documents yet."
NOTHING_FOUND = "Nothing in the documents fits this question."

UNSUPPORTED = "Nothing in the documents says this."
FOLLOWED = "This answer may follow an instruction written in"

ENDINGS = {
    "end": "the model ended it",
    "length": "cut off at the token limit",
    "stop": "ended at a stop text",
    "time": "stopped at the time limit",
    "cancelled": "stopped",
    "busy": "not begun: too many answers were waiting",
    "failed": "failed",
}
NO_MARK = Mark()
CUT_SHORT = ("length", "time", "cancelled")
"""Endings that are said under the answer: there would have been more."""


def answer_html(answer: Answer, turn_id: int, *, writing: bool = False, mark: Mark = NO_MARK) -> str:
    """An answer; `writing` while more text may come, `mark` is the quick one that was given."""
    lane = lane_of(answer.lane)
    waits = writing and not answer.done
    parts = [_label(lane), _body(answer, waits), *map(_followed, answer.followed), _sources(answer, turn_id)]
    if answer.record:
        parts.append(_facts(answer, answer.record))
        if not writing:
            parts.append(marks_html(mark, turn_id, lane.key))
    elif not waits and not answer.error:
        parts.append(f'<p class="q-facts">{CUT_OFF}</p>')
    state = ' aria-busy="true"' if waits else ""
    return f'<article class="q-answer" style="{hue(lane)}"{state}>{"".join(parts)}</article>'


def hue(lane: Lane) -> str:
    """The lane's three colours as CSS variables, for an element's style attribute."""
    name = f"--q-{lane.key}"
    return f"--hue: var({name}); --hue-ink: var({name}-ink); --hue-soft: var({name}-soft)"


def switches(lane: Lane) -> str:
    """The lane's two switches, each shown on or off."""
    both = _switch("Tuned", lane.tuned) + _switch("Looks things up", lane.grounded)
    return f'<span class="q-switches">{both}</span>'


def _switch(name: str, on: bool) -> str:
    state = "on" if on else "off"
    return (
        f'<span class="q-switch q-switch-{state}"><i></i>{name}<span class="q-unseen">: {state}</span></span>'
    )


def _label(lane: Lane) -> str:
    return f'<h3 class="q-answer-lane"><i class="q-swatch"></i>{escape(lane.name)}{switches(lane)}</h3>'


def _body(answer: Answer, waits: bool) -> str:
    if answer.error == NO_ADAPTER:
        advice = way("train", "Train an adapter", " and it answers here.")
        return (
            '<div class="q-answer-missing"><p>This assistant has not learned a voice yet.</p>'
            f"{f'<p>{advice}</p>' if advice else ''}</div>"
        )
    text = marked(markdown(answer.text), answer.unsupported, "q-unsupported", UNSUPPORTED)
    if answer.error:
        text += f'<p class="q-answer-error" role="alert">{escape(answer.error)}</p>'
    if waits and not answer.text:
        text = f'<p class="q-answer-wait">{_doing(answer)}<i></i><i></i><i></i></p>'
    elif not answer.text and not answer.error:
        text = '<p class="q-quiet">No words.</p>'
    return f'<div class="q-answer-text">{text}</div>'


def _followed(order: Followed) -> str:
    said = f'<q class="q-answer-order">{escape(order.order)}</q>'
    return f'<p class="q-answer-followed" role="note">{FOLLOWED} <b>{escape(order.document)}</b>: {said}</p>'


def _doing(answer: Answer) -> str:
    """What a lane does before its first word."""
    if answer.waiting == 0:
        return "Next in line"
    if answer.waiting:
        before = counted(answer.waiting, "answer")
        return f"Waiting: {before} {'is' if answer.waiting == 1 else 'are'} before this one"
    return f"Reading {counted(len(answer.sources), 'passage')}" if answer.sources else "Thinking"


def _sources(answer: Answer, turn_id: int) -> str:
    if not answer.sources:
        if lane_of(answer.lane).grounded and answer.done and not answer.error:
            searched = answer.record is not None and answer.record.index_version is not None
            add = way("documents", "Add some", " to look things up in.")
            return f'<p class="q-sources-none">{NOTHING_FOUND if searched else f"{NO_DOCUMENTS} {add}"}</p>'
        return ""
    chips = "".join(
        _chip(source, number, answer.lane, turn_id) for number, source in enumerate(answer.sources, 1)
    )
    return f'<ol class="q-sources" aria-label="Sources">{chips}</ol>'


def _chip(source: Source, number: int, lane: str, turn_id: int) -> str:
    place, document = escape(source.place), escape(source.document)
    return (
        f'<li><button type="button" class="q-source" data-turn="{turn_id}" data-lane="{lane}" '
        f'data-number="{number}" title="{place} ({document})">'
        f"<b>{number}</b><span>{place}</span></button></li>"
    )


def _facts(answer: Answer, record: Record) -> str:
    first_word = record.retrieval_seconds + record.first_token_seconds
    facts = [f"{first_word:.1f} s to first word"] if answer.text else []
    facts += [f"{answer.words_per_second:.1f} words/s"] if answer.words_per_second else []
    facts += [f"voice at {_strength(record)}"] if record.adapter and record.scale != 1 else []
    if answer.unsupported:
        facts.append(f"{counted(len(answer.unsupported), 'sentence')} not in the documents")
    facts += [ENDINGS[record.finish]] if record.finish in CUT_SHORT else []
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in _provenance(record))
    return (
        f'<div class="q-facts"><p>{" · ".join(facts)}</p>'
        f"<details><summary>What produced it</summary><dl>{rows}</dl></details></div>"
    )


def _provenance(record: Record) -> list[tuple[str, str]]:
    """What was observed when the answer was generated, as name and value."""
    sampling = record.sampling
    adapter = f"version {record.adapter}" if record.adapter else "none"
    choice = "likeliest token" if sampling.temperature == 0 else f"temperature {sampling.temperature:g}"
    rows = [("Base", record.base), ("Adapter", adapter)]
    if record.adapter:
        rows.append(("Voice strength", _strength(record)))
    if record.index_version is not None:
        rows.append(("Passages", f"{len(record.passages)} from index {record.index_version}"))
        rows.append(("Search", f"{record.retrieval_seconds:.2f} s for “{_ending(record.query or '')}”"))
    rows += [
        ("Sampling", f"seed {sampling.seed}, {choice}"),
        ("Tokens", f"{_read(record)}, {record.completion_tokens:,} written"),
        ("Ending", ENDINGS.get(record.finish, record.finish)),
        ("Time", f"{record.seconds:.1f} s, {moment(record.created)}"),
        ("Prompt hash", record.prompt_hash[:16]),
    ]
    return rows


def _strength(record: Record) -> str:
    return f"{100 * record.scale:.0f} %"


def _read(record: Record) -> str:
    """The prompt's tokens, and how many of them were kept from earlier answers."""
    kept = f" ({record.reused_tokens:,} of them kept from before)" if record.reused_tokens else ""
    return f"{record.prompt_tokens:,} read{kept}"


def _ending(query: str) -> str:
    """The last words of a search, which hold the question; what was said before comes first, at length."""
    return query if len(query) <= QUERY_SHOWN else f"…{query[-QUERY_SHOWN:]}"
