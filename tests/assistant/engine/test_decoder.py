"""The decoder: rows that join and leave one another's batch get the tokens they get alone.

Time is counted in steps of the runner, so that a slow machine changes nothing.
"""

import atexit
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import pytest
import torch

from assistant.engine.decoder import LOOKING_BACK, Chunks, Decoder
from assistant.engine.line import WaitingLine
from assistant.engine.prefixes import Prefixes
from assistant.engine.router import LowRank
from assistant.engine.rows import Row
from assistant.engine.steps import Part
from assistant.lanes import Finish
from tests.assistant.engine.conftest import NewModel, NewRow, NewRunner, Watched, pieces_of

NewDecoder = Callable[..., Decoder]
CHUNK, BESIDE = 16, 4


@pytest.fixture(scope="module")
def runner(new_runner: NewRunner, strong, other):
    """Three slots, so that rows wait for one; what earlier tests left in them must not matter."""
    return new_runner(strong=strong, other=other)


@pytest.fixture
def watched(runner) -> Watched:
    return Watched(runner)


@pytest.fixture
def new_decoder(watched) -> Iterator[NewDecoder]:
    """Decoders that read in small chunks, and are closed after the test."""
    made: list[Decoder] = []

    def make(**options: object) -> Decoder:
        made.append(Decoder(watched, **{"chunks": Chunks(CHUNK, BESIDE, 0), **options}))
        return made[-1]

    yield make
    for decoder in made:
        decoder.close()


@pytest.fixture
def decoder(new_decoder: NewDecoder) -> Decoder:
    return new_decoder()


@pytest.fixture
def one_slot(watched, new_decoder: NewDecoder) -> Decoder:
    watched.slots = 1
    return new_decoder()


@pytest.fixture(scope="module")
def lonely(new_runner: NewRunner, strong, other) -> Iterator[Decoder]:
    """One slot, one chunk and no memory: a row here is alone."""
    runner = new_runner(slots=1, strong=strong, other=other)
    decoder = Decoder(runner, chunks=Chunks(10_000, 10_000), prefixes=Prefixes(limit=0))
    yield decoder
    decoder.close()


def finish_of(row: Row) -> Finish:
    return pieces_of(row)[-1].finish


def answer(decoder: Decoder, row: Row) -> list[int]:
    decoder.submit([row])
    pieces_of(row)
    return row.generated


def random_tokens(seed: int, length: int) -> list[int]:
    dice = random.Random(seed)
    return [dice.randrange(3, 259) for _ in range(length)]


def wait_until(true: Callable[[], object]) -> None:
    """Inside a step: until another thread has come so far."""
    while not true():
        time.sleep(0.001)


def endless(new_row: NewRow, prompt: list[int], **options: object) -> Row:
    """A row that runs until it is cancelled, or for 400 tokens."""
    return new_row(prompt, max_tokens=400, ends=frozenset(), **options)


# -- equal to running alone --

SCHEDULES = [
    *range(30),
    *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(30, 200)),
]
SYSTEM = tuple(random_tokens(0, 20))


@dataclass(frozen=True)
class Asked:
    """A request of a schedule."""

    prompt: tuple[int, ...]
    adapter: str | None
    scale: float
    sampling: tuple[tuple[str, float], ...]

    def row(self, new_row: NewRow) -> Row:
        return new_row(list(self.prompt), adapter=self.adapter, scale=self.scale, **dict(self.sampling))


def asked(seed: int) -> Asked:
    dice = random.Random(seed)
    sampling = dice.choice(
        [
            {},
            {"temperature": 0.9, "seed": dice.randrange(99)},
            {"temperature": 1.2, "top_p": 0.8, "seed": dice.randrange(99)},
            {"temperature": 1.0, "top_k": 9, "seed": dice.randrange(99)},
            {"repetition_penalty": 1.3},
        ]
    )
    prompt = dice.choice([(), SYSTEM]) + tuple(random_tokens(seed, dice.randint(1, 30)))
    sampling["max_tokens"] = dice.randint(1, 8)
    adapter = dice.choice([None, "strong", "other"])
    return Asked(prompt, adapter, dice.choice([0.5, 1.0, 1.5]), tuple(sampling.items()))


