"""Recorded steps, by a tape in place of a card: what they say, what is not recorded, when they don't do."""

import logging
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from assistant.engine.eager import EagerRunner
from assistant.engine.replay import Computation, Recorder, ReplayRunner
from assistant.engine.steps import Part
from assistant.errors import AssistantError
from tests.assistant.engine.conftest import NewRunner
from tests.assistant.engine.families import FAMILIES, SMALL, TWO, tiny
from tests.assistant.engine.tape import on_tape

SLOTS = 5


def replayed(eager: EagerRunner, recorder: Recorder = on_tape) -> ReplayRunner:
    return ReplayRunner(eager, lambda: recorder)


class Counted:
    """The tape, and how often it was recorded and repeated."""

    def __init__(self) -> None:
        self.recorded = self.repeated = 0

    def __call__(self, compute: Computation) -> Computation:
        repeat = on_tape(compute)
        self.recorded += 1

        def counted() -> Tensor:
            self.repeated += 1
            return repeat()

        return counted


def schedule(seed: int, steps: int, adapters: tuple[str | None, ...] = (None,)) -> Iterator[list[Part]]:
    """Rows that join at random with prompts of some tokens, go on, pause, and leave."""
    dice, running = random.Random(seed), {}
    for _ in range(steps):
        parts = []
        for slot in range(SLOTS):
            if slot not in running and dice.random() < 0.2:
                adapter = dice.choice(adapters)
                prompt = tuple(dice.randrange(3, 259) for _ in range(dice.choice([1, 1, 2, 9])))
                running[slot] = Part(slot, prompt, 0, adapter, dice.choice([0.5, 1.0]) if adapter else 0.0)
            elif slot in running and dice.random() < 0.8:
                before = running[slot]
                running[slot] = replace(before, tokens=[dice.randrange(3, 259)], start=before.end)
            elif slot in running and dice.random() < 0.3:
                del running[slot]
                continue
            else:
                continue
            parts.append(running[slot])
        if parts:
            dice.shuffle(parts)
            yield parts


@pytest.mark.parametrize("family", FAMILIES)
def test_every_step_says_what_the_plain_one_says_while_rows_join_and_leave(family):
    plain, tape = EagerRunner(tiny(family), slots=SLOTS, capacity=60), Counted()
    runner = replayed(EagerRunner(tiny(family), slots=SLOTS, capacity=60), tape)
    for parts in schedule(seed=1, steps=40):
        assert torch.allclose(runner.step(parts), plain.step(parts), atol=1e-4, rtol=0)
    assert runner.describe() == "torch, tokens by CUDA graphs"
    assert tape.repeated > 2 * tape.recorded > 0


def test_a_recording_serves_any_adapters_and_new_ones_are_recorded_anew(new_runner: NewRunner, strong, other):
    plain, tape = new_runner(slots=SLOTS, capacity=300), Counted()
    runner = replayed(new_runner(slots=SLOTS, capacity=300), tape)
    changes = [
        lambda router: router.install("strong", router.read(strong)),
        lambda router: router.install("other", router.read(other)),
        lambda router: router.drop("strong"),
    ]
    known: list[tuple[str | None, ...]] = [(None, "strong"), (None, "strong", "other"), (None, "other")]
    for seed, (change, adapters) in enumerate(zip(changes, known, strict=True)):
        recorded = tape.recorded
        for each in (plain, runner):
            change(each.router)
        for parts in schedule(seed, 30, adapters):
            assert torch.allclose(runner.step(parts), plain.step(parts), atol=1e-4, rtol=0)
        assert tape.recorded > recorded
    assert tape.repeated > 2 * tape.recorded
    assert "CUDA graphs" in runner.describe()


def test_what_is_recorded_doubles_with_the_slots_in_use_and_the_length_looked_at(new_runner: NewRunner):
    tape = Counted()
    runner = replayed(new_runner(slots=SLOTS, capacity=600), tape)
    recorded = []
    for part in (
        *(Part(0, [5], 0), Part(1, [5], 0), Part(0, [5], 255), Part(2, [5], 0), Part(3, [5], 0)),
        *(Part(4, [5], 0), Part(0, [5], 256), Part(0, [5], 511), Part(0, [5], 512), Part(0, [5], 599)),
    ):
        runner.step([part])
        recorded.append(tape.recorded)
    assert recorded == [1, 2, 2, 3, 3, 4, 5, 5, 6, 6]


def test_prompts_are_not_recorded_and_slots_without_a_token_stay_as_they_are(new_runner: NewRunner):
    tape = Counted()
    runner = replayed(new_runner(slots=SLOTS, capacity=60), tape)
    runner.step([Part(0, [5, 6, 7], 0), Part(2, [9], 0)])
    assert (tape.recorded, tape.repeated) == (0, 0)
    before = runner.save(0, 60)
    for place in range(1, 4):
        runner.step([Part(2, [8], place)])
    assert tape.repeated == 3
    assert torch.equal(runner.save(0, 60), before)


