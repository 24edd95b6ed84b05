"""The knowledge base: documents come, change, go, come back, and are found."""

import json
import threading
from pathlib import Path

import pytest

from knowledge.chunking import CutSettings
from knowledge.errors import KnowledgeError
from knowledge.retrieval import DocumentState, KnowledgeBase, Progress
from tests.knowledge.conftest import HOURS, POTS, WordEncoder, Write, best, names, reopened

BINARY = bytes(range(256))
LONG = "# Long\n\n" + " ".join(f"Sentence {number} speaks of thing {number}." for number in range(60))


# Adding and finding


def test_an_empty_knowledge_base_finds_nothing_and_loads_no_encoder(tmp_path: Path) -> None:
    def never() -> WordEncoder:
        raise AssertionError("not needed")

    knowledge = KnowledgeBase(tmp_path / "new", never)
    assert (knowledge.search("pots?").found, len(knowledge), knowledge.version, bool(knowledge)) == (
        (),
        0,
        "",
        True,
    )
    assert (knowledge.documents(), knowledge.removed(), knowledge.notice) == ([], [], "")


def test_documents_that_were_added_are_found(knowledge: KnowledgeBase, write: Write) -> None:
    states = knowledge.add([write("pots.md", POTS), write("care/hours.md", HOURS)])
    assert [(state.name, state.state, state.passages) for state in states] == [
        ("pots.md", "ready", 1),
        ("care/hours.md", "ready", 1),
    ]
    assert states[0].bytes == len(POTS)
    assert states[0].added.startswith("20")
    assert best(knowledge, "When does the shop open?") == "care/hours.md"
    assert best(knowledge, "Which clay pots are there?") == "pots.md"
    assert len(knowledge) == 2


def test_what_was_found_says_why(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("pots.md", POTS), write("hours.md", HOURS)])
    findings = knowledge.search("When does the shop open at nine?", [("user", "Hello")])
    first, second = findings.found
    assert findings.query == "Hello\nWhen does the shop open at nine?"
    assert findings.index_version == knowledge.version == "0001"
    assert findings.seconds > 0
    assert (first.dense_rank, first.lexical_rank, first.matched_words) == (1, 1, ("shop", "nine"))
    assert first.score > second.score
    assert (second.dense_rank, second.lexical_rank, second.matched_words) == (2, None, ())
    assert 0 < second.similarity < first.similarity <= 1


def test_no_more_is_found_than_asked_for(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("long.md", LONG), write("pots.md", POTS)])
    assert len(knowledge.search("thing", count=2).found) == 2


def test_the_history_says_what_a_question_is_about(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("pots.md", POTS), write("hours.md", HOURS)])
    history = [("user", "I bought clay pots"), ("assistant", "Lovely pots!")]
    assert knowledge.search("And in brown?", history).found[0].passage.document == "pots.md"


def test_passages_text_and_file_can_be_looked_up(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("care/pots.md", POTS)])
    found = knowledge.search("clay").found[0].passage
    assert knowledge.passage(found.id, "care/pots.md") == found
    assert knowledge.text("care/pots.md")[found.start : found.end] == found.text
    assert knowledge.file("care/pots.md").name == "pots.md"
    assert knowledge.file("care/pots.md").read_text(encoding="utf-8") == POTS


def test_progress_is_told(knowledge: KnowledgeBase, write: Write) -> None:
    told: list[Progress] = []
    knowledge.add([write("pots.md", POTS), write("hours.md", HOURS)], progress=told.append)
    assert [progress.text for progress in told] == [
        "Reading pots.md (0 of 2)",
        "Reading hours.md (1 of 2)",
        "Embedding passages (0 of 2)",
        "Saving passages (2 of 2)",
    ]


@pytest.mark.parametrize("stage", ["Reading", "Embedding passages", "Saving passages"])
def test_a_change_broken_off_leaves_everything_as_it_was(
    knowledge: KnowledgeBase, write: Write, stage: str
) -> None:
    knowledge.add([write("pots.md", POTS)])

    def stop(progress: Progress) -> None:
        if progress.stage == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        knowledge.add([write("hours.md", HOURS)], progress=stop)
    assert (names(knowledge), knowledge.version) == (["pots.md"], "0001")
    assert best(knowledge, "shop hours") == "pots.md"


@pytest.mark.parametrize(
    "name", ["größe/übersicht.md", "文書/鉢.md", "emoji 🌱.md", "Кафе.md", "name with 'quotes' & <tags>.md"]
)
def test_names_and_text_in_any_language(knowledge: KnowledgeBase, write: Write, name: str) -> None:
    state = knowledge.add([write(name, "# Überschrift\n\nЦветы 花 🌷 ready\n")])[0]
    assert (state.name, state.state) == (name, "ready")
    assert knowledge.search("花").found[0].matched_words == ("花",)
    assert "Цветы 花 🌷" in knowledge.text(name)


# Settings and encoders


