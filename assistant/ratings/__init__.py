"""What people said of the answers: blind votes with their history, and quick marks, which are kept apart."""

from assistant.ratings.desk import Desk, Desks, Seat
from assistant.ratings.marks import Mark, Marks
from assistant.ratings.votes import Guess, Judgement, Vote, Votes

__all__ = ["Desk", "Desks", "Guess", "Judgement", "Mark", "Marks", "Seat", "Vote", "Votes"]
