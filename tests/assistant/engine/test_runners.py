"""Which way of taking steps is chosen: the graph where it is there and faster, else torch, which says why."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import (
    BloomConfig,
    BloomForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
)

from assistant.engine import room, runners
from assistant.engine.eager import EagerRunner
from assistant.engine.graph import GraphRunner, KeptGraph, NoGraph
from assistant.engine.replay import ReplayRunner
from assistant.engine.room import SLOTS
from assistant.engine.runners import open_eager, open_runner
from assistant.errors import AssistantError
from assistant.weights import load_model
from tests.assistant.engine.conftest import EXACT
from tests.assistant.engine.families import SMALL, TWO

Offer = Callable[[KeptGraph | Exception], None]


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Lets a graph be found without its being compiled, or not."""

    def set_found(found: KeptGraph | Exception) -> None:
        def compiled_graph(*_: object, eight_bit: bool) -> KeptGraph:
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(runners.importlib.util, "find_spec", lambda name: name)
        monkeypatch.setattr(runners, "compiled_graph", compiled_graph)

    return set_found


REFUSED = {
    "attention of its own": (
        BloomForCausalLM,
        BloomConfig(vocab_size=259, hidden_size=64, n_layer=2, n_head=4),
        "Models of the kind 'bloom' bring an attention of their own",
    ),
    "softcap": (
        Gemma2ForCausalLM,
        Gemma2Config(**SMALL, **TWO, head_dim=16),
        "This model's attention has softcap",
    ),
}


@pytest.mark.parametrize(("kind", "config", "text"), REFUSED.values(), ids=REFUSED)
def test_a_model_that_cant_be_run_is_refused_when_it_is_opened(tmp_path, kind, config, text):
    kind(config).save_pretrained(tmp_path)
    with pytest.raises(AssistantError, match=text) as caught:
        open_runner(tmp_path, EXACT)
    assert "Name a model of another kind with --model" in str(caught.value)


@pytest.mark.parametrize(("positions", "capacity"), [(128, 128), (100_000, 8192)], ids=str)
def test_slots_have_room_for_what_the_model_reads_up_to_a_limit(tmp_path, positions, capacity):
    LlamaForCausalLM(LlamaConfig(**SMALL, max_position_embeddings=positions)).save_pretrained(tmp_path)
    runner = open_eager(tmp_path, EXACT)
    assert (runner.slots, runner.capacity) == (SLOTS, capacity)


def test_without_openvino_torch_takes_the_steps(tiny_model_folder):
    runner = open_runner(tiny_model_folder, EXACT)
    assert isinstance(runner, EagerRunner)
    assert runner.describe() == "torch"


def test_on_a_graphics_card_steps_are_recorded_and_no_other_graph_is_looked_for(
    tiny_model_folder, offer, monkeypatch
):
    offer(AssertionError("was looked for"))
    monkeypatch.setattr(runners, "load_model", lambda folder, _: load_model(folder, EXACT))
    monkeypatch.setattr(room, "free_memory", lambda: 10**9)
    runner = open_runner(tiny_model_folder, replace(EXACT, device=torch.device("cuda")))
    assert isinstance(runner, ReplayRunner)
    # The model is on the processor after all, where nothing can be recorded.
    assert runner.describe().startswith("torch (")


def test_a_reason_against_the_graph_is_told(tiny_model_folder, offer):
    offer(NoGraph("faster here than its compiled graph"))
    assert open_runner(tiny_model_folder, EXACT).describe() == "torch (faster here than its compiled graph)"


def test_weights_in_8_bits_are_refused_where_there_is_no_graph(tiny_model_folder, offer):
    with pytest.raises(AssistantError) as caught:
        open_runner(tiny_model_folder, EXACT, eight_bit=True)
    assert "need openvino, which is not there. Install it with" in str(caught.value)
    offer(NoGraph("no room for a graph: disk full"))
    with pytest.raises(AssistantError, match="can't be used here: no room for a graph: disk full"):
        open_runner(tiny_model_folder, EXACT, eight_bit=True)
    with pytest.raises(AssistantError, match="are for processors, and this machine has a graphics card"):
        open_runner(tiny_model_folder, replace(EXACT, device=torch.device("cuda")), eight_bit=True)


@pytest.mark.graph
def test_a_graph_is_opened_with_as_much_room_as_torch_has(tiny_model_folder, offer, kept):
    offer(kept)
    runner = open_runner(tiny_model_folder, EXACT)
    assert isinstance(runner, GraphRunner)
    assert (runner.slots, runner.capacity, runner.describe()) == (SLOTS, 4096, "compiled graph")


def cut(folder: Path) -> None:
    (folder / "graph.xml").write_text((folder / "graph.xml").read_text()[:5000])


SPOILED = {
    "cut": cut,
    "without-weights": lambda folder: (folder / "graph.bin").unlink(),
    "without-graph": lambda folder: (folder / "graph.xml").unlink(),
}


@pytest.mark.graph
@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_graph_that_cant_be_opened_any_more_is_done_without(
    tiny_model_folder, offer, kept, tmp_path, spoil
):
    folder = Path(shutil.copytree(kept.folder, tmp_path / "graph"))
    spoil(folder)
    offer(KeptGraph(folder))
    runner = open_runner(tiny_model_folder, EXACT)
    assert isinstance(runner, EagerRunner)
    assert runner.describe().startswith(f"torch (its graph in {folder} can't be run: ")
