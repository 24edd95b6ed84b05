"""What stands behind the findings of a study: costs, topics, the most telling questions, and the set-up.

It knows answers with their records. It works out nothing that is claimed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from statistics import median

import numpy as np

from assistant.comparison import Item
from assistant.lanes import Answer, Record
from assistant.ratings import Vote
from assistant.reports.evidence import Evidence
from assistant.statistics import Estimate, clustered_mean
from assistant.statistics.factorial import win_shares

FEWEST_IN_TOPIC = 20
"""Rankings a topic needs to be shown by itself."""
QUESTIONS_IN_TOPIC = 4
TELLING = 10
"""The questions that are shown in full."""


@dataclass(frozen=True)
class Cost:
    """What an answer of one system takes: medians over its answers."""

    seconds: float
    first_word: float
    """Seconds until the first word."""
    tokens_read: float
    tokens_written: float
    answers: int


def costs(evidence: Evidence) -> dict[str, Cost]:
    """By system, what its answers took; systems without records have none."""
    found: dict[str, Cost] = {}
    for system in evidence.systems:
        answers = [item.answers[system] for item in evidence.items if system in item.answers]
        records = [answer.record for answer in answers if answer.record and not answer.error]
        if records:
            found[system] = _cost(records)
    return found


def _cost(records: list[Record]) -> Cost:
    def typical(value: Callable[[Record], float]) -> float:
        return float(median(value(record) for record in records))

    return Cost(
        typical(lambda record: record.seconds + record.retrieval_seconds),
        typical(lambda record: record.first_token_seconds + record.retrieval_seconds),
        typical(lambda record: record.prompt_tokens),
        typical(lambda record: record.completion_tokens),
        len(records),
    )


@dataclass(frozen=True)
class Order:
    """An order to the assistant that stands in a document, and how many answers of each system follow it."""

    document: str
    text: str
    followed: Mapping[str, int]


def orders(evidence: Evidence) -> list[Order]:
    """The orders in documents that answers seem to follow, the most followed first."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for item in evidence.items:
        for system, answer in item.answers.items():
            for each in answer.followed:
                counts = found.setdefault((each.document, each.order), {})
                counts[system] = counts.get(system, 0) + 1
    listed = [Order(document, text, counts) for (document, text), counts in found.items()]
    return sorted(listed, key=lambda order: -sum(order.followed.values()))


@dataclass(frozen=True)
class Topic:
    """Questions of one topic, and how often each system won in them."""

    name: str
    questions: int
    rankings: int
    wins: Mapping[str, Estimate]


def topics(evidence: Evidence, left_out: list[int]) -> list[Topic]:
    """The topics with enough rankings, the largest first."""
    rankings, by_id = evidence.rankings(left_out), evidence.by_id
    named = np.array([by_id[item].topic for item in rankings.questions.tolist()])
    found = []
    for name in sorted({item.topic for item in evidence.items if item.topic}):
        votes = rankings.where(named == name)
        questions = len(np.unique(votes.questions))
        if len(votes) >= FEWEST_IN_TOPIC and questions >= QUESTIONS_IN_TOPIC:
            shares = win_shares(votes.values)
            wins = {
                system: clustered_mean(shares[:, place], votes.questions, votes.raters)
                for place, system in enumerate(evidence.systems)
                if not np.isnan(shares[:, place]).any()
            }
            found.append(Topic(name, questions, len(votes), wins))
    return sorted(found, key=lambda topic: -topic.rankings)


@dataclass(frozen=True)
class TellingAnswer:
    """One answer to a telling question: the share of comparisons it won, and its mean scores by criterion."""

    system: str
    answer: Answer
    won: float
    scores: Mapping[str, float]
    wrong: tuple[str, ...]
    """Sentences that raters marked as wrong."""


@dataclass(frozen=True)
class Telling:
    """A question that shows what the figures mean: the answers far apart, and the raters of one mind."""

    item: Item
    votes: int
    answers: tuple[TellingAnswer, ...]
    """Best first."""
    comments: tuple[str, ...]


