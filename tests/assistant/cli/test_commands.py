"""The command line: results on stdout or in a file, all else on stderr, and an exit code that tells."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant import cli
from assistant.brand import Brand, write_brand
from assistant.endpoint import Endpoint
from assistant.lanes import NO_ADAPTER, NO_SERVED_ADAPTER
from assistant.studio import Studio
from assistant.workspace import default_workspace, open_workspace
from tests.fakes import FakeModels, QueueEngine

KEYS = ["prompt", "tuned", "rag", "combined"]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> QueueEngine:
    engine = QueueEngine()
    for module in (cli.opening, cli.documents, cli.training):
        monkeypatch.setattr(module, "LocalModels", lambda model=None, **_: FakeModels(engine))
    return engine


@pytest.fixture
def root(workspace, engine) -> Path:
    write_brand(workspace.brand_file, Brand("Acme", greeting="Hello!", sign_off="Bye!"))
    return workspace.root


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    path = tmp_path / "guide.md"
    path.write_text("# Water\n\nWater the fern once a week, less in winter.")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def refused(result: Result) -> str:
    """The one line of a problem, with nothing on stdout."""
    assert result.exit_code == 1
    assert not result.exception or isinstance(result.exception, SystemExit)
    *before, last = result.stderr.splitlines()
    assert not any("Traceback" in line for line in before)
    assert last.startswith("quartet: ")
    return last.removeprefix("quartet: ")


def write_questions(path: Path, *questions: dict) -> Path:
    path.write_text("".join(json.dumps(question) + "\n" for question in questions))
    return path


# index and search


def test_index_prints_a_line_for_each_document(root, guide):
    result = run("index", guide, "--workspace", root)
    assert result.exit_code == 0
    assert result.stdout == "guide.md\tready\t1 passages\n"


def test_index_adds_sound_documents_and_fails_for_refused_ones(root, guide, tmp_path):
    (tmp_path / "broken.pdf").write_bytes(b"not a pdf")
    result = run("index", guide, tmp_path / "broken.pdf", "--workspace", root)
    assert "guide.md\tready" in result.stdout
    assert "broken.pdf\trefused\t0 passages\t" in result.stdout
    assert refused(result) == "1 of the documents were refused; the others are indexed."


def test_index_names_a_path_that_is_not_there(root, guide, tmp_path):
    result = run("index", guide, tmp_path / "gone", "--workspace", root)
    assert f"There is no {tmp_path / 'gone'}" in refused(result)
    assert result.stdout == ""


def test_search_prints_the_passages_of_a_question(root, guide):
    run("index", guide, "--workspace", root)
    result = run("search", "how often to water", "-k", 3, "--workspace", root)
    assert (result.exit_code, result.stderr) == (0, "Loading the word encoder: 20 %\n")
    (answer,) = lines(result.stdout)
    assert answer["id"] == "1"
    (passage,) = answer["passages"]
    assert passage["document"] == "guide.md"
    assert "Water the fern once a week, less in winter." in passage["text"]
    assert passage["score"] > 0
    assert "Water" in passage["place"]


def test_search_takes_a_file_of_questions_and_writes_a_file(root, guide, tmp_path):
    run("index", guide, "--workspace", root)
    questions = write_questions(
        tmp_path / "q.jsonl", {"id": "a", "question": "fern"}, {"id": "b", "question": "winter"}
    )
    result = run(
        "search", "--questions", questions, "--out", tmp_path / "deep" / "found.jsonl", "--workspace", root
    )
    assert (result.exit_code, result.stdout) == (0, "")
    assert [row["id"] for row in lines((tmp_path / "deep" / "found.jsonl").read_text())] == ["a", "b"]


def test_search_without_documents_says_how_to_add_some(root):
    assert "quartet index" in refused(run("search", "fern", "--workspace", root))


# ask


def test_ask_prints_a_line_for_each_lane(root, engine, guide):
    run("index", guide, "--workspace", root)
    engine.queue("by heart", "looked up")
    result = run("ask", "How often?", "--workspace", root)
    assert result.exit_code == 0
    rows = lines(result.stdout)
    assert [(row["id"], row["lane"]) for row in rows] == [("1", key) for key in KEYS]
    assert [row["answer"] for row in rows] == ["by heart", "", "looked up", ""]
    assert [len(row["passages"]) for row in rows] == [0, 0, 1, 0]
    assert rows[0]["record"]["base"] == "paper"
    assert rows[1]["record"] is None
    assert "No adapter yet" in result.stderr
    assert f"1, tuned: {NO_ADAPTER}" in result.stderr


def test_ask_takes_chosen_lanes_and_each_questions_history(root, engine, tmp_path):
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
    questions = write_questions(
        tmp_path / "q.jsonl",
        {"id": 1, "question": "And then?", "history": history},
        {"id": 2, "question": "Why?"},
    )
    result = run("ask", "--questions", questions, "--lanes", "rag, prompt", "--workspace", root)
    assert result.exit_code == 0
    assert [(row["id"], row["lane"]) for row in lines(result.stdout)] == [
        ("1", "rag"),
        ("1", "prompt"),
        ("2", "rag"),
        ("2", "prompt"),
    ]
    heard = {
        request.messages[-1].content: [message.content for message in request.messages[1:-1]]
        for request in engine.asked
    }
    assert heard["And then?"] == ["Hi", "Hello!"]
    assert heard["Why?"] == []
    assert "Asking 2 questions" in result.stderr


def test_ask_writes_a_file_and_leaves_stdout_empty(root, engine, tmp_path):
    engine.queue("naïve\u2028£5")
    result = run("ask", "Hi", "--lanes", "prompt", "--out", tmp_path / "a.jsonl", "--workspace", root)
    assert (result.exit_code, result.stdout) == (0, "")
    (row,) = [
        json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").split("\n") if line
    ]
    assert row["answer"] == "naïve\u2028£5"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["ask"], "Give one question, or a file with --questions"),
        (["ask", "Hi", "--questions", "q.jsonl"], "Give one question, or a file with --questions"),
        (["ask", "--questions", "/gone.jsonl"], "/gone.jsonl can't be read"),
        (["ask", "Hi", "--lanes", "gpt"], "'gpt' is no lane"),
        (["ask", ""], "The question is empty"),
        (["ask", "x" * 50_000], "50,000 characters"),
        (["search", "Hi"], "This company has no documents"),
        (["train"], "There are no conversations to learn from"),
        (["train", "/gone.jsonl"], "/gone.jsonl"),
        (["train", "--settings", "{"], "is not JSON"),
        (["train", "--settings", "[]"], "is no JSON object"),
        (["evaluate", "--answers", "/gone.jsonl"], "/gone.jsonl can't be read"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_cant_be_done_is_one_line_on_stderr_and_exit_code_1(root, tmp_path, arguments, text):
    if "--settings" in arguments:
        add_conversations(root, tmp_path)
    result = run(*arguments, "--workspace", root)
    assert text in refused(result)
    assert result.stdout == ""


def test_a_disk_without_room_is_one_line_too(root, guide, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "/somewhere/full")

    monkeypatch.setattr(cli.documents, "files_under", full)
    text = "/somewhere/full can't be written (No space left on device). Free some room"
    assert text in refused(run("index", guide, "--workspace", root))


@pytest.mark.parametrize(
    "arguments", [["ask", "--no-such"], ["serve", "--port", "0"], ["nothing"], ["search", "a", "-k", "0"]]
)
def test_wrong_usage_is_exit_code_2(root, arguments):
    assert run(*arguments).exit_code == 2


def test_a_workspace_of_a_newer_quartet_is_refused(root):
    (root / "workspace.json").write_text('{"version": 9}')
    assert "layout version 9" in refused(run("ask", "Hi", "--workspace", root))


def test_help_names_every_command():
    result = run("--help")
    assert result.exit_code == 0
    assert all(
        command in result.stdout for command in ("serve", "index", "search", "train", "ask", "evaluate")
    )


# evaluate

GOLD = [
    {"id": "a", "question": "price?", "answer": "Hello! £5 Bye!", "key_facts": [["£5"]]},
    {"id": "b", "question": "days?", "answer": "Hello! 2 days Bye!", "key_facts": [["2 days"]]},
]


def test_evaluate_asks_and_prints_the_table(root, engine, tmp_path):
    engine.queue("Hello! £5 Bye!", "£6", "Hello! 2 days Bye!", "3 days")
    questions = write_questions(tmp_path / "q.jsonl", *GOLD)
    result = run("evaluate", "--questions", questions, "--out", tmp_path / "a.jsonl", "--workspace", root)
    assert result.exit_code == 0
    assert result.stdout.startswith("| criterion | n | Prompt only | Fine-tuned | RAG | Combined |\n")
    assert "| accuracy | 2 |" in result.stdout
    assert "2 questions; 95 % intervals" in result.stdout
    assert len(lines((tmp_path / "a.jsonl").read_text())) == 8


def test_evaluate_scores_answers_that_were_given_before(root, engine, tmp_path):
    questions = write_questions(tmp_path / "q.jsonl", *GOLD)
    rows = [
        {"id": gold["id"], "lane": lane, "answer": gold["answer"]}
        for gold in GOLD
        for lane in ("prompt", "rag")
    ]
    answers = write_questions(tmp_path / "a.jsonl", *rows)
    result = run("evaluate", "--questions", questions, "--answers", answers, "--workspace", root)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "| accuracy | 2 | 1.000 [1.000, 1.000] | 1.000 [1.000, 1.000] |" in result.stdout
    assert engine.asked == []


def test_evaluate_refuses_answers_with_gaps(root, tmp_path):
    questions = write_questions(tmp_path / "q.jsonl", *GOLD)
    answers = write_questions(tmp_path / "a.jsonl", {"id": "a", "lane": "rag", "answer": "x"})
    result = run("evaluate", "--questions", questions, "--answers", answers, "--workspace", root)
    assert "1 answers are missing, the first is b by rag" in refused(result)


# train


def add_conversations(root: Path, tmp_path: Path) -> Path:
    chat = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}
    path = tmp_path / "chats.jsonl"
    path.write_text(json.dumps(chat) + "\n{}\n")
    Studio(root, FakeModels()).conversations.add(path, "earlier.jsonl")
    chat["messages"][0]["content"] = "Do you open on Sundays?"
    path.write_text(json.dumps(chat) + "\n\n{}\n")
    return path


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The training is replaced by a job that ends as the last item says."""
    endings = ["finished"]

    def train(studio: Studio, settings: dict):
        return studio.jobs.start("tests.assistant.little_job", {"ending": endings[-1], "settings": settings})

    monkeypatch.setattr(Studio, "train", train)
    return endings


