"""Steps as torch takes them: the logits of the plain model, whatever the rows beside and the slots."""

import copy
import random
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from assistant.engine.eager import EagerRunner
from assistant.engine.steps import Part
from tests.assistant.engine.conftest import NewRunner

SMALL = {
    "vocab_size": 259,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.15,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 2,
}
TWO = {"num_key_value_heads": 2}
FAMILIES = {
    "Llama": (LlamaForCausalLM, LlamaConfig(**SMALL, **TWO)),
    "Qwen2, with biases": (Qwen2ForCausalLM, Qwen2Config(**SMALL, **TWO)),
    "Mistral, with a window": (MistralForCausalLM, MistralConfig(**SMALL, **TWO, sliding_window=6)),
    "GPT-NeoX": (GPTNeoXForCausalLM, GPTNeoXConfig(**SMALL)),
    "GPT-2": (
        GPT2LMHeadModel,
        GPT2Config(vocab_size=259, n_embd=64, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=2),
    ),
}


def tiny(family: str) -> PreTrainedModel:
    """A model of a family with random numbers everywhere, the biases too."""
    kind, config = FAMILIES[family]
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = kind(copy.deepcopy(config)).eval()
        for name, weight in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(weight, std=0.2)
    return model


def prompt(seed: int, length: int) -> list[int]:
    dice = random.Random(seed)
    return [dice.randrange(3, 259) for _ in range(length)]


def plain(model: PreTrainedModel, tokens: Sequence[int]) -> Tensor:
    """What the model says after these tokens, each time read anew."""
    with torch.inference_mode():
        return model(input_ids=torch.tensor([list(tokens)])).logits[0, -1]


ROWS = {2: prompt(1, 30), 0: prompt(2, 9), 3: prompt(3, 18)}
"""Rows by slot."""
CUTS = [
    {2: (0, 16)},
    {2: (16, 20), 0: (0, 5)},
    {3: (0, 17), 0: (5, 6), 2: (20, 21)},
    {0: (6, 7), 2: (21, 22), 3: (17, 18)},
    {2: (22, 30), 0: (7, 9)},
]
"""By step, which of their tokens go through the model."""


@pytest.mark.parametrize("family", FAMILIES)
def test_every_part_of_every_step_has_the_logits_of_the_plain_model(family):
    runner, model = EagerRunner(tiny(family), slots=4, capacity=40), tiny(family)
    for cuts in CUTS:
        parts = [Part(slot, ROWS[slot][start:stop], start) for slot, (start, stop) in cuts.items()]
        found = runner.step(parts)
        assert found.dtype == torch.float32
        for part, logits in zip(parts, found, strict=True):
            expected = plain(model, ROWS[part.slot][: part.end])
            assert torch.allclose(logits, expected, atol=1e-4, rtol=0)
            assert logits.argmax() == expected.argmax()


def test_a_slot_that_is_used_again_holds_nothing_of_the_row_before(new_runner: NewRunner):
    runner = new_runner()
    alone = [runner.step([Part(0, prompt(9, 4), 0)]), runner.step([Part(0, [8], 4)])]
    for slot in range(3):
        runner.step([Part(slot, prompt(slot, 200), 0)])
    again = [
        runner.step([Part(1, prompt(9, 4), 0), Part(0, [5], 200)])[:1],
        runner.step([Part(1, [8], 4), Part(0, [5], 201)])[:1],
    ]
    assert torch.allclose(torch.cat(again), torch.cat(alone), atol=1e-5)


def test_saved_tokens_go_on_in_another_slot_as_if_they_had_been_read_there(new_runner: NewRunner):
    runner, tokens = new_runner(), prompt(4, 25)
    runner.step([Part(0, tokens, 0)])
    saved = runner.save(0, 20)
    assert saved.nbytes == 2 * 2 * 2 * 20 * 16 * 4  # layers, keys and values, heads, tokens, size, float32
    runner.step([Part(0, prompt(5, 40), 0)])
    runner.load(2, saved, 11)
    found = runner.step([Part(2, [*tokens[11:20], 7], 11)])
    expected = runner.step([Part(1, [*tokens[:20], 7], 0)])
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_saved_copy_stays_as_it_was(new_runner: NewRunner):
    runner = new_runner()
    runner.step([Part(0, prompt(4, 25), 0)])
    saved = runner.save(0, 20)
    before = saved.clone()
    runner.step([Part(0, prompt(5, 40), 0)])
    assert torch.equal(saved, before)


def test_a_slot_takes_as_many_tokens_as_its_capacity(new_runner: NewRunner, new_model):
    runner, tokens = new_runner(capacity=20), prompt(6, 20)
    runner.step([Part(2, tokens[:19], 0)])
    found = runner.step([Part(2, tokens[19:], 19)])
    assert torch.allclose(found[0], plain(new_model(), tokens), atol=1e-4)


def test_an_unknown_token_is_named_before_the_model_is_run(new_runner: NewRunner):
    with pytest.raises(IndexError, match="the model has no token 259"):
        new_runner().step([Part(0, [5, 6], 0), Part(1, [258, 259], 0)])


def test_steps_are_described(new_runner: NewRunner):
    assert new_runner().describe() == "torch"
