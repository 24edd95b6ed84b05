"""The real sentence-transformers library on a tiny model made here."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from knowledge.errors import KnowledgeError

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *["the", "a", "red", "blue", "pot", "bag", "hours", "shop", "opens", "at", "nine"],
]


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer and sixteen numbers, saved as sentence-transformers saves its models."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = Tokenizer(
        models.WordPiece({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **names).save_pretrained(
        folder / "bert"
    )
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=512,
    )
    BertModel(config).save_pretrained(folder / "bert")
    transformer = Transformer(str(folder / "bert"))
    SentenceTransformer(modules=[transformer, Pooling(16)], device="cpu").save_pretrained(
        str(folder / "model")
    )
    return folder / "model"


def test_vectors_are_of_unit_length(model_folder: Path) -> None:
    from knowledge.embedding import SentenceEncoder

    encoder = SentenceEncoder(model_folder)
    vectors = encoder.encode(["the red pot", "the blue bag opens at nine", "the red pot"])
    assert (vectors.shape, vectors.dtype, encoder.dimension) == ((3, 16), np.float32, 16)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert vectors[0] == pytest.approx(vectors[2], abs=1e-5)
    assert encoder.encode([]).shape == (0, 16)


def test_no_more_than_256_word_pieces_are_seen(model_folder: Path) -> None:
    from knowledge.embedding import SentenceEncoder

    encoder = SentenceEncoder(model_folder)
    one, two = encoder.encode(["red " * 300, "red " * 300 + "blue pot"])
    assert one == pytest.approx(two, abs=1e-6)


def test_the_identity_is_that_of_the_weights_and_settings(model_folder: Path, tmp_path: Path) -> None:
    from knowledge.embedding import identity_of

    copy = tmp_path / "copy"
    shutil.copytree(model_folder, copy)
    assert identity_of(copy) == identity_of(model_folder)
    weights = next(copy.glob("*.safetensors"))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert identity_of(copy) != identity_of(model_folder)


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
