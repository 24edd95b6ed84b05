"""What a study is made of: questions with frozen answers, criteria, raters, and what each of them is shown.

It knows no storage, no engine and no votes (`ratings`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from assistant.errors import AssistantError
from assistant.lanes import LANES, Answer
from assistant.prompts import Message, clean

HUMAN = "human"
"""The system that stands for the real agent's answer, beside the lanes' keys."""
SYSTEM_NAMES = {lane.key: lane.name for lane in LANES} | {HUMAN: "Your own agent"}
"""All who can answer in a study, by key."""
LETTERS = "ABCDE"
"""What a rater calls the answers, by position."""
LOWEST_SCORE, HIGHEST_SCORE = 1, 5

State = Literal["draft", "answering", "open", "closed"]
"""A study is drafted; its questions are answered, once; raters vote while it is open; then all is told."""
Kind = Literal["item", "repeat", "pair"]
"""Why something is shown: to be judged; again, to see whether a rater says the same; or with one answer
standing there twice, which should tie. Only "item" counts in the results."""


@dataclass(frozen=True)
class Criterion:
    """What answers are scored on, 1 to 5, with a sentence for either end."""

    name: str
    low: str
    """What deserves a 1."""
    high: str
    """What deserves a 5."""

    @property
    def key(self) -> str:
        """What scores are kept under: the name in lower case, with dashes."""
        return re.sub(r"[\W_]+", "-", self.name.lower()).strip("-")


CRITERIA = (
    Criterion(
        "Brand voice",
        "A stranger wrote it: the wrong tone, or words we would never use.",
        "Our best colleague could have written it, word for word.",
    ),
    Criterion(
        "Accuracy",
        "Something the customer would rely on is wrong or made up.",
        "All of it is right, and nothing the customer needs is missing.",
    ),
)
"""What a new study asks."""


@dataclass(frozen=True)
class StudySettings:
    """How a study is shared out among its raters."""

    seed: int = 0
    """Decides who gets which question, in which order, under which letters."""
    raters_per_item: int = 3
    """How many raters judge each question; all of them where there are fewer."""
    repeat_share: float = 0.1
    """The share of a rater's questions that is shown to them a second time."""
    human: bool = False
    """Whether the real agent's answer is among those judged, where it is known."""


@dataclass(frozen=True)
class Study:
    """A blind comparison: what is judged on what, and how far it is."""

    id: str
    name: str
    created: str
    state: State
    criteria: tuple[Criterion, ...]
    settings: StudySettings
    systems: tuple[str, ...] = ()
    """The lanes that answer, by key; chosen when the study leaves its draft."""
    setup: Mapping[str, Any] = field(default_factory=dict)
    """What the lanes answered with: "adapter", "index_version", "instructions" (a hash), "model"."""


@dataclass(frozen=True)
class Item:
    """A question of a study, and by system what was answered, once and for all."""

    id: int
    question: str
    history: tuple[Message, ...] = ()
    reference: str = ""
    """What the real agent answered; empty where it is not known."""
    topic: str = ""
    origin: str = ""
    """Where the question comes from: "chats.jsonl:7", "typed", a chat."""
    answers: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of all passages that any of the answers was given."""
        return tuple({source.title for answer in self.answers.values() for source in answer.sources})


@dataclass(frozen=True)
class Rater:
    """Somebody who judges; the token in their link is their only key."""

    id: int
    name: str
    token: str
    created: str


@dataclass(frozen=True)
class Showing:
    """One thing on a rater's sheet: a question with its answers in the order this rater sees them."""

    id: int
    rater_id: int
    item_id: int
    place: int
    """1 for the first on the sheet."""
    kind: Kind
    systems: tuple[str, ...]
    """Who wrote the answers A, B, C ...; this stays on the server until the round is over."""


def check_criteria(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    """The criteria with their texts cleaned.

    Raises:
        AssistantError: there is none, or a text is missing, too long or there twice.
    """
    checked = tuple(_checked(each) for each in criteria)
    if not checked or len({each.key for each in checked}) < len(checked):
        raise AssistantError(
            "A study needs at least one criterion, each with a name of its own. Correct them."
        )
    return checked


def _checked(criterion: Criterion) -> Criterion:
    texts = {name: " ".join(clean(text).split()) for name, text in asdict(criterion).items()}
    limits = {"name": ("name", 40), "low": ("sentence for a 1", 200), "high": ("sentence for a 5", 200)}
    for field_name, (called, most) in limits.items():
        length = len(texts[field_name])
        if not 0 < length <= most or not Criterion(**texts).key:
            raise AssistantError(
                f"A criterion's {called} has {length} letters; it needs 1 to {most}. Type another."
            )
    return Criterion(**texts)
