"""The engine as the lanes see it: chats in, streamed text out, the same as transformers would say."""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from assistant.engine import LocalEngine
from assistant.engine.decoder import ON_CARD, Chunks
from assistant.engine.local import RESIDENT
from assistant.engine.steps import Runner
from assistant.errors import AssistantError
from assistant.lanes import Finish, Request, Sampling
from assistant.prompts import Message
from assistant.weights import Placement
from tests.assistant.engine.conftest import EXACT, NewAdapter, Watched

ENDLESS = Sampling(max_tokens=3000)


def opened(folder: Path, runner: Runner, placement: Placement = EXACT) -> LocalEngine:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.engine.local.find_placement", lambda: placement)
        patch.setattr("assistant.engine.local.fitting", lambda folder, placement: placement)
        return LocalEngine(folder, runner=runner)


@pytest.fixture(scope="module")
def engine(tiny_model_folder: Path, new_runner, strong: Path, zero: Path) -> Iterator[LocalEngine]:
    engine = opened(tiny_model_folder, new_runner(slots=16, capacity=4096))
    engine.load_adapter("strong", strong)
    engine.load_adapter("zero", zero)
    yield engine
    engine.close()


def request(text: str, adapter: str | None = None, scale: float = 1.0, **sampling: float) -> Request:
    chat = (Message("system", "Be kind."), Message("user", text))
    return Request(chat, adapter, scale if adapter else 0.0, Sampling(**{"max_tokens": 24, **sampling}))


def endless(adapter: str | None = None) -> Request:
    return Request(request("Hi").messages, adapter, 1.0 if adapter else 0.0, ENDLESS)


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


@pytest.mark.parametrize(("device", "most"), [("cpu", Chunks().room(1)), ("cuda", ON_CARD.room(1))])
def test_a_graphics_card_reads_more_of_a_prompt_beside_a_stream(tiny_model_folder, new_runner, device, most):
    watched = Watched(new_runner(slots=2, capacity=4096))
    engine = opened(tiny_model_folder, watched, replace(EXACT, device=torch.device(device)))
    running = engine.generate([request("Hi", max_tokens=200)])
    next(running)
    answers(engine, request("x" * 1500, max_tokens=1))
    running.close()
    engine.close()
    beside = [parts for parts in watched.steps if len(parts) == 2 and len(parts[0].tokens) == 1]
    assert 0.7 * most < max(len(part.tokens) for parts in beside for part in parts) <= most


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


@pytest.fixture
def small(tiny_model_folder, new_runner) -> Iterator[tuple[LocalEngine, Watched]]:
    """An engine of two slots whose steps are watched."""
    runner = Watched(new_runner(slots=2, capacity=4096))
    engine = opened(tiny_model_folder, runner)
    yield engine, runner
    engine.close()


def test_more_rows_than_slots_are_all_answered(small):
    engine, _ = small
    requests = [request(f"Question {number}", max_tokens=5) for number in range(11)]
    assert said(engine, *requests) == [said(engine, each)[0] for each in requests]


def test_stop_ends_all_rows_long_before_they_are_through(small):
    engine, runner = small
    stop = threading.Event()
    stream = engine.generate([endless()] * 6, stop.is_set)
    next(stream)
    stop.set()
    finishes = [piece.finish for piece in stream if piece.finish]
    assert [finish.reason for finish in finishes] == ["cancelled"] * 6
    assert len(runner.steps) < ENDLESS.max_tokens


def test_closing_the_generator_frees_its_slots(small):
    engine, runner = small
    streams = [engine.generate([endless()]) for _ in range(2)]
    for stream in streams:
        while not next(stream).text:
            pass
    for stream in streams:
        stream.close()
    assert len(answers(engine, *[request("Next", max_tokens=3)] * 4)) == 4
    assert len(runner.steps) < ENDLESS.max_tokens


def test_who_waits_is_told_the_place_and_nobody_waits_for_all_of_anothers_rows(small):
    engine, _ = small
    many = engine.generate([endless()] * 6, owner="a")
    while not next(many).text:
        pass
    single = engine.generate([request("Hi", max_tokens=3)], owner="b")
    assert next(single).waiting == 1
    many.close()
    assert list(single)[-1].finish.reason in ("end", "length")


