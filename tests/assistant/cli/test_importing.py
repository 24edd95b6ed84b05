"""Conversations that a command is given: imported by the guarded job, or a sentence why not."""

import json
import random
import time
from pathlib import Path

import pytest

from assistant.cli import following
from assistant.cli.importing import import_conversations
from assistant.errors import AssistantError
from assistant.studio import Studio
from tests.fakes import FakeModels


@pytest.fixture
def studio(workspace) -> Studio:
    return Studio(workspace.root, FakeModels())


def chats(path: Path, count: int) -> Path:
    """A file of conversations no two of which are alike, nor like those of another file."""
    dice = random.Random(path.name)
    with path.open("w") as file:
        for _ in range(count):
            said = [f"{dice.getrandbits(200):x} {dice.getrandbits(200):x}" for _ in range(2)]
            messages = [{"role": "user", "content": said[0]}, {"role": "assistant", "content": said[1]}]
            file.write(json.dumps({"messages": messages}) + "\n")
    return path


def names(studio: Studio) -> list[str]:
    return [file.name for file in studio.conversations.files()]


def test_files_go_through_the_job_and_stay_where_they_are(studio, tmp_path):
    folder = tmp_path / "chats"
    folder.mkdir()
    paths = [chats(folder / name, 3) for name in ("spring.jsonl", "autumn.jsonl")]
    before = [path.read_bytes() for path in paths]
    import_conversations(studio, [folder])
    assert names(studio) == ["autumn.jsonl", "spring.jsonl"]
    assert [path.read_bytes() for path in paths] == before
    (job,) = studio.jobs.list()
    assert (job.kind, job.status) == ("conversations", "finished")
    import_conversations(studio, [folder])
    assert len(studio.jobs.list()) == 1, "nothing of it was new"


def test_what_waits_on_the_page_is_left_to_the_page(studio, tmp_path):
    studio.incoming.add([(chats(tmp_path / "upload", 3), "dropped.jsonl")])
    import_conversations(studio, [chats(tmp_path / "named.jsonl", 4)])
    assert names(studio) == ["named.jsonl"]
    assert [found.source.name for found in studio.incoming.found()] == ["dropped.jsonl"]


def test_one_that_can_not_be_imported_is_told_and_the_others_are_kept(studio, tmp_path):
    silent = tmp_path / "silent.csv"
    silent.write_text("ticket,role,text\n1,customer,Hello?\n2,customer,Well?\n")
    with pytest.raises(AssistantError, match=r"^silent\.csv was not imported\. silent\.csv has no usable"):
        import_conversations(studio, [silent, chats(tmp_path / "sound.jsonl", 3)])
    assert names(studio) == ["sound.jsonl"]


def test_one_that_is_not_recognised_is_told_before_any_is_imported(studio, tmp_path):
    odd = tmp_path / "odd.bin"
    odd.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(AssistantError, match=r"odd\.bin"):
        import_conversations(studio, [chats(tmp_path / "sound.jsonl", 3), odd])
    assert names(studio) == [] and studio.jobs.list() == []


def test_ctrl_c_ends_the_import_and_nothing_of_the_file_is_kept(studio, tmp_path, monkeypatch, capsys):
    sleep, presses = time.sleep, []

    def pressed(seconds: float) -> None:
        if not presses and studio.jobs.events(studio.jobs.list()[0].key):
            presses.append("Ctrl-C")
            raise KeyboardInterrupt
        sleep(min(seconds, 0.05))

    monkeypatch.setattr(following.time, "sleep", pressed)
    with pytest.raises(AssistantError, match=r"^Stopped; nothing of the file at work was kept\.$"):
        import_conversations(studio, [chats(tmp_path / "many.jsonl", 20_000)])
    assert "Stopping the import." in capsys.readouterr().err
    assert names(studio) == [] and not studio.jobs.running()
