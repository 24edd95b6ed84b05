import pytest

from assistant.prompts import Message
from assistant.training.labels import IGNORED, label

CHAT = (
    Message("system", "Be kind."),
    Message("user", "Ünder what?"),
    Message("assistant", "Under 5 €."),
    Message("user", "And then?"),
    Message("assistant", "Then, none."),
)


@pytest.fixture
def adapted(tiny_model_folder):
    """The tiny model with an adapter whose weights are all random, so that every one has a gradient."""
    import torch
    from peft import LoraConfig, get_peft_model

    from assistant.weights import Placement, load_model

    torch.manual_seed(0)
    base = load_model(tiny_model_folder, Placement(torch.device("cpu"), torch.float32, "a test"))
    model = get_peft_model(base, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


@pytest.mark.parametrize("begins_alike", [True, False], ids=["shared beginning", "no shared beginning"])
def test_the_loss_and_its_gradients_are_those_of_the_plain_computation(adapted, tokenizer, begins_alike):
    import torch

    from assistant.training.loss import _shared_length, labelled_loss
    from assistant.training.trainer import collate

    systems = ["Be kind and brief."] * 3 if begins_alike else ["Be kind.", "<Be> brief.", "No."]
    chats = [(Message("system", system), *CHAT[1 : 3 + 2 * (n % 2)]) for n, system in enumerate(systems)]
    examples = [label(tokenizer, messages) for messages in chats]
    inputs = collate(
        [{"input_ids": [list(e.input_ids) for e in examples], "labels": [list(e.labels) for e in examples]}]
    )
    assert bool(_shared_length(inputs)) or not begins_alike
    ours = labelled_loss(adapted.get_base_model(), inputs)
    gradients = torch.autograd.grad(ours, [p for p in adapted.parameters() if p.requires_grad])
    counted = (inputs["labels"][:, 1:] != IGNORED).sum()
    plain = adapted(**inputs, use_cache=False).loss * counted
    expected = torch.autograd.grad(plain, [p for p in adapted.parameters() if p.requires_grad])
    torch.testing.assert_close(ours, plain, rtol=1e-5, atol=1e-5)
    for found, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)


def test_a_head_that_scales_its_logits_is_left_to_the_library(adapted):
    from assistant.training.loss import has_plain_head

    base = adapted.get_base_model()
    assert has_plain_head(base)
    base.config.logits_scaling = 8.0
    assert not has_plain_head(base)


def test_where_a_model_takes_no_count_of_tokens_each_process_adds_its_share_of_the_mean(
    adapted, tokenizer, tmp_path
):
    from assistant.training import TrainingSettings
    from assistant.training.batches import Batch
    from assistant.training.team import Team
    from assistant.training.trainer import make_trainer, placed

    batch = Batch((label(tokenizer, CHAT),))
    trainer = make_trainer(adapted.unload(), tokenizer, [[batch]], TrainingSettings(), tmp_path)
    alone = trainer.compute_loss(trainer.model, placed(batch, trainer.model)).item()
    trainer.team = Team(size=2)
    assert trainer.compute_loss(trainer.model, placed(batch, trainer.model)).item() == alone / 2
