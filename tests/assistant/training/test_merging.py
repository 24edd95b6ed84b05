"""A version leaves for other programs and comes back; the libraries are the real ones."""

import json
import shutil
import zipfile

import pytest

from assistant.adapters import FILES, current, export_folder, export_zip, import_adapter, list_adapters
from assistant.errors import AssistantError
from assistant.jobs import read_log
from assistant.training.merging import main
from assistant.training.run import run


@pytest.fixture
def trained(job, workspace):
    """A version that has learned something."""
    run(job)
    return current(workspace.adapters)


def logits(model, tokenizer):
    import torch

    with torch.no_grad():
        return model(**tokenizer("What of 9?", return_tensors="pt")).logits


def test_an_exported_version_is_loaded_by_peft_and_a_merged_one_needs_no_peft(
    trained, job, workspace, tiny_model_folder, tokenizer, tmp_path
):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    plain = logits(base, tokenizer)
    exported = export_folder(trained, tmp_path / "peft")
    tuned = logits(PeftModel.from_pretrained(base, exported), tokenizer)
    assert not torch.allclose(plain, tuned, atol=1e-3)

    target = tmp_path / "merged"
    arguments = {"workspace": str(workspace.root), "model": str(tiny_model_folder), "adapter": trained.key}
    (job / "job.json").write_text(json.dumps(arguments | {"target": str(target)}))
    assert main([str(job)]) == 0
    assert read_log(job)[-1]["target"] == str(target)
    merged = logits(AutoModelForCausalLM.from_pretrained(target), AutoTokenizer.from_pretrained(target))
    torch.testing.assert_close(merged, tuned, rtol=1e-4, atol=1e-4)
    assert {path.suffix for path in target.iterdir()} <= {".json", ".safetensors", ".jinja"}

    assert main([str(job)]) == 1
    assert read_log(job)[-1]["message"] == (
        f"{target} is there already. Move it away, or name another folder."
    )


def test_a_version_comes_back_from_a_zip_with_its_lineage_and_from_a_bare_folder_without(
    trained, workspace, tiny_model_folder, tmp_path
):
    archive = export_zip(trained, tmp_path / "voice.zip")
    again = import_adapter(workspace.adapters, archive, tiny_model_folder)
    assert again.key == "0002" and again.lineage.losses == trained.lineage.losses
    folder = export_folder(trained, tmp_path / "bare")
    (folder / "lineage.json").unlink()
    bare = import_adapter(workspace.adapters, folder, tiny_model_folder)
    assert bare.lineage.name == "Imported from bare" and bare.lineage.losses == ()
    assert bare.lineage.settings == {"rank": 8, "alpha": 16}
    assert current(workspace.adapters).key == "0003"


def spoil(folder, change):
    """Change an exported folder, whose lineage would tell."""
    (folder / "lineage.json").unlink(missing_ok=True)
    change(folder)


def other_base(folder):
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / FILES[1])
    save_file({name: torch.zeros(8, 9) for name in weights}, folder / FILES[1])


def no_lora(folder):
    import torch
    from safetensors.torch import save_file

    save_file({"anything": torch.zeros(2)}, folder / FILES[1])


SPOILT = {
    "no weights": (lambda folder: (folder / FILES[1]).unlink(), "voice has no adapter_model.safetensors."),
    "no config": (lambda folder: (folder / FILES[0]).unlink(), "voice has no adapter_config.json."),
    "config cut off": (
        lambda folder: (folder / FILES[0]).write_text("{"),
        "adapter_config.json can't be read",
    ),
    "another kind": (
        lambda folder: (folder / FILES[0]).write_text('{"peft_type": "IA3"}'),
        "voice is a IA3 adapter; Quartet works with LORA alone.",
    ),
    "weights cut off": (
        lambda folder: (folder / FILES[1]).write_bytes(b"0123456789"),
        "adapter_model.safetensors is damaged",
    ),
    "another base": (other_base, "voice was made for another base model than tiny-chat"),
    "no LoRA": (no_lora, "adapter_model.safetensors holds no LoRA weights."),
}


@pytest.mark.parametrize(("change", "text"), SPOILT.values(), ids=SPOILT.keys())
def test_what_is_no_adapter_for_this_base_is_refused(exported, workspace, tiny_model_folder, change, text):
    spoil(exported, change)
    with pytest.raises(AssistantError) as problem:
        import_adapter(workspace.adapters, exported, tiny_model_folder)
    assert text in str(problem.value) and list_adapters(workspace.adapters) == []


@pytest.fixture
def exported(tmp_path, tiny_model_folder):
    """An adapter for the tiny model that nobody trained, as PEFT writes it."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    model = get_peft_model(base, LoraConfig(r=8, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    model.save_pretrained(tmp_path / "voice")
    return tmp_path / "voice"


def test_an_adapter_that_peft_wrote_is_taken_in(exported, workspace, tiny_model_folder):
    assert import_adapter(workspace.adapters, exported, tiny_model_folder).key == "0001"


def test_files_of_a_zip_that_do_not_belong_to_an_adapter_are_left_in_it(
    exported, workspace, tiny_model_folder, tmp_path
):
    archive = tmp_path / "voice.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name in FILES:
            packed.write(exported / name, f"some/folder/{name}")
        packed.writestr("../../escaped.txt", "no")
    adapter = import_adapter(workspace.adapters, archive, tiny_model_folder)
    assert sorted(path.name for path in adapter.folder.iterdir()) == sorted(
        [*FILES, "lineage.json", "report.json"]
    )
    assert not list(tmp_path.rglob("escaped.txt"))


def test_a_zip_bomb_is_refused(exported, workspace, tiny_model_folder, tmp_path, monkeypatch):
    from assistant.adapters import transfer

    monkeypatch.setattr(transfer, "MOST_BYTES", 10)
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", exported)
    with pytest.raises(AssistantError, match="GB are taken in"):
        import_adapter(workspace.adapters, tmp_path / archive, tiny_model_folder)


def test_an_export_without_leave_to_write_says_so(trained, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for export in (export_folder, export_zip):
        with pytest.raises(AssistantError, match="can't be written"):
            export(trained, tmp_path / "file" / "target")


def test_merging_without_a_job_says_how_it_is_called(capsys):
    assert main([]) == 2
    assert "python -m assistant.training.merging JOBFOLDER" in capsys.readouterr().err
