"""Vectors in FAISS: found, saved, checked."""

import os
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge import index
from knowledge.errors import KnowledgeError
from knowledge.index import FILE_NAME, LISTS_NAME, ROWS_NAME, IndexManifest, build_index, load_index

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


def test_lists_are_mapped_and_each_of_their_files_is_checked(tmp_path: Path) -> None:
    manifest = build_index(clustered(3000, 1), exact_most=1000).save(tmp_path, "encoder")
    assert len(load_index(tmp_path, manifest)) == 3000
    for name in (LISTS_NAME, ROWS_NAME, FILE_NAME):
        sound = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
        with pytest.raises(KnowledgeError, match=f"{name} is damaged"):
            load_index(tmp_path, manifest)
        (tmp_path / name).write_bytes(sound)


def test_lists_that_find_no_room_are_a_problem_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the search index could not be written"):
        build_index(clustered(100, 1), exact_most=2)._lists.save(tmp_path / "gone" / "lists")  # type: ignore[union-attr]


def test_an_index_of_an_earlier_format_is_read_with_all_its_vectors_in_lists(tmp_path: Path) -> None:
    vectors = clustered(3000, 1)
    index = build_index(vectors, exact_most=1000)
    manifest = index.save(tmp_path, "encoder")
    (tmp_path / LISTS_NAME).rename(tmp_path / FILE_NAME)
    old = IndexManifest("encoder", 16, 3000, manifest.lists_sha256)
    found, expected = load_index(tmp_path, old).search(vectors[5], 10), index.search(vectors[5], 10)
    assert (found[0].tolist(), found[1].tolist()) == (expected[0].tolist(), expected[1].tolist())


# Changes


class Changing:
    """An index that is changed, and what it should hold."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self.index, self.vectors = build_index(vectors, exact_most=1000), vectors
        self._chance = np.random.default_rng(5)

    def change(self, out: int, fresh: NDArray[np.float32]) -> bool:
        """Take vectors out at random places and put others in at one; false if that asks for a new index."""
        kept = np.sort(self._chance.permutation(len(self.vectors))[out:])
        place = int(self._chance.integers(len(kept)))
        origins = np.concatenate([kept[:place], np.full(len(fresh), -1), kept[place:]])
        index = self.index.updated(origins, fresh)
        if index is None:
            return False
        self.index = index
        self.vectors = np.concatenate([self.vectors[kept[:place]], fresh, self.vectors[kept[place:]]])
        return True

    def recall(self, queries: NDArray[np.float32]) -> float:
        """The share of the ten nearest that is found."""
        nearest = np.argsort(-queries @ self.vectors.T, axis=1)[:, :10]
        found = [self.index.search(query, 10)[0] for query in queries]
        return float(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(nearest, found, strict=True)]))


@pytest.mark.parametrize("count", [500, 4000], ids=["exact", "lists"])
def test_after_a_change_each_vector_is_at_its_new_position(count: int) -> None:
    changing = Changing(clustered(count, 1))
    for number in range(5):
        assert changing.change(20, clustered(30, 10 + number))
    assert (len(changing.index), changing.index.exact) == (count + 50, count == 500)
    vectors = np.stack([changing.index.vector(at) for at in range(count + 50)])
    assert vectors == pytest.approx(changing.vectors, abs=0.001)


def test_lists_find_as_much_after_changes_up_to_where_they_are_learned_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index, "RECENT_MOST", 1000)
    changing = Changing(clustered(4000, 1))
    other = -clustered(2000, 3)  # of subjects that the lists were not learned from
    changes = 0
    while changing.change(25, other[changes * 50 : changes * 50 + 50]):
        changes += 1
    assert changes >= 15
    assert changing.recall(clustered(100, 2)) >= 0.95
    assert changing.recall(-clustered(100, 2)) >= 0.95


def test_lists_that_have_lost_a_quarter_are_learned_anew() -> None:
    changing = Changing(clustered(4000, 1))
    none = np.empty((0, 16), dtype=np.float32)
    assert changing.change(1000, none)
    assert not changing.change(1, none)
    assert changing.recall(clustered(100, 2)) >= 0.95


def test_a_change_is_saved_without_writing_the_lists_again(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    changing = Changing(clustered(4000, 1))
    changing.index.save(first, "encoder")
    changing.change(10, clustered(10, 7))
    manifest = changing.index.save(second, "encoder", before=first)
    assert (second / LISTS_NAME).samefile(first / LISTS_NAME)
    changing.index = load_index(second, manifest)
    assert changing.recall(clustered(50, 2)) >= 0.9


@pytest.mark.parametrize("how", ["damaged", "gone", "another disk"])
def test_lists_are_written_where_those_before_can_not_be_named_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    built = build_index(clustered(4000, 1), exact_most=1000)
    built.save(first, "encoder")
    if how == "damaged":
        (first / LISTS_NAME).write_bytes(b"bent")
    elif how == "gone":
        (first / LISTS_NAME).unlink()
    else:
        monkeypatch.setattr(os, "link", Mock(side_effect=OSError))
    manifest = built.save(second, "encoder", before=first)
    assert len(load_index(second, manifest)) == 4000
    assert (second / LISTS_NAME).stat().st_nlink == 1
