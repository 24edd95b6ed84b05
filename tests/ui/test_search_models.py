"""The models that search documents, chosen in the drawer and on the command line."""

import shutil

import pytest
from typer.testing import CliRunner

from assistant.cli import app
from assistant.ui.found import findings_html
from knowledge.preferences import change_preferences
from knowledge.versions import Versions
from tests.fakes import FakeModels


def index_made_by(studio):
    return Versions(studio.knowledge.folder).manifest().index.encoder


def test_another_embedder_makes_the_index_anew_and_is_kept(handlers, studio):
    studio.knowledge.search("refunds")
    assert index_made_by(studio) == "words-64"
    first, *_, last = handlers["search_models_save"]("org/other", "")
    assert "being loaded" in first[3]
    assert (last[:2], "2 passages to embed anew" in last[3]) == (("org/other", ""), True)
    studio.knowledge.renewal.wait()
    assert (index_made_by(studio), studio.knowledge.renewal.state.problem) == ("org/other", "")
    studio.open(studio.workspace.root)
    assert handlers["search_models_show"]()[:2] == ("org/other", "")
    assert studio.knowledge.search("refunds").found[0].dense_rank == 1
    assert studio.load_encoder().identity == "org/other"
    *_, last = handlers["search_models_reset"]()
    studio.knowledge.renewal.wait()
    assert (last[:2], index_made_by(studio)) == (("", ""), "words-64")


def test_a_re_ranker_orders_what_is_found_and_says_where_it_stood(handlers, studio):
    *_, last = handlers["search_models_save"]("", "org/cross")
    assert "Saved. Searches use it" in last[3]
    found = studio.knowledge.search("plants", count=5)
    lengths = [len(each.passage.search_text) for each in found.found]
    assert lengths == sorted(lengths, reverse=True)
    assert "Before re-ranking #" in findings_html(found)
    *_, last = handlers["search_models_save"]("", "")
    assert "Before re-ranking" not in findings_html(studio.knowledge.search("plants"))
    assert "in use" in list(handlers["search_models_save"]("", ""))[-1][3]


@pytest.mark.parametrize("names", [("/no/model", ""), ("", "/no/model")], ids=["embedder", "re-ranker"])
def test_a_model_that_is_not_there_is_told_and_nothing_changes(handlers, studio, names):
    *_, last = handlers["search_models_save"](*names)
    assert (last[:2], "There is no folder /no/model." in last[3]) == (names, True)
    assert (studio.knowledge.preferences.embedder, studio.knowledge.preferences.reranker) == ("", "")
    assert studio.knowledge.search("refunds").found


def test_a_chosen_model_that_is_gone_later_costs_the_searches_alone(handlers, studio):
    change_preferences(studio.knowledge.folder, embedder="/no/model")
    studio.open(studio.workspace.root)
    studio.load()
    assert studio.readiness.ready
    assert "There is no folder /no/model." in handlers["documents_search"]("refunds")
    list(handlers["search_models_reset"]())
    studio.knowledge.renewal.wait()
    assert "Returns" in handlers["documents_search"]("refunds")


def test_damaged_settings_are_told(handlers, studio):
    (studio.knowledge.folder / "settings.json").write_text("[]")
    assert "settings.json can&#x27;t be read" in handlers["search_models_show"]()[3]


def test_what_it_takes_is_said_where_there_is_something_to_embed(handlers, studio):
    assert "reads 2 passages anew" in handlers["search_models_show"]()[2]
    studio.knowledge.remove(["returns.md"])
    assert handlers["search_models_show"]()[2] == ""


def test_the_command_line_shows_and_chooses_them(monkeypatch, prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "acme")
    monkeypatch.setattr("assistant.cli.documents.LocalModels", FakeModels)
    command = ["search-models", "--workspace", str(tmp_path / "acme")]
    assert CliRunner().invoke(app, command).stdout == "embedder\tall-MiniLM-L6-v2\nreranker\tnone\n"
    ran = CliRunner().invoke(app, [*command, "--embedder", "org/other", "--reranker", "org/cross"])
    assert (ran.exit_code, ran.stdout) == (0, "embedder\torg/other\nreranker\torg/cross\n")
    assert CliRunner().invoke(app, command).stdout == ran.stdout
    ran = CliRunner().invoke(app, [*command, "--embedder", "/no/model"])
    assert (ran.exit_code != 0, "There is no folder /no/model." in ran.stderr) == (True, True)


def test_a_folder_is_kept_by_its_whole_path(studio, tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    studio.search_models.choose_embedder(studio.knowledge, " model ")
    studio.knowledge.renewal.wait()
    assert studio.knowledge.preferences.embedder == str(tmp_path / "model")
