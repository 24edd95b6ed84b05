"""The real cross-encoder library on tiny models made here."""

from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import KnowledgeError


@pytest.fixture(scope="session")
def tiny_cross_encoder(tmp_path_factory: pytest.TempPathFactory, tiny_encoder_folder: Path) -> Path:
    """A cross-encoder of one layer with random weights, and the words of the tiny embedder."""
    return made(tmp_path_factory.mktemp("cross") / "model", tiny_encoder_folder, labels=1)


def made(folder: Path, words: Path, labels: int) -> Path:
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    tokenizer = AutoTokenizer.from_pretrained(words)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=labels,
        initializer_range=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_scores_are_those_of_the_library_one_a_text_whatever_their_order(tiny_cross_encoder: Path) -> None:
    from sentence_transformers import CrossEncoder

    from knowledge.reranking import PassageReranker

    texts = ["the red pot", "the shop opens at nine", "a blue bag " * 200]
    scores = PassageReranker(tiny_cross_encoder).scores("the shop hours", texts)
    assert (scores.shape, scores.dtype, len(set(scores.tolist()))) == ((3,), np.float32, 3)
    library = CrossEncoder(str(tiny_cross_encoder), local_files_only=True)
    expected = [float(library.predict([("the shop hours", text)])[0]) for text in texts]
    assert scores.tolist() == pytest.approx(expected, abs=1e-5)
    assert PassageReranker(tiny_cross_encoder).scores("a", []).shape == (0,)


def test_a_folder_without_safetensors_is_refused(tiny_cross_encoder: Path, tmp_path: Path) -> None:
    from knowledge.reranking import PassageReranker

    with pytest.raises(KnowledgeError, match=r"holds no model: no \.safetensors file .* cross-encoder"):
        PassageReranker(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(KnowledgeError, match=r"can run code when they are loaded: pytorch_model\.bin"):
        PassageReranker(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(KnowledgeError, match="could not be loaded as a re-ranker"):
        PassageReranker(tmp_path)


def test_a_model_that_sorts_into_classes_is_refused(tiny_encoder_folder: Path, tmp_path: Path) -> None:
    from knowledge.reranking import PassageReranker

    with pytest.raises(KnowledgeError, match="gives 3 scores a pair, so it sorts texts into classes"):
        PassageReranker(made(tmp_path / "classes", tiny_encoder_folder, labels=3))
