"""Weights in 4 bits, by the library itself on the processor: what is shrunk, what it says, what it takes."""

import importlib.util

import pytest
import torch

from assistant.errors import AssistantError
from assistant.four_bits import check_installed, loading
from assistant.weights import Placement, load_model, weight_bytes

bitsandbytes = pytest.importorskip("bitsandbytes")
CPU = torch.device("cpu")
FULL = Placement(CPU, torch.float32, "a test")
SMALL = Placement(CPU, torch.float32, "a test", four_bit=True)
TOKENS = torch.arange(3, 203).view(4, 50)


def logits(model):
    with torch.inference_mode():
        return model(input_ids=TOKENS).logits


def shrunk_layers(model):
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, bitsandbytes.nn.Linear4bit)
    }


def test_linear_layers_are_shrunk_and_the_embedding_and_the_head_are_not(tiny_model_folder):
    model = load_model(tiny_model_folder, SMALL)
    assert not model.training
    assert {name.rpartition(".")[2] for name in shrunk_layers(model)} == {
        *("q_proj", "k_proj", "v_proj", "o_proj"),
        *("gate_proj", "up_proj", "down_proj"),
    }
    assert {layer.weight.quant_type for layer in shrunk_layers(model).values()} == {"nf4"}
    assert model.lm_head.weight.dtype == model.model.embed_tokens.weight.dtype == torch.float32


def test_it_says_what_the_weights_say_that_are_left_and_little_else_than_in_full(tiny_model_folder):
    small, full = load_model(tiny_model_folder, SMALL), load_model(tiny_model_folder, FULL)
    found, expected = logits(small), logits(full)
    divergence = torch.nn.functional.kl_div(
        found.log_softmax(-1), expected.log_softmax(-1), log_target=True, reduction="none"
    ).sum(-1)
    assert 0.0 < divergence.mean() < 0.2
    with torch.no_grad():
        for name, layer in shrunk_layers(small).items():
            left = bitsandbytes.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
            full.get_submodule(name).weight.copy_(left)
    assert torch.allclose(found, logits(full), atol=1e-5)


def test_computing_is_in_the_placements_format(tiny_model_folder):
    rough = load_model(tiny_model_folder, Placement(CPU, torch.bfloat16, "a test", four_bit=True))
    assert {layer.compute_dtype for layer in shrunk_layers(rough).values()} == {torch.bfloat16}
    assert rough.model.embed_tokens.weight.dtype == torch.bfloat16
    exact = logits(load_model(tiny_model_folder, SMALL))
    assert torch.nn.functional.cosine_similarity(logits(rough).float(), exact, dim=-1).min() > 0.95


@pytest.mark.parametrize("placement", [FULL, SMALL], ids=["in full", "in 4 bits"])
def test_what_weights_take_is_known_before_they_are_loaded(tiny_model_folder, placement):
    model = load_model(tiny_model_folder, placement)
    taken = sum(weight.nbytes for weight in model.parameters())
    for layer in shrunk_layers(model).values():
        state = layer.weight.quant_state
        taken += state.absmax.nbytes + state.state2.absmax.nbytes
    assert weight_bytes(tiny_model_folder, placement) == pytest.approx(taken, rel=0.01)


def test_the_placement_says_so():
    assert str(SMALL) == "cpu, float32, weights in 4 bits (a test)"


def test_without_the_library_it_is_named_with_how_to_get_it(tiny_model_folder, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for attempt in (
        check_installed,
        lambda: loading(torch.float32),
        lambda: load_model(tiny_model_folder, SMALL),
    ):
        with pytest.raises(AssistantError) as problem:
            attempt()
        assert str(problem.value) == (
            "Weights in 4 bits need bitsandbytes, which is not installed. "
            'Install it with `pip install -e ".[cuda]"`, then start again.'
        )
