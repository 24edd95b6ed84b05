"""Steps of the compiled graph are torch's, for any parts, slots and adapters; and graphs are made once."""

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from assistant.engine import graph
from assistant.engine.decoder import Chunks, Decoder
from assistant.engine.eager import EagerRunner
from assistant.engine.graph import GraphRunner, KeptGraph, NoGraph, compiled_graph, filled_up
from assistant.engine.room import SLOTS
from assistant.engine.rows import Row
from assistant.engine.steps import Part, Runner
from assistant.engine.tracing import PAGE
from assistant.weights import Placement
from assistant.workspace import quartet_home
from tests.assistant.engine.conftest import EXACT, NewGraphRunner, NewRow, NewRunner, pieces_of
from tests.assistant.engine.families import prompt, steps

graphs = pytest.mark.graph
Both = tuple[GraphRunner, EagerRunner]


@pytest.fixture
def both(new_graph_runner: NewGraphRunner, new_runner: NewRunner) -> Callable[..., Both]:
    """The same room and adapters, by the graph and by torch."""
    return lambda **settings: (new_graph_runner(**settings), new_runner(**settings))


def same(runners: Both, parts: list[Part]) -> Tensor:
    """Take a step by both and find the same; returns what was found."""
    found, expected = (runner.step(parts) for runner in runners)
    assert found.dtype == torch.float32
    assert torch.allclose(found, expected, atol=1e-3, rtol=0)
    assert torch.equal(found.argmax(1), expected.argmax(1))
    return found


# -- steps --


@graphs
def test_each_part_of_a_mixed_step_has_torchs_logits(both):
    runners = both(slots=4, capacity=40)
    for parts in steps():
        same(runners, parts)


@graphs
def test_rows_with_adapters_of_other_ranks_and_scales_have_torchs_logits(both, strong, other):
    """`other` has rank 2 in q and down alone: members and groups that it lacks get nothing of it."""
    runners = both(slots=6, strong=strong, other=other)
    uses = [("strong", 1.0), (None, 0.0), ("other", 1.5), ("strong", 0.5), ("other", 0.0), ("strong", -1.0)]
    tokens = prompt(1, 40)
    found = same(runners, [Part(slot, tokens, 0, *use) for slot, use in enumerate(uses)])
    apart = [
        (found[one] - found[two]).abs().max()
        for one in range(6)
        for two in range(one)
        if {one, two} != {1, 4}
    ]
    assert min(apart) > 0.01
    assert torch.allclose(found[1], found[4], atol=1e-5)
    same(runners, [Part(slot, [7], 40, *use) for slot, use in enumerate(uses)])


@graphs
def test_adapters_come_and_go_between_steps(both, strong, other, zero):
    runners = both()
    part = Part(0, prompt(1, 10), 0)
    base = same(runners, [part])
    for change in (
        lambda router: router.install("one", router.read(strong)),
        lambda router: router.install("two", router.read(other)),
        lambda router: router.install("one", router.read(zero)),
        lambda router: router.drop("one"),
    ):
        for runner in runners:
            change(runner.router)
        for name in runners[0].router.names:
            same(runners, [Part(0, part.tokens, 0, name, 1.0), Part(1, part.tokens, 0)])
    for runner in runners:
        runner.router.drop("two")
    assert torch.equal(same(runners, [part]), base)


@graphs
def test_random_schedules_of_parts_have_torchs_logits(both, strong, other):
    """Chunks of any length, over pages and the whole capacity, in slots that are used again."""
    runners, dice = both(slots=5, capacity=100, strong=strong, other=other), random.Random(1)
    uses = [(None, 0.0), ("strong", 1.0), ("other", 0.7)]
    filled, readers = [0] * 5, [uses[0]] * 5
    for _ in range(60):
        parts = []
        for slot in sorted(dice.sample(range(5), dice.randint(1, 5)), key=lambda _: dice.random()):
            if filled[slot] == 100 or dice.random() < 0.05:
                filled[slot] = 0
            if not filled[slot]:
                readers[slot] = dice.choice(uses)
            room = 100 - filled[slot]
            tokens = prompt(dice.random(), min(dice.choice([1, 1, 1, 5, PAGE, 70]), room))
            parts.append(Part(slot, tokens, filled[slot], *readers[slot]))
            filled[slot] += len(tokens)
        same(runners, parts)


@graphs
@pytest.mark.parametrize("length", [1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, 75])
def test_saved_tokens_go_on_in_another_slot_as_if_they_had_been_read_there(new_graph_runner, length):
    runner, tokens = new_graph_runner(capacity=100), prompt(4, 90)
    runner.step([Part(1, tokens, 0)])
    saved = runner.save(1, 90)
    before = saved.clone()
    runner.step([Part(1, prompt(5, 100), 0), Part(2, prompt(6, 100), 0)])
    assert torch.equal(saved, before)
    runner.load(2, saved, min(length, 90))
    (found,) = runner.step([Part(2, [7], min(length, 90))])
    (expected,) = runner.step([Part(0, [*tokens[:length], 7], 0)])
    assert torch.allclose(found, expected, atol=1e-4)


