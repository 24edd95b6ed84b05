"""Weights: loaded whole or refused, placed where the numbers are native, converted without a change."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from assistant import weights
from assistant.errors import AssistantError
from assistant.weights import (
    Placement,
    convert_gguf,
    find_placement,
    load_model,
    load_tokenizer,
    thread_budget,
)

EXACT = Placement(torch.device("cpu"), torch.float32, "exact")
Copy = Callable[[], Path]


@pytest.fixture
def folder(tiny_model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model to spoil."""
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "copy"))


def test_a_model_is_loaded_in_the_placements_format_and_ready_to_answer(tiny_model_folder):
    model = load_model(tiny_model_folder, Placement(torch.device("cpu"), torch.bfloat16, "asked"))
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
    assert not model.training


def rewrite(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def change_config(folder: Path, **values: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def cut_off(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


SPOILED = {
    "cut off": (cut_off, "could not be loaded"),
    "no safetensors": (lambda folder: (folder / "model.safetensors").unlink(), "could not be loaded"),
    "noise": (lambda folder: (folder / "model.safetensors").write_bytes(b"noise"), "could not be loaded"),
    "a tensor missing": (
        lambda folder: rewrite(folder, lambda tensors: tensors.pop("model.layers.1.mlp.up_proj.weight")),
        "weights are missing, such as model.layers.1.mlp.up_proj.weight",
    ),
    "a tensor of another shape": (
        lambda folder: rewrite(
            folder, lambda tensors: tensors.update({"lm_head.weight": torch.zeros(3, 64)})
        ),
        "could not be loaded",
    ),
    "a config for another model": (
        lambda folder: change_config(folder, hidden_size=32),
        "could not be loaded",
    ),
    "an unknown architecture": (
        lambda folder: change_config(folder, model_type="new"),
        "could not be loaded",
    ),
    "a config that is no JSON": (
        lambda folder: (folder / "config.json").write_text("{"),
        "could not be loaded",
    ),
}


@pytest.mark.parametrize(("spoil", "text"), SPOILED.values(), ids=SPOILED)
def test_a_spoiled_model_is_refused_and_never_filled_up_with_random_weights(folder, spoil, text):
    spoil(folder)
    with pytest.raises(AssistantError, match=text) as caught:
        load_model(folder, EXACT)
    assert str(folder) in str(caught.value)
    assert "--model" in str(caught.value)


def test_a_model_whose_head_is_its_embedding_is_whole(folder):
    model = LlamaForCausalLM.from_pretrained(folder, tie_word_embeddings=True)
    model.lm_head.weight = model.model.embed_tokens.weight
    model.config.tie_word_embeddings = True
    model.save_pretrained(folder)
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    loaded = load_model(folder, EXACT)
    assert torch.equal(loaded.lm_head.weight, loaded.model.embed_tokens.weight)


def test_code_beside_a_model_is_not_run(folder):
    (folder / "modeling_trap.py").write_text("raise SystemExit('run')")
    change_config(folder, auto_map={"AutoModelForCausalLM": "modeling_trap.Trap"}, model_type="trap")
    with pytest.raises(AssistantError):
        load_model(folder, EXACT)


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (
            lambda folder: (folder / "chat_template.jinja").unlink(),
            "has no chat template, so it was not made for",
        ),
        (lambda folder: [path.unlink() for path in folder.glob("tokenizer*")], "has no readable tokenizer"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "has no readable tokenizer"),
    ],
    ids=["no template", "none", "no JSON"],
)
def test_a_tokenizer_that_cant_be_used_is_refused(folder, spoil, text):
    spoil(folder)
    with pytest.raises(AssistantError, match=text) as caught:
        load_tokenizer(folder)
    assert str(folder) in str(caught.value)


def make_machine(
    monkeypatch: pytest.MonkeyPatch, *, card: bool = False, native: bool = False, flags: str = ""
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: card)
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: native or including_emulation
    )
    monkeypatch.setattr(weights, "_cpu_flags", lambda: frozenset(flags.split()))


@pytest.mark.parametrize(
    ("machine", "text"),
    [
        ({"card": True, "native": True}, "cuda, bfloat16 (the card computes bfloat16)"),
        ({"card": True}, "cuda, float32 (the card has no bfloat16)"),
        ({"flags": "sse avx512_bf16"}, "cpu, bfloat16 (no graphics card; the processor computes bfloat16)"),
        ({"flags": "amx_bf16"}, "cpu, bfloat16 (no graphics card; the processor computes bfloat16)"),
        ({"flags": "avx2 avx512f"}, "cpu, float32 (no graphics card; the processor has no native bfloat16)"),
    ],
    ids=["card", "old card", "avx512", "amx", "old processor"],
)
def test_a_model_runs_in_bfloat16_only_where_it_is_native(monkeypatch, machine, text):
    make_machine(monkeypatch, **machine)
    assert str(find_placement()) == text


def test_the_thread_budget_is_what_this_process_may_use(monkeypatch):
    monkeypatch.setattr(weights.os, "sched_getaffinity", lambda _: {0, 3, 5})
    assert thread_budget() == 3


@pytest.fixture
def gguf_file(tmp_path: Path, tiny_model_folder: Path) -> Path:
    """The tiny model as a GGUF file in float32, written field by field."""
    file = tmp_path / "tiny.gguf"
    config = AutoModelForCausalLM.from_pretrained(tiny_model_folder).config
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)
    _add_tokenizer(writer, tiny_model_folder)
    for name, tensor in _gguf_tensors(load_file(tiny_model_folder / "model.safetensors"), config):
        writer.add_tensor(name, tensor.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _add_tokenizer(writer: gguf.GGUFWriter, folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens = [token for token, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]
    control = set(tokenizer.all_special_tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in control else 1 for token in tokens])
    writer.add_token_scores([0.0] * len(tokens))  # no merges: every token is a byte
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_chat_template(tokenizer.chat_template)


def _gguf_tensors(tensors: dict[str, torch.Tensor], config: object):
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, tensor in tensors.items():
        count = next((count for part, count in heads.items() if part in name), 0)
        if count:  # GGUF keeps the two halves of each rotated head interleaved
            tensor = tensor.reshape(count, 2, -1, tensor.shape[1]).swapaxes(1, 2).reshape(tensor.shape)
        yield names.get_name(name, try_suffixes=(".weight",)), tensor.contiguous()


def test_a_gguf_file_becomes_a_safetensors_folder_that_says_the_same(gguf_file, tiny_model_folder, tmp_path):
    made = tmp_path / "made"
    convert_gguf(gguf_file, made)
    tokens = torch.arange(3, 40)[None]
    with torch.inference_mode():
        expected = load_model(tiny_model_folder, EXACT)(input_ids=tokens).logits
        found = load_model(made, EXACT)(input_ids=tokens).logits
    assert torch.allclose(found, expected, atol=1e-4)
    assert "quantization_config" not in json.loads((made / "config.json").read_text())
    tokenizer = load_tokenizer(made)
    text = "Héllo<|im_end|>"
    assert tokenizer.encode(text) == load_tokenizer(tiny_model_folder).encode(text)
    assert json.loads((made / "generation_config.json").read_text())["eos_token_id"] == 2