POOL = [asked(seed) for seed in range(60)]


@pytest.fixture(scope="module")
def alone(lonely, new_row) -> Callable[[Asked], list[int]]:
    """What a request is answered when nothing else is asked."""
    return cache(lambda one: answer(lonely, one.row(new_row)))


@pytest.fixture(scope="module")
def memory() -> Prefixes:
    """What all schedules with reuse have read; small enough that prefixes come and go."""
    return Prefixes(limit=1024 * 1024)


@pytest.mark.parametrize("seed", SCHEDULES)
def test_rows_that_join_and_leave_at_random_get_the_tokens_they_get_alone(
    new_decoder, watched, new_row, alone, memory, other, seed
):
    """Even schedules reuse what was read before, odd ones do not."""
    dice = random.Random(seed)
    requests = dice.choices(POOL, k=5)
    rows = [request.row(new_row) for request in requests]
    pace = endless(new_row, [9, 8, 7])
    decoder = new_decoder(prefixes=memory if seed % 2 == 0 else Prefixes(limit=0))
    actions: dict[int, list[Callable[[], object]]] = {step: [] for step in range(1, 16)}
    cancelled = []
    for row in rows:
        joins = dice.randint(1, 10)
        actions[joins].append(lambda row=row: decoder.submit([row]))
        if dice.random() < 0.25:
            cancelled.append(row)
            actions[dice.randint(joins, 15)].append(lambda row=row: setattr(row, "cancelled", True))
    parts = watched.router.read(other)
    for step in dice.sample(range(1, 15), 2):
        actions[step].append(lambda: watched.router.install("spare", parts))
        actions[step + 1].append(lambda: watched.router.drop("spare"))
    actions[15].append(lambda: setattr(pace, "cancelled", True))
    watched.at = {step: lambda step=step: [action() for action in actions[step]] for step in actions}

    decoder.submit([pace])
    for request, row in zip(requests, rows, strict=True):
        reason = finish_of(row).reason
        if reason == "cancelled":
            assert row in cancelled
            assert row.generated == alone(request)[: len(row.generated)]
        else:
            assert reason in ("end", "length")
            assert row.generated == alone(request)
    assert finish_of(pace).reason == "cancelled"


def test_the_schedules_cover_what_they_are_for(alone):
    """Answers differ by adapter, chance and length, so that a mix-up would be seen."""
    assert len({tuple(alone(request)) for request in POOL}) > 50
    assert {request.adapter for request in POOL} == {None, "strong", "other"}


@pytest.mark.parametrize("length", [1, CHUNK - 1, CHUNK, CHUNK + 1, 40], ids="{} tokens".format)
def test_greedy_rows_are_transformers_generate(decoder, new_model: NewModel, new_row, length):
    prompts = [random_tokens(seed, length) for seed in range(3)]
    rows = [new_row(prompt, max_tokens=20) for prompt in prompts]
    decoder.submit(rows)
    model = new_model()
    for prompt, row in zip(prompts, rows, strict=True):
        pieces_of(row)
        ids = torch.tensor([prompt])
        mask = torch.ones_like(ids)
        out = model.generate(
            input_ids=ids, attention_mask=mask, max_new_tokens=20, do_sample=False, eos_token_id=2
        )
        assert row.generated == out[0, length:].tolist()


# -- reuse --


def test_a_prompt_read_before_is_copied_but_for_its_last_token_and_answered_the_same(
    decoder, watched, new_row
):
    prompt = random_tokens(1, 50)
    first, second = new_row(prompt, adapter="strong"), new_row(prompt, adapter="strong")
    assert answer(decoder, first) == answer(decoder, second)
    assert [row.reused for row in (first, second)] == [0, 49]
    assert [len(step[0].tokens) for step in watched.steps[:4]] == [CHUNK, CHUNK, CHUNK, 2]


def test_a_second_turn_reads_only_what_is_new(decoder, lonely, new_row):
    prompt = random_tokens(2, 30)
    said = answer(decoder, new_row(prompt, ends=frozenset(), max_tokens=20))
    turn = [*prompt, *said, *random_tokens(3, 5)]
    again = new_row(turn)
    assert answer(decoder, again) == answer(lonely, new_row(turn))
    assert again.reused == len(prompt) + len(said) - 1


