"""Companies to measure on: the demo and two of the shared data, each as documents, questions and vectors.

It knows files and gold documents. It does not know what is measured.
"""

import json
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.demo import DEMO
from assistant.models import embedding_model
from knowledge.boilerplate import edges_of, trimmed, trims_of
from knowledge.cache import VectorCache
from knowledge.chunking import CutSettings, Passage, cut
from knowledge.documents import read_document
from knowledge.embedding import SentenceEncoder
from knowledge.index import VectorIndex, build_index
from knowledge.names import files_under
from knowledge.searching import Snapshot

VECTORS = Path(tempfile.gettempdir()) / "quartet-benchmark-vectors.sqlite"
"""Kept between runs, for embedding takes minutes."""


@dataclass(frozen=True)
class Asked:
    """A question with what came before it, and where its answer stands; `documents` is empty if nowhere."""

    id: str
    question: str
    history: tuple[tuple[str, str], ...]
    documents: frozenset[str]
    gold: str
    split: str


@dataclass(frozen=True)
class Company:
    """Documents cut and embedded: `vectors` has a row for each passage."""

    name: str
    questions: tuple[Asked, ...]
    passages: tuple[Passage, ...]
    vectors: NDArray[np.float32]

    def index(self) -> VectorIndex:
        """All vectors, to be searched."""
        return build_index(self.vectors)

    def snapshot(self, without: Collection[str] = ()) -> Snapshot:
        """The passages ready to be searched, those of some documents left out."""
        kept = [at for at, passage in enumerate(self.passages) if passage.document not in without]
        return Snapshot("1", [self.passages[at] for at in kept], build_index(self.vectors[kept]))


def load_encoder() -> SentenceEncoder:
    """The starter's embedding model."""
    return SentenceEncoder(embedding_model(lambda *_: None))


def shared_company(name: str, encoder: SentenceEncoder) -> Company:
    """A company of the shared data: `hotel_concierge` or `dmv`."""
    folders = [parent / "shared" / "data" / name for parent in Path(__file__).parents]
    folder = next((each for each in folders if each.is_dir()), None)
    if folder is None:
        raise SystemExit(f"There is no shared/data/{name} beside the project, which is what is measured on.")
    return _company(name, folder / "documents", _read(folder / "questions.jsonl"), encoder)


def demo_company(encoder: SentenceEncoder) -> Company:
    """The demo, with its 72 held-out questions."""
    return _company("demo", DEMO / "documents", _read(DEMO / "questions.jsonl"), encoder)


def _read(path: Path) -> list[Asked]:
    return [_asked(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _asked(value: dict[str, Any]) -> Asked:
    names = value.get("equivalent_doc_ids") or value.get("gold_doc_ids") or value.get("documents") or ()
    return Asked(
        value["id"],
        value["question"],
        tuple((turn["role"], turn["content"]) for turn in value["history"]),
        frozenset(name if "." in name[-5:] else f"{name}.md" for name in names),
        value.get("gold_passage") or "",
        value.get("split", "test"),
    )


def _company(name: str, documents: Path, questions: Sequence[Asked], encoder: SentenceEncoder) -> Company:
    """Read, cut and embed as the product does."""
    read = [read_document(path, name) for path, name in files_under([documents])]
    trims = trims_of({document.name: edges_of(document) for document in read})
    kept = [trimmed(document, trims[document.name]) for document in read]
    passages = tuple(passage for document in kept for passage in cut(document, CutSettings()))
    return Company(
        name, tuple(questions), passages, vectors_of([passage.search_text for passage in passages], encoder)
    )


def vectors_of(texts: Sequence[str], encoder: SentenceEncoder) -> NDArray[np.float32]:
    """The texts' vectors, embedded or from an earlier run."""
    return VectorCache(VECTORS).vectors(texts, encoder, lambda done, total: None)
