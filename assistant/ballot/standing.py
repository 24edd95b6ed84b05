"""Where a rater stands: what is to be shown next, how much is done, and how long the rest may take.

It knows sheets, votes and guesses. It does not know pages or requests.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from assistant.comparison import Rater, Showing, Study
from assistant.lanes import LANES
from assistant.ratings import Desk, Guess, Vote

Phase = Literal["early", "vote", "guess", "done", "over"]
"""The round is not open yet; there is something to judge; to guess; everything is done; the round is over."""
GUESSES = 4
"""Questions of which a rater is asked at the end which answers were looked up."""
FIRST_SECONDS = 75.0
"""How long one judgement is taken to last before there is one to go by."""
LONGEST_SECONDS = 900.0
"""What took longer was a break."""


@dataclass(frozen=True)
class Standing:
    """One rater of one study, as they are now."""

    study: Study
    rater: Rater
    sheet: tuple[Showing, ...]
    votes: Mapping[int, Vote]
    """By place on the sheet."""
    guesses: Mapping[int, Guess]

    @cached_property
    def phase(self) -> Phase:
        """What comes next."""
        if self.study.state == "closed":
            return "over"
        if self.study.state != "open":
            return "early"
        if self.unjudged:
            return "vote"
        return "guess" if self.unguessed else "done"

    @cached_property
    def unjudged(self) -> tuple[Showing, ...]:
        """What is still to be judged, in order."""
        return tuple(showing for showing in self.sheet if showing.place not in self.votes)

    @cached_property
    def to_guess(self) -> tuple[Showing, ...]:
        """What is asked about at the end; nothing where all answers, or none, were looked up."""
        grounded = {lane.grounded for lane in LANES if lane.key in self.study.systems}
        items = [showing for showing in self.sheet if showing.kind == "item"]
        return tuple(items[:GUESSES]) if len(grounded) == 2 else ()

    @cached_property
    def unguessed(self) -> tuple[Showing, ...]:
        """What is still to be guessed, in order."""
        return tuple(showing for showing in self.to_guess if showing.place not in self.guesses)

    @property
    def done(self) -> int:
        """How many have been judged."""
        return len(self.sheet) - len(self.unjudged)

    @property
    def seconds_left(self) -> float:
        """How long the rest may take, from what this rater took so far."""
        taken = [min(vote.judgement.seconds, LONGEST_SECONDS) for vote in self.votes.values()]
        return len(self.unjudged) * (statistics.median(taken) if taken else FIRST_SECONDS)

    def at(self, place: int) -> Showing | None:
        """The showing at a place, if this rater may see it: it was judged, or it is next."""
        return next(
            (showing for showing in self.sheet if showing.place == place and self._open(showing)), None
        )

    def _open(self, showing: Showing) -> bool:
        return self.phase in ("vote", "guess", "done") and (
            showing.place in self.votes or showing == self.unjudged[0]
        )


def standing(desk: Desk, study: Study, rater: Rater) -> Standing:
    """Where a rater is now, read from the company's database."""
    return Standing(
        study,
        rater,
        desk.rounds.sheet(rater.id),
        desk.votes.of_rater(rater.id),
        desk.votes.guesses_of(rater.id),
    )
