"""Whether what was found fits a question at all, or nothing in the documents does.

It knows similarities and words. It does not know passages, indexes or how they are searched.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.index import VectorIndex
from knowledge.lexical import words_of

# Chosen on training questions of two companies (hotels, an agency) for few false alarms;
# `python -m tests.benchmarks.fitting` measures them on others.
LEAST = -0.135
"""The margin below which nothing fits."""
UNKNOWN_WEIGHT = 0.1
"""What a question loses whose words no document holds."""
FIRST_QUESTION = 0.04
"""What a question gains that opens a conversation: with more text around it, each passage comes nearer."""
CONTRAST, USUAL_CONTRAST = 0.05, 3.0
"""What each step of contrast counts, and how much of it a question has that something just about answers."""
USUAL_SPREAD, TIGHTEST, WIDEST = 0.14, 0.75, 1.3
"""How far cosines spread, and by how much that differs among companies with one and the same embedder."""

SAMPLED, COMPARED = 200, 500
"""Passages that tell how alike a company's documents are, and those that a best passage is held against."""
FEWEST = 30
"""Passages without which neither contrast nor spread tells anything."""
NEIGHBOURS = 50
LONE_DOCUMENT = 0.56
"""How alike documents are at most taken to be where there is only one; passages of one are more so."""

_TALK = """
hi hello hey dear ok okay oh ah um yeah yep nope sure well sorry good great fine nice perfect right correct
exactly actually really maybe perhaps anyway get gets got getting give gave given go goes going gone went
come comes came coming tell tells told say says said saying know knows knew known think thought guess wonder
wondering wondered want wants wanted need needs needed help helps look looking looks see saw seen let make
makes made making mean means meant take takes took try tried trying use sound sounds understand question
questions ask asked asking enquire enquiring inquire find found able anything something nothing anyone
someone everything thing things one ones way lot bit now still already yet again even ever never always only
much many more most very quite here between down up out over after before during while until since same
other another own few each both any off don't didn't doesn't isn't aren't wasn't can't couldn't won't
wouldn't what's whats
"""
TALK = frozenset(_TALK.split())
"""Words that people speak with and not about; where no document holds them, that tells nothing."""

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Fit:
    """How well the best passage fits a question, in this company's own measure.

    `similarity` is the best passage's cosine; `common` the cosine that passages of different documents have
    anyway; `words` those of the question that say something, `unknown` those of them that no document holds;
    `contrast` how far the best passage stands out from all, in standard deviations; `scale` what a step of
    cosine is worth beside other embedders.
    """

    similarity: float
    common: float
    words: tuple[str, ...]
    unknown: tuple[str, ...]
    opening: bool
    contrast: float = USUAL_CONTRAST
    scale: float = 1.0

    @property
    def margin(self) -> float:
        """How far the passage is nearer than chance and stands out, less what no document knows."""
        share = len(self.unknown) / max(len(self.words), 1)
        nearer = self.scale * (self.similarity - self.common)
        stands_out = CONTRAST * (self.contrast - USUAL_CONTRAST)
        return nearer + stands_out - UNKNOWN_WEIGHT * share + FIRST_QUESTION * self.opening

    @property
    def holds(self) -> bool:
        """Whether something fits; true of "thanks" and "ok", which ask for nothing."""
        return not self.words or self.margin >= LEAST


@dataclass(frozen=True)
class Measure:
    """What is near among a company's own passages, told from them alone: it follows every cut and embedder.

    `common` is how near the nearest passage of another document is, `spread` the standard deviation of the
    passages' cosines, `sample` the vectors of some of them, a row each.
    """

    common: float
    spread: float
    sample: Vector

    @classmethod
    def of(cls, index: VectorIndex, documents: Sequence[str]) -> "Measure":
        """Measure the passages of an index; `documents` names each position's document."""
        sample = np.stack([index.vector(position) for position in _evenly(len(index), COMPARED)])
        return cls(common_similarity(index, documents), float(np.std(sample @ sample.T)), sample)

    @property
    def scale(self) -> float:
        """What a step of cosine is worth: 1 if they spread as usual, more if they lie close together."""
        if len(self.sample) < FEWEST:
            return 1.0
        relative = self.spread / USUAL_SPREAD
        return float(np.clip(relative, TIGHTEST, WIDEST) / relative) if relative > 0.01 else 1.0

    def fit(
        self, question: str, vector: Vector, similarity: float, known: Callable[[str], bool], *, opening: bool
    ) -> Fit:
        """Weigh a question: its best passage's cosine, and which of its words the documents know.

        Numbers are left out: an order's number or a price stands in no document and is no reason to decline.

        Args:
            question: the question.
            vector: what was searched with.
            similarity: the best passage's cosine with it.
            known: whether a document holds a word.
            opening: whether nothing said before counts.
        """
        words = tuple(dict.fromkeys(word for word in words_of(question) if _says_something(word)))
        unknown = tuple(word for word in words if not known(word))
        contrast = self._contrast(vector, similarity)
        return Fit(similarity, self.common, words, unknown, opening, contrast, self.scale)

    def _contrast(self, vector: Vector, similarity: float) -> float:
        cosines = self.sample @ vector
        deviation = float(cosines.std())
        if len(cosines) < FEWEST or deviation < 1e-6:
            return USUAL_CONTRAST
        return (similarity - float(cosines.mean())) / deviation


def common_similarity(index: VectorIndex, documents: Sequence[str]) -> float:
    """How near a passage's nearest passage of another document is, in the median.

    `documents` names each position's document. Companies differ in it, from a shop (0.56) to hotels that all
    say the same (0.67), and what is near for one is far for another.
    """
    if len(index) < 2:
        return -1.0  # nothing to measure by, so whatever is found is taken to fit
    alone = len(set(documents)) == 1
    names = np.array(documents)
    nearest = [_nearest(index, position, names, alone=alone) for position in _evenly(len(index), SAMPLED)]
    median = float(np.median(nearest))
    return min(median, LONE_DOCUMENT) if alone else median


def _evenly(length: int, most: int) -> list[int]:
    """Positions spread over all, each once."""
    return [int(position) for position in np.unique(np.linspace(0, length - 1, most).astype(int))]


def _says_something(word: str) -> bool:
    return not word.isdecimal() and word not in TALK


def _nearest(index: VectorIndex, position: int, names: NDArray[np.str_], *, alone: bool) -> float:
    """The cosine of the nearest passage of another document (or of this one, where it is the only one).

    Where the neighbours are all of the same document, the last of them is the closest guess.
    """
    near, cosines = index.search(index.vector(position), NEIGHBOURS)
    other = near != position if alone else names[near] != names[position]
    return float(cosines[other][0] if other.any() else cosines[-1])
