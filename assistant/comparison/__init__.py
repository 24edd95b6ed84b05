"""Blind comparisons: studies, their questions and frozen answers, their raters, and who is shown what.

What raters say is known by `ratings`, how they are shown it by `ballot`.
"""

from assistant.comparison.answering import Answering
from assistant.comparison.model import (
    CRITERIA,
    HIGHEST_SCORE,
    HUMAN,
    LETTERS,
    LOWEST_SCORE,
    SYSTEM_NAMES,
    Criterion,
    Item,
    Rater,
    Showing,
    Study,
    StudySettings,
)
from assistant.comparison.rounds import Rounds
from assistant.comparison.studies import Studies

__all__ = [
    "CRITERIA",
    "HIGHEST_SCORE",
    "HUMAN",
    "LETTERS",
    "LOWEST_SCORE",
    "SYSTEM_NAMES",
    "Answering",
    "Criterion",
    "Item",
    "Rater",
    "Rounds",
    "Showing",
    "Studies",
    "Study",
    "StudySettings",
]
