"""The models that search a company's documents: as they were chosen for it, and each loaded once.

It knows which model a company wants. It does not know what a model must be, or how it searches.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from assistant.errors import AssistantError
from assistant.models import full_name
from knowledge.errors import KnowledgeError
from knowledge.preferences import read_preferences
from knowledge.retrieval import Encoder, KnowledgeBase, Reranker

Report = Callable[[str, float], None]


class SearchModelSource(Protocol):
    """Where the models come from; opening may download and takes seconds."""

    def encoder(self, report: Report, name: str = "") -> Encoder:
        """Load the embedding model: the starter, or the one named."""

    def reranker(self, report: Report, name: str) -> Reranker:
        """Load the model named, which puts what was found in order."""


class SearchModels:
    """The embedding models that were loaded, and the knowledge bases opened with them."""

    def __init__(self, source: SearchModelSource, report: Report) -> None:
        self._source = source
        self._report = report
        self._encoders: dict[str, Encoder] = {}
        """By name; the starter has an empty one."""
        self._loading = threading.Lock()

    def open(self, folder: Path) -> KnowledgeBase:
        """A company's documents, with the models that were chosen for them; nothing is loaded yet."""

        def load_reranker() -> Reranker | None:
            name = read_preferences(folder).reranker
            return self._source.reranker(self._report, name) if name else None

        return KnowledgeBase(
            folder, lambda: self.encoder(read_preferences(folder).embedder), load_reranker=load_reranker
        )

    def encoder(self, name: str = "") -> Encoder:
        """The embedding model with this name, loaded on first use; a second caller waits for the first."""
        with self._loading:
            if name not in self._encoders:
                self._encoders[name] = self._source.encoder(self._report, name)
            return self._encoders[name]

    def choose_embedder(self, knowledge: KnowledgeBase, name: str) -> None:
        """Embed a company's documents with another model: a folder, a hub id, or with no name the starter.

        It is loaded first. Then the index is made anew in the background, while the earlier one serves.

        Raises:
            AssistantError: it can't be found or fetched.
            KnowledgeError: it is no such model, or can't be loaded.
        """
        name = full_name(name)
        encoder = self.encoder(name)
        with suppress(AssistantError, KnowledgeError):  # the one in use may be gone: then words are searched
            knowledge.load_encoder()
        knowledge.use_encoder(lambda: encoder, name=name)

    def choose_reranker(self, knowledge: KnowledgeBase, name: str) -> None:
        """Put what is found in the order of a cross-encoder; with no name leave it as it was found.

        Raises:
            AssistantError: it can't be found or fetched.
            KnowledgeError: it is no such model, or can't be loaded.
        """
        name = full_name(name)
        reranker = self._source.reranker(self._report, name) if name else None
        knowledge.use_reranker(lambda: reranker, name=name)
