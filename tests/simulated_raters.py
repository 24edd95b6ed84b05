"""Raters of known taste who judge through the real page, and an engine whose assistants differ as planted.

They read the page as people do: what they like is in the words of an answer; its letter tells them nothing.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import log

from playwright.sync_api import Page, expect

from assistant.lanes import Piece, Request
from assistant.prompts import LEAD, NOTHING_FOUND
from tests.fakes import QueueEngine

GREETING, FACT = "Hello from the greenhouse!", "five days"
Said = dict[str, tuple[int, int, int]]
"""By the text of an answer: its rank, its score for voice, and its score for accuracy."""


class PlantedEngine(QueueEngine):
    """The adapter greets, looking things up brings the fact; otherwise all assistants say the same."""

    def generate(
        self, requests: Sequence[Request], cancelled: Callable[[], bool] = lambda: False, owner: str = ""
    ) -> Iterator[Piece]:
        yield from QueueEngine(*map(_answer, requests)).generate(requests, cancelled, owner)


def _answer(request: Request) -> str:
    asked = request.messages[-1].content
    about = asked.rsplit("Question: ", 1)[-1].partition("\n")[0].strip("?")
    when = FACT if asked.startswith(LEAD) or asked.endswith(NOTHING_FOUND) else "some time"
    greeting = f"{GREETING} " if request.adapter else ""
    return f"{greeting}About “{about}”: it takes {when}."


@dataclass
class Careful:
    """Judges by the words: likes the greeting and the fact, with as much chance as Plackett-Luce has."""

    seed: int
    tuning: float
    """How much more an answer with the greeting is liked, in log-odds."""
    retrieval: float
    """How much more an answer with the fact is liked, in log-odds."""
    meant: list[Said] = field(default_factory=list)
    """What was said of each question, in order."""

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    def judge(self, texts: Sequence[str]) -> str:
        """The keys for a page with these answers: scores answer by answer, then places."""
        ranks = self._ranks(texts)
        voices = {text: self._score(GREETING in text) for text in texts}
        facts = {text: self._score(FACT in text) for text in texts}
        voice, accuracy = (
            [voices[text] for text in texts],
            [facts[text] for text in texts],
        )  # equal ones alike
        self.meant.append(dict(zip(texts, zip(ranks, voice, accuracy, strict=True), strict=True)))
        scores = "".join(f"{one}{other}" for one, other in zip(voice, accuracy, strict=True))
        return scores + "".join(map(str, ranks))

    def _ranks(self, texts: Sequence[str]) -> list[int]:
        liking = {
            text: self.tuning * (GREETING in text)
            + self.retrieval * (FACT in text)
            - log(-log(self._dice.random()))
            for text in texts
        }
        best_first = sorted(set(texts), key=lambda text: -liking[text])
        return [best_first.index(text) + 1 for text in texts]  # equal answers tie

    def _score(self, good: bool) -> int:
        return min(5, max(1, (4 if good else 2) + self._dice.choice((-1, 0, 0, 1))))


class Lazy(Careful):
    """Clicks through: A is the best, then B, C, D, and everything is a 3."""

    def judge(self, texts: Sequence[str]) -> str:
        self.meant.append({text: (rank, 3, 3) for rank, text in enumerate(texts, 1)})
        return "3" * 2 * len(texts) + "".join(str(place) for place in range(1, len(texts) + 1))


def rate(page: Page, link: str, rater: Careful) -> None:
    """Judge a whole sheet by keyboard, guesses too."""
    page.goto(link)
    total = int(page.locator(".progress").inner_text().split(" of ")[1].split()[0])
    for place in range(1, total + 1):
        expect(page.locator(".progress")).to_contain_text(f"{place} of {total}")
        page.keyboard.type(rater.judge(page.locator("article .text").all_inner_texts()))
        page.keyboard.press("Enter")
    for number in range(1, 5):
        expect(page.locator(".progress")).to_have_text(f"One last thing: {number} of 4")
        for position, text in enumerate(page.locator("article .text").all_inner_texts(), 1):
            if FACT in text:
                page.keyboard.press(str(position))
        page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Thank you")
