"""Who may log in, on the page Company."""

from assistant.access import Account, Entry, Role
from assistant.ui.people import people_html

ANN = Account("ann", Role.MANAGER, "hash", "2026-01-02T03:04:05+00:00")


def test_without_accounts_it_says_how_to_make_one():
    assert "quartet user add NAME --role manager" in people_html((), ())


def test_accounts_and_deeds_are_shown_without_the_hash_and_as_text_alone():
    entry = Entry("2026-01-02T03:04:05+00:00", "<b>ann", "manager", "train start")
    shown = people_html((ANN,), (entry,))
    assert "<td>ann</td><td>manager</td><td>2026-01-02</td>" in shown
    assert "<td>2026-01-02 03:04</td><td>&lt;b&gt;ann</td><td>train start</td>" in shown
    assert "hash" not in shown
    assert "Nothing was done" in people_html((ANN,), ())
