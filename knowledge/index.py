"""Vectors in FAISS, with a manifest that says what they are.

It knows vectors, who made them, how many are searched exactly, and how to tell a damaged file. It does not
know passages or documents.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge.errors import KnowledgeError
from knowledge.lists import Lists, check_sum, load_lists
from knowledge.storage import write_bytes

FILE_NAME, LISTS_NAME, ROWS_NAME = "vectors.faiss", "lists.faiss", "rows.npy"
EXACT_MOST = 50_000
"""Vectors that are all compared with a query: what one core does in 5 to 10 milliseconds, as measured by
`python -m tests.benchmarks.search`."""
RECENT_MOST = 20_000
"""Vectors put in since the lists were learned, all compared with a query; of more, lists are learned anew."""
GONE_MOST = 0.25
"""Share of the vectors in lists that may be taken out before lists are learned anew."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class IndexManifest:
    """What an index was made with, and the sha256 of its files. Indexes of two encoders never mix."""

    encoder: str
    dimension: int
    count: int
    sha256: str
    lists_sha256: str = ""
    """Empty where all vectors are compared with a query."""
    rows_sha256: str = ""


class VectorIndex:
    """Unit vectors searched by inner product, the cosine: all of them, or of very many the near ones.

    Of very many most stand in lists. Those put in since the lists were learned are all compared, and those
    taken out are passed over, so that a change costs what it changes and finds as much as before.
    """

    def __init__(
        self, compared: faiss.IndexFlatIP, lists: Lists | None = None, rows: NDArray[np.int64] | None = None
    ) -> None:
        """Put the two parts together.

        `rows` says where the vector of each position is: its number in the lists, or -1, -2, ... for the
        first, second, ... of those compared, which keep the order of their positions.
        """
        self._compared = compared
        self._lists = lists
        self._rows = -1 - np.arange(compared.ntotal) if rows is None else rows
        self._recent = np.flatnonzero(self._rows < 0)
        self._listed = np.full(len(lists) if lists else 0, -1, dtype=np.int64)
        kept = np.flatnonzero(self._rows >= 0)
        self._listed[self._rows[kept]] = kept
        whole = len(kept) == len(self._listed)
        self._wanted = None if whole else np.packbits(self._listed >= 0, bitorder="little")

    def __len__(self) -> int:
        """How many vectors there are."""
        return len(self._rows)

    @property
    def exact(self) -> bool:
        """Whether a search compares all vectors."""
        return self._lists is None

    def search(self, query: Vectors, count: int) -> tuple[NDArray[np.int64], Vectors]:
        """Positions and cosines of the nearest vectors, best first; no more than there are."""
        with _one_thread():
            near = min(count, len(self._recent))
            scores, rows = self._compared.search(query.reshape(1, -1), max(near, 1))
            positions, cosines = self._recent[rows[0][:near]], scores[0][:near]
            if self._lists is None:
                return positions, cosines
            numbers, others = self._lists.search(query, min(count, len(self)), self._wanted)
        positions, cosines = np.append(positions, self._listed[numbers]), np.append(cosines, others)
        best = np.argsort(-cosines, kind="stable")[:count]
        return positions[best], cosines[best]

    def vector(self, position: int) -> Vectors:
        """The vector at a position."""
        row = int(self._rows[position])
        if self._lists is not None and row >= 0:
            return self._lists.vector(row)
        return np.asarray(self._compared.reconstruct(-1 - row), dtype=np.float32)

    def similarity(self, query: Vectors, position: int) -> float:
        """The cosine of one vector with the query."""
        return float(self.vector(position) @ query)

    def updated(self, origins: NDArray[np.int64], fresh: Vectors) -> "VectorIndex | None":
        """An index of other vectors that has most of them from this one; None if it is to be built anew.

        `origins` holds, for each position, the one that its vector has here, or -1 for the next of `fresh`.
        """
        rows = np.where(origins >= 0, self._rows[origins], -1)
        recent = rows < 0
        vectors = np.empty((int(recent.sum()), self._compared.d), dtype=np.float32)
        new = origins[recent] < 0
        vectors[new] = fresh
        kept = -1 - self._rows[origins[recent][~new]]
        if len(kept):
            vectors[~new] = self._compared.reconstruct_n(0, self._compared.ntotal)[kept]
        if self._lists is None:
            return build_index(vectors)
        gone = len(self._lists) - int((~recent).sum())
        if len(vectors) > RECENT_MOST or gone > GONE_MOST * len(self._lists):
            return None
        rows[recent] = -1 - np.arange(len(vectors))
        return VectorIndex(_flat(vectors), self._lists, rows)

    def save(self, folder: Path, encoder: str, *, before: Path | None = None) -> IndexManifest:
        """Write the index into a folder. What comes back is needed to load it.

        Lists that stand in the folder `before` already are not written again.
        """
        sha256 = write_bytes(folder / FILE_NAME, faiss.serialize_index(self._compared).tobytes())
        manifest = (encoder, int(self._compared.d), len(self), sha256)
        if self._lists is None:
            return IndexManifest(*manifest)
        lists_sha256 = self._lists.save(folder / LISTS_NAME, before and before / LISTS_NAME)
        rows = io.BytesIO()
        np.save(rows, self._rows)
        return IndexManifest(*manifest, lists_sha256, write_bytes(folder / ROWS_NAME, rows.getvalue()))


@contextmanager
def _one_thread() -> Iterator[None]:
    """One query is so little work that to share it among threads, which others need too, makes it slower."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def build_index(vectors: Vectors, *, exact_most: int = EXACT_MOST) -> VectorIndex:
    """An index of unit vectors, in the order given: float32 of shape [count, dimension].

    Up to `exact_most` are searched exactly; more are put into lists by nearness.
    """
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if len(vectors) <= exact_most:
        return VectorIndex(_flat(vectors))
    return VectorIndex(_flat(vectors[:0]), Lists.learned(vectors), np.arange(len(vectors)))


def _flat(vectors: Vectors) -> faiss.IndexFlatIP:
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def load_index(folder: Path, manifest: IndexManifest) -> VectorIndex:
    """Read an index back, its checksums first.

    Raises:
        KnowledgeError: a file is missing or is not the one that was written.
    """
    path = folder / FILE_NAME
    check_sum(path, manifest.sha256)
    compared: Any = faiss.read_index(str(path))
    if isinstance(compared, faiss.IndexIVF):  # formats 1 to 3 had all vectors in lists
        empty = faiss.IndexFlatIP(compared.d)
        index = VectorIndex(empty, Lists(compared), np.arange(compared.ntotal))
    elif manifest.lists_sha256:
        check_sum(folder / ROWS_NAME, manifest.rows_sha256)
        rows = np.load(folder / ROWS_NAME)
        index = VectorIndex(compared, load_lists(folder / LISTS_NAME, manifest.lists_sha256), rows)
    else:
        index = VectorIndex(compared)
    if len(index) != manifest.count or compared.d != manifest.dimension:
        raise KnowledgeError(
            f"{path} holds {len(index)} vectors of {compared.d} numbers; its manifest says "
            f"{manifest.count} of {manifest.dimension}. The two must agree. Build the index again from "
            "the stored documents."
        )
    return index
