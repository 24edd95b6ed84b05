"""Effects, intervals, strengths and agreement: plain numbers in, plain numbers out."""

from assistant.statistics.agreement import alpha
from assistant.statistics.claims import holm, rank_ranges
from assistant.statistics.clusters import clustered_mean
from assistant.statistics.estimates import Effects, Estimate, effects, mean_with_interval
from assistant.statistics.factorial import effects_of_rankings, effects_of_scores
from assistant.statistics.rankings import Strengths, strengths
from assistant.statistics.votes import VoteTable

__all__ = [
    "Effects",
    "Estimate",
    "Strengths",
    "VoteTable",
    "alpha",
    "clustered_mean",
    "effects",
    "effects_of_rankings",
    "effects_of_scores",
    "holm",
    "mean_with_interval",
    "rank_ranges",
    "strengths",
]
