"""The decoder: rows that join and leave one another's batch get the tokens they get alone."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch

from assistant.engine.decoder import Decoder
from assistant.engine.rows import Row
from tests.assistant.engine.conftest import NewModel, NewRow, pieces_of

SCHEDULES = 30


@pytest.fixture
def decoder(new_model: NewModel, strong, other) -> Iterator[Decoder]:
    """Three slots and chunks of 8 tokens, so that rows wait, and prompts are prefilled in pieces."""
    decoder = Decoder(new_model(), slots=3, chunk=8)
    decoder.router.load("strong", strong)
    decoder.router.load("other", other)
    yield decoder
    decoder.close()


@pytest.fixture(scope="module")
def lonely(new_model: NewModel, strong, other) -> Iterator[Decoder]:
    """One slot and one chunk: a row here is alone."""
    decoder = Decoder(new_model(), slots=1, chunk=10_000)
    decoder.router.load("strong", strong)
    decoder.router.load("other", other)
    yield decoder
    decoder.close()


def answer(decoder: Decoder, row: Row) -> list[int]:
    decoder.submit([row])
    pieces_of(row)
    return row.generated


@dataclass(frozen=True)
class Plan:
    """A row of a schedule: what it asks, when it joins, and when it leaves early."""

    prompt: tuple[int, ...]
    adapter: str | None
    scale: float
    sampling: tuple[tuple[str, float], ...]
    wait: float
    cancelled_after: float | None

    def row(self, new_row: NewRow) -> Row:
        return new_row(list(self.prompt), adapter=self.adapter, scale=self.scale, **dict(self.sampling))


def schedule(seed: int) -> list[Plan]:
    dice = random.Random(seed)
    return [
        Plan(
            prompt=tuple(dice.randrange(3, 259) for _ in range(dice.randint(1, 30))),
            adapter=dice.choice([None, "strong", "other"]),
            scale=dice.choice([0.5, 1.0]),
            sampling=(
                ("max_tokens", dice.randint(1, 12)),
                ("temperature", dice.choice([0.0, 0.0, 0.9])),
                ("seed", dice.randrange(1000)),
            ),
            wait=dice.choice([0.0, 0.001, 0.004]),
            cancelled_after=dice.choice([None, None, None, 0.002]),
        )
        for _ in range(7)
    ]


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_rows_that_join_and_leave_get_the_tokens_they_get_alone(decoder, lonely, new_row, seed):
    plans = schedule(seed)
    rows = [plan.row(new_row) for plan in plans]
    for plan, row in zip(plans, rows, strict=True):
        time.sleep(plan.wait)
        decoder.submit([row])
        if plan.cancelled_after is not None:
            time.sleep(plan.cancelled_after)
            row.cancelled = True
    reasons = [pieces_of(row)[-1].finish.reason for row in rows]
    for plan, row, reason in zip(plans, rows, reasons, strict=True):
        expected = answer(lonely, plan.row(new_row))
        if reason == "cancelled":
            assert plan.cancelled_after is not None
            assert row.generated == expected[: len(row.generated)]
        else:
            assert row.generated == expected


@pytest.mark.parametrize("length", [1, 7, 8, 9, 40], ids="{} tokens".format)
def test_greedy_rows_are_transformers_generate(decoder, new_model, new_row, length):
    dice = random.Random(length)
    prompts = [[dice.randrange(3, 259) for _ in range(length)] for _ in range(3)]
    rows = [new_row(prompt, max_tokens=20) for prompt in prompts]
    decoder.submit(rows)
    model = new_model()
    for prompt, row in zip(prompts, rows, strict=True):
        pieces_of(row)
        ids = torch.tensor([prompt])
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=20,
            do_sample=False,
            eos_token_id=2,
        )
        assert row.generated == out[0, length:].tolist()


def test_a_long_row_grows_the_slots_and_nobody_loses_a_token(new_model, new_row):
    decoder, alone = Decoder(new_model(), slots=2), Decoder(new_model(), slots=1)
    beside = new_row([9, 8, 7], max_tokens=60)
    dice = random.Random(1)
    prompt = [dice.randrange(3, 259) for _ in range(1020)]
    long = new_row(prompt, max_tokens=20)
    decoder.submit([beside, long])
    pieces_of(long)
    pieces_of(beside)
    ids = torch.tensor([prompt])
    out = new_model().generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=20, do_sample=False, eos_token_id=2
    )
    assert len(long.generated) == 20
    assert long.generated == out[0, 1020:].tolist()
    assert beside.generated == answer(alone, new_row([9, 8, 7], max_tokens=60))
    decoder.close()
    alone.close()


def test_a_sampled_row_is_the_same_in_any_company(decoder, new_row):
    def sampled() -> Row:
        return new_row([11, 12, 13], temperature=1.0, seed=3, max_tokens=15)

    alone = answer(decoder, sampled())
    again = sampled()
    decoder.submit(
        [new_row([5, 6], temperature=1.0, seed=8, max_tokens=5), again, new_row([7] * 20, adapter="strong")]
    )
    pieces_of(again)
    assert again.generated == alone
    assert answer(decoder, new_row([11, 12, 13], temperature=1.0, seed=4, max_tokens=15)) != alone


NO_SUCH_TOKEN = 100_000


def test_a_row_that_fails_in_prefill_ends_alone(decoder, lonely, new_row):
    sound = [new_row([20, 21, 22], max_tokens=30), new_row([30, 31, 32], max_tokens=30, adapter="strong")]
    broken = new_row([5] * 12 + [NO_SUCH_TOKEN])
    decoder.submit([sound[0], broken, sound[1]])
    finish = pieces_of(broken)[-1].finish
    assert (finish.reason, finish.completion_tokens) == ("failed", 0)
    assert finish.error.startswith("The model failed on this answer (IndexError: ")
    assert "Ask again" in finish.error
    for row, prompt, adapter in zip(sound, ([20, 21, 22], [30, 31, 32]), (None, "strong"), strict=True):
        pieces_of(row)
        assert row.generated == answer(lonely, new_row(prompt, max_tokens=30, adapter=adapter))


def test_a_row_that_fails_in_choosing_ends_alone(decoder, lonely, new_row):
    sound, broken = new_row([20, 21], max_tokens=20), new_row([30, 31], temperature=1.0, top_p=0.0)
    decoder.submit([sound, broken])
    assert pieces_of(broken)[-1].finish.reason == "failed"
    pieces_of(sound)
    assert sound.generated == answer(lonely, new_row([20, 21], max_tokens=20))


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (RuntimeError("the step broke"), "RuntimeError: the step broke"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "not enough memory"),
    ],
    ids=["broken", "memory", "allocator"],
)
def test_a_step_that_fails_ends_its_rows_and_the_next_ones_are_answered(
    decoder, lonely, new_row, monkeypatch, problem, text
):
    forward = decoder._model.forward

    def fail_with_two_rows(*, input_ids, **rest):
        if len(input_ids) == 2:
            raise problem
        return forward(input_ids=input_ids, **rest)

    monkeypatch.setattr(decoder._model, "forward", fail_with_two_rows)
    rows = [new_row([20, 21], max_tokens=10_000), new_row([30, 31], max_tokens=10_000)]
    decoder.submit(rows)
    finishes = [pieces_of(row)[-1].finish for row in rows]
    assert [finish.reason for finish in finishes] == ["failed", "failed"]
    assert all(text in finish.error for finish in finishes)
    assert answer(decoder, new_row([40, 41])) == answer(lonely, new_row([40, 41]))


@pytest.fixture
def one_slot(new_model: NewModel) -> Iterator[Decoder]:
    decoder = Decoder(new_model(), slots=1)
    yield decoder
    decoder.close()


def test_a_cancelled_row_gives_its_slot_to_the_next(one_slot, new_row):
    endless, waiting = new_row([5, 6], max_tokens=100_000), new_row([7, 8])
    one_slot.submit([endless, waiting])
    endless.pieces.get(timeout=60)
    endless.cancelled = True
    assert pieces_of(waiting)[-1].finish.reason in ("length", "end")
    assert pieces_of(endless)[-1].finish.reason == "cancelled"


def test_a_cancelled_row_that_waits_ends_at_once(one_slot, new_row):
    endless, waiting = new_row([5, 6], max_tokens=100_000), new_row([7, 8])
    one_slot.submit([endless, waiting])
    endless.pieces.get(timeout=60)
    waiting.cancelled = True
    finish = pieces_of(waiting, seconds=2)[-1].finish
    assert (finish.reason, finish.completion_tokens) == ("cancelled", 0)
    one_slot.close()
    assert pieces_of(endless)[-1].finish.reason == "cancelled"  # it had the slot all the while


def test_closing_ends_all_rows_as_cancelled(one_slot, new_row):
    rows = [new_row([5, 6], max_tokens=100_000), new_row([7, 8])]
    one_slot.submit(rows)
    rows[0].pieces.get(timeout=60)
    one_slot.close()
    assert [pieces_of(row)[-1].finish.reason for row in rows] == ["cancelled", "cancelled"]
