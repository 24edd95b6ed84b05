"""Vectors in FAISS: found, saved, checked."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge import index
from knowledge.errors import KnowledgeError
from knowledge.index import FILE_NAME, build_index, load_index

VECTORS = np.eye(4, dtype=np.float32)


def test_the_nearest_vector_comes_first() -> None:
    query = np.array([0.1, 0.9, 0.3, 0.0], dtype=np.float32)
    positions, cosines = build_index(VECTORS).search(query, 2)
    assert positions.tolist() == [1, 2]
    assert cosines.tolist() == pytest.approx([0.9, 0.3])


def test_no_more_is_found_than_there_is() -> None:
    positions, _ = build_index(VECTORS).search(VECTORS[0], 100)
    assert sorted(positions.tolist()) == [0, 1, 2, 3]


def test_a_saved_index_comes_back(tmp_path: Path) -> None:
    manifest = build_index(VECTORS).save(tmp_path, "encoder")
    assert (manifest.encoder, manifest.dimension, manifest.count) == ("encoder", 4, 4)
    assert load_index(tmp_path, manifest).similarity(VECTORS[2], 2) == pytest.approx(1.0)


@pytest.mark.parametrize("place", [0, 40, -1], ids=["head", "vectors", "end"])
def test_one_changed_byte_is_noticed(tmp_path: Path, place: int) -> None:
    manifest = build_index(VECTORS).save(tmp_path, "encoder")
    data = bytearray((tmp_path / FILE_NAME).read_bytes())
    data[place] ^= 1
    (tmp_path / FILE_NAME).write_bytes(data)
    with pytest.raises(KnowledgeError) as caught:
        load_index(tmp_path, manifest)
    assert str(caught.value) == (
        f"{tmp_path / FILE_NAME} is damaged: its checksum is not the one that was written down. "
        "A damaged index is never used. Build it again from the stored documents."
    )


def test_a_missing_file_is_noticed(tmp_path: Path) -> None:
    manifest = build_index(VECTORS).save(tmp_path, "encoder")
    (tmp_path / FILE_NAME).unlink()
    with pytest.raises(KnowledgeError, match="is damaged"):
        load_index(tmp_path, manifest)


def test_an_index_that_is_not_what_its_manifest_says_is_refused(tmp_path: Path) -> None:
    manifest = build_index(VECTORS).save(tmp_path, "encoder")
    with pytest.raises(KnowledgeError) as caught:
        load_index(tmp_path, replace(manifest, count=5))
    assert str(caught.value) == (
        f"{tmp_path / FILE_NAME} holds 4 vectors of 4 numbers; its manifest says 5 of 4. "
        "The two must agree. Build the index again from the stored documents."
    )


def clustered(count: int, seed: int) -> NDArray[np.float32]:
    chance = np.random.default_rng(seed)
    middles = np.random.default_rng(0).standard_normal((60, 16))
    vectors = middles[chance.integers(60, size=count)] + 0.5 * chance.standard_normal((count, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_many_vectors_are_put_into_lists_that_find_nearly_all(tmp_path: Path) -> None:
    vectors, queries = clustered(4000, 1), clustered(50, 2)
    exact = build_index(vectors)
    built = build_index(vectors, exact_most=3999)
    assert (exact.exact, built.exact) == (True, False)
    manifest = built.save(tmp_path, "encoder")
    loaded = load_index(tmp_path, manifest)
    hits = [
        len(set(exact.search(query, 10)[0].tolist()) & set(loaded.search(query, 10)[0].tolist()))
        for query in queries
    ]
    assert np.mean(hits) >= 9
    assert loaded.similarity(vectors[7], 7) == pytest.approx(1.0, abs=0.01)
    assert len(loaded.search(queries[0], 4000)[0]) <= 4000


def test_a_large_index_is_written_in_pieces_mapped_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "EXACT_MOST", 1000)
    manifest = build_index(clustered(3000, 1), exact_most=1000).save(tmp_path, "encoder")
    assert len(load_index(tmp_path, manifest)) == 3000
    data = bytearray((tmp_path / FILE_NAME).read_bytes())
    data[-1] ^= 1
    (tmp_path / FILE_NAME).write_bytes(data)
    with pytest.raises(KnowledgeError, match="is damaged"):
        load_index(tmp_path, manifest)


def test_a_large_index_that_finds_no_room_is_a_problem_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "EXACT_MOST", 2)
    with pytest.raises(OSError, match="the search index could not be written"):
        build_index(VECTORS).save(tmp_path / "gone", "encoder")
