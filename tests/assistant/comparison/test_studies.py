"""Studies: drafted, kept, and refused where something is not as it should be."""

import pytest

from assistant.comparison import CRITERIA, Criterion, Item, StudySettings
from assistant.comparison.studies import MOST_ITEMS
from assistant.errors import AssistantError
from assistant.prompts import Message
from assistant.ratings import Desk
from assistant.store import open_database
from tests.studies import answered, drafted

OWN = Criterion("Warmth", "Cold.", "Warm.")


@pytest.fixture
def parts(tmp_path):
    return Desk.of(open_database(tmp_path / "it.db"))


def test_a_new_study_is_a_draft_with_the_usual_criteria_and_a_seed_of_its_own(parts):
    one, other = parts.studies.new("  One \n"), parts.studies.new("Other")
    assert (one.name, one.state, one.criteria) == ("One", "draft", CRITERIA)
    assert one.settings.seed != other.settings.seed
    assert [study.name for study in parts.studies.list()] == ["Other", "One"]
    assert parts.studies.read(one.id) == one


def test_what_is_drafted_is_there_after_a_restart(parts, tmp_path):
    study = parts.studies.new("One")
    item = Item(
        0, "Late?", (Message("user", "Hi"), Message("assistant", "Hello")), "No.", "delivery", "a.jsonl:7"
    )
    parts.studies.add_items(study.id, [item])
    parts.studies.save_criteria(study.id, [*CRITERIA, OWN])
    parts.studies.save_settings(
        study.id, StudySettings(seed=3, raters_per_item=2, repeat_share=0.2, human=True)
    )
    parts.studies.rename(study.id, "First")
    again = Desk.of(open_database(tmp_path / "it.db")).studies
    found = again.read(study.id)
    assert (found.name, found.criteria[-1], found.settings.raters_per_item) == ("First", OWN, 2)
    (kept,) = again.items(study.id)
    assert (kept.question, kept.history, kept.reference) == (item.question, item.history, item.reference)
    assert (kept.topic, kept.origin) == ("delivery", "a.jsonl:7")
    assert again.item(kept.id) == kept


def test_a_question_that_is_there_already_is_not_added_twice(parts):
    study = parts.studies.new("One")
    assert parts.studies.add_items(study.id, [Item(0, "A?"), Item(0, " A? "), Item(0, "B?")]) == 2
    assert parts.studies.add_items(study.id, [Item(0, "B?"), Item(0, "B?", (Message("user", "Hi"),))]) == 1
    assert parts.studies.add_items(study.id, []) == 0
    parts.studies.remove_items(study.id, [parts.studies.items(study.id)[0].id])
    assert [item.question for item in parts.studies.items(study.id)] == ["B?", "B?"]


def test_control_characters_of_a_question_are_cleaned(parts):
    study = parts.studies.new("One")
    parts.studies.add_items(study.id, [Item(0, "A\x00\u202e?", reference="B\ud800", topic="c\x07 d")])
    (item,) = parts.studies.items(study.id)
    assert (item.question, item.reference, item.topic) == ("A?", "B", "c d")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda parts, study: parts.studies.new(" "), "The name has 0 letters; it needs 1 to 80"),
        (lambda parts, study: parts.studies.rename(study, "x" * 81), "The name has 81 letters"),
        (lambda parts, study: parts.studies.read("nope"), "There is no study 'nope'"),
        (lambda parts, study: parts.studies.item(99), "no longer in its study"),
        (lambda parts, study: parts.studies.save_criteria(study, []), "at least one criterion"),
        (lambda parts, study: parts.studies.save_criteria(study, [OWN, OWN]), "a name of its own"),
        (
            lambda parts, study: parts.studies.save_criteria(study, [Criterion("W", "", "x")]),
            "sentence for a 1 has 0 letters; it needs 1 to 200",
        ),
        (
            lambda parts, study: parts.studies.save_criteria(study, [Criterion("-", "a", "x")]),
            "A criterion's name has 1 letters",
        ),
        (lambda parts, study: parts.studies.add_items(study, [Item(0, " ")]), "The question is empty"),
        (
            lambda parts, study: parts.studies.add_items(
                study, [Item(0, f"{n}?") for n in range(MOST_ITEMS + 1)]
            ),
            "501 questions are too many",
        ),
    ],
    ids=[
        *("no name", "long name", "no study", "no item", "no criteria", "twins"),
        *("no anchor", "no word", "no question", "too many"),
    ],
)
def test_what_is_not_as_it_should_be_is_refused_with_a_text(parts, change, says):
    study = parts.studies.new("One").id
    with pytest.raises(AssistantError, match=says):
        change(parts, study)
    assert parts.studies.items(study) == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda studies, study: studies.add_items(study.id, [Item(0, "New?")]),
        lambda studies, study: studies.remove_items(study.id, [1]),
        lambda studies, study: studies.save_criteria(study.id, CRITERIA),
        lambda studies, study: studies.save_settings(study.id, StudySettings()),
    ],
    ids=["add", "remove", "criteria", "settings"],
)
def test_what_was_answered_is_frozen(parts, change):
    study = answered(parts, drafted(parts))
    before = parts.studies.items(study.id)
    with pytest.raises(AssistantError, match="is being answered; this can only be done while it is a draft"):
        change(parts.studies, study)
    assert parts.studies.items(study.id) == before


def test_a_removed_study_leaves_nothing(parts):
    study = answered(parts, drafted(parts))
    rater = parts.rounds.raters(study.id)[0]
    parts.studies.remove(study.id)
    assert parts.studies.list() == []
    assert parts.studies.items(study.id) == ()
    assert parts.rounds.by_token(rater.token) is None
