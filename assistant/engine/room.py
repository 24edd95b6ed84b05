"""How much room rows have: as many slots, and as long ones, as fit beside a model's weights.

It knows sizes and bytes. It knows nothing of steps or requests.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import dtype
from transformers import AutoConfig

from assistant.errors import AssistantError
from assistant.weights import Placement, free_memory, weight_bytes

SLOTS = 16
"""Rows that run at the same time: four questions to four lanes; more wait their turn."""
CONTEXT_LIMIT = 8192
"""Tokens a chat may have, where the model itself allows more."""
FEWEST_SLOTS = 4
"""A question to four lanes; there are no fewer, but shorter ones."""
SHORTEST = 1024
"""Tokens of a slot that is still of use."""
USED = 0.85
"""Share of a card's free memory for weights and slots; the rest is for steps and for what was read before."""


@dataclass(frozen=True)
class Sizes:
    """The sizes of a model that decide what its keys and values take."""

    layers: int
    heads: int
    """That have keys and values of their own."""
    size: int
    """Numbers of a head."""

    @classmethod
    def of(cls, config: Any) -> "Sizes":
        """As a transformers configuration says."""
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        return cls(config.num_hidden_layers, heads, size)

    def token_bytes(self, kind: dtype) -> int:
        """What keys and values of a token take in all layers."""
        return 2 * self.layers * self.heads * self.size * kind.itemsize


@dataclass(frozen=True)
class Room:
    """The rows that a runner has room for, and the tokens of each."""

    slots: int
    capacity: int

    @classmethod
    def of(cls, folder: Path) -> "Room":
        """As much as the model in a folder allows, up to our limits."""
        return cls(SLOTS, window_of(folder))

    def within(self, tokens: int) -> "Room":
        """No more than so many tokens in all: fewer slots first, then shorter ones."""
        slots = max(min(self.slots, tokens // self.capacity), FEWEST_SLOTS)
        return Room(slots, min(self.capacity, max(tokens // slots, 0)))


def window_of(folder: Path) -> int:
    """Tokens that a chat and its answer may have: what the model in a folder allows, up to our limit."""
    allowed = getattr(AutoConfig.from_pretrained(folder), "max_position_embeddings", CONTEXT_LIMIT)
    return int(min(allowed, CONTEXT_LIMIT))


def room_for(folder: Path, placement: Placement, *, loaded: bool) -> Room:
    """The rows that a model has room for; on a processor, memory is taken only as they need it.

    Args:
        folder: of the model.
        placement: where it runs.
        loaded: whether its weights are in memory already.
    """
    room = Room.of(folder)
    if placement.device.type == "cpu":
        return room
    weights = 0 if loaded else weight_bytes(folder, placement)
    token = Sizes.of(AutoConfig.from_pretrained(folder)).token_bytes(placement.dtype)
    return room.within(int(USED * free_memory() - weights) // token)


def fitting(folder: Path, placement: Placement) -> Placement:
    """The placement, with the model's weights in 4 bits where a graphics card has no room for more.

    Raises:
        AssistantError: they don't fit in 4 bits either.
    """
    if _fits(folder, placement):
        return placement
    whole, free = weight_bytes(folder, placement) / 1e9, free_memory() / 1e9
    reason = f"in full they take {whole:.1f} GB, and {free:.1f} GB of the card are free"
    small = replace(placement, four_bit=True, reason=reason)
    if not _fits(folder, small):
        raise AssistantError(
            f"The weights of {folder.name} take {whole:.1f} GB, in 4 bits "
            f"{weight_bytes(folder, small) / 1e9:.1f} GB, and {free:.1f} GB of the graphics card are free, "
            "some of which chats need. Close what else uses the card, or name a smaller model with --model."
        )
    return small


def _fits(folder: Path, placement: Placement) -> bool:
    room = room_for(folder, placement, loaded=False)
    return placement.device.type == "cpu" or room.capacity >= min(SHORTEST, window_of(folder))
