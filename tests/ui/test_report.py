"""The page Report: what a study's votes come to, as a person sees and saves it."""

import csv
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest

from assistant.comparison import CRITERIA
from assistant.ratings import Judgement
from tests.studies import answered, drafted, opened
from tests.ui.working_pages import listening

BETTER = {"prompt": 0.0, "tuned": 1.2, "rag": 0.8, "combined": 2.4}
"""How strong each lane is to all raters, in log-odds."""


def voted(studio, questions=24):
    """A round that three raters of one mind have gone through."""
    desk, dice = studio.desk, np.random.default_rng(8)
    study = answered(desk, drafted(desk, questions=questions))
    desk.rounds.open(study.id)
    for number, rater in enumerate(desk.rounds.raters(study.id)):
        for showing in desk.rounds.sheet(rater.id):
            heights = np.array([BETTER[system] for system in showing.systems]) + dice.gumbel(size=4)
            ranks = tuple(int(1 + np.sum(heights > height)) for height in heights)
            scores = {each.key: tuple(5 - rank for rank in ranks) for each in CRITERIA}
            said = Judgement(ranks, scores, comment="=1+1" if number else "<b>good</b>")
            desk.votes.cast(showing, f"k{showing.id}", said, study.criteria)
    return study


def shown(handlers, study=""):
    query = {"study": study} if study else {}
    return handlers["report_load"](SimpleNamespace(query_params=query))


def test_without_a_study_the_page_says_where_to_make_one(handlers, studio):
    studies, report = shown(handlers)
    assert studies == ""
    assert 'href="study"' in report


def test_the_report_is_shown_with_the_files_it_can_be_saved_as(handlers, studio):
    study = voted(studio)
    _, report = shown(handlers)
    assert "Take Combined" in report
    assert f'href="saved/{study.id}/html" download' in report
    assert "&lt;b&gt;good&lt;/b&gt;" in report
    assert "<b>good</b>" not in report


def test_the_address_names_the_study_and_the_others_are_at_hand(handlers, studio):
    first, second = voted(studio), opened(studio.desk)
    studies, report = shown(handlers, first.id)
    assert "Take Combined" in report
    assert f'<a href="report?study={first.id}" aria-current=page>' in studies
    assert f'<a href="report?study={second.id}">' in studies
    assert "No votes yet" in shown(handlers, second.id)[1]
    assert "No votes yet" in shown(handlers, "no such study")[1]


def test_the_page_study_tells_how_far_it_is_and_leads_to_the_report(handlers, studio):
    study = voted(studio)
    drawn = handlers["study_load"](SimpleNamespace(query_params={"study": study.id}))
    told = next(value for place, value in drawn.items() if place.elem_id == "q-study-now")
    assert "Decided: " in told
    assert f'href="report?study={study.id}"' in told


@pytest.mark.parametrize("kind", ["html", "csv", "json", "pairs", "conversations"])
def test_every_file_can_be_saved_from_the_page_in_a_browser(browser_page, address, studio, kind):
    study = voted(studio, questions=4)
    answer = browser_page.request.get(f"{address}/saved/{study.id}/{kind}")
    assert answer.ok
    assert 'filename="spring-round-' in answer.headers["content-disposition"]
    if kind == "csv":
        rows = list(csv.DictReader(StringIO(answer.text())))
        assert {row["comment"] for row in rows} == {"'=1+1", "<b>good</b>"}


@pytest.mark.parametrize(("study", "kind"), [("none", "html"), ("", "exe")], ids=["no study", "no format"])
def test_what_cannot_be_saved_is_told(browser_page, address, studio, study, kind):
    study = study or voted(studio, questions=4).id
    answer = browser_page.request.get(f"{address}/saved/{study}/{kind}")
    assert answer.status == 404
    assert "Choose one of the list" in answer.text() or "not as 'exe'" in answer.text()


@pytest.mark.slow
def test_the_page_holds_together_at_every_width(browser_page, address, studio):
    voted(studio)
    browser_page.goto(f"{address}/report")
    listening(browser_page)
    assert browser_page.locator(".qr h1").inner_text() == "Take Combined"
    assert browser_page.locator(".qr-example").count() == 10
    lanes = browser_page.locator(".qr table").first.locator("td:first-child").all()
    assert len(lanes) == 4
    for width in (1440, 390):
        browser_page.set_viewport_size({"width": width, "height": 900})
        assert browser_page.evaluate("document.documentElement.scrollWidth") <= width
        assert max(lane.bounding_box()["height"] for lane in lanes) < 90, "a name is broken letter by letter"
