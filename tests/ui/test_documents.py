"""The page Documents, by its handlers and in a browser."""

import threading
from urllib.request import urlopen

import gradio as gr
import pytest

from assistant.errors import AssistantError
from assistant.ui.documents_table import addition_html
from assistant.ui.dropzone import Delivery
from assistant.ui.found import findings_html, marked
from assistant.ui.intake import Addition, Intake
from knowledge.chunking import Passage
from knowledge.retrieval import Findings, Found, KnowledgeBase, Progress
from tests.ui.conftest import RETURNS
from tests.ui.working_pages import Panel, clicked, dropped, listening, until, uploads

DROP = """() => {
  const drop = new DataTransfer();
  drop.items.add(new File(['# Gate\\n\\nThe gate closes at nine.'], 'gate.md'));
  drop.items.add(new File([new Uint8Array(51e6)], 'huge.txt'));
  const init = {bubbles: true, cancelable: true, dataTransfer: drop};
  document.querySelector('#q-documents-drop .q-dropzone').dispatchEvent(new DragEvent('drop', init));
}"""
HOURS = "# Hours\n\nThe shop opens at ten on Fridays.\n\n## Holidays\n\nClosed on \\<b>Boxing Day\\</b>.\n"


@pytest.fixture
def files(tmp_path, monkeypatch):
    return uploads(tmp_path / "uploads", monkeypatch, {"hours.md": HOURS, "prices.xyz": "1"})


@pytest.fixture
def add(handlers):
    """Drops files, waits until they are added and returns what is shown of the addition and the list."""

    def run(event):
        handlers["documents_add"](event)
        until(lambda: not handlers["documents_follow"]()[2].active)
        return handlers["documents_load"]()[:2]

    return run


def test_a_dropped_document_is_listed_with_its_passages(add, files, studio):
    shown, table = add(dropped({"hours.md": files["hours.md"]}))
    assert "1 document added" in shown
    assert "hours.md" in table
    assert "2 documents · " in table
    assert [state.passages for state in studio.knowledge.documents() if state.name == "hours.md"] == [2]


def test_a_refused_file_stays_in_the_list_with_the_reason(add, files):
    shown, table = add(dropped({"prices.xyz": files["prices.xyz"]}))
    assert "1 file can&#x27;t be used" in shown
    assert "Refused" in table
    assert "no kind of document known here" in table


def test_a_newer_file_of_the_same_name_is_said_to_replace_it(add, handlers, tmp_path, monkeypatch):
    newer = uploads(tmp_path / "uploads", monkeypatch, {"returns.md": HOURS})
    shown, _ = add(dropped(newer))
    assert "1 took the place of an earlier one" in shown


def test_a_file_that_is_there_already_is_said_to_be_unchanged(add, tmp_path, monkeypatch):
    same = uploads(tmp_path / "uploads", monkeypatch, {"returns.md": RETURNS})
    shown, _ = add(dropped(same))
    assert "1 document was there already, unchanged" in shown
    assert "added" not in shown


def test_a_file_too_large_to_be_sent_is_named_with_the_limit():
    failed = {"failed": [{"name": "huge.txt", "size": 209_715_200}]}
    assert Delivery.of(gr.EventData(None, failed)).failed == (
        "huge.txt has 210 MB; 50 MB a file is the most that is taken. "
        "Split it into smaller files and add those.",
    )


def test_a_path_outside_the_uploads_is_not_read(handlers, files, studio, tmp_path):
    secret = tmp_path / "secret.md"
    secret.write_text("# Secret")
    _, table, _, shown = handlers["documents_add"](
        dropped({"secret.md": secret}, {"big.pdf": "Error: too large"})
    )
    assert "secret.md did not arrive" in shown
    assert "big.pdf could not be uploaded: too large. Drop it again." in shown
    assert "secret.md" not in table


def test_a_removal_is_undone_even_after_a_reload(handlers):
    problem, table = handlers["documents_remove"](clicked(name="returns.md"))
    assert (problem, "No documents yet" in table) == ("", True)
    assert "Removed <b>returns.md</b>" in handlers["documents_load"]()[1]
    problem, table = handlers["documents_restore"]()
    assert (problem, "Removed" in table, "returns.md" in table) == ("", False, True)


def test_an_unknown_document_is_named_in_place(handlers):
    assert "no document &#x27;gone.md&#x27;" in handlers["documents_remove"](clicked(name="gone.md"))[0]
    assert "no document" in handlers["document_open"](clicked(name="gone.md"))


def test_a_passage_says_why_it_was_found(handlers):
    found = handlers["documents_search"]("  when are the refunds for unopened pots?  ")
    assert "<i>1</i><span><b>Returns</b>" in found
    assert "Meaning #1" in found
    assert "Words #1</b><span>refunds, unopened, pots" in found
    assert "<mark>unopened</mark> <mark>pots</mark>" in found
    assert "Meaning #2" in found
    assert "Words not found" in found


