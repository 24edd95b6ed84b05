"""The keys and values of many rows, each at its own place in preallocated slots.

It knows tensors `[slots, heads, capacity, size]` and positions. It knows nothing of requests or adapters.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import PretrainedConfig
from transformers.cache_utils import Cache, CacheLayerMixin

FIRST_CAPACITY = 1024
"""Tokens a slot has room for at first; doubled when a row needs more."""


class SlotLayer(CacheLayerMixin):
    """One model layer's keys and values; the window of the owning cache says which slots a step touches."""

    def __init__(self, cache: "SlotCache") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._cache = cache

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Reserve the slots, in the shape and number format of the first states."""
        shape = (self._cache.slots, key_states.shape[1], self._cache.capacity)
        self.keys = key_states.new_zeros(*shape, key_states.shape[-1])
        self.values = value_states.new_zeros(*shape, value_states.shape[-1])
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write states [rows, heads, tokens, size] at each row's positions; returns what the step may see."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        window = self._cache.window
        rows = torch.arange(window.start, window.stop, device=key_states.device)[:, None]
        places = self._cache.positions
        assert self.keys is not None and self.values is not None
        self.keys[rows, :, places] = key_states.transpose(1, 2)
        self.values[rows, :, places] = value_states.transpose(1, 2)
        length = self._cache.length
        return self.keys[window, :, :length], self.values[window, :, :length]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` places of one slot to another."""
        if self.keys is not None and self.values is not None:
            self.keys[target, :, :length] = self.keys[source, :, :length]
            self.values[target, :, :length] = self.values[source, :, :length]

    def grow(self, capacity: int) -> None:
        """Give every slot room for `capacity` tokens."""
        if self.keys is not None and self.values is not None:
            more = capacity - self.keys.shape[2]
            self.keys = torch.nn.functional.pad(self.keys, (0, 0, 0, more))
            self.values = torch.nn.functional.pad(self.values, (0, 0, 0, more))

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """(length, offset) of what a step sees."""
        return self._cache.length, 0

    def get_seq_length(self) -> int:
        """Tokens the longest row of this step holds."""
        return self._cache.length

    def get_max_length(self) -> int:
        """Tokens a slot has room for."""
        return self._cache.capacity


class SlotCache(Cache):
    """All layers' slots, and the window of the coming step: which slots, at which positions."""

    def __init__(self, config: PretrainedConfig, slots: int) -> None:
        self.slots = slots
        self.capacity = FIRST_CAPACITY
        self.window = slice(0, 0)
        self.positions = torch.zeros(0, 0, dtype=torch.long)
        self.length = 0
        self._slots = [SlotLayer(self) for _ in range(config.num_hidden_layers)]
        super().__init__(layers=list(self._slots))

    def open(self, window: slice, positions: Tensor) -> Tensor:
        """Prepare a step that writes at `positions` [rows, tokens] of the slots in `window`.

        Returns:
            The boolean attention mask [rows, 1, tokens, length]: each token sees its own row up to itself.
        """
        self.window, self.positions = window, positions
        self.length = int(positions.max()) + 1
        while self.length > self.capacity:
            self.capacity *= 2
            for layer in self._slots:
                layer.grow(self.capacity)
        seen = torch.arange(self.length, device=positions.device)
        return (seen <= positions[:, :, None])[:, None]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a row's first `length` tokens to another slot."""
        for layer in self._slots:
            layer.move(source, target, length)
