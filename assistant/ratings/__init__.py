"""What people said of the answers: blind votes with their history, and quick marks, which are kept apart."""

from assistant.ratings.marks import Mark, Marks
from assistant.ratings.votes import Guess, Judgement, Vote, Votes

__all__ = ["Guess", "Judgement", "Mark", "Marks", "Vote", "Votes"]
