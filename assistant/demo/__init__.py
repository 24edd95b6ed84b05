"""Fernhollow, the demo company: a made-up shop with a voice, documents, conversations, questions, an adapter.

It knows where the shipped files lie and how they become a workspace. The files are data, written for Quartet.
"""

from collections.abc import Callable
from pathlib import Path

from assistant.adapters import current, install_shipped
from assistant.conversations import ConversationStore
from assistant.errors import AssistantError
from assistant.workspace import Workspace, read_json, write_bytes, write_json
from knowledge.retrieval import KnowledgeBase, Progress, files_under

DEMO = Path(__file__).parent
DEMO_QUESTIONS = DEMO / "questions.jsonl"


def seed_demo(workspace: Workspace) -> None:
    """Make an empty workspace the demo company's: conversations, adapter, voice; documents come later."""
    if workspace.brand_file.exists():
        return
    conversations = ConversationStore(workspace.conversations)
    if not conversations.files():
        conversations.add(DEMO / "conversations.jsonl", "conversations.jsonl")
    if current(workspace.adapters) is None:
        install_shipped(workspace.adapters, DEMO / "adapter")
    write_json(workspace.root / "demo.json", {"version": 1, "documents": "to add"})
    # The voice comes last: where it is missing, seeding was cut off, and the next start finishes it.
    write_bytes(workspace.brand_file, (DEMO / "brand.toml").read_bytes())


def add_demo_documents(
    workspace: Workspace, knowledge: KnowledgeBase, progress: Callable[[Progress], None] | None = None
) -> None:
    """Index the demo's documents, once; apart from `seed_demo`, since they wait for the embedding model."""
    marker = workspace.root / "demo.json"
    if marker.exists() and _documents_missing(marker, knowledge):
        knowledge.add(files_under([DEMO / "documents"]), progress=progress)
        write_json(marker, {"version": 1, "documents": "added"})


def _documents_missing(marker: Path, knowledge: KnowledgeBase) -> bool:
    """Whether they were never added; a damaged marker can't say, so then what there is says it."""
    try:
        return bool(read_json(marker)["documents"] == "to add")
    except (AssistantError, KeyError, TypeError):
        return not knowledge.documents()
