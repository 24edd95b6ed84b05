"""Making a graph: whole or not at all, compared with torch on the same work, in a process of its own."""

import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from assistant.engine import compiling
from assistant.engine.compiling import Trial, compile_graph, main, try_out
from assistant.engine.eager import EagerRunner
from assistant.engine.graph import GraphRunner, KeptGraph, NoGraph, compiled_graph
from assistant.engine.steps import Part
from assistant.engine.tracing import PAGE
from assistant.weights import Placement, load_model
from assistant.workspace import quartet_home
from tests.assistant.engine.conftest import EXACT, NewRunner, Watched
from tests.assistant.engine.families import prompt

pytestmark = pytest.mark.graph
ROUGH = Placement(torch.device("cpu"), torch.bfloat16, "rough, for tests")


def test_a_graph_is_kept_with_what_was_found_when_it_was_made(kept):
    notes = kept.notes
    assert sorted(path.name for path in kept.folder.iterdir()) == ["graph.bin", "graph.json", "graph.xml"]
    assert notes["sizes"] == {"layers": 2, "heads": 2, "size": 16}
    assert (notes["half"], notes["vocabulary"]) == (False, 259)
    assert notes["likeness"] == pytest.approx(1, abs=1e-4)
    assert kept.used == (notes["seconds"]["graph"] < notes["seconds"]["torch"])
    assert kept.reason == ("" if kept.used else "faster here than its compiled graph")
    assert [path.name for path in kept.folder.parent.iterdir()] == ["tiny"]


def test_in_half_precision_a_graph_says_nearly_the_same(tiny_model_folder, tmp_path, strong):
    kept = compile_graph(tiny_model_folder, tmp_path / "graph", ROUGH)
    runners = (
        GraphRunner(kept, slots=2, capacity=70),
        EagerRunner(load_model(tiny_model_folder, EXACT), slots=2, capacity=70),
    )
    for runner in runners:
        runner.router.install("strong", runner.router.read(strong))
    parts = [Part(0, prompt(1, 60), 0, "strong", 0.5), Part(1, prompt(2, 3), 0)]
    found, expected = (runner.step(parts) for runner in runners)
    assert kept.notes["half"]
    assert torch.nn.functional.cosine_similarity(found, expected).min() > 0.99
    saved = runners[0].save(0, 60)
    runners[0].load(1, saved, 60)
    again = runners[0].step([Part(0, [7], 60, "strong", 0.5), Part(1, [7], 60, "strong", 0.5)])
    assert torch.equal(again[0], again[1])


def test_a_graph_that_fails_half_way_leaves_nothing(tiny_model_folder, tmp_path, monkeypatch):
    made = []

    def fail(kept: KeptGraph, **_: int) -> None:
        made.extend(path.name for path in kept.folder.iterdir())
        raise RuntimeError("half way")

    monkeypatch.setattr(compiling, "GraphRunner", fail)
    with pytest.raises(RuntimeError, match="half way"):
        compile_graph(tiny_model_folder, tmp_path / "graph", EXACT)
    assert "graph.xml" in made
    assert not list(tmp_path.glob("*graph*"))


SAID = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
TRIALS = {
    "faster": (1.0, SAID * 2, ""),
    "slower": (3.0, SAID, "faster here than its compiled graph"),
    "one-row-otherwise": (1.0, torch.ones(2, 2), "its compiled graph says something else"),
    "no-numbers": (1.0, SAID * torch.nan, "its compiled graph says something else"),
}


@pytest.mark.parametrize(("seconds", "logits", "reason"), TRIALS.values(), ids=TRIALS)
def test_a_graph_is_used_if_it_is_faster_and_says_the_same(seconds, logits, reason):
    notes = Trial(seconds, logits).against(Trial(2.0, SAID), wanted=False)
    assert (notes["used"], notes["reason"]) == (not reason, reason)
    assert notes["seconds"] == {"graph": seconds, "torch": 2.0}


def test_a_graph_that_was_asked_for_may_be_slower_but_says_the_same():
    assert Trial(3.0, SAID).against(Trial(2.0, SAID), wanted=True)["used"]
    assert not Trial(1.0, torch.ones(2, 2)).against(Trial(2.0, SAID), wanted=True)["used"]


def test_the_work_to_compare_by_reads_more_than_a_page_and_goes_on_from_there(new_runner: NewRunner):
    first, second = (Watched(new_runner(slots=4, capacity=512)) for _ in range(2))
    trials = try_out((first, second), 259, rounds=5)
    assert {len(part.tokens) > PAGE for part in first.steps[0]} == {True}
    assert [[len(part.tokens) for part in parts] for parts in first.steps[1:]] == [[1] * 4] * 5
    assert [parts[0].start for parts in first.steps] == [0, *range(48, 53)]
    assert first.steps == second.steps
    for trial in trials:
        assert trial.logits.shape == (4, 259)
        assert (trial.logits[0] - trial.logits[1]).abs().max() > 0.1


def test_a_machine_that_is_busy_for_a_while_does_not_decide(new_runner: NewRunner, monkeypatch):
    took = {"first": [9.0, 1.0, 9.0], "second": [2.0, 8.0, 8.0]}
    clock = [stamp for both in zip(*took.values(), strict=True) for each in both for stamp in (0.0, each)]
    monkeypatch.setattr(compiling, "time", SimpleNamespace(perf_counter=lambda: clock.pop(0)))
    runners = [new_runner(slots=4, capacity=512) for _ in took]
    assert [trial.seconds for trial in try_out(runners, 259, rounds=3)] == [1.0, 2.0]


def test_the_process_says_last_in_one_line_why_it_failed(tmp_path):
    with pytest.raises(SystemExit) as caught:
        main(str(tmp_path / "nowhere"), str(tmp_path / "graph"), "float32")
    assert str(caught.value).startswith("AssistantError: The model in ")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "graph").exists()


def test_a_process_of_its_own_makes_the_graph_in_the_number_format_asked_for(
    tiny_model_folder, capfd, monkeypatch
):
    monkeypatch.chdir("/")
    try:
        kept = compiled_graph(tiny_model_folder, EXACT, lambda *_: None)
    except NoGraph as slower:  # on a busy machine that may be found
        assert str(slower) == "faster here than its compiled graph"
        (kept,) = [KeptGraph(path.parent) for path in (quartet_home() / "graphs").glob("*/graph.json")]
    runner = GraphRunner(kept, slots=1, capacity=70)
    expected = EagerRunner(load_model(tiny_model_folder, EXACT), slots=1, capacity=70)
    parts = [Part(0, prompt(1, 50), 0)]
    assert torch.allclose(runner.step(parts), expected.step(parts), atol=1e-3)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_process_that_is_killed_in_the_middle_leaves_nothing_that_looks_finished(tiny_model_folder):
    def kill_in_the_middle() -> None:
        while not (found := list((quartet_home() / "graphs").glob(".tiny-chat-*"))):
            time.sleep(0.002)
        half_made.extend(found)
        os.kill(int(found[0].suffix[1:]), signal.SIGKILL)

    half_made: list[Path] = []
    killer = threading.Thread(target=kill_in_the_middle, daemon=True)
    killer.start()
    with pytest.raises(NoGraph, match="ended by SIGKILL"):
        compiled_graph(tiny_model_folder, EXACT, lambda *_: None)
    killer.join()
    assert not half_made[0].exists()
    assert not list((quartet_home() / "graphs").glob("*/graph.xml"))