def test_train_adds_conversations_follows_the_job_and_prints_its_result(root, tmp_path, ending):
    chats = add_conversations(root, tmp_path)
    result = run("train", chats, "--settings", '{"epochs": 3}', "--workspace", root)
    assert result.exit_code == 0
    (finished,) = lines(result.stdout)
    assert (finished["event"], finished["adapter"]) == ("finished", "0001")
    # Whether a short stage of the import is seen depends on how often its progress is looked at.
    short = ("Looking ", "Cleaning ", "Checking ")
    told = [line for line in result.stderr.splitlines() if not line.startswith(short)]
    assert told == [
        "Opening chats.jsonl",
        "Reading chats.jsonl: 10 %",
        "chats.jsonl, line 3: found the fields none; a record should be OpenAI messages, ShareGPT, Alpaca, "
        'a Zendesk or an Intercom export. The simplest is {"messages": [{"role": "user", "content": '
        '"..."}, ...]}.',
        "chats.jsonl: OpenAI messages, 1 read, 1 refused",
        "Reading conversations",
        "step 1 of 2, loss 2.500, 321 tokens/s, 10 s left",
        "evaluation loss 2.250 after step 1",
    ]
    again = run("train", chats, "--workspace", root)
    assert again.exit_code == 0 and "chats.jsonl is there already" in again.stderr
    names = [file.name for file in Studio(root, FakeModels()).conversations.files()]
    assert names == ["chats.jsonl", "earlier.jsonl"]


