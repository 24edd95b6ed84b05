"""Very many vectors in lists by nearness (FAISS's IVF), of which a search reads only the near ones.

It knows how lists are learned, searched and kept in a file. Lists never change once they are learned: what
has been put in or taken out since then is known to the index.
"""

import errno
import math
import os
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge.errors import KnowledgeError
from knowledge.storage import digest_of_file

TRAINED_ON = 64
"""Vectors a list that the lists' middles are learned from."""
LISTS_READ = (4, 8, 16, 32, 64, 128, 256)
TRIED = 200
"""Vectors asked for, to find how many lists a search must read."""
RECALL = 0.97
"""Share of the ten nearest that a search of lists must find, of what a search of all finds."""
NEAREST = 10


class Lists:
    """Unit vectors numbered from 0, searched by inner product."""

    def __init__(self, index: faiss.IndexIVF, sha256: str = "") -> None:
        """Take lists that were learned; `sha256` is that of the file they stand in, where they do."""
        index.make_direct_map()
        self._index = index
        self._sha256 = sha256

    @classmethod
    def learned(cls, vectors: NDArray[np.float32]) -> "Lists":
        """Put vectors into lists, in half precision: float32 of shape [count, dimension].

        A search reads as many lists as it takes to find `RECALL` of the nearest, tried on the vectors.
        """
        count, dimension = vectors.shape
        lists = round(4 * math.sqrt(count))
        index: Any = faiss.index_factory(dimension, f"IVF{lists},SQfp16", faiss.METRIC_INNER_PRODUCT)
        index.cp.spherical, index.cp.niter, index.cp.seed = True, 10, 1
        index.cp.max_points_per_centroid = TRAINED_ON
        chance = np.random.default_rng(0)
        sample = chance.choice(count, size=min(count, TRAINED_ON * lists), replace=False)
        index.train(vectors[np.sort(sample)])
        index.add(vectors)
        index.nprobe = _lists_needed(index, vectors, chance)
        return cls(index)

    def __len__(self) -> int:
        """How many vectors there are."""
        return int(self._index.ntotal)

    def search(
        self, query: NDArray[np.float32], count: int, wanted: NDArray[np.uint8] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Numbers and cosines of the nearest vectors, best first.

        Only those are found that `wanted` has a bit for, as `np.packbits` makes them with the lowest first.
        """
        library: Any = faiss  # whose hints know these two only as C++ has them
        chosen = None if wanted is None else library.IDSelectorBitmap(wanted)
        settings = library.SearchParametersIVF(sel=chosen, nprobe=self._index.nprobe)
        scores, numbers = self._index.search(query.reshape(1, -1), count, params=settings)
        found = numbers[0] >= 0  # the lists that were read may hold fewer
        return numbers[0][found], scores[0][found]

    def vector(self, number: int) -> NDArray[np.float32]:
        """One of the vectors."""
        return np.asarray(self._index.reconstruct(number), dtype=np.float32)

    def save(self, path: Path, before: Path | None = None) -> str:
        """Write the lists into a file and return its sha256.

        Where the file `before` holds the same ones it gets a second name, and nothing is written.
        """
        if self._sha256 and before and before.is_file() and digest_of_file(before) == self._sha256:
            try:
                os.link(before, path)
                return self._sha256
            except OSError:
                pass  # a disk on which a file has one name only
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as problem:
            raise OSError(errno.EIO, f"the search index could not be written: {problem}") from problem
        with path.open("rb") as file:
            os.fsync(file.fileno())
        self._sha256 = digest_of_file(path)
        return self._sha256


def load_lists(path: Path, sha256: str) -> Lists:
    """Map lists into memory, to be read as searches need them.

    Raises:
        KnowledgeError: the file is missing or is not the one that was written.
    """
    check_sum(path, sha256)
    index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
    return Lists(index, sha256)


def check_sum(path: Path, sha256: str) -> None:
    """Refuse a file that is not the one that was written: FAISS accepts many damaged ones.

    Raises:
        KnowledgeError: the file is missing or another one.
    """
    if not path.is_file() or digest_of_file(path) != sha256:
        raise KnowledgeError(
            f"{path} is damaged: its checksum is not the one that was written down. "
            "A damaged index is never used. Build it again from the stored documents."
        )


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
