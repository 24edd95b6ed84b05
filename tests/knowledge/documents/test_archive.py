"""Zip files: what is unpacked, and what is refused before it can do harm."""

import zipfile
from pathlib import Path

import pytest

from knowledge.documents.archive import Member, unpack
from knowledge.errors import KnowledgeError
from tests.knowledge.documents.making import archive


def unpacked(folder: Path, data: bytes) -> list[Member]:
    path = folder / "a.zip"
    path.write_bytes(data)
    target = folder / "out"
    target.mkdir()
    return list(unpack(path, "a.zip", target))


def test_files_come_out_under_their_names(tmp_path: Path) -> None:
    data = archive(
        {"docs/": "", "docs/pots.md": "Clay.", "__MACOSX/._x": "x", "docs/.DS_Store": "x", "b.txt": "Bag."}
    )
    members = unpacked(tmp_path, data)
    assert [(member.name, member.path.read_text()) for member in members if member.path] == [
        ("docs/pots.md", "Clay."),
        ("b.txt", "Bag."),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("../up.md", "../up.md in a.zip would be written outside of its folder. Such names are refused,"),
        ("/etc/up.md", "/etc/up.md in a.zip would be written outside of its folder."),
        ("docs/../../up.md", "would be written outside of its folder."),
        ("C:/up.md", "would be written outside of its folder."),
        (
            "inner.zip",
            "inner.zip is an archive within the archive a.zip. Only one level is opened. Unpack it",
        ),
    ],
)
def test_a_file_that_is_refused_costs_only_itself(tmp_path: Path, name: str, text: str) -> None:
    bad, good = unpacked(tmp_path, archive({name: "x", "good.md": "Good."}))
    assert text in bad.problem
    assert (bad.path, good.name, good.problem) == (None, "good.md", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "out"]


def test_a_locked_file_is_named(tmp_path: Path) -> None:
    data = bytearray(archive({"secret.md": "x"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "secret.md in a.zip is locked with a password" in unpacked(tmp_path, bytes(data))[0].problem


def test_a_damaged_file_costs_only_itself(tmp_path: Path) -> None:
    data = bytearray(archive({"bad.md": "x" * 100, "good.md": "Good."}))
    data[40] ^= 0xFF
    bad, good = unpacked(tmp_path, bytes(data))
    assert "bad.md in a.zip can't be read; it seems damaged" in bad.problem
    assert good.path is not None


def test_a_file_that_lies_about_its_size_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "lie.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.txt", b"0" * 5_000_000)
    data = path.read_bytes().replace((5_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    (member,) = unpacked(tmp_path, data)
    assert member.problem or member.path.stat().st_size <= 1000


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"no zip", "a.zip can't be read; it seems damaged"),
        (archive({}), "a.zip holds no files. Check that it is the right one, and add it again."),
        (archive({"a.txt": b"0" * 40_000_000}), "a.zip would unpack from 0.0 to 40.0 MB in 1 parts."),
        (archive({str(number): b"" for number in range(5001)}), "in 5,001 parts"),
    ],
    ids=["no zip", "empty", "bomb", "too many"],
)
def test_an_archive_that_is_refused_as_a_whole(tmp_path: Path, data: bytes, text: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        unpacked(tmp_path, data)
    assert text in str(caught.value)