def test_a_question_that_nothing_fits_is_said_so_with_the_words_no_document_holds(handlers):
    found = handlers["documents_search"]("bicycle insurance abroad")
    assert "Nothing in the documents fits this question." in found
    assert "No document holds “bicycle”, “insurance”, “abroad”." in found
    assert "<i>1</i><span><b>Returns</b>" in found


def test_a_place_names_headings_and_page_and_the_excerpt_does_not_repeat_them():
    title = "Returns › Unopened pots"
    passage = Passage("1", "a.pdf", title, "Unopened pots\n\n30 <days>.", ("Unopened pots",), 2, 0, 28)
    shown = findings_html(Findings("pots", (Found(passage, 0.1, 1, None, 0.5, ()),), "1", 0.001))
    assert "<b>Returns</b> › Unopened pots, page 2" in shown
    assert '<p class="q-documents-text">30 &lt;days&gt;.</p>' in shown


@pytest.mark.parametrize("question", ["", "   "], ids=["nothing", "spaces"])
def test_an_empty_search_shows_nothing(handlers, question):
    assert handlers["documents_search"](question) == ""


def test_a_search_without_documents_says_what_to_do(handlers):
    handlers["documents_remove"](clicked(name="returns.md"))
    assert "Add documents first" in handlers["documents_search"]("refund")


def test_a_model_that_is_not_there_is_reported_in_place(handlers, studio, monkeypatch):
    def missing():
        raise AssistantError("The embedding model is missing. Fetch it.")

    monkeypatch.setattr(studio, "knowledge", KnowledgeBase(studio.workspace.knowledge, missing))
    assert "Fetch it." in handlers["documents_search"]("refund")


def test_a_found_passage_opens_marked_in_its_document(handlers, studio):
    passage = studio.knowledge.search("unopened pots").found[0].passage
    opened = handlers["passage_open"](clicked(name="returns.md", passage=passage.id, number="1"))
    assert Panel(opened).marked == passage.text
    assert "Living plants" in opened


def test_document_text_is_shown_and_never_run(add, files, handlers):
    add(dropped({"hours.md": files["hours.md"]}))
    opened = handlers["document_open"](clicked(name="hours.md"))
    assert "Boxing Day" in opened
    assert "<b>Boxing" not in opened
    assert "<b>Boxing" not in handlers["documents_search"]("boxing day")


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("Pots & POTS", ("pots",), "<mark>Pots</mark> &amp; <mark>POTS</mark>"),
        ("the shop’s pot", ("shop", "pot"), "the <mark>shop’s</mark> <mark>pot</mark>"),
        ("potter", ("pot",), "potter"),
        ("<script>", ("script",), "&lt;<mark>script</mark>&gt;"),
        ("", ("pot",), ""),
    ],
    ids=["capitals", "possessive", "longer word", "markup", "empty"],
)
def test_matched_words_are_marked_whole(text, words, shown):
    assert marked(text, words) == shown


class SlowBase:
    """A knowledge base that waits in the middle of an addition."""

    def __init__(self):
        self.reached, self.go_on, self.added = threading.Event(), threading.Event(), []

    def documents(self):
        return []

    def add(self, files, *, progress):
        progress(Progress("Reading", 0, len(files), files[0][1]))
        self.reached.set()
        assert self.go_on.wait(5)
        progress(Progress("Embedding passages", 1, 2))
        self.added += files
        return []


def test_what_is_dropped_meanwhile_waits_for_its_turn(tmp_path):
    intake, base = Intake(), SlowBase()
    intake.start("acme", base, [(tmp_path, "one.md"), (tmp_path, "two.md")])
    base.reached.wait(5)
    intake.start("acme", base, [(tmp_path, "three.md")])
    shown = addition_html(intake.now("acme"))
    assert "Reading one.md (0 of 2) · 1 file to follow" in shown
    assert '<li class="q-documents-waits">two.md</li>' in shown
    base.go_on.set()
    until(lambda: not intake.now("acme").running)
    assert [name for _, name in base.added] == ["one.md", "two.md", "three.md"]


def test_stopping_leaves_the_documents_as_they_were(tmp_path):
    intake, base = Intake(), SlowBase()
    intake.start("acme", base, [(tmp_path, "one.md")])
    base.reached.wait(5)
    intake.stop("acme")
    base.go_on.set()
    until(lambda: not intake.now("acme").running)
    assert (base.added, "Adding was stopped" in addition_html(intake.now("acme"))) == ([], True)


