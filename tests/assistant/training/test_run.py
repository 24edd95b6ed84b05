import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.adapters import FILES, current, install, list_adapters, read_report
from assistant.brand import Brand, write_brand
from assistant.errors import AssistantError
from assistant.jobs import Jobs, read_log
from assistant.training.__main__ import main
from assistant.training.general import QUESTIONS
from assistant.training.run import run
from tests.assistant.test_adapters import LINEAGE


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


def test_an_adapter_that_learned_over_4_bits_serves_the_base_in_full_and_merges_into_it(
    job, workspace, tiny_model_folder, tmp_path
):
    import torch
    from peft import PeftModel

    from assistant.training.merging import write_merged
    from assistant.weights import Placement, load_model

    pytest.importorskip("bitsandbytes")
    settings = json.loads((job / "job.json").read_text())["settings"]
    change(job, settings=settings | {"four_bit": True})
    run(job)
    assert any("weights in 4 bits" in event["text"] for event in events(job, "stage"))
    losses = [event["loss"] for event in events(job, "evaluation")]
    assert losses[-1] < losses[0] - 0.5
    adapter = current(workspace.adapters)
    assert adapter.lineage.settings["four_bit"] is True
    placement = Placement(torch.device("cpu"), torch.float32, "a test")
    tuned = PeftModel.from_pretrained(load_model(tiny_model_folder, placement), str(adapter.folder))
    write_merged(tiny_model_folder, adapter.folder, tmp_path / "merged")
    tokens = torch.arange(3, 60)[None]
    with torch.inference_mode():
        found = tuned(input_ids=tokens).logits
        merged = load_model(tmp_path / "merged", placement)(input_ids=tokens).logits
        plain = load_model(tiny_model_folder, placement)(input_ids=tokens).logits
    assert torch.allclose(merged, found, atol=1e-4)
    assert not torch.allclose(plain, found, atol=0.1)


def test_a_stopped_training_keeps_what_it_has_learned_up_to_there(job, workspace, monkeypatch):
    change(job, settings={"epochs": 4, "batch_tokens": 300, "threads": 1, "general_questions": 0})
    stop_when(job, "step", monkeypatch, step=2)
    run(job)
    assert read_log(job)[-1]["event"] == "stopped" and read_log(job)[-1]["adapter"] == "0001"
    assert events(job, "step")[-1]["step"] == events(job, "evaluation")[-1]["step"] == 2
    assert current(workspace.adapters).lineage.losses[-1].step == 2


def test_a_training_that_is_stopped_and_discarded_leaves_nothing(job, workspace, monkeypatch):
    stop_when(job, "evaluation", monkeypatch, step=1, how="discard")
    run(job)
    last = read_log(job)[-1]
    assert (last["event"], last["adapter"], last["discarded"]) == ("stopped", None, True)
    assert current(workspace.adapters) is None
    assert not (job / "best").exists() and not (job / "checkpoints").exists()


def test_a_training_discarded_at_its_very_end_becomes_no_version(job, workspace, monkeypatch):
    stop_when(job, "step", monkeypatch, step=lambda event: event["step"] == event["steps"], how="discard")
    run(job)
    assert read_log(job)[-1]["discarded"] and current(workspace.adapters) is None


def test_training_ends_early_when_it_gets_no_better_and_keeps_its_best(job, workspace, monkeypatch):
    from assistant.training import course

    losses = iter([3.0, 2.0, 2.5, 2.25, 2.0])
    monkeypatch.setattr(course, "mean_loss", lambda model, batches: next(losses))
    change(
        job, settings={"epochs": 3, "batch_tokens": 300, "threads": 1, "patience": 2, "general_questions": 0}
    )
    run(job)
    (early,) = events(job, "early")
    evaluated = [event["step"] for event in events(job, "evaluation")]
    assert len(evaluated) == 4 and (early["step"], early["best"]) == (evaluated[3], evaluated[1])
    assert events(job, "step")[-1]["step"] == evaluated[3] < events(job, "step")[-1]["steps"]
    assert read_log(job)[-1]["event"] == "finished"
    assert current(workspace.adapters).lineage.best_loss == 2.0


def test_the_growing_adapter_answers_the_same_held_out_questions_each_time(job, workspace):
    run(job)
    (asked,) = events(job, "questions")
    samples = events(job, "samples")
    assert len(asked["questions"]) == 3 and asked["questions"][0]["question"].startswith("What of ")
    assert [each["step"] for each in samples] == [each["step"] for each in events(job, "evaluation")]
    assert all(len(each["answers"]) == 3 for each in samples)
    assert samples[-1]["answers"] != samples[0]["answers"]
    report = read_report(current(workspace.adapters).folder)
    assert [list(each.answers) for each in report.samples] == [each["answers"] for each in samples]
    assert [vars(each) for each in report.questions] == asked["questions"]


def test_a_version_s_report_tells_what_became_of_everyday_questions(job, workspace):
    change(job, settings=json.loads((job / "job.json").read_text())["settings"] | {"general_questions": 2})
    run(job)
    report = read_report(current(workspace.adapters).folder)
    assert [each.question for each in report.general] == list(QUESTIONS[:2])
    assert [each.strength for each in report.strengths] == [0.0, 0.5, 1.0]
    assert report.strengths[0].changed == 0.0
    assert report.strengths[-1].changed == sum(each.changed for each in report.general) / 2
    assert [step for step, _ in report.training] == [event["step"] for event in events(job, "step")]
    assert len(report.learned) == 40


