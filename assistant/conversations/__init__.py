"""Company conversations: read and checked, kept as files, counted, and split for training.

How a model reads them is known by `prompts.py`, how it learns from them by `training`.
"""

from assistant.conversations.reading import MAX_BYTES, Conversation, Reading, Refusal, read_conversations
from assistant.conversations.report import HISTOGRAM, Summary, summary
from assistant.conversations.splits import Split, near_duplicate_rate, split
from assistant.conversations.store import ConversationStore, FileSummary

__all__ = [
    "HISTOGRAM",
    "MAX_BYTES",
    "Conversation",
    "ConversationStore",
    "FileSummary",
    "Reading",
    "Refusal",
    "Split",
    "Summary",
    "near_duplicate_rate",
    "read_conversations",
    "split",
    "summary",
]
