"""The versions as HTML: the one in use with what has changed since, all of them, and the one deleted last.

It knows how they look. It does not know what a click on them does.
"""

from collections.abc import Sequence
from html import escape

from assistant.adapters import Adapter, Lineage
from assistant.ui.parts import action, facts, number, quiet, section, size, table
from assistant.ui.rendering import moment
from assistant.wording import counted


def in_use_html(adapter: Adapter | None, changes: Sequence[str]) -> str:
    """The version that the tuned lanes answer with, and whether another training is due."""
    if adapter is None or adapter.lineage is None:
        return section("In use") + quiet(
            "Fine-tuned and Combined wait for their first version. Train one; it is in use once it is ready."
        )
    lineage = adapter.lineage
    pairs = [
        ("Trained", moment(lineage.created)),
        ("Base model", lineage.base),
        ("Learned from", counted(lineage.conversations, "conversation")),
        ("Replies learned", f"{lineage.examples:,}"),
        ("With passages", f"{lineage.grounded:,}"),
        ("Loss", losses(lineage)),
    ]
    return (
        f'{section("In use")}<div class="q-card q-train-use"><h3>{escape(lineage.name)}</h3>'
        f'<p class="q-quiet">Fine-tuned and Combined answer with it. <a href="./">Ask them on Compare</a></p>'
        f"{facts(pairs)}{_due(changes)}</div>"
    )


def list_html(versions: Sequence[Adapter], used: str) -> str:
    """All versions, newest first, each with what can be done with it."""
    if not versions:
        return ""
    rows = (_row(each, each.key == used) for each in versions)
    return section("Versions") + table("q-train-versions", ("Version", "#Loss", "#Size", "-Use"), rows)


def deleted_html(adapter: Adapter | None) -> str:
    """The version that was deleted last, with the way back."""
    if adapter is None:
        return ""
    name = f"Version {int(adapter.key)}"
    return (
        f'<div class="q-parts-undo" role="status"><span>Deleted <b>{name}</b></span>'
        f"{action('Undo', 'restore', adapter.key, label=f'Undo the deletion of {name}')}</div>"
    )


def download_html(key: str) -> str:
    """The way to a version's files, for programs that read PEFT."""
    if not key:
        return ""
    return f'<a class="q-train-get" href="adapters/{escape(key)}.zip" download>Download for PEFT (.zip)</a>'


def losses(lineage: Lineage) -> str:
    """The loss before and after, in a few characters."""
    if lineage.best_loss is None:
        return "not measured"
    before = f"{lineage.first_loss:.2f} → " if lineage.first_loss is not None else ""
    return f"{before}{lineage.best_loss:.2f}"


def title(adapter: Adapter) -> str:
    """A version's number with its own name, if it has one."""
    number_ = f"Version {int(adapter.key)}"
    own = adapter.lineage.name if adapter.lineage else ""
    return f"{number_}: {own}" if own and own != number_ else number_


def _due(changes: Sequence[str]) -> str:
    if not changes:
        return ""
    said = " ".join(escape(change) for change in changes)
    text = f"Since it was trained: {said} Training anew is due."
    return f'<div class="q-notice q-train-due" role="status">{text}</div>'


def _row(adapter: Adapter, used: bool) -> str:
    lineage = adapter.lineage
    name = f"Version {int(adapter.key)}"
    delete = action("Delete", "delete", adapter.key, kind="bare", label=f"Delete {name}")
    if lineage is None:
        text = escape(f"{name} can't be used. {adapter.problem}")
        return f'<td colspan="3" class="q-train-broken">{text}</td><td>{delete}</td>'
    use = (
        '<span class="q-tag q-train-used">In use</span>'
        if used
        else action("Use this one", "use", adapter.key, label=f"Use {name}") + delete
    )
    about = " · ".join(filter(None, (moment(lineage.created), _settings(lineage))))
    look = action(title(adapter), "look", adapter.key, kind="link", label=f"Look closer at {name}")
    numbers = number(losses(lineage)) + number(size(adapter.size))
    return f"<td>{look}<p>{escape(about)}</p></td>{numbers}<td>{use}</td>"


def _settings(lineage: Lineage) -> str:
    values = lineage.settings
    parts = [counted(values["epochs"], "epoch")] if isinstance(values.get("epochs"), int) else []
    return ", ".join(parts + ([f"rank {values['rank']}"] if "rank" in values else []))
