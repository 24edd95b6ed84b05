"""Checkpoints: whole or not there, and a run that is killed at any moment ends as if it had not been."""

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from assistant.adapters import FILES, EvaluationLoss
from assistant.jobs import read_log
from assistant.training.checkpoints import best_folder, discard, find_resumption, seal
from assistant.training.progress import Progress
from tests.assistant.training.killing import course

PLAN = "p"


@pytest.fixture
def sealed(tmp_path):
    """A run with checkpoints of steps 2 and 4; its best adapter was that of step 2."""
    progress = Progress(PLAN, best_step=2, losses=[EvaluationLoss(2, 1.5)])
    for step in (2, 4):
        checkpoint = tmp_path / "checkpoints" / f"checkpoint-{step}"
        checkpoint.mkdir(parents=True)
        for name in ("optimizer.pt", "adapter_model.safetensors"):
            (checkpoint / name).write_bytes(b"numbers" * step)
        if step == 2:
            best_folder(tmp_path, 2).mkdir(parents=True)
            for name in FILES:
                (best_folder(tmp_path, 2) / name).write_text("best")
        progress.step = step
        seal(tmp_path, checkpoint, progress)
    return tmp_path


def test_a_run_goes_on_from_its_newest_checkpoint(sealed):
    found = find_resumption(sealed, PLAN)
    assert found.checkpoint.name == "checkpoint-4" and found.damaged == ()
    assert (found.progress.step, found.progress.losses) == (4, [EvaluationLoss(2, 1.5)])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES = {
    "a flipped bit in the optimiser": ("optimizer.pt", flip, "optimizer.pt has changed since it was written"),
    "a flipped bit in the weights": ("adapter_model.safetensors", flip, "has changed since it was written"),
    "a file cut off": ("optimizer.pt", cut, "optimizer.pt has changed since it was written"),
    "a file gone": ("optimizer.pt", Path.unlink, "optimizer.pt is missing"),
    "no manifest": ("manifest.json", Path.unlink, "it is unfinished"),
    "an empty manifest": ("manifest.json", lambda path: path.write_text("{}"), "it is unfinished"),
    "a manifest cut off": ("manifest.json", cut, "it is unfinished"),
    "no progress": ("progress.json", Path.unlink, "it is unfinished"),
    "a progress of other shape": ("progress.json", lambda path: path.write_text("{}"), "it is unfinished"),
}


@pytest.mark.parametrize(("name", "damage", "reason"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_checkpoint_is_passed_over_and_named(sealed, name, damage, reason):
    path = sealed / "checkpoints" / "checkpoint-4" / name
    if damage is cut:
        path.write_text(path.read_text()[:-3])
    else:
        damage(path)
    found = find_resumption(sealed, PLAN)
    assert found.checkpoint.name == "checkpoint-2" and found.progress.step == 2
    (text,) = found.damaged
    assert text.startswith("The checkpoint of step 4 can't be used: ") and reason in text


def test_a_damaged_best_adapter_damages_the_checkpoints_that_count_on_it(sealed):
    flip(best_folder(sealed, 2) / FILES[1])
    found = find_resumption(sealed, PLAN)
    assert found.checkpoint is None and found.progress == Progress(PLAN)
    assert len(found.damaged) == 2 and all("best/2/" in text for text in found.damaged)


def test_a_checkpoint_of_another_plan_is_not_gone_on_with(sealed):
    assert find_resumption(sealed, "another").checkpoint is None


def test_best_adapters_that_no_checkpoint_counts_on_are_removed(sealed):
    best_folder(sealed, 3).mkdir()
    checkpoint = sealed / "checkpoints" / "checkpoint-6"
    checkpoint.mkdir()
    best_folder(sealed, 6).mkdir()
    for name in FILES:
        (best_folder(sealed, 6) / name).write_text("better")
    seal(sealed, checkpoint, Progress(PLAN, step=6, best_step=6))
    assert sorted(path.name for path in (sealed / "best").iterdir()) == ["2", "6"]


def test_what_is_discarded_is_gone(sealed):
    discard(sealed)
    assert list(sealed.iterdir()) == []


@pytest.mark.slow
def test_a_training_killed_at_random_moments_ends_with_the_losses_of_one_that_was_not(job, forks):
    settings = {"epochs": 1, "batch_tokens": 200, "threads": 1, "learning_rate": 5e-3, "general_questions": 0}
    values = json.loads((job / "job.json").read_text()) | {"settings": settings}
    killed = job.with_name("20260101-000001-training")
    killed.mkdir()
    for folder in (job, killed):
        (folder / "job.json").write_text(json.dumps(values))
    with ProcessPoolExecutor(1, mp_context=forks) as pool:
        assert pool.submit(course, job, kills=0, seed=5).result() == 0
        assert pool.submit(course, killed, kills=3, seed=5).result() >= 2
    whole, again = (_losses(folder) for folder in (job, killed))
    assert read_log(killed)[-1]["event"] == "finished"
    assert set(again) == set(whole)
    assert any("Going on after step" in event.get("text", "") for event in read_log(killed))
    assert again == {step: pytest.approx(loss, abs=2e-3) for step, loss in whole.items()}


def _losses(folder):
    return {event["step"]: event["loss"] for event in read_log(folder) if event["event"] == "evaluation"}
