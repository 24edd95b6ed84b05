"""The remote engine: chats in, streamed text out, on any server that speaks OpenAI's API.

It knows one thread with an event loop, and what a server reports of each answer. The model, its chat template
and its adapters are the server's own matter; `refusals.py` puts into words what goes wrong.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk

from assistant.endpoint import Endpoint
from assistant.engine.connection import check, connect
from assistant.engine.refusals import EndedOtherwise, NotOpenAI, explain
from assistant.errors import AssistantError
from assistant.lanes import NO_SERVED_ADAPTER, Finish, Piece, Request

ENDINGS = {"stop": "end", "length": "length"}
"""What the API calls the two usual ends of an answer, and what a `Finish` calls them."""
CONTROL_TOKENS = (
    *("<|im_start|>", "<|im_end|>", "<|endoftext|>"),  # ChatML: Qwen, SmolLM, Yi
    *("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>"),  # Llama 3
    *("<|header_start|>", "<|header_end|>", "<|eot|>"),  # Llama 4
    *("[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "<s>", "</s>"),  # Mistral
    *("<<SYS>>", "<</SYS>>"),  # Llama 2
    *("<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<|turn>", "<turn|>"),  # Gemma
    *("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),  # Phi, GLM
    *("<|start|>", "<|message|>", "<|channel|>", "<|return|>"),  # gpt-oss
    *("<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),  # Command
    *("<｜User｜>", "<｜Assistant｜>", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),  # DeepSeek
)
BYTES_A_TOKEN = 3
NOT_REPORTED = "not reported"
"""The base of an answer whose server did not say which model gave it."""
Result = TypeVar("Result")


class RemoteEngine:
    """The models of a server that a person named; keeps the `Engine` protocol of `lanes.py`.

    Each row is a task on the event loop of one thread: it can be ended at any point, also where it waits for
    the server, and its connection ends with it.

    Raises:
        AssistantError: the server can't be reached, refuses the key, or does not offer the models named.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client = connect(endpoint)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="model-server", daemon=True)
        self._thread.start()
        try:
            self._offer = self._wait_for(check(self._client, endpoint))
        except AssistantError:
            self.close()
            raise

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """Strings that widely used models read as control tokens.

        A server applies its own chat template, and then reads a control token in a message's text as a real
        one: an end of turn that somebody typed would end the turn. The API does not tell which tokens those
        are, so the well-known ones are kept out of all texts.
        """
        return CONTROL_TOKENS

    @property
    def window(self) -> int | None:
        """Tokens that a chat and its answer may have together, where the server tells, as vLLM does."""
        return self._offer.window

    def count_tokens(self, text: str) -> int:
        """About how many tokens a text is, rather too many: the API does not tell, and English has fewer."""
        return -(-len(text.encode()) // BYTES_A_TOKEN)

    def describe(self) -> str:
        """Model, adapter and server."""
        adapter = f" with the adapter {self._endpoint.adapter}" if self._endpoint.adapter else ""
        return f"{self._endpoint.model}{adapter} on the model server at {self._endpoint.base_url}"

    def load_adapter(self, adapter: str, folder: Path) -> None:
        """Nothing to do: a server holds its adapters itself, and the endpoint names the one that answers."""

    def generate(
        self,
        requests: Sequence[Request],
        cancelled: Callable[[], bool] = lambda: False,
        owner: str = "",
    ) -> Iterator[Piece]:
        """Stream all rows at the same time; ends when each has sent its finish, failed ones too.

        A server keeps a line of its own and is not told of owners, so `owner` changes nothing here.
        """
        pieces: queue.Queue[Piece] = queue.Queue()
        rows = [_Row(index, request, pieces) for index, request in enumerate(requests)]
        tasks, open_rows = self._wait_for(self._begin(rows)), len(rows)
        try:
            while open_rows:
                if tasks and cancelled():
                    self._cancel(tasks)
                    tasks = []  # once is enough: a second time would disturb the closing of the connection
                try:
                    piece = pieces.get(timeout=0.05)
                except queue.Empty:
                    continue
                open_rows -= piece.finish is not None
                yield piece
        finally:
            self._cancel(tasks)

    def close(self) -> None:
        """End all rows, the connections and the thread."""
        self._wait_for(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait_for(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _cancel(self, tasks: Sequence["asyncio.Task[None]"]) -> None:
        for task in tasks:
            if not task.done():
                self._loop.call_soon_threadsafe(task.cancel)

    # -- on the event loop --

    async def _begin(self, rows: Sequence["_Row"]) -> list["asyncio.Task[None]"]:
        tasks = [asyncio.create_task(self._answer(row)) for row in rows]
        await asyncio.sleep(0)  # until each has begun: one cancelled before that could not send its finish
        return tasks

    async def _answer(self, row: "_Row") -> None:
        """Stream a row to its end, whatever that is."""
        try:
            reason, error = await self._stream(row), ""
        except asyncio.CancelledError:
            reason, error = "cancelled", ""  # the connection is closed by now, so the server stops too
        except Exception as problem:  # noqa: BLE001 - whatever a server does, it ends this row only
            reason, error = "failed", explain(problem, self._endpoint, begun=row.begun)
        row.end(reason, error, self._endpoint.adapter, self._offer.adapters_base)

    async def _stream(self, row: "_Row") -> str:
        """Send a row's text as it comes; returns why the answer ended."""
        sampling = row.request.sampling
        penalty = sampling.repetition_penalty
        messages: Any = [{"role": each.role, "content": each.content} for each in row.request.messages]
        stream = await self._client.chat.completions.create(
            model=self._model_for(row.request),
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
            max_tokens=sampling.max_tokens,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=sampling.seed,
            extra_body={"repetition_penalty": penalty} if penalty != 1.0 else None,
        )
        async with stream:
            async for chunk in stream:
                row.take(chunk)
        if not row.begun:
            raise NotOpenAI(stream.response.headers.get("content-type", "no content type"))
        if row.ending not in ENDINGS:
            raise EndedOtherwise(row.ending)
        return ENDINGS[row.ending]

    def _model_for(self, request: Request) -> str:
        endpoint = self._endpoint
        if request.adapter is None:
            return endpoint.model
        if not endpoint.adapter:
            raise AssistantError(NO_SERVED_ADAPTER)
        if request.adapter != endpoint.adapter:
            raise AssistantError(
                f"The adapter {request.adapter} is not on the model server at {endpoint.base_url}; "
                f"{endpoint.adapter} was named. Name another with --endpoint-adapter."
            )
        if request.scale != 1.0:
            raise AssistantError(
                f"A model server runs its adapter at full strength, and {request.scale:g} was asked for. "
                "Set the voice strength to 1."
            )
        return endpoint.adapter

    async def _end(self) -> None:
        rows = asyncio.all_tasks() - {asyncio.current_task()}
        for row in rows:
            row.cancel()
        await asyncio.gather(*rows, return_exceptions=True)
        await self._client.close()


@dataclass(eq=False)
class _Row:
    """A request on its way through a server, and what the server has told of it so far."""

    index: int
    request: Request
    pieces: "queue.Queue[Piece]"
    began: float = field(default_factory=time.perf_counter)
    begun: bool = False
    """Whether the server has said anything."""
    model: str = ""
    ending: str = ""
    usage: CompletionUsage | None = None
    texts: int = 0
    first_text: float = 0.0

    def take(self, chunk: ChatCompletionChunk) -> None:
        """Note what a chunk of the stream tells, and send its text."""
        self.begun = True
        self.model = chunk.model or self.model
        self.usage = chunk.usage or self.usage
        for choice in chunk.choices:
            self.ending = choice.finish_reason or self.ending
            if choice.delta.content:
                self.first_text = self.first_text or time.perf_counter() - self.began
                self.texts += 1
                self.pieces.put(Piece(self.index, choice.delta.content))

    def end(self, reason: str, error: str, adapter: str, adapters_base: str) -> None:
        """Send the last piece: an adapter only where the server reported its name."""
        tuned = bool(adapter) and _names(self.model, adapter)
        finish = Finish(
            reason=reason,
            base=adapters_base if tuned else self.model or NOT_REPORTED,
            adapter=self.model if tuned else None,
            scale=1.0 if tuned else 0.0,
            prompt_tokens=self.usage.prompt_tokens if self.usage else 0,
            completion_tokens=self.usage.completion_tokens if self.usage else self.texts,
            first_token_seconds=round(self.first_text, 4),
            seconds=round(time.perf_counter() - self.began, 4),
            error=error,
        )
        self.pieces.put(Piece(self.index, "", finish))


def _names(reported: str, model: str) -> bool:
    """Whether a reported name is the model's; `transformers serve` adds the revision, as in NAME@main."""
    return reported == model or reported.startswith(f"{model}@")
