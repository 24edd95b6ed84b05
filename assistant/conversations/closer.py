"""A closer look at conversations: languages, topics, and replies that say other numbers than the documents.

It knows an encoder and a library by what they do. What it finds is kept, with what it was found in.
"""

import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.conversations.model import Conversation
from assistant.conversations.sampling import fair_sample
from assistant.prompts import Message

MOST_LOOKED_AT = 1000
"""Conversations that are looked at: a fair sample where there are more."""
MOST_ANSWERS = 200
"""Replies that are compared with the documents; each costs a search."""
MOST_TOPICS = 12
A_TOPIC = 12
"""Conversations a topic has on average, at least."""
THIN = 0.04
"""Share of the conversations below which a topic is thin: little is learned about it."""
EXAMPLES = 3
ALIKE = 0.3
"""Share of words that two sentences have in common before their numbers are compared."""
SHOWN = 20
WORDS = r"[^\W\d_]{3,}"
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_MEASURED = re.compile(r"(?P<number>\d+(?:[.,]\d+)?)\s*(?P<unit>%|€|\$|£|[a-z]{2,})", re.IGNORECASE)


class Encoder(Protocol):
    """What turns texts into vectors of unit length."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape [texts, dimension]."""


Search = Callable[[str], Sequence[tuple[str, str]]]
"""The passages that fit a question best, each with its title and its text."""


@dataclass(frozen=True)
class Topic:
    """Conversations that begin alike: words that tell them from others, how many, some first questions."""

    words: tuple[str, ...]
    conversations: int
    examples: tuple[str, ...]
    thin: bool


@dataclass(frozen=True)
class Contradiction:
    """A sentence of a reply whose number is another than that of a passage on the same thing."""

    source: str
    claim: str
    title: str
    passage: str
    score: float
    """Share of words the two have in common."""


@dataclass(frozen=True)
class CloserLook:
    """What was found; `stamp` names the conversations it was found in."""

    stamp: str
    looked_at: int
    languages: tuple[tuple[str, int], ...]
    topics: tuple[Topic, ...]
    answers: int
    """Replies that were compared with the documents; 0 where there are none."""
    contradictions: tuple[Contradiction, ...]

    def to_json(self) -> dict[str, Any]:
        """Values that JSON can hold; `of` undoes it."""
        return {"version": 1, **asdict(self)}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "CloserLook":
        """What `to_json` gave."""
        topics = (
            Topic(tuple(each["words"]), each["conversations"], tuple(each["examples"]), each["thin"])
            for each in values["topics"]
        )
        return cls(
            values["stamp"],
            values["looked_at"],
            tuple((name, count) for name, count in values["languages"]),
            tuple(topics),
            values["answers"],
            tuple(Contradiction(**each) for each in values["contradictions"]),
        )


def look_closer(
    conversations: Sequence[Conversation],
    encoder: Encoder,
    search: Search | None,
    stamp: str,
) -> Generator[tuple[str, float], None, CloserLook]:
    """Look closer at conversations, or at a fair sample of many; tells what it does, and how far it is.

    Args:
        conversations: what to look at; one at least.
        encoder: tells which first questions are alike.
        search: finds passages of the documents; None where there are none.
        stamp: names these conversations.
    """
    some = fair_sample(conversations, MOST_LOOKED_AT)
    yield "Telling languages", 0.0
    languages = Counter(map(_language, some))
    yield "Finding topics", 0.1
    topics = _topics(some, encoder)
    answers = fair_sample([each for each in some if _claims(each)], MOST_ANSWERS) if search else []
    found: list[Contradiction] = []
    for done, conversation in enumerate(answers):
        yield "Comparing replies with the documents", 0.4 + 0.6 * done / len(answers)
        assert search is not None
        found += _contradictions(conversation, search)
    ranked = sorted(found, key=lambda each: -each.score)[:SHOWN]
    common = tuple(languages.most_common())
    return CloserLook(stamp, len(some), common, topics, len(answers), tuple(ranked))


def _language(conversation: Conversation) -> str:
    """The two letters of the language that most of a conversation is in."""
    import py3langid  # reads its model when imported

    text = " ".join(message.content for message in conversation.messages if message.role != "system")
    return str(py3langid.classify(text[:2000])[0])


def _first_question(conversation: Conversation) -> str:
    return next(message.content for message in conversation.messages if message.role == "user")


def _topics(conversations: Sequence[Conversation], encoder: Encoder) -> tuple[Topic, ...]:
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

    asked = [_first_question(each)[:1000] for each in conversations]
    count = min(MOST_TOPICS, max(len(asked) // A_TOPIC, 1))
    vectors = encoder.encode(asked)
    clusters = KMeans(count, n_init=4, random_state=0).fit(vectors)
    words = TfidfVectorizer(stop_words=list(ENGLISH_STOP_WORDS), token_pattern=WORDS)
    try:
        weights, names = words.fit_transform(asked), words.get_feature_names_out()
    except ValueError:  # not one word that tells anything
        weights, names = None, []
    topics = []
    for label in range(count):
        members = np.flatnonzero(clusters.labels_ == label)
        nearest = members[np.argsort(-(vectors[members] @ clusters.cluster_centers_[label]))][:EXAMPLES]
        mean = np.asarray(weights[members].mean(axis=0)).ravel() if weights is not None else np.zeros(0)
        said = tuple(str(names[place]) for place in np.argsort(-mean)[:3] if mean[place] > 0)
        thin = len(members) < THIN * len(asked)
        topics.append(Topic(said, len(members), tuple(asked[place][:200] for place in nearest), thin))
    return tuple(sorted(topics, key=lambda topic: -topic.conversations))


def _claims(conversation: Conversation) -> list[str]:
    """The sentences of the replies that hold a number of something."""
    replies = (message.content for message in conversation.messages if message.role == "assistant")
    sentences = (sentence.strip() for reply in replies for sentence in _SENTENCE.split(reply))
    return [sentence for sentence in sentences if _measures(sentence)]


def _contradictions(conversation: Conversation, search: Search) -> Iterator[Contradiction]:
    """For each claim the passage that contradicts it most, if none agrees with it."""
    for claim in _claims(conversation):
        measures, against = _measures(claim), list[Contradiction]()
        for title, text in search(f"{_asked(conversation.messages)}\n{claim}"):
            for sentence in _SENTENCE.split(text):
                others, likeness = _measures(sentence), _likeness(claim, sentence)
                shared = measures.keys() & others.keys()
                if not shared or likeness < ALIKE:
                    continue
                if all(measures[unit] & others[unit] for unit in shared):
                    against = []
                    break
                against.append(Contradiction(conversation.source, claim, title, sentence.strip(), likeness))
            else:
                continue
            break
        yield from sorted(against, key=lambda each: -each.score)[:1]


def _asked(messages: Sequence[Message]) -> str:
    return next((message.content for message in messages if message.role == "user"), "")[:500]


def _measures(sentence: str) -> dict[str, set[str]]:
    """The numbers of a sentence by their unit, in the singular."""
    found: dict[str, set[str]] = {}
    for match in _MEASURED.finditer(sentence.lower()):
        unit = match["unit"].rstrip("s") or match["unit"]
        found.setdefault(unit, set()).add(match["number"].replace(",", "."))
    return found


def _likeness(first: str, second: str) -> float:
    one, two = (set(re.findall(r"[^\W\d_]{3,}", text.lower())) for text in (first, second))
    return len(one & two) / (len(one | two) or 1)
