"""Two real processes that learn together: as one that learns from as much, and gone when it is done."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import time

import psutil
import pytest

from assistant.adapters import current
from assistant.errors import AssistantError
from assistant.jobs import read_log
from assistant.training import TrainingSettings, followers, parts
from assistant.training.__main__ import main
from assistant.training.followers import how_many
from assistant.training.run import run

SETTINGS = {"batch_tokens": 200, "threads": 2, "learning_rate": 5e-3, "general_questions": 0}
TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "1",
    "RANK": "0",
    "LOCAL_RANK": "0",
    "WORLD_SIZE": "2",
    "LOCAL_WORLD_SIZE": "2",
}
"""What torchrun tells the first of two processes."""


@pytest.fixture
def quick(forks, monkeypatch):
    monkeypatch.setattr(followers, "START", "forkserver")


def lead(job):
    """What the process of a job does; no thread of a library's runs when it starts its follower."""
    from assistant.training import processes, saying

    followers.START, saying.LONGEST_ANSWER, processes.NICENESS = "fork", 3, 0
    main([str(job)])


def asked(job, **settings):
    values = json.loads((job / "job.json").read_text())
    (job / "job.json").write_text(json.dumps(values | {"settings": SETTINGS | settings}))


def beside(job, number):
    """Another job for the same."""
    other = job.with_name(f"20260101-00000{number}-training")
    other.mkdir()
    (other / "job.json").write_text((job / "job.json").read_text())
    return other


def events(job, name):
    return [event for event in read_log(job) if event["event"] == name]


def losses(job):
    return {event["step"]: event["loss"] for event in events(job, "evaluation")}


def steps(job):
    return [(event["tokens"], event["loss"]) for event in events(job, "step")]


def weights(workspace):
    from safetensors.torch import load_file

    return load_file(current(workspace.adapters).folder / "adapter_model.safetensors")


@pytest.mark.parametrize("start", ["forkserver", pytest.param("spawn", marks=pytest.mark.slow)])
def test_two_processes_learn_what_one_learns_from_twice_as_many_batches(
    job, workspace, forks, monkeypatch, start
):
    import torch

    monkeypatch.setattr(followers, "START", start)
    other = beside(job, 1)
    asked(other, batches_per_step=2)
    run(other)
    alone = weights(workspace)
    asked(job)
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert main([str(job)]) == 0
    together = weights(workspace)
    assert current(workspace.adapters).lineage.settings["processes"] == 2
    assert read_log(job)[-1]["adapter"] == "0002"
    assert steps(job) == [(tokens, pytest.approx(loss, abs=1e-3)) for tokens, loss in steps(other)]
    assert losses(job) == {step: pytest.approx(loss, abs=1e-4) for step, loss in losses(other).items()}
    for name, value in alone.items():
        torch.testing.assert_close(together[name], value, rtol=1e-2, atol=1e-3)
    assert "2 processes together" in json.dumps(read_log(job))


def test_torchrun_s_other_processes_leave_the_work_to_the_first(job, monkeypatch):
    for name, value in (TORCHRUN | {"RANK": "1", "LOCAL_RANK": "1"}).items():
        monkeypatch.setenv(name, value)
    assert main([str(job)]) == 0 and read_log(job) == []


@pytest.mark.slow
def test_a_training_that_is_killed_leaves_nobody_behind_and_ends_as_if_it_had_not_been(
    job, quick, forks, scaled
):
    whole = beside(job, 1)
    asked(whole, epochs=2, batches_per_step=2)
    run(whole)
    asked(job, epochs=2, processes=2)
    leader = forks.Process(target=lead, args=(job,))
    leader.start()
    before = {each.pid for each in family()}
    written = random.Random(3).randrange(1700, 2700)  # at a random moment, counted in what it has written
    while not (job / "log.jsonl").exists() or (job / "log.jsonl").stat().st_size < written:
        assert leader.is_alive()
        time.sleep(0.01)
    started = [each for each in family() if each.pid not in before]
    os.kill(leader.pid, signal.SIGKILL)
    leader.join()
    assert started and not psutil.wait_procs(started, timeout=10)[1]
    assert main([str(job)]) == 0
    assert any("Going on after step" in event.get("text", "") for event in read_log(job))
    assert read_log(job)[-1]["event"] == "finished"
    assert losses(job) == {step: pytest.approx(loss, abs=2e-3) for step, loss in losses(whole).items()}


