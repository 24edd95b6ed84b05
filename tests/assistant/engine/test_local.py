"""The engine as the lanes see it: chats in, streamed text out, the same as transformers would say."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.engine import LocalEngine
from assistant.errors import AssistantError
from assistant.lanes import Finish, Request, Sampling
from assistant.prompts import Message
from tests.assistant.engine.conftest import EXACT

ENDLESS = Sampling(max_tokens=3000)


@pytest.fixture(scope="module")
def engine(tiny_model_folder: Path, strong: Path, zero: Path) -> Iterator[LocalEngine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.engine.local.find_placement", lambda: EXACT)
        engine = LocalEngine(tiny_model_folder, slots=4)
    engine.load_adapter("strong", strong)
    engine.load_adapter("zero", zero)
    yield engine
    engine.close()


def request(text: str, adapter: str | None = None, scale: float = 1.0, **sampling: float) -> Request:
    chat = (Message("system", "Be kind."), Message("user", text))
    return Request(chat, adapter, scale if adapter else 0.0, Sampling(**{"max_tokens": 24, **sampling}))


def answers(engine: LocalEngine, *requests: Request) -> list[tuple[str, Finish]]:
    texts, finishes = [""] * len(requests), {}
    for piece in engine.generate(requests):
        texts[piece.row] += piece.text
        if piece.finish:
            assert piece.row not in finishes
            finishes[piece.row] = piece.finish
    return [(text, finishes[row]) for row, text in enumerate(texts)]


def said(engine: LocalEngine, *requests: Request) -> list[str]:
    return [text for text, _ in answers(engine, *requests)]


def test_answers_are_those_of_transformers_generate(engine, new_model, tokenizer):
    questions = ["Hello", "What is a café?", "x" * 700]
    found = answers(engine, *[request(question) for question in questions])
    model = new_model()
    for question, (text, finish) in zip(questions, found, strict=True):
        chat = [{"role": message.role, "content": message.content} for message in request(question).messages]
        inputs = tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_dict=True, return_tensors="pt"
        )
        out = model.generate(**inputs, max_new_tokens=24, do_sample=False)[0, inputs["input_ids"].shape[1] :]
        assert text == tokenizer.decode(out, skip_special_tokens=True).rstrip("\ufffd")
        assert finish.prompt_tokens == inputs["input_ids"].shape[1]
        assert finish.completion_tokens == len(out)


def test_four_lanes_in_one_batch_answer_as_each_alone(engine):
    lanes = [
        request("Hi"),
        request("Hi", "strong"),
        request("Passages, then hi"),
        request("Passages, then hi", "strong"),
    ]
    assert said(engine, *lanes) == [said(engine, lane)[0] for lane in lanes]


def test_an_adapter_of_no_effect_answers_exactly_as_the_base(engine):
    base, zero = said(engine, request("Hello"), request("Hello", "zero"))
    assert zero == base


def test_a_strong_adapter_answers_otherwise_and_at_half_strength_otherwise_again(engine):
    texts = said(engine, request("Hello"), request("Hello", "strong"), request("Hello", "strong", 0.5))
    assert len(set(texts)) == 3


def test_the_finish_holds_what_was_run(engine, tiny_model_folder):
    (_, base), (_, tuned) = answers(engine, request("Hello"), request("Hello", "strong", 0.5))
    assert (base.base, base.adapter, base.scale) == (tiny_model_folder.name, None, 0.0)
    assert (tuned.base, tuned.adapter, tuned.scale) == (tiny_model_folder.name, "strong", 0.5)


def test_sampling_with_a_seed_is_repeatable_whatever_else_is_asked(engine):
    seeded = request("Tell me", temperature=0.8, seed=5)
    alone = said(engine, seeded)[0]
    assert said(engine, request("Other", temperature=1.0), seeded, request("More", "strong"))[1] == alone
    assert said(engine, request("Tell me", temperature=0.8, seed=6))[0] != alone


def test_more_rows_than_slots_are_all_answered(engine):
    requests = [request(f"Question {number}", max_tokens=5) for number in range(11)]
    assert said(engine, *requests) == [said(engine, each)[0] for each in requests]


def test_stop_ends_all_rows_within_a_second(engine):
    stop = threading.Event()
    stream = engine.generate([Request(request("Hi").messages, sampling=ENDLESS)] * 6, stop.is_set)
    next(stream)
    stop.set()
    began = time.monotonic()
    finishes = [piece.finish for piece in stream if piece.finish]
    assert time.monotonic() - began < 1
    assert [finish.reason for finish in finishes] == ["cancelled"] * 6


def test_closing_the_generator_frees_its_slots(engine):
    streams = [engine.generate([Request(request("Hi").messages, sampling=ENDLESS)]) for _ in range(4)]
    for stream in streams:
        next(stream)
    for stream in streams:
        stream.close()
    began = time.monotonic()
    assert len(answers(engine, *[request("Next", max_tokens=3)] * 4)) == 4
    assert time.monotonic() - began < 1


def test_a_chat_that_is_too_long_gets_its_message_and_the_others_their_answer(engine):
    (text, finish), (other, _) = answers(engine, request("long " * 900), request("Hello"))
    assert (text, finish.reason) == ("", "failed")
    assert "and the model has room for 4,096. Start a new chat." in finish.error
    assert finish.error.startswith("This conversation needs 4,5")
    assert other == said(engine, request("Hello"))[0]


def test_room_for_the_answer_counts(engine):
    (_, finish), *_ = answers(engine, request("Hi", max_tokens=4090))
    assert finish.reason == "failed"


def test_an_adapter_that_is_not_loaded_is_named(engine):
    with pytest.raises(AssistantError, match="The adapter 0007 is not loaded"):
        list(engine.generate([request("Hello", "0007")]))


def test_no_request_is_no_piece(engine):
    assert list(engine.generate([])) == []


def test_every_added_token_counts_as_special(engine):
    assert set(engine.special_tokens) == {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}


def test_the_description_names_model_device_and_format(engine, tiny_model_folder):
    assert engine.describe() == f"{tiny_model_folder.name} on cpu, float32 (exact, for tests)"


def test_an_answer_ends_at_the_end_of_turn(engine, monkeypatch):
    """The likeliest token is made the end of turn after the third one."""
    forward, steps = engine._decoder._model.forward, []

    def end_third(**inputs):
        out = forward(**inputs)
        steps.append(1)
        if len(steps) == 3:
            out.logits[..., 2] = 1e4
        return out

    monkeypatch.setattr(engine._decoder._model, "forward", end_third)
    (text, finish), *_ = answers(engine, request("Hello"))
    assert (finish.reason, finish.completion_tokens) == ("end", 3)
    assert "<|" not in text
