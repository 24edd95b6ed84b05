"""The real sentence-transformers library on a tiny model made here."""

import json
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
        f"{tmp_path / 'gone'} holds no model: no .safetensors file was found in it. It must be "
        "the folder of a sentence-transformers model saved as safetensors. Choose another folder."
    )


@pytest.mark.parametrize("place", ["", "2_Dense"], ids=["whole", "one part"])
def test_weights_that_can_run_code_are_refused_by_name(
    tiny_encoder_folder: Path, tmp_path: Path, place: str
) -> None:
    from knowledge.embedding import SentenceEncoder

    folder = tmp_path / "model"
    shutil.copytree(tiny_encoder_folder, folder)
    if not place:
        (folder / "model.safetensors").unlink()
    (folder / place).mkdir(exist_ok=True)
    (folder / place / "pytorch_model.bin").write_bytes(b"pickle")
    found = str(Path(place) / "pytorch_model.bin")
    with pytest.raises(KnowledgeError, match=f"can run code when they are loaded: {found}. Only safetensors"):
        SentenceEncoder(folder)


def test_a_class_of_the_folder_s_own_is_not_imported(tiny_encoder_folder: Path, tmp_path: Path) -> None:
    from knowledge.embedding import SentenceEncoder

    folder = tmp_path / "model"
    shutil.copytree(tiny_encoder_folder, folder)
    (folder / "trap.py").write_text("raise SystemExit('code of the folder was run')\n")
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["type"] = "trap.Transformer"
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(KnowledgeError, match="could not be loaded as an embedding model"):
        SentenceEncoder(folder)


def test_a_model_that_does_not_load_is_refused(tmp_path: Path) -> None:
    from knowledge.embedding import SentenceEncoder

    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(
        KnowledgeError, match=r"could not be loaded as an embedding model \(.*Choose another folder\."
    ):
        SentenceEncoder(tmp_path)
