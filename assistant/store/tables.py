"""The tables of a workspace's database, as they are now. How older ones became so: `migrations.py`."""

from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Integer, MetaData, String, Table, Text, UniqueConstraint

FULL_STRENGTH = 100
"""The voice strength, in percent, that a chat has until somebody changes it: as it was trained."""

metadata = MetaData()


def _part_of(name: str, owner: str, **options: Any) -> Column[Any]:
    """A column that names the row this one belongs to, and goes with."""
    return Column(name, ForeignKey(owner, ondelete="CASCADE"), nullable=False, **options)


chats = Table(
    "chats",
    metadata,
    Column("id", String, primary_key=True),
    Column("created", String, nullable=False),
    Column("draft", Text, nullable=False, default=""),
    Column("strength", Integer, nullable=False, default=FULL_STRENGTH),
    Column("owner", String, nullable=False, default=""),
)
turns = Table(
    "turns",
    metadata,
    Column("id", Integer, primary_key=True),
    _part_of("chat_id", "chats.id", index=True),
    Column("question", Text, nullable=False),
    Column("created", String, nullable=False),
)
answers = Table(
    "answers",
    metadata,
    _part_of("turn_id", "turns.id", primary_key=True),
    Column("lane", String, primary_key=True),
    Column("value", JSON, nullable=False),
)
marks = Table(
    "marks",
    metadata,
    _part_of("turn_id", "turns.id", primary_key=True),
    Column("lane", String, primary_key=True),
    Column("thumb", Integer),
    Column("score", Integer),
    Column("changed", String, nullable=False),
)

studies = Table(
    "studies",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created", String, nullable=False),
    Column("state", String, nullable=False),
    Column("criteria", JSON, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("systems", JSON, nullable=False),
    Column("setup", JSON, nullable=False),
)
study_items = Table(
    "study_items",
    metadata,
    Column("id", Integer, primary_key=True),
    _part_of("study_id", "studies.id", index=True),
    Column("question", Text, nullable=False),
    Column("history", JSON, nullable=False),
    Column("reference", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("origin", Text, nullable=False),
)
study_answers = Table(
    "study_answers",
    metadata,
    _part_of("item_id", "study_items.id", primary_key=True),
    Column("system", String, primary_key=True),
    Column("value", JSON, nullable=False),
)
raters = Table(
    "raters",
    metadata,
    Column("id", Integer, primary_key=True),
    _part_of("study_id", "studies.id", index=True),
    Column("name", Text, nullable=False),
    Column("token", String, nullable=False),
    Column("digest", String, nullable=False, unique=True),
    Column("created", String, nullable=False),
)
showings = Table(
    "showings",
    metadata,
    Column("id", Integer, primary_key=True),
    _part_of("rater_id", "raters.id"),
    _part_of("item_id", "study_items.id", index=True),
    Column("place", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("systems", JSON, nullable=False),
    UniqueConstraint("rater_id", "place"),
)
votes = Table(
    "votes",
    metadata,
    Column("id", Integer, primary_key=True),
    _part_of("showing_id", "showings.id"),
    Column("key", String, nullable=False),
    Column("value", JSON, nullable=False),
    Column("created", String, nullable=False),
    UniqueConstraint("showing_id", "key"),
)
guesses = Table(
    "guesses",
    metadata,
    _part_of("showing_id", "showings.id", primary_key=True),
    Column("looked_up", JSON, nullable=False),
    Column("created", String, nullable=False),
)