@graphs
def test_loading_leaves_the_slots_beside_as_they_were(new_graph_runner):
    """A capacity that is no multiple of the page, filled to the last token."""
    runner, full = new_graph_runner(capacity=70), [prompt(slot, 69) for slot in range(3)]
    expected = torch.cat([runner.step([Part(slot, [*full[slot], 9], 0)]) for slot in range(3)])
    runner.step([Part(slot, full[slot], 0) for slot in range(3)])
    saved = runner.save(1, 69)
    runner.load(1, torch.zeros_like(saved), 69)
    runner.load(1, saved, 69)
    found = runner.step([Part(slot, [9], 69) for slot in range(3)])
    assert torch.allclose(found, expected, atol=1e-4)


@graphs
def test_a_row_alone_is_the_row_in_a_batch(new_graph_runner, strong):
    runner, rows = new_graph_runner(strong=strong), [prompt(slot, 50) for slot in range(3)]
    together = runner.step([Part(slot, row, 0, "strong", 1.0) for slot, row in enumerate(rows)])
    alone = torch.cat([runner.step([Part(slot, row, 0, "strong", 1.0)]) for slot, row in enumerate(rows)])
    assert torch.allclose(together, alone, atol=1e-5, rtol=0)


@graphs
def test_logits_stay_as_they_were_when_the_next_step_is_taken(new_graph_runner):
    runner = new_graph_runner()
    found = runner.step([Part(0, [5], 0)])
    before = found.clone()
    runner.step([Part(0, [9], 1)])
    assert torch.equal(found, before)


@graphs
def test_an_unknown_token_is_named_and_the_next_step_is_as_ever(both):
    runners = both()
    with pytest.raises(IndexError, match="the model has no token 259"):
        runners[0].step([Part(0, [5, 6], 0), Part(1, [258, 259], 0)])
    same(runners, [Part(0, [5, 6], 0), Part(1, [258], 0)])


@graphs
def test_steps_are_described(new_graph_runner):
    assert new_graph_runner().describe() == "compiled graph"


AGREEMENT = 0.99


@graphs
@pytest.mark.parametrize("count", [8, pytest.param(40, marks=pytest.mark.slow, id="two thousand steps")])
def test_greedy_answers_are_torchs(both, new_row: NewRow, strong, other, count):
    """Rows join and leave, wait, reuse what was read, and have other adapters."""

    def answers(runner: Runner) -> list[list[int]]:
        dice = random.Random(3)
        rows: list[Row] = [
            new_row(
                [*prompt(0, 40), *prompt(seed, dice.randint(1, 60))],
                adapter=dice.choice([None, "strong", "other"]),
                scale=dice.choice([0.5, 1.0]),
                max_tokens=60,
                ends=frozenset(),
            )
            for seed in range(1, count + 1)
        ]
        decoder = Decoder(runner, chunks=Chunks(64, 16))
        for start in range(0, len(rows), 10):
            decoder.submit(rows[start : start + 10])
            for row in rows[start : start + 10]:
                pieces_of(row)
        decoder.close()
        return [row.generated for row in rows]

    found, expected = (answers(runner) for runner in both(slots=4, strong=strong, other=other))
    pairs = [pair for one, two in zip(found, expected, strict=True) for pair in zip(one, two, strict=True)]
    assert len(pairs) == 60 * count
    assert sum(one == two for one, two in pairs) / len(pairs) >= AGREEMENT


def test_steps_of_any_length_are_few_lengths_to_the_graph():
    """Each of them costs memory for good."""
    lengths = {filled_up(count) for count in range(1, 300)}
    assert len(lengths) < 32
    assert all(count <= filled_up(count) < min(1.25 * count, count + PAGE) for count in range(1, 300))


@graphs
@pytest.mark.parametrize("capacity", [96, 300])
def test_all_lengths_and_numbers_of_rows_are_met_in_the_warm_up(new_graph_runner, capacity):
    runner = new_graph_runner(slots=5, capacity=capacity)
    met = [[len(part.tokens) for part in parts] for parts in runner.warm_up()]
    longest = min(Chunks().alone + SLOTS, capacity)
    assert {len(parts) for parts in met} == {1, 2, 3, 4, 5}
    assert {filled_up(sum(parts)) for parts in met} == {filled_up(count) for count in range(1, longest + 1)}


@graphs
def test_what_fills_up_a_step_leaves_every_slot_as_it_is(new_graph_runner):
    runner = new_graph_runner(slots=3, capacity=96)
    for slot in range(3):
        runner.step([Part(slot, prompt(slot, 90), 0)])
    before = [runner.save(slot, 96) for slot in (0, 2)]
    runner.step([Part(1, prompt(9, 65), 0)])
    assert filled_up(65) == 80
    assert all(torch.equal(runner.save(slot, 96), was) for slot, was in zip((0, 2), before, strict=True))


