"""A graph's weights in 8 bits: as near as 8 bits are, fewer bytes, and adapters work as before."""

import numpy as np
import pytest
import torch

from assistant.engine.compiling import compile_graph
from assistant.engine.eight_bits import GROUP, compress
from assistant.engine.graph import GraphRunner, KeptGraph
from assistant.engine.steps import Part
from assistant.engine.tracing import openvino
from tests.assistant.engine.conftest import EXACT
from tests.assistant.engine.families import prompt

pytestmark = pytest.mark.graph


@pytest.fixture(scope="module")
def small(tiny_model_folder, tmp_path_factory) -> KeptGraph:
    folder = tmp_path_factory.mktemp("graphs") / "small"
    return compile_graph(tiny_model_folder, folder, EXACT, eight_bit=True)


def multiplied(weight: np.ndarray) -> np.ndarray:
    """What a graph of one linear layer says to the unit vectors, in 8 bits: what its weights have become."""
    from openvino import opset13 as ops

    ov = openvino()
    given = ops.parameter([-1, weight.shape[1]], ov.Type.f32)
    graph = ov.Model([ops.matmul(given, ops.constant(weight), False, True)], [given])
    with np.errstate(all="raise"):
        compress(graph)
    settings = {"INFERENCE_PRECISION_HINT": ov.Type.f32, "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    said = ov.Core().compile_model(graph, "CPU", settings)(np.eye(weight.shape[1], dtype=np.float32))[0]
    return said.T


@pytest.mark.parametrize("inputs", [2 * GROUP, 50], ids=["groups", "whole rows"])
def test_each_weight_is_within_half_a_step_of_its_group(inputs):
    weight = np.random.default_rng(0).normal(size=(5, inputs)).astype(np.float32)
    weight[1] *= 100
    weight[2] = 0
    found = multiplied(weight)
    groups = np.abs(weight).reshape(5, -1, GROUP if inputs % GROUP == 0 else inputs).max(-1, keepdims=True)
    steps = np.broadcast_to(groups / 127, (5, groups.shape[1], inputs // groups.shape[1])).reshape(5, inputs)
    assert (np.abs(found - weight) <= 0.51 * steps + 1e-6).all()
    assert np.abs(found - weight).max() > 1e-4


def test_the_layers_and_the_head_are_changed_and_take_a_quarter_of_float32(kept, small):
    sizes = [(each.folder / "graph.bin").stat().st_size for each in (kept, small)]
    assert sizes[1] < 0.4 * sizes[0]
    assert (small.folder / "graph.xml").read_text().count('element_type="i8"') >= 2 * 4


def test_it_says_nearly_the_same_with_adapters_too(kept, small, strong):
    runners = [GraphRunner(each, slots=2, capacity=70) for each in (kept, small)]
    for runner in runners:
        runner.router.install("strong", runner.router.read(strong))
    parts = [Part(0, prompt(1, 60), 0, "strong", 0.5), Part(1, prompt(2, 3), 0)]
    expected, found = (runner.step(parts) for runner in runners)
    assert torch.nn.functional.cosine_similarity(found, expected).min() > 0.99
    assert not torch.equal(found, expected)
    assert [runner.describe() for runner in runners] == [
        "compiled graph",
        "compiled graph, weights in 8 bits",
    ]
