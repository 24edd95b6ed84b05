"""What a search found as HTML: each passage with its place, and why it was found.

It knows how findings look. It does not know how they are found.
"""

import re
from collections.abc import Iterable
from html import escape

from assistant.lanes import Source
from assistant.ui.layout import notice
from assistant.ui.parts import empty
from assistant.wording import counted
from knowledge.chunking import SEPARATOR, Passage
from knowledge.retrieval import Findings, Found

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+(?:['’][^\W_]+)?")


def findings_html(findings: Findings) -> str:
    """All that was found, best first."""
    if not findings.found:
        return empty("Nothing found", "No passage shares a word or a meaning with this. Try other words.")
    items = "".join(_found_html(found, number) for number, found in enumerate(findings.found, start=1))
    took = f"{counted(len(findings.found), 'passage')} in {1000 * findings.seconds:,.0f} ms"
    misfit = "" if findings.fits else notice(_misfit(findings))
    return f'{misfit}<p class="q-documents-took">{took}</p><ol class="q-documents-found">{items}</ol>'


def marked(text: str, words: Iterable[str]) -> str:
    """The text as HTML with the given words marked; words are compared as the word search compares them."""
    wanted, parts, done = set(words), [], 0
    for match in _WORD.finditer(text):
        if match.group().casefold().replace("’", "'").removesuffix("'s") in wanted:
            parts += [escape(text[done : match.start()]), f"<mark>{escape(match.group())}</mark>"]
            done = match.end()
    return "".join(parts) + escape(text[done:])


def source_of(passage: Passage) -> Source:
    """A passage as the source viewer takes it."""
    return Source(
        passage.document,
        passage.id,
        passage.place,
        passage.title,
        passage.text,
        passage.start,
        passage.end,
        0.0,
    )


def _misfit(findings: Findings) -> str:
    """That nothing fits, what the assistants make of it, and the words that gave it away."""
    unknown = ", ".join(f"“{word}”" for word in findings.fit.unknown) if findings.fit else ""
    why = f" No document holds {unknown}." if unknown else ""
    return (
        f"Nothing in the documents fits this question.{why} RAG and Combined are told so and shown no "
        "passage. These are the nearest."
    )


def _found_html(found: Found, number: int) -> str:
    passage = found.passage
    title, _, rest = passage.place.partition(SEPARATOR)
    place = f"<b>{escape(title)}</b>" + (f"{SEPARATOR}{escape(rest)}" if rest else "")
    text = f'<p class="q-documents-text">{marked(_excerpt(passage), found.matched_words)}</p>'
    return (
        f'<li><button type="button" class="q-documents-place" data-opens="source" data-do="open" '
        f'data-name="{escape(passage.document)}" data-passage="{escape(passage.id)}" data-number="{number}" '
        f'title="Open {escape(passage.document)} here"><i>{number}</i><span>{place}</span></button>'
        f"{text}{_twins(found)}{_why(found)}</li>"
    )


def _twins(found: Found) -> str:
    """Where else the same is said; nothing if nowhere."""
    places = ", ".join(sorted({escape(twin.document) for twin in found.twins}))
    return f'<p class="q-documents-twins">Also said in {places}</p>' if places else ""


def _excerpt(passage: Passage) -> str:
    """The passage without the titles it begins with, which its place names, and without empty lines."""
    text = passage.text
    for title in (passage.title.partition(SEPARATOR)[0], *passage.heading):
        text = text.removeprefix(f"{title}\n").lstrip("\n")
    return re.sub(r"\n\s*\n", "\n", text.strip())


def _why(found: Found) -> str:
    """Why a passage was found: its place in the search by meaning and in the search by words."""
    meaning = _ranked("Meaning", "dense vectors", found.dense_rank, f"cosine {found.similarity:.2f}")
    words = _ranked("Words", "BM25", found.lexical_rank, ", ".join(found.matched_words))
    before = "" if found.moved_from is None else _ranked("Before re-ranking", "both", found.moved_from, "")
    return f'<p class="q-documents-why"><span class="q-unseen">Why found: </span>{meaning}{words}{before}</p>'


def _ranked(name: str, how: str, rank: int | None, detail: str) -> str:
    place = "not found" if rank is None else f"#{rank}"
    weak = " q-documents-weak" if rank is None else ""
    return (
        f'<span class="q-documents-rank{weak}" title="{name}: the search by {how}"><b>{name} {place}</b>'
        f"{f'<span>{escape(detail)}</span>' if detail else ''}</span>"
    )
