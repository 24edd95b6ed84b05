"""`python -m assistant.training.merging JOBFOLDER`: write a version merged into its base model.

The result is a model like any other, in safetensors with its tokenizer, which needs no PEFT.
"""

import shutil
import sys
from pathlib import Path

from assistant.adapters import check, find
from assistant.errors import AssistantError
from assistant.jobs import JobLog
from assistant.training.processes import carry_out
from assistant.workspace import open_workspace, read_json


def merge(folder: Path) -> None:
    """Merge as `folder`/job.json says: model, workspace, adapter (its key) and target.

    Raises:
        AssistantError: the version is gone or damaged, or the target is there already.
    """
    log, values = JobLog(folder), read_json(folder / "job.json")
    adapter = find(open_workspace(Path(values["workspace"])).adapters, values["adapter"])
    check(adapter)
    target = Path(values["target"])
    if target.exists():
        raise AssistantError(f"{target} is there already. Move it away, or name another folder.")
    log.write("stage", text="Loading the model")
    write_merged(Path(values["model"]), adapter.folder, target)
    log.write("finished", target=str(target))


def write_merged(model: Path, adapter: Path, target: Path) -> None:
    """Write base model and adapter as one model, whole or not at all.

    Args:
        model: folder of the base model.
        adapter: folder of the adapter, in PEFT's format.
        target: the folder to make.

    Raises:
        AssistantError: the adapter is no plain LoRA, or was made for another base.
    """
    import torch

    from assistant.engine.lora import read_lora
    from assistant.weights import Placement, load_model, load_tokenizer

    placement = Placement(torch.device("cpu"), torch.float32, "added up exactly")
    merged = load_model(model, placement)
    weights = dict(merged.named_parameters())
    for layer, part in read_lora(adapter).items():
        weight, added = weights.get(f"{layer}.weight"), part.up @ part.down
        if weight is None or weight.shape != added.shape:
            raise AssistantError(
                f"The adapter in {adapter} was made for another base model than {model.name}: its {layer} "
                "does not fit. Start Quartet with the model it was made for."
            )
        weight.data += added
    beside = target.with_name(f".{target.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    merged.save_pretrained(beside)
    load_tokenizer(model).save_pretrained(beside)
    beside.replace(target)


def main(arguments: list[str]) -> int:
    """Merge when the job's turn has come; the exit status is 1 if it failed, and 2 if no job is named."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("Usage: python -m assistant.training.merging JOBFOLDER", file=sys.stderr)
        return 2
    return carry_out(Path(arguments[0]).resolve(), merge)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
