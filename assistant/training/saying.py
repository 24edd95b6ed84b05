"""What the model in training answers: likeliest tokens, many chats at a time.

It knows templates and generation. It does not know why it is asked.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from peft import PeftModel
from peft.helpers import rescale_adapter_scale

from assistant.prompts import Message

AT_ONCE = 16
"""Chats answered together."""
LONGEST_ANSWER = 48
"""Tokens an answer may have; enough to hear the voice."""

Chat = Sequence[Message]


def answers(model: PeftModel, tokenizer: Any, chats: Sequence[Chat], *, strength: float = 1.0) -> list[str]:
    """What the model says next in each chat, with the adapter at a strength of 0 (the base model) to 1."""
    said: list[str] = []
    was_training = model.training
    model.eval()
    with torch.no_grad(), _at_strength(model, strength):
        for start in range(0, len(chats), AT_ONCE):
            said += _batch(model, tokenizer, chats[start : start + AT_ONCE])
    model.train(was_training)
    return said


@contextmanager
def _at_strength(model: PeftModel, strength: float) -> Iterator[None]:
    if strength == 1.0:
        yield
    elif strength == 0.0:
        with model.disable_adapter():
            yield
    else:
        with rescale_adapter_scale(model, strength):
            yield


def _batch(model: PeftModel, tokenizer: Any, chats: Sequence[Chat]) -> list[str]:
    prompts = [_prompt(tokenizer, chat) for chat in chats]
    longest = max(map(len, prompts))
    filler = tokenizer.eos_token_id
    # Padding stands on the left, so that all rows go on at the same place.
    tokens = torch.tensor([[filler] * (longest - len(row)) + row for row in prompts], device=model.device)
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in prompts], device=model.device)
    made: Any = model.generate(
        input_ids=tokens,
        attention_mask=mask,
        max_new_tokens=LONGEST_ANSWER,
        do_sample=False,
        use_cache=True,
        pad_token_id=filler,
    )
    return [text.strip() for text in tokenizer.batch_decode(made[:, longest:], skip_special_tokens=True)]


def _prompt(tokenizer: Any, chat: Chat) -> list[int]:
    messages = [{"role": message.role, "content": message.content} for message in chat]
    return list(
        tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
    )
