"""LoRA by row: as PEFT's own mixed batches, exact where it should be, and refused where it does not fit."""

import copy
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from assistant.engine.eager import EagerRunner
from assistant.engine.router import LowRank, Router
from assistant.engine.steps import Part
from assistant.errors import AssistantError
from assistant.weights import load_model
from tests.assistant.engine.conftest import EXACT, NewModel, NewRunner, change_config, change_tensors

TOKENS = [[1, 20, 30, 40, 50], [1, 21, 31, 41, 51], [1, 20, 30, 40, 50], [1, 99, 98, 97, 96]]
Use = tuple[str | None, float]
BASE: Use = (None, 0.0)


def logits(runner: EagerRunner, *uses: Use) -> Tensor:
    """What the model says after each row of TOKENS, each with its adapter and scale, all in one step."""
    return runner.step([Part(row, TOKENS[row], 0, *use) for row, use in enumerate(uses)])


def with_peft(new_model: NewModel, **folders: Path) -> PreTrainedModel:
    (first, folder), *others = folders.items()
    model = PeftModel.from_pretrained(new_model(), folder, adapter_name=first).eval()
    for name, folder in others:
        model.load_adapter(folder, name)
    return model


def peft_logits(model: PreTrainedModel, *names: str) -> Tensor:
    """After each row of TOKENS, in one of PEFT's mixed batches if `names` are given."""
    options = {"adapter_names": list(names)} if names else {}
    with torch.inference_mode():
        return model(input_ids=torch.tensor(TOKENS), **options).logits[:, -1]


def routed(new_model: NewModel, **folders: Path) -> tuple[PreTrainedModel, Router]:
    model = new_model()
    router = Router.into(model)
    for name, folder in folders.items():
        router.install(name, router.read(folder))
    return model, router


def through(layer: nn.Module, router: Router, rows: Tensor, uses: Sequence[Use]) -> Tensor:
    """A layer's outputs for states [rows, tokens, inputs], as in a step where they stand in line."""
    router.route(uses, [rows.shape[1]] * len(rows))
    with torch.inference_mode():
        return layer(rows.flatten(0, 1)[None]).view(*rows.shape[:2], -1)


def test_a_mixed_step_has_the_logits_of_pefts_own_mixed_batch(
    new_model, new_runner: NewRunner, strong, other
):
    peft = with_peft(new_model, strong=strong, other=other)
    expected = peft_logits(peft, "strong", "__base__", "other", "strong")
    runner = new_runner(slots=4, strong=strong, other=other)
    found = logits(runner, ("strong", 1.0), BASE, ("other", 1.0), ("strong", 1.0))
    assert torch.allclose(found, expected, atol=1e-5, rtol=0)
    assert (found - logits(runner, *[BASE] * 4))[[0, 2, 3]].abs().amax(1).min() > 0.1  # it was worth asking


