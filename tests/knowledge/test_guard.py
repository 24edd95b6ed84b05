"""The process that reads: a nasty file costs only itself."""

import io
import json
import os
import signal
from pathlib import Path

import pytest

from knowledge import confined
from knowledge.confined import answer_all
from knowledge.documents import Guard, guard, read_document, read_guarded
from knowledge.documents.__main__ import answer
from knowledge.documents.guard import document_from_json, document_to_json
from knowledge.errors import KnowledgeError
from tests.knowledge.conftest import make_word
from tests.ui.working_pages import until


def good(folder: Path) -> Path:
    path = folder / "good.md"
    path.write_text("# Good\n\nText.\n", encoding="utf-8")
    return path


def test_the_guard_reads_what_the_reader_reads(tmp_path: Path) -> None:
    path = make_word(tmp_path / "a.docx")
    assert read_guarded(path, "b/a.docx") == read_document(path, "b/a.docx")


def test_a_refusal_comes_through_word_for_word(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(KnowledgeError, match=r"a\.txt holds no text that people could read"):
        read_guarded(path, "a.txt")


def test_a_file_that_takes_too_long_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Guard() as reader:
        monkeypatch.setattr(guard, "SECONDS", 0.004)
        with pytest.raises(KnowledgeError) as caught:
            reader.read(good(tmp_path), "slow.md")
        monkeypatch.setattr(guard, "SECONDS", 12.0)
        assert reader.read(good(tmp_path), "good.md").title == "Good"
    assert str(caught.value) == (
        "slow.md took longer than 0 seconds to read. That is the limit for one document. "
        "Split it, or save its text as a new document, and add that."
    )


def test_a_file_that_takes_too_much_memory_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = tmp_path / "large.txt"
    large.write_bytes(b"word\n\n" * 8_000_000)
    monkeypatch.setattr(guard, "MEMORY", 250 << 20)
    with Guard() as reader:
        with pytest.raises(KnowledgeError) as caught:
            reader.read(large, "large.txt")
        assert reader.read(good(tmp_path), "good.md").title == "Good"
    assert str(caught.value) == (
        "large.txt needed more than 250 MB of memory to read. That is the limit for one document. "
        "Split it, or save its text as a new document, and add that."
    )


def test_a_file_that_ends_its_reader_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined.sys, "executable", "/bin/false")
    with pytest.raises(KnowledgeError) as caught:
        read_guarded(good(tmp_path), "crash.md")
    assert str(caught.value) == (
        "crash.md made its reader stop (exit status 1). Files that do so are refused. "
        "Save its text as a new document and add that."
    )


def test_a_worker_killed_between_two_files_is_replaced(tmp_path: Path) -> None:
    with Guard() as reader:
        reader.read(good(tmp_path), "good.md")
        os.kill(reader.reader.pid, signal.SIGKILL)
        until(lambda: reader.reader.pid is None)
        assert reader.read(good(tmp_path), "good.md").title == "Good"


def test_one_worker_serves_many_files(tmp_path: Path) -> None:
    with Guard() as reader:
        reader.read(good(tmp_path), "one.md")
        first = reader.reader.pid
        with pytest.raises(KnowledgeError):
            reader.read(tmp_path / "missing.md", "missing.md")
        reader.read(good(tmp_path), "two.md")
        assert reader.reader.pid == first


def test_a_document_survives_json(tmp_path: Path) -> None:
    document = read_document(make_word(tmp_path / "a.docx"), "a.docx")
    assert document_from_json(document_to_json(document)) == document


def test_the_process_answers_line_by_line(tmp_path: Path) -> None:
    asked = [(str(good(tmp_path)), "good.md"), (str(tmp_path / "gone.md"), "gone.md")]
    requests = "\n".join(json.dumps([20, {"path": path, "name": name}]) for path, name in asked)
    replies = io.BytesIO()
    answer_all(io.BytesIO(requests.encode()), replies, answer)
    first, second = (json.loads(line)["answer"] for line in replies.getvalue().splitlines())
    assert document_from_json(first["document"]) == read_document(good(tmp_path), "good.md")
    assert second["refused"].startswith("gone.md can't be opened")
