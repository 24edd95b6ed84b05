import json
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.adapters import current
from assistant.brand import Brand, write_brand
from assistant.jobs import Jobs, read_log
from assistant.training.__main__ import main
from assistant.training.run import run


def change(job, **values):
    path = job / "job.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def events(job, name):
    return [event for event in read_log(job) if event["event"] == name]


def test_a_training_lowers_the_loss_and_installs_its_best_adapter(job, workspace):
    run(job)
    steps, evaluations = events(job, "step"), events(job, "evaluation")
    assert len(steps) >= 3 and steps[-1]["step"] == steps[-1]["steps"]
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert evaluations[0]["step"] == 0 and evaluations[-1]["loss"] < evaluations[0]["loss"]
    assert {"tokens", "tokens_per_second", "seconds_left"} <= set(steps[0])
    assert read_log(job)[-1]["event"] == "finished" and read_log(job)[-1]["adapter"] == "0001"
    adapter = current(workspace.adapters)
    assert [(each.step, pytest.approx(each.loss, abs=1e-3)) for each in adapter.lineage.losses] == [
        (event["step"], event["loss"]) for event in evaluations
    ]
    assert adapter.lineage.conversations == 36 and adapter.lineage.tokens == steps[-1]["tokens"]


def test_the_adapter_is_small_and_has_the_loss_it_was_chosen_for(job, workspace, tiny_model_folder):
    import torch
    from peft import PeftModel
    from safetensors.torch import load_file

    from assistant.weights import Placement, load_model

    run(job)
    adapter = current(workspace.adapters)
    weights = load_file(adapter.folder / "adapter_model.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}
    assert {path.suffix for path in adapter.folder.iterdir()} == {".json", ".safetensors"}
    placement = Placement(torch.device("cpu"), torch.float32, "a test")
    model = PeftModel.from_pretrained(load_model(tiny_model_folder, placement), str(adapter.folder))
    assert any(float(value.abs().max()) > 0 for name, value in weights.items() if "lora_B" in name)
    assert model.active_adapter == "default"


def test_a_killed_training_goes_on_from_its_checkpoint(job, workspace, monkeypatch):
    run(job)
    whole = events(job, "evaluation")
    again = job.with_name("20260101-000001-training")
    again.mkdir()
    (again / "job.json").write_text((job / "job.json").read_text())
    cut_off_after(again, step=whole[1]["step"] + 1, monkeypatch=monkeypatch)
    run(again)
    assert f"Going on after step {whole[1]['step']} of " in " ".join(
        e["text"] for e in events(again, "stage")
    )
    resumed = {event["step"]: event["loss"] for event in events(again, "evaluation")}
    assert resumed == {event["step"]: pytest.approx(event["loss"], abs=2e-3) for event in whole}
    assert current(workspace.adapters).lineage.losses[-1].step == whole[-1]["step"]


def cut_off_after(job, *, step, monkeypatch):
    """Run the job until it has written this step, as if it were killed there."""

    from assistant.jobs import JobLog

    write = JobLog.write

    def cut(self, event, **values):
        write(self, event, **values)
        if values.get("step") == step and event == "step":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(JobLog, "write", cut)
        with pytest.raises(KeyboardInterrupt):
            run(job)


def test_a_stopped_training_installs_the_best_so_far(job, workspace, monkeypatch):
    change(job, settings={"epochs": 4, "batch_tokens": 300, "threads": 1})
    stop_when(job, "evaluation", monkeypatch, unless_step=0)
    run(job)
    assert read_log(job)[-1]["event"] == "stopped" and read_log(job)[-1]["adapter"] == "0001"
    assert len(events(job, "evaluation")) == 2 and current(workspace.adapters) is not None


def test_a_training_stopped_before_its_first_evaluation_installs_nothing(job, workspace):
    (job / "stop").touch()
    run(job)
    assert read_log(job)[-1]["event"] == "stopped" and read_log(job)[-1]["adapter"] is None
    assert events(job, "step") == [] and current(workspace.adapters) is None


def stop_when(job, name, monkeypatch, *, unless_step):

    from assistant.jobs import JobLog

    write = JobLog.write

    def writing(self, event, **values):
        write(self, event, **values)
        if event == name and values["step"] != unless_step:
            (job / "stop").touch()

    monkeypatch.setattr(JobLog, "write", writing)


def test_without_enough_to_hold_out_the_last_adapter_is_kept(job, workspace):
    path = workspace.conversations / "chats.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:8]))
    run(job)
    assert events(job, "evaluation") == []
    assert current(workspace.adapters).lineage.losses == ()


def failure(job):
    assert main([str(job)]) == 1
    last = read_log(job)[-1]
    assert last["event"] == "failed"
    return last["message"]


def test_too_few_conversations_are_refused_before_anything_is_loaded(job, workspace, capsys):
    path = workspace.conversations / "chats.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:7]))
    message = (
        "There are 7 usable conversations; a training needs at least 8. Add more on the page Conversations."
    )
    assert failure(job) == message
    assert capsys.readouterr().err == f"{message}\n"


BAD_JOBS = {
    "no model": ({"model": None}, '{job}: "model" is None; it should be a folder. Add it.'),
    "no such model": (
        {"model": "/no/model"},
        "The base model /no/model has no config.json. Name the folder of a model in safetensors.",
    ),
    "missing file": (
        {"conversations": ["/no/chats.jsonl"]},
        "/no/chats.jsonl is not there. Check the path, then try again.",
    ),
    "wrong setting": (
        {"settings": {"epochs": 0}},
        "The setting 'epochs' is 0; it should be a whole number from 1 to 50. Correct it, then start again.",
    ),
}


@pytest.mark.parametrize(("values", "text"), BAD_JOBS.values(), ids=BAD_JOBS.keys())
def test_a_job_that_can_not_be_done_says_what_to_put_right(job, values, text):
    change(job, **values)
    assert failure(job) == text.replace("{job}", str(job / "job.json"))


def test_instructions_that_leave_no_room_are_refused(job, workspace):
    write_brand(workspace.brand_file, Brand(name="Acme", instructions="Be kind. " * 150))
    assert failure(job) == (
        "No example fits into 1,024 tokens: the instructions and one question with its answer are longer. "
        'Raise "max_length", or shorten the instructions on the page Company.'
    )


def test_a_diverging_training_fails_with_advice(job, monkeypatch):
    import torch

    from assistant.training import trainer

    monkeypatch.setattr(
        trainer, "labelled_loss", lambda model, inputs: torch.tensor(float("nan"), requires_grad=True)
    )
    assert failure(job) == (
        "The loss became nan at step 1: training diverged. Start again with a lower learning rate."
    )


def test_an_unforeseen_error_is_a_failed_job_too(job, monkeypatch):
    monkeypatch.setattr("assistant.training.run.read_task", lambda folder: 1 / 0)
    assert (
        failure(job)
        == f"Training failed unexpectedly: ZeroDivisionError: division by zero. See {job}/stderr.txt."
    )


def test_a_call_without_a_job_folder_says_how_it_is_called(capsys):
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("Usage: python -m assistant.training JOBFOLDER")


def test_the_face_and_the_checks_load_no_heavy_library():
    heavy = ("torch", "transformers", "peft", "trl")
    script = f"import sys, assistant.training.run; print([m for m in {heavy} if m in sys.modules])"
    root = Path(__file__).parents[3]
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_a_job_folder_is_read_by_the_jobs_list(job):
    failed = json.dumps({"event": "failed", "message": "no"})
    (job / "log.jsonl").write_text(failed + "\n")
    (found,) = Jobs(job.parent).list()
    assert (found.kind, found.status, found.message) == ("training", "failed", "no")
