"""Which answers follow an order that stands in a document they were shown.

It knows what an order asks to be said: words in quotes or after a colon, codes, names, addresses. Where such
words stand in an answer, and in nothing else it was asked with, it has them from there. How orders are told
from other text is known by `knowledge.orders`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.brand import Brand
from assistant.lanes import Answer, Followed
from assistant.prompts import system_prompt
from knowledge.orders import SIGNS, orders

SHOWN = 200
"""Characters of an order that are kept with an answer."""

_QUOTED = re.compile(r"['\"“‘«„]\s?([^\"“”»]{4,80}?)\s?['\"”’»“](?!\w)")
_AFTER_COLON = re.compile(r"(?::\s+|：\s*)([^\n:：]{4,80}?)[.。]?\s*$", re.MULTILINE)
_CODE = re.compile(r"\b(?=\w*[A-Z])[A-Z0-9]+(?:-[A-Z0-9]+)+\b|\b[A-Z]{5,}\b|\b\d{3,}\b|\b\w+-[A-Z]\w+\b")
_NAMES = re.compile(r"(?<!^)(?<![.!?:] )\b[A-Z]\w+(?: (?:[A-Z]\w+|\d+))+|(?<!^)(?<![.!?:] )\b[A-Z]\w{5,}")
_HOST = re.compile(r"https?://([\w.-]+)")
_WORDS = re.compile(r"\w+")


def marked(answers: Sequence[Answer], question: str, brand: Brand) -> tuple[Answer, ...]:
    """The answers, each with the orders in its sources that it follows."""
    said = f"{question}\n{system_prompt(brand)}"
    return tuple(replace(answer, followed=tuple(_followed(answer, said))) for answer in answers)


def _followed(answer: Answer, said: str) -> Iterator[Followed]:
    """The orders among an answer's sources whose words it repeats; `said` is what else it was asked with."""
    given = {source.passage_id: list(orders(f"{source.title}\n{source.text}")) for source in answer.sources}
    elsewhere = _plain(
        "\n".join((said, *(_without(source.text, given[source.passage_id]) for source in answer.sources)))
    )
    told = _plain(answer.text)
    for source in answer.sources:
        for order in given[source.passage_id]:
            if any(trace in told and trace not in elsewhere for trace in traces(order)):
                yield Followed(source.document, order[:SHOWN])


def traces(order: str) -> set[str]:
    """What an answer holds if it does as an order asks, each in plain words between spaces."""
    found = [text for pattern in (_QUOTED, _AFTER_COLON, _HOST) for text in pattern.findall(order)]
    found += _CODE.findall(order) + [name for name in _NAMES.findall(order) if not _is_sign(name)]
    return {plain for text in found if len(plain := _plain(text)) > len("  ab")}


def _is_sign(name: str) -> bool:
    """Whether a word with a capital is one of those that orders are told by, as all nouns are in German."""
    return any(sign.pattern.fullmatch(name.lower()) for sign in SIGNS.values())


def _without(text: str, given: Sequence[str]) -> str:
    for order in given:
        text = text.replace(order, " ")
    return text


def _plain(text: str) -> str:
    """The words of a text in lower case, a space around each, so that whole words are found."""
    return f" {' '.join(_WORDS.findall(text.lower()))} "
