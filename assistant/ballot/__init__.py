"""The ballot: the light page on which raters judge answers without knowing who wrote them."""

from assistant.ballot.room import ADDRESS, ballot_room

__all__ = ["ADDRESS", "ballot_room"]
