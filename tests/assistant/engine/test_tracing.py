"""Models of several families as graphs: what they say, and what is refused; nothing phones home."""

import sys
import warnings

import pytest
import torch

from assistant.engine.compiling import compile_graph
from assistant.engine.graph import GraphRunner
from assistant.engine.room import Sizes
from assistant.engine.router import Router
from assistant.engine.steps import Part
from assistant.engine.tracing import openvino, trace
from assistant.errors import AssistantError
from tests.assistant.engine.conftest import EXACT
from tests.assistant.engine.families import FAMILIES, ROWS, plain, prompt, steps, tiny
from tests.assistant.engine.test_runners import REFUSED

pytestmark = pytest.mark.graph
UNLIKE = ("Llama", "GPT-NeoX")
EACH = [*UNLIKE, *(pytest.param(each, marks=pytest.mark.slow) for each in FAMILIES if each not in UNLIKE)]


@pytest.mark.parametrize("family", EACH)
def test_every_part_of_every_step_has_the_logits_of_the_plain_model(tmp_path, family):
    model = tiny(family)
    model.save_pretrained(tmp_path / "model")
    runner = GraphRunner(compile_graph(tmp_path / "model", tmp_path / "graph", EXACT), slots=4, capacity=40)
    for parts in steps():
        for part, logits in zip(parts, runner.step(parts), strict=True):
            expected = plain(model, ROWS[part.slot][: part.end])
            assert torch.allclose(logits, expected, atol=1e-4, rtol=0)
            assert logits.argmax() == expected.argmax()


def test_an_adapter_reaches_every_layer_of_a_traced_model(new_graph_runner, new_model, new_adapter):
    from peft import PeftModel

    folder = new_adapter(8, 0.3, target_modules="all-linear")
    tuned = PeftModel.from_pretrained(new_model(), folder).eval()
    runner = new_graph_runner(it=folder)
    (found,) = runner.step([Part(0, prompt(3, 40), 0, "it", 1.0)])
    assert torch.allclose(found, plain(tuned, prompt(3, 40)), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("kind", "config", "text"), REFUSED.values(), ids=REFUSED)
def test_attention_that_cant_be_replaced_is_refused(kind, config, text):
    model = kind(config).eval()
    with pytest.raises((AssistantError, RuntimeError), match=text):
        trace(model, Router.into(model), half=False)


def test_the_tracing_warns_of_nothing(new_model):
    model = new_model()
    router = Router.into(model)
    openvino()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace(model, router, half=True)


@pytest.mark.parametrize("half", [False, True])
def test_a_step_works_no_shape_out_or_takes_two_for_one_and_adapters_come_as_it_computes(new_model, half):
    """Both would cost time in each step, for each layer."""
    model = new_model()
    router = Router.into(model)
    graph = trace(model, router, half=half)
    reshapes = [node for node in graph.get_ops() if node.get_type_name() == "Reshape"]
    assert {node.input_value(1).get_node().get_type_name() for node in reshapes} == {"Constant"}
    assert not [node for node in reshapes if node.input_value(0).get_node() in reshapes]
    adapters = graph.get_parameters()[-2 * len(router.groups) :]
    expected = openvino().Type.bf16 if half else openvino().Type.f32
    assert {parameter.get_element_type() for parameter in adapters} == {expected}


def test_sizes_are_those_of_the_models_own_configuration():
    found = {family: Sizes.of(config) for family, (_, config) in FAMILIES.items()}
    assert found["Mistral, with a window"] == Sizes(layers=2, heads=2, size=16)
    assert found["GPT-NeoX"] == found["GPT-2"] == Sizes(layers=2, heads=4, size=16)


def test_openvinos_telemetry_is_never_imported(kept):
    """It would tell of each import where it is installed; here all has been imported that can be."""
    assert "openvino.tools.ovc" in sys.modules
    assert sys.modules["openvino_telemetry"] is None
    assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
