"""Which cards there are and what torchrun asks for, read from an environment made here."""

import os

import pytest

from assistant.errors import AssistantError
from assistant.training.machine import Torchrun, keep_to_one_card, torchrun

CARDS = {
    "two by the driver": (None, "echo 0; echo 1", ("0", "1"), "0"),
    "a driver that fails": (None, "echo no devices; exit 9", (), "0"),
    "no driver": (None, None, (), "0"),
    "named": ("3,GPU-ab", "echo 0", ("3", "GPU-ab"), "3"),
    "named with a gap": ("3, -1, 4", None, ("3",), "3"),
    "none wanted": ("", "echo 0", (), ""),
}


@pytest.mark.parametrize(("named", "said", "names", "kept"), CARDS.values(), ids=CARDS.keys())
def test_a_process_keeps_to_the_first_of_the_cards_and_knows_the_others(
    monkeypatch, tmp_path, named, said, names, kept
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named or "")
    if named is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("PATH", str(tmp_path))
    if said:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{said}\n")
        (tmp_path / "nvidia-smi").chmod(0o755)
    assert keep_to_one_card() == names
    assert os.environ["CUDA_VISIBLE_DEVICES"] == kept


def started(**values):
    return {"TORCHELASTIC_RUN_ID": "1", "RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"} | values


def test_what_torchrun_asks_for_is_known():
    assert torchrun(started()) == Torchrun(rank=1, processes=2)
    assert torchrun({"RANK": "1", "WORLD_SIZE": "2"}) is None


def test_processes_on_several_machines_are_refused():
    with pytest.raises(AssistantError) as problem:
        torchrun(started(WORLD_SIZE="4"))
    assert str(problem.value) == (
        "torchrun starts 4 processes and 2 of them on this machine; a training runs on one machine. "
        "Start it with --nnodes 1."
    )
