"""Damaged files as somebody meets them who uses the served pages: a sentence, and a server that goes on."""

import json
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from assistant.ui import PAGES
from assistant.workspace import Workspace
from tests.benchmarks.load import Browser
from tests.faults.company import make_company
from tests.faults.damages import DAMAGES, flip_pages


@pytest.fixture(scope="module")
def whole_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_company(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def company(workbench, whole_company, tmp_path) -> Workspace:
    """A whole company, open in the pages."""
    company = Workspace(shutil.copytree(whole_company, tmp_path / "companies" / "acme"))
    workbench.studio.open(company.root)
    return company


@pytest.fixture
def page(served: str) -> Browser:
    """One page open in a browser, as it talks to the server."""
    port = urlsplit(served).port
    assert port
    handlers = json.loads(Browser(port, {}).open("/config"))["dependencies"]
    return Browser(port, {each["api_name"]: each["id"] for each in handlers})


def goes_on(page: Browser) -> None:
    """All pages are there."""
    for each in PAGES:
        page.open(f"/{each.address}")


def struck(workbench, company: Workspace, name: str) -> None:
    """Strike it, and open it as the next start would."""
    DAMAGES[name].strike(company)
    workbench.studio.open(company.root)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("adapter: weights flipped", "has changed since it was installed"),
        ("adapter: in use is gone", "Use another version"),
        ("adapter: lineage junk", "not valid JSON"),
        ("voice: junk", "Correct the file"),
    ],
)
def test_whoever_asks_is_told_what_keeps_the_lanes_from_answering(workbench, company, page, name, said):
    struck(workbench, company, name)
    assert said in page.call("chat_send", ["How often to water?", "", 100])
    goes_on(page)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("index: vectors flipped", "fern"),
        ("index: pointer to nothing", "fern"),
        ("index: newer", "newer version of Quartet"),
        ("cut settings: junk", "Remove it to go on"),
    ],
)
def test_a_search_finds_its_passages_again_or_says_why_not(workbench, company, page, name, said):
    struck(workbench, company, name)
    assert said in page.call("documents_search", ["water the fern"])
    goes_on(page)


@pytest.mark.parametrize(
    "ask",
    [
        lambda page: page.call("chat_send", ["How often to water?", "", 100]),
        lambda page: str(page.run("chat_load", [])),
        lambda page: page.open("/gaps.csv"),
        lambda page: page.open("/saved/some-study/html"),
    ],
    ids=["a question", "the page", "the gaps", "a report"],
)
def test_a_database_that_is_damaged_under_the_pages_is_told_by_each_way_to_it(company, page, ask):
    flip_pages(company.database)
    try:
        said = ask(page)
    except ValueError as problem:
        said = str(problem)
    assert "Move it aside" in said and " gave 500" not in said
    goes_on(page)


def test_a_damaged_version_is_not_handed_out(company, page):
    DAMAGES["adapter: lineage junk"].strike(company)
    with pytest.raises(ValueError, match="not valid JSON") as told:
        page.open("/adapters/0002.zip")
    assert " gave 500" not in str(told.value)


def test_a_damaged_audit_log_gives_the_lines_that_are_whole(company, page):
    DAMAGES["audit log: junk"].strike(company)
    assert page.open("/audit.csv").startswith("\ufeff") or "when" in page.open("/audit.csv")
    goes_on(page)