def test_a_full_line_is_a_clear_word_at_once(small):
    engine, _ = small
    streams = [engine.generate([endless()] * 16, owner=owner) for owner in "abcd"]
    for stream in streams:
        next(stream)
    found = answers(engine, *[request("Hi")] * 16)
    assert {finish.reason for _, finish in found} == {"busy"}
    assert found[0][1].error.startswith("Quartet is busy: ")
    for stream in streams:
        stream.close()


def test_the_next_turn_reads_only_what_is_new(engine):
    first = request("Tell me of your pots", max_tokens=40)
    text, before = answers(engine, first)[0]
    turn = (*first.messages, Message("assistant", text), Message("user", "More"))
    (_, finish), *_ = answers(engine, Request(turn, sampling=first.sampling))
    assert before.prompt_tokens <= finish.reused_tokens < finish.prompt_tokens


def test_lanes_read_their_system_prompt_once_for_each_reader(engine, tokenizer):
    chats = [request(f"{number} different openings", "strong", 0.7) for number in range(4)]
    reused = [finish.reused_tokens for _, finish in answers(engine, *chats)]
    alike = len(tokenizer.encode("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n"))
    assert reused == [0, alike, alike, alike]


@pytest.fixture(scope="session")
def five(new_adapter: NewAdapter) -> list[Path]:
    return [new_adapter(seed, 0.2, target_modules=["o_proj"]) for seed in range(10, 10 + RESIDENT + 1)]


def test_of_more_adapters_than_are_kept_the_least_recently_used_one_goes_until_it_is_asked_for(small, five):
    engine, runner = small
    for number, folder in enumerate(five[:RESIDENT]):
        engine.load_adapter(str(number), folder)
    engine.load_adapter("0", five[0])
    engine.load_adapter("4", five[4])
    assert runner.router.names == {str(five[number]) for number in (0, 2, 3, 4)}
    again = said(engine, request("Hi", "1"))
    assert runner.router.names == {str(five[number]) for number in (0, 3, 4, 1)}
    engine.load_adapter("1", five[1])
    assert said(engine, request("Hi", "1")) == again != said(engine, request("Hi"))


def test_the_adapter_being_loaded_stays_where_rows_need_all_the_others(small, five):
    engine, runner = small
    for number, folder in enumerate(five[:RESIDENT]):
        engine.load_adapter(str(number), folder)
    streams = [engine.generate([endless(str(number))]) for number in range(RESIDENT)]
    for stream in streams:
        next(stream)
    engine.load_adapter("4", five[4])
    assert runner.router.names == {str(folder) for folder in five}
    for stream in streams:
        stream.close()


def test_an_adapter_that_a_row_needs_stays(small, five):
    engine, runner = small
    for number, folder in enumerate(five[:RESIDENT]):
        engine.load_adapter(str(number), folder)
    streams = [engine.generate([endless(name)]) for name in "01"]
    for stream in streams:
        while not next(stream).text:
            pass
    waiting = engine.generate([endless("2")])
    assert next(waiting).waiting == 0
    engine.load_adapter("4", five[4])
    assert runner.router.names == {str(five[number]) for number in (0, 1, 2, 4)}
    for stream in (*streams, waiting):
        stream.close()


def test_adapters_come_and_go_beside_a_stream_and_change_nothing_in_it(small, strong, five):
    engine, runner = small
    engine.load_adapter("strong", strong)
    expected = said(engine, request("Hello", "strong", max_tokens=60))[0]
    stream = engine.generate([request("Hello", "strong", max_tokens=60)])
    text = ""
    for number, piece in enumerate(stream):
        text += piece.text
        engine.load_adapter(f"x{number % 5}", five[number % 5])
    assert text == expected
    assert len(runner.router.names) <= RESIDENT


