"""Vectors are paid for once."""

from pathlib import Path

import numpy as np
import pytest

from knowledge import cache as cache_module
from knowledge.cache import VectorCache, Vectors
from knowledge.errors import KnowledgeError
from tests.knowledge.conftest import WordEncoder


def ignore(done: int, total: int) -> None:
    """Nobody watches."""


def test_only_new_texts_are_encoded(tmp_path: Path, encoder: WordEncoder) -> None:
    cache = VectorCache(tmp_path / "vectors.sqlite")
    first = cache.vectors(["one", "two", "one"], encoder, ignore)
    again = VectorCache(tmp_path / "vectors.sqlite").vectors(["three", "one"], encoder, ignore)
    assert encoder.texts == ["one", "two", "three"]
    assert np.array_equal(first[0], first[2])
    assert np.array_equal(first[0], again[1])


def test_two_encoders_never_share_vectors(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors.sqlite")
    small, large = WordEncoder("small", 8), WordEncoder("large", 16)
    assert cache.vectors(["one"], small, ignore).shape == (1, 8)
    assert cache.vectors(["one"], large, ignore).shape == (1, 16)


def test_no_texts_give_no_vectors(tmp_path: Path, encoder: WordEncoder) -> None:
    assert VectorCache(tmp_path / "vectors.sqlite").vectors([], encoder, ignore).shape == (0, 64)


@pytest.mark.parametrize("damage", [b"not a database", None], ids=["no database", "torn pages"])
def test_a_damaged_cache_is_made_again(tmp_path: Path, encoder: WordEncoder, damage: bytes | None) -> None:
    path = tmp_path / "vectors.sqlite"
    texts = [f"text {number}" for number in range(300)]
    VectorCache(path).vectors(texts, encoder, ignore)
    data = path.read_bytes()
    path.write_bytes(damage or data[:4096] + b"\x55" * 8192 + data[12288:])
    assert VectorCache(path).vectors(texts, encoder, ignore).shape == (300, 64)


def test_work_broken_off_is_not_done_twice(tmp_path: Path, encoder: WordEncoder) -> None:
    texts = [f"text {number}" for number in range(200)]
    cache = VectorCache(tmp_path / "vectors.sqlite")

    def stop(done: int, total: int) -> None:
        assert total == 200
        if done:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        cache.vectors(texts, encoder, stop)
    assert len(encoder.texts) == cache_module.BATCH
    cache.vectors(texts, encoder, ignore)
    assert len(encoder.texts) == 200


def test_what_is_unused_is_forgotten_once_it_is_most(
    tmp_path: Path, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "SPARE", 2)
    cache = VectorCache(tmp_path / "vectors.sqlite")
    cache.vectors(["a", "b", "c", "d"], encoder, ignore)
    cache.prune(["a"], encoder)  # 4 kept, 1 used, 2 spare: no more than twice as many
    cache.vectors(["b"], encoder, ignore)
    assert encoder.texts == ["a", "b", "c", "d"]
    cache.vectors(["e"], encoder, ignore)
    cache.prune(["a"], encoder)
    cache.vectors(["a", "b"], encoder, ignore)
    assert encoder.texts == ["a", "b", "c", "d", "e", "b"]


def test_an_encoder_that_gives_nonsense_is_refused(tmp_path: Path, encoder: WordEncoder) -> None:
    class Nonsense(WordEncoder):
        def encode(self, texts: list[str]) -> Vectors:  # type: ignore[override]
            return np.full((len(texts), 64), np.nan, dtype=np.float32)

    with pytest.raises(KnowledgeError) as caught:
        VectorCache(tmp_path / "vectors.sqlite").vectors(["one"], Nonsense(), ignore)
    assert str(caught.value) == (
        "The embedding model gave vectors of shape (1, 64) for 1 texts, or numbers that are not finite. "
        "It must give 64 numbers a text. Choose another embedding model."
    )
