"""Texts to vectors with a sentence-transformers model from a local folder.

It knows the model, its device and its limits. It does not know documents or indexes. Importing it is slow.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from knowledge.errors import KnowledgeError
from knowledge.weights import check_weights, digest_of_files

MAX_WORD_PIECES = 256
BATCH = 32
KIND = "a sentence-transformers model"


class SentenceEncoder:
    """A sentence-transformers model that is ready to encode; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """Load the model kept in `folder`; nothing is fetched, and no code from the folder is run.

        Raises:
            KnowledgeError: the folder holds no such model, or it can't be loaded.
        """
        self.identity = identity_of(folder)
        transformers_logging.disable_progress_bar()
        try:
            self._model = SentenceTransformer(
                str(folder),
                device=device(),
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
        except Exception as problem:  # the library raises whatever its parts raise
            raise KnowledgeError(
                f"{folder} could not be loaded as an embedding model ({type(problem).__name__}: {problem}). "
                "It must be a sentence-transformers model saved as safetensors. Choose another folder."
            ) from problem
        self._model.max_seq_length = min(self._model.max_seq_length or MAX_WORD_PIECES, MAX_WORD_PIECES)
        self._lock = threading.Lock()
        self.dimension = self.encode(["dimension"]).shape[1]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, one a text: float32 of shape [texts, dimension].

        Texts are batched by length. What goes beyond MAX_WORD_PIECES is not seen.
        """
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        with self._lock:  # fast tokenizers keep settings that two threads would change under each other
            vectors = self._model.encode(
                list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
            )
        return np.ascontiguousarray(vectors, dtype=np.float32)


def identity_of(folder: Path) -> str:
    """The sha256 of a model's weights and settings: two models share it only if they embed alike.

    Raises:
        KnowledgeError: there are no safetensors in the folder, or a part of the model has other weights.
    """
    weights = check_weights(folder, KIND)
    settings = (*sorted(folder.glob("*_Pooling/config.json")), folder / "modules.json")
    return digest_of_files(str(MAX_WORD_PIECES), (*weights, *settings))


def device() -> str:
    """Where models of this machine run."""
    return "cuda" if torch.cuda.is_available() else "cpu"
