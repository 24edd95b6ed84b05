"""The demo company: every shipped file is sound, and an empty workspace becomes it, also in two starts."""

import json
from collections import Counter
from pathlib import Path

import pytest

from assistant import demo
from assistant.adapters import Adapter, check, current, data_digest, list_adapters, read_report
from assistant.brand import read_brand
from assistant.conversations import ConversationStore, near_duplicate_rate, read_conversations, split
from assistant.demo import DEMO, DEMO_QUESTIONS, add_demo_documents, seed_demo
from assistant.errors import AssistantError
from assistant.evaluation import accurate, read_questions, voice
from assistant.models import STARTER_CHAT
from assistant.prompts import Message, prompt_hash, system_prompt
from assistant.workspace import read_json
from knowledge.documents import read_document
from knowledge.retrieval import KnowledgeBase, files_under
from tests.fakes import WordEncoder

DOCUMENTS = files_under([DEMO / "documents"])
CONVERSATIONS, ADAPTER = DEMO / "conversations.jsonl", DEMO / "adapter"
MOST_NEAR_DUPLICATES = 0.05


@pytest.mark.parametrize(("path", "name"), DOCUMENTS, ids=[name for _, name in DOCUMENTS])
def test_every_document_is_readable(path, name):
    document = read_document(path, name)
    assert len(document.text.split()) > 40
    assert document.title
    assert "\ufffd" not in document.text


def test_the_documents_come_in_all_kinds_a_company_has():
    assert set(Counter(path.suffix for path, _ in DOCUMENTS)) == {".md", ".html", ".pdf", ".docx"}


def test_the_voice_has_every_marker_that_is_scored():
    brand = read_brand(DEMO / "brand.toml")
    assert brand.greeting and brand.sign_off and brand.decline and brand.forbidden and brand.max_words
    assert len(brand.sample_questions) >= 3


