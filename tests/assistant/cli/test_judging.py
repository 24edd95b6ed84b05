"""`quartet stats`: figures on stdout, notes on stderr, and an exit code."""

import json

from typer.testing import CliRunner

from assistant import cli

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
