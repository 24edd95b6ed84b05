"""Versions that leave and versions that come: a plain PEFT folder or a zip of it, and one taken in.

It knows files and their checks. It does not load a model.
"""

import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from assistant.adapters.lineage import LINEAGE, Lineage, base_digest, read_lineage
from assistant.adapters.plain import A_SIDE, B_SIDE, BEFORE_NAME, check_plain
from assistant.adapters.versions import FILES, WEIGHTS, Adapter, check, install
from assistant.errors import AssistantError, unwritable

MOST_BYTES = 2_000_000_000
"""What an adapter in a zip may take unpacked."""
MOST_TEXT = 10_000_000
"""Bytes that its description and its lineage may take."""
UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)
"""What a damaged, locked or strange zip raises."""


def export_folder(adapter: Adapter, target: Path) -> Path:
    """Write a version as a plain PEFT folder, with its lineage beside; what was there is replaced.

    Raises:
        AssistantError: the version is damaged, or the folder can't be written.
    """
    check(adapter)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in (*FILES, LINEAGE):
            shutil.copyfile(adapter.folder / name, target / name)
    except OSError as problem:
        raise unwritable(target, problem) from problem
    return target


def export_zip(adapter: Adapter, target: Path) -> Path:
    """Write a version as a zip of a plain PEFT folder.

    Raises:
        AssistantError: the version is damaged, or the file can't be written.
    """
    check(adapter)
    beside = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(beside, "w") as archive:  # weights hardly shrink, so they are stored as they are
            for name in (*FILES, LINEAGE):
                archive.write(adapter.folder / name, name)
        beside.replace(target)
    except OSError as problem:
        raise unwritable(target, problem) from problem
    return target


def import_adapter(folder: Path, source: Path, base: Path) -> Adapter:
    """Take in an adapter from a PEFT folder or a zip of one, as the next version, and make it current.

    Args:
        folder: the workspace's adapters.
        source: where it lies.
        base: the base model's folder, which it has to fit.

    Raises:
        AssistantError: it is no LoRA adapter, is damaged, or was made for another base.
    """
    with _unpacked(source) as found:
        config = _config(found, source)
        _check_fits(found / WEIGHTS, config, source, base)
        return install(folder, found, _lineage(found, config, base, source))


@contextmanager
def _unpacked(source: Path) -> Iterator[Path]:
    """The folder an adapter lies in, unpacked from a zip if it is one."""
    if source.is_dir():
        yield source
        return
    with tempfile.TemporaryDirectory() as place:
        try:
            with zipfile.ZipFile(source) as archive:
                _take_out(archive, source, Path(place))
        except UNREADABLE as problem:
            raise AssistantError(
                f"{source.name} can't be opened as a zip ({problem}). Choose the zip or folder of an adapter."
            ) from problem
        yield Path(place)


def _take_out(archive: zipfile.ZipFile, source: Path, place: Path) -> None:
    """Write the files that belong to an adapter, whatever folder of the zip they lie in; nothing else."""
    for entry in archive.infolist():
        name = entry.filename.rsplit("/", 1)[-1]
        if name not in (*FILES, LINEAGE) or (place / name).exists():
            continue
        most = MOST_BYTES if name == WEIGHTS else MOST_TEXT
        if entry.file_size > most:
            raise AssistantError(
                f"{source.name} holds {name} of {entry.file_size / 1e9:.1f} GB; "
                f"at most {most / 1e9:g} GB are taken in. Import the unpacked folder with `quartet`."
            )
        with archive.open(entry) as packed, (place / name).open("wb") as file:
            shutil.copyfileobj(packed, file)


def _config(found: Path, source: Path) -> Mapping[str, Any]:
    missing = [name for name in FILES if not (found / name).is_file()]
    if missing:
        raise AssistantError(
            f"{source.name} has no {' and no '.join(missing)}. Choose the folder or zip of a PEFT adapter."
        )
    try:
        if (found / FILES[0]).stat().st_size > MOST_TEXT:
            raise ValueError("it is too large")
        return dict(json.loads((found / FILES[0]).read_text(encoding="utf-8")))
    except (ValueError, TypeError, RecursionError) as problem:
        raise AssistantError(f"{source.name}: {FILES[0]} can't be read ({problem}).") from problem


def _check_fits(weights: Path, config: Mapping[str, Any], source: Path, base: Path) -> None:
    """See that it is plain LoRA, and compare each part with the layer of the base model that it changes."""
    layers = _shapes(base)
    try:
        with safe_open(weights, framework="numpy") as file:
            parts = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as problem:
        raise AssistantError(f"{source.name}: {WEIGHTS} is damaged ({problem}).") from problem
    check_plain(config, parts, source.name)
    for name, shape in parts.items():
        for side, axis in ((A_SIDE, 1), (B_SIDE, 0)):
            layer = layers.get(f"{name.removeprefix(BEFORE_NAME).removesuffix(side)}.weight")
            if name.endswith(side) and (layer is None or layer[axis] != shape[axis]):
                raise AssistantError(
                    f"{source.name} was made for another base model than {base.name}: {name} is {shape}, the "
                    f"layer {layer or 'is not there'}. Start Quartet with the model it was made for."
                )


def _shapes(base: Path) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for path in sorted(base.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            shapes |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    return shapes


def _lineage(found: Path, config: Mapping[str, Any], base: Path, source: Path) -> Lineage:
    """The lineage that came with it, or one that says all that is known."""
    if (found / LINEAGE).is_file():
        lineage = read_lineage(found)
        check(Adapter(source.name, found, lineage))
        return replace(lineage, number=0, name=lineage.name[:80])
    return Lineage(
        base=base.name,
        base_digest=base_digest(base),
        data_digest="",
        index_version="",
        prompt_hash="",
        settings={
            name: config[key] for name, key in (("rank", "r"), ("alpha", "lora_alpha")) if key in config
        },
        losses=(),
        seconds=0.0,
        tokens=0,
        conversations=0,
        examples=0,
        grounded=0,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        name=f"Imported from {source.name}"[:80],
    )
