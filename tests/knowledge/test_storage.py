"""Files that are whole or not there, and the lock."""

import threading
from pathlib import Path

import pytest

from knowledge import storage
from knowledge.errors import KnowledgeError
from knowledge.storage import folder_lock, write_bytes


def test_a_file_that_could_not_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes(tmp_path / "a", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_lock_lets_one_in_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(20):
            with folder_lock(tmp_path / "lock"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (80, 1)


def test_whoever_waits_too_long_is_told_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "LOCK_SECONDS", 0.05)
    with (
        folder_lock(tmp_path / "lock"),
        pytest.raises(KnowledgeError) as caught,
        folder_lock(tmp_path / "lock"),
    ):
        pass
    assert str(caught.value) == (
        f"The documents in {tmp_path} are being changed by another window or task (waited 0 seconds). "
        "Only one change is made at a time. Wait until it has finished, then try again."
    )