def test_a_slot_is_filled_to_its_last_place(new_runner: NewRunner):
    plain, runner = new_runner(capacity=20), replayed(new_runner(capacity=20))
    for place in range(20):
        parts = [Part(1, [place + 5], place)]
        assert torch.allclose(runner.step(parts), plain.step(parts), atol=1e-5)


def test_an_unknown_token_is_named_before_a_recording_is_repeated(new_runner: NewRunner):
    tape = Counted()
    runner = replayed(new_runner(), tape)
    runner.step([Part(0, [5], 0)])
    with pytest.raises(IndexError, match="the model has no token 259"):
        runner.step([Part(0, [259], 1)])
    assert tape.repeated == 1


def test_a_row_with_an_adapter_that_is_gone_is_refused_and_recordings_stay_in_use(new_runner: NewRunner):
    tape = Counted()
    runner = replayed(new_runner(), tape)
    runner.step([Part(0, [5], 0)])
    with pytest.raises(AssistantError, match="The adapter gone is not loaded"):
        runner.step([Part(0, [5], 1, "gone", 1.0)])
    runner.step([Part(0, [5], 1)])
    assert (tape.recorded, tape.repeated) == (1, 2)


def fails(compute: Computation) -> Computation:
    raise RuntimeError("operation not permitted when stream is capturing")


def fails_later(compute: Computation) -> Computation:
    repeat, left = on_tape(compute), [None]

    def once() -> Tensor:
        if not left:
            raise RuntimeError("an illegal memory access")
        left.pop()
        return repeat()

    return once


def stale(compute: Computation) -> Computation:
    said = compute().clone()
    return lambda: said


def slightly_off(compute: Computation) -> Computation:
    repeat = on_tape(compute)
    return lambda: repeat() + torch.randn(259, generator=torch.Generator().manual_seed(0))


def overflows(compute: Computation) -> Computation:
    repeat = on_tape(compute)
    return lambda: repeat() * torch.nan


WORSE = {
    "fails": (fails, "steps can't be recorded here: operation not permitted when stream is capturing"),
    "fails later": (fails_later, "a recorded step failed: an illegal memory access"),
    "says what it said": (stale, "a recorded step comes to something else here"),
    "says something else": (slightly_off, "a recorded step comes to something else here"),
    "says nothing": (overflows, "a recorded step comes to something else here"),
}


@pytest.mark.parametrize(("recorder", "reason"), WORSE.values(), ids=WORSE)
def test_a_recording_that_is_no_good_is_given_up_and_plain_steps_go_on(
    new_runner: NewRunner, caplog, recorder, reason
):
    plain, runner = new_runner(slots=SLOTS), replayed(new_runner(slots=SLOTS), recorder)
    with caplog.at_level(logging.WARNING):
        for parts in schedule(seed=3, steps=20):
            assert torch.allclose(runner.step(parts), plain.step(parts), atol=1e-5)
    assert runner.describe() == f"torch ({reason})"
    assert caplog.messages == [f"Tokens are computed without CUDA graphs: {reason}."]


def test_a_recording_that_writes_elsewhere_is_found(new_runner: NewRunner):
    eager = new_runner(slots=SLOTS)

    def forgets(compute: Computation) -> Computation:
        repeat = on_tape(compute)

        def without_a_trace() -> Tensor:
            before = eager.cache.states.clone()
            said = repeat()
            eager.cache.states.copy_(before)
            return said

        return without_a_trace

    plain, runner = new_runner(slots=SLOTS), replayed(eager, forgets)
    for parts in schedule(seed=3, steps=10):
        assert torch.allclose(runner.step(parts), plain.step(parts), atol=1e-5)
    assert runner.describe() == "torch (a recorded step comes to something else here)"


def test_a_row_that_has_overflowed_says_nothing_about_recordings(new_runner: NewRunner):
    tape = Counted()
    eager = new_runner()
    runner = replayed(eager, tape)
    eager.cache.states[:, :, 0, :, :3] = torch.nan
    assert not runner.step([Part(0, [5], 3)]).isfinite().any()
    assert tape.recorded == 0
    runner.step([Part(1, [5], 0)])
    assert (tape.recorded, runner.describe()) == (1, "torch, tokens by CUDA graphs")


def test_a_model_that_looks_at_its_numbers_in_between_cant_be_recorded_and_is_run_plainly():
    """Positions that are scaled by the length of the text ask the card how long it is."""
    rope = {"rope_type": "dynamic", "rope_theta": 10_000.0, "factor": 2.0}
    config = LlamaConfig(**SMALL, **TWO, rope_parameters=rope, max_position_embeddings=64)
    runner = replayed(EagerRunner(LlamaForCausalLM(config).eval(), slots=2, capacity=40))
    assert runner.step([Part(0, [5], 0)]).isfinite().all()
    assert runner.describe().startswith("torch (steps can't be recorded here: ")
