"""A version leaves for other programs and comes back; the libraries are the real ones."""

import json
import shutil
import zipfile
from dataclasses import replace

import pytest

from assistant.adapters import (
    FILES,
    current,
    export_folder,
    export_zip,
    import_adapter,
    list_adapters,
    transfer,
)
from assistant.adapters.lineage import digest_of_files, write_lineage
from assistant.adapters.transfer import MOST_TEXT
from assistant.errors import AssistantError
from assistant.jobs import read_log
from assistant.training.merging import main, write_merged
from assistant.training.run import run
from tests.assistant.test_adapters import LINEAGE


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
    shapes = {name: (8, 9) if "lora_A" in name else (9, 8) for name in weights}
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, folder / FILES[1])


def no_lora(folder):
    import torch
    from safetensors.torch import save_file

    save_file({"anything": torch.zeros(2)}, folder / FILES[1])


def described(**changes):
    """A change of PEFT's description."""

    def change(folder):
        config = json.loads((folder / FILES[0]).read_text())
        (folder / FILES[0]).write_text(json.dumps(config | changes))

    return change


def one_flat(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / FILES[1])
    first = min(weights)
    save_file(weights | {first: weights[first][0].clone()}, folder / FILES[1])


def odd_lineage(folder):
    """One that fits the files beside it, and whose numbers are none."""
    files = {name: digest_of_files([folder / name]) for name in FILES}
    write_lineage(folder, replace(LINEAGE, seconds="long", tokens=[1]), files)


SPOILT = {
    "rank of 0": (described(r=0), "voice has r=0 and lora_alpha=8."),
    "rank in words": (described(r="8"), "voice has r='8'"),
    "rank without end": (described(r=10**40), "from 1 to 1024"),
    "rank of another": (described(r=4), "says that its rank is 4, and"),
    "scale that is no number": (described(lora_alpha=float("nan")), "lora_alpha=nan"),
    "scale without end": (described(lora_alpha=1e308), "lora_alpha=1e+308"),
    "mixed ranks": (described(rank_pattern={"(a+)+$": 3}), "voice is not plain LoRA on linear layers"),
    "layers twice": (described(layer_replication=[[0, 1], [0, 1]]), "voice is not plain LoRA"),
    "flat weights": (one_flat, "says that its rank is 8, and"),
    "odd lineage": (odd_lineage, "misses a field or has one too many (seconds is 'long')"),
    "config nested": (
        lambda folder: (folder / FILES[0]).write_text("[" * 100_000),
        "adapter_config.json can't be read",
    ),
    "config without end": (
        lambda folder: (folder / FILES[0]).write_text(" " * (MOST_TEXT + 1)),
        "adapter_config.json can't be read (it is too large)",
    ),
    "no weights": (lambda folder: (folder / FILES[1]).unlink(), "voice has no adapter_model.safetensors."),
    "no config": (lambda folder: (folder / FILES[0]).unlink(), "voice has no adapter_config.json."),
    "config cut off": (
        lambda folder: (folder / FILES[0]).write_text("{"),
        "adapter_config.json can't be read",
    ),
    "another kind": (
        lambda folder: (folder / FILES[0]).write_text('{"peft_type": "IA3"}'),
        "voice is a 'IA3' adapter; Quartet works with LORA alone.",
    ),
    "weights cut off": (
        lambda folder: (folder / FILES[1]).write_bytes(b"0123456789"),
        "adapter_model.safetensors is damaged",
    ),
    "another base": (other_base, "voice was made for another base model than tiny-chat"),
    "no LoRA": (no_lora, "voice is not plain LoRA on linear layers"),
}


@pytest.mark.parametrize(("change", "text"), SPOILT.values(), ids=SPOILT.keys())
def test_what_is_no_adapter_for_this_base_is_refused(exported, workspace, tiny_model_folder, change, text):
    spoil(exported, change)
    with pytest.raises(AssistantError) as problem:
        import_adapter(workspace.adapters, exported, tiny_model_folder)
    assert text in str(problem.value) and list_adapters(workspace.adapters) == []


def zipped(folder, target, change=lambda data: data):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FILES:
            archive.writestr(f"../../{name}", (folder / name).read_bytes())
    target.write_bytes(change(bytearray(target.read_bytes())))
    return target


def marked(offsets, value):
    """Sets a byte of every entry's two headers."""

    def change(data):
        for sign, offset in zip((b"PK\x03\x04", b"PK\x01\x02"), offsets, strict=True):
            at = data.find(sign)
            while at >= 0:
                data[at + offset] = value
                at = data.find(sign, at + 4)
        return data

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-40],
        marked((6, 8), 1),
        marked((8, 10), 99),
        lambda data: data[:60] + b"\xff" * 40 + data[100:],
    ],
    ids=["cut off", "locked", "packed in a way of its own", "damaged"],
)
def test_a_zip_that_can_not_be_opened_is_told(exported, workspace, tiny_model_folder, tmp_path, change):
    with pytest.raises(AssistantError, match="can't be opened as a zip"):
        import_adapter(
            workspace.adapters, zipped(exported, tmp_path / "voice.zip", change), tiny_model_folder
        )


def test_of_a_zip_no_more_is_unpacked_than_an_adapter_takes_and_nowhere_else(
    exported, workspace, tiny_model_folder, tmp_path, monkeypatch
):
    again = import_adapter(workspace.adapters, zipped(exported, tmp_path / "voice.zip"), tiny_model_folder)
    assert again.key == "0001" and not list(tmp_path.parent.glob("adapter_*"))
    monkeypatch.setattr(transfer, "MOST_TEXT", 100)
    with pytest.raises(AssistantError, match=r"holds adapter_config\.json of"):
        import_adapter(workspace.adapters, zipped(exported, tmp_path / "again.zip"), tiny_model_folder)


def test_merging_reads_nothing_of_a_description_but_rank_and_scale(exported, tiny_model_folder, tmp_path):
    described(
        megatron_config={},
        megatron_core="antigravity",
        target_modules="(.*a){30}$",
        modules_to_save=["lm_head"],
    )(exported)
    write_merged(tiny_model_folder, exported, tmp_path / "merged")
    assert (tmp_path / "merged" / "model.safetensors").exists()
    other_base(exported)
    with pytest.raises(AssistantError, match="another base model than tiny-chat: its"):
        write_merged(tiny_model_folder, exported, tmp_path / "other")


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
