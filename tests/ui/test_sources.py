"""Sources opened beside the answers: what is marked is the passage, in every format, now and later."""

import pytest

from assistant.budget import Budget
from assistant.demo import DEMO
from assistant.lanes import Source, shown
from assistant.ui.found import source_of
from assistant.ui.sources import AROUND, document_html, source_html
from knowledge.chunking import CutSettings
from knowledge.names import files_under
from knowledge.retrieval import KnowledgeBase
from tests.fakes import WordEncoder
from tests.knowledge.conftest import make_pdf
from tests.knowledge.documents.making import book, deck, mail, odf, workbook
from tests.ui.working_pages import Panel, clicked

ROWS = [
    ["Weight", "Fee"],
    *([f"{kilos} kg <b>", f"{kilos + 1} pounds & {kilos} pence"] for kilos in range(80)),
]
ODT = "<office:text><text:h>Returns</text:h><text:p>Send &lt;i&gt; back.</text:p></office:text>"
RICH = r"{\rtf1\ansi\pard Clay {\b pots} come in Gr\'f6\'dfe 5.\par Second one.\par}"
CODE = '"""Fees & more."""\n\n\nclass Shop:\n    def fee(self, weight):\n        return weight < 2\n'
MADE = {
    "show.pptx": deck([("Returns", ["Within 30 days."]), ("Fees <i>", ["one", "two & three"])]),
    "prices.xlsx": workbook({"Fees": ROWS, "Hours": [["Day", "Opens"], ["Friday", "ten"]]}),
    "prices.csv": "\n".join(",".join(row) for row in ROWS).encode(),
    "question.eml": mail(text="Are the pots <b>red</b>?\n\nYours, Ann & Bob"),
    "returns.odt": ODT.encode(),
    "care.epub": book(),
    "pots.rtf": RICH.encode(),
    "faq.json": b'[{"question": "Red & blue?", "answer": "Both <b>."}, {"question": "Big?", "answer": "n"}]',
    "shop.py": CODE.encode(),
    "notes.txt": ("A line with < and & and ü🌷.\r\n" * 40).encode(),
}
"""A file of each format that the demo has none of."""
FORMATS = {"md", "html", "pdf", "docx", *(name.rpartition(".")[2] for name in MADE)}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The demo's documents, and one of each other format."""
    folder = tmp_path_factory.mktemp("formats")
    for name, content in MADE.items():
        (folder / name).write_bytes(odf(ODT) if name == "returns.odt" else content)
    knowledge = KnowledgeBase(folder / "knowledge", WordEncoder, settings=CutSettings(40, 10))
    knowledge.add([*files_under([DEMO / "documents"]), *((folder / name, name) for name in MADE)])
    return knowledge


@pytest.fixture
def shelf(tmp_path):
    """A knowledge base that holds one document, and the source of its passage about fees."""
    knowledge = KnowledgeBase(tmp_path / "knowledge", WordEncoder)
    put(knowledge, tmp_path, "# Fees\n\nParcels cost three pounds.\n\n## Bags\n\nBags are sent free.\n")
    return knowledge


def put(knowledge, folder, text):
    (folder / "fees.md").write_text(text, encoding="utf-8")
    knowledge.add([(folder / "fees.md", "fees.md")])


def bags(knowledge):
    """A source as an answer keeps it."""
    return Source.of(knowledge.search("Bags are sent free").found[0])


def test_every_passage_of_every_format_is_what_is_marked_and_stands_at_its_page(library):
    everything = library.search("the", count=10_000).found
    assert {each.passage.document.rpartition(".")[2] for each in everything} == FORMATS
    assert len(everything) > 300
    for found in everything:
        passage = found.passage
        panel = Panel(source_html(source_of(passage), 1, library))
        assert panel.marked == passage.text, passage
        assert panel.page == (f"{passage.unit.capitalize()} {passage.page}" if passage.page else ""), passage


def test_the_sources_of_every_demo_question_are_what_is_marked(library):
    for word in ("return", "water", "voucher", "delivery", "leaf"):
        sources = [
            Source.of(found)
            for found in shown(library.search(f"what about {word}", count=4), Budget.of(None, len))
        ]
        for number, source in enumerate(sources, 1):
            html = source_html(source, number, library, answered="2999-01-01T00:00:00+00:00")
            assert (Panel(html).marked, "q-panel-note" in html) == (source.text, False)


