"""The processes that take their share of a training: started by the one that leads it, and gone when it is.

The leader alone reads, logs, evaluates, saves and decides; a follower is handed its batches, takes its share
of every step, and ends with the leader. It knows processes. What they add up is known by `team.py`.
"""

import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError
from assistant.training.checkpoints import CHECKPOINTS
from assistant.training.machine import VISIBLE
from assistant.training.parts import Part, placement_for
from assistant.training.settings import TrainingSettings
from assistant.training.troubles import explained, unexpected

if TYPE_CHECKING:
    from assistant.training.team import Team

START = "spawn"
"""How Python starts a follower: from nothing, as libraries with threads of their own do not bear a fork."""
MEETING, READY = "meeting", "ready"
FEWEST_STEPS = 32
"""That are left where it is not set how many learn together: each process more makes steps fewer."""
LOST = (
    "The processes that learned together have lost each other. Start it again: it goes on where it was saved."
)
LAST_WORDS = 10.0
"""Seconds that a follower may take to say why it can't go on, once its end was noticed."""


def how_many(settings: TrainingSettings, cards: int, batches: int) -> int:
    """How many processes learn together.

    Args:
        settings: of the training.
        cards: graphics cards; 0 on a processor.
        batches: of the whole training.

    Raises:
        AssistantError: more are wanted than there are cards.
    """
    wanted = settings.processes
    if cards and wanted > cards:
        raise AssistantError(
            f'The setting "processes" is {wanted}, each needs a graphics card, and {cards} can be used here. '
            f"Set it to {cards} at most, or to 0 for as many as are of use."
        )
    return wanted or max(1, min(cards, batches // (FEWEST_STEPS * settings.batches_per_step)))


class Follower:
    """A process that loads the model, says that it is ready, and then follows."""

    def __init__(self, part: Part) -> None:
        context: Any = multiprocessing.get_context(START)
        self._heard, said = context.Pipe(duplex=False)
        self._process = context.Process(target=_live, args=(part, said), daemon=True)
        self._process.start()
        said.close()

    def wait(self) -> None:
        """Wait until it is ready.

        Raises:
            AssistantError: it can't be.
        """
        word = self._next_word(None)
        if word != READY:
            raise AssistantError(word)

    def last_word(self) -> str:
        """Why it ended; empty if it only went because another had."""
        return self._next_word(LAST_WORDS)

    def end(self) -> None:
        """End it; what it knows, the leader knows too."""
        self._process.kill()
        self._process.join()

    def _next_word(self, seconds: float | None) -> str:
        try:
            return str(self._heard.recv()) if self._heard.poll(seconds) else ""
        except EOFError:
            self._process.join()
        if not self._process.exitcode:
            return ""
        return (
            f"One of the processes that learned together ended (status {self._process.exitcode}), as happens "
            "where memory runs out. Close what else is open, then start it again: it goes on where it was "
            "saved."
        )


@contextmanager
def followed(parts: Sequence[Part]) -> Iterator[Callable[[], AbstractContextManager["Team"]]]:
    """Start a follower for each part; they load the model while the leader does.

    Gives what meets them when the leader is ready too. They end when the leader is done, whatever happened.

    Raises:
        AssistantError: one of them can't go on, and why.
    """
    followers: list[Follower] = []
    for part in parts[:1]:
        (part.run / MEETING).unlink(missing_ok=True)
    try:
        for part in parts:
            followers.append(Follower(part))
        yield lambda: _meet(followers, parts[0]) if parts else _alone()
    finally:
        for follower in followers:
            follower.end()


@contextmanager
def _alone() -> Iterator["Team"]:
    from assistant.training.team import Team

    yield Team()


@contextmanager
def _meet(followers: Sequence[Follower], first: Part) -> Iterator["Team"]:
    from assistant.training.team import Parted, joined

    for follower in followers:
        follower.wait()
    try:
        with joined(first.run / MEETING, 0, first.size, on_cards=first.card is not None) as team:
            yield team
    except Parted as problem:
        words = filter(None, [follower.last_word() for follower in followers])
        raise AssistantError(next(words, LOST)) from problem


def _live(part: Part, leader: Connection) -> None:
    """What the process of a follower does."""
    threading.Thread(target=_end_with_the_leader, daemon=True).start()
    if part.card is not None:
        os.environ[VISIBLE] = part.card
    try:
        _follow(part, lambda: leader.send(READY))
    except Exception as problem:  # noqa: BLE001 - whatever it was, the leader has to say it
        traceback.print_exc()
        leader.send(explained(problem, part.run) or unexpected(problem, part.run))


def _follow(part: Part, say_ready: Callable[[], None]) -> None:
    import torch

    from assistant.training.memory import check_fits
    from assistant.training.team import Parted, joined
    from assistant.training.trainer import make_trainer
    from assistant.weights import load_model, load_tokenizer

    torch.set_num_threads(part.threads)
    placement = placement_for(part.settings)
    if part.card is not None:
        _check_card(part.card, placement.device.type)
        check_fits(part.model, placement)
    model, tokenizer = load_model(part.model, placement), load_tokenizer(part.model)
    trainer = make_trainer(model, tokenizer, part.steps, part.settings, part.run / CHECKPOINTS)
    say_ready()
    with (
        suppress(Parted),
        joined(part.run / MEETING, part.rank, part.size, on_cards=part.card is not None) as team,
    ):
        trainer.learn(team, part.checkpoint)


def _check_card(card: str, device: str) -> None:
    if device != "cuda":
        raise AssistantError(
            f"The graphics card {card} can't be used for training. Name those that can in {VISIBLE}, or set "
            '"processes" to 1.'
        )


def _end_with_the_leader() -> None:
    leader = multiprocessing.parent_process()
    if leader is not None:
        leader.join()
        os._exit(1)  # in the middle of whatever it does: nobody is left to say it to
