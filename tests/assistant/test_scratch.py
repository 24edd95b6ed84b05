"""Folders for what is in the making: cleared after those who were killed, left alone while somebody works."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from assistant.scratch import scratch_folder

HOLDER = """
import sys, time
from pathlib import Path
from assistant.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1]), "work-") as folder:
    (folder / "half").touch()
    print(folder, flush=True)
    time.sleep(600)
"""


def test_a_folder_is_its_own_processs_alone_and_goes_with_it(tmp_path):
    with scratch_folder(tmp_path, "work-") as folder:
        assert folder.stat().st_mode & 0o077 == 0
        with scratch_folder(tmp_path, "work-") as other:
            assert folder.exists() and other != folder
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    left = Path(holder.stdout.readline().strip())
    (tmp_path / "work-file").touch()
    (tmp_path / "kept").mkdir()
    (tmp_path / "work-link").symlink_to(tmp_path / "kept")
    with scratch_folder(tmp_path, "work-"):
        assert (left / "half").exists()
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with scratch_folder(tmp_path, "work-"):
        assert not left.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "work-file", "work-link"]


def test_a_folder_that_another_process_took_for_one_that_was_left_is_made_anew(tmp_path, monkeypatch):
    taken = []
    opened = os.open

    def late(path: Path, *options: int) -> int:
        if not taken:
            taken.append(path)
            Path(path).rmdir()
        return opened(path, *options)

    monkeypatch.setattr(os, "open", late)
    with scratch_folder(tmp_path, "work-") as folder:
        assert folder.exists() and folder not in taken