def test_settings_reach_the_index(knowledge: KnowledgeBase, encoder: WordEncoder, write: Write) -> None:
    knowledge.add([write("long.md", LONG)])
    whole = len(knowledge)
    fine = reopened(knowledge, encoder, CutSettings(30, 5))
    fine.search("thing")
    fine.renewal.wait()
    assert len(fine) > 2 * whole
    assert all(len(found.passage.text.split()) <= 36 for found in fine.search("thing").found)
    assert len(reopened(knowledge, encoder)) == len(fine)  # kept when nobody says otherwise


def test_another_encoder_makes_the_index_again(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("pots.md", POTS), write("hours.md", HOURS)])
    other = WordEncoder("other", 32)
    again = reopened(knowledge, other)
    again.search("shop hours")
    again.renewal.wait()
    assert len(other.texts) == 2
    assert best(again, "shop hours") == "hours.md"
    manifest = json.loads((knowledge.folder / "versions" / again.version / "manifest.json").read_text())
    assert json.loads(manifest["content"])["index"]["encoder"] == "other"


# Change


def test_one_changed_document_costs_only_its_own_passages(
    knowledge: KnowledgeBase, encoder: WordEncoder, write: Write
) -> None:
    knowledge.add([write("long.md", LONG), write("pots.md", POTS)])
    encoder.texts.clear()
    knowledge.add([write("pots.md", POTS.replace("red", "green"))])
    assert len(encoder.texts) == 1
    assert "green" in knowledge.text("pots.md")
    assert len(knowledge.documents()) == 2


def test_the_same_file_again_changes_nothing(knowledge: KnowledgeBase, write: Write) -> None:
    first = knowledge.add([write("pots.md", POTS)])
    assert knowledge.add([write("pots.md", POTS)]) == first
    assert knowledge.version == "0001"


def test_the_same_bytes_under_another_name_are_refused(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("pots.md", POTS)])
    state = knowledge.add([write("copy.md", POTS)])[0]
    assert (state.state, state.message) == (
        "refused",
        "copy.md is already there as pots.md: the two files are the same, byte for byte. "
        "Each document is kept once. To give it the new name, remove the other one first.",
    )


def test_a_name_twice_in_one_go_is_refused(knowledge: KnowledgeBase, write: Write) -> None:
    one, two = write("a/pots.md", POTS)[0], write("b/pots.md", HOURS)[0]
    states = knowledge.add([(one, "pots.md"), (two, "pots.md")])
    assert [state.state for state in states] == ["ready", "refused"]
    assert states[1].message == (
        "pots.md came twice in one go. Documents are told apart by their names. Rename one of the two and "
        "add it again."
    )
    assert knowledge.text("pots.md").startswith("Pots")


def test_a_refused_file_costs_only_itself_and_is_listed_until_dismissed(
    knowledge: KnowledgeBase, write: Write
) -> None:
    states = knowledge.add([write("bad.txt", BINARY), write("pots.md", POTS), write("../up.md", POTS)])
    assert [state.state for state in states] == ["refused", "ready", "refused"]
    assert "no text that people could read" in states[0].message
    assert "can't be a document's name" in states[2].message
    assert names(knowledge) == ["pots.md"]
    with pytest.raises(KnowledgeError, match="no text that people could read"):
        knowledge.text("bad.txt")
    knowledge.remove(["bad.txt", "../up.md"])
    assert [state.name for state in knowledge.documents()] == ["pots.md"]


def test_a_bad_new_version_does_not_push_out_the_one_that_works(
    knowledge: KnowledgeBase, write: Write
) -> None:
    knowledge.add([write("pots.md", POTS)])
    state = knowledge.add([write("pots.md", BINARY)])[0]
    assert state.state == "refused"
    kept = knowledge.documents()[0]
    assert kept.state == "ready"
    assert kept.message.startswith(
        "A newer file was refused, the earlier one stays in use. pots.md holds no text"
    )
    assert knowledge.text("pots.md").startswith("Pots")
    knowledge.add([write("pots.md", POTS)])
    assert knowledge.documents()[0].message == ""


def test_a_refused_file_can_be_added_again_once_it_is_right(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("pots.md", BINARY)])
    assert knowledge.add([write("pots.md", POTS)])[0].state == "ready"
    assert [state.state for state in knowledge.documents()] == ["ready"]


