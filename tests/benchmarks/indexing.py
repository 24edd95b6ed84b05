"""What it costs to index documents, and one document that changed, beside the plain way: all of it anew.

    python -m tests.benchmarks.indexing [--documents 1000] [--parts 3] [--stand-in]

Documents are made up, a passage a part, and embedded with the starter model. The plain way cuts and embeds
all documents and builds the index, without files, checks or versions; ours does all that a change needs until
a search finds the new text. Seconds are those of the processor. With `--stand-in`, for very many passages,
vectors are drawn by chance; what the starter model would have taken is reckoned from some of the passages.
"""

import argparse
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from assistant.models import embedding_model
from knowledge.cache import Vectors
from knowledge.chunking import CutSettings, cut
from knowledge.documents import read_document
from knowledge.embedding import SentenceEncoder
from knowledge.index import build_index
from knowledge.retrieval import Encoder, KnowledgeBase

SYLLABLES = ["ka", "lo", "mi", "ten", "ra", "su", "vel", "dor", "ni", "pa", "sha", "tre", "go", "li", "mun"]
SENTENCES, WORDS = 6, 10
TIMED = 300
"""Passages that tell how long the starter model takes for one."""


class StandIn:
    """Vectors drawn by chance around themes, the same for the same text."""

    identity, dimension = "stand-in", 384

    def __init__(self) -> None:
        self._themes = np.random.default_rng(0).standard_normal((2500, self.dimension))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text."""
        noise = [
            np.random.default_rng(crc32(text.encode())).standard_normal(self.dimension) for text in texts
        ]
        themes = [self._themes[crc32(text[:20].encode()) % len(self._themes)] for text in texts]
        vectors = np.array(themes) + 0.8 * np.array(noise)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def made_up(chance: random.Random, vocabulary: list[str], parts: int) -> str:
    """A document of a title and parts of sixty words."""
    lines = [f"# {' '.join(chance.choices(vocabulary, k=3))}"]
    for _ in range(parts):
        sentences = [" ".join(chance.choices(vocabulary, k=WORDS)) + "." for _ in range(SENTENCES)]
        lines += [f"## {' '.join(chance.choices(vocabulary, k=2))}", " ".join(sentences)]
    return "\n\n".join(lines) + "\n"


def plain_way(files: list[tuple[Path, str]], encoder: Encoder, starter: Encoder) -> tuple[float, int]:
    """Seconds to read, cut and embed everything and build an index, and how many passages that were."""
    began = time.process_time()
    passages = [each for path, name in files for each in cut(read_document(path, name), CutSettings())]
    texts = [passage.search_text for passage in passages]
    build_index(encoder.encode(texts))
    took = time.process_time() - began
    return took + (0.0 if encoder is starter else seconds_a_text(starter, texts) * len(texts)), len(texts)


def seconds_a_text(starter: Encoder, texts: list[str]) -> float:
    """What the starter model takes to embed one of these texts."""
    some = random.Random(4).sample(texts, min(TIMED, len(texts)))
    starter.encode(some[:10])
    began = time.process_time()
    starter.encode(some)
    return (time.process_time() - began) / len(some)


def main() -> None:
    """Index, change one document, index the plain way, and print what each took."""
    parser = argparse.ArgumentParser(description="What it costs to index documents.")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--parts", type=int, default=3)
    parser.add_argument("--stand-in", action="store_true")
    asked = parser.parse_args()
    chance = random.Random(3)
    vocabulary = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 3))) for _ in range(3000)]
    starter = SentenceEncoder(embedding_model(lambda *_: None))
    encoder: Encoder = StandIn() if asked.stand_in else starter
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = [(folder / f"{number}.md", f"{number}.md") for number in range(asked.documents)]
        for path, _ in files:
            path.write_text(made_up(chance, vocabulary, asked.parts), encoding="utf-8")
        knowledge = KnowledgeBase(folder / "knowledge", lambda: encoder)
        began = time.process_time()
        knowledge.add(files)
        first = time.process_time() - began
        knowledge.search("warm")
        changed = files[len(files) // 2]
        text = made_up(chance, vocabulary, asked.parts)
        changed[0].write_text(text + "\nThe zebra crossed.\n", encoding="utf-8")
        began = time.process_time()
        knowledge.add([changed])
        added = time.process_time() - began
        findings = knowledge.search("zebra crossed", count=100)
        update = time.process_time() - began
        if "zebra" not in {word for found in findings.found for word in found.matched_words}:
            raise SystemExit("The new text was not found.")
        plain, passages = plain_way(files, encoder, starter)
    print(f"{asked.documents:,} documents, {passages:,} passages.")
    print(f"Ours, all for the first time: {first:.1f} s, {passages / first:.0f} passages a second.")
    print(f"The plain way, all of it: {plain:.1f} s, {passages / plain:.0f} passages a second.")
    print(
        f"Ours, one document changed: {added:.2f} s; changed and found: {update:.2f} s, "
        f"{plain / update:.0f} times less than the plain way."
    )


if __name__ == "__main__":
    main()
