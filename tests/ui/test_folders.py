"""The folders that the page Documents follows."""

import pytest

from knowledge.following import Following
from tests.ui.conftest import RETURNS
from tests.ui.working_pages import clicked, listening, until


@pytest.fixture
def handbook(tmp_path):
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "hours.md").write_text("# Hours\n\nThe shop opens at ten on Fridays.\n")
    return folder


def test_a_linked_folder_is_looked_at_at_once(handlers, studio, handbook):
    first, last = handlers["folders_link"](f" {handbook} ", "Every day")
    assert "Looking through the folder" in first[1]
    assert f"Looked at {handbook}: 1 added." in last[1]
    assert "1 file · every day · looked at" in last[0]
    assert last[2] == ""
    assert "hours.md" in [state.name for state in studio.knowledge.documents()]
    assert "hours.md" in handlers["documents_looked"]()[1]


def test_the_button_takes_over_what_has_changed(handlers, studio, handbook):
    list(handlers["folders_link"](str(handbook), "Every hour"))
    (handbook / "hours.md").unlink()
    (handbook / "prices.md").write_text("# Prices\n\nPots cost four pounds.\n")
    *_, last = handlers["folders_look"](clicked(name=str(handbook)))
    assert f"Looked at {handbook}: 1 added, 1 removed." in last[1]
    assert {state.name for state in studio.knowledge.documents()} == {"prices.md", "returns.md"}


def test_a_folder_that_is_gone_says_so_in_its_place(handlers, handbook):
    list(handlers["folders_link"](str(handbook), "Every hour"))
    (handbook / "hours.md").unlink()
    *_, last = handlers["folders_look"](clicked(name=str(handbook)))
    assert "holds no files" in last[0]
    assert "holds no files" in handlers["folders_show"]()[0]


@pytest.mark.parametrize(
    ("path", "text"), [("", "Type the folder&#x27;s path first"), ("/no/such/place", "There is no folder")]
)
def test_what_is_no_folder_is_told_and_stays_in_the_field(handlers, path, text):
    (only,) = handlers["folders_link"](path, "Every hour")
    assert text in only[1]
    assert only[2] == path


def test_what_quartet_keeps_for_itself_is_not_followed(handlers, studio, tmp_path, monkeypatch):
    home = tmp_path / "server" / "quartet"
    (home / "companies" / "other").mkdir(parents=True)
    (home / "accounts.json").write_text("{}")
    (tmp_path / "link").symlink_to(home)
    monkeypatch.setenv("QUARTET_HOME", str(home))
    for path in (home, home.parent, home / "companies" / "other", tmp_path / "link"):
        (only,) = handlers["folders_link"](str(path), "Every hour")
        assert "holds what Quartet itself keeps" in only[1]
    assert Following(studio.knowledge).folders() == []


def test_an_unlinked_folder_leaves_its_documents(handlers, studio, handbook):
    list(handlers["folders_link"](str(handbook), "Every hour"))
    shown, said = handlers["folders_unlink"](clicked(name=str(handbook)))
    assert str(handbook) not in shown
    assert "is no longer followed. Its documents stay" in said
    assert len(studio.knowledge.documents()) == 2


def test_a_path_is_shown_as_text_only(handlers, studio, tmp_path):
    folder = tmp_path / "<b>x"
    folder.mkdir()
    Following(studio.knowledge).follow(folder)
    assert "<b>x" not in handlers["folders_show"]()[0]


def test_the_drawer_and_the_folders_work_in_a_browser(browser_page, address, studio, handbook):
    browser_page.goto(f"{address}/documents")
    listening(browser_page)
    browser_page.get_by_role("button", name="How documents are cut").click()
    words = browser_page.locator("#q-cutting-words input[type=number]")
    words.fill("40")
    words.press("Tab")
    browser_page.locator("#q-cutting-save").click()
    browser_page.locator("#q-cutting-outcome").get_by_text("Saved").wait_for()
    assert until(lambda: studio.knowledge.settings.words == 40)
    browser_page.keyboard.press("Escape")
    browser_page.locator("#q-folders-path textarea, #q-folders-path input").first.fill(str(handbook))
    browser_page.locator("#q-folders-link").click()
    browser_page.get_by_text("1 added").wait_for()
    browser_page.locator("#q-documents-table").get_by_text("hours.md").wait_for()
    assert RETURNS.split()[1] in studio.knowledge.text("returns.md")
