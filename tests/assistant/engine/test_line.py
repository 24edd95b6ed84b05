"""The waiting line: bounded, and the owners take turns."""

from collections.abc import Callable

import pytest

from assistant.engine.line import ROOM, SHARE, WaitingLine
from assistant.engine.rows import Row

NewWaiting = Callable[[str], list[Row]]


@pytest.fixture
def waiting(new_row) -> NewWaiting:
    """Rows by their names, such as "a1 a2"; the letter is the owner."""
    return lambda names: [new_row([int(name[1:])], owner=name[0]) for name in names.split()]


def names(rows: list[Row]) -> str:
    return " ".join(f"{row.owner}{row.prompt[0]}" for row in rows)


def joined(line: WaitingLine, waiting: NewWaiting, *groups: str) -> WaitingLine:
    for group in groups:
        assert line.join(waiting(group)) == ""
    return line


def taken(line: WaitingLine) -> list[Row]:
    return list(iter(line.next, None))


TURNS = {
    "nobody": ([], ""),
    "one-owner": (["a1 a2", "a3"], "a1 a2 a3"),
    "in-turn": (["a1 a2 a3", "b1", "c1 c2"], "a1 b1 c1 a2 c2 a3"),
    "comes-back": (["a1", "b1 b2", "a2 a3"], "a1 b1 a2 b2 a3"),
}


@pytest.mark.parametrize(("groups", "order"), TURNS.values(), ids=TURNS)
def test_owners_take_turns_and_the_order_told_is_the_order_kept(waiting, groups, order):
    line = joined(WaitingLine(), waiting, *groups)
    assert len(line) == len(order.split())
    assert names(line.in_order()) == order
    assert names(taken(line)) == order
    assert len(line) == 0


def test_the_order_holds_while_rows_are_taken(waiting):
    line = joined(WaitingLine(), waiting, "a1 a2 a3", "b1 b2", "c1")
    while told := line.in_order():
        assert line.next() is told[0]
        assert line.in_order() == told[1:]


def test_who_had_a_turn_comes_after_those_who_had_none(waiting):
    line = joined(WaitingLine(), waiting, "a1 a2 a3 a4")
    assert names([line.next()]) == "a1"
    joined(line, waiting, "b1")
    assert names(taken(line)) == "a2 b1 a3 a4"


def test_a_row_that_is_removed_is_not_taken(waiting):
    line = joined(WaitingLine(), waiting, "a1 a2", "b1")
    _, b1, a2 = line.in_order()
    line.remove(a2)
    line.remove(b1)
    assert names(taken(line)) == "a1"


def test_a_full_line_says_so_and_takes_none_of_the_rows(waiting):
    line = joined(WaitingLine(room=3), waiting, "a1 a2")
    assert line.join(waiting("b1 b2")) == (
        "Quartet is busy: 2 answers are waiting, and the line has room for 3. Ask again in a minute."
    )
    assert names(line.in_order()) == "a1 a2"
    joined(line, waiting, "b1")
    assert names(taken(line)) == "a1 b1 a2"


def test_one_owner_has_a_share_of_the_line_and_others_theirs(waiting):
    line = joined(WaitingLine(share=2), waiting, "a1 a2")
    assert line.join(waiting("a3")) == (
        "You may have 2 answers waiting, and with these it would be 3. "
        "Wait for some, or stop them, then ask again."
    )
    joined(line, waiting, "b1 b2")
    line.next()
    joined(line, waiting, "a3")


def test_a_question_to_four_lanes_fits_four_times_into_a_share_and_four_shares_into_the_line():
    assert SHARE == 16
    assert ROOM == 4 * SHARE
