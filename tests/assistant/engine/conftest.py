"""The tiny model in float32 on the processor, adapters in PEFT's own format, rows, and a watched runner."""

import json
import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedModel

from assistant.engine.eager import EagerRunner
from assistant.engine.graph import GraphRunner, KeptGraph
from assistant.engine.rows import Row
from assistant.engine.steps import Part, Runner
from assistant.lanes import Piece, Request, Sampling
from assistant.prompts import Message
from assistant.weights import Placement, load_model, load_tokenizer

EXACT = Placement(torch.device("cpu"), torch.float32, "exact, for tests")
LAYERS = ["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"]
NewModel = Callable[[], PreTrainedModel]
NewAdapter = Callable[..., Path]
NewRow = Callable[..., Row]
NewRunner = Callable[..., EagerRunner]
NewGraphRunner = Callable[..., GraphRunner]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Exact in any batch: one thread adds numbers in one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def new_model(tiny_model_folder: Path) -> NewModel:
    """Loads the tiny model anew: a router changes the one it is given."""
    return lambda: load_model(tiny_model_folder, EXACT)


@pytest.fixture(scope="session")
def tokenizer(tiny_model_folder: Path):
    return load_tokenizer(tiny_model_folder)


@pytest.fixture(scope="session")
def new_adapter(new_model: NewModel, tmp_path_factory: pytest.TempPathFactory) -> NewAdapter:
    """Saves an adapter with PEFT; `strength` is the spread of its lora_B, 0 for one of no effect."""

    def make(seed: int, strength: float, *, model: PreTrainedModel | None = None, **settings: object) -> Path:
        config = LoraConfig(**{"r": 4, "lora_alpha": 8, "target_modules": LAYERS, **settings})
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            tuned = get_peft_model(model or new_model(), config)
            for name, weight in tuned.named_parameters():
                if "lora_B" in name:
                    torch.nn.init.normal_(weight, std=strength)
        folder = tmp_path_factory.mktemp("adapter")
        tuned.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def zero(new_adapter: NewAdapter) -> Path:
    """lora_B is 0: it changes nothing."""
    return new_adapter(1, 0.0)


@pytest.fixture(scope="session")
def strong(new_adapter: NewAdapter) -> Path:
    return new_adapter(2, 0.2)


@pytest.fixture(scope="session")
def other(new_adapter: NewAdapter) -> Path:
    """As strong, of another rank and in fewer layers."""
    return new_adapter(3, 0.3, r=2, lora_alpha=2, target_modules=["q_proj", "down_proj"])


@pytest.fixture(scope="session")
def new_runner(new_model: NewModel) -> NewRunner:
    """Takes steps of the tiny model; `adapters` are installed by name."""

    def make(*, slots: int = 3, capacity: int = 512, **adapters: Path) -> EagerRunner:
        runner = EagerRunner(new_model(), slots=slots, capacity=capacity)
        for name, folder in adapters.items():
            runner.router.install(name, runner.router.read(folder))
        return runner

    return make


@pytest.fixture(scope="session")
def kept(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> KeptGraph:
    """The tiny model's graph in float32, compiled once for all tests."""
    from assistant.engine.compiling import compile_graph

    return compile_graph(tiny_model_folder, tmp_path_factory.mktemp("graphs") / "tiny", EXACT)


@pytest.fixture(scope="session")
def new_graph_runner(kept: KeptGraph) -> NewGraphRunner:
    """As `new_runner`, by the graph."""

    def make(*, slots: int = 3, capacity: int = 512, **adapters: Path) -> GraphRunner:
        runner = GraphRunner(kept, slots=slots, capacity=capacity)
        for name, folder in adapters.items():
            runner.router.install(name, runner.router.read(folder))
        return runner

    return make


class Watched:
    """A runner that notes the parts of its steps, and lets things happen in them.

    Steps are counted from 1. What `at` holds for a step is done before it, in the decoder's thread.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.router, self.slots, self.capacity = runner.router, runner.slots, runner.capacity
        self.steps: list[list[Part]] = []
        self.at: dict[int, Callable[[], object]] = {}
        self.check: Callable[[Sequence[Part]], object] = lambda parts: None
        """Is shown each step's parts, and may raise."""
        self.change: Callable[[Sequence[Part], Tensor], object] = lambda parts, logits: None
        """May write into the logits."""
        self.save, self.load, self.describe = runner.save, runner.load, runner.describe
        self.warm_up = runner.warm_up

    def step(self, parts: Sequence[Part]) -> Tensor:
        self.steps.append(list(parts))
        self.at.pop(len(self.steps), lambda: None)()
        self.check(parts)
        logits = self._runner.step(parts)
        self.change(parts, logits)
        return logits


@pytest.fixture(scope="session")
def new_row(tokenizer) -> NewRow:
    def make(
        prompt: list[int],
        *,
        adapter: str | None = None,
        scale: float = 1.0,
        index: int = 0,
        owner: str = "",
        ends: frozenset[int] = frozenset({2}),
        **sampling: object,
    ) -> Row:
        options = Sampling(**{"max_tokens": 8, **sampling})
        request = Request((Message("user", "as tokens"),), adapter, scale if adapter else 0.0, options)
        return Row(index, request, prompt, tokenizer, ends, "tiny", queue.Queue(), adapter, owner)

    return make


def pieces_of(row: Row, *, seconds: float = 60.0) -> list[Piece]:
    """All that a row sends until it has ended."""
    pieces = [row.pieces.get(timeout=seconds)]
    while pieces[-1].finish is None:
        pieces.append(row.pieces.get(timeout=seconds))
    return pieces


def change_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    """Rewrite an adapter's weights."""
    tensors = load_file(folder / "adapter_model.safetensors")
    change(tensors)
    save_file(tensors, folder / "adapter_model.safetensors")


def change_config(folder: Path, **values: object) -> None:
    """Rewrite an adapter's configuration."""
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
