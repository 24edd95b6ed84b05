"""How a company wants its documents cut and searched, kept beside the index.

It knows the file. It does not know what is made of it: the index follows when it is made anew.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from knowledge.chunking import CutSettings
from knowledge.errors import KnowledgeError
from knowledge.storage import write_bytes

FILE_NAME = "settings.json"


@dataclass(frozen=True)
class Preferences:
    """What a person chose; `cut` is None, and the names of models are empty, where nobody has."""

    cut: CutSettings | None = None
    embedder: str = ""
    """The model that embeds passages and questions: a local folder or a hub id."""
    reranker: str = ""
    """The model that puts what was found in a better order; empty for none."""


def read_preferences(folder: Path) -> Preferences:
    """What a person chose.

    Raises:
        KnowledgeError: the file is damaged, or its numbers make no sense.
    """
    path = folder / FILE_NAME
    try:
        value = json.loads(path.read_bytes())
        cut = CutSettings(value["words"], value["overlap"]) if {"words", "overlap"} & set(value) else None
        return Preferences(cut, str(value.get("embedder", "")), str(value.get("reranker", "")))
    except FileNotFoundError:
        return Preferences()
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise KnowledgeError(
            f"{path} can't be read ({type(problem).__name__}: {problem}). It must hold the numbers words and "
            "overlap, and the names embedder and reranker, as JSON. Remove it to go on with the settings in "
            "use, and choose anew."
        ) from problem


def change_preferences(folder: Path, **changes: Any) -> None:
    """Keep what a person chose; what is not named stays."""
    wanted = replace(read_preferences(folder), **changes)
    value: dict[str, Any] = {"embedder": wanted.embedder, "reranker": wanted.reranker}
    if wanted.cut:
        value |= {"words": wanted.cut.words, "overlap": wanted.cut.overlap}
    write_bytes(folder / FILE_NAME, json.dumps(value).encode())
