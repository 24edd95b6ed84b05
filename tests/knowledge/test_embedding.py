"""The real sentence-transformers library on a tiny model made here."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import KnowledgeError


def test_vectors_are_of_unit_length(tiny_encoder_folder: Path) -> None:
    from knowledge.embedding import SentenceEncoder

    encoder = SentenceEncoder(tiny_encoder_folder)
    vectors = encoder.encode(["the red pot", "the blue bag opens at nine", "the red pot"])
    assert (vectors.shape, vectors.dtype, encoder.dimension) == ((3, 16), np.float32, 16)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert vectors[0] == pytest.approx(vectors[2], abs=1e-5)
    assert encoder.encode([]).shape == (0, 16)


def test_no_more_than_256_word_pieces_are_seen(tiny_encoder_folder: Path) -> None:
    from knowledge.embedding import SentenceEncoder

    encoder = SentenceEncoder(tiny_encoder_folder)
    one, two = encoder.encode(["red " * 300, "red " * 300 + "blue pot"])
    assert one == pytest.approx(two, abs=1e-6)


def test_the_identity_is_that_of_the_weights_and_settings(tiny_encoder_folder: Path, tmp_path: Path) -> None:
    from knowledge.embedding import identity_of

    copy = tmp_path / "copy"
    shutil.copytree(tiny_encoder_folder, copy)
    assert identity_of(copy) == identity_of(tiny_encoder_folder)
    weights = next(copy.glob("*.safetensors"))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert identity_of(copy) != identity_of(tiny_encoder_folder)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    from knowledge.embedding import SentenceEncoder

    with pytest.raises(KnowledgeError) as caught:
        SentenceEncoder(tmp_path / "gone")
    assert str(caught.value) == (
        f"{tmp_path / 'gone'} holds no embedding model: no .safetensors file was found in it. It must be "
        "the folder of a sentence-transformers model saved as safetensors. Choose another folder."
    )


def test_a_model_that_does_not_load_is_refused(tmp_path: Path) -> None:
    from knowledge.embedding import SentenceEncoder

    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(
        KnowledgeError, match=r"could not be loaded as an embedding model \(.*Choose another folder\."
    ):
        SentenceEncoder(tmp_path)