@pytest.mark.parametrize(
    "use", [{"adapter": "other"}, {"adapter": "strong", "scale": 0.5}, {}], ids=["other", "half", "base"]
)
def test_what_an_adapter_has_read_is_of_no_use_to_another_reader(decoder, lonely, new_row, use):
    prompt = random_tokens(1, 50)
    answer(decoder, new_row(prompt, adapter="strong"))
    row = new_row(prompt, **use)
    assert answer(decoder, row) == answer(lonely, new_row(prompt, **use))
    assert row.reused == 0


def test_lanes_that_begin_alike_and_are_asked_together_read_their_begin_once(decoder, watched, new_row):
    rows = [new_row([*SYSTEM, *random_tokens(seed, 5)]) for seed in range(3)]
    decoder.submit(rows)
    for row in rows:
        pieces_of(row)
    assert [row.reused for row in rows] == [0, len(SYSTEM), len(SYSTEM)]
    read = [len(part.tokens) for step in watched.steps for part in step if part.end <= len(rows[0].prompt)]
    assert sum(read) == len(SYSTEM) + 3 * 5


# -- one row's trouble --

NO_SUCH_TOKEN = 100_000
PROBLEMS = {
    "broken": (
        RuntimeError("it broke"),
        "The model failed on this answer (RuntimeError: it broke). Ask again",
    ),
    "memory": (MemoryError(), "There was not enough memory for this answer."),
    "allocator": (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "There was not enough memory"),
    "card": (torch.OutOfMemoryError("CUDA out of memory"), "There was not enough memory"),
}


@pytest.fixture
def sound(lonely, new_row) -> Callable[[], list[tuple[Row, list[int]]]]:
    """Two rows that run beside a broken one, with the tokens they get alone."""
    uses = [{}, {"adapter": "strong", "temperature": 1.0, "seed": 3}]

    def rows(use: dict[str, object]) -> Row:
        return new_row(random_tokens(5, 20), max_tokens=20, **use)

    return lambda: [(rows(use), answer(lonely, rows(use))) for use in uses]


def assert_unharmed(others: list[tuple[Row, list[int]]]) -> None:
    for row, expected in others:
        assert finish_of(row).reason in ("end", "length")
        assert row.generated == expected


