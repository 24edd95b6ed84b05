"""Whether the documents say what an answer claims, sentence by sentence: by meaning, and figure by figure.

It knows sentences, figures and passages. It does not know who said them or how passages are found. It finds
what no passage speaks of and figures no passage holds; it does not see a claim that turns a passage round.
"""

import re
from collections.abc import Iterable, Sequence

from knowledge.lexical import words_of

LEAST = 0.3
"""Cosine with its nearest passage below which a sentence is taken to come from nowhere.

Of the sentences in the demo's own conversations, one in ten lies below."""
FEWEST_WORDS = 3
"""Words that say something, below which a sentence claims nothing: "Happy to help!"."""
PASSAGES = 3
"""The nearest passages, in which a sentence's figures have to stand."""

MARKUP = " \t-*•#>"
"""What stands around a sentence in a list or a heading."""

_OF_ITSELF = re.compile(r"(I|I['’]m|I am|sorry)\b", re.IGNORECASE)
"""How a sentence begins in which the assistant speaks of itself: an apology, an offer."""
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?](?=\s|$)|(?=\n|$))")
_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")


def claims(text: str, *, ignoring: Iterable[str] = ()) -> tuple[str, ...]:
    """The sentences of an answer that claim something of the company.

    No questions, none in which the assistant speaks of itself, and none that holds an ignored phrase.
    """
    phrases = [phrase.casefold().strip() for phrase in ignoring if phrase.strip()]
    sentences = (match.group().strip(MARKUP) for match in _SENTENCE.finditer(text))
    return tuple(sentence for sentence in sentences if _claims(sentence, phrases))


def is_supported(sentence: str, similarity: float, passages: Sequence[str]) -> bool:
    """Whether a sentence comes from its nearest passages, given the nearest's cosine and their texts.

    The nearest has to speak of it, and together they have to hold all its figures.
    """
    held = {figure for passage in passages for figure in _figures(passage)}
    return similarity >= LEAST and _figures(sentence) <= held


def _claims(sentence: str, phrases: Sequence[str]) -> bool:
    said = sentence.casefold()
    passed = sentence.endswith("?") or _OF_ITSELF.match(sentence) or any(each in said for each in phrases)
    return not passed and len(words_of(sentence)) >= FEWEST_WORDS


def _figures(text: str) -> frozenset[str]:
    """The figures of a text: "£12.40 in a 17 cm pot" has 12.40 and 17; 3.0 and 3 are the same."""
    return frozenset(_plain(figure) for figure in _FIGURE.findall(text))


def _plain(figure: str) -> str:
    figure = re.sub(r"[.,:]0+$", "", figure)
    return figure.lstrip("0") or "0"
