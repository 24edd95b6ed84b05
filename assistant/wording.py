"""Numbers as people read them, with their nouns."""


def counted(number: int, thing: str) -> str:
    """A number with its noun: "1 passage", "3 passages"."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
