"""Company conversations: imported and cleaned, kept as files, counted, and split for training.

How a model reads them is known by `prompts.py`, how it learns from them by `training`.
"""

from assistant.conversations.about import About
from assistant.conversations.cleaning import STEPS, Cleaning, Example
from assistant.conversations.formats import ASKED, LABELS, SHAPES, TABLES, Layout, Recognised, Source
from assistant.conversations.gathering import Found, files_in, gather
from assistant.conversations.importing import Progress, import_file
from assistant.conversations.incoming import Incoming, Preview
from assistant.conversations.model import Conversation, Reading, Refusal
from assistant.conversations.reading import MAX_BYTES, read_conversations
from assistant.conversations.report import HISTOGRAM, Summary, summary
from assistant.conversations.splits import Split, near_duplicate_rate, split
from assistant.conversations.store import ConversationStore, FileSummary

__all__ = [
    "ASKED",
    "HISTOGRAM",
    "LABELS",
    "MAX_BYTES",
    "SHAPES",
    "STEPS",
    "TABLES",
    "About",
    "Cleaning",
    "Conversation",
    "ConversationStore",
    "Example",
    "FileSummary",
    "Found",
    "Incoming",
    "Layout",
    "Preview",
    "Progress",
    "Reading",
    "Recognised",
    "Refusal",
    "Source",
    "Split",
    "Summary",
    "files_in",
    "gather",
    "import_file",
    "near_duplicate_rate",
    "read_conversations",
    "split",
    "summary",
]
