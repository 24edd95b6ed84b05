"""What the tests of the working pages share: clicks, files dropped, what the viewer shows, and waiting."""

import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

REFUND = '{"messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "Five days."}]}'


class Panel(HTMLParser):
    """What a person sees in the viewer: all its text, what is marked, and on which page that is."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = self.marked = self.page = ""
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        self._open.append(tag)
        if not self.marked and "data-page" in named:
            self.page = named["data-page"] or ""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        self.marked += data if "mark" in self._open else ""


def clicked(**data: str) -> gr.EventData:
    """A click on a button that carries `data`."""
    return gr.EventData(None, data)


def dropped(files: dict[str, Path], failed: dict[str, str] | None = None) -> gr.EventData:
    """Files dropped, by name; `failed` are those whose upload failed, with the reason."""
    arrived = [{"path": str(path), "name": name} for name, path in files.items()]
    lost = [{"name": name, "reason": reason} for name, reason in (failed or {}).items()]
    return gr.EventData(None, {"files": arrived, "failed": lost})


def uploads(folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> dict[str, Path]:
    """Texts as uploaded files, by name, in an uploads' folder of the test's own."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return {name: folder / name for name in files}


def chats(count: int, question: str = "How long does refund number {} take?") -> str:
    """A file of conversations, one a line."""
    return "\n".join(REFUND % question.format(number) for number in range(count)) + "\n"


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What `condition` gives once it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "It did not come true in time."
        time.sleep(0.02)
    return found


def listening(page: Any) -> None:
    """Wait until a page that was just opened hears what is chosen in it, as any person's hand does."""
    page.locator(".q-dot").first.wait_for()
    page.wait_for_timeout(1000)


def choose(page: Any, label: str, value: str) -> None:
    """Choose a value in a list that opens; the list of the one before is closed by then."""
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=value, exact=True).click()
    page.get_by_role("listbox").wait_for(state="detached")
