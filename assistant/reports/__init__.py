"""Reports: what scores and votes come to, as figures, tables and sentences for people."""

from assistant.reports.evaluation import evaluation_table
from assistant.reports.systems import PairFigures, ScoreFigures, figures
from assistant.reports.tables import read_ratings

__all__ = ["PairFigures", "ScoreFigures", "evaluation_table", "figures", "read_ratings"]
