"""What it costs to index documents, and one document that changed, beside the plain way: all of it anew.

    python -m tests.benchmarks.indexing [--documents 1000]

Documents are made up, three passages each, and embedded with the starter model. The plain way cuts and
embeds all documents and builds the index, without files, checks or versions; ours does all that a change
needs until a search finds the new text.
"""

import argparse
import os
import random
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from assistant.models import embedding_model
from knowledge.chunking import CutSettings, cut
from knowledge.documents import read_document
from knowledge.embedding import SentenceEncoder
from knowledge.index import build_index
from knowledge.retrieval import KnowledgeBase

SYLLABLES = ["ka", "lo", "mi", "ten", "ra", "su", "vel", "dor", "ni", "pa", "sha", "tre", "go", "li", "mun"]
PARTS, SENTENCES, WORDS = 3, 6, 10


def made_up(chance: random.Random, vocabulary: list[str]) -> str:
    """A document of a title and three parts of sixty words."""
    lines = [f"# {' '.join(chance.choices(vocabulary, k=3))}"]
    for _ in range(PARTS):
        sentences = [" ".join(chance.choices(vocabulary, k=WORDS)) + "." for _ in range(SENTENCES)]
        lines += [f"## {' '.join(chance.choices(vocabulary, k=2))}", " ".join(sentences)]
    return "\n\n".join(lines) + "\n"


def plain_way(files: list[tuple[Path, str]], encoder: SentenceEncoder) -> tuple[float, int]:
    """Seconds to read, cut and embed everything and build an index, and how many passages that were."""
    began = time.perf_counter()
    passages = [each for path, name in files for each in cut(read_document(path, name), CutSettings())]
    build_index(encoder.encode([passage.search_text for passage in passages]))
    return time.perf_counter() - began, len(passages)


def main() -> None:
    """Index, change one document, index the plain way, and print what each took."""
    parser = argparse.ArgumentParser(description="What it costs to index documents.")
    parser.add_argument("--documents", type=int, default=1000)
    count = parser.parse_args().documents
    chance = random.Random(3)
    vocabulary = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 3))) for _ in range(3000)]
    encoder = SentenceEncoder(embedding_model(lambda *_: None))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = [(folder / f"{number}.md", f"{number}.md") for number in range(count)]
        for path, _ in files:
            path.write_text(made_up(chance, vocabulary), encoding="utf-8")
        knowledge = KnowledgeBase(folder / "knowledge", lambda: encoder)
        began = time.perf_counter()
        knowledge.add(files)
        first = time.perf_counter() - began
        knowledge.search("warm")
        changed = files[count // 2]
        changed[0].write_text(made_up(chance, vocabulary) + "\nThe zebra crossed.\n", encoding="utf-8")
        began = time.perf_counter()
        knowledge.add([changed])
        found = knowledge.search("zebra crossed").found[0].passage.document
        update = time.perf_counter() - began
        if found != changed[1]:
            raise SystemExit(f"The new text was not found: {found} came first, not {changed[1]}.")
        plain, passages = plain_way(files, encoder)
    print(f"{count:,} documents, {passages:,} passages.")
    print(f"Ours, all for the first time: {first:.1f} s, {passages / first:.0f} passages a second.")
    print(f"The plain way, all of it: {plain:.1f} s, {passages / plain:.0f} passages a second.")
    print(
        f"Ours, one document changed and found: {update:.2f} s, {plain / update:.0f} times less "
        "than the plain way."
    )


if __name__ == "__main__":
    main()