def test_a_model_missing_while_adding_is_reported(tmp_path):
    def missing():
        raise AssistantError("The embedding model is missing. Fetch it.")

    (tmp_path / "hours.md").write_text(HOURS)
    intake = Intake()
    intake.start("acme", KnowledgeBase(tmp_path / "base", missing), [(tmp_path / "hours.md", "hours.md")])
    ended = until(lambda: (now := intake.now("acme")) and not now.running and now)
    assert "Fetch it." in addition_html(ended)


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress("Reading", 0, 4, "a.md"), "Reading a.md (0 of 4)</b>"),
        (Progress("Reading", 1, 4, "b.md"), "(1 of 4) · about 30 s left to read</b>"),
        (Progress("Embedding passages", 2, 20), "(2 of 20) · about 2 min left</b>"),
    ],
    ids=["nothing to go by", "reading", "embedding"],
)
def test_the_time_left_goes_by_the_stage_so_far(progress, text):
    seconds = 10.0 if progress.stage == "Reading" else 12.0
    assert text in addition_html(Addition(("a.md", "b.md"), progress=progress, seconds=seconds))


@pytest.mark.parametrize(
    ("progress", "percent"),
    [
        (None, 0),
        (Progress("Reading", 1, 2, "a.md"), 25),
        (Progress("Embedding passages", 1, 2), 75),
        (Progress("Saving passages", 2, 2), 100),
    ],
    ids=["begun", "reading", "embedding", "saving"],
)
def test_the_bar_follows_reading_and_embedding(progress, percent):
    assert f"width:{percent}%" in addition_html(Addition(("a.md", "b.md"), progress=progress))


def test_a_folder_is_added_found_opened_removed_and_brought_back(address, browser_page, tmp_path):
    page = browser_page
    (tmp_path / "help" / "uk").mkdir(parents=True)
    (tmp_path / "help" / "uk" / "hours.md").write_text(HOURS)
    (tmp_path / "help" / ".hidden.md").write_text("# Hidden")
    page.goto(f"{address}/documents")
    listening(page)
    page.set_input_files("#q-documents-drop input[webkitdirectory]", tmp_path / "help")
    page.get_by_role("button", name="uk/hours.md", exact=True).wait_for()
    page.reload()
    page.get_by_role("button", name="uk/hours.md", exact=True).wait_for()
    listening(page)
    assert "hidden" not in page.locator("#q-documents-table").inner_text()

    page.get_by_placeholder("Ask as your customers do").fill("when does the shop open on fridays")
    page.keyboard.press("Enter")
    page.locator("#q-documents-found li").first.get_by_role("button").click()
    assert "opens at ten" in page.locator("#q-source mark").inner_text()
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Remove uk/hours.md").click()
    page.get_by_role("button", name="Undo the removal of uk/hours.md").click()
    page.get_by_role("button", name="uk/hours.md", exact=True).wait_for()
    assert page.locator(".q-parts-undo").count() == 0


def test_what_is_dropped_on_the_page_is_added_and_what_is_too_large_is_named(address, browser_page):
    page = browser_page
    page.goto(f"{address}/documents")
    page.get_by_role("button", name="returns.md", exact=True).wait_for()
    page.evaluate(DROP)
    page.get_by_role("button", name="gate.md", exact=True).wait_for()
    page.get_by_text("huge.txt has 51 MB; 50 MB a file is the most that is taken.").wait_for()


def test_the_list_says_how_many_questions_a_document_was_shown_for(handlers, ask):
    assert '<td class="q-number">0</td>' in handlers["documents_load"]()[1]
    ask()
    assert '<td class="q-number">1</td>' in handlers["documents_load"]()[1]


def test_a_question_nobody_could_answer_is_collected_shown_and_exported(handlers, ask, address):
    assert "Open questions will appear here" in handlers["documents_gaps"]()
    ask("bicycle <insurance> abroad")
    ask("bicycle <insurance> abroad please")
    shown = handlers["documents_gaps"]()
    assert "asked 2 times · nothing in the documents fits" in shown
    assert "bicycle &lt;insurance&gt; abroad please" in shown
    with urlopen(f"{address}/gaps.csv") as exported:
        assert exported.headers["content-disposition"] == 'attachment; filename="gaps.csv"'
        text = exported.read().decode()
    assert "1,2,bicycle <insurance> abroad please,nothing in the documents fits" in text


def test_passages_that_say_the_same_are_named_where_they_stand():
    passage = Passage("1", "a.md", "Returns", "30 days.", (), None, 0, 8)
    twin = Passage("2", "<b>.md", "Returns", "30 days.", (), None, 0, 8)
    shown = findings_html(Findings("pots", (Found(passage, 0.1, 1, None, 0.5, (), (twin,)),), "1", 0.001))
    assert "Also said in &lt;b&gt;.md" in shown
