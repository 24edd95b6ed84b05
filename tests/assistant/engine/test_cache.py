"""Slots of keys and values: who sees what, moving, and growing without losing anything."""

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig

from assistant.engine.cache import FIRST_CAPACITY, SlotCache


@pytest.fixture
def cache() -> SlotCache:
    return SlotCache(LlamaConfig(num_hidden_layers=1), slots=3)


def states(*values: list[float]) -> Tensor:
    """[rows, 1 head, tokens, 1 number] of the values given by row."""
    return torch.tensor(values)[:, None, :, None]


def write(
    cache: SlotCache, first: int, positions: list[list[int]], *values: list[float]
) -> tuple[Tensor, Tensor]:
    mask = cache.open(slice(first, first + len(values)), torch.tensor(positions))
    keys, doubled = cache.layers[0].update(states(*values), 2 * states(*values))
    assert torch.equal(doubled, 2 * keys)
    return mask[:, 0], keys[:, 0, :, 0]


def test_each_token_sees_its_own_row_up_to_itself(cache):
    mask, _ = write(cache, 0, [[0, 1, 2], [3, 4, 5]], [1, 2, 3], [4, 5, 6])
    assert mask.int().tolist() == [
        [[1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0]],
        [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]],
    ]


def test_rows_are_written_at_their_own_places_and_keep_what_was_there(cache):
    write(cache, 0, [[0, 1, 2]], [1, 2, 3])
    write(cache, 1, [[0]], [7])
    _, seen = write(cache, 0, [[3], [1]], [4], [8])
    assert seen.tolist() == [[1, 2, 3, 4], [7, 8, 0, 0]]


def test_a_step_returns_the_slots_of_its_window_alone(cache):
    write(cache, 0, [[0]], [1])
    _, seen = write(cache, 2, [[0, 1]], [5, 6])
    assert seen.tolist() == [[5, 6]]


def test_a_moved_row_goes_on_in_its_new_slot(cache):
    write(cache, 0, [[0, 1], [0, 1]], [1, 2], [5, 6])
    cache.move(1, 0, 2)
    _, seen = write(cache, 0, [[2]], [7])
    assert seen.tolist() == [[5, 6, 7]]


def test_moving_before_anything_was_written_is_fine(cache):
    cache.move(1, 0, 0)


def test_slots_grow_by_doubling_and_keep_what_was_there(cache):
    write(cache, 0, [[0, 1], [0, 1]], [1, 2], [3, 4])
    assert cache.capacity == FIRST_CAPACITY
    _, seen = write(cache, 1, [[2 * FIRST_CAPACITY]], [9])
    assert cache.capacity == 4 * FIRST_CAPACITY
    assert seen[0, [0, 1, -1]].tolist() == [3, 4, 9]
    _, other = write(cache, 0, [[2]], [5])
    assert other.tolist() == [[1, 2, 5]]