def test_only_as_many_conversations_are_learned_from_as_allowed(job, workspace):
    change(
        job, settings={"batch_tokens": 300, "threads": 1, "most_conversations": 10, "general_questions": 0}
    )
    run(job)
    assert current(workspace.adapters).lineage.conversations == 10
    assert events(job, "examples")[0]["examples"] == 10


def test_the_attention_layers_alone_can_be_trained(job, workspace):
    change(job, settings={"batch_tokens": 300, "threads": 1, "targets": "attention", "general_questions": 0})
    run(job)
    config = json.loads((current(workspace.adapters).folder / "adapter_config.json").read_text())
    assert sorted(config["target_modules"]) == ["k_proj", "o_proj", "q_proj", "v_proj"]


def test_a_training_stopped_before_its_first_evaluation_installs_nothing(job, workspace):
    (job / "stop").touch()
    run(job)
    assert read_log(job)[-1]["event"] == "stopped" and read_log(job)[-1]["adapter"] is None
    assert events(job, "step") == [] and current(workspace.adapters) is None


def stop_when(job, name, monkeypatch, *, step, how="keep"):
    """Ask the job to stop once it has logged this event at this step."""

    from assistant.jobs import JobLog

    write = JobLog.write
    fits = step if callable(step) else lambda event: event["step"] == step

    def writing(self, event, **values):
        write(self, event, **values)
        if event == name and fits(values):
            (job / "stop").write_text(how)

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


TROUBLES = {
    "memory of the processor": (
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
        "The memory of this machine was not enough for the training. Choose a smaller batch",
    ),
    "memory of the card": (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "The memory of this"),
    "disk, by the system": (OSError(28, "No space left on device"), "The disk of {job} is full, so the"),
    "disk, by torch": (
        RuntimeError("[enforce fail at inline_container.cc:664] . file write failed"),
        "The disk of {job} is full, so the training could not save what it had learned. Free some room",
    ),
}


@pytest.mark.parametrize(("problem", "text"), TROUBLES.values(), ids=TROUBLES.keys())
def test_a_trouble_of_the_machine_says_what_to_do_and_leaves_the_version_in_use(
    job, workspace, monkeypatch, problem, text
):
    from assistant.training import trainer

    for name in FILES:
        (job / name).write_text("{}")
    install(workspace.adapters, job, LINEAGE)

    def fail(*_):
        raise problem

    monkeypatch.setattr(trainer, "labelled_loss", fail)
    assert failure(job).startswith(text.replace("{job}", str(job)))
    assert current(workspace.adapters).key == "0001"


def test_without_room_for_checkpoints_nothing_is_begun(job, monkeypatch):
    from types import SimpleNamespace

    from assistant.training import checkpoints

    monkeypatch.setattr(checkpoints.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    assert failure(job).startswith(f"The disk of {job} has 1 MB left, and this training may need 5")
    assert events(job, "step") == []


def test_a_model_larger_than_the_memory_is_refused_with_numbers(job, monkeypatch):
    from assistant.training import memory

    monkeypatch.setattr(memory, "room", lambda: memory.Room(free=100_000, total=2_000_000_000))
    assert failure(job) == (
        "The weights of tiny-chat alone take 0.0 GB, and 0.0 GB of 2.0 GB memory are free. Close what else "
        "is open, or start Quartet with a smaller model (--model)."
    )


def test_processes_that_load_the_model_into_one_memory_are_counted(tiny_model_folder, monkeypatch):
    import torch

    from assistant.training import memory
    from assistant.weights import Placement, count_weights

    placement = Placement(torch.device("cpu"), torch.float32, "a test")
    needed = 4 * count_weights(tiny_model_folder)
    monkeypatch.setattr(memory, "room", lambda: memory.Room(free=2 * needed, total=2 * needed))
    memory.check_fits(tiny_model_folder, placement, copies=2)
    with pytest.raises(AssistantError, match=r"The weights of tiny-chat alone, 3 times, take 0.0 GB, and"):
        memory.check_fits(tiny_model_folder, placement, copies=3)


def test_for_a_model_larger_than_the_card_weights_in_4_bits_are_proposed_unless_they_are(
    tiny_model_folder, monkeypatch
):
    import torch

    from assistant.training import memory
    from assistant.weights import Placement

    card = Placement(torch.device("cuda"), torch.float32, "a test")
    monkeypatch.setattr(memory, "room", lambda: memory.Room(free=350_000, total=2_000_000_000))
    with pytest.raises(
        AssistantError, match=r"open, train over its weights in 4 bits \(4-bit base\), or start"
    ):
        memory.check_fits(tiny_model_folder, card)
    memory.check_fits(tiny_model_folder, replace(card, four_bit=True))
    monkeypatch.setattr(memory, "room", lambda: memory.Room(free=100_000, total=2_000_000_000))
    with pytest.raises(
        AssistantError, match=r"Close what else is open, or start Quartet with a smaller model"
    ):
        memory.check_fits(tiny_model_folder, replace(card, four_bit=True))


def test_a_second_training_in_the_same_folder_leaves_it_to_the_first(job, workspace, monkeypatch, capsys):
    from assistant.jobs import line
    from assistant.training import trainer

    real, second = trainer.labelled_loss, []

    def meanwhile(*given):
        if not second:
            second.append(None)
            second.append(main([str(job)]))
        return real(*given)

    monkeypatch.setattr(line, "PATIENCE", 0.1)
    monkeypatch.setattr(trainer, "labelled_loss", meanwhile)
    assert main([str(job)]) == 0 and second == [None, 1]
    assert f"Another process works in {job} already. Wait until it has ended." in capsys.readouterr().err
    assert events(job, "failed") == [] and len(events(job, "finished")) == 1
    assert [each.key for each in list_adapters(workspace.adapters)] == ["0001"]


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
