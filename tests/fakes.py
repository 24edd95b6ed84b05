"""Stand-ins for the models that a person can check by hand."""

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
from argon2 import PasswordHasher
from numpy.typing import NDArray

from assistant.endpoint import Endpoint
from assistant.errors import AssistantError
from assistant.lanes import Finish, Piece, Request

QUICK_HASHES = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashes of passwords in no time, for tests alone."""


class QueueEngine:
    """Answers what was queued, word by word for all rows in turn, and keeps the requests it was asked.

    With nothing queued a row says "Nothing was queued." `pause` is slept before each round of words. `line`
    holds the places in the waiting line that all rows are told before their first words.
    """

    def __init__(self, *answers: str, pause: float = 0.0) -> None:
        self.queued = deque(answers)
        self.line: tuple[int, ...] = ()
        self.asked: list[Request] = []
        self.owners: list[str] = []
        self.loaded: dict[str, Path] = {}
        self.pause = pause
        self.window: int | None = 8192

    @property
    def special_tokens(self) -> tuple[str, ...]:
        return ("<|im_start|>", "<|im_end|>")

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def describe(self) -> str:
        return "Queue engine on paper"

    def load_adapter(self, adapter: str, folder: Path) -> None:
        self.loaded[adapter] = folder

    def queue(self, *answers: str) -> None:
        """Answers for the next rows, in the order the rows are asked."""
        self.queued.extend(answers)

    def generate(
        self, requests: Sequence[Request], cancelled: Callable[[], bool] = lambda: False, owner: str = ""
    ) -> Iterator[Piece]:
        self.asked.extend(requests)
        self.owners.append(owner)
        answers = [self.queued.popleft() if self.queued else "Nothing was queued." for _ in requests]
        words = [deque(re.findall(r"\s*\S+", answer)) for answer in answers]
        said, open_rows = [0] * len(requests), set(range(len(requests)))
        for place in self.line:
            yield from (Piece(row, "", waiting=place) for row in sorted(open_rows))
            time.sleep(self.pause)
        while open_rows:
            time.sleep(self.pause)
            for row in sorted(open_rows):
                if words[row] and not cancelled():
                    said[row] += 1
                    yield Piece(row, words[row].popleft())
                else:
                    reason = "cancelled" if words[row] else "end"
                    open_rows.remove(row)
                    yield Piece(row, "", _finish(requests[row], reason, said[row]))


def _finish(request: Request, reason: str, words: int) -> Finish:
    prompt = sum(len(message.content.split()) for message in request.messages)
    return Finish(reason, "paper", request.adapter, request.scale, prompt, words, 0.25, 0.25 + words / 10)


class WordEncoder:
    """Texts as counts of their words, at unit length: texts that share words are near each other."""

    identity = "words-64"
    dimension = 64

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        counts = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                counts[row, crc32(word.encode()) % self.dimension] += 1
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


class NamedEncoder(WordEncoder):
    """The same under a name of its own, so that its vectors are another encoder's."""

    def __init__(self, name: str) -> None:
        self.identity = name


class LongestFirst:
    """A re-ranker that likes long passages, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(question)
        return np.array([len(text) for text in texts], dtype=np.float32)


class FakeModels:
    """Opens the stand-ins where the studio expects models."""

    def __init__(self, engine: QueueEngine | None = None, endpoint: Endpoint | None = None) -> None:
        self.queue_engine = engine or QueueEngine()
        self.endpoint = endpoint

    def folder(self, report: Callable[[str, float], None]) -> Path:
        return Path("/no/model/here")

    def engine(self, report: Callable[[str, float], None]) -> QueueEngine:
        report("Loading the queue engine", 0.5)
        return self.queue_engine

    def encoder(self, report: Callable[[str, float], None], name: str = "") -> "WordEncoder":
        if name.startswith("/no"):
            raise AssistantError(f"There is no folder {name}.")
        report("Loading the word encoder", 0.2)
        return NamedEncoder(name) if name else WordEncoder()

    def reranker(self, report: Callable[[str, float], None], name: str) -> "LongestFirst":
        if name.startswith("/no"):
            raise AssistantError(f"There is no folder {name}.")
        return LongestFirst()
