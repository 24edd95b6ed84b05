"""What all pages share, in a browser: room for what they show at every width, and no foreign request."""

from urllib.parse import urlsplit

import pytest

from assistant.ui import conversations_intake_parts
from tests.ui.conftest import RETURNS
from tests.ui.working_pages import listening

PAGES = ("", "documents", "conversations", "train", "company")
SIZES = ((1440, 900), (820, 1180), (390, 844))
"""A desk, a tablet, a phone."""
STICKING_OUT = """() => {
  const columns = [...document.querySelectorAll('.q-parts-columns > .column')];
  const cramped = columns.flatMap(column => [...column.querySelectorAll('table, input, .q-card')]
    .filter(each => each.getBoundingClientRect().right > column.getBoundingClientRect().right + 1));
  const squeezed = [...document.querySelectorAll('button, p, td, th, dd')].filter(each => {
    const box = each.getBoundingClientRect();
    return each.offsetParent && each.innerText.trim().length > 8 && box.height > 3 * box.width;
  });
  return [document.documentElement.scrollWidth - innerWidth, cramped.length, squeezed.length];
}"""


@pytest.fixture
def filled(studio, tmp_path, monkeypatch):
    """Acme with a document and a file of conversations whose names are long, and a large file that waits."""
    monkeypatch.setattr(conversations_intake_parts, "LARGE", 0)
    (tmp_path / "long.md").write_text(RETURNS + "\nMore.", encoding="utf-8")
    studio.knowledge.add([(tmp_path / "long.md", "returns-and-refunds-in-the-united-kingdom.md")])
    chat = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n'
    (tmp_path / "long.jsonl").write_text(chat + "broken\n", encoding="utf-8")
    studio.conversations.add(tmp_path / "long.jsonl", "conversations-of-the-summer-of-2026.jsonl")
    studio.incoming.add([(tmp_path / "long.jsonl", "conversations-of-the-winter-of-2026.jsonl")])


@pytest.mark.slow
def test_nothing_sticks_out_at_any_width_and_no_other_machine_is_asked(browser_page, address, filled):
    hosts = set()
    browser_page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    for page in PAGES:
        browser_page.goto(f"{address}/{page}")
        listening(browser_page)
        for width, height in SIZES:
            browser_page.set_viewport_size({"width": width, "height": height})
            assert browser_page.evaluate(STICKING_OUT) == [0, 0, 0], (page, width)
    assert hosts - {""} == {urlsplit(address).netloc}
