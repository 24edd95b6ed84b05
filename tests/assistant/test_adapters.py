import hashlib
import json
from dataclasses import replace

import pytest

from assistant import adapters
from assistant.adapters import (
    EvaluationLoss,
    GeneralAnswer,
    Lineage,
    Report,
    Sample,
    SampleQuestion,
    Strength,
    base_digest,
    check,
    current,
    data_digest,
    delete,
    deleted,
    find,
    install,
    install_shipped,
    list_adapters,
    make_current,
    next_key,
    read_report,
    restore,
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
        "report.json",
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
    path.write_text(json.dumps({"version": 3}))
    with pytest.raises(AssistantError) as problem:
        current(folder)
    assert str(problem.value) == f"{path}: version is 3; this Quartet reads 1 and 2. Update Quartet."


def test_a_lineage_of_the_first_quartet_is_read_with_what_it_did_not_know_left_empty(tmp_path, run):
    folder = tmp_path / "adapters"
    path = install(folder, run, LINEAGE).folder / "lineage.json"
    newer = ("all_conversations", "code_version", "peak_memory")
    values = {key: value for key, value in json.loads(path.read_text()).items() if key not in newer}
    path.write_text(json.dumps(values | {"version": 1}))
    assert current(folder).lineage == replace(LINEAGE, number=1, name="Version 1")


def test_a_version_s_report_is_kept_and_an_older_one_without_it_has_an_empty_one(tmp_path, run):
    folder = tmp_path / "adapters"
    report = Report(
        questions=(SampleQuestion("q", "a"),),
        samples=(Sample(0, ("b",)), Sample(5, ("a",))),
        training=((1, 2.5),),
        general=(GeneralAnswer("Capital?", "Paris.", "Your parcel.", ("your parcel",)),),
        strengths=(Strength(1.0, 1.0, 0.5, 0.75),),
        learned=("0123456789ab",),
        estimated_seconds=60.0,
        estimated_memory=1000,
    )
    installed = install(folder, run, LINEAGE, report)
    assert read_report(installed.folder) == report
    (installed.folder / "report.json").unlink()
    assert read_report(installed.folder) == Report()


def test_a_deleted_version_comes_back_until_the_next_one_is_deleted(tmp_path, run):
    folder = tmp_path / "adapters"
    for _ in range(3):
        install(folder, run, LINEAGE)
    delete(folder, "0001")
    assert [each.key for each in list_adapters(folder)] == ["0003", "0002"]
    assert deleted(folder).key == "0001"
    restore(folder)
    assert [each.key for each in list_adapters(folder)] == ["0003", "0002", "0001"] and not deleted(folder)
    delete(folder, "0001")
    delete(folder, "0002")
    assert deleted(folder).key == "0002"


def test_the_number_of_a_deleted_version_is_not_given_again(tmp_path, run):
    folder = tmp_path / "adapters"
    install(folder, run, LINEAGE)
    install(folder, run, LINEAGE)
    make_current(folder, "0001")
    delete(folder, "0002")
    assert next_key(folder) == "0003"


def test_the_version_in_use_can_not_be_deleted(tmp_path, run):
    folder = tmp_path / "adapters"
    install(folder, run, LINEAGE)
    with pytest.raises(AssistantError) as problem:
        delete(folder, "0001")
    assert str(problem.value) == "Version 1 is in use, so it can't be deleted. Use another version first."
    with pytest.raises(AssistantError, match=r"There is no adapter version '../run'"):
        delete(folder, "../run")
    assert [each.key for each in list_adapters(folder)] == ["0001"]


def test_without_a_deleted_version_none_comes_back(tmp_path):
    with pytest.raises(AssistantError, match="No deleted version is kept any more"):
        restore(tmp_path / "adapters")


def test_an_install_without_room_says_so(tmp_path, run, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(adapters.versions, "_copy", full)
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
