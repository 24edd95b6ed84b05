"""What the tests of training share: a brand, a tokenizer, a writer and a job folder."""

import json
import multiprocessing
from multiprocessing import forkserver

import pytest

from assistant.brand import Brand, write_brand
from assistant.training.examples import Writer

BRAND = Brand(
    name="Acme",
    greeting="Hello!",
    sign_off="Bye!",
    decline="That is not in my notes",
    instructions="Be kind.",
)


@pytest.fixture(scope="session")
def tokenizer(tiny_model_folder):
    from assistant.weights import load_tokenizer

    return load_tokenizer(tiny_model_folder)


@pytest.fixture(scope="session")
def forks():
    """Processes from a mold that has loaded the libraries once: a start takes no seconds then."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["assistant.training.trainer", "assistant.training.saying"])
    forkserver.ensure_running()  # now, before a test changes the environment that all would inherit
    return context


@pytest.fixture(autouse=True)
def _not_behind(monkeypatch):
    """A process of the tests does not stand back for good for what it trains."""
    from assistant.training import processes

    monkeypatch.setattr(processes, "NICENESS", 0)


@pytest.fixture
def writer(tokenizer):
    return Writer(tokenizer, ("<|im_start|>", "<|im_end|>"), BRAND, max_length=1024)


@pytest.fixture
def brief(monkeypatch):
    """Answers of a few tokens: there is nothing to hear from a model of random weights."""
    from assistant.training import saying

    monkeypatch.setattr(saying, "LONGEST_ANSWER", 3)


@pytest.fixture
def job(tmp_path, workspace, tiny_model_folder, brief):
    """A job folder for forty short chats."""
    settings = {"epochs": 1, "batch_tokens": 300, "threads": 1, "learning_rate": 5e-3, "general_questions": 0}
    return make_job(tmp_path / "jobs" / "20260101-000000-training", workspace, tiny_model_folder, settings)


def make_job(folder, workspace, model, settings):
    """A job folder to train a company's forty short chats in."""
    write_brand(workspace.brand_file, BRAND)
    lines = [
        {
            "messages": [
                {"role": "user", "content": f"What of {n * n}?"},
                {"role": "assistant", "content": f"It is {n}."},
            ]
        }
        for n in range(40)
    ]
    (workspace.conversations / "chats.jsonl").write_text("\n".join(map(json.dumps, lines)))
    folder.mkdir(parents=True)
    arguments = {"workspace": str(workspace.root), "model": str(model), "conversations": None}
    stamp = {"module": "assistant.training", "created": "2026-01-01T00:00:00+00:00"}
    (folder / "job.json").write_text(json.dumps(arguments | stamp | {"settings": settings}))
    return folder
