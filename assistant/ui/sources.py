"""A source opened beside the answers: the document's text with the passage marked in it, as HTML.

It knows how a passage is shown in its document. Where the text comes from is known by the knowledge base.
"""

from html import escape

from assistant.lanes import Source
from knowledge.errors import KnowledgeError
from knowledge.retrieval import KnowledgeBase

AROUND = 40_000
"""Characters of the document shown before and after the passage."""

CHANGED = "The document has changed since this answer. This is the passage as the assistant read it."


def source_html(source: Source, number: int, knowledge: KnowledgeBase) -> str:
    """The document with the passage marked; the passage alone, as it was, where the document has changed."""
    try:
        text = knowledge.text(source.document)
    except KnowledgeError as problem:
        return _panel(source, number, _passage(source.text), str(problem))
    if text[source.start : source.end] != source.text:
        return _panel(source, number, _passage(source.text), CHANGED)
    return _panel(source, number, _marked(text, source.start, source.end), "")


def _panel(source: Source, number: int, body: str, note: str) -> str:
    title, _, place = source.place.partition(" › ")
    parts = [
        f'<p class="q-panel-over">Source {number} · {escape(source.document)}</p><h2>{escape(title)}</h2>'
    ]
    parts += [f'<p class="q-panel-place">{escape(place)}</p>'] if place else []
    parts += [f'<p class="q-panel-note">{escape(note)}</p>'] if note else []
    return f'<div class="q-panel">{"".join(parts)}<div class="q-document" tabindex="0">{body}</div></div>'


def _marked(text: str, start: int, end: int) -> str:
    before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    left_out = "[earlier text left out]\n\n" if start > AROUND else ""
    cut_off = "\n\n[later text left out]" if end + AROUND < len(text) else ""
    return f"{left_out}{escape(before)}{_passage(text[start:end])}{escape(after)}{cut_off}"


def _passage(text: str) -> str:
    return f'<mark class="q-passage">{escape(text)}</mark>'
