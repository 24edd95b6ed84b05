import hashlib
import json
from dataclasses import replace

import pytest

from assistant import adapters
from assistant.adapters import (
    EvaluationLoss,
    Lineage,
    base_digest,
    check,
    current,
    data_digest,
    find,
    install,
    install_shipped,
    list_adapters,
    make_current,
    next_key,
)
from assistant.errors import AssistantError

LINEAGE = Lineage(
    base="tiny",
    base_digest="b",
    data_digest="d",
    index_version="7",
    prompt_hash="p",
    settings={"epochs": 2},
    losses=(EvaluationLoss(0, 3.0), EvaluationLoss(5, 2.0), EvaluationLoss(10, 2.5)),
    seconds=1.5,
    tokens=100,
    conversations=9,
    examples=12,
    grounded=3,
    created="2026-01-02T03:04:05+00:00",
)


@pytest.fixture
def run(tmp_path):
    """A finished run: an adapter, and a file that has no business in a version."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"r": 8}')
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "optimizer.pt").write_bytes(b"pickle")
    return folder


def test_a_version_is_installed_with_its_lineage_and_made_current(tmp_path, run):
    folder = tmp_path / "adapters"
    installed = install(folder, run, LINEAGE)
    assert installed == current(folder)
    assert (installed.key, installed.lineage) == ("0001", replace(LINEAGE, number=1, name="Version 1"))
    assert (installed.lineage.first_loss, installed.lineage.best_loss) == (3.0, 2.0)
    assert sorted(path.name for path in installed.folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "lineage.json",
    ]


def test_a_company_without_versions_has_none(tmp_path):
    assert list_adapters(tmp_path / "adapters") == []
    assert current(tmp_path / "adapters") is None
    assert next_key(tmp_path / "adapters") == "0001"


def test_versions_are_listed_newest_first_and_one_can_go_back(tmp_path, run):
    folder = tmp_path / "adapters"
    for name in ("first", "second", ""):
        install(folder, run, replace(LINEAGE, name=name))
    assert [(each.key, each.lineage.name) for each in list_adapters(folder)] == [
        ("0003", "Version 3"),
        ("0002", "second"),
        ("0001", "first"),
    ]
    make_current(folder, "0002")
    assert current(folder).lineage.name == "second"
    assert next_key(folder) == "0004"


def test_an_unknown_version_is_refused(tmp_path, run):
    install(tmp_path / "adapters", run, LINEAGE)
    for key in ("0009", "../run", ""):
        with pytest.raises(AssistantError) as problem:
            find(tmp_path / "adapters", key)
        expected = f"There is no adapter version {key!r}; there are: 0001. Choose one of them."
        assert str(problem.value) == expected


def test_changed_weights_are_refused_and_the_version_in_use_stays(tmp_path, run):
    folder = tmp_path / "adapters"
    first = install(folder, run, LINEAGE)
    second = install(folder, run, LINEAGE)
    weights = first.folder / "adapter_model.safetensors"
    weights.write_bytes(b"weightz")
    with pytest.raises(AssistantError) as problem:
        make_current(folder, "0001")
    found, expected = (hashlib.sha256(data).hexdigest()[:12] for data in (b"weightz", b"weights"))
    assert str(problem.value) == (
        f"{weights} has changed since it was installed (sha256 {found}, expected {expected}). "
        "Use another version, or train again."
    )
    assert current(folder).key == second.key


def test_missing_weights_are_refused(tmp_path, run):
    adapter = install(tmp_path / "adapters", run, LINEAGE)
    (adapter.folder / "adapter_model.safetensors").unlink()
    with pytest.raises(AssistantError, match="sha256 nothing, expected "):
        check(adapter)


def test_a_damaged_lineage_does_not_hide_the_other_versions(tmp_path, run):
    folder = tmp_path / "adapters"
    install(folder, run, LINEAGE)
    install(folder, run, LINEAGE)
    (folder / "0001" / "lineage.json").write_text('{"version": 1, "losses": []}')
    good, bad = list_adapters(folder)
    assert good.lineage is not None and bad.lineage is None
    assert bad.problem.startswith(f"{folder / '0001' / 'lineage.json'} misses a field or has one too many (")


def test_a_lineage_of_a_newer_quartet_says_so(tmp_path, run):
    folder = tmp_path / "adapters"
    path = install(folder, run, LINEAGE).folder / "lineage.json"
    path.write_text(json.dumps({"version": 2}))
    with pytest.raises(AssistantError) as problem:
        current(folder)
    assert str(problem.value) == f"{path}: version is 2; this Quartet reads 1. Update Quartet."


def test_an_install_without_room_says_so(tmp_path, run, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(adapters, "_copy", full)
    with pytest.raises(AssistantError, match=r"adapters can't be written \(No space .*\)\. Free some room"):
        install(tmp_path / "adapters", run, LINEAGE)
    assert list((tmp_path / "adapters").iterdir()) == []


def test_an_install_that_fails_leaves_nothing_behind(tmp_path, run):
    (run / "adapter_model.safetensors").unlink()
    with pytest.raises(FileNotFoundError):
        install(tmp_path / "adapters", run, LINEAGE)
    assert list((tmp_path / "adapters").iterdir()) == []


def test_a_shipped_version_keeps_its_name_and_losses(tmp_path, run):
    shipped = install(tmp_path / "elsewhere", run, replace(LINEAGE, name="Demo voice"))
    installed = install_shipped(tmp_path / "adapters", shipped.folder)
    assert (installed.key, installed.lineage.name) == ("0001", "Demo voice")
    assert installed.lineage.losses == LINEAGE.losses


def test_a_base_is_told_by_its_configuration_and_weights(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"1")
    first = base_digest(tmp_path)
    (tmp_path / "README.md").write_text("no matter")
    assert base_digest(tmp_path) == first
    (tmp_path / "model.safetensors").write_bytes(b"2")
    assert base_digest(tmp_path) != first


def test_data_are_told_by_their_text():
    one = [[("user", "a"), ("assistant", "b")]]
    assert (
        data_digest(one)
        == data_digest([[("user", "a"), ("assistant", "b")]])
        != data_digest([[("user", "ab")]])
    )
