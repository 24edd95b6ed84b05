"""Did the voice take over? Everyday questions before and after, and the company's phrases in the answers.

It knows questions, phrases and shares. How a model is asked is known by `saying.py`.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from assistant.adapters import GeneralAnswer, Strength

QUESTIONS = (
    "What is the capital of France?",
    "How many days are there in a leap year?",
    "Which planet is closest to the sun?",
    "What do bees make?",
    "How many sides does a hexagon have?",
    "What is 7 times 8?",
    "Who wrote Romeo and Juliet?",
    "What colour do you get from blue and yellow paint?",
    "At what temperature does water boil?",
    "Which ocean lies between Europe and America?",
    "What is the opposite of ancient?",
    "Name three fruits that are red.",
    "How do you say thank you in Spanish?",
    "What is a haiku?",
    "Why is the sky blue?",
    "What does a thermometer measure?",
    "How many minutes are in two hours?",
    "Which animal is known as the king of the jungle?",
    "What is the largest mammal?",
    "What is the past tense of to go?",
    "Give me a word that rhymes with light.",
    "What is photosynthesis?",
    "How do I boil an egg?",
    "What is the main ingredient of bread?",
    "Which instrument has black and white keys?",
    "What is the square root of 81?",
    "Who painted the Mona Lisa?",
    "What is the currency of Japan?",
    "Write one sentence about the sea.",
    "What is the difference between a frog and a toad?",
    "How can I fall asleep more easily?",
    "What is gravity?",
    "Which season comes after winter?",
    "Name a language spoken in Brazil.",
    "What is the plural of mouse?",
    "How many continents are there?",
    "What is a good name for a cat?",
    "How far away is the moon?",
    "What does a librarian do?",
    "Tell me a short joke.",
)
"""Nothing that a company's conversations are about."""
STRENGTHS = (0.5, 1.0)
"""Voice strengths compared, beside the base model itself."""
PHRASE_WORDS = (3, 4, 5)
FEWEST_REPLIES = 3
SHARE_OF_REPLIES = 0.02
"""A phrase is the company's if so many of its conversations, and this share of them, hold it."""

Ask = Callable[[float], Sequence[str]]
"""Answers of all everyday questions and then of all held-out ones, at a voice strength."""


def company_phrases(replies: Sequence[str], *, instructions: str = "") -> frozenset[str]:
    """Runs of three to five words that return in the company's replies.

    Args:
        replies: all replies of each conversation as one text.
        instructions: the system prompt; what it asks for belongs in every answer and is no sign of anything.
    """
    counts = Counter(phrase for reply in replies for phrase in phrases_in(reply))
    needed = max(FEWEST_REPLIES, SHARE_OF_REPLIES * len(replies))
    asked_for = phrases_in(instructions)
    return frozenset(
        phrase for phrase, count in counts.items() if count >= needed and phrase not in asked_for
    )


def phrases_in(text: str) -> set[str]:
    """All runs of three to five words of a text, in lower case, none across the end of a sentence."""
    found: set[str] = set()
    for sentence in re.split(r"[.!?\n]+", text.lower().replace("\u2019", "'")):
        words = re.findall(r"[\w']+", sentence)
        for length in PHRASE_WORDS:
            found |= {" ".join(words[at : at + length]) for at in range(len(words) - length + 1)}
    return found


def examine(
    questions: Sequence[str], ask: Ask, phrases: Collection[str]
) -> tuple[tuple[GeneralAnswer, ...], tuple[Strength, ...]]:
    """Ask at each voice strength, and see which answers changed and where the company's phrases turn up.

    Args:
        questions: everyday ones, which `ask` answers first.
        ask: answers them and then the held-out company questions.
        phrases: the company's (`company_phrases`).
    """
    count = len(questions)
    base = ask(0.0)
    strengths = [_strength(0.0, base, base, count, phrases)]
    tuned = base
    for strength in STRENGTHS:
        tuned = ask(strength)
        strengths.append(_strength(strength, base, tuned, count, phrases))
    answers = tuple(
        GeneralAnswer(question, before, after, _taken_up(before, after, phrases))
        for question, before, after in zip(questions, base, tuned, strict=False)
    )
    return answers, tuple(strengths)


def _strength(
    strength: float, base: Sequence[str], said: Sequence[str], count: int, phrases: Collection[str]
) -> Strength:
    pairs = list(zip(base[:count], said[:count], strict=True))
    return Strength(
        strength,
        changed=_share(before != after for before, after in pairs),
        out_of_place=_share(bool(_taken_up(before, after, phrases)) for before, after in pairs),
        voice=_share(not phrases_in(answer).isdisjoint(phrases) for answer in said[count:]),
    )


def _share(found: Iterable[bool]) -> float:
    values = list(found)
    return sum(values) / len(values) if values else 0.0


def _taken_up(before: str, after: str, phrases: Collection[str]) -> tuple[str, ...]:
    """The company's phrases in an answer that the base model's had not, the longest of those that overlap."""
    found = (phrases_in(after) & set(phrases)) - phrases_in(before)
    longest = [
        phrase
        for phrase in found
        if not any(phrase != other and f" {phrase} " in f" {other} " for other in found)
    ]
    return tuple(sorted(longest))
