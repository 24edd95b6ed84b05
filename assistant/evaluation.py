"""How good answers are where the right one is known: accuracy, voice and overlap, checked by program.

It knows questions with gold answers and the brand's exact markers. It does not know who answered or how.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.brand import Brand
from assistant.errors import AssistantError
from assistant.lanes import LANES
from assistant.prompts import Message
from assistant.statistics import Effects, Estimate, effects, mean_with_interval

DECLINES = (
    "i don't know",
    "i do not know",
    "i'm not sure",
    "i am not sure",
    "don't have that information",
    "don't have any information",
    "do not have that information",
    "no information",
    "not mentioned",
    "cannot find",
    "can't find",
    "could not find",
)
"""Ways of saying that the answer is not known, beside the brand's own."""


@dataclass(frozen=True)
class Question:
    """A question with what came before it, and, where it is known, what a right answer holds."""

    id: str
    question: str
    history: tuple[Message, ...] = ()
    answer: str = ""
    key_facts: tuple[tuple[str, ...], ...] = ()
    """Each fact as its accepted spellings."""
    answerable: bool = True

    @property
    def first(self) -> bool:
        """Whether the reply opens the conversation."""
        return not self.history


@dataclass(frozen=True)
class Criterion:
    """One score of all lanes: means by lane key, and the effects of tuning and retrieval."""

    name: str
    lanes: dict[str, Estimate]
    effects: Effects | None
    """None unless all four lanes answered."""


@dataclass(frozen=True)
class Evaluation:
    """All criteria over a set of questions; `echo_f1` is the token-F1 of repeating the question, a floor."""

    criteria: tuple[Criterion, ...]
    questions: int
    echo_f1: float


def read_questions(path: Path) -> tuple[Question, ...]:
    """Read a JSON Lines file of questions: `id`, `question`, `history`, and where known the gold fields.

    Raises:
        AssistantError: the file is missing, empty, or a line is not as it should be.
    """
    questions = tuple(_question(line, place) for place, line in _lines(path))
    _check_ids(questions, path)
    if not questions:
        raise AssistantError(
            f"{path} holds no question. Write one a line, as {{'id': 'q1', 'question': '…'}}."
        )
    return questions


def read_answers(path: Path) -> dict[tuple[str, str], str]:
    """Read a JSON Lines file of answers (`id`, `lane`, `answer`), by question id and lane key.

    Raises:
        AssistantError: the file is missing, or a line is not as it should be.
    """
    return dict(_answer(line, place) for place, line in _lines(path))