def telling(evidence: Evidence, left_out: list[int], count: int = TELLING) -> list[Telling]:
    """The questions whose answers lie farthest apart, those with more votes before those with fewer."""
    by_item: dict[int, list[Vote]] = {}
    for vote in evidence.counted:
        if vote.showing.rater_id not in left_out:
            by_item.setdefault(vote.showing.item_id, []).append(vote)
    ranked = sorted(by_item.items(), key=lambda pair: (-_apart(evidence, pair[1]), pair[0]))
    by_id = evidence.by_id
    return [_told(evidence, by_id[item], votes) for item, votes in ranked[:count]]


def _won(evidence: Evidence, votes: list[Vote]) -> list[float]:
    """The mean share of comparisons that each system won in these votes; nan where it was never shown."""
    shares = win_shares(evidence.columns([vote.ranks for vote in votes]))
    shown = ~np.isnan(shares)
    return [
        float(np.mean(shares[shown[:, place], place])) if shown[:, place].any() else float("nan")
        for place in range(shares.shape[1])
    ]


def _apart(evidence: Evidence, votes: list[Vote]) -> float:
    """How far the best is from the worst, less where few have voted."""
    won = [each for each in _won(evidence, votes) if each == each]
    return (max(won) - min(won)) * len(votes) / (len(votes) + 1) if won else 0.0


def _told(evidence: Evidence, item: Item, votes: list[Vote]) -> Telling:
    won = dict(zip(evidence.systems, _won(evidence, votes), strict=True))
    answers = [
        TellingAnswer(
            system,
            answer,
            won[system],
            {
                criterion.key: float(np.mean(given))
                for criterion in evidence.study.criteria
                if (given := _given(votes, system, criterion.key))
            },
            _wrong(votes, system),
        )
        for system, answer in item.answers.items()
        if won.get(system, float("nan")) == won.get(system)
    ]
    comments = tuple(vote.judgement.comment for vote in votes if vote.judgement.comment)
    return Telling(item, len(votes), tuple(sorted(answers, key=lambda each: -each.won)), comments)


def _given(votes: list[Vote], system: str, criterion: str) -> list[int]:
    return [
        vote.scores(criterion)[system]
        for vote in votes
        if criterion in vote.judgement.scores and system in vote.showing.systems
    ]


def _wrong(votes: list[Vote], system: str) -> tuple[str, ...]:
    marked = [
        sentence
        for vote in votes
        if vote.judgement.wrong and system in vote.showing.systems
        for sentence in vote.judgement.wrong[vote.showing.systems.index(system)]
    ]
    return tuple(dict.fromkeys(marked))


def setup(evidence: Evidence) -> dict[str, str]:
    """What it takes to make the study again, by name, as plain text."""
    records = [answer.record for item in evidence.items for answer in item.answers.values() if answer.record]
    study = evidence.study
    sampling = [f"{name} {value}" for name, value in asdict(records[0].sampling).items()] if records else []
    found = {
        "Study": f"{study.name} ({study.id}), {study.created[:10]}, {study.state}",
        "Quartet": _version(),
        "Base model": _each(record.base for record in records),
        "Adapter": _each(f"{r.adapter} at {r.scale:g}" for r in records if r.adapter),
        "Index of the documents": _each(r.index_version for r in records if r.index_version),
        "Sampling": ", ".join(sampling),
        "Seed of the sheets": str(study.settings.seed),
        "Raters a question": str(study.settings.raters_per_item),
        "Repeated share": f"{study.settings.repeat_share:g}",
    }
    found |= {f"Set-up: {name}": str(value) for name, value in study.setup.items() if value}
    return {name: text for name, text in found.items() if text}


def _each(texts: Iterable[str]) -> str:
    return ", ".join(sorted(set(texts)))


def _version() -> str:
    try:
        return version("quartet")
    except PackageNotFoundError:
        return "not installed as a package"
