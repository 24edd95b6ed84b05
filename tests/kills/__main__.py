"""Run one course of kills and print its tally as JSON."""

import sys
from pathlib import Path

from tests.kills.course import printed, run


def main(victim: str, folder: str, kills: str, seed: str) -> None:
    """Make the victim in a folder, and kill it so many times."""
    match victim:
        case "index":
            from tests.kills.index import Index as Chosen
        case "import":
            from tests.kills.importing import Import as Chosen
        case "chat":
            from tests.kills.chatting import Chat as Chosen
        case "backup":
            from tests.kills.backing import Backup as Chosen
        case "halves":
            from tests.kills.halves import Halves as Chosen
        case _:
            sys.exit(f"There is no victim {victim!r}.")
    print(printed(run(victim, Chosen(Path(folder)), int(kills), int(seed))))


if __name__ == "__main__":
    main(*sys.argv[1:])
