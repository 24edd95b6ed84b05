"""How a company wants its documents cut, kept beside the index.

It knows the file. It does not know what is made of it: the index follows when it is made anew.
"""

import json
from dataclasses import asdict
from pathlib import Path

from knowledge.chunking import CutSettings
from knowledge.errors import KnowledgeError
from knowledge.storage import write_bytes

FILE_NAME = "settings.json"


def read_settings(folder: Path) -> CutSettings | None:
    """What a person chose; None if nobody has.

    Raises:
        KnowledgeError: the file is damaged, or its numbers make no sense.
    """
    path = folder / FILE_NAME
    try:
        value = json.loads(path.read_bytes())
        return CutSettings(words=value["words"], overlap=value["overlap"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as problem:
        raise KnowledgeError(
            f"{path} can't be read ({type(problem).__name__}: {problem}). It must hold the numbers words and "
            "overlap as JSON. Remove it to go on with the settings in use, and choose anew."
        ) from problem


def write_settings(folder: Path, settings: CutSettings) -> None:
    """Keep what a person chose."""
    write_bytes(folder / FILE_NAME, json.dumps(asdict(settings)).encode())
