"""The room that rows have beside a model's weights, on cards of several sizes that are not there."""

from dataclasses import replace

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from assistant.engine import room
from assistant.engine.room import FEWEST_SLOTS, SHORTEST, SLOTS, USED, Room, Sizes, fitting, room_for
from assistant.errors import AssistantError
from assistant.weights import weight_bytes
from tests.assistant.engine.conftest import EXACT
from tests.assistant.engine.families import SMALL, TWO

CARD = replace(EXACT, device=torch.device("cuda"), reason="there is a card")
ASKED = {
    "all": (16 * 8192, Room(16, 8192)),
    "a slot less": (16 * 8192 - 1, Room(15, 8192)),
    "four": (4 * 8192, Room(4, 8192)),
    "four shorter ones": (4 * 5000, Room(4, 5000)),
    "next to nothing": (3, Room(4, 0)),
    "less than nothing": (-10, Room(4, 0)),
}


@pytest.mark.parametrize(("tokens", "expected"), ASKED.values(), ids=ASKED)
def test_slots_become_fewer_before_they_become_shorter(tokens, expected):
    assert Room(16, 8192).within(tokens) == expected


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model whose linear layers are most of it."""
    config = LlamaConfig(**SMALL | {"intermediate_size": 4096}, **TWO, max_position_embeddings=2048)
    folder = tmp_path_factory.mktemp("models") / "wide"
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def free(monkeypatch, folder):
    """Says how much of a card is free: for a share of the weights, and so many tokens beside."""

    def set_free(weights, tokens):
        token = Sizes(2, 2, 16).token_bytes(torch.float32)
        monkeypatch.setattr(room, "free_memory", lambda: round((weights + tokens * token) / USED) + token)

    return set_free


def test_on_a_processor_memory_does_not_matter(folder, free):
    free(0, 0)
    assert fitting(folder, EXACT) is EXACT
    assert room_for(folder, EXACT, loaded=False) == Room(SLOTS, 2048)


def test_a_card_with_room_for_the_weights_in_full_keeps_them_so(folder, free):
    free(weight_bytes(folder, CARD), FEWEST_SLOTS * SHORTEST)
    assert fitting(folder, CARD) is CARD
    assert room_for(folder, CARD, loaded=False) == Room(FEWEST_SLOTS, SHORTEST)


def test_a_card_with_a_little_less_has_them_in_4_bits_and_says_why(folder, free):
    free(weight_bytes(folder, CARD), FEWEST_SLOTS * (SHORTEST - 1))
    found = fitting(folder, CARD)
    assert found == replace(CARD, four_bit=True, reason=found.reason)
    assert str(found) == (
        "cuda, float32, weights in 4 bits (in full they take 0.0 GB, and 0.0 GB of the card are free)"
    )
    assert room_for(folder, found, loaded=False).slots > FEWEST_SLOTS


def test_the_weights_count_once_they_are_loaded_as_used_already(folder, free):
    free(0, 5 * 2048)
    assert room_for(folder, CARD, loaded=True) == Room(5, 2048)


def test_a_card_that_is_too_small_for_either_is_told_with_numbers(folder, free):
    free(weight_bytes(folder, replace(CARD, four_bit=True)), FEWEST_SLOTS * (SHORTEST - 1))
    with pytest.raises(
        AssistantError, match=r"The weights of wide take 0.0 GB, in 4 bits 0.0 GB, and 0.0 GB of"
    ):
        fitting(folder, CARD)
