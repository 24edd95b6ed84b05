import copy
from pathlib import Path

import pytest

from assistant.brand import Brand
from assistant.conversations import Conversation
from assistant.errors import AssistantError
from assistant.prompts import Message
from assistant.training import TrainingSettings
from assistant.training.examples import Writer, build_examples
from assistant.training.labels import IGNORED, Example, RewrittenError, label, rewrites
from tests.conftest import CHAT_TEMPLATE

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


STYLES = {
    "ChatML": (CHAT_TEMPLATE, "{}<|im_end|>"),
    "Llama-3": (
        "{{ '<|begin_of_text|>' }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
        "{{ m.content | trim }}<|eot_id|>{% endfor %}"
        "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}",
        "{}<|eot_id|>",
    ),
    "Qwen-2.5": (
        "{% if messages[0].role != 'system' %}<|im_start|>system\nYou help.<|im_end|>\n{% endif %}"
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
        "{}<|im_end|>",
    ),
    "Mistral": (
        "<s>{% for m in messages %}{% if m.role == 'system' %}{{ '' }}{% elif m.role == 'user' %}"
        "[INST] {% if loop.index == 2 and messages[0].role == 'system' %}"
        "{{ messages[0].content }}\n\n{% endif %}"
        "{{ m.content }} [/INST]{% else %} {{ m.content }}</s>{% endif %}{% endfor %}",
        " {}</s>",
    ),
    "Gemma": (
        "<bos>{% for m in messages %}{% if m.role != 'system' %}<start_of_turn>"
        "{{ 'model' if m.role == 'assistant' else 'user' }}\n"
        "{% if loop.index == 2 and messages[0].role == 'system' %}{{ messages[0].content }}\n\n{% endif %}"
        "{{ m.content | trim }}<end_of_turn>\n{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
        "{}<end_of_turn>",
    ),
    "Phi": (
        "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>\n{% else %}{{ eos_token }}{% endif %}",
        "{}<|end|>",
    ),
}
QWEN3 = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""As Qwen-3 does: an empty thought before the last reply, which is gone once another turn follows."""


def speaking(tokenizer, template):
    """The tokenizer with another chat template."""
    other = copy.deepcopy(tokenizer)
    other.chat_template, other.bos_token = template, "<|endoftext|>"
    return other


@pytest.mark.parametrize(("template", "reads"), STYLES.values(), ids=STYLES.keys())
def test_in_every_style_of_template_the_replies_and_their_end_tokens_are_learned(tokenizer, template, reads):
    example = label(speaking(tokenizer, template), CHAT)
    assert learned_texts(tokenizer, example) == [reads.format("Under 5 €."), reads.format("Then, none.")]


def test_where_history_is_rewritten_each_reply_is_learned_as_it_will_be_asked(tokenizer):
    thinking = speaking(tokenizer, QWEN3)
    assert rewrites(thinking) and not rewrites(tokenizer)
    with pytest.raises(RewrittenError):
        label(thinking, CHAT)
    writer = Writer(thinking, ("<|im_start|>", "<|im_end|>"), Brand("Acme", instructions="Be kind."), 1024)
    built = build_examples([Conversation(CHAT[1:], "chats.jsonl:1")], writer, TrainingSettings())
    thought = "<think>\n\n</think>\n\n"
    assert [learned_texts(tokenizer, each) for each in built.examples] == [
        [f"{thought}Then, none.<|im_end|>"],
        [f"{thought}Under 5 €.<|im_end|>"],
    ]
    asked = [{"role": message.role, "content": message.content} for message in CHAT[:-1]]
    prompt = thinking.apply_chat_template(asked, add_generation_prompt=True, return_dict=True)["input_ids"]
    assert list(built.examples[0].input_ids[: len(prompt)]) == prompt
    assert (built.cut, built.windows) == (0, 0)


TRL = ("llama3", "qwen2_5", "qwen3", "gemma", "phi3")
"""Templates that TRL has a hand-patched twin of, which marks the replies."""


@pytest.mark.parametrize("name", TRL)
def test_labels_are_those_of_trl_s_own_templates(tokenizer, name):
    """TRL marks more around some replies: line breaks before and after, which nobody has to say, and for
    Phi the token that ends the whole text, after which nothing is asked."""
    import trl
    from trl.chat_template_utils import get_training_chat_template

    theirs = speaking(tokenizer, (Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja").read_text())
    # TRL's twin of Qwen-3 writes thoughts into history; Gemma knows no instructions.
    chat = {"qwen3": CHAT[:3], "gemma": CHAT[1:]}.get(name, CHAT)
    ours = label(theirs, chat)
    encoded = theirs.apply_chat_template(
        [{"role": message.role, "content": message.content} for message in chat],
        chat_template=get_training_chat_template(theirs),
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    assert list(ours.input_ids) == encoded["input_ids"]
    marks = encoded["assistant_masks"]
    marked = Example(
        ours.input_ids,
        tuple(token if mark else IGNORED for token, mark in zip(ours.input_ids, marks, strict=True)),
    )
    assert learned_texts(theirs, ours) == [
        text.removesuffix("\n<|im_end|>").strip() for text in learned_texts(theirs, marked)
    ]


def test_a_template_that_answers_otherwise_than_it_asks_is_refused(tokenizer):
    odd = speaking(tokenizer, CHAT_TEMPLATE.replace("<|im_start|>assistant\n{% endif", "Now:{% endif"))
    with pytest.raises(AssistantError) as problem:
        label(odd, CHAT[:3])
    assert str(problem.value) == (
        "The model's chat template writes a reply differently from how it asks for one, so replies can't be "
        "marked for learning. Choose another base model."
    )


def test_a_template_that_refuses_instructions_says_so(tokenizer):
    strict = speaking(tokenizer, "{{ raise_exception('System role not supported') }}")
    with pytest.raises(AssistantError) as problem:
        label(strict, CHAT)
    assert str(problem.value) == (
        "The model's chat template refuses a chat with instructions (System role not supported). "
        "Choose another base."
    )
