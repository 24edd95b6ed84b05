"""Company conversations: imported and cleaned, kept as files, counted, and split for training.

How a model reads them is known by `prompts.py`, how it learns from them by `training`.
"""

from assistant.conversations.about import About
from assistant.conversations.cleaning import STEPS, Cleaning, Example
from assistant.conversations.closer import CloserLook, Contradiction, Topic, look_closer
from assistant.conversations.formats import ASKED, LABELS, SHAPES, TABLES, Layout, Recognised, Source
from assistant.conversations.gathering import Found, files_in
from assistant.conversations.guard import Guard, Preview
from assistant.conversations.importing import MOST_KEPT, Progress, import_file
from assistant.conversations.incoming import Incoming
from assistant.conversations.kept import KeptConversations
from assistant.conversations.model import Conversation, Reading, Refusal
from assistant.conversations.reading import MAX_BYTES, read_conversations
from assistant.conversations.report import HISTOGRAM, Judgement, Summary, summary, verdict
from assistant.conversations.sampling import fair_sample
from assistant.conversations.splits import Split, near_duplicate_rate, split
from assistant.conversations.store import ABOUT, CHANGES, CLOSER, REMOVED, ConversationStore, FileSummary

__all__ = [
    "ABOUT",
    "ASKED",
    "CHANGES",
    "CLOSER",
    "HISTOGRAM",
    "LABELS",
    "MAX_BYTES",
    "MOST_KEPT",
    "REMOVED",
    "SHAPES",
    "STEPS",
    "TABLES",
    "About",
    "Cleaning",
    "CloserLook",
    "Contradiction",
    "Conversation",
    "ConversationStore",
    "Example",
    "FileSummary",
    "Found",
    "Guard",
    "Incoming",
    "Judgement",
    "KeptConversations",
    "Layout",
    "Preview",
    "Progress",
    "Reading",
    "Recognised",
    "Refusal",
    "Source",
    "Split",
    "Summary",
    "Topic",
    "fair_sample",
    "files_in",
    "import_file",
    "look_closer",
    "near_duplicate_rate",
    "read_conversations",
    "split",
    "summary",
    "verdict",
]
