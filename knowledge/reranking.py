"""How well a passage answers a question, by a cross-encoder that reads both together, from a local folder.

It knows the model, its device and its limits. It does not know passages or how they were found. Importing it
is slow.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sentence_transformers import CrossEncoder
from transformers.utils import logging as transformers_logging

from knowledge.embedding import device
from knowledge.errors import KnowledgeError
from knowledge.weights import check_weights

KIND = "a sentence-transformers cross-encoder with one score a pair,"
MOST_WORD_PIECES = 512
BATCH = 16


class PassageReranker:
    """A cross-encoder that is ready to score; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """Load the model kept in `folder`; nothing is fetched, and no code from the folder is run.

        Raises:
            KnowledgeError: the folder holds no such model, or it can't be loaded.
        """
        check_weights(folder, KIND)
        transformers_logging.disable_progress_bar()
        try:
            self._model = CrossEncoder(
                str(folder),
                device=device(),
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
            labels = int(self._model.num_labels)
        except Exception as problem:  # the library raises whatever its parts raise
            raise KnowledgeError(
                f"{folder} could not be loaded as a re-ranker ({type(problem).__name__}: {problem}). It must "
                f"be {KIND} saved as safetensors. Choose another folder."
            ) from problem
        if labels != 1:
            raise KnowledgeError(
                f"{folder} gives {labels} scores a pair, so it sorts texts into classes. It must be {KIND} "
                "saved as safetensors. Choose another folder."
            )
        self._model.max_seq_length = min(self._model.max_seq_length or MOST_WORD_PIECES, MOST_WORD_PIECES)
        self._lock = threading.Lock()

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers the question, higher is better: float32 of shape [texts]."""
        with self._lock:  # fast tokenizers keep settings that two threads would change under each other
            found = self._model.predict(
                [(question, text) for text in texts], batch_size=BATCH, show_progress_bar=False
            )
        return np.asarray(found, dtype=np.float32).reshape(len(texts))
