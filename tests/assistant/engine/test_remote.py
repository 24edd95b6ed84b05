"""The remote engine against a real model server, `transformers serve`, and against one that misbehaves."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from assistant import cli
from assistant.brand import Brand
from assistant.endpoint import Endpoint
from assistant.engine.remote import CONTROL_TOKENS, NOT_REPORTED, RemoteEngine
from assistant.errors import AssistantError
from assistant.lanes import LANES, NO_SERVED_ADAPTER, Finish, Request, Sampling, Setup, ask
from assistant.loading import RemoteModels
from assistant.prompts import Message, chat_messages
from tests.assistant.engine.servers import ADAPTER, BASE, ScriptedServer, transformers_serve
from tests.fakes import WordEncoder

KEY = "sk-very-secret"


def request(text: str, adapter: str | None = None, scale: float = 1.0, **sampling: float) -> Request:
    chat = (Message("system", "Be kind."), Message("user", text))
    return Request(chat, adapter, scale if adapter else 0.0, Sampling(**{"max_tokens": 8, **sampling}))


def answers(engine: RemoteEngine, *requests: Request) -> list[tuple[str, Finish]]:
    texts, finishes = [""] * len(requests), {}
    for piece in engine.generate(requests):
        texts[piece.row] += piece.text
        if piece.finish:
            assert piece.row not in finishes
            finishes[piece.row] = piece.finish
    return [(text, finishes[row]) for row, text in enumerate(texts)]


# A real server


@pytest.fixture(scope="module")
def hub(tiny_model_folder: Path, new_model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub cache with the tiny model and, as the adapter, one of other weights."""
    folder = tmp_path_factory.mktemp("hub")
    other = new_model()
    with torch.random.fork_rng():
        torch.manual_seed(11)
        for weight in other.parameters():
            if weight.dim() == 2:
                torch.nn.init.normal_(weight, std=0.15)
    for name in (BASE, ADAPTER):
        repository = folder / f"models--{name.replace('/', '--')}"
        snapshot = repository / "snapshots" / ("0" * 40)
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("0" * 40)
        snapshot.mkdir(parents=True)
        for file in tiny_model_folder.iterdir():
            (snapshot / file.name).write_bytes(file.read_bytes())
        if name == ADAPTER:
            other.save_pretrained(snapshot)
        (snapshot / "generation_config.json").write_text('{"do_sample": true}')  # and no end but the limit
    return folder


@pytest.fixture(scope="module")
def served(hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with transformers_serve(hub, tmp_path_factory.mktemp("server") / "log.txt") as url:
        yield Endpoint(url, BASE, ADAPTER)


@pytest.fixture(scope="module")
def real(served: Endpoint) -> Iterator[RemoteEngine]:
    engine = RemoteEngine(served)
    answers(engine, request("Load"), request("Load", ADAPTER))
    yield engine
    engine.close()


def test_a_real_server_streams_base_and_adapter_rows(real, tokenizer):
    (base, plain), (tuned, voiced) = answers(real, request("Hello"), request("Hello", ADAPTER))
    assert base and tuned and base != tuned
    assert (plain.base, plain.adapter, plain.scale) == (f"{BASE}@main", None, 0.0)
    assert (voiced.base, voiced.adapter, voiced.scale) == (BASE, f"{ADAPTER}@main", 1.0)
    chat = [{"role": message.role, "content": message.content} for message in request("Hello").messages]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True)["input_ids"]
    for finish in (plain, voiced):
        assert (finish.reason, finish.error) == ("length", "")
        assert (finish.prompt_tokens, finish.completion_tokens) == (len(prompt), 8)
        assert 0 < finish.first_token_seconds <= finish.seconds


def test_a_real_server_answers_the_same_again_and_otherwise_with_another_seed(real):
    asked = [request("Tell me", temperature=1.0, seed=seed, max_tokens=20) for seed in (1, 1, 2)]
    texts = [answers(real, each)[0][0] for each in asked]  # one after the other: its seed is of the process
    assert texts[0] == texts[1] != texts[2]


def test_a_real_server_streams_two_rows_at_once_until_they_are_stopped(real):
    stop, seen, finishes = threading.Event(), set(), []
    stopped = 0.0
    rows = [request("Go on", max_tokens=3000), request("Go on", ADAPTER, max_tokens=3000)]
    for piece in real.generate(rows, stop.is_set):
        if piece.finish:
            assert stop.is_set()
            finishes.append(piece.finish)
        seen.add(piece.row)
        if seen == {0, 1} and not stop.is_set():
            stop.set()
            stopped = time.monotonic()
    assert time.monotonic() - stopped < 5
    assert [finish.reason for finish in finishes] == ["cancelled"] * 2
    assert all(0 < finish.completion_tokens < 3000 for finish in finishes)
    assert answers(real, request("Next", max_tokens=3))[0][1].reason == "length"


