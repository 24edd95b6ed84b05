import random

from assistant.training.batches import Batch, common_prefix, in_order, plan, shares
from assistant.training.labels import IGNORED, Example


def examples_of(*lengths):
    return [
        Example((1, 2, number, *range(10, 7 + length)), (IGNORED,) * length)
        for number, length in enumerate(lengths)
    ]


def test_a_batch_holds_as_many_tokens_as_allowed_and_each_epoch_every_example():
    examples = examples_of(*[random.Random(3).randrange(20, 60) for _ in range(100)])
    batches = plan(examples, epochs=2, batch_tokens=200, seed=0)
    assert sum(batch.tokens for batch in batches) == 2 * sum(map(len, examples))
    # The two tokens that all examples begin with count once.
    assert all(2 + len(batch.examples) * (len(batch.examples[-1]) - 2) <= 200 for batch in batches)
    padded = sum(len(batch.examples) * len(batch.examples[-1]) for batch in batches)
    assert padded < 1.1 * sum(batch.tokens for batch in batches)
    assert plan(examples, epochs=2, batch_tokens=200, seed=0) == batches


def test_an_example_longer_than_a_batch_stands_alone():
    batches = in_order(examples_of(300, 30, 30), batch_tokens=100)
    assert [[len(example) for example in batch.examples] for batch in batches] == [[30, 30], [300]]


def test_what_all_examples_begin_with_is_found():
    one, other = Example((1, 2, 3, 4), ()), Example((1, 2, 9), ())
    assert common_prefix([one, other]) == 2
    assert common_prefix([one, one]) == 4
    assert common_prefix([]) == 0


def test_each_process_gets_as_many_batches_of_a_step_and_nothing_is_learned_twice():
    one, other, third = (Batch(tuple(examples_of(length))) for length in (9, 5, 7))
    first, second = shares([[one, other], [third]], 2)
    assert (first, second[0]) == ([(one,), (third,)], (other,))
    (blank,) = second[1]
    assert {label for example in blank.examples for label in example.labels} == {IGNORED}
    assert shares([[one, other], [third]], 1) == [[(one, other), (third,)]]