LAYERS = ["self_attn.q_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.up_proj", "mlp.down_proj"]
ALONE = ("o_proj", "down_proj")
"""Layers that are not run together with neighbours: the same operations as PEFT's."""


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_gives_what_pefts_gives_and_to_the_bit_where_it_stands_alone(new_model, strong, name):
    own, router = routed(new_model, strong=strong)
    peft = with_peft(new_model, strong=strong).base_model.model.model.layers[1].get_submodule(name)
    states = torch.randn(4, 5, peft.in_features, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = peft(states.view(1, 20, -1)).view(4, 5, -1)
        mixed = peft(states, adapter_names=["strong", "__base__", "__base__", "strong"])
    layer = own.model.layers[1].get_submodule(name)
    found = through(layer, router, states, [("strong", 1.0)] * 4)
    beside = through(layer, router, states, [("strong", 1.0), BASE, BASE, ("strong", 1.0)])
    assert torch.allclose(found, expected, atol=2e-6, rtol=0)
    assert torch.allclose(beside, mixed, atol=2e-6, rtol=0)
    if name.endswith(ALONE):
        assert torch.equal(found, expected)


def test_computed_in_float64_a_mixed_step_differs_from_pefts_own_mixed_batch_by_nothing(
    new_model, strong, other
):
    """Of the order in which numbers are added nothing is left in float32 then, and only of that."""
    peft = with_peft(lambda: new_model().double(), strong=strong, other=other).double()
    expected = peft_logits(peft, "strong", "__base__", "other", "strong").float()
    runner = EagerRunner(new_model().double(), slots=4, capacity=64)
    for name, folder in {"strong": strong, "other": other}.items():
        runner.router.install(name, runner.router.read(folder))
    found = logits(runner, ("strong", 1.0), BASE, ("other", 1.0), ("strong", 1.0))
    assert (found - expected).abs().max() == 0.0
    assert (found - logits(runner, *[BASE] * 4))[[0, 2, 3]].abs().amax(1).min() > 0.1  # it was worth asking


MIXED = {
    "twofold": (4, 2.0, LAYERS),
    "half as much again": (6, 1.5, ["q_proj", "o_proj", "gate_proj"]),
    "three quarters": (16, 0.75, "all-linear"),
    "a quarter": (1, 0.25, ["down_proj", "v_proj"]),
}
"""Adapters of several ranks, by the scale in their name, in several layers."""
ROWS = ["twofold", "__base__", "a quarter", "three quarters", "twofold", "half as much again"]
EVERY_LAYER = [*LAYERS, "self_attn.k_proj", "mlp.gate_proj"]


def rounded(tensor: Tensor) -> None:
    """Leave eighths up to a half: sums of their products are exact in float32, in whatever order."""
    tensor.copy_((tensor * 8).round().clamp(-4, 4) / 8)


def rounded_model(model: PreTrainedModel) -> PreTrainedModel:
    with torch.no_grad():
        for weight in model.parameters():
            rounded(weight)
    return model


@pytest.mark.parametrize("tokens", [1, 5], ids=["a token each", "five tokens each"])
def test_several_adapters_of_any_rank_and_scale_in_one_batch_differ_from_pefts_by_nothing(
    new_model, new_adapter, tokens
):
    """Where numbers have a last bit to lose, PEFT's rows differ from the same rows alone as well."""
    folders = {}
    for seed, (name, (rank, scale, targets)) in enumerate(MIXED.items()):
        layers = targets if isinstance(targets, str) else [target.rpartition(".")[2] for target in targets]
        folders[name] = new_adapter(seed, 0.3, r=rank, lora_alpha=rank * scale, target_modules=layers)
        change_tensors(folders[name], lambda tensors: [rounded(tensor) for tensor in tensors.values()])
    peft = with_peft(lambda: rounded_model(new_model()), **folders)
    own, router = routed(lambda: rounded_model(new_model()), **folders)
    uses = [BASE if name == "__base__" else (name, 1.0) for name in ROWS]
    for name in EVERY_LAYER:
        theirs = peft.base_model.model.model.layers[1].get_submodule(name)
        states = torch.randn(
            len(ROWS), tokens, theirs.in_features, generator=torch.Generator().manual_seed(1)
        )
        rounded(states)
        with torch.inference_mode():
            expected = theirs(states, adapter_names=ROWS)
        found = through(own.model.layers[1].get_submodule(name), router, states, uses)
        assert torch.equal(found, expected)
        router.route([BASE], [1])
        assert not torch.equal(found, own.model.layers[1].get_submodule(name)(states))  # it was worth asking


def test_half_the_scale_is_pefts_half_and_neither_all_nor_nothing(new_model, new_runner: NewRunner, strong):
    peft = with_peft(new_model, strong=strong)
    for module in peft.modules():
        if hasattr(module, "scale_layer"):
            module.scale_layer(0.5)
    runner = new_runner(slots=4, strong=strong)
    half = logits(runner, *[("strong", 0.5)] * 4)
    assert torch.allclose(half, peft_logits(peft), atol=1e-5, rtol=0)
    assert (half - logits(runner, *[("strong", 1.0)] * 4)).abs().max() > 0.05
    assert (half - logits(runner, *[BASE] * 4)).abs().max() > 0.05


def test_every_row_has_its_own_scale(new_runner: NewRunner, strong):
    runner = new_runner(slots=4, strong=strong)
    uses = [("strong", 0.5), ("strong", 1.5), ("strong", 0.0), ("strong", 1.0)]
    mixed = logits(runner, *uses)
    for row, use in enumerate(uses):
        assert torch.allclose(mixed[row], logits(runner, *[use] * 4)[row], atol=1e-5, rtol=0)
    assert torch.equal(mixed[2], logits(runner, *[BASE] * 4)[2])


def test_an_adapter_whose_lora_b_is_zero_changes_no_bit(new_runner: NewRunner, zero):
    runner = new_runner(slots=4)
    expected = logits(runner, *[BASE] * 4)
    runner.router.install("zero", runner.router.read(zero))
    assert torch.equal(logits(runner, *[("zero", 1.0)] * 4), expected)


def test_base_rows_beside_a_strong_adapter_change_no_bit(new_runner: NewRunner, strong):
    expected = logits(new_runner(slots=4), *[BASE] * 4)
    found = logits(new_runner(slots=4, strong=strong), BASE, ("strong", 1.0), ("strong", 0.0), BASE)
    assert torch.equal(found[[0, 2, 3]], expected[[0, 2, 3]])
    assert not torch.allclose(found[1], expected[1], atol=0.1)


KINDS = {
    "rank-stabilised": {"use_rslora": True},
    "of-odd-scaling": {"lora_alpha": 10},
    "q-and-v-without-k": {"target_modules": ["q_proj", "v_proj"]},
    "gate-without-up": {"target_modules": ["gate_proj"]},
    "one-layer-only": {"target_modules": ["q_proj"], "layers_to_transform": [1]},
    "all-linear": {"target_modules": "all-linear"},
}


@pytest.mark.parametrize("settings", KINDS.values(), ids=KINDS)
def test_each_kind_of_adapter_is_pefts_also_beside_one_of_another_rank(
    new_model, new_runner: NewRunner, new_adapter, other, settings
):
    folder = new_adapter(5, 0.3, **settings)
    expected = peft_logits(with_peft(new_model, it=folder, other=other), "it", "__base__", "other", "it")
    runner = new_runner(slots=4, it=folder, other=other)
    found = logits(runner, ("it", 1.0), BASE, ("other", 1.0), ("it", 1.0))
    assert torch.allclose(found, expected, atol=1e-5, rtol=0)
    assert (found[0] - logits(runner, *[BASE] * 4)[0]).abs().max() > 0.01


def test_adapters_work_in_bfloat16(new_model, new_runner: NewRunner, strong):
    rough = EagerRunner(new_model().to(torch.bfloat16), slots=2, capacity=64)
    rough.router.install("strong", rough.router.read(strong))
    assert {group.up.dtype for group in rough.router.groups} == {torch.bfloat16}
    found = logits(rough, ("strong", 0.5), BASE)
    expected = logits(new_runner(slots=2, strong=strong), ("strong", 0.5), BASE)
    assert torch.nn.functional.cosine_similarity(found, expected).min() > 0.99


def test_rows_over_a_base_in_4_bits_are_pefts_and_those_of_each_row_alone(tiny_model_folder, strong, other):
    pytest.importorskip("bitsandbytes")
    small = replace(EXACT, four_bit=True)
    peft = with_peft(lambda: load_model(tiny_model_folder, small), strong=strong, other=other)
    runner = EagerRunner(load_model(tiny_model_folder, small), slots=4, capacity=64)
    for name, folder in (("strong", strong), ("other", other)):
        runner.router.install(name, runner.router.read(folder))
    uses = [("strong", 1.0), BASE, ("other", 1.0), ("strong", 0.5)]
    found = logits(runner, *uses)
    assert torch.allclose(
        found[:3], peft_logits(peft, "strong", "__base__", "other", "strong")[:3], atol=1e-5
    )
    for row, use in enumerate(uses):
        alone = EagerRunner(load_model(tiny_model_folder, small), slots=1, capacity=64)
        if use[0]:
            folder = strong if use[0] == "strong" else other
            alone.router.install(use[0], alone.router.read(folder))
        assert torch.allclose(alone.step([Part(0, TOKENS[row], 0, *use)])[0], found[row], atol=1e-5)
    plain = EagerRunner(load_model(tiny_model_folder, EXACT), slots=4, capacity=64)
    assert (logits(plain, *[BASE] * 4)[1] - found[1]).abs().max() > 0.05  # it was another base


def test_the_same_name_again_is_the_other_adapter(new_runner: NewRunner, strong, other):
    runner = new_runner(slots=4, current=other)
    runner.router.install("current", runner.router.read(strong))
    expected = logits(new_runner(slots=4, current=strong), *[("current", 1.0)] * 4)
    assert torch.equal(logits(runner, *[("current", 1.0)] * 4), expected)


def test_a_dropped_adapter_leaves_nothing_and_the_others_as_they_were(new_runner: NewRunner, strong, other):
    runner = new_runner(slots=4, strong=strong, other=other)
    runner.router.drop("strong")
    runner.router.drop("never there")
    assert runner.router.names == {"other"}
    uses = [("other", 1.0), BASE, BASE, ("other", 0.5)]
    assert torch.equal(logits(runner, *uses), logits(new_runner(slots=4, other=other), *uses))
    runner.router.drop("other")
    assert runner.router.names == frozenset()
    assert runner.router.widths == {}
    assert not any(group.parts or group.down.numel() or group.up.numel() for group in runner.router.groups)


def test_each_change_of_the_adapters_is_counted(new_runner: NewRunner, strong):
    router = new_runner().router
    counts = [router.version]
    for change in (
        lambda: router.install("one", router.read(strong)),
        lambda: router.install("one", router.read(strong)),
        lambda: router.drop("one"),
    ):
        change()
        counts.append(router.version)
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("name", ["strong", "never"])
def test_a_row_with_an_adapter_that_is_gone_is_refused_rather_than_run_on_the_base(
    new_runner: NewRunner, strong, name
):
    runner = new_runner(slots=2, strong=strong)
    runner.router.drop(name)
    runner.router.drop("strong")
    with pytest.raises(AssistantError, match=f"The adapter {name} is not loaded. Choose another"):
        logits(runner, BASE, (name, 1.0))


def test_neighbours_run_as_one_layer_give_what_they_give_apart(new_model):
    plain = new_model()
    model, router = routed(new_model)
    assert [tuple(group.members) for group in router.groups if len(group.members) > 1] == [
        tuple(f"model.layers.{layer}.{part}_proj" for part in parts)
        for layer in (0, 1)
        for parts in (
            ("self_attn.q", "self_attn.k", "self_attn.v"),
            ("mlp.gate", "mlp.up"),
        )
    ]
    assert model.lm_head.weight.equal(plain.lm_head.weight)  # the head stays as it is
    tokens = torch.tensor(TOKENS[:1])
    with torch.inference_mode():
        assert torch.allclose(model(input_ids=tokens).logits, plain(input_ids=tokens).logits, atol=1e-5)


class Cross(nn.Module):
    """Projections by the usual names that do not read the same states, and of which only two have a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj = nn.Linear(8, 6)
        self.k_proj = nn.Linear(8, 4, bias=False)
        self.v_proj = nn.Linear(8, 4)

    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        return torch.cat([self.v_proj(two), self.q_proj(one), self.k_proj(two), self.v_proj(one)], dim=-1)


def test_neighbours_asked_in_any_order_about_any_states_are_right_also_where_some_have_no_bias():
    torch.manual_seed(0)
    model = Cross()
    plain = copy.deepcopy(model)
    router = Router.into(model)
    one, two = torch.randn(2, 1, 3, 8)
    with torch.no_grad():
        for first, second in ((one, two), (two, one)):
            assert torch.allclose(model(first, second), plain(first, second), atol=1e-6)
        assert len(router.groups) == 1


def test_an_exception_in_the_middle_leaves_nothing_for_the_next_step(new_runner: NewRunner, strong):
    runner = new_runner(slots=4, strong=strong)
    expected = logits(runner, *[BASE] * 4)
    with pytest.raises(IndexError):
        runner.step([Part(0, [5, 100_000], 0, "strong", 1.0)])
    with pytest.raises(RuntimeError, match="in the middle"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner._model.model.layers[1].self_attn.k_proj, "forward", fail)
        logits(runner, *[("strong", 1.0)] * 4)
    assert torch.equal(logits(runner, *[BASE] * 4), expected)


def fail(*_: object) -> None:
    raise RuntimeError("in the middle")


class Plain(nn.Module):
    """Layers by names of its own, one of them directly under the root."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 6)
        self.inner = nn.ModuleDict({"second": nn.Linear(6, 4, bias=False)})

    def forward(self, states: Tensor) -> Tensor:
        return self.inner["second"](torch.tanh(self.first(states)))


def test_any_module_with_linear_layers_is_served(tmp_path):
    torch.manual_seed(0)
    model = Plain()
    peft = get_peft_model(
        copy.deepcopy(model), LoraConfig(target_modules=["first", "second"], init_lora_weights=False)
    ).eval()
    peft.save_pretrained(tmp_path)
    router = Router.into(model)
    router.install("it", router.read(tmp_path))
    states = torch.randn(2, 3, 8)
    with torch.inference_mode():
        expected = torch.stack([peft(states)[0], peft.base_model.model(states)[1]])
        with peft.disable_adapter():
            expected[1] = peft(states)[1]
    assert torch.allclose(through(model, router, states, [("it", 1.0), BASE]), expected, atol=1e-6)


def test_a_model_that_names_its_layers_otherwise_is_served(new_adapter):
    config = GPTNeoXConfig(
        hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, vocab_size=259
    )
    torch.manual_seed(0)
    plain = GPTNeoXForCausalLM(config).eval()
    folder = new_adapter(
        6, 0.3, model=copy.deepcopy(plain), target_modules=["query_key_value", "dense_h_to_4h"]
    )
    expected = peft_logits(PeftModel.from_pretrained(copy.deepcopy(plain), folder).eval())
    runner = EagerRunner(plain, slots=4, capacity=32)
    runner.router.install("it", runner.router.read(folder))
    assert torch.allclose(logits(runner, *[("it", 1.0)] * 4), expected, atol=1e-5, rtol=0)
    assert (logits(runner, *[BASE] * 4) - expected).abs().max() > 0.01


def test_an_adapter_for_a_wider_base_is_refused_and_nothing_of_it_taken_in(new_runner, new_adapter):
    config = LlamaConfig(
        hidden_size=96, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, vocab_size=259
    )
    folder = new_adapter(1, 0.2, model=LlamaForCausalLM(config), target_modules=["up_proj", "q_proj"])
    router = new_runner().router
    with pytest.raises(AssistantError, match="was made for another base model") as caught:
        router.read(folder)
    assert str(folder) in str(caught.value)
    assert "128 x 96" in str(caught.value)
    assert "--model" in str(caught.value)
    assert router.names == frozenset()


def test_an_adapter_for_a_deeper_base_is_refused(new_runner, strong, tmp_path):
    folder = Path(shutil.copytree(strong, tmp_path / "deep"))
    key = "base_model.model.model.layers.{}.self_attn.q_proj.lora_{}.weight"
    change_tensors(
        folder, lambda it: it.update({key.format(9, part): it[key.format(1, part)].clone() for part in "AB"})
    )
    with pytest.raises(AssistantError, match=r"model\.layers\.9\.self_attn\.q_proj"):
        new_runner().router.read(folder)


def keep_one_of_a_pair(folder: Path) -> None:
    change_tensors(folder, lambda tensors: tensors.pop(next(key for key in tensors if "lora_B" in key)))


def retrain_the_head(folder: Path) -> None:
    change_tensors(
        folder, lambda tensors: tensors.update({"base_model.model.lm_head.weight": torch.zeros(259, 64)})
    )


def overflow(folder: Path) -> None:
    change_tensors(folder, lambda tensors: next(iter(tensors.values())).view(-1)[3:4].fill_(torch.nan))


UNUSABLE = {
    "no-folder": (shutil.rmtree, "can't be read"),
    "no-weights": (lambda folder: (folder / "adapter_model.safetensors").unlink(), "can't be read"),
    "cut-off-weights": (
        lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"\x40"),
        "can't be read",
    ),
    "config-no-json": (lambda folder: (folder / "adapter_config.json").write_text("{"), "can't be read"),
    "config-a-list": (lambda folder: (folder / "adapter_config.json").write_text("[5]"), "can't be read"),
    "config-without-rank": (
        lambda folder: (folder / "adapter_config.json").write_text('{"lora_alpha": 8}'),
        "has r=None and lora_alpha=8",
    ),
    "rank-of-another": (lambda folder: change_config(folder, r=5), "says that its rank is 5, and"),
    "scale-without-end": (lambda folder: change_config(folder, lora_alpha=1e308), "lora_alpha=1e"),
    "no-numbers": (overflow, "holds numbers that are not finite"),
    "dora": (lambda folder: change_config(folder, use_dora=True), "is not plain LoRA"),
    "bias": (lambda folder: change_config(folder, bias="all"), "is not plain LoRA"),
    "mixed-ranks": (lambda folder: change_config(folder, rank_pattern={"q_proj": 2}), "is not plain LoRA"),
    "mixed-alphas": (lambda folder: change_config(folder, alpha_pattern={"q_proj": 2}), "is not plain LoRA"),
    "half-a-pair": (keep_one_of_a_pair, "is not plain LoRA"),
    "retrained-head": (retrain_the_head, "is not plain LoRA"),
}


