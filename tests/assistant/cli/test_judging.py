"""`quartet stats` and `quartet report`: results on stdout or in a file, notes on stderr, and an exit code."""

import json

import pytest
from typer.testing import CliRunner

from assistant import cli
from assistant.ratings import Desk
from assistant.store import open_database
from tests.studies import judgement, opened

TABLE = """item,system,aspect,rater,score
1,x,voice,kim,5
1,y,voice,kim,3
2,x,voice,kim,4
2,y,voice,kim,2
3,x,voice,kim,4
3,y,voice,kim,
1,x,voice,lee,4
"""


def run(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_stats_prints_a_table_for_people(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text(TABLE)
    result = run("stats", path)
    assert result.exit_code == 0
    assert "voice: 6 ratings of 3 items, 2 systems, 2 raters" in result.stdout
    assert "x over y  +1.750" in result.stdout
    assert result.stderr == "1 lines hold no rating and are left out.\n"


def test_stats_prints_json_for_programs(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text(TABLE)
    value = json.loads(run("stats", path, "--json").stdout)
    assert value["kind"] == "scores"
    assert value["notes"] == ["1 lines hold no rating and are left out."]
    (aspect,) = value["aspects"]
    assert aspect["systems"][0]["system"] == "x"
    assert aspect["systems"][0]["mean"]["count"] == 3
    assert aspect["differences"][0]["value"]["value"] == 1.75


def test_stats_tells_what_is_wrong_in_one_line(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text(TABLE.replace("kim,2", "kim,two"))
    result = run("stats", path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("quartet: ratings.csv, line 5: the score is 'two'")


@pytest.fixture
def study(workspace):
    """An open round with one vote."""
    desk = Desk.of(open_database(workspace.database))
    made = opened(desk)
    first = desk.rounds.sheet(desk.rounds.raters(made.id)[0].id)[0]
    desk.votes.cast(first, "k", judgement(), made.criteria)
    return made


def test_report_prints_sentences_of_the_newest_study(workspace, study):
    result = run("report", "--workspace", workspace.root)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"acme: {study.name}\nNot enough votes yet\n")


@pytest.mark.parametrize("named", ["name", "id"])
def test_report_writes_a_file_in_the_format_that_is_asked_for(workspace, study, tmp_path, named):
    out = tmp_path / "report.html"
    options = ["--format", "html", "--out", out, "--workspace", workspace.root]
    result = run("report", getattr(study, named), *options)
    assert (result.exit_code, result.stdout) == (0, "")
    assert out.read_text().startswith("<!doctype html>")
    value = json.loads(run("report", "--format", "json", "--workspace", workspace.root).stdout)
    assert value["study"]["id"] == study.id


def test_report_says_which_studies_there_are(workspace, study):
    result = run("report", "Autumn", "--workspace", workspace.root)
    assert result.exit_code == 1
    assert f"There is no study 'Autumn'; there are {study.name}" in result.stderr


def test_report_without_a_study_says_where_one_is_made(workspace):
    assert "Make one on the page Study" in run("report", "--workspace", workspace.root).stderr
