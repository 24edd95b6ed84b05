"""Slots: where the tokens of a step belong, and attention over them as if each row were alone."""

import mmap
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from assistant.engine.slots import SlotCache, attend, copied, plan_step
from assistant.engine.steps import Part
from assistant.errors import AssistantError

CPU = torch.device("cpu")
CAPACITY, SIZE = 24, 8


def part(slot: int, start: int, count: int = 1) -> Part:
    return Part(slot, [7] * count, start)


PLANS = {
    "nothing-to-join": ([part(0, 3), part(2, 4)], [0, 1], [(0, 1, 4), (2, 3, 5)]),
    "neighbours": ([part(0, 3), part(1, 9)], [0, 1], [(0, 2, 10)]),
    "neighbours-in-any-order": ([part(2, 3), part(0, 5), part(1, 1)], [1, 2, 0], [(0, 3, 6)]),
    "a-gap": ([part(0, 3), part(1, 3), part(3, 8), part(4, 2)], [0, 1, 2, 3], [(0, 2, 4), (3, 5, 9)]),
    "prompts-come-last-and-apart": (
        [part(0, 0, 4), part(1, 6), part(2, 2), part(3, 5, 2)],
        [1, 2, 0, 3],
        [(1, 3, 7), (0, 1, 4), (3, 4, 7)],
    ),
    "a-prompt-after-its-neighbour": ([part(0, 6), part(1, 0, 2)], [0, 1], [(0, 1, 7), (1, 2, 2)]),
    "prompts-of-one-token": ([part(0, 0), part(1, 6)], [0, 1], [(0, 2, 7)]),
}


@pytest.mark.parametrize(("parts", "order", "runs"), PLANS.values(), ids=PLANS)
def test_single_tokens_come_first_and_those_in_neighbouring_slots_attend_together(parts, order, runs):
    plan = plan_step(parts, CPU)
    assert list(plan.order) == order
    assert [(run.slots.start, run.slots.stop, run.length) for run in plan.runs] == runs
    placed = [
        (parts[number].slot, position)
        for number in order
        for position in range(parts[number].start, parts[number].end)
    ]
    assert list(zip(plan.slots.tolist(), plan.positions.tolist(), strict=True)) == placed
    assert [run.tokens.start for run in plan.runs] == [0, *(run.tokens.stop for run in plan.runs[:-1])]
    assert plan.runs[-1].tokens.stop == len(placed)


class Rows:
    """Random queries, keys and values of rows, put through slots part by part."""

    def __init__(self, slots: list[int], *, shared: int = 1, window: int | None = None) -> None:
        self.window = window
        random = torch.Generator().manual_seed(len(slots) + shared)
        self.states = {
            slot: [torch.randn(heads, CAPACITY, SIZE, generator=random) for heads in (2 * shared, 2, 2)]
            for slot in slots
        }
        self.cache = SlotCache((1, max(slots) + 1, 2, CAPACITY, SIZE), torch.zeros(0))
        self.cache.states.uniform_(-9, 9, generator=random)  # what earlier rows have left

    def step(self, parts: list[Part]) -> list[Tensor]:
        """By part, what attention gives: [tokens, heads, size]."""
        plan = self.cache.plan = plan_step(parts, CPU)
        ordered = [parts[number] for number in plan.order]
        states = [
            torch.cat([self.states[each.slot][kind][:, each.start : each.end] for each in ordered], dim=1)
            for kind in range(3)
        ]
        module = SimpleNamespace(layer_idx=0)
        found, weights = attend(
            module, *[state[None] for state in states], None, 0.3, self.window, slot_cache=self.cache
        )
        assert weights is None
        assert found.shape == (1, sum(len(each.tokens) for each in parts), len(states[0]), SIZE)
        apart = found[0].split([len(each.tokens) for each in ordered])
        return [apart[plan.order.index(number)] for number in range(len(parts))]

    def alone(self, each: Part) -> Tensor:
        """The same for one part, by softmax over its own row."""
        query, key, value = self.states[each.slot]
        shared = len(query) // len(key)
        key, value = (state[:, : each.end].repeat_interleave(shared, dim=0) for state in (key, value))
        places, positions = torch.arange(each.end), torch.arange(each.start, each.end)[:, None]
        seen = places <= positions
        if self.window:
            seen &= places > positions - self.window
        products = query[:, each.start : each.end] @ key.transpose(1, 2) * 0.3
        return (products.masked_fill(~seen, -torch.inf).softmax(-1) @ value).transpose(0, 1)


STEPS = [
    [part(0, 0, 5), part(1, 0, 12), part(3, 0, 1), part(2, 0, 3)],
    [part(3, 1), part(0, 5), part(1, 12), part(2, 3, 6)],
    [part(0, 6), part(1, 13), part(2, 9), part(3, 2)],
    [part(1, 14, 5), part(3, 3, 7), part(0, 7)],
    [part(0, 8), part(3, 10)],
]


@pytest.mark.parametrize("window", [None, 1, 4, 50], ids="window-{}".format)
@pytest.mark.parametrize("shared", [1, 3], ids=["own-keys", "grouped-query-heads"])
def test_each_row_sees_its_own_tokens_up_to_itself_whatever_else_is_in_the_step(shared, window):
    rows = Rows([0, 1, 2, 3], shared=shared, window=window)
    for parts in STEPS:
        for each, found in zip(parts, rows.step(parts), strict=True):
            assert torch.allclose(found, rows.alone(each), atol=1e-5)


def test_a_step_writes_its_own_places_only():
    rows = Rows([0, 1, 2])
    before = rows.cache.states.clone()
    rows.step([part(0, 3, 2), part(2, 9)])
    changed = (rows.cache.states != before).any(dim=(0, 1, 3, 5)).nonzero().tolist()
    assert changed == [[0, 3], [0, 4], [2, 9]]


def test_a_copy_is_a_piece_of_memory_by_itself():
    """One that the allocator cuts from a larger piece would hold that up when it is let go."""
    states = torch.arange(24.0).view(2, 3, 4)
    copy = copied(states[:, 1:])
    expected = states[:, 1:].clone()
    states.zero_()
    assert torch.equal(copy, expected)
    assert copy.data_ptr() % mmap.PAGESIZE == 0


@pytest.mark.parametrize("option", [{"softcap": 50.0}, {"s_aux": torch.zeros(2)}], ids=["softcap", "s_aux"])
def test_attention_of_another_kind_is_refused_with_its_name(option):
    rows = Rows([0])
    rows.cache.plan = plan_step([part(0, 0)], CPU)
    states = [state[None, :, :1] for state in rows.states[0]]
    with pytest.raises(AssistantError, match=f"attention has {next(iter(option))}, .* --model"):
        attend(SimpleNamespace(layer_idx=0), *states, None, slot_cache=rows.cache, **option)


def test_options_that_are_not_set_are_no_other_kind():
    rows = Rows([0])
    rows.cache.plan = plan_step([part(0, 0)], CPU)
    states = [state[None, :, :1] for state in rows.states[0]]
    found, _ = attend(
        SimpleNamespace(layer_idx=0), *states, None, slot_cache=rows.cache, softcap=None, dropout=0.0
    )
    assert torch.allclose(found[0, 0], states[2][0, :, 0])  # one token sees itself alone
