"""The keys and values of many rows, each in its own slot, and attention over them as torch computes it.

It knows tensors and positions. It knows nothing of requests, adapters or the model's other layers.
"""

import math
import mmap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

from assistant.engine.steps import Part
from assistant.errors import AssistantError

NAME = "quartet_slots"
"""Under this name transformers calls `attend` as the model's attention."""


@dataclass(frozen=True)
class Run:
    """Parts in neighbouring slots that attend in one call: as many tokens each, over the same length."""

    slots: slice
    tokens: slice
    """Their place among the step's tokens."""
    length: int
    """Places of the slots that are looked at."""


@dataclass(frozen=True)
class Plan:
    """Where the tokens of one step belong, in the order they go through the model."""

    order: tuple[int, ...]
    """The parts' numbers, in the step's order: first those with a single token, by slot."""
    slots: Tensor
    """[tokens]"""
    positions: Tensor
    """[tokens]"""
    runs: tuple[Run, ...]


def plan_step(parts: Sequence[Part], device: torch.device) -> Plan:
    """Put the parts in order and find which of them attend together."""
    order = sorted(range(len(parts)), key=lambda number: (len(parts[number].tokens) > 1, parts[number].slot))
    runs: list[Run] = []
    slots: list[int] = []
    positions: list[int] = []
    for part in (parts[number] for number in order):
        begin = len(slots)
        slots += [part.slot] * len(part.tokens)
        positions += range(part.start, part.end)
        last = runs[-1] if runs else None
        if last and len(part.tokens) == 1 and last.slots.stop == part.slot and _single(last):
            runs[-1] = Run(
                slice(last.slots.start, part.slot + 1),
                slice(last.tokens.start, begin + 1),
                max(last.length, part.end),
            )
        else:
            runs.append(Run(slice(part.slot, part.slot + 1), slice(begin, len(slots)), part.end))
    return Plan(
        tuple(order), torch.tensor(slots, device=device), torch.tensor(positions, device=device), tuple(runs)
    )


def _single(run: Run) -> bool:
    """Whether the run's parts have one token each."""
    return run.tokens.stop - run.tokens.start == run.slots.stop - run.slots.start


class SlotCache:
    """All layers' keys and values `[layers, 2, slots, heads, capacity, size]`, zero until they are written.

    Memory is taken by the system as slots are filled, so the capacity costs nothing before it is used.
    """

    def __init__(self, shape: tuple[int, int, int, int, int], like: Tensor) -> None:
        """`shape` is (layers, slots, heads, capacity, size); `like` gives number format and device."""
        layers, *rest = shape
        self.states = zeros((layers, 2, *rest), like)
        self.plan = Plan((), torch.zeros(0), torch.zeros(0), ())
        """What the coming step writes and sees."""

    def attend(
        self,
        layer: int,
        states: tuple[Tensor, Tensor, Tensor],
        scale: float | None,
        window: int | None,
    ) -> Tensor:
        """Write the step's keys and values, and let each token attend to its own row up to itself.

        Args:
            layer: the model's layer.
            states: queries [heads, tokens, size], keys and values [key heads, tokens, size].
            scale: of the products of queries and keys.
            window: how far back a token sees; None for all the way.

        Returns:
            [1, tokens, heads, size]
        """
        query, key, value = states
        keys, values = self.states[layer]
        keys[self.plan.slots, :, self.plan.positions] = key.transpose(0, 1)
        values[self.plan.slots, :, self.plan.positions] = value.transpose(0, 1)
        seen = [self._attend(run, query, keys, values, scale, window) for run in self.plan.runs]
        return (seen[0] if len(seen) == 1 else torch.cat(seen)).unsqueeze(0)

    def _attend(
        self, run: Run, query: Tensor, keys: Tensor, values: Tensor, scale: float | None, window: int | None
    ) -> Tensor:
        """One run's outputs [tokens, heads, size]; heads that share keys stand in line as further queries."""
        heads, size = keys.shape[1], query.shape[-1]
        rows = run.slots.stop - run.slots.start
        each = (run.tokens.stop - run.tokens.start) // rows
        own = query[:, run.tokens].reshape(heads, -1, rows, each, size)
        shared = own.shape[1]
        stacked = own.permute(2, 0, 1, 3, 4).flatten(2, 3)
        positions = self.plan.positions[run.tokens].view(rows, 1, -1, 1)
        places = torch.arange(run.length, device=positions.device)
        mask = places <= positions
        if window:
            mask &= places > positions - window
        found = scaled_dot_product_attention(
            stacked,
            keys[run.slots, :, : run.length],
            values[run.slots, :, : run.length],
            attn_mask=mask.repeat(1, 1, shared, 1),
            scale=scale,
        )
        apart = found.view(rows, heads, shared, each, size)
        return apart.permute(0, 3, 1, 2, 4).reshape(-1, heads * shared, size)


def zeros(shape: Sequence[int], like: Tensor) -> Tensor:
    """Zeros as `like` in number format and place; on a processor they take memory only once written."""
    if like.device.type != "cpu":
        return like.new_zeros(*shape)
    # torch.zeros would write every zero, and huge pages would take 2 MB for each place that is written to.
    room = mmap.mmap(-1, math.prod(shape) * like.element_size())
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        room.madvise(mmap.MADV_NOHUGEPAGE)
    return torch.frombuffer(room, dtype=like.dtype).view(*shape)


def copied(states: Tensor) -> Tensor:
    """A copy in memory of its own, which the system has back as soon as nobody needs it.

    Copies of many sizes that come and go would leave holes between what stays.
    """
    return zeros(states.shape, like=states).copy_(states)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    *,
    slot_cache: SlotCache,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it, over the slots of the cache handed to the model's forward.

    Shapes are [1, heads, tokens, size]; the cache's plan takes the mask's place.
    """
    refuse_unknown(options)
    layer: Any = module.layer_idx
    return slot_cache.attend(layer, (query[0], key[0], value[0]), scaling, sliding_window), None


def replace_attention(model: PreTrainedModel, name: str, function: Callable[..., Any]) -> None:
    """Let a model's attention be computed by a function, which transformers knows by the name from then on.

    Raises:
        AssistantError: the model brings attention of its own that can't be replaced.
    """
    if not getattr(model, "_supports_attention_backend", False):
        raise AssistantError(
            f"Models of the kind {model.config.model_type!r} bring an attention of their own, which can't "
            "serve several rows at once. Name a model of another kind with --model, such as a Llama or Qwen."
        )
    AttentionInterface.register(name, function)
    model.set_attn_implementation(name)


def refuse_unknown(options: Mapping[str, Any]) -> None:
    """Whether attention is asked for what only the model's own code computes.

    Raises:
        AssistantError: it is.
    """
    for name in ("softcap", "s_aux"):
        if options.get(name) is not None:
            raise AssistantError(
                f"This model's attention has {name}, which can't be computed over several rows at once. "
                "Name a model of another kind with --model, such as a Llama, Qwen or Mistral."
            )
