"""Who works and who waits; the processes are real ones."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from assistant.errors import AssistantError
from assistant.jobs import line, read_log, turn
from tests.ui.working_pages import until

HOLDS = """
import sys
from pathlib import Path
from assistant.jobs import turn
with turn(Path(sys.argv[1]), "training"):
    print("working", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def working(tmp_path):
    """A process that works in the folder `first` until it is killed."""
    (tmp_path / "first").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path / "first")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout.readline() == b"working\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(line, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(line, "PATIENCE", 0.2)


def wait(folder, name="training"):
    """Stand in line in a thread; gives the list that its turn, once it came, is noted in."""
    folder.mkdir()
    come = []

    def stand():
        with turn(folder, name) as mine:
            come.append(mine)

    threading.Thread(target=stand, daemon=True).start()
    return come


def test_the_second_waits_until_the_first_is_gone_even_if_it_was_killed(tmp_path, working):
    come = wait(tmp_path / "second")
    until(lambda: read_log(tmp_path / "second"))
    assert read_log(tmp_path / "second")[-1]["event"] == "waiting" and come == []
    working.kill()
    assert until(lambda: come) == [True]


def test_those_who_wait_work_in_the_order_they_came(tmp_path, working):
    second = wait(tmp_path / "second")
    until(lambda: read_log(tmp_path / "second"))
    third = wait(tmp_path / "another")
    until(lambda: read_log(tmp_path / "another"))
    assert [event["before"] for event in read_log(tmp_path / "another")] == [2]
    assert (second, third) == ([], [])
    working.kill()
    assert until(lambda: third) == [True] and second == [True]


def test_another_line_does_not_wait(tmp_path, working):
    come = wait(tmp_path / "other", "baking")
    assert until(lambda: come) == [True]


def test_one_that_is_asked_to_stop_leaves_the_line_without_its_turn(tmp_path, working):
    come = wait(tmp_path / "second")
    until(lambda: read_log(tmp_path / "second"))
    (tmp_path / "second" / "stop").touch()
    assert until(lambda: come) == [False]


def test_two_processes_never_work_in_one_folder(tmp_path, working):
    with (
        pytest.raises(AssistantError, match=r"Another process works in .*first already"),
        turn(tmp_path / "first", "training"),
    ):
        pass


def test_nobody_comes_before_those_in_line_because_the_clock_was_set_back(tmp_path, working, monkeypatch):
    monkeypatch.setattr(line.time, "time_ns", lambda: 1)  # the first came when the clock was decades on
    come = wait(tmp_path / "second")
    until(lambda: read_log(tmp_path / "second"))
    assert come == [] and read_log(tmp_path / "second")[-1]["before"] == 1
    working.kill()
    assert until(lambda: come) == [True]