def test_a_file_that_may_not_be_opened_is_refused(
    knowledge: KnowledgeBase, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, name = write("pots.md", POTS)
    real = Path.open

    def closed(self: Path, *arguments: object, **options: object) -> object:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return real(self, *arguments, **options)  # type: ignore[arg-type, call-overload]

    monkeypatch.setattr(Path, "open", closed)
    assert knowledge.add([(path, name)])[0].message == (
        "pots.md can't be opened (Permission denied). Documents must be readable files. "
        "Check its permissions and add it again."
    )


# Removal and undo


def test_removal_and_its_undo(knowledge: KnowledgeBase, encoder: WordEncoder, write: Write) -> None:
    knowledge.add([write("pots.md", POTS), write("hours.md", HOURS)])
    before = knowledge.search("clay pots").found
    encoder.texts.clear()
    knowledge.remove(["pots.md"])
    assert (names(knowledge), best(knowledge, "clay pots")) == (["hours.md"], "hours.md")
    assert [state.name for state in knowledge.removed()] == ["pots.md"]
    knowledge.restore(["pots.md"])
    assert knowledge.removed() == []
    assert [found.passage for found in knowledge.search("clay pots").found] == [
        found.passage for found in before
    ]
    assert encoder.texts == ["clay pots", "clay pots"]  # nothing was embedded again


def test_everything_can_be_removed(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("pots.md", POTS)])
    knowledge.remove(["pots.md"])
    assert (len(knowledge), knowledge.search("pots").found) == (0, ())
    knowledge.restore(["pots.md"])
    assert best(knowledge, "pots") == "pots.md"


def test_only_the_last_removal_can_be_undone(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("pots.md", POTS), write("hours.md", HOURS)])
    knowledge.remove(["pots.md"])
    knowledge.remove(["hours.md"])
    with pytest.raises(KnowledgeError) as caught:
        knowledge.restore(["pots.md"])
    assert str(caught.value) == (
        "There is no document 'pots.md' among those just removed. Only documents listed there can be chosen. "
        "Reload the list; it may have changed meanwhile."
    )


def test_an_unknown_document_is_refused_and_nothing_removed(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("pots.md", POTS)])
    with pytest.raises(KnowledgeError, match=r"There is no document 'no\.md' in the list\."):
        knowledge.remove(["pots.md", "no.md"])
    assert names(knowledge) == ["pots.md"]


@pytest.mark.parametrize(
    ("newer", "text"),
    [
        (
            ("pots.md", HOURS),
            "pots.md can't be brought back: a document of that name has been added since. "
            "Two documents can't share a name. Remove the newer one first.",
        ),
        (("other.md", POTS), "pots.md is already there as other.md: the two files are the same"),
    ],
    ids=["same name", "same content"],
)
def test_what_has_been_added_anew_is_not_brought_back(
    knowledge: KnowledgeBase, write: Write, newer: tuple[str, str], text: str
) -> None:
    knowledge.add([write("pots.md", POTS)])
    knowledge.remove(["pots.md"])
    knowledge.add([write(*newer)])
    with pytest.raises(KnowledgeError) as caught:
        knowledge.restore(["pots.md"])
    assert text in str(caught.value)


def test_the_same_content_under_a_new_name_goes_by_the_new_name(
    knowledge: KnowledgeBase, write: Write
) -> None:
    knowledge.add([write("pots.md", POTS)])
    knowledge.remove(["pots.md"])
    knowledge.add([write("new.md", POTS)])
    assert knowledge.file("new.md").name == "new.md"
    assert best(knowledge, "pots") == "new.md"


def test_a_citation_of_a_document_that_is_gone_says_so(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("pots.md", POTS), write("hours.md", HOURS)])
    passage = knowledge.search("clay pots").found[0].passage
    knowledge.remove(["pots.md"])
    with pytest.raises(KnowledgeError) as caught:
        knowledge.passage(passage.id, "pots.md")
    assert str(caught.value) == (
        "This passage of pots.md is no longer there: the document was changed or removed since. "
        "Open the document to see what it says now, or ask again."
    )


def test_only_two_versions_and_the_files_in_use_are_kept(knowledge: KnowledgeBase, write: Write) -> None:
    for number in range(5):
        knowledge.add([write("pots.md", POTS + f"\nEdition {number}.\n")])
    folder = knowledge.folder
    assert sorted(path.name for path in (folder / "versions").iterdir()) == ["0004", "0005"]
    assert len(list((folder / "files").iterdir())) == 1


# Several at once


def test_a_change_by_another_process_is_noticed(
    knowledge: KnowledgeBase, encoder: WordEncoder, write: Write
) -> None:
    knowledge.add([write("pots.md", POTS)])
    knowledge.search("pots")
    other = reopened(knowledge, encoder)
    other.add([write("hours.md", HOURS)])
    assert best(knowledge, "shop hours") == "hours.md"
    assert len(knowledge) == 2


def test_threads_search_while_documents_come_and_go(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("pots.md", POTS), write("hours.md", HOURS)])
    trouble: list[BaseException] = []
    done = threading.Event()

    def look() -> None:
        try:
            while not done.is_set():
                assert best(knowledge, "shop hours") == "hours.md"
        except BaseException as problem:  # noqa: BLE001 - raised in a thread, looked at below
            trouble.append(problem)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        knowledge.remove(["pots.md"])
        knowledge.restore(["pots.md"])
    done.set()
    for thread in threads:
        thread.join()
    assert trouble == []


def test_states_are_what_the_list_shows(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("b.md", POTS), write("a.md", HOURS)])
    states = knowledge.documents()
    assert [state.name for state in states] == ["a.md", "b.md"]
    assert all(isinstance(state, DocumentState) and len(state.digest) == 64 for state in states)
