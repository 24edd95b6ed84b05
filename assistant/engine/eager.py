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
from assistant.engine.slots import NAME, SlotCache, attend, plan_step, replace_attention
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
        shape = (sizes.layers, slots, sizes.heads, capacity, sizes.size)
        embedding: Any = model.get_input_embeddings()
        self._vocabulary = len(embedding.weight)
        self._cache = SlotCache(shape, like=embedding.weight)

    def describe(self) -> str:
        """How steps are taken."""
        return f"torch ({self._reason})" if self._reason else "torch"

    @torch.inference_mode()
    def step(self, parts: Sequence[Part]) -> Tensor:
        """Float32 logits [parts, vocabulary] after each part's last token."""
        unknown = next((token for part in parts for token in part.tokens if token >= self._vocabulary), None)
        if unknown is not None:  # on a graphics card the look-up of such a token breaks the whole process
            raise IndexError(f"the model has no token {unknown}")
        device = self._cache.states.device
        self._cache.plan = plan = plan_step(parts, device)
        ordered = [parts[number] for number in plan.order]
        self.router.route(
            [(part.adapter, part.scale) for part in ordered], [len(part.tokens) for part in ordered]
        )
        tokens = torch.tensor([[token for part in ordered for token in part.tokens]], device=device)
        lasts = torch.tensor([len(part.tokens) for part in ordered], device=device).cumsum(0) - 1
        out = self._model(
            input_ids=tokens,
            position_ids=plan.positions[None],
            use_cache=False,
            slot_cache=self._cache,
            logits_to_keep=lasts,
        )
        logits = torch.empty_like(out.logits[0], dtype=torch.float32)
        logits[list(plan.order)] = out.logits[0].float()
        return logits

    def save(self, slot: int, length: int) -> Tensor:
        """A copy of the keys and values of a slot's first tokens: [layers, 2, heads, length, size]."""
        return self._cache.states[:, :, slot, :, :length].clone()

    def load(self, slot: int, saved: Tensor, length: int) -> None:
        """Put the first tokens' saved keys and values at the start of a slot."""
        self._cache.states[:, :, slot, :, :length] = saved[:, :, :, :length]