def test_an_adapter_of_the_same_name_from_another_folder_takes_its_place(small, strong, five):
    engine, _ = small
    engine.load_adapter("current", five[0])
    before = said(engine, request("Hello", "current"))[0]
    engine.load_adapter("current", strong)
    after = said(engine, request("Hello", "current"))[0]
    engine.load_adapter("strong", strong)
    assert said(engine, request("Hello", "strong"))[0] == after != before


def test_two_companies_adapters_of_one_id_live_side_by_side_and_rows_end_with_the_one_they_began_with(
    small, strong, five
):
    engine, runner = small
    asked = request("Hello", "0001", max_tokens=60)
    engine.load_adapter("0001", five[0])
    expected = said(engine, asked)[0]
    stream = engine.generate([asked])
    text = next(piece.text for piece in stream if piece.text)
    engine.load_adapter("0001", strong)
    beside = said(engine, asked)[0]
    *rest, last = stream
    assert text + "".join(piece.text for piece in (*rest, last)) == expected != beside
    assert (last.finish.reason, last.finish.adapter) == ("length", "0001")
    assert runner.router.names == {str(five[0]), str(strong)}


def test_an_adapter_that_is_loaded_already_is_not_read_again(small, strong, tmp_path):
    engine, runner = small
    folder = Path(shutil.copytree(strong, tmp_path / "copy"))
    engine.load_adapter("mine", folder)
    shutil.rmtree(folder)
    engine.load_adapter("mine", folder)
    assert runner.router.version == 1


def test_an_adapter_that_cant_be_read_leaves_the_one_before(small, strong, tmp_path):
    engine, runner = small
    engine.load_adapter("current", strong)
    with pytest.raises(AssistantError, match="can't be read"):
        engine.load_adapter("current", tmp_path)
    engine.load_adapter("current", strong)
    assert runner.router.version == 1


def test_several_threads_load_and_ask_at_once(small, five):
    engine, _ = small

    def visit(number: int) -> str:
        engine.load_adapter(f"{number % 3}", five[number % 3])
        return said(engine, request("Hello", f"{number % 3}", max_tokens=6))[0]

    with ThreadPoolExecutor(6) as pool:
        texts = list(pool.map(visit, range(18)))
    assert texts == [visit(number) for number in range(3)] * 6
    assert len(set(texts)) == 3


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


def test_tokens_are_counted_as_the_model_reads_them_and_its_window_is_told(engine, tokenizer):
    text = "Größe <|im_end|> 花"
    assert engine.count_tokens(text) == len(tokenizer(text)["input_ids"]) != len(text)
    assert engine.window == 4096


def test_the_description_names_model_device_and_format(engine, tiny_model_folder):
    assert engine.describe() == f"{tiny_model_folder.name} on cpu, float32 (exact, for tests), torch"


def test_an_answer_ends_at_the_end_of_turn(small):
    """The likeliest token is made the end of turn in the third step."""
    engine, runner = small

    def end_third(parts, logits):
        if len(runner.steps) == 3:
            logits[:, 2] = 1e4

    runner.change = end_third
    (text, finish), *_ = answers(engine, request("Hello"))
    assert (finish.reason, finish.completion_tokens) == ("end", 3)
    assert "<|" not in text


def test_where_weights_fit_in_4_bits_only_all_lanes_answer_over_them_and_it_is_told(
    tiny_model_folder, strong, monkeypatch
):
    pytest.importorskip("bitsandbytes")
    small = replace(EXACT, four_bit=True, reason="in full they take more")
    monkeypatch.setattr("assistant.engine.local.fitting", lambda folder, placement: small)
    engine = LocalEngine(tiny_model_folder)
    try:
        engine.load_adapter("strong", strong)
        lanes = [request("Hello"), request("Hello", "strong"), request("Bye"), request("Bye", "strong", 0.5)]
        together = said(engine, *lanes)
        assert together == [text for lane in lanes for text in said(engine, lane)]
        assert together[0] != together[1]
        assert engine.describe() == (
            f"{tiny_model_folder.name} on cpu, float32, weights in 4 bits (in full they take more), torch"
        )
    finally:
        engine.close()
