"""Steps as torch takes them: the logits of the plain model, whatever the rows beside and the slots."""

import pytest
import torch

from assistant.engine.eager import EagerRunner
from assistant.engine.steps import Part
from tests.assistant.engine.conftest import NewRunner
from tests.assistant.engine.families import FAMILIES, ROWS, plain, prompt, steps, tiny


@pytest.mark.parametrize("family", FAMILIES)
def test_every_part_of_every_step_has_the_logits_of_the_plain_model(family):
    runner, model = EagerRunner(tiny(family), slots=4, capacity=40), tiny(family)
    for parts in steps():
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


@pytest.mark.parametrize(
    ("reason", "described"), [("", "torch"), ("no graph: why", "torch (no graph: why)")], ids=["", "why"]
)
def test_steps_are_described_and_why_they_are_taken_this_way(new_model, reason, described):
    assert EagerRunner(new_model(), slots=1, capacity=8, reason=reason).describe() == described