@pytest.fixture
def scaled(job, tiny_model_folder, tmp_path):
    """The job's model, but that its logits are scaled, so that its loss is left to TRL."""
    folder = shutil.copytree(tiny_model_folder, tmp_path / "scaled")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"logits_scaling": 8.0}))
    values = json.loads((job / "job.json").read_text())
    (job / "job.json").write_text(json.dumps(values | {"model": str(folder)}))


def family():
    return psutil.Process().children(recursive=True)


def test_together_they_stop_where_they_are_asked_to_and_keep_what_they_have(
    job, workspace, quick, monkeypatch
):
    when(monkeypatch, lambda event: event["event"] == "step" and event["step"] == 2, (job / "stop").touch)
    asked(job, processes=2)
    run(job)
    assert read_log(job)[-1]["event"] == "stopped" and events(job, "step")[-1]["step"] == 2
    assert current(workspace.adapters).lineage.losses[-1].step == 2
    assert not multiprocessing.active_children()


def when(monkeypatch, happened, do):
    """Do something once the job has logged an event."""
    from assistant.jobs import JobLog

    write = JobLog.write

    def writing(self, event, **values):
        write(self, event, **values)
        if happened({"event": event, **values}):
            do()

    monkeypatch.setattr(JobLog, "write", writing)


def failure(job):
    asked(job, processes=2)
    assert main([str(job)]) == 1
    (failed,) = events(job, "failed")
    assert not multiprocessing.active_children()
    return failed["message"]


def test_when_the_loss_of_one_diverges_the_training_fails_once(job, quick, monkeypatch):
    import torch

    from assistant.training import trainer

    nothing = torch.tensor(float("nan"), requires_grad=True)
    monkeypatch.setattr(trainer, "labelled_loss", lambda *_: nothing)
    assert failure(job).startswith("The loss became nan at step 1: training diverged.")


def test_when_a_follower_is_killed_the_training_fails_once_and_says_what_may_be_the_cause(
    job, quick, monkeypatch
):
    def kill():
        (follower,) = multiprocessing.active_children()
        follower.kill()

    when(monkeypatch, lambda event: event["event"] == "step" and event["step"] == 1, kill)
    assert failure(job).startswith(
        "One of the processes that learned together ended (status -9), as happens where memory runs out."
    )


def test_what_a_follower_can_not_do_is_said_as_it_says_it(job, quick, monkeypatch, tmp_path):
    from dataclasses import replace

    from assistant.training import run as running

    def deal(whole, cards):
        own, other = parts.deal(whole, cards)
        return [own, replace(other, model=tmp_path)]

    monkeypatch.setattr(running, "deal", deal)
    assert failure(job).startswith(f"The model in {tmp_path} could not be loaded: ")


def test_a_card_that_can_not_be_used_is_named(job, tiny_model_folder, monkeypatch):
    from assistant.training.followers import _live
    from assistant.training.parts import Part

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    heard, said = multiprocessing.Pipe(duplex=False)
    settings = TrainingSettings()
    _live(Part(job, tiny_model_folder, settings, [], None, threads=1, rank=1, size=2, card="7"), said)
    assert heard.recv() == (
        "The graphics card 7 can't be used for training. Name those that can in CUDA_VISIBLE_DEVICES, or set "
        '"processes" to 1.'
    )


COUNTS = {
    "a processor": ({}, 0, 1000, 1),
    "a processor, as asked": ({"processes": 3}, 0, 10, 3),
    "all cards": ({}, 4, 128, 4),
    "cards enough for the steps there are": ({}, 4, 100, 3),
    "never none": ({}, 4, 3, 1),
    "large steps": ({"batches_per_step": 2}, 4, 128, 2),
    "fewer cards than there are": ({"processes": 2}, 4, 10, 2),
}


@pytest.mark.parametrize(("values", "cards", "batches", "count"), COUNTS.values(), ids=COUNTS.keys())
def test_how_many_learn_together_follows_from_cards_and_steps(values, cards, batches, count):
    assert how_many(TrainingSettings.of(values), cards, batches) == count


def test_more_processes_than_cards_are_refused():
    with pytest.raises(AssistantError) as problem:
        how_many(TrainingSettings(processes=4), 2, 1000)
    assert str(problem.value) == (
        'The setting "processes" is 4, each needs a graphics card, and 2 can be used here. '
        "Set it to 2 at most, or to 0 for as many as are of use."
    )
