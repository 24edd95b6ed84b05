"""Bent files and odd arguments: all are read, refused or answered. For longer: `tests.benchmarks.fuzz`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from knowledge.documents import Guard
from tests.nasty import fuzzing, sound

FEW = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def guard() -> Iterator[Guard]:
    with Guard() as guard:
        yield guard


@FEW
@given(fuzzing.files(sound.documents()))
def test_a_bent_document_is_read_or_refused(guard: Guard, tmp_path: Path, file: tuple[str, bytes]) -> None:
    fuzzing.document_settles(guard, tmp_path, *file)


@FEW
@given(fuzzing.files(sound.conversations()))
def test_bent_conversations_are_read_or_refused(tmp_path: Path, file: tuple[str, bytes]) -> None:
    fuzzing.conversations_settle(tmp_path, *file)


@settings(FEW, max_examples=15)
@given(strategies.sampled_from(fuzzing.COMMANDS), strategies.lists(fuzzing.WORDS, max_size=3))
def test_an_odd_command_ends_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fuzzing.command_settles([*command, *words])


@settings(FEW, max_examples=6)
@given(strategies.sampled_from(fuzzing.COMMANDS), fuzzing.bent(fuzzing.RATINGS))
def test_a_command_on_a_bent_file_ends_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], data: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bent").write_bytes(data)
    fuzzing.command_settles([*command, "bent"])
