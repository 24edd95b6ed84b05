"""The models, opened when first needed: chat model, here or on a model server, embedder and re-ranker.

It alone joins what `models.py` finds with what `engine` and `knowledge.embedding` load. Their imports take
seconds, so they wait until a model is asked for.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from assistant.endpoint import Endpoint
from assistant.errors import AssistantError
from assistant.models import Report, chat_model, embedding_model, search_model

if TYPE_CHECKING:
    from assistant.engine import LocalEngine
    from assistant.engine.remote import RemoteEngine
    from knowledge.embedding import SentenceEncoder
    from knowledge.reranking import PassageReranker


class LocalModels:
    """Opens the starter models, or the chat model named: a local folder or a hub id."""

    endpoint = None

    def __init__(self, model: str | None = None, *, eight_bit: bool = False) -> None:
        """`eight_bit`: whether the weights of the chat model have 8 bits while it answers."""
        self._model, self._eight_bit = model, eight_bit

    def folder(self, report: Report) -> Path:
        """The chat model's folder, fetched first if it is not there."""
        return chat_model(self._model, report)

    def engine(self, report: Report) -> "LocalEngine":
        """The chat model, loaded."""
        folder = self.folder(report)
        report(f"Loading {folder.name}", 0.97)
        from assistant.engine import LocalEngine

        return LocalEngine(folder, report=report, eight_bit=self._eight_bit)

    def encoder(self, report: Report, name: str = "") -> "SentenceEncoder":
        """The embedding model, loaded: the starter, or the one named."""
        folder = embedding_model(report, name)
        report(f"Loading {folder.name}", 0.97)
        from knowledge.embedding import SentenceEncoder

        return SentenceEncoder(folder)

    def reranker(self, report: Report, name: str) -> "PassageReranker":
        """The cross-encoder named, loaded."""
        folder = search_model(name, report)
        report(f"Loading {folder.name}", 0.97)
        from knowledge.reranking import PassageReranker

        return PassageReranker(folder)


class RemoteModels:
    """Takes the chat model from a model server, and the embedder from this machine."""

    def __init__(self, endpoint: Endpoint, trained: LocalModels | None = None) -> None:
        self.endpoint = endpoint
        self._trained = trained

    def folder(self, report: Report) -> Path:
        """The folder of the chat model that was named for training.

        Raises:
            AssistantError: none was, and a model server can't be trained.
        """
        if self._trained is None:
            raise AssistantError(
                f"{self.endpoint.model} is on a model server, and training needs a model on this machine. "
                "Start Quartet with --model too, naming the folder or hub id of the same model, and load the "
                "adapter that comes out of it on the server."
            )
        return self._trained.folder(report)

    def engine(self, report: Report) -> "RemoteEngine":
        """The model server, asked once whether it is there and has the models named."""
        report(f"Asking the model server at {self.endpoint.base_url}", 0.97)
        from assistant.engine.remote import RemoteEngine

        return RemoteEngine(self.endpoint)

    def encoder(self, report: Report, name: str = "") -> "SentenceEncoder":
        """The embedding model, loaded."""
        return LocalModels().encoder(report, name)

    def reranker(self, report: Report, name: str) -> "PassageReranker":
        """The cross-encoder named, loaded."""
        return LocalModels().reranker(report, name)