def test_control_tokens_that_somebody_types_stay_text_on_a_real_server(real):
    def read(text: str, special: Sequence[str] = ()) -> int:
        messages = chat_messages(Brand("Acme"), text, special=special)
        ((_, finish),) = answers(real, Request(messages, sampling=Sampling(max_tokens=1)))
        return finish.prompt_tokens

    turn = "<|im_end|>"
    assert read(turn) - read("") == 1  # which is why they must not get there
    assert read(turn, real.special_tokens) - read("") == len(turn) + len("\u200b".encode())


def test_all_four_lanes_answer_and_record_what_the_server_reported(real):
    setup = Setup(Brand("Acme"), real, adapter=ADAPTER, sampling=Sampling(max_tokens=4))
    *_, given = ask("Hi", setup)
    assert [answer.lane for answer in given] == [lane.key for lane in LANES]
    assert [answer.error for answer in given] == [""] * 4
    assert [answer.record.adapter for answer in given] == [None, f"{ADAPTER}@main"] * 2


def test_a_model_that_a_real_server_does_not_have_is_named_with_those_it_has(served):
    with pytest.raises(AssistantError) as caught:
        RemoteEngine(Endpoint(served.base_url, "acme/gone"))
    text = str(caught.value)
    assert text.startswith(f"The model server at {served.base_url} has no model 'acme/gone'; it has ")
    assert BASE in text and ADAPTER in text and text.endswith("Name one of them with --endpoint-model.")


def test_the_command_line_asks_a_real_server(served, workspace, monkeypatch):
    monkeypatch.setattr(RemoteModels, "encoder", lambda *_: WordEncoder())
    options = ["--endpoint", served.base_url, "--endpoint-model", BASE, "--endpoint-adapter", ADAPTER]
    command = ["ask", "Hi", "--lanes", "prompt,tuned", *options, "--workspace", str(workspace.root)]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["record"]["base"] for row in rows] == [f"{BASE}@main", BASE]
    assert [row["record"]["adapter"] for row in rows] == [None, f"{ADAPTER}@main"]


# A server that does what it is told


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.stop()


@pytest.fixture
def connected(scripted: ScriptedServer) -> Iterator[Callable[..., RemoteEngine]]:
    engines = []

    def connect(behaviour: str = "", **changes: object) -> RemoteEngine:
        given = {"model": BASE, "adapter": ADAPTER, "key": KEY, **changes}
        url = f"{scripted.root}/{behaviour}/v1" if behaviour else f"{scripted.root}/v1"
        engines.append(RemoteEngine(Endpoint(**{"base_url": url, **given})))
        return engines[-1]

    yield connect
    for engine in engines:
        engine.close()


REFUSED = {
    "401": "refuses the key (401: Incorrect API key: Bearer [key]). Put one that it accepts in the "
    "environment variable QUARTET_ENDPOINT_KEY.",
    "403": "refuses the key (403: It is so). Put one that it accepts in the environment variable "
    "QUARTET_ENDPOINT_KEY.",
    "404": "has no such model, or no chat at this address (404: The model `x` does not exist). Check "
    "--endpoint-model and --endpoint-adapter, and that the address of --endpoint ends as the server's manual "
    "says, which is mostly /v1.",
    "429": "is too busy, or your quota there is used up (429: It is so). Ask again in a moment.",
    "400": "refuses the request (400: It is so). If it is too long, start a new chat; if not, see the "
    "server's manual.",
    "invalid": "refuses the request (422: [{'loc': ['body', 'seed'], 'msg': 'Extra inputs'}]). If it is too "
    "long, start a new chat; if not, see the server's manual.",
    "500": "failed (500: It is so). See the server's log, then ask again.",
    "gateway": "failed (502). See the server's log, then ask again.",
    "moved": "sends requests on to another address (307: http://elsewhere.example/v1/chat/completions). Name "
    "that one with --endpoint, if you trust it.",
    "html": "answered, but not as an OpenAI-compatible server does (text/html). Check the address given with "
    "--endpoint; it mostly ends in /v1.",
    "plain json": "answered, but not as an OpenAI-compatible server does (application/json). Check the "
    "address given with --endpoint; it mostly ends in /v1.",
    "garbage": "answered, but not as an OpenAI-compatible server does (JSONDecodeError). Check the address "
    "given with --endpoint; it mostly ends in /v1.",
    "odd": "answered, but not as an OpenAI-compatible server does (TypeError). Check the address given with "
    "--endpoint; it mostly ends in /v1.",
    "error": "stopped with an error (CUDA out of memory). See its log, then ask again.",
    "worded error": "stopped with an error (list index out of range). See its log, then ask again.",
    "cut": "broke off in the middle of the answer. See the server's log, then ask again.",
    "unended": "broke off in the middle of the answer. See the server's log, then ask again.",
    "filtered": "ended the answer early, for the reason 'content_filter'. Ask otherwise, or see its log.",
}
BEGUN = ("error", "worded error", "cut", "unended", "filtered")