@pytest.mark.parametrize(("spoil", "text"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_adapter_is_refused_with_its_folder_named(new_runner, strong, tmp_path, spoil, text):
    folder = Path(shutil.copytree(strong, tmp_path / "spoiled"))
    spoil(folder)
    with pytest.raises(AssistantError, match=text) as caught:
        new_runner().router.read(folder)
    assert str(folder) in str(caught.value)


def test_parts_that_are_installed_by_hand_do_not_have_to_name_every_layer(new_runner: NewRunner):
    runner = new_runner(slots=4)
    expected = logits(runner, *[BASE] * 4)
    runner.router.install(
        "one", {"model.layers.0.self_attn.o_proj": LowRank(torch.ones(1, 64), torch.ones(64, 1))}
    )
    assert torch.equal(logits(runner, BASE, BASE, ("one", 1.0), BASE)[[0, 1, 3]], expected[[0, 1, 3]])
    assert [group.rank("one") for group in runner.router.groups].count(1) == 1


def test_adapters_are_as_wide_in_every_group_as_in_their_widest(new_runner: NewRunner, strong, other):
    """So one mask serves all groups: `strong` has rank 4 in q and v, `other` rank 2 in q alone."""
    router = new_runner(strong=strong, other=other).router
    assert router.widths == {"strong": 8, "other": 2}
    assert {(group.down.shape[0], group.up.shape[1]) for group in router.groups} == {(10, 10)}
    ranks = {
        next(iter(group.members)).split(".")[-1]: (group.rank("strong"), group.rank("other"))
        for group in router.groups[:4]
    }
    assert ranks == {"q_proj": (8, 2), "o_proj": (4, 0), "gate_proj": (4, 0), "down_proj": (4, 2)}


def test_the_mask_holds_each_tokens_scale_at_the_ranks_of_its_adapter(new_runner: NewRunner, strong, other):
    router = new_runner(strong=strong, other=other).router
    mask = router.mask([("other", 0.5), BASE, ("strong", 1.5)], [2, 1, 1])
    assert mask.tolist() == [[0.0] * 8 + [0.5] * 2] * 2 + [[0.0] * 10] + [[1.5] * 8 + [0.0] * 2]
    assert new_runner().router.mask([BASE, BASE], [3, 1]).shape == (4, 0)
