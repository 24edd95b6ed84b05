"""The versions on the page Train, by their handlers and in a browser."""

import io
import zipfile
from dataclasses import replace

import pytest

from assistant.adapters import (
    FILES,
    EvaluationLoss,
    GeneralAnswer,
    Lineage,
    Report,
    Sample,
    SampleQuestion,
    Strength,
    install,
)
from assistant.adapters import list_adapters as listed
from assistant.studio import Readiness
from tests.ui.working_pages import chats, clicked

REPORT = Report(
    questions=(SampleQuestion("Where is <it>?", "On its way."),),
    samples=(Sample(0, ("No idea.",)), Sample(5, ("Soon.",)), Sample(9, ("Your parcel is near.",))),
    training=((1, 2.5), (9, 2.0)),
    general=(
        GeneralAnswer("Capital of France?", "Paris.", "Your parcel is in Paris.", ("your parcel is in",)),
        GeneralAnswer("A joke?", "Knock.", "Knock knock.", ()),
        GeneralAnswer("Two?", "Two.", "Two.", ()),
    ),
    strengths=(Strength(0.0, 0.0, 0.0, 0.1), Strength(1.0, 2 / 3, 1 / 3, 0.9)),
    learned=("0" * 12,),
    estimated_seconds=45.0,
)
LOSSES = (EvaluationLoss(0, 2.41), EvaluationLoss(9, 1.52))


@pytest.fixture
def trained(studio, tmp_path):
    """Acme with version 1, which holds nothing, and version 2, which has all there is to know."""
    for name in FILES:
        (tmp_path / name).write_text("{}")
    lineage = Lineage(
        "paper",
        "b",
        "d",
        "",
        "",
        {"epochs": 2, "rank": 8},
        LOSSES,
        60.0,
        9,
        7,
        8,
        0,
        "2026-01-02T00:00:00+00:00",
        name="Friendly",
    )
    install(studio.workspace.adapters, tmp_path, lineage, REPORT)
    return studio


@pytest.fixture
def shown(handlers):
    """Calls a handler of the versions and returns what it shows, by element id."""

    def run(name, *values):
        return {component.elem_id: value for component, value in handlers[name](*values).items()}

    return run


def test_versions_are_listed_newest_first_and_an_older_one_is_used(trained, shown):
    page = shown("version_use", clicked(name="0002"))
    assert "2.41 → 1.52" in page["q-train-use"] and "<h3>Friendly</h3>" in page["q-train-use"]
    assert page["q-train-versions"].index("Version 2: Friendly") < page["q-train-versions"].index("Version 1")
    page = shown("version_use", clicked(name="0001"))
    assert "<h3>Version 1</h3>" in page["q-train-use"] and trained.adapter().key == "0001"


def test_a_version_is_looked_at_closely(trained, shown):
    page = shown("version_pick", clicked(name="0002"))
    closer = page["q-train-closer"]
    for text in ("Where is &lt;it&gt;?", "Your parcel is near.", "No idea.", "On its way.", "Soon."):
        assert text in closer
    assert "2 of 3 everyday answers read differently now; 1 took up a phrase of your conversations." in closer
    assert "Yours: your parcel is in" in closer and "1 other changed answer" in closer
    assert '<td>100 %</td><td class="q-number">90 %</td><td class="q-number">67 %</td>' in closer
    assert "Time estimated" in closer and "45 s" in closer
    assert 'href="adapters/0002.zip"' in page["q-train-download"]


def test_two_versions_are_shown_side_by_side_with_their_differences_only(trained, shown):
    differing = shown("version_look", "0002", "0001", True)["q-train-closer"]
    whole = shown("version_look", "0002", "0001", False)["q-train-closer"]
    assert "Loss after" in differing and "Base model" not in differing.split("q-train-sides")[0]
    assert "Base model" in whole.split("q-train-sides")[0]
    assert differing.count("<section>") == 2
    assert "It has no answers to held-out questions." in differing


def test_two_versions_of_one_origin_are_said_to_be_the_same(trained, shown, tmp_path):
    folder = trained.workspace.adapters
    first = listed(folder)[0]
    install(folder, tmp_path, first.lineage, REPORT)
    text = shown("version_look", "0003", "0002", True)["q-train-closer"]
    assert "These two come from the same data, settings and code." in text


