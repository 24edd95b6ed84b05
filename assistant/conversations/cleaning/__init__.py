"""Cleaning: exported conversations become ones to learn from, each step counted, shown and switchable.

A face: `cleaned` for one conversation, `Repeats` for many, `privacy` for what is masked.
"""

from assistant.conversations.cleaning import privacy
from assistant.conversations.cleaning.repeats import Repeats
from assistant.conversations.cleaning.steps import STEPS, Cleaning, Example, Tally, cleaned

__all__ = ["STEPS", "Cleaning", "Example", "Repeats", "Tally", "cleaned", "privacy"]
