"""What a search of vectors costs: all of them compared, beside what Quartet chooses for as many.

    python -m tests.benchmarks.search [COUNT ...]

Vectors of 384 numbers in clusters, as passages are; queries are vectors of the same clusters that are not in
the index. Each way is built, saved and loaded on the same vectors in one run; recall@10 is the share of the
ten nearest of all that is found. Memory is what the process takes for the loaded index after all queries.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from knowledge.index import EXACT_MOST, build_index, load_index

COUNTS = (10_000, 100_000, 1_000_000)
DIMENSION = 384
QUERIES = 300
NEAREST = 10
A_CLUSTER = 40
"""Vectors that are about one thing."""
BLOCK = 50_000


@dataclass(frozen=True)
class Cost:
    """What one way cost: seconds to build and load, milliseconds a search, memory in megabytes."""

    build: float
    load: float
    middle: float
    slow: float
    recall: float
    memory: float
    exact: bool


def clustered(count: int, chance: np.random.Generator, middles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors around the middles; how near differs from cluster to cluster."""
    vectors = np.empty((count, DIMENSION), dtype=np.float32)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        chosen = chance.integers(len(middles), size=size)
        spread = 0.5 + (chosen % 7)[:, None] / 7
        noise = chance.standard_normal((size, DIMENSION), dtype=np.float32)
        block = middles[chosen] + spread.astype(np.float32) * noise / np.float32(np.sqrt(DIMENSION))
        vectors[start : start + size] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return vectors


def middles_of(count: int, chance: np.random.Generator) -> NDArray[np.float32]:
    """The clusters' middles, themselves around fewer themes."""
    themes = chance.standard_normal((max(8, count // 50), DIMENSION), dtype=np.float32)
    near = chance.standard_normal((count, DIMENSION), dtype=np.float32)
    mixed = themes[chance.integers(len(themes), size=count)] + near
    return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)


def measured(
    vectors: NDArray[np.float32], queries: NDArray[np.float32], nearest: list[set[int]], exact_most: int
) -> tuple[Cost, list[set[int]]]:
    """Build, save, load and search one way; also what it found."""
    began = time.perf_counter()
    index = build_index(vectors, exact_most=exact_most)
    build = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        manifest = index.save(Path(folder), "benchmark")
        exact = index.exact
        del index
        before, began = psutil.Process().memory_info().rss, time.perf_counter()
        index = load_index(Path(folder), manifest)
        load = time.perf_counter() - began
        times, found = [], []
        for query in queries:
            began = time.perf_counter()
            positions, _ = index.search(query, NEAREST)
            times.append(1000 * (time.perf_counter() - began))
            found.append(set(positions.tolist()))
        memory = (psutil.Process().memory_info().rss - before) / 1e6
    hits = [len(one & other) / NEAREST for one, other in zip(found, nearest or found, strict=True)]
    middle, slow = np.percentile(times, [50, 95])
    return Cost(build, load, float(middle), float(slow), float(np.mean(hits)), memory, exact), found


def main() -> None:
    """Measure each count both ways and print a table."""
    parser = argparse.ArgumentParser(description="What a search of vectors costs.")
    parser.add_argument("counts", nargs="*", type=int, default=list(COUNTS), help="numbers of vectors")
    print(f"Exactly up to {EXACT_MOST:,}, then lists. {QUERIES} queries, {DIMENSION} numbers a vector.\n")
    print("| vectors | way | build | load | p50 | p95 | recall@10 | memory | p50 against exact |")
    print("|---|---|---|---|---|---|---|---|---|")
    for count in parser.parse_args().counts:
        chance = np.random.default_rng(7)
        middles = middles_of(max(10, count // A_CLUSTER), chance)
        vectors, queries = clustered(count, chance, middles), clustered(QUERIES, chance, middles)
        all_of_them, nearest = measured(vectors, queries, [], count)
        lists, _ = measured(vectors, queries, nearest, 0)
        for name, cost in (("exact", all_of_them), ("lists", lists)):
            chosen = " (chosen)" if cost.exact == (count <= EXACT_MOST) else ""
            print(
                f"| {count:,} | {name}{chosen} | {cost.build:.1f} s | {cost.load:.2f} s | "
                f"{cost.middle:.2f} ms | "
                f"{cost.slow:.2f} ms | {cost.recall:.3f} | {cost.memory:,.0f} MB | "
                f"{cost.middle / all_of_them.middle:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
