"""Vectors in FAISS, with a manifest that says what they are.

It knows vectors, who made them, how many are searched exactly, and how to tell a damaged file. It does not
know passages or documents.
"""

import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge.errors import KnowledgeError
from knowledge.storage import digest_of_file, write_bytes

FILE_NAME = "vectors.faiss"
EXACT_MOST = 50_000
"""Vectors that are all compared with a query: what one core does in 5 to 10 milliseconds, as measured by
`python -m tests.benchmarks.search`."""
TRAINED_ON = 64
"""Vectors a list that the lists' middles are learned from."""
LISTS_READ = (4, 8, 16, 32, 64, 128, 256)
TRIED = 200
"""Vectors asked for, to find how many lists a search must read."""
RECALL = 0.97
"""Share of the ten nearest that a search of lists must find, of what a search of all finds."""
NEAREST = 10


@dataclass(frozen=True)
class IndexManifest:
    """What an index was made with, and the sha256 of its file. Indexes of two encoders never mix."""

    encoder: str
    dimension: int
    count: int
    sha256: str


class VectorIndex:
    """Unit vectors searched by inner product, the cosine: all of them, or of very many the near ones."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    def __len__(self) -> int:
        """How many vectors there are."""
        return int(self._index.ntotal)

    @property
    def exact(self) -> bool:
        """Whether a search compares all vectors."""
        return not isinstance(self._index, faiss.IndexIVF)

    def search(self, query: NDArray[np.float32], count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Positions and cosines of the nearest vectors, best first; no more than there are."""
        with _one_thread():
            scores, positions = self._index.search(query.reshape(1, -1), min(count, len(self)))
        found = positions[0] >= 0  # the lists that were read may hold fewer
        return positions[0][found], scores[0][found]

    def vector(self, position: int) -> NDArray[np.float32]:
        """The vector at a position."""
        return np.asarray(self._index.reconstruct(int(position)), dtype=np.float32)

    def similarity(self, query: NDArray[np.float32], position: int) -> float:
        """The cosine of one vector with the query."""
        return float(self.vector(position) @ query)

    def save(self, folder: Path, encoder: str) -> IndexManifest:
        """Write the index into a folder. What comes back is needed to load it."""
        path = folder / FILE_NAME
        small = len(self) <= EXACT_MOST
        data = faiss.serialize_index(self._index).tobytes() if small else b""
        sha256 = write_bytes(path, data) if small else _write(self._index, path)
        return IndexManifest(encoder, int(self._index.d), len(self), sha256)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One query is so little work that to share it among threads, which others need too, makes it slower."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def build_index(vectors: NDArray[np.float32], *, exact_most: int = EXACT_MOST) -> VectorIndex:
    """An index of unit vectors, in the order given: float32 of shape [count, dimension].

    Up to `exact_most` are searched exactly. More are put into lists by nearness (IVF, half precision); a
    search reads as many lists as it takes to find `RECALL` of the nearest, tried on the vectors themselves.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if len(vectors) <= exact_most:
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        return VectorIndex(index)
    return VectorIndex(_in_lists(vectors))


def _in_lists(vectors: NDArray[np.float32]) -> faiss.IndexIVF:
    count, dimension = vectors.shape
    lists = round(4 * math.sqrt(count))
    index: Any = faiss.index_factory(dimension, f"IVF{lists},SQfp16", faiss.METRIC_INNER_PRODUCT)
    index.cp.spherical, index.cp.niter, index.cp.seed = True, 10, 1
    index.cp.max_points_per_centroid = TRAINED_ON
    chance = np.random.default_rng(0)
    sample = chance.choice(count, size=min(count, TRAINED_ON * lists), replace=False)
    index.train(vectors[np.sort(sample)])
    index.add(vectors)
    index.make_direct_map()
    index.nprobe = _lists_needed(index, vectors, chance)
    return index


def _lists_needed(index: faiss.IndexIVF, vectors: NDArray[np.float32], chance: np.random.Generator) -> int:
    """How many lists a search must read to find `RECALL` of the nearest vectors."""
    asked = vectors[chance.choice(len(vectors), size=min(TRIED, len(vectors)), replace=False)]
    _, nearest = faiss.knn(asked, vectors, NEAREST, metric=faiss.METRIC_INNER_PRODUCT)
    for number in LISTS_READ:
        index.nprobe = number
        _, found = index.search(asked, NEAREST)
        hits = sum(len(set(one) & set(other)) for one, other in zip(nearest, found, strict=True))
        if hits >= RECALL * nearest.size:
            return number
    return LISTS_READ[-1]


def _write(index: faiss.Index, path: Path) -> str:
    """Write a large index piece by piece, force it to disk, and return its sha256."""
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as problem:
        raise OSError(errno.EIO, f"the search index could not be written: {problem}") from problem
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return digest_of_file(path)


def load_index(folder: Path, manifest: IndexManifest) -> VectorIndex:
    """Read an index back, its checksum first: FAISS accepts many damaged files.

    Lists are mapped into memory and read as searches need them.

    Raises:
        KnowledgeError: the file is missing or is not the one that was written.
    """
    path = folder / FILE_NAME
    if not path.is_file() or digest_of_file(path) != manifest.sha256:
        raise KnowledgeError(
            f"{path} is damaged: its checksum is not the one that was written down. "
            "A damaged index is never used. Build it again from the stored documents."
        )
    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP if manifest.count > EXACT_MOST else 0)
    if isinstance(index, faiss.IndexIVF):
        index.make_direct_map()
    if index.ntotal != manifest.count or index.d != manifest.dimension:
        raise KnowledgeError(
            f"{path} holds {index.ntotal} vectors of {index.d} numbers; its manifest says "
            f"{manifest.count} of {manifest.dimension}. The two must agree. Build the index again from "
            "the stored documents."
        )
    return VectorIndex(index)
