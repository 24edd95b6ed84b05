"""Tables of ratings: what is read, and what each wrong line is told."""

import pytest

from assistant.errors import AssistantError
from assistant.reports.tables import Pair, Score, read_ratings

SCORES = "item,system,aspect,rater,score\n"
PAIRS = "item,a,b,rater,winner\n"


def read(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "ratings.csv"
    path.write_bytes(text.encode(encoding))
    return read_ratings(path)


def test_scores_are_read(tmp_path):
    found = read(tmp_path, SCORES + "1,x,voice,kim,4\n1,y,voice,kim,3.5\n")
    assert found.scores == (Score("1", "x", "voice", "kim", 4.0), Score("1", "y", "voice", "kim", 3.5))
    assert found.pairs == found.notes == ()


def test_winners_are_read_by_place_or_name(tmp_path):
    found = read(tmp_path, PAIRS + "1,x,y,kim,a\n2,x,y,kim,B\n3,x,y,kim,Tie\n4,x,y,kim,y\n")
    assert [each.winner for each in found.pairs] == [-1, 1, 0, 1]
    assert found.pairs[0] == Pair("1", "x", "y", "kim", -1)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (SCORES.replace(",", ";") + "1;x;voice;kim;4\n", "utf-8"),
        (SCORES.replace(",", "\t") + "1\tx\tvoice\tkim\t4\n", "utf-8-sig"),
        (
            'Rater, note ,SCORE,aspect,item,system\nkim,"well, well",4,voice,1,x\n\n , \n'.replace(
                " , \n", ""
            ),
            "utf-8",
        ),
        (SCORES.replace("\n", "\r\n") + "1,x,voice,kim,4\r\n", "utf-8"),
    ],
    ids=["semicolons", "tabs and a mark", "another order, more columns", "from Windows"],
)
def test_other_spellings_of_a_table_are_read(tmp_path, text, encoding):
    assert read(tmp_path, text, encoding).scores == (Score("1", "x", "voice", "kim", 4.0),)


def test_lines_without_a_rating_are_left_out_and_told(tmp_path):
    found = read(tmp_path, SCORES + "1,x,v,kim,4\n1,y,v,kim,\n2,x,v,kim,NA\n,,,,\n")
    assert len(found.scores) == 1
    assert found.notes == ("2 lines hold no rating and are left out.",)


def test_of_two_ratings_by_one_rater_the_last_counts_and_it_is_told(tmp_path):
    found = read(tmp_path, SCORES + "1,x,v,kim,4\n1,x,v,kim,2\n1,x,v,lee,5\n")
    assert [each.score for each in found.scores] == [2.0, 5.0]
    assert found.notes == ("1 ratings were given again by the same rater; the last one counts.",)
    assert len(read(tmp_path, PAIRS + "1,x,y,kim,a\n1,y,x,kim,a\n").pairs) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "",
            "ratings.csv, line 1: the columns are nothing. They should be item, system, aspect, rater, score",
        ),
        ("item,system,rater,score\n", "line 1: the columns are item, system, rater, score."),
        ("item,system,aspect,rater,score,score\n", "the column 'score' is there twice"),
        (SCORES, "ratings.csv holds no rating"),
        (SCORES + "1,x,v,kim,\n", "ratings.csv holds no rating"),
        (
            SCORES + "1,x,v,kim,4\n\n2,x,v,kim,five\n",
            "ratings.csv, line 4: the score is 'five'; it should be a",
        ),
        (SCORES + '1,"a\nb",v,kim,inf\n', "line 3: the score is 'inf'"),
        (SCORES + "1,x,v,kim,4,5\n", "line 2: it has 6 cells, and the first line has 5"),
        (SCORES + "1,,v,kim,4\n", "line 2: system is empty"),
        (PAIRS + "1,x,y,kim,c\n", "line 2: the winner is 'c'; it should be a, b or tie"),
        (PAIRS + "1,x,x,kim,a\n", "line 2: a and b are both 'x'"),
        (PAIRS + "1,x,y,,a\n", "line 2: rater is empty"),
        (SCORES + "1,x,v,kim," + "4" * 200_000, "line 2: field larger than field limit"),
    ],
    ids=[
        "empty file",
        "a column missing",
        "a column twice",
        "no lines",
        "no rating",
        "a word for a score",
        "endless, after a line break",
        "too many cells",
        "no system",
        "no such winner",
        "one system twice",
        "no rater",
        "a huge cell",
    ],
)
def test_a_wrong_table_is_told_where_and_what_to_do(tmp_path, text, told):
    with pytest.raises(AssistantError) as problem:
        read(tmp_path, text)
    assert told in str(problem.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None], ids=["not UTF-8", "no file"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "ratings.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AssistantError, match=r"ratings.csv can't be read .* Name a CSV file in UTF-8"):
        read_ratings(path)
