"""The weights in a model's folder: safetensors alone, and what tells one model from another.

It knows files. It loads none of them.
"""

import hashlib
from pathlib import Path

from knowledge.errors import KnowledgeError

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
"""Files that run code when they are loaded."""
BLOCK = 1 << 20


def check_weights(folder: Path, kind: str) -> tuple[Path, ...]:
    """The safetensors of a folder and of the folders in it; `kind` says what they should be, for people.

    Raises:
        KnowledgeError: there are none, or a part of the model has other weights only.
    """
    places = (folder, *sorted(path for path in folder.glob("*") if path.is_dir())) if folder.is_dir() else ()
    found = tuple(path for place in places for path in sorted(place.glob("*.safetensors")))
    pickled = [
        path
        for place in places
        if not any(place.glob("*.safetensors"))
        for pattern in PICKLES
        for path in sorted(place.glob(pattern))
        if path.name != "training_args.bin"
    ]
    rule = f"It must be the folder of {kind} saved as safetensors. Choose another folder."
    if pickled:
        names = ", ".join(str(path.relative_to(folder)) for path in pickled)
        raise KnowledgeError(
            f"{folder} has weights that can run code when they are loaded: {names}. Only safetensors are "
            f"loaded. {rule}"
        )
    if not found:
        raise KnowledgeError(f"{folder} holds no model: no .safetensors file was found in it. {rule}")
    return found


def digest_of_files(first: str, paths: tuple[Path, ...]) -> str:
    """The sha256 of a first line and of files with their names; one that is not there is empty."""
    digest = hashlib.sha256(f"{first}\n".encode())
    for path in paths:
        digest.update(f"{path.name}\n".encode())
        if path.exists():
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    digest.update(block)
    return digest.hexdigest()
