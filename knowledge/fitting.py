"""Whether what was found fits a question at all, or nothing in the documents does.

It knows similarities and words. It does not know passages, indexes or how they are searched.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.index import VectorIndex
from knowledge.lexical import words_of

# Chosen on training questions of three companies (a shop, hotels, an agency) for few false alarms;
# `python -m tests.benchmarks.fitting` measures them on others.
LEAST = -0.13
"""The margin below which nothing fits."""
UNKNOWN_WEIGHT = 0.2
"""What a question loses whose words no document holds."""
FIRST_QUESTION = 0.08
"""What a question gains that opens a conversation: with more text around it, each passage comes nearer."""

SAMPLED = 200
"""Passages that tell how alike a company's documents are."""
NEIGHBOURS = 50
LONE_DOCUMENT = 0.56
"""How alike documents are at most taken to be where there is only one; passages of one are more so."""


@dataclass(frozen=True)
class Fit:
    """How well the best passage fits a question, in this company's own measure.

    `similarity` is the best passage's cosine; `common` the cosine that passages of different documents have
    anyway; `words` those of the question that say something, `unknown` those of them that no document holds.
    """

    similarity: float
    common: float
    words: tuple[str, ...]
    unknown: tuple[str, ...]
    opening: bool

    @property
    def margin(self) -> float:
        """How far the passage is nearer than chance, less what the documents know nothing of."""
        share = len(self.unknown) / max(len(self.words), 1)
        return self.similarity - self.common - UNKNOWN_WEIGHT * share + FIRST_QUESTION * self.opening

    @property
    def holds(self) -> bool:
        """Whether something fits; true of "thanks" and "ok", which ask for nothing."""
        return not self.words or self.margin >= LEAST


def fit_of(
    question: str, similarity: float, common: float, known: Callable[[str], bool], *, opening: bool
) -> Fit:
    """Weigh a question: the cosine of its best passage, and which of its words the documents know.

    Numbers are left out: an order's number or a price stands in no document and is no reason to decline.
    """
    words = tuple(dict.fromkeys(word for word in words_of(question) if not word.isdecimal()))
    unknown = tuple(word for word in words if not known(word))
    return Fit(similarity, common, words, unknown, opening)


def common_similarity(index: VectorIndex, documents: Sequence[str]) -> float:
    """How near a passage's nearest passage of another document is, in the median.

    `documents` names each position's document. Companies differ in it, from a shop (0.56) to hotels that all
    say the same (0.67), and what is near for one is far for another.
    """
    if len(index) < 2:
        return -1.0  # nothing to measure by, so whatever is found is taken to fit
    alone = len(set(documents)) == 1
    names = np.array(documents)
    positions = np.unique(np.linspace(0, len(index) - 1, SAMPLED).astype(int))
    nearest = [_nearest(index, position, names, alone=alone) for position in positions]
    median = float(np.median(nearest))
    return min(median, LONE_DOCUMENT) if alone else median


def _nearest(index: VectorIndex, position: int, names: NDArray[np.str_], *, alone: bool) -> float:
    """The cosine of the nearest passage of another document (or of this one, where it is the only one).

    Where the neighbours are all of the same document, the last of them is the closest guess.
    """
    near, cosines = index.search(index.vector(position), NEIGHBOURS)
    other = near != position if alone else names[near] != names[position]
    return float(cosines[other][0] if other.any() else cosines[-1])
