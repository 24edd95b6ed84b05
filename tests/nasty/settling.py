"""What becomes of nasty files where they really go: through the guards, and the job that imports."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.conversations import Cleaning, ConversationStore, Incoming
from assistant.jobs import read_log
from assistant.workspace import Workspace, open_workspace, write_json
from knowledge.deliveries import opened
from knowledge.documents import Guard
from knowledge.errors import KnowledgeError
from tests.nasty.cases import TEXT, Nasty, verdict


@dataclass(frozen=True)
class Settled:
    """What became of one file: what was said of each part of it, and all its text."""

    case: Nasty
    said: tuple[str, ...]
    text: str

    @property
    def verdict(self) -> str:
        """In short: "text" where something was read."""
        return TEXT if TEXT in self.said else next(iter(self.said), "nothing")

    @property
    def wrong(self) -> str:
        """What is not as it should be; empty where all is."""
        found = "" if self.verdict == self.case.wanted else f"{self.said}, not {self.case.wanted}"
        if self.case.never and self.case.never in self.text:
            found += f" holds {self.case.never!r}"
        if self.case.holds and self.case.holds not in self.text:
            found += f" lacks {self.case.holds!r}"
        return found and f"{self.case.label}: {found}"


def settle_document(case: Nasty, data: bytes, guard: Guard, folder: Path) -> Settled:
    """Read a document as it is read when somebody adds it."""
    path, said, texts = folder / "nasty", list[str](), list[str]()
    path.write_bytes(data)
    with opened([(path, case.name)], folder) as arrivals:
        for arrival in arrivals:
            try:
                if arrival.problem:
                    raise KnowledgeError(arrival.problem)
                texts.append(guard.read(arrival.path, arrival.name).text)
                said.append(TEXT)
            except KnowledgeError as problem:
                said.append(verdict(str(problem)))
    return Settled(case, tuple(said), "\n".join(texts))


def settle_conversations(cases: Iterable[tuple[Nasty, bytes]], folder: Path) -> Iterator[Settled]:
    """Import files of conversations as they are imported when somebody drops them, by one job."""
    workspace, told = open_workspace(folder / "acme"), dict[str, tuple[Nasty, list[str]]]()
    incoming = Incoming(workspace.incoming)
    incoming.clean_by(Cleaning(folded=False, capped=False))
    for number, (case, data) in enumerate(cases):
        path, before = folder / "nasty", {found.source.name for found in incoming.found()}
        path.write_bytes(data)
        incoming.add([(path, f"{number} {case.name}")])
        for found in incoming.found():
            if found.source.name not in before:
                problem = incoming.preview(found.source.name).problem
                told[found.source.name] = (case, [] if found.ready else [verdict(problem)])
    incoming.close()
    run_job(workspace)
    yield from _imported(workspace, told)


def run_job(workspace: Workspace) -> Path:
    """Import all that waits; gives the job's folder."""
    folder = workspace.jobs / "job"
    folder.mkdir(parents=True)
    write_json(folder / "job.json", {"workspace": str(workspace.root), "incoming": str(workspace.incoming)})
    subprocess.run([sys.executable, "-m", "assistant.conversations", str(folder)], check=False)
    return folder


def _imported(workspace: Workspace, told: dict[str, tuple[Nasty, list[str]]]) -> Iterator[Settled]:
    for event in read_log(workspace.jobs / "job"):
        if event["event"] in ("kept", "refused"):
            told[event["name"]][1].append(verdict(event["message"]) if "message" in event else TEXT)
    texts: dict[str, str] = {}
    for conversation in ConversationStore(workspace.conversations).read().conversations:
        name = conversation.source.rpartition(":")[0]
        texts[name] = texts.get(name, "") + " ".join(each.content for each in conversation.messages)
    for name, (case, said) in told.items():
        yield Settled(case, tuple(said), texts.get(name, ""))
