"""Steps as torch takes them, operator by operator: the way that works for every model and device.

It knows the model. It knows nothing of requests, text or threads.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from assistant.engine.room import Sizes
from assistant.engine.router import Router
from assistant.engine.slots import NAME, Plan, SlotCache, attend, copied, plan_step, replace_attention
from assistant.engine.steps import Part


class EagerRunner:
    """A transformers model whose attention reads and writes slots."""

    def __init__(self, model: PreTrainedModel, *, slots: int, capacity: int, reason: str = "") -> None:
        """`reason` says why steps are taken this way.

        Raises:
            AssistantError: the model's attention can't be replaced.
        """
        replace_attention(model, NAME, attend)
        self.slots, self.capacity = slots, capacity
        self._reason = reason
        self.router = Router.into(model)
        self._model: Any = model
        sizes = Sizes.of(model.config)
        # A place more than is used: recorded steps (replay.py) let rows without a token write there.
        shape = (sizes.layers, slots, sizes.heads, capacity + 1, sizes.size)
        embedding: Any = model.get_input_embeddings()
        self._vocabulary = len(embedding.weight)
        self.cache = SlotCache(shape, like=embedding.weight)

    def describe(self) -> str:
        """How steps are taken."""
        return f"torch ({self._reason})" if self._reason else "torch"

    @torch.inference_mode()
    def step(self, parts: Sequence[Part]) -> Tensor:
        """Float32 logits [parts, vocabulary] after each part's last token."""
        self.check(parts)
        device = self.cache.states.device
        plan = plan_step(parts, device)
        ordered = [parts[number] for number in plan.order]
        self.router.route(
            [(part.adapter, part.scale) for part in ordered], [len(part.tokens) for part in ordered]
        )
        tokens = torch.tensor([[token for part in ordered for token in part.tokens]], device=device)
        lasts = torch.tensor([len(part.tokens) for part in ordered], device=device).cumsum(0) - 1
        said = self.compute(tokens, plan, lasts)
        logits = torch.empty_like(said, dtype=torch.float32)
        logits[list(plan.order)] = said.float()
        return logits

    def check(self, parts: Sequence[Part]) -> None:
        """See that the model knows all tokens; on a graphics card, looking up another breaks the process.

        Raises:
            IndexError: it does not.
        """
        unknown = next((token for part in parts for token in part.tokens if token >= self._vocabulary), None)
        if unknown is not None:
            raise IndexError(f"the model has no token {unknown}")

    def compute(self, tokens: Tensor, plan: Plan, kept: Tensor | int) -> Tensor:
        """The part of a step that is the device's alone: nothing in it waits for a number, or brings one.

        Args:
            tokens: [1, tokens], in the plan's order.
            plan: where they belong.
            kept: which of them logits are wanted for; 0 for all.

        Returns:
            [tokens kept, vocabulary], in the model's number format.
        """
        self.cache.plan = plan
        out = self._model(
            input_ids=tokens,
            position_ids=plan.positions.clamp(max=self.capacity - 1)[None],
            use_cache=False,
            slot_cache=self.cache,
            logits_to_keep=kept,
        )
        return out.logits[0]

    def warm_up(self) -> list[list[Part]]:
        """None: all steps are alike."""
        return []

    def save(self, slot: int, length: int) -> Tensor:
        """A copy of the keys and values of a slot's first tokens: [layers, 2, heads, length, size]."""
        return copied(self.cache.states[:, :, slot, :, :length])

    def load(self, slot: int, saved: Tensor, length: int) -> None:
        """Put the first tokens' saved keys and values at the start of a slot."""
        self.cache.states[:, :, slot, :, :length] = saved[:, :, :, :length]
