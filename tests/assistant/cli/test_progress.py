"""Progress on stderr: a changing line on a terminal, lines now and then in a log."""

import io
import sys

import pytest

from assistant.cli import progress as module
from assistant.cli.progress import CLEAR, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The seconds that the next looks at the clock will find."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_a_log_gets_a_line_for_each_tenth_and_each_new_text(monkeypatch, clock):
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    show = Progress()
    for hundredth in range(0, 101):
        clock[0] = hundredth / 10
        show("Fetching the model", hundredth / 100)
    show("Unpacking", 0.95)
    lines = log.getvalue().splitlines()
    assert len(lines) == 12
    assert lines[0] == "Fetching the model"
    assert lines[5] == "Fetching the model: 50 %, 5 s left"
    assert lines[-2:] == ["Fetching the model", "Unpacking: 95 %"]


def test_a_terminal_has_one_line_that_changes_and_goes_before_results(monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    show = Progress()
    show("Loading", 0.2)
    clock[0] = 4.0
    show("Loading", 0.5)
    show.end()
    assert terminal.getvalue() == f"{CLEAR}Loading: 20 %{CLEAR}Loading: 50 %, 4 s left{CLEAR}"


def test_work_that_is_done_keeps_its_line(monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    show = Progress()
    show("The model is ready", 1.0)
    show.end()
    assert terminal.getvalue() == f"{CLEAR}The model is ready\n"