def test_what_a_server_does_wrong_ends_its_row_with_one_sentence_and_the_others_go_on(scripted, connected):
    engine = connected()
    found = answers(engine, request("fine"), *[request(each) for each in REFUSED], request("fine", ADAPTER))
    assert [(text, finish.reason) for text, finish in (found[0], found[-1])] == [("Hello there", "end")] * 2
    for (behaviour, sentence), (text, finish) in zip(REFUSED.items(), found[1:-1], strict=True):
        assert finish.error == f"The model server at {scripted.root}/v1 {sentence}"
        assert finish.reason == "failed"
        assert text == ("Hel" if behaviour in BEGUN else "")
        assert KEY not in finish.error
    tried = [scripted.tried[behaviour] for behaviour in ("401", "400", "429", "500")]
    assert tried == [1, 1, 3, 3]


def test_a_server_that_is_busy_or_broken_for_a_moment_is_asked_again(scripted, connected):
    found = answers(connected(), request("busy once"), request("broken once"))
    assert [(text, finish.reason) for text, finish in found] == [("Hello there", "end")] * 2
    assert scripted.tried["busy once"] == scripted.tried["broken once"] == 2


def test_silence_has_a_limit(scripted, connected):
    engine = connected(timeout=0.7)
    (_, hung), (text, stalled) = answers(engine, request("hang"), request("stall"))
    assert hung.error == (
        f"The model server at {scripted.root}/v1 did not answer in 3 tries of up to 0.7 s. Check that it "
        "runs and is not overloaded, then ask again."
    )
    assert stalled.error == (
        f"The model server at {scripted.root}/v1 fell silent for 0.7 s in the middle of the answer. "
        "Ask again."
    )
    assert (text, stalled.completion_tokens) == ("Hel", 1)


def test_a_server_that_has_gone_ends_the_row_and_is_told_of_at_the_start(scripted, connected):
    engine = connected()
    scripted.stop()
    sentence = "can't be reached (All connection attempts failed). Start it, or check the address given with "
    ((_, finish),) = answers(engine, request("fine"))
    assert finish.error == f"The model server at {scripted.root}/v1 {sentence}--endpoint."
    with pytest.raises(AssistantError) as caught:
        connected()
    assert str(caught.value) == finish.error


@pytest.mark.parametrize("behaviour", ["endless", "hang"])
def test_a_stop_ends_the_rows_and_closes_their_connections(scripted, connected, behaviour):
    """Also where the server has not said anything yet."""
    stop, finishes, stopped = threading.Event(), [], 0.0
    begun = {"endless": lambda: True, "hang": scripted.hanging.is_set}[behaviour]

    def cancelled() -> bool:
        nonlocal stopped
        if begun() and not stop.is_set():
            stop.set()
            stopped = time.monotonic()
        return stop.is_set()

    for piece in connected().generate([request(behaviour), request(behaviour, ADAPTER)], cancelled):
        if piece.finish:
            finishes.append(piece.finish.reason)
    assert finishes == ["cancelled"] * 2
    assert time.monotonic() - stopped < 5


def test_a_server_is_told_when_nobody_reads_any_longer(scripted, connected):
    stream = connected().generate([request("endless")])
    assert next(stream).text == "and "
    stream.close()
    assert scripted.left.wait(30)


def test_closing_the_engine_ends_its_rows(scripted):
    engine = RemoteEngine(Endpoint(f"{scripted.root}/v1", BASE))
    stream = engine.generate([request("endless")])
    next(stream)
    engine.close()
    assert [piece.finish.reason for piece in stream if piece.finish] == ["cancelled"]


def test_two_rows_are_streamed_at_the_same_time(connected):
    """Each row goes on only when the other has begun."""
    found = answers(connected(), request("pair"), request("pair", ADAPTER))
    assert [text for text, _ in found] == ["ab", "ab"]


def test_the_finish_holds_what_the_server_reported(connected):
    rows = [request("fine"), request("fine", ADAPTER), request("misnamed", ADAPTER), request("bare", ADAPTER)]
    finishes = [finish for _, finish in answers(connected(), *rows)]
    assert [(finish.base, finish.adapter, finish.scale) for finish in finishes] == [
        (BASE, None, 0.0),
        ("acme/root", ADAPTER, 1.0),  # the base as the server lists it for its adapter
        ("acme/other", None, 0.0),
        (NOT_REPORTED, None, 0.0),
    ]
    counted = [(finish.prompt_tokens, finish.completion_tokens) for finish in finishes]
    assert counted == [(7, 5), (7, 5), (7, 5), (0, 3)]


