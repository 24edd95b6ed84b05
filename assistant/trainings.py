"""The trainings of a company: what one would take, the next one started, and when another is due.

It knows workspaces, jobs and versions. It does not know models or tensors.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.adapters import Adapter, find, read_report
from assistant.brand import Brand
from assistant.conversations import Conversation
from assistant.jobs import Job, Jobs
from assistant.training import TrainingSettings
from assistant.training.estimate import Estimate, estimate, read_measurement
from assistant.training.task import brand_hash, split_for
from assistant.wording import counted
from assistant.workspace import Workspace

TRAINING = "assistant.training"


@dataclass(frozen=True)
class Trainings:
    """The trainings of one company."""

    workspace: Workspace
    jobs: Jobs

    def estimate(
        self, conversations: Sequence[Conversation], values: Mapping[str, Any], model: Path
    ) -> Estimate | None:
        """What a training would take; None until it was measured for this model and these settings.

        Raises:
            AssistantError: a setting is wrong.
        """
        settings = TrainingSettings.of(values)
        measured = read_measurement(self.workspace, model, settings)
        if measured is None or not conversations:
            return None
        parts = split_for(conversations, settings)
        return estimate(measured, settings, learned=len(parts.train), held=len(parts.evaluation))

    def measure(self, values: Mapping[str, Any], model: Path) -> Job:
        """Measure a few steps in a process of its own.

        Raises:
            AssistantError: a setting is wrong, or something is being measured already.
        """
        return self.jobs.start("assistant.training.measuring", self._arguments(values, model))

    def start(self, values: Mapping[str, Any], model: Path, expected: Estimate | None = None) -> Job:
        """Train in a process of its own, which waits where another one trains.

        Args:
            values: settings by name; the others keep their defaults.
            model: folder of the base model.
            expected: what was estimated, to be told beside what it took.

        Raises:
            AssistantError: a setting is wrong.
        """
        told = {"seconds": expected.seconds, "memory": expected.memory} if expected else {}
        return self.jobs.start(TRAINING, {**self._arguments(values, model), "estimate": told}, waits=True)

    def go_on(self, key: str) -> Job:
        """Go on with a training that ended before its time, in this company wherever it lies now.

        Raises:
            AssistantError: it is still running or has finished.
        """
        return self.jobs.resume(key, TRAINING, {"workspace": str(self.workspace.root)})

    def merge(self, key: str, model: Path, target: Path | None = None) -> Job:
        """Write a version merged into its base model, in a process of its own.

        Args:
            key: of the version.
            model: folder of the base model.
            target: the folder to make; one in the company's folder if none is named.

        Raises:
            AssistantError: there is no such version, or one is being merged already.
        """
        find(self.workspace.adapters, key)
        arguments = {
            "workspace": str(self.workspace.root),
            "model": str(model),
            "adapter": key,
            "target": str(target or self.workspace.exports / f"version-{int(key)}-merged"),
        }
        self.workspace.exports.mkdir(exist_ok=True)
        return self.jobs.start("assistant.training.merging", arguments)

    def _arguments(self, values: Mapping[str, Any], model: Path) -> dict[str, Any]:
        TrainingSettings.of(values)
        return {
            "workspace": str(self.workspace.root),
            "model": str(model),
            "conversations": None,
            "settings": dict(values),
        }


def changes_since(
    adapter: Adapter,
    conversations: Collection[str],
    brand: Brand,
    documents: Collection[str] | None,
) -> tuple[str, ...]:
    """What has changed since a version was trained, a sentence each; empty where another is not due.

    Args:
        adapter: the version.
        conversations: digests of those there are now.
        brand: the voice as it is now.
        documents: digests of those there are now; None while that can't be told.
    """
    lineage = adapter.lineage
    if lineage is None:
        return ()
    report = read_report(adapter.folder)
    said = _compared(report.learned, conversations, "conversation", "edited")
    if documents is not None:
        said += _compared(report.documents, documents, "document", "changed")
    if lineage.prompt_hash and lineage.prompt_hash != brand_hash(brand):
        said.append("The company's voice or instructions have changed.")
    return tuple(said)


def _compared(then: Collection[str], now: Collection[str], what: str, otherwise: str) -> list[str]:
    """What came and what went, by digests; nothing where it is not known what there was."""
    came, went = set(now) - set(then), set(then) - set(now)
    found = ((came, f"added or {otherwise}"), (went, f"taken out or {otherwise}"))
    return [
        f"{counted(len(each), what)} {'was' if len(each) == 1 else 'were'} {how}."
        for each, how in found
        if then and each
    ]