@pytest.mark.parametrize("start", [0, 4, 35], ids=["first-chunk", "later-chunk", "running"])
@pytest.mark.parametrize(("problem", "text"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_row_that_breaks_its_step_ends_alone(decoder, watched, new_row, sound, problem, text, start):
    """The broken row has the token 77, and its step fails once the slot holds so many of its tokens."""
    broken, others = endless(new_row, [77] * 30, adapter="other"), sound()
    prompts = {tuple(row.prompt[:4]) for row, _ in others}
    owners: dict[int, bool] = {}

    def check(parts):
        for part in parts:
            if part.start == 0:
                owners[part.slot] = tuple(part.tokens[:4]) not in prompts
            if owners.get(part.slot) and part.adapter == "other" and part.start >= start:
                raise problem

    watched.check = check
    decoder.submit([others[0][0], broken, others[1][0]])
    finish = finish_of(broken)
    assert finish.reason == "failed"
    assert finish.error.startswith(text)
    assert finish.completion_tokens >= start - 30
    assert_unharmed(others)


def test_a_token_that_the_model_does_not_have_ends_its_row_alone(decoder, lonely, new_row, sound):
    broken, others = new_row([5] * 12 + [NO_SUCH_TOKEN]), sound()
    decoder.submit([others[0][0], broken, others[1][0]])
    finish = finish_of(broken)
    assert (finish.reason, finish.completion_tokens) == ("failed", 0)
    assert finish.error.startswith("The model failed on this answer (IndexError: ")
    assert_unharmed(others)
    assert answer(decoder, new_row([40, 41])) == answer(lonely, new_row([40, 41]))


def test_a_row_whose_adapter_is_gone_ends_alone(decoder, watched, new_row, sound):
    watched.at[4] = lambda: watched.router.drop("spare")
    watched.router.install("spare", {})
    broken, others = endless(new_row, [5, 6], adapter="spare"), sound()
    decoder.submit([others[0][0], broken, others[1][0]])
    finish = finish_of(broken)
    assert finish.error == "The adapter spare is not loaded. Choose another version on the page Train."
    assert_unharmed(others)


@pytest.mark.parametrize("number", [torch.nan, torch.inf], ids=str)
@pytest.mark.parametrize("temperature", [0.0, 1.0], ids="temperature-{}".format)
def test_a_row_whose_logits_are_no_numbers_ends_alone(decoder, watched, new_row, sound, number, temperature):
    def change(parts, logits):
        for row, part in enumerate(parts):
            if part.adapter == "other" and part.start >= 34:
                logits[row, 7] = number

    watched.change = change
    broken, others = endless(new_row, [77] * 30, adapter="other", temperature=temperature), sound()
    decoder.submit([others[0][0], broken, others[1][0]])
    finish = finish_of(broken)
    assert (finish.reason, finish.completion_tokens) == ("failed", 5)
    assert "its numbers have overflowed" in finish.error
    assert_unharmed(others)


@pytest.fixture
def wild(watched) -> Iterator[str]:
    """An adapter whose numbers overflow in every row that uses it."""
    part = LowRank(torch.full((1, 64), 1e30), torch.full((64, 1), 1e30))
    watched.router.install("wild", {"model.layers.0.self_attn.o_proj": part})
    yield "wild"
    watched.router.drop("wild")


def test_what_has_overflowed_in_a_slot_does_not_reach_the_next_row_in_it(
    decoder, watched, new_row, wild, lonely
):
    """The next row runs beside a longer one, so that attention goes over places it has not written yet."""
    long, broken = endless(new_row, random_tokens(1, 60)), new_row(random_tokens(2, 50), adapter=wild)
    following = [new_row([20, 21], max_tokens=20), new_row([30, 31], max_tokens=20)]
    decoder.submit([long])
    long.pieces.get(timeout=60)
    decoder.submit([broken])
    assert "its numbers have overflowed" in finish_of(broken).error
    decoder.submit(following)
    for row in following:
        assert finish_of(row).reason in ("end", "length")
        assert row.generated == answer(lonely, new_row(row.prompt, max_tokens=20))
    long.cancelled = True


def test_what_has_overflowed_is_not_kept(new_decoder, new_row, wild):
    prefixes = Prefixes()
    decoder = new_decoder(prefixes=prefixes)
    answer(decoder, new_row(random_tokens(2, 50), adapter=wild))
    assert prefixes.bytes == 0


def test_a_row_that_fails_in_choosing_ends_alone(decoder, new_row, sound):
    broken, others = new_row([30, 31], temperature=1.0, top_p=0.0), sound()
    decoder.submit([others[0][0], broken, others[1][0]])
    assert finish_of(broken).reason == "failed"
    assert_unharmed(others)


def test_a_row_that_there_is_no_memory_to_keep_ends_alone(decoder, watched, new_row, sound):
    save = watched.save

    def full(slot: int, length: int) -> torch.Tensor:
        if length == 29:
            raise MemoryError
        return save(slot, length)

    watched.save = full
    broken, others = new_row(random_tokens(7, 30)), sound()
    decoder.submit([others[0][0], broken, others[1][0]])
    assert finish_of(broken).error.startswith("There was not enough memory")
    assert_unharmed(others)


def test_a_fault_of_the_decoders_own_ends_the_rows_as_failed_and_the_next_ones_are_answered(
    new_decoder, lonely, new_row
):
    class Broken(Prefixes):
        def find(self, reader, prompt):
            if prompt[0] == 66:
                raise KeyError("a mistake")
            return super().find(reader, prompt)

    decoder = new_decoder(prefixes=Broken())
    rows = [endless(new_row, [5, 6]), new_row([66, 1])]
    decoder.submit(rows)
    finishes = [finish_of(row) for row in rows]
    assert [finish.reason for finish in finishes] == ["failed", "failed"]
    assert all("KeyError: 'a mistake'" in finish.error for finish in finishes)
    three = [new_row(random_tokens(seed, 9)) for seed in range(3)]
    decoder.submit(three)
    for row in three:
        pieces_of(row)
        assert row.generated == answer(lonely, new_row(row.prompt))


# -- ending early --

ENDINGS = {
    "cancelled": lambda row: setattr(row, "cancelled", True),
    "time": lambda row: setattr(row, "began", row.began - 1000),
}


@pytest.mark.parametrize(
    ("prompt", "step"),
    [([5, 6], 9), (random_tokens(1, 200), 3)],
    ids=["running", "reading"],
)
@pytest.mark.parametrize("reason", ENDINGS)
def test_a_row_stops_within_two_steps(decoder, watched, new_row, reason, prompt, step):
    row, beside = endless(new_row, prompt, adapter="other"), endless(new_row, [7, 8])
    watched.at = {step: lambda: ENDINGS[reason](row), step + 20: lambda: setattr(beside, "cancelled", True)}
    decoder.submit([row, beside])
    finish = finish_of(row)
    assert (finish.reason, finish.error) == (reason, "")
    pieces_of(beside)
    took_part = [
        number
        for number, parts in enumerate(watched.steps, start=1)
        if any(part.adapter == "other" for part in parts)
    ]
    assert step <= max(took_part) < step + 2
    assert len(watched.steps) >= step + 20


@pytest.mark.parametrize("reason", ENDINGS)
def test_a_row_that_waits_ends_without_a_step(one_slot, watched, new_row, reason):
    running, waiting = endless(new_row, [5, 6]), endless(new_row, [7, 8], adapter="other")
    watched.at = {3: lambda: ENDINGS[reason](waiting), 9: lambda: setattr(running, "cancelled", True)}
    one_slot.submit([running, waiting])
    finish = finish_of(waiting)
    assert (finish.reason, finish.completion_tokens) == (reason, 0)
    assert finish_of(running).reason == "cancelled"
    assert not any(part.adapter for parts in watched.steps for part in parts)


def test_a_cancelled_row_gives_its_slot_to_the_next(one_slot, watched, new_row):
    first, second = endless(new_row, [5, 6]), new_row([7, 8], adapter="other")
    watched.at[5] = lambda: setattr(first, "cancelled", True)
    one_slot.submit([first, second])
    assert finish_of(second).reason in ("end", "length")
    assert finish_of(first).reason == "cancelled"


@pytest.mark.parametrize("step", [1, 5], ids="step-{}".format)
def test_closing_ends_all_rows_as_cancelled(one_slot, watched, new_row, step):
    rows = [endless(new_row, [5, 6]), endless(new_row, [7, 8])]
    closing = threading.Thread(target=one_slot.close)

    def close_in_the_step() -> None:
        closing.start()
        wait_until(lambda: one_slot._closed)

    watched.at[step] = close_in_the_step
    one_slot.submit(rows)
    assert [finish_of(row).reason for row in rows] == ["cancelled", "cancelled"]
    closing.join()


def test_after_closing_rows_end_at_once_and_errands_are_refused(decoder, new_row):
    decoder.close()
    row = new_row([5])
    decoder.submit([row])
    assert row.pieces.get_nowait().finish.reason == "cancelled"
    with pytest.raises(RuntimeError, match="closed"):
        decoder.between_steps(list)


def test_closing_lets_nobody_wait_for_an_errand(decoder, watched, new_row):
    outcome: list[BaseException] = []

    def ask() -> None:
        try:
            decoder.between_steps(list)
        except (CancelledError, RuntimeError) as problem:
            outcome.append(problem)

    asking, closing = threading.Thread(target=ask), threading.Thread(target=decoder.close)

    def close_in_the_step() -> None:
        closing.start()
        wait_until(lambda: decoder._closed)
        asking.start()

    watched.at[2] = close_in_the_step
    row = endless(new_row, [5, 6])
    decoder.submit([row])
    assert finish_of(row).reason == "cancelled"
    closing.join()
    asking.join(timeout=60)
    assert len(outcome) == 1


# -- the line --


def test_where_the_line_is_full_all_rows_of_a_question_are_refused_at_once(watched, new_decoder, new_row):
    watched.slots = 1
    decoder = new_decoder(line=WaitingLine(room=2))
    refused = [new_row([1], index=0, owner="b"), new_row([2], index=1, owner="b")]
    found: list[str] = []

    def ask() -> None:
        decoder.submit([new_row([7, 8], owner="a")])
        decoder.submit(refused)
        found.extend(row.pieces.get_nowait().finish.reason for row in refused)
        running.cancelled = True

    watched.at[3] = ask
    running = endless(new_row, [5, 6], owner="a")
    decoder.submit([running])
    pieces_of(running)
    assert found == ["busy", "busy"]
    last = new_row([9], owner="b")
    decoder.submit([last])
    assert finish_of(last).reason in ("end", "length")


def test_an_owner_of_many_rows_does_not_keep_another_from_having_one(one_slot, watched, new_row):
    many = [new_row([10 + number, 3], owner="a") for number in range(5)]
    single = new_row([99, 3], owner="b")
    watched.at[2] = lambda: one_slot.submit([single])
    one_slot.submit(many)
    for row in [*many, single]:
        pieces_of(row)
    started = [part.tokens[0] for parts in watched.steps for part in parts if part.start == 0]
    assert started == [10, 11, 99, 12, 13, 14]


def test_each_row_is_told_its_place_in_line_as_it_comes_nearer(one_slot, new_row):
    rows = [new_row([10 + number, 3], owner="a") for number in range(4)]
    one_slot.submit(rows)
    places = [[piece.waiting for piece in pieces_of(row) if piece.waiting is not None] for row in rows]
    assert places == [[], [0], [1, 0], [2, 1, 0]]


# -- streams beside reading --


def test_a_long_prompt_is_read_in_small_chunks_and_delays_no_token_of_those_who_run(
    new_decoder, watched, lonely, new_row
):
    prompt = random_tokens(4, 61)
    decoder = new_decoder(chunks=Chunks(CHUNK, BESIDE - 2, 1))
    running = [endless(new_row, [5, 6], adapter="strong"), endless(new_row, [7, 8], adapter="other")]
    long = new_row(prompt)
    watched.at[5] = lambda: decoder.submit([long])
    decoder.submit(running)
    finish = finish_of(long)
    for row in running:
        row.cancelled = True
        pieces_of(row)
    reading = [parts for parts in watched.steps if any(part.adapter is None for part in parts)]
    reading = reading[: -(finish.completion_tokens - 1) or None]
    chunks = [[part for part in parts if part.adapter is None] for parts in reading]
    assert [len(part.tokens) for parts in chunks for part in parts] == [BESIDE] * 14 + [BESIDE + 1]
    for parts in reading:
        assert {part.adapter for part in parts} == {None, "strong", "other"}
        assert [len(part.tokens) for part in parts if part.adapter] == [1, 1]
    assert long.generated == answer(lonely, new_row(prompt))


def test_a_row_has_a_token_in_every_step_while_others_join_and_leave(decoder, watched, new_row):
    steady = endless(new_row, [5, 6], adapter="strong")
    others = [new_row(random_tokens(seed, 20), max_tokens=3) for seed in range(8)]
    watched.at[2] = lambda: decoder.submit(others)
    decoder.submit([steady])
    for row in others:
        pieces_of(row)
    steady.cancelled = True
    pieces_of(steady)
    places = [part.start for parts in watched.steps for part in parts if part.adapter]
    assert places == [0, *range(2, len(places) + 1)]
    assert len(places) == len(watched.steps)


def test_nobody_runs_so_prompts_are_read_in_large_chunks(decoder, watched, new_row):
    answer(decoder, new_row(random_tokens(6, 40)))
    assert [len(parts[0].tokens) for parts in watched.steps[:4]] == [CHUNK, CHUNK, 40 - 2 * CHUNK, 1]


def test_of_a_prompt_that_looks_back_on_many_tokens_fewer_are_read_in_a_step(new_runner, new_row):
    """Each of them takes longer, and the streams beside them are to keep their pace."""
    watched = Watched(new_runner(slots=2, capacity=2 * LOOKING_BACK))
    decoder = Decoder(watched, chunks=Chunks(40, 20, 0))
    try:
        running = endless(new_row, [5, 6])
        watched.at[3] = lambda: decoder.submit([long])
        long = new_row(random_tokens(4, LOOKING_BACK + 100), max_tokens=1)
        decoder.submit([running])
        finish_of(long)
        running.cancelled = True
        pieces_of(running)
    finally:
        decoder.close()
    chunks = [parts[1] for parts in watched.steps if len(parts) == 2]
    assert (len(chunks[0].tokens), len(chunks[-2].tokens)) == (20, 10)


# -- the end --


def test_the_thread_has_ended_before_the_interpreter_goes(watched, new_row, monkeypatch):
    """Else the process would end with an error now and then, whatever it has done."""
    at_exit: list[Callable[[], object]] = []
    monkeypatch.setattr(atexit, "register", at_exit.append)
    others = {thread.ident for thread in threading.enumerate()}
    decoder = Decoder(watched)
    (own,) = (thread for thread in threading.enumerate() if thread.ident not in others)
    row = endless(new_row, [5, 6])
    decoder.submit([row])
    row.pieces.get(timeout=60)
    (close,) = at_exit
    close()
    assert not own.is_alive()
    assert finish_of(row).reason == "cancelled"


# -- rows of one question --


def first_words(watched: Watched, rows: Sequence[Row]) -> list[int]:
    """For each row, the number of the step that said its first token."""
    ends = [(row.slot, len(row.prompt)) for row in rows]
    return [
        next(step for step, parts in enumerate(watched.steps) if end in {(p.slot, p.end) for p in parts})
        for end in ends
    ]


@contextmanager
def decoder_held(decoder: Decoder) -> Iterator[None]:
    """Let the decoder begin with nothing of what is handed in meanwhile."""
    held, go = threading.Event(), threading.Event()
    holding = threading.Thread(target=decoder.between_steps, args=(lambda: held.set() or go.wait(60),))
    holding.start()
    held.wait(60)
    try:
        yield
    finally:
        go.set()
        holding.join()


def test_rows_asked_together_begin_to_answer_in_the_same_step(decoder, watched, lonely, new_row):
    prompts = [random_tokens(seed, length) for seed, length in enumerate((3, 70, 1))]
    rows = [new_row(prompt) for prompt in prompts]
    decoder.submit(rows)
    for row in rows:
        finish_of(row)
    assert len({*first_words(watched, rows)}) == 1
    for row, prompt in zip(rows, prompts, strict=True):
        assert row.generated == answer(lonely, new_row(prompt))


def test_questions_asked_while_nobody_runs_begin_to_answer_in_the_same_step(
    decoder, watched, lonely, new_row
):
    """Reading beside streams takes longer: all of them would end later, and most of them begin later."""
    prompts = [random_tokens(seed, length) for seed, length in enumerate((3, 70, 20))]
    rows = [new_row(prompt) for prompt in prompts]
    with decoder_held(decoder):
        for row in rows:
            decoder.submit([row])
    for row in rows:
        finish_of(row)
    assert len({*first_words(watched, rows)}) == 1
    for row, prompt in zip(rows, prompts, strict=True):
        assert row.generated == answer(lonely, new_row(prompt))


@pytest.mark.parametrize(("awaited", "waits"), [(66, True), (65, False)])
def test_a_question_does_not_wait_where_others_have_much_to_be_read(
    new_decoder, watched, new_row, awaited, waits
):
    decoder = new_decoder(chunks=Chunks(5, BESIDE, 0, awaited))
    short, long = new_row(random_tokens(2, 3)), new_row(random_tokens(1, 70))
    with decoder_held(decoder):
        decoder.submit([short])
        decoder.submit([long])
    for row in (short, long):
        finish_of(row)
    early, late = first_words(watched, [short, long])
    assert (early == late) is waits
    assert waits or early == 0


def test_a_question_that_comes_beside_a_stream_does_not_wait_for_others(decoder, watched, new_row):
    running = endless(new_row, [5, 6])
    short, long = new_row(random_tokens(2, 3)), new_row(random_tokens(1, 70))
    watched.at[3] = lambda: [decoder.submit([row]) for row in (short, long)]
    decoder.submit([running])
    for row in (short, long):
        finish_of(row)
    running.cancelled = True
    pieces_of(running)
    early, late = first_words(watched, [short, long])
    assert early < late


def test_a_row_that_has_no_slot_yet_is_not_waited_for(one_slot, lonely, new_row):
    prompts = [random_tokens(seed, 20) for seed in range(2)]
    rows = [new_row(prompt) for prompt in prompts]
    one_slot.submit(rows)
    assert [pieces_of(row)[-1].finish.reason for row in rows] == ["length"] * 2
    assert [row.generated for row in rows] == [answer(lonely, new_row(prompt)) for prompt in prompts]


def test_a_row_that_fails_while_it_is_read_holds_up_no_other_of_its_question(
    decoder, watched, lonely, new_row
):
    broken, sound = new_row([*random_tokens(1, 40), NO_SUCH_TOKEN, 5]), new_row(random_tokens(2, 3))
    decoder.submit([broken, sound])
    assert finish_of(broken).reason == "failed"
    finish_of(sound)
    assert sound.generated == answer(lonely, new_row(random_tokens(2, 3)))


# -- before anybody asks --

WARM = [Part(0, [7], 0)]


def test_while_nobody_asks_the_warm_up_goes_on_and_rows_come_first(new_decoder, watched, lonely, new_row):
    watched.warm_up = lambda: [WARM] * 3
    row, made = new_row([5, 6, 7]), threading.Event()

    def ask() -> None:
        made.wait(60)
        decoder.submit([row])

    watched.at[1] = ask
    decoder = new_decoder()
    made.set()
    finish_of(row)
    wait_until(lambda: watched.steps.count(WARM) == 3)
    assert watched.steps[0] == WARM and watched.steps[-2:] == [WARM] * 2
    assert row.generated == answer(lonely, new_row([5, 6, 7]))


def test_a_warm_up_that_fails_ends_and_rows_are_answered(new_decoder, watched, lonely, new_row, caplog):
    watched.warm_up = lambda: [[Part(0, [NO_SUCH_TOKEN], 0)], WARM]
    decoder = new_decoder()
    wait_until(lambda: "A step of the warm-up failed." in caplog.text)
    assert answer(decoder, new_row([5, 6, 7])) == answer(lonely, new_row([5, 6, 7]))
    time.sleep(0.05)
    assert WARM not in watched.steps


# -- errands --


def test_errands_are_done_between_steps_while_streams_go_on(decoder, watched, lonely, new_row):
    inside, meanwhile = threading.Event(), []
    watched.check = lambda parts: inside.set()
    watched.change = lambda parts, logits: inside.clear()
    row = endless(new_row, [5, 6])
    decoder.submit([row])
    for _ in range(5):
        row.pieces.get(timeout=60)
        meanwhile.append(decoder.between_steps(inside.is_set))
        with pytest.raises(LookupError, match="this errand"):
            decoder.between_steps(lambda: fail(LookupError("this errand")))
    row.cancelled = True
    pieces_of(row)
    assert meanwhile == [False] * 5
    expected = answer(lonely, endless(new_row, [5, 6]))
    assert row.generated == expected[: len(row.generated)]


def fail(problem: Exception) -> None:
    raise problem


def test_the_adapters_in_use_are_those_of_rows_that_run_or_wait(one_slot, watched, new_row):
    rows = [
        endless(new_row, [5], adapter="strong"),
        endless(new_row, [6]),
        endless(new_row, [7], adapter="other"),
    ]
    found: list[set[str]] = []

    def look() -> None:
        found.append(one_slot.adapters_in_use())
        for row in rows:
            row.cancelled = True

    watched.at[3] = look
    one_slot.submit(rows)
    for row in rows:
        pieces_of(row)
    assert found == [{"strong", "other"}]
    assert one_slot.between_steps(one_slot.adapters_in_use) == set()


def test_what_was_read_with_a_forgotten_adapter_is_not_used_again_and_the_base_is_untouched(
    new_decoder, new_row
):
    decoder, prompt = new_decoder(), random_tokens(1, 30)
    for adapter in ("strong", None):
        answer(decoder, new_row(prompt, adapter=adapter))
    decoder.between_steps(lambda: decoder.forget("strong"))
    again = [new_row(prompt, adapter=adapter) for adapter in ("strong", None)]
    for row in again:
        answer(decoder, row)
    assert [row.reused for row in again] == [0, 29]


def test_a_decoder_without_rows_takes_no_step(decoder, watched):
    decoder.submit([])
    assert decoder.between_steps(lambda: SimpleNamespace(steps=len(watched.steps))).steps == 0
