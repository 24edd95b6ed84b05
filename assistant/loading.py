"""The models of this machine, loaded when they are first needed: chat engine and embedder.

It alone joins what `models.py` finds with what `engine` and `knowledge.embedding` load. Their imports take
seconds, so they wait until a model is asked for.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from assistant.models import Report, chat_model, embedding_model

if TYPE_CHECKING:
    from assistant.engine import LocalEngine
    from knowledge.embedding import SentenceEncoder


class LocalModels:
    """Opens the starter models, or the chat model named: a local folder or a hub id."""

    def __init__(self, model: str | None = None) -> None:
        self._model = model

    def folder(self, report: Report) -> Path:
        """The chat model's folder, fetched first if it is not there."""
        return chat_model(self._model, report)

    def engine(self, report: Report) -> "LocalEngine":
        """The chat model, loaded."""
        folder = self.folder(report)
        report(f"Loading {folder.name}", 0.97)
        from assistant.engine import LocalEngine

        return LocalEngine(folder)

    def encoder(self, report: Report) -> "SentenceEncoder":
        """The embedding model, loaded."""
        folder = embedding_model(report)
        report(f"Loading {folder.name}", 0.97)
        from knowledge.embedding import SentenceEncoder

        return SentenceEncoder(folder)
