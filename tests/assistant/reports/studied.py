"""Studies that simulated raters have voted in, with a known truth."""

from collections.abc import Callable

import numpy as np

from assistant.comparison import CRITERIA, HUMAN, Item, Rater, Showing, Study, StudySettings
from assistant.lanes import LANES, Answer, Record, Sampling
from assistant.prompts import Message
from assistant.ratings import Guess, Judgement, Vote
from assistant.reports.evidence import Evidence

KEYS = tuple(lane.key for lane in LANES)
GROUNDED = {lane.key: lane.grounded for lane in LANES}
NAMES = ("Kim", "Lee", "Sam", "Ada", "Bo", "Cy", "Di", "Ed")
TOPICS = ("Refunds", "Delivery")

Strengths = dict[str, tuple[float, float, float, float]]
"""By "preference" and criterion key, how much better each lane is, in log-odds or points."""
NOTHING: Strengths = {}
TUNED_VOICE: Strengths = {
    "preference": (0.0, 1.2, 0.8, 2.0),
    "brand-voice": (0.0, 1.2, 0.0, 1.2),
    "accuracy": (0.0, 0.0, 1.1, 0.5),
}
"""Tuning gives voice, retrieval accuracy, and together accuracy suffers."""


def record(key: str, number: int) -> Record:
    tuned, grounded = key in ("tuned", "combined"), key in ("rag", "combined")
    return Record(
        base="paper-1b",
        adapter="0001" if tuned else None,
        scale=1.0 if tuned else 0.0,
        index_version="7" if grounded else None,
        query=None,
        passages=("p1",) if grounded else (),
        prompt_hash="abc",
        sampling=Sampling(),
        finish="end",
        prompt_tokens=700 if grounded else 100,
        completion_tokens=40 + number % 3,
        retrieval_seconds=0.1 if grounded else 0.0,
        first_token_seconds=0.5,
        seconds=2.0 + grounded,
        created="2026-11-01T10:00:00+00:00",
    )


def item(number: int, *, human: bool = False, keys: tuple[str, ...] = KEYS) -> Item:
    answers = {key: Answer(key, f"{key} says {number}.", record=record(key, number)) for key in keys}
    answers |= {HUMAN: Answer(HUMAN, f"Our agent says {number}.")} if human else {}
    return Item(
        number,
        f"Question {number}?",
        (Message("user", "Hello"), Message("assistant", "Good day.")),
        "The reference.",
        TOPICS[number % 2],
        f"chats.jsonl:{number}",
        answers,
    )


Lazy = Callable[[np.random.Generator], tuple[int, ...]]


class Round:
    """Draws the votes of raters, one by one."""

    def __init__(self, strengths: Strengths, criteria: tuple[str, ...], seed: int) -> None:
        self.dice = np.random.default_rng(seed)
        self.strengths, self.criteria = strengths, criteria
        self.number = 0

    def vote(self, rater: int, number: int, kind: str, systems: tuple[str, ...], lazy: Lazy | None) -> Vote:
        self.number += 1
        shown = tuple(self.dice.permutation(systems).tolist())
        showing = Showing(self.number, rater, number, self.number, kind, shown)
        return Vote(self.number, showing, self._judged(shown, lazy), "2026-11-02T10:00:00.000+00:00")

    def _judged(self, shown: tuple[str, ...], lazy: Lazy | None) -> Judgement:
        if lazy:
            ranks = lazy(self.dice)
            return Judgement(ranks, {key: (3,) * len(shown) for key in self.criteria}, seconds=2.0)
        noise = self.dice.gumbel(size=len(shown))
        seen: dict[str, float] = {}  # equal answers look equal
        heights = [
            seen.setdefault(key, self._better("preference", key) + drawn)
            for key, drawn in zip(shown, noise, strict=True)
        ]
        ranks = tuple(1 + sum(bool(other > height) for other in heights) for height in heights)
        scores = {key: tuple(self._score(key, system) for system in shown) for key in self.criteria}
        return Judgement(ranks, scores, seconds=30.0)

    def _better(self, measure: str, key: str) -> float:
        return 3.0 if key == HUMAN else self.strengths.get(measure, (0.0,) * 4)[KEYS.index(key)]

    def _score(self, criterion: str, system: str) -> int:
        drawn = 2.6 + self._better(criterion, system) + self.dice.normal(0, 0.7)
        return int(np.clip(round(drawn), 1, 5))


def study(
    strengths: Strengths = TUNED_VOICE,
    *,
    questions: int = 30,
    raters: int = 3,
    each: int = 3,
    seed: int = 0,
    lazy: Lazy | None = None,
    human: bool = False,
    keys: tuple[str, ...] = KEYS,
    state: str = "closed",
    guess: Callable[[np.random.Generator, str], bool] | None = None,
) -> Evidence:
    """A study that simulated raters have gone through; `lazy` gives the ranks of the last one."""
    criteria = tuple(criterion.key for criterion in CRITERIA)
    drawn, votes = Round(strengths, criteria, seed), []
    for number in range(questions):
        for place in range(each):
            rater = (number * each + place) % raters
            careless = lazy if rater == raters - 1 else None
            systems = (*keys, HUMAN) if human else keys
            votes.append(drawn.vote(rater, number, "item", systems, careless))
            if number % 10 == 0:
                votes.append(drawn.vote(rater, number, "repeat", systems, careless))
            if number % 15 == 1:
                twins = (*systems[:-1], systems[0])
                votes.append(drawn.vote(rater, number, "pair", twins, careless))
    settings = StudySettings(seed=7, raters_per_item=each, human=human)
    about = Study(
        "s1", "Spring", "2026-11-01T09:00:00+00:00", state, CRITERIA, settings, keys, {"model": "paper"}
    )
    guesses = [
        Guess(vote.showing, tuple(guess(drawn.dice, key) for key in vote.showing.systems), vote.created)
        for vote in (votes[:20] if guess else [])
        if vote.counts
    ]
    people = tuple(Rater(number, NAMES[number], f"token{number}", "") for number in range(raters))
    items = tuple(item(number, human=human, keys=keys) for number in range(questions))
    return Evidence(about, items, people, tuple(votes), tuple(guesses))
