"""Who may do what: accounts, sessions, the rights of each role, and a log of what was done.

Alone on this machine there is no login: whoever asks is `ALONE` and may do everything.
"""

from assistant.access.accounts import Account, Accounts
from assistant.access.audit import AuditLog, Entry
from assistant.access.openid import OpenId, Provider
from assistant.access.rights import ALONE, PERSON, Person, Role, as_person, asking, may_handle, may_open
from assistant.access.sessions import Sessions

__all__ = [
    "ALONE",
    "PERSON",
    "Account",
    "Accounts",
    "AuditLog",
    "Entry",
    "OpenId",
    "Person",
    "Provider",
    "Role",
    "Sessions",
    "as_person",
    "asking",
    "may_handle",
    "may_open",
]
