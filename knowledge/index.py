"""Vectors in FAISS, with a manifest that says what they are.

It knows vectors, who made them and how to tell a damaged file. It does not know passages or documents.
"""

from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge.errors import KnowledgeError
from knowledge.storage import digest_of, write_bytes

FILE_NAME = "vectors.faiss"


@dataclass(frozen=True)
class IndexManifest:
    """What an index was made with, and the sha256 of its file. Indexes of two encoders never mix."""

    encoder: str
    dimension: int
    count: int
    sha256: str


class VectorIndex:
    """Unit vectors searched exactly, by inner product: the cosine."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    def __len__(self) -> int:
        """How many vectors there are."""
        return int(self._index.ntotal)

    def search(self, query: NDArray[np.float32], count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Positions and cosines of the nearest vectors, best first; no more than there are."""
        scores, positions = self._index.search(query.reshape(1, -1), min(count, len(self)))
        return positions[0], scores[0]

    def vector(self, position: int) -> NDArray[np.float32]:
        """The vector at a position."""
        return np.asarray(self._index.reconstruct(int(position)), dtype=np.float32)

    def similarity(self, query: NDArray[np.float32], position: int) -> float:
        """The cosine of one vector with the query."""
        return float(self.vector(position) @ query)

    def save(self, folder: Path, encoder: str) -> IndexManifest:
        """Write the index into a folder. What comes back is needed to load it."""
        sha256 = write_bytes(folder / FILE_NAME, faiss.serialize_index(self._index).tobytes())
        return IndexManifest(encoder, int(self._index.d), len(self), sha256)


def build_index(vectors: NDArray[np.float32]) -> VectorIndex:
    """An index of unit vectors, in the order given: float32 of shape [count, dimension]."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    return VectorIndex(index)


def load_index(folder: Path, manifest: IndexManifest) -> VectorIndex:
    """Read an index back, its checksum first: FAISS accepts many damaged files.

    Raises:
        KnowledgeError: the file is missing or is not the one that was written.
    """
    path = folder / FILE_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    if digest_of(data) != manifest.sha256:
        raise KnowledgeError(
            f"{path} is damaged: its checksum is not the one that was written down. "
            "A damaged index is never used. Build it again from the stored documents."
        )
    index = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
    if index.ntotal != manifest.count or index.d != manifest.dimension:
        raise KnowledgeError(
            f"{path} holds {index.ntotal} vectors of {index.d} numbers; its manifest says "
            f"{manifest.count} of {manifest.dimension}. The two must agree. Build the index again from "
            "the stored documents."
        )
    return VectorIndex(index)
