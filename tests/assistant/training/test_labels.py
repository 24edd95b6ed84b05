import pytest

from assistant.errors import AssistantError
from assistant.prompts import Message
from assistant.training.examples import IGNORED, label

CHAT = (
    Message("system", "Be kind."),
    Message("user", "Ünder what?"),
    Message("assistant", "Under 5 €."),
    Message("user", "And then?"),
    Message("assistant", "Then, none."),
)


def learned_texts(tokenizer, example):
    """The labelled stretches of an example as text, one for each run of labels."""
    runs, last = [], IGNORED
    for token in example.labels:
        if token != IGNORED:
            runs = [*runs, [token]] if last == IGNORED else [*runs[:-1], [*runs[-1], token]]
        last = token
    return [tokenizer.decode(run) for run in runs]


def test_labels_are_the_assistant_turns_with_their_end_token_and_nothing_else(tokenizer):
    example = label(tokenizer, CHAT)
    assert learned_texts(tokenizer, example) == ["Under 5 €.<|im_end|>", "Then, none.<|im_end|>"]
    assert all(
        label in (IGNORED, token) for token, label in zip(example.input_ids, example.labels, strict=True)
    )


def test_the_tokens_are_those_the_chat_has_when_it_is_asked(tokenizer):
    example = label(tokenizer, CHAT)
    asked = [{"role": message.role, "content": message.content} for message in CHAT[:-1]]
    prompt = tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=True)["input_ids"]
    assert list(example.input_ids[: len(prompt)]) == prompt
    assert example.labels[len(prompt)] != IGNORED


def test_only_the_last_turn_is_labelled_where_that_is_asked(tokenizer):
    assert learned_texts(tokenizer, label(tokenizer, CHAT, last_only=True)) == ["Then, none.<|im_end|>"]


def test_a_template_that_rewrites_history_is_refused(tokenizer):
    class Forgetful:
        """Leaves earlier replies out, as templates of thinking models do with thoughts."""

        def apply_chat_template(self, conversation, **options):
            last = len(conversation) - 1
            kept = [
                turn | {"content": "..."} if turn["role"] == "assistant" and index < last else turn
                for index, turn in enumerate(conversation)
            ]
            return tokenizer.apply_chat_template(kept, **options)

    with pytest.raises(AssistantError) as problem:
        label(Forgetful(), CHAT)
    assert str(problem.value) == (
        "The model's chat template rewrites earlier turns: message 3 reads differently once others follow "
        "it, so the replies can't be marked for learning. Choose another base model."
    )
