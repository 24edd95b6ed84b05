"""The brand's voice: what the company wants its assistant to sound like, kept in brand.toml.

It knows the fields and their rules. It does not know how they become a prompt (`prompts.py`).
"""

import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import tomli_w

from assistant.errors import AssistantError
from assistant.workspace import write_text

BRAND_VERSION = 1


@dataclass(frozen=True)
class Brand:
    """A company's voice. Empty fields are left out of the prompt; `max_words` 0 means no limit."""

    name: str
    tagline: str = ""
    tone: str = ""
    always: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    greeting: str = ""
    """The words that open the first reply of a conversation."""
    sign_off: str = ""
    """The words that close every reply."""
    decline: str = ""
    """The words said when the answer is not known."""
    forbidden: tuple[str, ...] = ()
    """Words that no reply may hold."""
    max_words: int = 0
    instructions: str = ""
    """The system prompt as a person wrote it; empty: composed from the voice."""
    sample_questions: tuple[str, ...] = ()


def read_brand(path: Path) -> Brand:
    """Read brand.toml.

    Raises:
        AssistantError: the file is missing, is not TOML, or a field has the wrong type.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise AssistantError(
            f"{path} is missing. Describe the company on the page Company, then save."
        ) from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise AssistantError(
            f"{path} is not valid TOML ({problem}). Correct the file, or save the page Company."
        ) from problem
    version = values.pop("version", BRAND_VERSION)
    if version != BRAND_VERSION:
        raise AssistantError(
            f"{path}: version is {version!r}; this Quartet reads {BRAND_VERSION}. Update Quartet."
        )
    return _brand_of(values, path)


def write_brand(path: Path, brand: Brand) -> None:
    """Write brand.toml whole."""
    if not brand.name.strip():
        raise AssistantError("The company's name is empty; it needs one. Type it, then save again.")
    values = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(brand).items()}
    write_text(path, tomli_w.dumps({"version": BRAND_VERSION} | values))


def _brand_of(values: dict[str, Any], path: Path) -> Brand:
    known = {field.name: field for field in fields(Brand)}
    checked: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise AssistantError(
                f"{path}: {key!r} is no field of a brand. Known: {', '.join(known)}. Remove the line."
            )
        checked[key] = _checked(key, value, path)
    if not str(checked.get("name", "")).strip():
        raise AssistantError(
            f'{path}: "name" is missing; a brand needs one. Add a line like name = "Fernhollow".'
        )
    return Brand(**checked)


def _checked(key: str, value: Any, path: Path) -> Any:
    lists = ("always", "never", "forbidden", "sample_questions")
    if key in lists:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        rule = "a list of texts"
    elif key == "max_words":
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        rule = "a whole number from 0"
    else:
        if isinstance(value, str):
            return value
        rule = "a text in quotes"
    raise AssistantError(f"{path}: {key} is {value!r}; it should be {rule}. Correct the line.")
