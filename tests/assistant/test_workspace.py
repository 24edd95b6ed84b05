"""Where a company's files are, and that writing one never leaves half of it."""

import json
import os
from pathlib import Path

import pytest

from assistant.errors import AssistantError
from assistant.workspace import (
    companies_beside,
    create_company,
    default_workspace,
    open_workspace,
    quartet_home,
    read_json,
    write_bytes,
    write_json,
    write_text,
)


def test_opening_makes_the_folders_and_a_versioned_marker(tmp_path):
    workspace = open_workspace(tmp_path / "new" / "acme")
    assert json.loads((workspace.root / "workspace.json").read_text()) == {"version": 1}
    for folder in (workspace.knowledge, workspace.conversations, workspace.adapters, workspace.jobs):
        assert folder.is_dir()
        assert folder.parent == workspace.root
    assert workspace.database.parent == workspace.brand_file.parent == workspace.root


def test_nobody_else_on_this_machine_can_look_into_a_company(tmp_path):
    root = open_workspace(tmp_path / "companies" / "acme").root
    assert root.stat().st_mode & 0o077 == 0


def test_opening_again_changes_nothing(workspace):
    write_text(workspace.brand_file, 'name = "Acme"')
    before = {path: path.stat().st_mtime_ns for path in workspace.root.rglob("*") if path.is_file()}
    assert open_workspace(workspace.root) == workspace
    assert {path: path.stat().st_mtime_ns for path in workspace.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("marker", "text"),
    [
        ('{"version": 2}', r"layout version 2, and this Quartet reads version 1. Update Quartet"),
        ("{}", "layout version None"),
        ("[1]", r"layout version \[1\]"),
        ('{"version": ', "is not valid JSON"),
        ("\udcff", "is not valid JSON"),
    ],
    ids=["newer", "no-version", "no-object", "cut-off", "no-utf8"],
)
def test_a_marker_that_cant_be_used_is_named(workspace, marker, text):
    (workspace.root / "workspace.json").write_bytes(marker.encode(errors="surrogateescape"))
    with pytest.raises(AssistantError, match=text) as caught:
        open_workspace(workspace.root)
    assert "workspace.json" in str(caught.value)


def test_a_folder_that_cant_be_made_is_named_with_the_option_that_helps(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(AssistantError, match="--workspace") as caught:
        open_workspace(tmp_path / "file" / "acme")
    assert str(tmp_path / "file" / "acme") in str(caught.value)


def test_models_and_companies_live_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("QUARTET_HOME", str(tmp_path / "elsewhere"))
    assert quartet_home() == tmp_path / "elsewhere"
    assert default_workspace() == tmp_path / "elsewhere" / "companies" / "fernhollow"
    monkeypatch.setenv("QUARTET_HOME", "")
    assert quartet_home() == Path.home() / ".quartet"


def test_a_new_company_gets_a_folder_of_its_name_beside_the_others(workspace):
    created = create_company(workspace, "  Müller & Söhne 2! ")
    assert created.root == workspace.root.parent / "müller-söhne-2"
    (workspace.root.parent / "not-a-company").mkdir()
    assert companies_beside(workspace) == [workspace, created]


@pytest.mark.parametrize(
    ("name", "text"), [("???", "needs at least one letter"), ("ACME", "already kept in")]
)
def test_a_company_needs_a_name_of_its_own(workspace, name, text):
    with pytest.raises(AssistantError, match=text):
        create_company(workspace, name)


def test_a_company_may_be_named_in_any_script(workspace):
    assert create_company(workspace, "東京 植物").root.name == "東京-植物"


def test_a_company_name_cant_leave_the_companies_folder(workspace):
    assert create_company(workspace, "../../etc").root == workspace.root.parent / "etc"


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "kept.txt"
    write_text(path, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AssistantError, match=r"kept.txt can't be written \(No space .*\)\. Free some room"):
        write_text(path, "new")
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == ["kept.txt"]
    assert path.read_text() == "old"


def test_a_file_is_forced_to_disk_before_it_takes_the_old_ones_place(tmp_path, monkeypatch):
    path, steps = tmp_path / "it", []
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda _: steps.append(path.read_bytes()))
    write_bytes(path, b"new")
    assert steps == [b"old"]
    assert path.read_bytes() == b"new"


def test_json_comes_back_as_it_was_written(tmp_path):
    value = {"naïve": ["£", None, 1.5, True]}
    write_json(tmp_path / "deep" / "it.json", value)
    assert read_json(tmp_path / "deep" / "it.json") == value
    assert "naïve" in (tmp_path / "deep" / "it.json").read_text(encoding="utf-8")


def test_a_missing_json_file_is_named(tmp_path):
    with pytest.raises(AssistantError, match=r"gone\.json is missing"):
        read_json(tmp_path / "gone.json")
