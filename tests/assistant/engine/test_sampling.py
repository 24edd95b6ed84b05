"""How a row's tokens are chosen."""

import pytest
import torch

from assistant.engine.sampling import Chooser, likeliest
from assistant.lanes import Sampling

LOGITS = torch.tensor([0.0, 3.0, 2.0, 1.0])
"""The shares are 0.03, 0.64, 0.24 and 0.09."""


def choices(count: int = 200, said: tuple[int, ...] = (), **settings: float) -> list[int]:
    chooser = Chooser(Sampling(**settings))
    return [chooser.choose(LOGITS, said) for _ in range(count)]


def test_temperature_0_takes_the_likeliest():
    assert set(choices()) == {1}


@pytest.mark.parametrize(
    ("settings", "greedy"),
    [({}, True), ({"temperature": 0.1}, False), ({"repetition_penalty": 1.1}, False), ({"top_p": 0.5}, True)],
    ids=str,
)
def test_a_row_is_greedy_if_nothing_changes_what_is_likeliest(settings, greedy):
    assert Chooser(Sampling(**settings)).greedy == greedy


def test_the_same_seed_chooses_the_same_and_another_does_not():
    first, again, other = (choices(temperature=1.0, seed=seed) for seed in (4, 4, 5))
    assert first == again != other


def test_a_chooser_leaves_the_randomness_of_others_alone():
    alone = choices(temperature=1.0, seed=4)
    chooser, beside = Chooser(Sampling(temperature=1.0, seed=4)), Chooser(Sampling(temperature=1.0, seed=9))
    found = [(chooser.choose(LOGITS, ()), beside.choose(LOGITS, ()), torch.rand(1))[0] for _ in range(200)]
    assert found == alone


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0], ids="temperature-{}".format)
def test_sampling_follows_the_softmax(temperature):
    drawn = torch.bincount(torch.tensor(choices(4000, temperature=temperature)), minlength=4) / 4000
    assert torch.allclose(drawn, torch.softmax(LOGITS / temperature, 0), atol=0.03)


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.01, {1}), (0.6, {1}), (0.7, {1, 2}), (0.9, {1, 2, 3}), (1.0, {0, 1, 2, 3})],
    ids=str,
)
def test_top_p_keeps_the_likeliest_until_they_reach_it(top_p, kept):
    assert set(choices(400, temperature=1.0, top_p=top_p)) == kept


@pytest.mark.parametrize(
    ("top_k", "kept"),
    [(1, {1}), (2, {1, 2}), (3, {1, 2, 3}), (4, {0, 1, 2, 3}), (50, {0, 1, 2, 3}), (0, {0, 1, 2, 3})],
    ids=str,
)
def test_top_k_keeps_so_many_and_0_keeps_all(top_k, kept):
    assert set(choices(400, temperature=1.0, top_k=top_k)) == kept


def test_top_p_counts_the_shares_of_what_top_k_keeps():
    """Of the two likeliest the first has 0.73, so 0.7 keeps it alone."""
    assert set(choices(400, temperature=1.0, top_k=2, top_p=0.7)) == {1}


def test_the_repetition_penalty_makes_said_tokens_less_likely():
    chooser = Chooser(Sampling(repetition_penalty=2.0))
    assert chooser.choose(LOGITS, []) == 1
    assert chooser.choose(LOGITS, [1, 1]) == 2  # 3 / 2 against 2
    assert chooser.choose(torch.tensor([-3.0, -2.0, -5.0, -6.0]), [1]) == 0  # -2 * 2 against -3
    assert LOGITS.tolist() == [0.0, 3.0, 2.0, 1.0]


@pytest.mark.parametrize("settings", [{"top_p": 0.0}, {"top_k": 2}], ids=str)
def test_where_no_token_has_a_chance_nothing_is_chosen(settings):
    logits = LOGITS if "top_p" in settings else torch.full((4,), torch.nan)
    with pytest.raises(RuntimeError):
        Chooser(Sampling(temperature=1.0, **settings)).choose(logits, ())


def test_the_likeliest_of_each_row_is_none_where_there_are_no_numbers():
    low = torch.tensor([-torch.inf, -5.0, -7.0, -torch.inf])
    broken = torch.tensor([0.0, torch.nan, 1.0, 2.0])
    endless = torch.tensor([0.0, torch.inf, 1.0, 2.0])
    nowhere = torch.full((4,), -torch.inf)
    assert likeliest(torch.stack([LOGITS, broken, low, endless, nowhere])) == [1, None, 1, None, None]