def test_a_deleted_version_comes_back_and_the_one_in_use_stays(trained, shown):
    page = shown("version_delete", clicked(name="0001"))
    assert "Deleted <b>Version 1</b>" in page["q-train-versions"]
    assert [each.key for each in listed(trained.workspace.adapters)] == ["0002"]
    page = shown("version_restore")
    assert [each.key for each in listed(trained.workspace.adapters)] == ["0002", "0001"]
    refused = shown("version_delete", clicked(name="0002"))["q-train-versions-said"]
    assert "Version 2 is in use, so it can&#x27;t be deleted." in refused


def test_a_damaged_version_is_named_and_not_used(trained, shown):
    folder = trained.workspace.adapters
    (folder / "0001" / FILES[0]).write_text("changed")
    said = shown("version_use", clicked(name="0001"))["q-train-versions-said"]
    assert "has changed since it was installed" in said
    assert "no adapter version" in shown("version_use", clicked(name="9"))["q-train-versions-said"]
    (folder / "0001" / "lineage.json").write_text("{")
    assert "Version 1 can&#x27;t be used." in shown("version_restore")["q-train-versions"]
    assert "is not valid JSON" in shown("version_look", "0001", "", True)["q-train-closer"]


def test_the_current_version_gone_is_reported(studio, shown):
    (studio.workspace.adapters / "current").write_text("0009\n")
    page = shown("version_restore")
    assert "version &#x27;0009&#x27; is in use; there are: 0001" in page["q-train-versions-said"]
    assert "wait for their first version" in page["q-train-use"]


def test_another_training_is_due_once_conversations_have_changed(trained, shown, tmp_path):
    (tmp_path / "june.jsonl").write_text(chats(40, "Question {}"))
    trained.conversations.add(tmp_path / "june.jsonl", "june.jsonl")
    due = shown("version_use", clicked(name="0002"))["q-train-use"]
    assert "40 conversations were added or edited. 1 conversation was taken out or edited." in due
    assert "Training anew is due." in due


def test_that_documents_have_changed_is_told_once_all_of_them_are_there(trained, shown):
    replace(REPORT, documents=("d1", "d2")).write(trained.workspace.adapters / "0002")
    ready, trained.readiness = trained.readiness, Readiness(False, "Reading documents")
    assert "document" not in shown("version_use", clicked(name="0002"))["q-train-use"]
    trained.readiness = replace(ready, ready=True)
    assert (
        "2 documents were taken out or changed." in shown("version_use", clicked(name="0002"))["q-train-use"]
    )


def test_a_file_that_is_no_adapter_is_refused_in_place(trained, shown, tmp_path, monkeypatch):
    (tmp_path / "voice.zip").write_text("no zip")
    said = shown("version_import", str(tmp_path / "voice.zip"))["q-train-versions-said"]
    assert "voice.zip can&#x27;t be opened as a zip" in said


def test_merging_is_begun_and_says_where_the_model_will_lie(trained, shown):
    said = shown("version_merge", "0002")["q-train-versions-said"]
    assert f"Version 2 is being merged; in a minute it lies in {trained.workspace.exports}." in said
    (job,) = [job for job in trained.jobs.list() if job.kind == "merging"]
    trained.jobs.stop(job.key)


def test_a_version_is_looked_at_compared_and_downloaded_in_the_browser(address, browser_page, trained):
    page = browser_page
    page.goto(f"{address}/train")
    page.get_by_role("button", name="Look closer at Version 2").click()
    page.get_by_text("Where is <it>?").first.wait_for()
    with page.expect_download() as downloading:
        page.get_by_text("Download for PEFT").click()
    with zipfile.ZipFile(io.BytesIO(downloading.value.path().read_bytes())) as archive:
        assert sorted(archive.namelist()) == [
            "adapter_config.json",
            "adapter_model.safetensors",
            "lineage.json",
        ]
    page.get_by_role("button", name="Delete Version 1").click()
    page.get_by_role("button", name="Undo the deletion of Version 1").click()
    page.get_by_role("button", name="Use Version 1").click()
    page.locator("#q-train-use h3", has_text="Version 1").wait_for()
    assert page.request.get(f"{address}/adapters/0009.zip").status == 404


def test_nothing_is_headed_where_there_is_no_version_to_look_at(trained, shown):
    assert "Look closer" in shown("version_look", "0002", "", True)["q-train-closer-head"]
    assert shown("version_look", None, "", True)["q-train-closer-head"] == ""
