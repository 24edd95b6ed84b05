"""Which files are meant, and what each is called."""

from pathlib import Path

import pytest

from knowledge.errors import KnowledgeError
from knowledge.names import check_name, files_under


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x", encoding="utf-8")


def test_a_folder_is_walked_and_names_are_relative_to_it(tmp_path: Path) -> None:
    make(tmp_path, "b.md", "care/a.md")
    assert files_under([tmp_path]) == [(tmp_path / "b.md", "b.md"), (tmp_path / "care/a.md", "care/a.md")]


def test_a_file_goes_by_its_own_name(tmp_path: Path) -> None:
    make(tmp_path, "care/a.md")
    assert files_under([tmp_path / "care/a.md"]) == [(tmp_path / "care/a.md", "a.md")]


def test_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    assert files_under([tmp_path / "a.md", tmp_path, tmp_path / "a.md"]) == [(tmp_path / "a.md", "a.md")]


def test_hidden_files_office_leftovers_and_links_are_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "a.md", ".hidden", ".git/config", "~$a.docx")
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    assert [name for _, name in files_under([tmp_path])] == ["a.md"]


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError) as caught:
        files_under([tmp_path / "gone"])
    assert str(caught.value) == f"{tmp_path / 'gone'} is not there. Check how it is spelt, then try again."


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError) as caught:
        files_under([tmp_path])
    assert str(caught.value) == f"{tmp_path} holds no files. Choose a folder with documents in it."


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("care/a.md", "care/a.md"),
        ("care\\a.md", "care/a.md"),
        ("./care//a.md", "care/a.md"),
        ("a\u202e\x00b.md", "ab.md"),
        ("Cafe\u0301.md", "Café.md"),
        ("\ud800lone.md", "lone.md"),
    ],
)
def test_names_are_cleaned(name: str, kept: str) -> None:
    assert check_name(name) == kept


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../a.md", "a/../../b.md", ".hidden.md", "..", "\u200b"])
def test_names_that_lead_outside_are_refused(name: str) -> None:
    with pytest.raises(KnowledgeError, match=r"can't be a document's name\. It must be the name of a file"):
        check_name(name)


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(KnowledgeError) as caught:
        check_name("x" * 200 + ".md")
    assert str(caught.value) == (
        f"The name {'x' * 60}… is too long. Every part of a name has at most 150 bytes. "
        "Give the file a shorter name and add it again."
    )
