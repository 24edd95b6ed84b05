"""A document opened beside the page: its text with headings and pages, and a source's passage marked in it.

It knows how a text is shown, and what to say where it has changed. Where texts come from is known elsewhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from assistant.lanes import Source
from knowledge.documents import Document, Section
from knowledge.errors import KnowledgeError
from knowledge.retrieval import KnowledgeBase

AROUND = 40_000
"""Characters of the document shown before and after the passage."""
LONGEST_SHOWN = 200_000
"""Characters shown at most of a document that is opened as a whole."""

AS_READ = "This is the passage as the assistant read it."
REMOVED = f"{{name}} has been removed since this answer. {AS_READ}"
CHANGED = f"The document has changed since this answer, and no longer says this. {AS_READ}"
STILL_THERE = "The document has changed since this answer; this passage is still in it, word for word."


@dataclass(frozen=True)
class _Place:
    """Where a passage stands in its document as it is now (-1 if nowhere), and what to say of that."""

    start: int
    note: str = ""


def source_html(source: Source, number: int, knowledge: KnowledgeBase, *, answered: str = "") -> str:
    """The document with the passage marked; the passage as it was where the document no longer holds it.

    `answered` is when the source was read, as it is written down; empty if just now.
    """
    added = {state.name: state.added for state in knowledge.documents()}
    if source.document not in added:
        note = REMOVED.format(name=source.document)
        return _panel(source, number, _passage(escape(source.text)), note)
    try:
        document = knowledge.document(source.document)
    except KnowledgeError as problem:
        return _panel(source, number, _passage(escape(source.text)), f"{problem} {AS_READ}")
    place = _place_of(source, document.text, changed=bool(answered) and added[source.document] > answered)
    if place.start >= 0:
        return _panel(source, number, _marked(document, place.start, len(source.text)), place.note)
    return _panel(source, number, _passage(escape(source.text)) + _as_it_is(document), place.note)


def document_html(document: Document) -> str:
    """A document's text as it is searched."""
    shown = _styled(document, 0, LONGEST_SHOWN)
    shown += "\n\n[later text left out]" if len(document.text) > LONGEST_SHOWN else ""
    return (
        f'<div class="q-panel"><p class="q-panel-over">The text that is searched</p>'
        f'<h2>{escape(document.name)}</h2><div class="q-document" tabindex="0">{shown}</div></div>'
    )


def _place_of(source: Source, text: str, *, changed: bool) -> _Place:
    if text[source.start : source.end] == source.text:
        return _Place(source.start, STILL_THERE if changed else "")
    found = list(_occurrences(text, source.text))
    if not found:
        return _Place(-1, CHANGED)
    return _Place(min(found, key=lambda start: abs(start - source.start)), STILL_THERE)


def _occurrences(text: str, passage: str) -> Iterator[int]:
    at = text.find(passage)
    while at >= 0:
        yield at
        at = text.find(passage, at + 1)


def _panel(source: Source, number: int, body: str, note: str) -> str:
    title, _, place = source.place.partition(" › ")
    parts = [
        f'<p class="q-panel-over">Source {number} · {escape(source.document)}</p><h2>{escape(title)}</h2>'
    ]
    parts += [f'<p class="q-panel-place">{escape(place)}</p>'] if place else []
    parts += [f'<p class="q-panel-note">{escape(note)}</p>'] if note else []
    return f'<div class="q-panel">{"".join(parts)}<div class="q-document" tabindex="0">{body}</div></div>'


def _marked(document: Document, start: int, length: int) -> str:
    """The passage within the text around it."""
    end, text = start + length, document.text
    left_out = "[earlier text left out]\n\n" if start > AROUND else ""
    cut_off = "\n\n[later text left out]" if end + AROUND < len(text) else ""
    before = _styled(document, max(0, start - AROUND), start)
    passage = _passage(_styled(document, start, end))
    return f"{left_out}{before}{passage}{_styled(document, end, end + AROUND)}{cut_off}"


def _as_it_is(document: Document) -> str:
    """What the document says now, folded."""
    return (
        '<details class="q-document-now"><summary>The document as it is now</summary>'
        f"<div>{_styled(document, 0, LONGEST_SHOWN)}</div></details>"
    )


def _passage(html: str) -> str:
    return f'<mark class="q-passage">{html}</mark>'


def _styled(document: Document, first: int, last: int) -> str:
    """A stretch of the text: headings as such, and a line where a page begins.

    A page that begins where the stretch does belongs to what stands before it.
    """
    last, parts, at = min(last, len(document.text)), [], first
    for section, begins in _with_pages(document):
        if begins and (first < section.start <= last or first == section.start == 0):
            parts += [escape(document.text[at : section.start]), _page_line(document, section)]
            at = section.start
        start, end = max(section.start, first), min(section.start + section.body, last)
        if start < end:
            heading = escape(document.text[start:end])
            parts += [escape(document.text[at:start]), f'<b class="q-document-heading">{heading}</b>']
            at = end
    return "".join(parts) + escape(document.text[at:last])


def _with_pages(document: Document) -> Iterator[tuple[Section, bool]]:
    """The sections in their order, and whether a page begins with each."""
    page = None
    for section in document.sections:
        yield section, section.page is not None and section.page != page
        page = section.page


def _page_line(document: Document, section: Section) -> str:
    """A line with the page's number; no text of its own, so that what is marked or copied stays the text."""
    name = f"{document.unit.capitalize()} {section.page}"
    return f'<span class="q-document-page" role="separator" aria-label="{name}" data-page="{name}"></span>'
