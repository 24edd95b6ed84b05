"""What has changed since a version was trained, and what a job of the company is told."""

import json

import pytest

from assistant.adapters import FILES, Report, conversation_digest, install
from assistant.brand import Brand
from assistant.conversations import Conversation
from assistant.errors import AssistantError
from assistant.jobs import Jobs
from assistant.prompts import Message
from assistant.training import TrainingSettings, task
from assistant.training.estimate import estimate, keep_measurement
from assistant.training.task import brand_hash, split_for
from assistant.trainings import Trainings, changes_since
from tests.assistant.test_adapters import LINEAGE
from tests.assistant.training.test_estimate import MEASURED

BRAND = Brand("Acme", tone="Plain.")


def chat(text):
    return Conversation((Message("user", text), Message("assistant", "Yes.")), "chats.jsonl:1")


def digest(conversation):
    return conversation_digest([(each.role, each.content) for each in conversation.messages])


OLD, NEW, GONE = chat("old"), chat("new"), chat("gone")


@pytest.fixture
def version(workspace, tmp_path):
    from dataclasses import replace

    for name in FILES:
        (tmp_path / name).write_text("{}")
    lineage = replace(LINEAGE, prompt_hash=brand_hash(BRAND), index_version="7")
    report = Report(learned=(digest(OLD), digest(GONE)), documents=("d1", "d2"))
    return install(workspace.adapters, tmp_path, lineage, report)


DOCUMENTS = ("d1", "d2")
CHANGES = {
    "nothing": ((OLD, GONE), BRAND, DOCUMENTS, ()),
    "one more": ((OLD, GONE, NEW), BRAND, DOCUMENTS, ("1 conversation was added or edited.",)),
    "one less": ((OLD,), BRAND, DOCUMENTS, ("1 conversation was taken out or edited.",)),
    "two more": ((OLD, GONE, NEW, chat("x")), BRAND, DOCUMENTS, ("2 conversations were added or edited.",)),
    "a document more": ((OLD, GONE), BRAND, (*DOCUMENTS, "d3"), ("1 document was added or changed.",)),
    "documents gone": ((OLD, GONE), BRAND, (), ("2 documents were taken out or changed.",)),
    "documents on their way in": ((OLD, GONE), BRAND, None, ()),
    "voice": ((OLD, GONE), Brand("Acme"), DOCUMENTS, ("The company's voice or instructions have changed.",)),
}


@pytest.mark.parametrize(
    ("conversations", "brand", "documents", "said"), CHANGES.values(), ids=CHANGES.keys()
)
def test_what_has_changed_since_a_version_was_trained_is_told(version, conversations, brand, documents, said):
    assert changes_since(version, set(map(digest, conversations)), brand, documents) == said


def test_of_very_many_conversations_a_fair_sample_is_split(monkeypatch):
    monkeypatch.setattr(task, "ENOUGH", 90)
    many = tuple(chat(f"question {number} about thing {number}") for number in range(400))
    usual, few = split_for(many, TrainingSettings()), split_for(many, TrainingSettings(most_conversations=20))
    assert (len(usual.train), len(usual.evaluation)) == (90, 10)
    assert (len(few.train), few.evaluation) == (20, usual.evaluation) and set(few.train) < set(usual.train)
    more = split_for(many, TrainingSettings(most_conversations=180))
    assert (len(more.train), len(more.evaluation)) == (180, 20)
    assert len(split_for(many, TrainingSettings(most_conversations=1000)).train) == 360
    spread = [int(each.messages[0].content.split()[1]) for each in usual.train]
    assert spread == sorted(spread) and 150 < sum(spread) / 90 < 250


def test_a_training_goes_on_in_the_company_where_it_lies_now(workspace, monkeypatch):
    resumed = []
    monkeypatch.setattr(Jobs, "resume", lambda _, *options: resumed.append(options))
    Trainings(workspace, Jobs(workspace.jobs)).go_on("20260102-030405-training")
    assert resumed == [("20260102-030405-training", "assistant.training", {"workspace": str(workspace.root)})]


def test_a_version_that_can_not_be_read_says_nothing(version):
    from dataclasses import replace

    assert changes_since(replace(version, lineage=None), (digest(NEW),), BRAND, ()) == ()


@pytest.fixture
def started(workspace, monkeypatch):
    """Trainings whose jobs are not run; gives them and what was started."""
    calls = []
    monkeypatch.setattr(
        Jobs, "start", lambda self, module, values, **how: calls.append((module, values, how))
    )
    return Trainings(workspace, Jobs(workspace.jobs)), calls


def test_a_training_is_told_what_was_estimated(started, workspace, tmp_path):
    trainings, calls = started
    conversations = tuple(chat(f"number {n}") for n in range(10))
    assert trainings.estimate(conversations, {}, tmp_path) is None
    keep_measurement(workspace, tmp_path, TrainingSettings(), MEASURED)
    expected = trainings.estimate(conversations, {}, tmp_path)
    parts = split_for(conversations, TrainingSettings())
    assert expected == estimate(
        MEASURED, TrainingSettings(), learned=len(parts.train), held=len(parts.evaluation)
    )
    trainings.start({}, tmp_path, expected)
    ((module, values, how),) = calls
    assert module == "assistant.training" and how == {"waits": True}
    assert json.loads(json.dumps(values))["estimate"] == {"seconds": expected.seconds, "memory": 900}


@pytest.mark.parametrize("act", ["estimate", "measure", "start"])
def test_a_wrong_setting_is_refused_before_anything_is_started(started, tmp_path, act):
    trainings, calls = started
    with pytest.raises(AssistantError, match="epochs"):
        if act == "estimate":
            trainings.estimate((OLD,), {"epochs": 0}, tmp_path)
        else:
            getattr(trainings, act)({"epochs": 0}, tmp_path)
    assert calls == []


def test_a_version_that_is_not_there_is_not_merged(started, tmp_path):
    trainings, calls = started
    with pytest.raises(AssistantError, match="There is no adapter version '0009'"):
        trainings.merge("0009", tmp_path)
    assert calls == []