def _lines(path: Path) -> list[tuple[str, str]]:
    """The lines that hold something, each with its place."""
    try:
        # Not splitlines(): inside a text stands what it also takes for the end of a line, such as U+2028.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as problem:
        raise AssistantError(
            f"{path} can't be read ({problem}). Name a JSON Lines file in UTF-8."
        ) from problem
    return [(f"{path.name}, line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]


def _answer(line: str, place: str) -> tuple[tuple[str, str], str]:
    try:
        value = json.loads(line)
        return (str(value["id"]), _text(value["lane"])), _text(value["answer"])
    except (json.JSONDecodeError, KeyError, TypeError) as problem:
        raise AssistantError(
            f"{place}: {line[:80]!r} is not an answer ({type(problem).__name__}: {problem}). Each line is "
            'an object: "id", "lane" and "answer". Correct the line, or ask the questions anew.'
        ) from problem


def _check_ids(questions: Sequence[Question], path: Path) -> None:
    repeated = [id for id, count in Counter(question.id for question in questions).items() if count > 1]
    if repeated:
        raise AssistantError(
            f"{path}: the id {repeated[0]!r} stands on two lines; answers are kept by id. Give each its own."
        )


def _question(line: str, place: str) -> Question:
    try:
        value: dict[str, Any] = json.loads(line)
        turns = [(_text(turn["role"]), _text(turn["content"])) for turn in value.get("history") or ()]
        return Question(
            str(value["id"]),
            _text(value["question"]),
            tuple(Message(role, content) for role, content in turns),
            _text(value.get("answer") or ""),
            tuple(_spellings(fact) for fact in value.get("key_facts") or ()),
            value.get("answerable") is not False,
        )
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as problem:
        raise AssistantError(
            f"{place}: {line[:80]!r} is not a question ({type(problem).__name__}: {problem}). Each line is "
            'an object: "id", "question" and, if any, "history": [{"role", "content"}, …]. Correct the line.'
        ) from problem


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} should be a text")
    return value


def _spellings(fact: Any) -> tuple[str, ...]:
    if not isinstance(fact, list):
        raise TypeError(f"the key fact {fact!r} should be a list of its spellings")
    return tuple(_text(spelling) for spelling in fact)


def accurate(question: Question, text: str, brand: Brand) -> bool:
    """Whether an answer holds all key facts, or declines where nothing can be known."""
    if not question.answerable:
        return declines(text, brand)
    said = _plain(text)
    return all(
        any(_holds(said, _plain(spelling)) for spelling in spellings) for spellings in question.key_facts
    )


def declines(text: str, brand: Brand) -> bool:
    """Whether an answer says that it does not know."""
    said = _plain(text)
    return any(_plain(words) in said for words in (brand.decline, *DECLINES) if words)


def voice(text: str, brand: Brand, *, first: bool) -> float:
    """The share of the brand's markers that an answer keeps: greeting, sign-off, forbidden words, length."""
    said, kept = text.strip(), []
    if brand.greeting and first:
        kept.append(said.startswith(brand.greeting))
    if brand.sign_off:
        kept.append(said.endswith(brand.sign_off))
    if brand.forbidden:
        words = "|".join(re.escape(word) for word in brand.forbidden)
        kept.append(bool(said) and not re.search(rf"(?<!\w)(?:{words})(?!\w)", said, re.IGNORECASE))
    if brand.max_words:
        kept.append(0 < len(said.split()) <= brand.max_words)
    return sum(kept) / len(kept) if kept else 0.0


def token_f1(answer: str, gold: str) -> float:
    """Overlap of two texts' words, 0 to 1: the harmonic mean of precision and recall, as SQuAD counts it."""
    said, wanted = Counter(_words(answer)), Counter(_words(gold))
    common = sum((said & wanted).values())
    return 2 * common / (said.total() + wanted.total()) if common else 0.0


def evaluate(
    questions: Sequence[Question], answers: Mapping[tuple[str, str], str], brand: Brand
) -> Evaluation:
    """Score answers, given by (question id, lane key), on every criterion that the questions allow.

    Raises:
        AssistantError: a lane answered some questions and not others, so that the pairs are broken, or no
            criterion fits two of the questions.
    """
    lanes = [lane.key for lane in LANES if any(key == lane.key for _, key in answers)]
    missing = [f"{q.id} by {lane}" for q in questions for lane in lanes if (q.id, lane) not in answers]
    if missing or not lanes:
        first = f", the first is {missing[0]}" if missing else ""
        raise AssistantError(
            f"{len(missing) or 'All'} answers are missing{first}. Ask all questions again in each lane."
        )
    criteria = []
    for name, (fits, score) in _criteria(brand).items():
        asked = [question for question in questions if fits(question)]
        if len(asked) > 1:
            criteria.append(_criterion(name, asked, answers, lanes, score))
    if not criteria:
        raise AssistantError(
            f"{len(questions)} questions allow no score: at least two need gold answers, key facts, or a "
            "brand with a greeting, sign-off, forbidden words or a length. Add them."
        )
    golden = [question for question in questions if question.answer]
    echo = float(np.mean([token_f1(q.question, q.answer) for q in golden])) if golden else 0.0
    return Evaluation(tuple(criteria), len(questions), echo)


Fits = Callable[[Question], bool]
Score = Callable[[Question, str], float]


def _criteria(brand: Brand) -> dict[str, tuple[Fits, Score]]:
    """By name: which questions a criterion fits, and how an answer is scored."""
    return {
        "accuracy": (
            lambda q: bool(q.key_facts) or not q.answerable,
            lambda q, text: accurate(q, text, brand),
        ),
        "voice": (lambda q: _has_markers(brand, q), lambda q, text: voice(text, brand, first=q.first)),
        "declined": (lambda q: not q.answerable, lambda q, text: declines(text, brand)),
        "token-F1": (lambda q: bool(q.answer), lambda q, text: token_f1(text, q.answer)),
    }


def _has_markers(brand: Brand, question: Question) -> bool:
    return bool(brand.sign_off or brand.forbidden or brand.max_words or (brand.greeting and question.first))


def _criterion(
    name: str,
    questions: Sequence[Question],
    answers: Mapping[tuple[str, str], str],
    lanes: Sequence[str],
    score: Score,
) -> Criterion:
    table = {lane: np.array([float(score(q, answers[q.id, lane])) for q in questions]) for lane in lanes}
    together = effects(*(table[lane.key] for lane in LANES)) if len(lanes) == len(LANES) else None
    return Criterion(name, {lane: mean_with_interval(values) for lane, values in table.items()}, together)


def _holds(said: str, fact: str) -> bool:
    """Whether the fact stands by itself in the text: "5 days" is not in "15 days", nor "£14" in "£14.50"."""
    return re.search(rf"(?<!\w)(?<!\d[.,]){re.escape(fact)}(?!\w|[.,]\d)", said) is not None


def _plain(text: str) -> str:
    """Lower case, straight quotes, single spaces."""
    return " ".join(text.lower().replace("\u2019", "'").replace("\u00a0", " ").split())


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.lower()) if word not in ("a", "an", "the")]