# -- where graphs are kept --

NOTES = '{"used": true}'
FINISHES = f"""
import os, sys, pathlib
folder = pathlib.Path(sys.argv[2]); folder.mkdir()
(folder / "graph.json").write_text('{NOTES}')
"""
HALF = """
import os, sys, pathlib
folder = pathlib.Path(sys.argv[2])
beside = folder.with_name(f".{folder.name}.{os.getpid()}"); beside.mkdir()
(beside / "graph.xml").write_text("<net")
(beside / "graph.json").write_text('{"used": true}')
"""


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a script in the place of the process that compiles."""
    monkeypatch.setattr(graph, "version", lambda name: "1")
    return lambda script: monkeypatch.setattr(graph, "COMPILER", (sys.executable, "-c", script))


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def found(tiny_model_folder: Path, reports: list[str]) -> Callable[..., KeptGraph]:
    return lambda folder=tiny_model_folder, placement=EXACT, **options: compiled_graph(
        folder, placement, lambda text, _: reports.append(text), **options
    )


def kept_things() -> list[str]:
    return sorted(path.name.rpartition("-")[0] or path.name for path in (quartet_home() / "graphs").iterdir())


def test_a_graph_is_made_once_and_that_is_reported(compiler, found, reports):
    compiler(FINISHES)
    first = found()
    compiler("raise SystemExit('was tried again')")
    assert found() == first
    assert reports == ["Compiling tiny-chat for this processor, once"]


def test_with_weights_in_8_bits_it_is_another_graph(compiler, found, reports):
    compiler(FINISHES)
    assert found().folder != found(eight_bit=True).folder
    assert len(reports) == 2


def other_weights(folder: Path) -> None:
    os.utime(folder / "model.safetensors", (1, 1))


def other_settings(folder: Path) -> None:
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")


CHANGES = {
    "weights": (other_weights, EXACT, "1"),
    "settings": (other_settings, EXACT, "1"),
    "number-format": (lambda folder: None, Placement(EXACT.device, torch.bfloat16, "rough"), "1"),
    "versions": (lambda folder: None, EXACT, "2"),
}


@pytest.mark.parametrize(("change", "placement", "version"), CHANGES.values(), ids=CHANGES)
def test_another_graph_is_made_when_something_it_was_made_of_has_changed(
    compiler, found, tiny_model_folder, tmp_path, monkeypatch, change, placement, version
):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((tiny_model_folder / name).read_bytes())
    compiler(FINISHES)
    first = found(folder)
    assert found(folder) == first
    change(folder)
    monkeypatch.setattr(graph, "version", lambda name: version)
    assert found(folder, placement) != first


FAILURES = {
    "last-line": ("print('much'); raise ValueError('no such operator')", "ValueError: no such operator"),
    "long-line": ("import sys; sys.exit('x' * 1000)", "x" * 200),
    "silence": ("import os; os._exit(7)", "it ended with 7"),
    "out-of-memory": (HALF + "os.kill(os.getpid(), 9)", "the process was ended by SIGKILL"),
    "crash": (HALF + "os.abort()", "the process was ended by SIGABRT"),
}


@pytest.mark.parametrize(("script", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_graph_that_cant_be_made_is_tried_once_and_the_reason_kept(
    compiler, found, reports, capfd, script, reason
):
    compiler(script)
    for _ in range(2):
        with pytest.raises(NoGraph) as caught:
            found()
        assert str(caught.value) == f"its graph could not be compiled: {reason}"
    assert len(reports) == 1
    assert kept_things() == ["tiny-chat", "tiny-chat"]  # the reason and the log; nothing half made
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_a_graph_whose_making_was_stopped_leaves_nothing_and_is_tried_again(compiler, found, number):
    compiler(HALF + f"import signal; signal.signal({number}, signal.SIG_DFL); os.kill(os.getpid(), {number})")
    with pytest.raises(NoGraph, match="ended by SIG"):
        found()
    assert [path.suffix for path in (quartet_home() / "graphs").iterdir()] == [".log"]
    compiler(FINISHES)
    assert found().used


def test_where_nothing_can_be_written_there_is_no_graph(compiler, found):
    quartet_home().mkdir(parents=True)
    (quartet_home() / "graphs").write_text("in the way")
    with pytest.raises(NoGraph, match="no room for a graph"):
        found()


def test_a_slower_graph_is_not_handed_out(compiler, found):
    compiler(FINISHES.replace(NOTES, '{"used": false, "reason": "faster here than its compiled graph"}'))
    with pytest.raises(NoGraph, match=r"^faster here than its compiled graph$"):
        found()
