"""What all tests share: no network, a company of their own, and a real model small enough for a second."""

import gc
import importlib.util
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
# Tests run side by side, and their models are tiny: threads would only be in each other's way.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.workspace import Workspace, open_workspace

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ENCODER_WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *["the", "a", "red", "blue", "pot", "bag", "hours", "shop", "opens", "at", "nine"],
]
LONG = (
    "test_main_journey.py",
    "test_judging_journey.py",
    "test_followers.py",
    "test_comeback.py",
    "test_checkpoints.py",
    "test_crash.py",
)
"""Files whose tests take longest."""
SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test touches the models and companies of whoever runs it."""
    monkeypatch.setenv("QUARTET_HOME", str(tmp_path / "home"))
    yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests come first, so that no process is left with one when the others are done."""
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores: tests often wait for a page or for another process."""
    return (os.cpu_count() or 1) + 1


def pytest_sessionstart() -> None:
    """No garbage is looked for while the libraries are imported."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What has been imported stays: to look for garbage in it each time would take a quarter of all time."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests of the graph are skipped where the extra `cpu` is not installed."""
    if item.get_closest_marker("graph") and importlib.util.find_spec("openvino") is None:
        pytest.skip("openvino is not installed (quartet[cpu])")


@pytest.fixture(autouse=True)
def _steps_by_torch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling a graph takes seconds, so openvino is there for tests of the graph alone."""
    if request.node.get_closest_marker("graph") is None:
        monkeypatch.setitem(sys.modules, "openvino", None)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty company."""
    return open_workspace(tmp_path / "companies" / "acme")


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer Llama with random weights and a tokenizer of bytes with the ChatML template."""
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny-chat")


def make_tiny_model(folder: Path) -> Path:
    """The tiny model, saved in a folder."""
    tokenizer = _byte_tokenizer()
    tokenizer.save_pretrained(folder)
    _tiny_llama(len(tokenizer), tokenizer.eos_token_id).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer and sixteen numbers, saved as sentence-transformers saves its models."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = Tokenizer(
        models.WordPiece({word: place for place, word in enumerate(ENCODER_WORDS)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **names).save_pretrained(
        folder / "bert"
    )
    config = BertConfig(
        vocab_size=len(ENCODER_WORDS),
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


def _byte_tokenizer():
    """A token for each byte and none for longer pieces, so that a character of two bytes is two tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = [*SPECIAL_TOKENS, *alphabet]
    plain = Tokenizer(models.BPE(vocab={name: number for number, name in enumerate(names)}, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    plain.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain,
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        additional_special_tokens=list(SPECIAL_TOKENS),
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def _tiny_llama(vocabulary: int, end: int):
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        initializer_range=0.15,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=end,
        pad_token_id=end,
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return LlamaForCausalLM(config).eval()
