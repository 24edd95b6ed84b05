"""Pages of a company that was struck: they say what is wrong, and no handler ends in a traceback."""

import shutil
from inspect import signature
from pathlib import Path

import pytest
from playwright.sync_api import expect

from assistant.ui.parts import PROBLEMS
from assistant.workspace import Workspace
from tests.faults.company import make_company
from tests.faults.damages import DAMAGES

OPENING = {name: damage for name, damage in DAMAGES.items() if damage.opens}


@pytest.fixture(scope="session")
def whole_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_company(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def struck(workbench, whole_company, tmp_path):
    """Strikes a company and opens it in the pages that all tests share."""

    def strike(name: str) -> Workspace:
        company = Workspace(shutil.copytree(whole_company, tmp_path / "companies" / "acme"))
        OPENING[name].strike(company)
        workbench.studio.open(company.root)
        return company

    return strike


@pytest.fixture(scope="session")
def draws(workbench):
    """All handlers that need nothing: those that a page calls when it is opened, and those of its clocks."""
    return [each for each in workbench.handlers.values() if each and not signature(each).parameters]


@pytest.mark.parametrize("name", OPENING)
def test_pages_are_drawn_all_the_same_or_say_what_is_wrong(name, struck, draws):
    struck(name)
    assert len(draws) > 20
    for draw in draws:
        try:
            list(drawn) if hasattr(drawn := draw(), "__next__") else drawn
        except PROBLEMS as problem:
            assert str(problem).rstrip().endswith(".")


def test_a_problem_that_no_place_on_the_page_is_meant_for_is_shown_over_it(served, struck, browser):
    struck("voice: junk")
    page = browser.new_page()
    page.goto(served)
    expect(page.get_by_role("alert").first).to_contain_text("Correct the file, or save the page Company.")
    said = page.locator(".q-over")
    expect(said).to_contain_text("brand.toml is not valid TOML")
    said.click()
    expect(said).to_have_count(0)
    page.close()
