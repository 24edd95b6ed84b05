"""Which tokens of a chat are learned: the replies, each with its end token, whatever template the model has.

It knows chat templates and token ids. It does not know where a chat comes from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from jinja2 import TemplateError

from assistant.errors import AssistantError
from assistant.prompts import Message

IGNORED = -100
"""Label of a token that is not learned."""


class Tokenizer(Protocol):
    """What is needed of a transformers tokenizer."""

    eos_token: str | None

    def apply_chat_template(self, conversation: list[dict[str, str]], **options: Any) -> Any:
        """The chat as the model reads it."""

    def __call__(self, text: str, **options: Any) -> Any:
        """Token ids, and the characters each stands for."""


@dataclass(frozen=True)
class Example:
    """Token ids and, of the same length, labels: the id where a token is learned, else `IGNORED`."""

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    grounded: bool = False

    def __len__(self) -> int:
        return len(self.input_ids)


class RewrittenError(Exception):
    """The template writes an earlier reply differently once others follow it."""


def label(tokenizer: Tokenizer, messages: Sequence[Message], *, last_only: bool = False) -> Example:
    """Tokenise a chat and label its assistant turns, each with its end-of-turn token and nothing else.

    Each turn is found by rendering the chat up to it, so the template needs no marks of its own.

    Raises:
        RewrittenError: the template writes an earlier reply differently once others follow it.
        AssistantError: it can't write this chat, or writes a reply differently from how it asks for it.
    """
    full = _render(tokenizer, messages)
    replies = [index for index, message in enumerate(messages) if message.role == "assistant"]
    spans = []
    for index in replies[-1:] if last_only else replies:
        before = _render(tokenizer, messages[:index], add_generation_prompt=True)
        through = _without_tail(_render(tokenizer, messages[: index + 1]), tokenizer.eos_token)
        if not (through.startswith(before) and full.startswith(through)):
            if index < len(messages) - 1:
                raise RewrittenError
            raise AssistantError(
                "The model's chat template writes a reply differently from how it asks for one, so replies "
                "can't be marked for learning. Choose another base model."
            )
        spans.append((len(before), len(through.rstrip())))
    encoded = tokenizer(full, add_special_tokens=False, return_offsets_mapping=True)
    ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
    learned = [any(start <= low and high <= end for start, end in spans) for low, high in offsets]
    return Example(
        tuple(ids), tuple(token if keep else IGNORED for token, keep in zip(ids, learned, strict=True))
    )


def rewrites(tokenizer: Tokenizer) -> bool:
    """Whether the template writes earlier replies differently once others follow, as thinking models do."""
    turns = [Message(role, "x") for role in ("system", "user", "assistant", "user", "assistant")]
    try:
        label(tokenizer, turns)
    except RewrittenError:
        return True
    return False


def _without_tail(text: str, end: str | None) -> str:
    """The chat without a last token that ends all turns, apart from the one that ends the last."""
    shorter = text.removesuffix(end or "")
    return shorter if shorter[-1:].isspace() else text


def _render(tokenizer: Tokenizer, messages: Sequence[Message], **options: Any) -> str:
    chat = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return str(tokenizer.apply_chat_template(chat, tokenize=False, **options))
    except TemplateError as problem:
        raise AssistantError(
            f"The model's chat template refuses a chat with instructions ({problem}). Choose another base."
        ) from problem
