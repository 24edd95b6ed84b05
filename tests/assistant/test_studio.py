"""The studio: nothing asked or answered is lost, companies stay apart, and what is missing is said."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import studio as studio_module
from assistant.adapters import Lineage, install
from assistant.brand import Brand
from assistant.endpoint import Endpoint
from assistant.errors import AssistantError
from assistant.lanes import LANES, NO_ADAPTER, NO_SERVED_ADAPTER, Answer, Piece, Sampling
from assistant.studio import Readiness, Studio
from knowledge.errors import KnowledgeError
from tests.fakes import FakeModels, QueueEngine

LINEAGE = Lineage("tiny", "b", "d", "", "p", {}, (), 1.0, 10, 3, 5, 0, "2026-01-01T00:00:00+00:00")


def install_adapter(studio: Studio, tmp_path: Path, weights: bytes = b"weights") -> str:
    finished = tmp_path / "finished"
    shutil.rmtree(finished, ignore_errors=True)
    finished.mkdir()
    (finished / "adapter_config.json").write_text("{}")
    (finished / "adapter_model.safetensors").write_bytes(weights)
    return install(studio.workspace.adapters, finished, LINEAGE).key


@pytest.fixture
def engine() -> QueueEngine:
    return QueueEngine()


@pytest.fixture
def studio(workspace, engine) -> Studio:
    """An empty company with its models loaded."""
    studio = Studio(workspace.root, FakeModels(engine))
    studio.load()
    return studio


def add_document(
    studio: Studio, tmp_path: Path, text: str = "# Water\n\nWater the fern once a week."
) -> None:
    (tmp_path / "guide.md").write_text(text)
    studio.knowledge.add([(tmp_path / "guide.md", "guide.md")])


def texts(answers: dict[str, Answer]) -> dict[str, str]:
    return {lane: answer.text for lane, answer in answers.items()}


def run(stream: Iterator[tuple[Answer, ...]]) -> dict[str, Answer]:
    *_, last = stream
    return {answer.lane: answer for answer in last}


def only_turn(studio: Studio, chat_id: str):
    (turn,) = studio.chats.read(chat_id).turns
    return turn


# Asking


def test_a_question_is_answered_in_all_lanes_and_kept(studio, engine, tmp_path):
    key = install_adapter(studio, tmp_path)
    add_document(studio, tmp_path)
    engine.queue("P", "T", "R", "C")
    chat_id = studio.chats.new()
    answers = run(studio.ask(chat_id, "  How often? \n"))
    assert texts(answers) == {"prompt": "P", "tuned": "T", "rag": "R", "combined": "C"}
    turn = only_turn(studio, chat_id)
    assert (turn.question, turn.answers) == ("How often?", answers)
    assert [request.adapter for request in engine.asked] == [None, key, None, key]
    assert engine.loaded == {key: studio.workspace.adapters / key}
    assert answers["combined"].sources[0].document == "guide.md"
    assert answers["combined"].record.index_version == studio.knowledge.version


def test_the_question_is_stored_before_the_answer_begins(studio, engine):
    chat_id = studio.chats.new()
    studio.chats.save_draft(chat_id, "How often?")
    stream = studio.ask(chat_id, "How often?")
    next(stream)
    assert engine.asked == []
    chat = studio.chats.read(chat_id)
    assert ([turn.question for turn in chat.turns], chat.draft) == (["How often?"], "")
    stream.close()


def test_what_was_said_is_kept_when_the_page_is_closed(studio, engine):
    engine.queue("one two three", "uno dos tres")
    chat_id = studio.chats.new()
    stream = studio.ask(chat_id, "Count", lanes=[LANES[0], LANES[2]])
    for _ in range(4):
        next(stream)
    stream.close()
    saved = only_turn(studio, chat_id).answers
    assert texts(saved) == {"prompt": "one two", "rag": "uno"}
    assert [answer.record.finish for answer in saved.values()] == ["cancelled", "cancelled"]


def test_what_was_said_is_kept_when_the_engine_fails(studio, engine, monkeypatch):
    def fail(requests, cancelled, owner):
        yield Piece(0, "so far")
        raise RuntimeError("engine down")

    monkeypatch.setattr(engine, "generate", fail)
    chat_id = studio.chats.new()
    with pytest.raises(RuntimeError, match="engine down"):
        run(studio.ask(chat_id, "Hi", lanes=LANES[:1]))
    assert texts(only_turn(studio, chat_id).answers) == {"prompt": "so far"}


def test_answers_are_saved_while_they_are_written(studio, engine, monkeypatch):
    monkeypatch.setattr(studio_module, "SAVE_EVERY", 0.0)
    engine.queue("one two three")
    chat_id = studio.chats.new()
    stream = studio.ask(chat_id, "Count", lanes=LANES[:1])
    for _ in range(3):
        next(stream)
    assert texts(only_turn(studio, chat_id).answers) == {"prompt": "one two"}
    stream.close()


def test_stop_ends_the_answers_of_its_chat_alone(studio, engine):
    chats = [studio.chats.new(), studio.chats.new()]
    engine.queue("one two three four", "un deux trois quatre")
    streams = [studio.ask(chat_id, "Count", lanes=LANES[:1]) for chat_id in chats]
    for stream in streams:
        next(stream)
        next(stream)
    studio.stop(chats[0])
    studio.stop("never asked")
    assert [run(stream)["prompt"].record.finish for stream in streams] == ["cancelled", "end"]
    assert texts(only_turn(studio, chats[0]).answers) == {"prompt": "one"}
    assert texts(only_turn(studio, chats[1]).answers) == {"prompt": "un deux trois quatre"}


def test_a_stopped_chat_can_be_asked_on(studio, engine):
    chat_id = studio.chats.new()
    engine.queue("one two", "three")
    stream = studio.ask(chat_id, "Count", lanes=LANES[:1])
    next(stream)
    studio.stop(chat_id)
    run(stream)
    assert run(studio.ask(chat_id, "Go on", lanes=LANES[:1]))["prompt"].text == "three"


def test_each_lane_hears_its_own_history(studio, engine):
    chat_id = studio.chats.new()
    engine.queue("P1", "R1", "P2", "R2")
    lanes = [LANES[0], LANES[2]]
    run(studio.ask(chat_id, "Q1", lanes=lanes))
    run(studio.ask(chat_id, "Q2", lanes=lanes))
    heard = [[message.content for message in request.messages[1:-1]] for request in engine.asked]
    assert heard == [[], [], ["Q1", "P1"], ["Q1", "R1"]]


@pytest.mark.parametrize("question", ["", "x" * 50_000], ids=["empty", "long"])
def test_a_question_that_cant_be_asked_is_not_stored(studio, question):
    chat_id = studio.chats.new()
    with pytest.raises(AssistantError, match="The question"):
        run(studio.ask(chat_id, question))
    assert studio.chats.read(chat_id).turns == ()


def test_half_a_surrogate_pair_in_a_question_does_no_harm(studio):
    chat_id = studio.chats.new()
    run(studio.ask(chat_id, "Hi \ud83d there\x00"))
    assert only_turn(studio, chat_id).question == "Hi  there"


def test_a_chat_that_is_not_there_is_named(studio, engine):
    with pytest.raises(AssistantError, match="There is no chat 'gone'"):
        run(studio.ask("gone", "Hi"))
    assert engine.asked == []


def test_without_an_adapter_the_tuned_lanes_say_so(studio):
    answers = run(studio.ask(studio.chats.new(), "Hi"))
    assert [answers[lane.key].error for lane in LANES] == ["", NO_ADAPTER, "", NO_ADAPTER]


# A model server answers


@pytest.mark.parametrize("trained", [False, True], ids=["nothing trained", "an adapter trained here"])
def test_a_model_servers_adapter_answers_whatever_was_trained_here(workspace, engine, tmp_path, trained):
    models = FakeModels(engine, Endpoint("http://gpu/v1", "base", "brand"))
    studio = Studio(workspace.root, models)
    studio.load()
    if trained:
        install_adapter(studio, tmp_path)
    run(studio.ask(studio.chats.new(), "Hi"))
    assert [(request.adapter, request.scale) for request in engine.asked] == [(None, 0.0), ("brand", 1.0)] * 2
    assert studio.has_adapter() and studio.first_steps()[3].done
    assert engine.loaded == {}


def test_without_an_adapter_on_the_model_server_the_tuned_lanes_say_so(workspace, engine, tmp_path):
    studio = Studio(workspace.root, FakeModels(engine, Endpoint("http://gpu/v1", "base")))
    studio.load()
    install_adapter(studio, tmp_path)
    answers = run(studio.ask(studio.chats.new(), "Hi"))
    assert [answers[lane.key].error for lane in LANES] == ["", NO_SERVED_ADAPTER, "", NO_SERVED_ADAPTER]
    assert not studio.has_adapter()


# Asking again


def test_asking_again_uses_another_seed_and_replaces_the_answers(studio, engine):
    chat_id = studio.chats.new()
    engine.queue("P1", "R1", "P2", "R2", "P3", "R3", "P4", "R4")
    run(studio.ask(chat_id, "Q1"))
    run(studio.ask(chat_id, "Q2"))
    run(studio.ask_again(chat_id))
    run(studio.ask_again(chat_id))
    chat = studio.chats.read(chat_id)
    assert [(turn.question, turn.answers["prompt"].text) for turn in chat.turns] == [
        ("Q1", "P1"),
        ("Q2", "P4"),
    ]
    sampled = [(request.sampling.temperature, request.sampling.seed) for request in engine.asked[::2]]
    assert sampled == [(0.0, 0), (0.0, 0), (0.7, 1), (0.7, 2)]
    assert [message.content for message in engine.asked[-2].messages[1:]] == ["Q1", "P1", "Q2"]


def test_asking_again_keeps_the_draft(studio):
    chat_id = studio.chats.new()
    run(studio.ask(chat_id, "Q1"))
    studio.chats.save_draft(chat_id, "half a question")
    run(studio.ask_again(chat_id))
    assert studio.chats.read(chat_id).draft == "half a question"


def test_a_failed_second_try_loses_neither_question_nor_answers(studio, engine, tmp_path, monkeypatch):
    add_document(studio, tmp_path)
    chat_id = studio.chats.new()
    engine.queue("P1", "R1")
    before = run(studio.ask(chat_id, "Q1"))

    def broken(*args: object, **options: object) -> None:
        raise KnowledgeError("The index is being changed.")

    monkeypatch.setattr(studio.knowledge, "search", broken)
    with pytest.raises(KnowledgeError):
        run(studio.ask_again(chat_id))
    turn = only_turn(studio, chat_id)
    assert (turn.question, turn.answers) == ("Q1", before)


def test_nothing_can_be_asked_again_in_an_empty_chat(studio):
    with pytest.raises(AssistantError, match="There is no question to ask again"):
        run(studio.ask_again(studio.chats.new()))


# Companies


def test_companies_do_not_see_each_other(studio, tmp_path):
    first = studio.workspace
    studio.save_brand(Brand("Acme", tone="Warm"))
    add_document(studio, tmp_path)
    run(studio.ask(chat_id := studio.chats.new(), "Hi"))
    second = studio.create(" Beta & Co ")
    assert (second.root.name, studio.workspace, studio.brand()) == ("beta-co", second, Brand("Beta & Co"))
    assert len(studio.knowledge) == 0
    assert studio.chats.latest() == []
    assert studio.adapter() is None
    assert studio.companies() == [first, second]
    studio.open(first.root)
    assert studio.brand() == Brand("Acme", tone="Warm")
    assert [chat.id for chat in studio.chats.latest()] == [chat_id]
    assert len(studio.knowledge) == 1


def test_an_answer_is_kept_in_the_company_that_was_asked(studio, engine):
    first = studio.workspace
    run(studio.ask(chat_id := studio.chats.new(), "Q1", lanes=LANES[:1]))
    engine.queue("the first company's secret")
    stream = studio.ask(chat_id, "Q2", lanes=LANES[:1])
    next(stream)
    next(stream)
    studio.create("Beta")
    for _ in range(2):
        run(studio.ask(other := studio.chats.new(), "Q", lanes=LANES[:1]))
    run(stream)
    for chat in studio.chats.latest():
        assert "secret" not in str(studio.chats.read(chat.id))
    assert only_turn(studio, other).answers["prompt"].text == "Nothing was queued."
    studio.open(first.root)
    assert studio.chats.read(chat_id).turns[1].answers["prompt"].text == "the first company's secret"


def test_the_adapter_of_the_open_company_is_loaded_from_its_own_folder(studio, engine, tmp_path):
    """Keys are counted in each company, so both are 0001."""
    first = install_adapter(studio, tmp_path, b"first")
    run(studio.ask(studio.chats.new(), "Hi"))
    assert engine.loaded[first] == studio.workspace.adapters / first
    studio.create("Beta")
    assert install_adapter(studio, tmp_path, b"second") == first
    run(studio.ask(studio.chats.new(), "Hi"))
    assert engine.loaded[first] == studio.workspace.adapters / first


def test_a_chat_asks_as_itself_and_at_the_strength_it_is_given(studio, engine, tmp_path):
    install_adapter(studio, tmp_path)
    chat_id = studio.chats.new()
    run(studio.ask(chat_id, "Hi", scale=1.4))
    run(studio.ask_again(chat_id, scale=0.5))
    assert [request.scale for request in engine.asked if request.adapter] == [1.4, 1.4, 0.5, 0.5]
    assert engine.owners == [chat_id, chat_id]


def test_a_company_without_a_voice_is_named_after_its_folder(studio):
    assert studio.brand() == Brand("acme")


def test_instructions_take_the_place_of_the_voice_and_give_it_back(studio, engine):
    studio.save_brand(Brand("Acme", tone="Warm"))
    studio.save_instructions("  Be brief.  ")
    run(studio.ask(studio.chats.new(), "Hi", lanes=LANES[:1]))
    assert engine.asked[0].messages[0].content == "Be brief."
    studio.save_instructions(" ")
    run(studio.ask(studio.chats.new(), "Hi", lanes=LANES[:1]))
    assert engine.asked[1].messages[0].content == "You are the assistant of Acme.\nTone: Warm"
    assert studio.brand().tone == "Warm"


def test_first_steps_are_ticked_off_one_by_one(studio, tmp_path):
    def done() -> list[bool]:
        return [step.done for step in studio.first_steps()]

    assert [step.page for step in studio.first_steps()] == [
        "company",
        "documents",
        "conversations",
        "train",
    ]
    assert done() == [False] * 4
    studio.save_brand(Brand("Acme"))
    assert done() == [False] * 4
    studio.save_brand(Brand("Acme", tone="Warm"))
    assert done() == [True, False, False, False]
    add_document(studio, tmp_path)
    assert done() == [True, True, False, False]
    add_conversation(studio, tmp_path)
    assert done() == [True, True, True, False]
    install_adapter(studio, tmp_path)
    assert done() == [True] * 4


# Loading


def test_questions_wait_politely_while_the_models_are_loading(workspace):
    studio = Studio(workspace.root, FakeModels())
    assert not studio.readiness.ready
    with pytest.raises(AssistantError, match=r"not loaded yet\. Your question can be asked in a moment"):
        run(studio.ask(studio.chats.new(), "Hi"))
    studio.readiness = Readiness(False, "Unpacking the model", 0.5)
    with pytest.raises(AssistantError, match=r"^Unpacking the model\. Your question"):
        run(studio.ask(studio.chats.new(), "Hi"))


def test_loading_ends_ready_with_the_engines_description_and_logs_it_once(workspace, caplog):
    caplog.set_level("INFO", "assistant")
    seen = []

    class Watched(FakeModels):
        def engine(self, report):
            engine = super().engine(report)
            seen.append(studio.readiness)
            return engine

    studio = Studio(workspace.root, Watched())
    studio.load_in_background()
    deadline = time.monotonic() + 60
    while not caplog.records and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (studio.readiness.ready, studio.readiness.text) == (True, "Queue engine on paper")
    assert [record.getMessage() for record in caplog.records] == ["Answering: Queue engine on paper"]
    assert (seen[0].text, seen[0].fraction) == ("Loading the queue engine", 0.5)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (
            AssistantError("No network. Name a folder with --model."),
            "No network. Name a folder with --model.",
        ),
        (RuntimeError("broken"), "Loading the models failed: broken"),
    ],
    ids=["expected", "unexpected"],
)
def test_a_loading_problem_is_shown_and_told_to_who_asks(workspace, problem, text):
    class Broken(FakeModels):
        def engine(self, report):
            raise problem

    studio = Studio(workspace.root, Broken())
    studio.load_in_background()
    deadline = time.monotonic() + 60
    while not studio.readiness.problem and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not studio.readiness.ready
    assert studio.readiness.problem.startswith(text)
    with pytest.raises(AssistantError, match=text):
        run(studio.ask(studio.chats.new(), "Hi"))


def test_models_are_loaded_once_however_many_ask(workspace):
    opened = []

    class Slow(FakeModels):
        def engine(self, report):
            time.sleep(0.05)
            opened.append("engine")
            return super().engine(report)

        def encoder(self, report, name=""):
            time.sleep(0.05)
            opened.append("encoder")
            return super().encoder(report, name)

    studio = Studio(workspace.root, Slow())
    threads = [threading.Thread(target=studio.load) for _ in range(3)]
    threads += [threading.Thread(target=studio.load_encoder) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(opened) == ["encoder", "engine"]


# Training


def add_conversation(studio: Studio, tmp_path: Path) -> None:
    chat = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}
    (tmp_path / "chats.jsonl").write_text(json.dumps(chat))
    studio.conversations.add(tmp_path / "chats.jsonl", "chats.jsonl")


def test_training_without_conversations_is_refused(studio):
    with pytest.raises(AssistantError, match="There are no conversations to learn from"):
        studio.train({})


def test_training_starts_a_job_with_company_model_and_settings(studio, tmp_path, monkeypatch):
    add_conversation(studio, tmp_path)
    started = []
    monkeypatch.setattr(
        studio.jobs, "start", lambda module, arguments, *, waits: started.append((module, arguments))
    )
    studio.train({"epochs": 3})
    ((module, arguments),) = started
    assert module == "assistant.training"
    assert arguments["workspace"] == str(studio.workspace.root)
    assert arguments["model"] == "/no/model/here"
    assert arguments["settings"] == {"epochs": 3}


def test_sampling_and_strength_reach_the_engine(studio, engine, tmp_path):
    install_adapter(studio, tmp_path)
    sampling = Sampling(max_tokens=7, temperature=0.3)
    setup = studio.setup(sampling, scale=0.5)
    assert (setup.sampling, setup.scale) == (sampling, 0.5)
    run(studio.ask(studio.chats.new(), "Hi", sampling=sampling))
    assert {request.sampling for request in engine.asked} == {sampling}
