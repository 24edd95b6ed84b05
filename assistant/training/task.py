"""What a training is asked to do and what it learns from: read and checked before anything heavy is loaded.

It knows job folders, workspaces and conversations. It does not know tokens or tensors.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.adapters import conversation_digest, data_digest
from assistant.brand import Brand, read_brand
from assistant.conversations import (
    Conversation,
    ConversationStore,
    KeptConversations,
    Split,
    fair_sample,
    read_conversations,
    split,
)
from assistant.errors import AssistantError
from assistant.prompts import Message, prompt_hash, system_prompt
from assistant.training.examples import Library
from assistant.training.settings import TrainingSettings
from assistant.workspace import Workspace, open_workspace, read_json

if TYPE_CHECKING:
    from knowledge.retrieval import KnowledgeBase

FEWEST = 8
"""Conversations a training needs."""
ENOUGH = 10_000
"""Conversations learned from at most where no other number is asked for; a voice takes far fewer."""


@dataclass(frozen=True)
class Task:
    """What a job folder asks for."""

    workspace: Workspace
    model: Path
    conversations: tuple[Path, ...] | None
    """Files to learn from; None for the workspace's own."""
    settings: TrainingSettings
    estimate: dict[str, Any]
    """What was estimated before it began; empty if nothing was."""


@dataclass(frozen=True)
class Material:
    """All that a training learns from, and how it reads it."""

    brand: Brand
    conversations: Sequence[Conversation]
    split: Split
    library: Library | None
    index_version: str
    documents: tuple[str, ...] = ()
    """Digests of the documents that passages are taken from."""

    @property
    def prompt_hash(self) -> str:
        """Hash of the system prompt that is trained under."""
        return brand_hash(self.brand)


def read_task(folder: Path) -> Task:
    """What `folder`/job.json asks for, checked.

    Raises:
        AssistantError: a field is missing or wrong.
    """
    values = read_json(folder / "job.json")
    for key in ("workspace", "model"):
        if not isinstance(values.get(key), str):
            raise AssistantError(
                f'{folder / "job.json"}: "{key}" is {values.get(key)!r}; it should be a folder. Add it.'
            )
    model = Path(values["model"])
    if not (model / "config.json").is_file():
        raise AssistantError(
            f"The base model {model} has no config.json. Name the folder of a model in safetensors."
        )
    files = values.get("conversations")
    return Task(
        workspace=open_workspace(Path(values["workspace"])),
        model=model,
        conversations=None if files is None else tuple(Path(file) for file in files),
        settings=TrainingSettings.of(values.get("settings") or {}),
        estimate=values.get("estimate") or {},
    )


def gather(task: Task) -> Material:
    """The conversations, split, with the company's voice and its documents.

    Raises:
        AssistantError: there are too few conversations.
    """
    conversations = _conversations(task)
    if len(conversations) < FEWEST:
        raise AssistantError(
            f"There are {len(conversations)} usable conversations; a training needs at least {FEWEST}. "
            "Add more on the page Conversations."
        )
    brand_file = task.workspace.brand_file
    brand = read_brand(brand_file) if brand_file.exists() else Brand(name=task.workspace.root.name)
    knowledge = _knowledge(task)
    return Material(
        brand,
        conversations,
        split_for(conversations, task.settings),
        knowledge,
        knowledge.version if knowledge else "",
        tuple(sorted(knowledge.digests())) if knowledge else (),
    )


def split_for(conversations: Sequence[Conversation], settings: TrainingSettings) -> Split:
    """The conversations to learn from, no more than the settings allow, and those held out.

    Of very many a fair sample is split: comparing all with each other would take longer than to learn.
    """
    most = settings.most_conversations
    wanted = max(most, ENOUGH)
    parts = _split(conversations, settings.evaluation_share, settings.seed, wanted)
    if len(parts.train) <= (most or wanted):
        return parts
    learned = fair_sample(parts.train, most or wanted, seed=settings.seed)
    return Split(tuple(learned), parts.evaluation, parts.by_time)


@lru_cache(maxsize=2)
def _split(conversations: Sequence[Conversation], share: float, seed: int, wanted: int) -> Split:
    """A split of so many that about `wanted` can be learned from; remembered, for pages ask each second."""
    return split(fair_sample(conversations, round(wanted / (1 - share)), seed=seed), share=share, seed=seed)


def texts_of(conversations: Iterable[Conversation]) -> Iterator[list[tuple[str, str]]]:
    """The conversations as (role, text) pairs, for their digests."""
    return ([(message.role, message.content) for message in each.messages] for each in conversations)


def digests_of(conversations: Sequence[Conversation]) -> set[str]:
    """What tells each conversation from others; of kept ones it is known without reading them again."""
    if isinstance(conversations, KeptConversations):
        return conversations.digests()
    return set(map(conversation_digest, texts_of(conversations)))


def conversations_digest(conversations: Sequence[Conversation]) -> str:
    """sha256 of all conversations, whatever their order and however often each is there."""
    return data_digest([[("", digest)] for digest in sorted(digests_of(conversations))])


def brand_hash(brand: Brand) -> str:
    """Hash of the system prompt that a brand's voice makes."""
    return prompt_hash([Message("system", system_prompt(brand))])


def _conversations(task: Task) -> Sequence[Conversation]:
    if task.conversations is None:
        return ConversationStore(task.workspace.conversations).read().conversations
    return tuple(each for path in task.conversations for each in read_conversations(path).conversations)


def _knowledge(task: Task) -> "KnowledgeBase | None":
    """The company's knowledge base; None where no passages can or shall be shown."""
    if task.settings.grounded_share == 0 or not any(task.workspace.knowledge.iterdir()):
        return None
    # FAISS and the embedding model take seconds to load, and only companies with documents need them.
    from assistant.models import embedding_model, search_model
    from knowledge.embedding import SentenceEncoder
    from knowledge.preferences import read_preferences
    from knowledge.retrieval import KnowledgeBase, Reranker

    folder = task.workspace.knowledge
    chosen = read_preferences(folder)

    def load_encoder() -> SentenceEncoder:
        return SentenceEncoder(embedding_model(lambda *_: None, chosen.embedder))

    def load_reranker() -> Reranker | None:
        if not chosen.reranker:
            return None
        from knowledge.reranking import PassageReranker

        return PassageReranker(search_model(chosen.reranker, lambda *_: None))

    knowledge = KnowledgeBase(folder, load_encoder, load_reranker=load_reranker)
    return knowledge if len(knowledge) else None
