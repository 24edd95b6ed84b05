"""Who may log in and what they did, as HTML: a part of the page Company.

It knows how they look. Accounts are made with `quartet user`, not in the browser.
"""

from collections.abc import Sequence
from html import escape

from assistant.access import Account, Entry
from assistant.ui.parts import quiet, section, table

NOBODY = (
    "Nobody has to log in: Quartet answers on this machine alone. To let others in, make an account with "
    "<code>quartet user add NAME --role manager</code>, then start with "
    "<code>--host 0.0.0.0</code>."
)


def people_html(accounts: Sequence[Account], entries: Sequence[Entry]) -> str:
    """The accounts and the latest entries of the log; without accounts, how to make one."""
    head = section("People", f"{len(accounts)}" if accounts else "")
    if not accounts:
        return head + quiet(NOBODY)
    rows = (
        f"<td>{escape(account.name)}</td><td>{account.role.value}</td><td>{escape(account.created[:10])}</td>"
        for account in accounts
    )
    return head + table("q-company-accounts", ("Name", "Role", "Since"), rows) + _log(entries)


def _log(entries: Sequence[Entry]) -> str:
    if not entries:
        return quiet("Nothing was done in this company yet.")
    rows = (
        "".join(f"<td>{escape(cell)}</td>" for cell in (_minute(entry.when), entry.who, entry.what))
        for entry in entries
    )
    return (
        '<details class="q-company-log"><summary>What was done</summary>'
        + table("q-company-deeds", ("When (UTC)", "Who", "What"), rows)
        + '<p><a href="audit.csv" download>All of it as CSV</a></p></details>'
    )


def _minute(when: str) -> str:
    """A time as people read it, to the minute."""
    return when[:16].replace("T", " ")
