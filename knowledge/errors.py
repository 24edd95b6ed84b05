"""The one exception of this package. It knows how a problem is worded, not where it is shown."""


class KnowledgeError(Exception):
    """A problem with documents or their index that a person can put right.

    The text names the file, what was found, the rule and the next step; pages show it as it is.
    """
