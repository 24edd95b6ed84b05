"""Opening the models of this machine: what was named is found first, and then loaded."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant import loading
from assistant.endpoint import Endpoint
from assistant.errors import AssistantError
from assistant.lanes import Request, Sampling
from assistant.loading import LocalModels, RemoteModels
from assistant.prompts import Message


def test_a_named_folder_becomes_an_engine_that_answers(tiny_model_folder):
    reports = []
    engine = LocalModels(str(tiny_model_folder)).engine(
        lambda text, fraction: reports.append((text, fraction))
    )
    request = Request((Message("user", "Hi"),), sampling=Sampling(max_tokens=3))
    *_, last = engine.generate([request])
    assert last.finish.base == tiny_model_folder.name
    assert reports == [(f"Loading {tiny_model_folder.name}", 0.97)]
    engine.close()


def test_the_folder_is_the_one_that_is_loaded(tiny_model_folder):
    assert LocalModels(str(tiny_model_folder)).folder(lambda *_: None) == tiny_model_folder


def test_a_folder_without_a_model_is_refused_before_anything_is_loaded(tmp_path):
    with pytest.raises(AssistantError, match=r"has no config\.json"):
        LocalModels(str(tmp_path)).engine(lambda *_: None)


def test_the_encoder_is_the_pinned_one_whatever_chat_model_is_named(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(loading, "embedding_model", lambda report, name: tmp_path / (name or "pinned"))
    embedding = SimpleNamespace(SentenceEncoder=lambda folder: opened.append(folder) or "encoder")
    monkeypatch.setitem(sys.modules, "knowledge.embedding", embedding)  # the real one takes seconds to import
    assert LocalModels("org/other").encoder(lambda *_: None) == "encoder"
    assert LocalModels().encoder(lambda *_: None, "named") == "encoder"
    assert opened == [tmp_path / "pinned", tmp_path / "named"]


def test_a_model_on_a_server_cant_be_trained_but_one_named_beside_it_can(tiny_model_folder):
    endpoint = Endpoint("http://gpu/v1", "acme/base")
    with pytest.raises(AssistantError) as caught:
        RemoteModels(endpoint).folder(lambda *_: None)
    assert str(caught.value) == (
        "acme/base is on a model server, and training needs a model on this machine. Start Quartet with "
        "--model too, naming the folder or hub id of the same model, and load the adapter that comes out of "
        "it on the server."
    )
    named = RemoteModels(endpoint, LocalModels(str(tiny_model_folder)))
    assert named.folder(lambda *_: None) == tiny_model_folder


def test_importing_the_light_modules_imports_no_heavy_library():
    """The command line answers `--help` at once, and pages are up before the models are."""
    heavy = ("torch", "transformers", "peft", "trl", "sentence_transformers", "gradio", "openai")
    code = f"import sys, assistant.cli; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "[]\n")
