"""A company's files with other bytes than were written: the doctor sees each, nothing ends in a traceback."""

import re

import pytest
from typer.testing import CliRunner

from assistant import cli
from assistant.doctor import examine
from assistant.errors import AssistantError
from assistant.studio import Studio
from knowledge.errors import KnowledgeError
from tests.fakes import FakeModels, QueueEngine, WordEncoder
from tests.faults.damages import DAMAGES, Damage, flip_pages

EACH = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())


def test_a_company_that_nothing_has_struck_is_fine(company):
    assert {each.state for each in examine(company.root, lambda name: WordEncoder())} == {"fine"}


@EACH
def test_the_doctor_sees_it_and_mends_it_or_says_what_to_do(company, damage: Damage):
    damage.strike(company)
    found = {each.what: each for each in examine(company.root, lambda name: WordEncoder())}
    seen = found[damage.what]
    assert seen.state == damage.state and re.search(damage.said, seen.text), seen
    if damage.state == "mended":
        assert {each.state for each in examine(company.root, lambda name: WordEncoder())} == {"fine"}


@EACH
def test_the_company_opens_all_the_same_or_says_what_to_do(company, damage: Damage):
    damage.strike(company)
    try:
        studio = Studio(company.root, FakeModels())
        studio.load()
        asked = [each.first_question for each in studio.chats.latest()]
    except (AssistantError, KnowledgeError) as problem:
        assert not damage.opens and re.search(damage.said, str(problem))
    else:
        assert damage.opens and asked == ["How often to water?"]


@EACH
def test_no_command_ends_in_a_traceback(company, tmp_path, damage: Damage):
    damage.strike(company)
    for words in (["version", "list"], ["report"], ["backup", str(tmp_path / "acme.quartet")]):
        done = CliRunner().invoke(cli.app, [*words, "--workspace", str(company.root)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert done.exit_code == 0 or done.stderr.splitlines()[-1].startswith("quartet: "), words


def test_an_adapter_that_has_changed_is_not_answered_with(company):
    DAMAGES["adapter: weights flipped"].strike(company)
    studio = Studio(company.root, FakeModels(QueueEngine()))
    studio.load()
    with pytest.raises(AssistantError, match="has changed since it was installed"):
        list(studio.ask(studio.chats.new(), "Hello?"))


def test_a_database_that_is_damaged_while_it_is_open_says_what_to_do(company):
    studio = Studio(company.root, FakeModels())
    flip_pages(company.database)
    with pytest.raises(AssistantError, match=r"malformed.*Move it aside.*backup"):
        studio.chats.everything()


def test_a_damaged_plan_of_imports_gives_way_to_files_that_are_dropped_again(company, tmp_path):
    from tests.faults.company import chats_file

    DAMAGES["waiting imports: junk"].strike(company)
    incoming = Studio(company.root, FakeModels()).incoming
    with pytest.raises(AssistantError, match="Drop them again"):
        incoming.found()
    incoming.add([(chats_file(tmp_path, "more.jsonl"), "more.jsonl")])
    assert [each.source.name for each in incoming.found()] == ["more.jsonl"]


@pytest.mark.parametrize("name", ["training: description junk", "training: description of other shape"])
def test_a_damaged_training_of_old_keeps_no_new_one_from_starting(company, name):
    DAMAGES[name].strike(company)
    jobs = Studio(company.root, FakeModels()).jobs
    assert jobs.list() == [] and jobs.running() is None
    assert len(jobs.damaged()) == 1


def test_documents_are_asked_for_again_where_a_damaged_file_can_not_be_read(company):
    DAMAGES["document: gone"].strike(company)
    (parsed,) = company.knowledge.glob("files/*/document.json")
    parsed.unlink()
    knowledge = Studio(company.root, FakeModels()).knowledge
    with pytest.raises(KnowledgeError, match="Add it again"):
        knowledge.text("guide.md")
