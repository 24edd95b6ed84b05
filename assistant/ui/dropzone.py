"""A place to drop files or a folder on, or to choose them; says how far the upload is.

It knows uploads: where they lie on this machine and what they are called. It does not know what they hold.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder, is_in_or_equal

LARGEST_UPLOAD = 50_000_000
"""Bytes of a file, unless a page takes more; it says so of a larger one before it is sent."""


@dataclass(frozen=True)
class Delivery:
    """What was dropped: files as (path here, name as given), and a text for each that did not arrive."""

    files: tuple[tuple[Path, str], ...]
    failed: tuple[str, ...]

    @classmethod
    def of(cls, event: gr.EventData) -> "Delivery":
        """The delivery that an event carries; a path outside the uploads' folder counts as not arrived."""
        values = event._data if isinstance(event._data, dict) else {}
        files, failed = [], []
        for entry in _dicts(values.get("files")):
            path, name = str(entry.get("path", "")), str(entry.get("name", ""))
            if path and is_in_or_equal(path, get_upload_folder()):
                files.append((Path(path), name))
            else:
                failed.append(f"{name} did not arrive. Drop it again.")
        failed += [_failure(entry) for entry in _dicts(values.get("failed"))]
        return cls(tuple(files), tuple(failed))


def _failure(entry: dict[str, Any]) -> str:
    """Why a file did not arrive, as the page reports it: its size where it is too large, else a reason."""
    name, size = entry.get("name", ""), entry.get("size")
    most = entry.get("most", LARGEST_UPLOAD)
    if isinstance(size, int) and isinstance(most, int):
        return (
            f"{name} has {size / 1e6:,.0f} MB; {most // 1_000_000:,} MB a file is the most that is "
            "taken. Split it into smaller files and add those."
        )
    reason = str(entry.get("reason", "")).removeprefix("Error: ")
    return f"{name} could not be uploaded: {reason or 'the connection failed'}. Drop it again."


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def dropzone(
    title: str,
    hint: str,
    suffixes: tuple[str, ...],
    *,
    folders: bool,
    elem_id: str,
    largest: int = LARGEST_UPLOAD,
) -> gr.HTML:
    """The component; its `upload` event carries a `Delivery`."""
    accept = escape(",".join(suffixes))
    buttons = (
        '<label class="q-dropzone-button">Choose files'
        f'<input type="file" multiple accept="{accept}" aria-label="Choose files"></label>'
    )
    if folders:
        buttons += (
            '<label class="q-dropzone-button">Choose a folder'
            '<input type="file" webkitdirectory aria-label="Choose a folder"></label>'
        )
    return gr.HTML(
        f'<div class="q-dropzone" data-largest="{largest}">'
        f'<p class="q-dropzone-title">{escape(title)}</p>'
        f'<p class="q-dropzone-hint">{escape(hint)}</p><div class="q-dropzone-buttons">{buttons}</div>'
        '<p class="q-dropzone-progress" role="status"></p></div>',
        elem_id=elem_id,
        apply_default_css=False,
        js_on_load="window.quartetDropzone(element, trigger, upload);",
    )