def test_a_document_is_shown_whole_with_its_headings_and_where_its_pages_begin(tmp_path):
    pages = [
        [("Returns", 20, "B"), ("Send them back.", 11, "")],
        [("Fees", 20, "B"), ("Three <pounds>.", 11, "")],
    ]
    knowledge = KnowledgeBase(tmp_path / "knowledge", WordEncoder)
    knowledge.add([(make_pdf(tmp_path / "a.pdf", pages), "a.pdf")])
    html = document_html(knowledge.document("a.pdf"))
    assert knowledge.text("a.pdf") in Panel(html).text
    assert html.index('data-page="Page 1"') < html.index('<b class="q-document-heading">Returns</b>')
    assert (
        html.index("Send them back.") < html.index('data-page="Page 2"') < html.index("Three &lt;pounds&gt;.")
    )


def test_a_passage_far_into_a_long_document_is_marked_and_the_rest_left_out(tmp_path):
    knowledge = KnowledgeBase(tmp_path / "knowledge", WordEncoder)
    filler = "\n\n".join(f"Line {number} says nothing at all." for number in range(4000))
    put(knowledge, tmp_path, f"# Fees\n\n{filler}\n\n## Bags\n\nBags are sent free.\n\n## More\n\n{filler}")
    panel = Panel(source_html(bags(knowledge), 1, knowledge))
    assert panel.marked == "Bags\n\nBags are sent free."
    assert "[earlier text left out]" in panel.text and "[later text left out]" in panel.text
    assert len(panel.text) < 3 * AROUND


@pytest.mark.parametrize(
    ("text", "note", "now"),
    [
        ("# Fees\n\nOn top.\n\n## Bags\n\nBags are sent free.\n", "still in it, word for word", ""),
        ("# Fees\n\nParcels cost three pounds.\n\n## Bags\n\nBags are sent free.\n\nNew.", "still in it", ""),
        ("# Fees\n\n## Bags\n\nBags cost a pound.", "no longer says this", "Bags cost a pound."),
    ],
    ids=["moved", "changed elsewhere", "rewritten"],
)
def test_a_changed_document_is_told_and_its_passage_shown_as_it_was(shelf, tmp_path, text, note, now):
    source = bags(shelf)
    put(shelf, tmp_path, text)
    html = source_html(source, 2, shelf, answered="2001-01-01T00:00:00+00:00")
    assert note in html
    assert Panel(html).marked == "Bags\n\nBags are sent free."
    assert now in html.partition("The document as it is now")[2]


def test_a_removed_document_is_told_and_its_passage_shown_as_it_was_until_it_is_back(shelf):
    source = bags(shelf)
    shelf.remove(["fees.md"])
    html = source_html(source, 1, shelf, answered="2001-01-01T00:00:00+00:00")
    assert "fees.md has been removed since this answer." in html
    assert Panel(html).marked == "Bags\n\nBags are sent free."
    shelf.restore(["fees.md"])
    assert "Parcels cost" in source_html(source, 1, shelf)


def test_a_document_whose_stored_copy_is_gone_says_so(shelf):
    source = bags(shelf)
    folder = shelf.file("fees.md").parent
    for path in folder.iterdir():
        path.unlink()
    html = source_html(source, 1, shelf)
    assert "The stored copy of fees.md is gone" in html
    assert Panel(html).marked == "Bags\n\nBags are sent free."


def test_sources_of_old_conversations_open_after_a_restart_and_a_change(handlers, ask, studio, tmp_path):
    chat = ask()[-1]["q-chat-id"]
    (tmp_path / "new.md").write_text("# Returns\n\nNo more returns.", encoding="utf-8")
    studio.open(studio.workspace.root)
    studio.knowledge.add([(tmp_path / "new.md", "returns.md")])
    studio.open(studio.workspace.root)
    turn = studio.chats.read(chat).turns[-1]
    sources = turn.answers["rag"].sources
    assert len(sources) > 1
    for number, source in enumerate(sources, 1):
        html = handlers["source_open"](chat, clicked(turn=str(turn.id), lane="rag", number=str(number)))
        assert (Panel(html).marked, f"Source {number}" in html) == (source.text, True)
        assert "no longer says this" in html
