"""The local engine: chats in, streamed text out, on a model in this process.

It knows the chat template, the tokenizer and the adapters loaded. How rows are run is the decoder's matter.
"""

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from transformers import GenerationConfig

from assistant.engine.decoder import ON_CARD, Chunks, Decoder
from assistant.engine.room import fitting
from assistant.engine.rows import Row
from assistant.engine.runners import Report, open_runner
from assistant.engine.steps import Runner
from assistant.errors import AssistantError
from assistant.lanes import Piece, Request
from assistant.weights import find_placement, load_tokenizer

RESIDENT = 4
"""Adapters kept in memory; the least recently used one that no row needs goes first."""


class LocalEngine:
    """The model in a folder, and the adapters loaded into it; keeps the `Engine` protocol of `lanes.py`."""

    def __init__(
        self,
        folder: Path,
        *,
        runner: Runner | None = None,
        report: Report = lambda *_: None,
        eight_bit: bool = False,
    ) -> None:
        """`runner` takes the steps; the fastest that this machine has, if none is given.

        Raises:
            AssistantError: the model can't be loaded, or not with weights in 8 bits where that is asked for.
        """
        self._placement = fitting(folder, find_placement())
        self._tokenizer: Any = load_tokenizer(folder)
        self._name = folder.name
        self._ends = _end_tokens(folder, self._tokenizer.eos_token_id)
        self._runner = runner or open_runner(folder, self._placement, report, eight_bit=eight_bit)
        on_card = self._placement.device.type == "cuda"
        self._decoder = Decoder(self._runner, chunks=ON_CARD if on_card else Chunks())
        self._adapters: OrderedDict[Path, None] = OrderedDict()
        """The folders of the adapters loaded, least recently used first."""
        self._folders: dict[str, Path] = {}
        """By id, the folder it stands for now."""
        self._loading = threading.RLock()

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """Strings that the tokenizer reads as control tokens."""
        return tuple(token.content for token in self._tokenizer.added_tokens_decoder.values())

    @property
    def window(self) -> int:
        """Tokens that a chat and its answer may have together."""
        return self._runner.capacity

    def count_tokens(self, text: str) -> int:
        """How many tokens a text is, by the model's own tokenizer."""
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def describe(self) -> str:
        """Model, device, number format and why, and how steps are taken."""
        return f"{self._name} on {self._placement}, {self._runner.describe()}"

    def load_adapter(self, adapter: str, folder: Path) -> None:
        """Take up the adapter in a PEFT folder under an id, while others go on answering.

        One that is loaded already stays. Rows that began with another folder under this id (another
        company's) end with it.

        Raises:
            AssistantError: the files are missing, damaged, of a kind not supported, or made for another base.
        """
        with self._loading:
            if folder not in self._adapters:
                parts = self._runner.router.read(folder)
                self._decoder.between_steps(lambda: self._runner.router.install(str(folder), parts))
                self._adapters[folder] = None
            self._adapters.move_to_end(folder)
            self._folders[adapter] = folder
            if len(self._adapters) > RESIDENT:
                self._decoder.between_steps(self._drop_unused)

    def generate(
        self,
        requests: Sequence[Request],
        cancelled: Callable[[], bool] = lambda: False,
        owner: str = "",
    ) -> Iterator[Piece]:
        """Stream all rows at the same time; ends when each has sent its finish, cancelled ones too."""
        pieces: queue.Queue[Piece] = queue.Queue()
        with self._loading:  # so that no adapter is dropped before its rows stand in line
            rows = [self._row(index, request, pieces, owner) for index, request in enumerate(requests)]
            self._decoder.submit([row for row in rows if self._check_length(row)])
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

    def _drop_unused(self) -> None:
        in_use = self._decoder.adapters_in_use()
        *others, _ = self._adapters  # but the one that is just being loaded
        for folder in [folder for folder in others if str(folder) not in in_use]:
            if len(self._adapters) <= RESIDENT:
                return
            self._decoder.forget(str(folder))
            self._runner.router.drop(str(folder))
            del self._adapters[folder]

    def _row(self, index: int, request: Request, pieces: "queue.Queue[Piece]", owner: str) -> Row:
        adapter = self._loaded(request.adapter) if request.adapter else None
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        prompt = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)[
            "input_ids"
        ]
        return Row(
            index, request, list(prompt), self._tokenizer, self._ends, self._name, pieces, adapter, owner
        )

    def _loaded(self, adapter: str) -> str:
        """The adapter as the router has it installed; one that others have displaced is loaded again."""
        folder = self._folders.get(adapter)
        if folder is None:
            raise AssistantError(
                f"The adapter {adapter} is not loaded. Choose another version on the page Train."
            )
        self.load_adapter(adapter, folder)
        return str(folder)

    def _check_length(self, row: Row) -> bool:
        """Whether the row fits the context; one that does not ends at once with a message."""
        needed = len(row.prompt) + row.request.sampling.max_tokens
        if needed <= self._runner.capacity:
            return True
        row.end(
            "failed",
            f"This conversation needs {needed:,} tokens and the model has room for "
            f"{self._runner.capacity:,}. Start a new chat.",
        )
        return False


def _cancel(rows: Sequence[Row]) -> None:
    for row in rows:
        row.cancelled = True


def _end_tokens(folder: Path, tokenizer_end: int | None) -> frozenset[int]:
    """The tokens that end an answer: those of the model's settings for generation, and the tokenizer's."""
    try:
        configured = GenerationConfig.from_pretrained(folder).eos_token_id
    except OSError:  # the model has no such settings
        configured = None
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in [*listed, tokenizer_end] if token is not None)
