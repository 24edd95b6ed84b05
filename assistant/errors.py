"""The one exception of this package. It knows nothing of who raises or shows it."""


class AssistantError(Exception):
    """A problem a person can put right; its text is shown as it is.

    The text names the file and line where there is one, the value found, the rule and the next step.
    """