def test_every_question_is_well_formed_and_its_gold_answer_scores_full_marks():
    brand = read_brand(DEMO / "brand.toml")
    names = {name for _, name in DOCUMENTS}
    questions = read_questions(DEMO_QUESTIONS)
    assert len(questions) >= 60
    assert any(not question.answerable for question in questions)
    assert any(not question.first for question in questions)
    for question in questions:
        assert question.answer, question.id
        assert bool(question.key_facts) == question.answerable, question.id
        assert accurate(question, question.answer, brand), question.id
        assert voice(question.answer, brand, first=question.first) == 1.0, question.id
        roles = [message.role for message in question.history]
        assert roles == ["user", "assistant"] * (len(roles) // 2), question.id
    assert _named_documents() <= names


def _named_documents() -> set[str]:
    lines = DEMO_QUESTIONS.read_text(encoding="utf-8").splitlines()
    return {name for line in lines for name in json.loads(line).get("documents", ())}


def test_all_conversations_are_usable_and_hardly_two_alike():
    reading = read_conversations(CONVERSATIONS)
    assert reading.refused == ()
    assert len(reading.conversations) >= 240
    assert near_duplicate_rate(reading.conversations) < MOST_NEAR_DUPLICATES


def test_no_evaluation_question_is_taught():
    asked = {" ".join(question.question.lower().split()) for question in read_questions(DEMO_QUESTIONS)}
    said = {
        " ".join(message.content.lower().split())
        for conversation in read_conversations(CONVERSATIONS).conversations
        for message in conversation.messages
        if message.role == "user"
    }
    assert asked & said == set()


def test_the_shipped_adapter_knows_the_documents_that_it_was_trained_beside(tmp_path):
    knowledge = KnowledgeBase(tmp_path / "knowledge", WordEncoder)
    knowledge.add(DOCUMENTS[:3])
    known = set(read_report(ADAPTER).documents)
    assert len(known) == len(DOCUMENTS) and len(knowledge.digests()) == 3 and knowledge.digests() < known


def test_the_shipped_adapter_is_the_one_of_its_lineage():
    check(Adapter(ADAPTER.name, ADAPTER, None))
    lineage = read_json(ADAPTER / "lineage.json")
    assert set(lineage["files"]) == {"adapter_config.json", "adapter_model.safetensors"}
    assert (ADAPTER / "adapter_model.safetensors").stat().st_size < 6_000_000


def test_the_shipped_adapter_learned_the_shipped_conversations_in_the_shipped_voice():
    lineage = read_json(ADAPTER / "lineage.json")
    settings = lineage["settings"]
    parts = split(
        read_conversations(CONVERSATIONS).conversations,
        share=settings["evaluation_share"],
        seed=settings["seed"],
    )
    texts = [[(message.role, message.content) for message in each.messages] for each in parts.train]
    assert lineage["data_digest"] == data_digest(texts)
    voice_prompt = Message("system", system_prompt(read_brand(DEMO / "brand.toml")))
    assert lineage["prompt_hash"] == prompt_hash([voice_prompt])
    assert lineage["base"].startswith(STARTER_CHAT.name)
    assert lineage["losses"][-1]["loss"] < lineage["losses"][0]["loss"]


# Becoming the demo company


@pytest.fixture
def seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A demo of small parts in place of the shipped one; its adapter is a folder that is only noted."""
    folder = tmp_path / "demo"
    (folder / "documents").mkdir(parents=True)
    (folder / "documents" / "guide.md").write_text("# Guide\n\nWater the fern once a week.")
    (folder / "brand.toml").write_text('name = "Little"\n')
    (folder / "conversations.jsonl").write_text(
        '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]}\n'
    )
    monkeypatch.setattr(demo, "DEMO", folder)
    monkeypatch.setattr(demo, "install_shipped", _note_adapter)
    return folder


def _note_adapter(adapters: Path, shipped: Path) -> None:
    (adapters / "0001").mkdir()


def test_an_empty_workspace_becomes_the_demo_company(workspace, seeds):
    seed_demo(workspace)
    assert read_brand(workspace.brand_file).name == "Little"
    assert [file.name for file in ConversationStore(workspace.conversations).files()] == [
        "conversations.jsonl"
    ]
    assert [adapter.key for adapter in list_adapters(workspace.adapters)] == ["0001"]
    assert read_json(workspace.root / "demo.json")["documents"] == "to add"


def test_the_documents_are_added_once_and_a_removed_one_stays_removed(workspace, seeds):
    seed_demo(workspace)
    knowledge = KnowledgeBase(workspace.knowledge, WordEncoder)
    stages = []
    add_demo_documents(workspace, knowledge, lambda progress: stages.append(progress.text))
    assert [(document.name, document.state) for document in knowledge.documents()] == [("guide.md", "ready")]
    assert stages
    knowledge.remove(["guide.md"])
    add_demo_documents(workspace, knowledge)
    assert knowledge.documents() == []


def test_a_company_of_ones_own_stays_as_it_is(workspace, seeds):
    workspace.brand_file.write_text('name = "Mine"\n')
    seed_demo(workspace)
    knowledge = KnowledgeBase(workspace.knowledge, WordEncoder)
    add_demo_documents(workspace, knowledge)
    assert read_brand(workspace.brand_file).name == "Mine"
    assert ConversationStore(workspace.conversations).files() == []
    assert current(workspace.adapters) is None
    assert knowledge.documents() == []


def test_what_was_changed_in_the_demo_is_not_put_back(workspace, seeds):
    seed_demo(workspace)
    ConversationStore(workspace.conversations).remove("conversations.jsonl")
    workspace.brand_file.write_text('name = "Renamed"\n')
    seed_demo(workspace)
    assert ConversationStore(workspace.conversations).files() == []
    assert read_brand(workspace.brand_file).name == "Renamed"


def test_a_start_that_was_cut_off_is_finished_by_the_next_one(workspace, seeds, monkeypatch):
    def cut_off(adapters: Path, shipped: Path) -> None:
        raise AssistantError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(demo, "install_shipped", cut_off)
        with pytest.raises(AssistantError, match="disk is full"):
            seed_demo(workspace)
    seed_demo(workspace)
    assert [file.name for file in ConversationStore(workspace.conversations).files()] == [
        "conversations.jsonl"
    ]
    assert [adapter.key for adapter in list_adapters(workspace.adapters)] == ["0001"]
    assert read_brand(workspace.brand_file).name == "Little"