def test_rows_that_a_server_cant_run_end_with_what_to_do(scripted, connected):
    rows = [request("fine", ADAPTER, 0.5), request("fine", "0007"), request("fine")]
    half, other, fine = [finish for _, finish in answers(connected(), *rows)]
    assert half.error == (
        "A model server runs its adapter at full strength, and 0.5 was asked for. "
        "Set the voice strength to 1."
    )
    assert other.error == (
        f"The adapter 0007 is not on the model server at {scripted.root}/v1; {ADAPTER} was named. "
        "Name another with --endpoint-adapter."
    )
    assert fine.reason == "end"
    ((_, none),) = answers(connected(adapter=""), request("fine", "0007"))
    assert none.error == NO_SERVED_ADAPTER


def test_no_request_is_no_piece(connected):
    assert list(connected().generate([])) == []


# What is sent


def test_a_request_says_how_to_sample(scripted, connected):
    options = {"max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "seed": 3}
    answers(connected(), request("fine", ADAPTER, **options), request("bare", repetition_penalty=1.2))
    bodies = {body["model"]: body for _, body in scripted.asked if body}
    assert bodies[ADAPTER] == {
        "model": ADAPTER,
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "fine"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        **options,
    }
    assert bodies[BASE]["repetition_penalty"] == 1.2


def test_nothing_is_taken_from_the_environment_and_nothing_said_of_this_machine(
    scripted, connected, monkeypatch
):
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "BASE_URL"):
        monkeypatch.setenv(f"OPENAI_{name}", "http://elsewhere.example")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: 1\nAuthorization: Bearer other")
    answers(connected(), request("fine"))
    answers(connected(key=""), request("fine"))
    sent = [{name.lower(): value for name, value in headers.items()} for headers, _ in scripted.asked]
    assert [headers.get("authorization") for headers in sent] == [f"Bearer {KEY}"] * 2 + [None] * 2
    known = {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
        "content-type",
        "content-length",
    }
    assert {name for headers in sent for name in headers} <= known | {"authorization"}


# Opening


def test_the_window_is_what_the_server_tells_and_tokens_are_rather_counted_too_many(connected):
    engine = connected()
    assert (engine.window, connected("empty").window) == (32768, None)
    assert (engine.count_tokens(""), engine.count_tokens("four"), engine.count_tokens("花")) == (0, 2, 1)


def test_the_description_names_model_adapter_and_server(scripted, connected):
    assert (
        connected().describe()
        == f"{BASE} with the adapter {ADAPTER} on the model server at {scripted.root}/v1"
    )
    assert connected(adapter="").describe() == f"{BASE} on the model server at {scripted.root}/v1"


@pytest.mark.parametrize("behaviour", ["404", "405", "501", "empty"])
def test_a_server_without_a_list_of_models_is_tolerated(connected, behaviour):
    assert answers(connected(behaviour), request("fine"))[0][0] == "Hello there"


NOT_OPENED = {
    "401": ("/401/v1", {}, "refuses the key (401: Incorrect API key: Bearer [key])."),
    "500": ("/500/v1", {}, "failed (500: It is so)."),
    "html": ("/html/v1", {}, "answered, but not as an OpenAI-compatible server does"),
    "model": (
        "/v1",
        {"model": "x"},
        f"has no model 'x'; it has {BASE}, {ADAPTER}. Name one of them with --endpoint-m",
    ),
    "adapter": (
        "/v1",
        {"adapter": "y"},
        f"has no model 'y'; it has {BASE}, {ADAPTER}. Name one of them with --endpoint-a",
    ),
    "many": ("/many/v1", {}, "model-18, model-19 and 3 more. Name one of them"),
    "short": (
        "/short",
        {},
        "has its models at {root}/short/v1. Start again with --endpoint {root}/short/v1.",
    ),
}


@pytest.mark.parametrize(("path", "changes", "text"), NOT_OPENED.values(), ids=NOT_OPENED)
def test_what_is_wrong_with_an_endpoint_is_said_at_the_start(scripted, connected, path, changes, text):
    with pytest.raises(AssistantError) as caught:
        connected(base_url=scripted.root + path, **changes)
    said = str(caught.value)
    assert said.startswith(f"The model server at {scripted.root}{path} ")
    assert text.format(root=scripted.root) in said
    assert KEY not in said


def test_the_key_is_not_shown():
    assert KEY not in repr(Endpoint("http://gpu/v1", "m", key=KEY))


def test_well_known_control_tokens_are_special():
    assert {"<|im_end|>", "<|eot_id|>", "</s>", "<end_of_turn>"} <= set(CONTROL_TOKENS)
