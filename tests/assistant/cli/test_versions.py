"""`quartet version` and `quartet train --estimate`, from the command line."""

import json

import pytest
from typer.testing import CliRunner

from assistant.adapters import FILES, current, install, list_adapters
from assistant.cli import app
from assistant.loading import LocalModels
from assistant.training import TrainingSettings
from assistant.training.estimate import keep_measurement
from assistant.trainings import Trainings
from assistant.workspace import open_workspace
from tests.assistant.test_adapters import LINEAGE
from tests.assistant.training.test_estimate import MEASURED
from tests.ui.working_pages import chats


@pytest.fixture
def company(tmp_path):
    """A company with two versions; the second is in use."""
    workspace = open_workspace(tmp_path / "acme")
    for name in FILES:
        (tmp_path / name).write_text("{}")
    for _ in range(2):
        install(workspace.adapters, tmp_path, LINEAGE)
    return workspace


@pytest.fixture
def run(company):
    def call(*arguments):
        words = [*map(str, arguments), "--workspace", str(company.root)]
        return CliRunner().invoke(app, words)

    return call


def test_versions_are_listed_as_json_newest_first(run):
    lines = [json.loads(line) for line in run("version", "list").stdout.splitlines()]
    assert [(line["version"], line["in_use"]) for line in lines] == [(2, True), (1, False)]
    assert (lines[0]["loss_before"], lines[0]["loss"], lines[0]["bytes"]) == (3.0, 2.0, 4)


def test_a_damaged_version_is_listed_with_its_problem(run, company):
    (company.adapters / "0001" / "lineage.json").write_text("{")
    assert "not valid JSON" in json.loads(run("version", "list").stdout.splitlines()[1])["problem"]


def test_a_version_is_shown_used_removed_and_brought_back(run, company):
    assert json.loads(run("version", "show", 1).stdout)["lineage"]["tokens"] == LINEAGE.tokens
    assert run("version", "use", 1).exit_code == 0 and current(company.adapters).key == "0001"
    refused = run("version", "remove", 1)
    assert refused.exit_code == 1 and "Version 1 is in use" in refused.stderr
    run("version", "remove", 2)
    assert [each.key for each in list_adapters(company.adapters)] == ["0001"]
    run("version", "restore")
    assert [each.key for each in list_adapters(company.adapters)] == ["0002", "0001"]


def test_a_version_is_exported_for_peft(run, tmp_path):
    assert run("version", "export", 1, tmp_path / "out").exit_code == 0
    assert {*FILES, "lineage.json"} == {path.name for path in (tmp_path / "out").iterdir()}


def test_a_version_is_exported_merged_by_a_job(run, company, tmp_path, monkeypatch):
    asked = []

    def merge(self, key, model, target):
        asked.append((key, model, target))
        return self.jobs.start("tests.assistant.little_job", {"ending": "finished"})

    monkeypatch.setattr(Trainings, "merge", merge)
    monkeypatch.setattr(LocalModels, "folder", lambda self, report: tmp_path / "model")
    assert run("version", "export", 1, tmp_path / "out", "--merged").exit_code == 0
    assert asked == [("0001", tmp_path / "model", tmp_path / "out")]


def test_what_is_no_adapter_is_not_imported(run, tmp_path, monkeypatch):
    monkeypatch.setattr(LocalModels, "folder", lambda self, report: tmp_path / "model")
    refused = run("version", "import", tmp_path / "acme")
    assert refused.exit_code == 1 and "has no adapter_config.json" in refused.stderr


def test_an_estimate_is_printed_and_measured_first_where_it_was_not(run, company, tmp_path, monkeypatch):
    (tmp_path / "june.jsonl").write_text(chats(40))
    monkeypatch.setattr(LocalModels, "folder", lambda self, report: tmp_path / "model")

    def measure(self, values, model):
        keep_measurement(company, model, TrainingSettings.of(values), MEASURED)
        return self.jobs.start("tests.assistant.little_job", {"ending": "finished"})

    monkeypatch.setattr(Trainings, "measure", measure)
    first = run("train", tmp_path / "june.jsonl", "--estimate", "--preset", "quick")
    second = run("train", "--estimate", "--preset", "quick")
    assert first.exit_code == second.exit_code == 0
    assert json.loads(first.stdout.splitlines()[-1]) == json.loads(second.stdout)
    assert json.loads(second.stdout)["memory"] == MEASURED.peak_memory
    assert run("train", "--estimate", "--preset", "thorough").exit_code == 0


def test_an_unknown_preset_is_refused(run):
    refused = run("train", "--preset", "perfect")
    assert refused.exit_code == 1
    assert "--preset 'perfect' is none; there are quick, balanced, thorough." in refused.stderr
