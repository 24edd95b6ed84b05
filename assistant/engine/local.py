"""The local engine: chats in, streamed text out, on a model in this process.

It knows the chat template and the tokenizer. How rows are run is the decoder's matter.
"""

import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.engine.decoder import SLOTS, Decoder
from assistant.engine.rows import Row
from assistant.errors import AssistantError
from assistant.lanes import Piece, Request
from assistant.weights import find_placement, load_model, load_tokenizer

CONTEXT_LIMIT = 8192
"""Tokens a chat may have, where the model itself allows more."""


class LocalEngine:
    """The model in a folder, and the adapters loaded into it; keeps the `Engine` protocol of `lanes.py`."""

    def __init__(self, folder: Path, *, slots: int = SLOTS) -> None:
        self._placement = find_placement()
        self._tokenizer: Any = load_tokenizer(folder)
        model = load_model(folder, self._placement)
        self._name = folder.name
        self._context = min(getattr(model.config, "max_position_embeddings", CONTEXT_LIMIT), CONTEXT_LIMIT)
        self._ends = _end_tokens(model.generation_config.eos_token_id, self._tokenizer.eos_token_id)
        self._decoder = Decoder(model, slots=slots)

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """Strings that the tokenizer reads as control tokens."""
        return tuple(token.content for token in self._tokenizer.added_tokens_decoder.values())

    def describe(self) -> str:
        """Model, device, number format and why."""
        return f"{self._name} on {self._placement}"

    def load_adapter(self, adapter: str, folder: Path) -> None:
        """Take up the adapter in a PEFT folder under an id; nothing happens if it is there already."""
        self._decoder.router.load(adapter, folder)

    def generate(
        self, requests: Sequence[Request], cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[Piece]:
        """Stream all rows at the same time; ends when each has sent its finish, cancelled ones too."""
        pieces: queue.Queue[Piece] = queue.Queue()
        rows = [self._row(index, request, pieces) for index, request in enumerate(requests)]
        fitting = [row for row in rows if self._check_length(row)]
        self._decoder.submit(fitting)
        open_rows = len(rows)
        try:
            while open_rows:
                if cancelled():
                    _cancel(rows)
                try:
                    piece = pieces.get(timeout=0.05)
                except queue.Empty:
                    continue
                open_rows -= piece.finish is not None
                yield piece
        finally:
            _cancel(rows)

    def close(self) -> None:
        """End the decoder's thread."""
        self._decoder.close()

    def _row(self, index: int, request: Request, pieces: "queue.Queue[Piece]") -> Row:
        if request.adapter is not None and request.adapter not in self._decoder.router.names:
            raise AssistantError(
                f"The adapter {request.adapter} is not loaded. Choose another version on the page Train."
            )
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        prompt = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)[
            "input_ids"
        ]
        return Row(index, request, list(prompt), self._tokenizer, self._ends, self._name, pieces)

    def _check_length(self, row: Row) -> bool:
        """Whether the row fits the context; one that does not ends at once with a message."""
        needed = len(row.prompt) + row.request.sampling.max_tokens
        if needed <= self._context:
            return True
        row.end(
            "failed",
            f"This conversation needs {needed:,} tokens and the model has room for {self._context:,}. "
            "Start a new chat.",
        )
        return False


def _cancel(rows: Sequence[Row]) -> None:
    for row in rows:
        row.cancelled = True


def _end_tokens(configured: int | list[int] | None, tokenizer_end: int | None) -> frozenset[int]:
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in [*listed, tokenizer_end] if token is not None)
