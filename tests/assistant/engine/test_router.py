"""LoRA by row: as PEFT's own mixed batches, exact where it should be, and refused where it does not fit."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from assistant.engine.router import RoutedLinear, Router
from assistant.errors import AssistantError
from tests.assistant.engine.conftest import NewModel, change_config, change_tensors

CPU = torch.device("cpu")
TOKENS = torch.tensor([[1, 20, 30, 40, 50], [1, 21, 31, 41, 51], [1, 20, 30, 40, 50], [1, 99, 98, 97, 96]])


def logits(model: PreTrainedModel, router: Router | None = None, *rows: tuple[str | None, float]) -> Tensor:
    if router:
        router.route(list(rows), CPU)
    with torch.inference_mode():
        return model(input_ids=TOKENS[: len(rows) or len(TOKENS)]).logits


def routed(new_model: NewModel, **folders: Path) -> tuple[PreTrainedModel, Router]:
    model = new_model()
    router = Router(model)
    for name, folder in folders.items():
        router.load(name, folder)
    return model, router


def test_a_mixed_batch_has_the_logits_of_pefts_own_mixed_batch(new_model, strong, other):
    peft = PeftModel.from_pretrained(new_model(), strong, adapter_name="strong").eval()
    peft.load_adapter(other, "other")
    with torch.inference_mode():
        expected = peft(input_ids=TOKENS, adapter_names=["strong", "__base__", "other", "strong"]).logits
    model, router = routed(new_model, strong=strong, other=other)
    found = logits(model, router, ("strong", 1.0), (None, 0.0), ("other", 1.0), ("strong", 1.0))
    assert torch.allclose(found, expected, atol=1e-5, rtol=0)
    assert (
        expected[0] - logits(model, router, *[(None, 0.0)] * 4)[0]
    ).abs().max() > 0.1  # it was worth asking


def test_half_the_scale_is_pefts_half_and_neither_all_nor_nothing(new_model, strong):
    peft = PeftModel.from_pretrained(new_model(), strong).eval()
    for module in peft.modules():
        if hasattr(module, "scale_layer"):
            module.scale_layer(0.5)
    with torch.inference_mode():
        expected = peft(input_ids=TOKENS).logits
    model, router = routed(new_model, strong=strong)
    half = logits(model, router, *[("strong", 0.5)] * 4)
    assert torch.allclose(half, expected, atol=1e-5, rtol=0)
    assert (half - logits(model, router, *[("strong", 1.0)] * 4)).abs().max() > 0.05
    assert (half - logits(model, router, *[(None, 0.0)] * 4)).abs().max() > 0.05


def test_an_adapter_whose_lora_b_is_zero_changes_no_bit(new_model, zero):
    expected = logits(new_model())
    model, router = routed(new_model, zero=zero)
    assert torch.equal(logits(model, router, *[("zero", 1.0)] * 4), expected)


def test_base_rows_beside_a_strong_adapter_change_no_bit(new_model, strong):
    expected = logits(new_model())
    model, router = routed(new_model, strong=strong)
    found = logits(model, router, (None, 0.0), ("strong", 1.0), ("strong", 0.0), (None, 0.0))
    assert torch.equal(found[[0, 2, 3]], expected[[0, 2, 3]])
    assert not torch.allclose(found[1], expected[1], atol=0.1)


def test_rank_stabilised_scaling_is_pefts(new_model, new_adapter):
    folder = new_adapter(5, 0.2, use_rslora=True)
    with torch.inference_mode():
        expected = PeftModel.from_pretrained(new_model(), folder).eval()(input_ids=TOKENS).logits
    model, router = routed(new_model, it=folder)
    assert torch.allclose(logits(model, router, *[("it", 1.0)] * 4), expected, atol=1e-5, rtol=0)


def test_adapters_work_in_bfloat16(new_model, strong):
    model = new_model().to(torch.bfloat16)
    router = Router(model)
    router.load("strong", strong)
    found = logits(model, router, ("strong", 0.5), (None, 0.0))
    exact, exact_router = routed(new_model, strong=strong)
    expected = logits(exact, exact_router, ("strong", 0.5), (None, 0.0))
    assert found.dtype == torch.bfloat16
    assert torch.nn.functional.cosine_similarity(found.float().flatten(), expected.flatten(), dim=0) > 0.99


def test_a_second_load_from_the_same_folder_reads_nothing(new_model, strong, tmp_path):
    folder = Path(shutil.copytree(strong, tmp_path / "copy"))
    _, router = routed(new_model, mine=folder)
    (folder / "adapter_model.safetensors").unlink()
    router.load("mine", folder)
    assert router.names == {"mine"}


def test_the_same_name_from_another_folder_is_the_other_adapter(new_model, strong, other):
    model, router = routed(new_model, current=other)
    router.load("current", strong)
    expected = logits(*routed(new_model, current=strong), *[("current", 1.0)] * 4)
    assert torch.equal(logits(model, router, *[("current", 1.0)] * 4), expected)


def test_a_dropped_adapter_leaves_the_base(new_model, strong):
    model, router = routed(new_model, strong=strong)
    router.drop("strong")
    router.drop("never there")
    assert router.names == frozenset()
    assert torch.equal(logits(model, router, *[("strong", 1.0)] * 4), logits(new_model()))


def test_threads_that_load_at_once_wrap_each_layer_once(new_model, strong, other, monkeypatch):
    model = new_model()
    router = Router(model)
    find = model.get_submodule

    def slow(name: str) -> torch.nn.Module:
        time.sleep(0.0005)  # lets the other thread look as well, before this one has wrapped the layer
        return find(name)

    monkeypatch.setattr(model, "get_submodule", slow)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(router.load, ["strong", "other"], [strong, other]))
    expected, expected_router = routed(new_model, strong=strong, other=other)
    rows = [("strong", 1.0), ("other", 1.0), (None, 0.0), ("strong", 0.5)]
    assert torch.equal(logits(model, router, *rows), logits(expected, expected_router, *rows))
    assert not any(
        isinstance(module.base, RoutedLinear) for module in model.modules() if hasattr(module, "base")
    )


def test_an_adapter_for_a_wider_base_is_refused_and_nothing_of_it_taken_in(new_model, new_adapter):
    config = LlamaConfig(
        hidden_size=96, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, vocab_size=259
    )
    folder = new_adapter(
        1, 0.2, model=LlamaForCausalLM(config), target_modules=["up_proj", "down_proj", "q_proj"]
    )
    model, router = routed(new_model)
    with pytest.raises(AssistantError, match="was made for another base model") as caught:
        router.load("wide", folder)
    assert str(folder) in str(caught.value)
    assert "128 x 96" in str(caught.value) or "96 x" in str(caught.value)
    assert "--model" in str(caught.value)
    assert router.names == frozenset()
    assert not any(isinstance(module, RoutedLinear) for module in model.modules())


def test_an_adapter_for_a_deeper_base_is_refused(new_model, strong, tmp_path):
    folder = Path(shutil.copytree(strong, tmp_path / "deep"))
    key = "base_model.model.model.layers.{}.self_attn.q_proj.lora_{}.weight"
    change_tensors(
        folder, lambda it: it.update({key.format(9, part): it[key.format(1, part)].clone() for part in "AB"})
    )
    with pytest.raises(AssistantError, match=r"model\.layers\.9\.self_attn\.q_proj"):
        routed(new_model, deep=folder)


def keep_one_of_a_pair(folder: Path) -> None:
    change_tensors(folder, lambda tensors: tensors.pop(next(key for key in tensors if "lora_B" in key)))


def retrain_the_head(folder: Path) -> None:
    change_tensors(
        folder, lambda tensors: tensors.update({"base_model.model.lm_head.weight": torch.zeros(259, 64)})
    )


UNUSABLE = {
    "no-folder": (shutil.rmtree, "can't be read"),
    "no-weights": (lambda folder: (folder / "adapter_model.safetensors").unlink(), "can't be read"),
    "cut-off-weights": (
        lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"\x40"),
        "can't be read",
    ),
    "config-no-json": (lambda folder: (folder / "adapter_config.json").write_text("{"), "can't be read"),
    "dora": (lambda folder: change_config(folder, use_dora=True), "is not plain LoRA"),
    "bias": (lambda folder: change_config(folder, bias="all"), "is not plain LoRA"),
    "mixed-ranks": (lambda folder: change_config(folder, rank_pattern={"q_proj": 2}), "is not plain LoRA"),
    "mixed-alphas": (lambda folder: change_config(folder, alpha_pattern={"q_proj": 2}), "is not plain LoRA"),
    "half-a-pair": (keep_one_of_a_pair, "is not plain LoRA"),
    "retrained-head": (retrain_the_head, "is not plain LoRA"),
}


@pytest.mark.parametrize(("spoil", "text"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_adapter_is_refused_with_its_folder_named(new_model, strong, tmp_path, spoil, text):
    folder = Path(shutil.copytree(strong, tmp_path / "spoiled"))
    spoil(folder)
    with pytest.raises(AssistantError, match=text) as caught:
        routed(new_model, spoiled=folder)
    assert str(folder) in str(caught.value)
