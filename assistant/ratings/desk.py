"""Where a company's studies and votes are kept together, and how a rater's link finds its company.

It knows which database belongs to whom. It does not know what is in it.
"""

from dataclasses import dataclass

from sqlalchemy.engine import Engine as Database

from assistant.comparison import Rater, Rounds, Studies, Study
from assistant.errors import AssistantError
from assistant.ratings.votes import Votes
from assistant.store import open_database
from assistant.workspace import Workspace, companies_beside


@dataclass(frozen=True)
class Desk:
    """One company's studies, their rounds, and the votes in them."""

    studies: Studies
    rounds: Rounds
    votes: Votes

    @classmethod
    def of(cls, database: Database) -> "Desk":
        """The desk that stands on a database."""
        return cls(Studies(database), Rounds(database), Votes(database))


@dataclass(frozen=True)
class Seat:
    """A rater at their company's desk."""

    desk: Desk
    study: Study
    rater: Rater


class Desks:
    """The desks of all companies on this machine: a link leads to its own, whichever company is open."""

    def __init__(self) -> None:
        self._desks: dict[str, Desk] = {}

    def seat(self, workspace: Workspace, token: str) -> Seat | None:
        """The rater with this token, in this company or one beside it; None if it is nobody's."""
        others = [company for company in companies_beside(workspace) if company.root != workspace.root]
        for company in (workspace, *others):
            desk = self._desk(company)
            found = desk.rounds.by_token(token) if desk else None
            if desk and found:
                return Seat(desk, *found)
        return None

    def _desk(self, company: Workspace) -> Desk | None:
        """The company's desk; None where its database can't be used, which its own pages tell."""
        key = str(company.root)
        if key not in self._desks and company.database.exists():
            try:
                self._desks[key] = Desk.of(open_database(company.database))
            except AssistantError:
                return None
        return self._desks.get(key)