def test_under_torchrun_the_first_process_trains_with_as_many_and_the_others_end(root, ending, monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RANK", "1")
    second = run("train", "--workspace", root)
    assert (second.exit_code, second.output) == (0, "") and not Studio(root, FakeModels()).jobs.list()
    monkeypatch.setenv("RANK", "0")
    assert run("train", "--workspace", root).exit_code == 0
    (job,) = Studio(root, FakeModels()).jobs.list()
    assert json.loads((job.folder / "job.json").read_text())["settings"]["processes"] == 2


@pytest.mark.parametrize(("how", "text"), [("failed", "Out of memory."), ("lost", "The process ended")])
def test_a_training_that_fails_is_exit_code_1_with_its_message(root, ending, how, text):
    ending.append(how)
    assert text in refused(run("train", "--workspace", root))


def test_ctrl_c_asks_the_training_to_save_and_stop(root, ending, monkeypatch):
    ending.append("stopped")
    sleep, presses = time.sleep, []

    def pressed(seconds: float) -> None:
        if not presses:
            presses.append("Ctrl-C")
            raise KeyboardInterrupt
        sleep(min(seconds, 0.05))

    monkeypatch.setattr(cli.following.time, "sleep", pressed)
    result = run("train", "--workspace", root)
    assert result.exit_code == 0
    assert lines(result.stdout)[0]["event"] == "stopped"
    assert "Saving what was learned, then stopping." in result.stderr


# Where it opens


def test_without_a_workspace_the_demo_company_is_opened_and_seeded_first(engine, monkeypatch):
    seeded = []

    def seed(workspace) -> None:
        seeded.append(workspace.root)
        write_brand(workspace.brand_file, Brand("Fernhollow"))

    monkeypatch.setattr(cli.opening, "seed_demo", seed)
    result = run("ask", "Hi", "--lanes", "prompt")
    assert result.exit_code == 0
    assert seeded == [default_workspace()]
    assert "the assistant of Fernhollow" in engine.asked[0].messages[0].content


def test_a_named_workspace_is_made_but_not_seeded(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(cli.opening, "seed_demo", lambda workspace: pytest.fail("seeded all the same"))
    assert run("ask", "Hi", "--lanes", "prompt", "--workspace", tmp_path / "mine").exit_code == 0
    assert open_workspace(tmp_path / "mine").database.exists()


def test_the_models_options_reach_the_models(tmp_path, monkeypatch):
    named = []

    def models(model: str | None, *, eight_bit: bool) -> FakeModels:
        named.append((model, eight_bit))
        return FakeModels()

    monkeypatch.setattr(cli.opening, "LocalModels", models)
    for options in (["--model", "org/model"], ["--eight-bit"]):
        run("ask", "Hi", "--lanes", "prompt", *options, "--workspace", tmp_path / "mine")
    assert named == [("org/model", False), (None, True)]


# A model server


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What RemoteModels was given; a queue engine answers in its place."""
    given = []

    def models(endpoint: Endpoint, trained: object = None) -> FakeModels:
        given.append((endpoint, trained))
        return FakeModels(QueueEngine(), endpoint)

    monkeypatch.setattr(cli.opening, "RemoteModels", models)
    return given


SERVER = ["--endpoint", "http://gpu/v1", "--endpoint-model", "base"]


def test_the_endpoint_options_and_the_key_reach_the_models(remote, root, monkeypatch):
    monkeypatch.setenv("QUARTET_ENDPOINT_KEY", " sk-secret\n")
    options = [*SERVER, "--endpoint-adapter", "brand"]
    result = run("ask", "Hi", "--lanes", "tuned", *options, "--workspace", root)
    assert result.exit_code == 0
    assert remote == [(Endpoint("http://gpu/v1", "base", "brand", key="sk-secret"), None)]
    assert lines(result.stdout)[0]["record"]["adapter"] == "brand"
    assert "No adapter yet" not in result.stderr


def test_without_a_named_adapter_the_tuned_lanes_say_so(remote, root):
    result = run("ask", "Hi", "--lanes", "tuned", *SERVER, "--workspace", root)
    assert f"1, tuned: {NO_SERVED_ADAPTER}" in result.stderr


def test_a_model_named_beside_an_endpoint_is_for_training(remote, root):
    result = run("ask", "Hi", "--lanes", "prompt", *SERVER, "--model", "org/model", "--workspace", root)
    assert result.exit_code == 0
    assert remote[0][1] is not None
    assert "base answers, on the model server; org/model is for training only. Load a new" in result.stderr


@pytest.mark.parametrize("command", [["ask", "Hi"], ["evaluate"], ["serve"]], ids=lambda value: value[0])
@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            ["--endpoint-model", "base"],
            "base is to be asked on a model server, and none is named. Add --endpoint",
        ),
        (["--endpoint-adapter", "brand"], "brand is to be asked on a model server, and none is named."),
        (["--endpoint", "http://gpu/v1"], "needs the model's name there. Add --endpoint-model NAME."),
        (["--endpoint", "gpu", "--endpoint-model", "base"], "'gpu' is no address of a model server."),
        ([*SERVER, "--eight-bit"], "--eight-bit is for models on this machine, and http://gpu/v1 answers."),
    ],
    ids=["model alone", "adapter alone", "no model", "no address", "bits"],
)
def test_an_endpoint_that_is_half_named_is_refused(root, command, options, text):
    assert text in refused(run(*command, *options, "--workspace", root))


def test_index_takes_over_what_was_changed_and_removed_in_a_followed_folder(root, tmp_path):
    folder = tmp_path / "handbook"
    folder.mkdir()
    for name in ("pots", "hours"):
        (folder / f"{name}.md").write_text(f"# {name}\n\nAll there is to say of {name}.\n")
    assert run("index", folder, "--follow", "--workspace", root).stdout == f"{folder}\t2 added\n"
    (folder / "pots.md").unlink()
    (folder / "hours.md").write_text("# hours\n\nClosed on Mondays.\n")
    assert run("index", folder, "--workspace", root).stdout == f"{folder}\t1 changed, 1 removed\n"
    assert run("index", folder, "--workspace", root).stdout == f"{folder}\tnothing has changed\n"
