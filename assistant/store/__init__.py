"""The workspace's SQLite database: opened safely, with a version, written in whole transactions.

What the tables hold is known by the modules that read them (`chats.py`, `comparison`, `ratings`).
"""

from assistant.store.database import open_database
from assistant.store.migrations import SCHEMA_VERSION
from assistant.store.tables import (
    FULL_STRENGTH,
    answers,
    chats,
    guesses,
    marks,
    raters,
    showings,
    studies,
    study_answers,
    study_items,
    turns,
    votes,
)

__all__ = [
    "FULL_STRENGTH",
    "SCHEMA_VERSION",
    "answers",
    "chats",
    "guesses",
    "marks",
    "open_database",
    "raters",
    "showings",
    "studies",
    "study_answers",
    "study_items",
    "turns",
    "votes",
]
