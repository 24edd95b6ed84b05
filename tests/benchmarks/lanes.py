"""`python -m tests.benchmarks.lanes`: what four lanes cost, beside the plain ways and the best local engine.

All ways answer the same prompts (two of them grounded, about 600 tokens) in 96 tokens, in turns.
(a) four `generate` calls one after the other, (b) one `generate` with PEFT's mixed rows, (c) our four rows,
(d) our one row, each of ours as torch takes steps, the compiled graph, and a graph with weights in 8 bits;
(e) OpenVINO GenAI on the GGUF file named with --gguf, four rows without adapters. Then users, a second turn
with and without reuse, the gap that a long prompt makes in running streams, and the memory of a process.
Times are medians: read the ratios.
"""

import argparse
import itertools
import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from peft import PeftModel

from assistant.brand import read_brand
from assistant.demo import DEMO
from assistant.engine.decoder import Decoder
from assistant.engine.line import WaitingLine
from assistant.engine.prefixes import Prefixes
from assistant.engine.rows import Row
from assistant.engine.runners import open_eager, open_runner
from assistant.engine.steps import Runner
from assistant.lanes import Finish, Request, Sampling
from assistant.models import chat_model
from assistant.prompts import Message, chat_messages
from assistant.weights import find_placement, load_model, load_tokenizer

NEW = 96
"""Tokens of each answer."""
QUESTION = "How much is delivery, and when is it free?"
ADAPTERS = (None, "brand", None, "brand")
"""Of the lanes: prompt only, fine-tuned, RAG, combined."""
NO_REUSE = 0
REUSE = 128 * 1024 * 1024
"""Bytes of prefixes that are kept, as the local engine does."""
USERS = {"torch": (1, 4), "graph": (1, 4, 8, 16), "8 bits": (1, 4)}
"""Who ask at the same time; torch is asked less, since it takes long."""


class Passage:
    """Some text of a demo document, shown as a passage."""

    def __init__(self, title: str, text: str) -> None:
        self.title, self.text = title, text


def prompts(tokenizer: Any, question: str = QUESTION, title: str = "Delivery") -> list[list[int]]:
    """The four lanes' prompts as token ids; the grounded ones have about 600."""
    brand = read_brand(DEMO / "brand.toml")
    text = (DEMO / "documents" / "delivery.md").read_text() + (DEMO / "documents" / "monstera.md").read_text()
    passages = [Passage(title, " ".join(text.split()[:300]))]
    shown = (None, None, passages, passages)
    chats = [chat_messages(brand, question, passages=each) for each in shown]
    return [_ids(tokenizer, chat) for chat in chats]


def _ids(tokenizer: Any, chat: Sequence[Message]) -> list[int]:
    turns = [{"role": message.role, "content": message.content} for message in chat]
    return list(
        tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True)["input_ids"]
    )


class Ours:
    """Our decoder on one way of taking steps, which never ends an answer before its limit."""

    def __init__(self, runner: Runner, tokenizer: Any, adapter: Path, reuse: int = NO_REUSE) -> None:
        self._tokenizer = tokenizer
        self.decoder = Decoder(runner, prefixes=Prefixes(reuse), line=WaitingLine(room=256, share=256))
        if "brand" not in runner.router.names:
            parts = runner.router.read(adapter)
            self.decoder.between_steps(lambda: runner.router.install("brand", parts))

    def rows(
        self, asked: Sequence[list[int]], adapters: Sequence[str | None], new: int = NEW, owner: str = ""
    ) -> list[Row]:
        rows = []
        for index, (prompt, adapter) in enumerate(zip(asked, adapters, strict=True)):
            scale = 1.0 if adapter else 0.0
            request = Request((Message("user", "as tokens"),), adapter, scale, Sampling(max_tokens=new))
            place = (self._tokenizer, frozenset(), "starter", queue.Queue())
            rows.append(Row(index, request, prompt, *place, adapter=adapter, owner=owner))
        return rows

    def answer(self, rows: Sequence[Row]) -> list[Row]:
        self.decoder.submit(rows)
        for row in rows:
            self.finish(row)
        return list(rows)

    def finish(self, row: Row) -> Finish:
        """How the row ended, once it has."""
        while not (finish := row.pieces.get(timeout=600).finish):
            pass
        return finish


def seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The median seconds of each way; all are done once before, and then in turns."""
    for way in ways.values():
        way()
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            took[name].append(seconds(way))
    return {name: median(values) for name, values in took.items()}


class Plain:
    """transformers with PEFT, as one would write it without an engine."""

    def __init__(self, folder: Path, adapter: Path) -> None:
        self._model: Any = PeftModel.from_pretrained(
            load_model(folder, find_placement()), adapter, adapter_name="brand"
        ).eval()

    def one_by_one(self, asked: Sequence[list[int]]) -> None:
        for prompt, adapter in zip(asked, ADAPTERS, strict=True):
            if adapter:
                self._generate([prompt])
            else:
                with self._model.disable_adapter():
                    self._generate([prompt])

    def mixed(self, asked: Sequence[list[int]]) -> None:
        self._generate(asked, adapter_names=[adapter or "__base__" for adapter in ADAPTERS])

    @torch.inference_mode()
    def _generate(self, asked: Sequence[list[int]], **options: Any) -> None:
        longest = max(map(len, asked))
        ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in asked])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in asked])
        self._model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=NEW,
            min_new_tokens=NEW,
            do_sample=False,
            **options,
        )


def genai(gguf: Path, asked: Sequence[list[int]], tokenizer: Any) -> Callable[[], Any]:
    """OpenVINO GenAI on the same model's GGUF file: four rows, no adapters."""
    import openvino_genai

    pipeline = openvino_genai.LLMPipeline(str(gguf), "CPU")
    settings = openvino_genai.GenerationConfig()
    settings.max_new_tokens, settings.ignore_eos, settings.apply_chat_template = NEW, True, False
    texts = [tokenizer.decode(prompt) for prompt in asked]
    calls = itertools.count()

    def answer() -> None:
        call = next(calls)  # in front of each prompt, since the library keeps the prefixes it has read
        pipeline.generate([f"{call}.{row} {text}" for row, text in enumerate(texts)], settings)

    return answer


def users(ours: Ours, tokenizer: Any, count: int) -> dict[str, float]:
    """Of users who ask at the same time, each a question of their own: tokens a second over all rows, and
    the mean seconds to their first and last tokens.

    Their passages have titles of their own, so that of what is kept the instructions alone help.
    """
    asked = []
    for number in range(count):
        user = f"{number} of {count}"
        lanes = prompts(tokenizer, f"{QUESTION} I am {user}.", title=user)
        asked.append(ours.rows(lanes, ADAPTERS, owner=user))
    for rows in asked:
        ours.decoder.submit(rows)
    ends = [[ours.finish(row) for row in rows] for rows in asked]
    longest = max(end.seconds for each in ends for end in each)
    return {
        "tokens a second": count * len(ADAPTERS) * NEW / longest,
        "first token": mean(max(end.first_token_seconds for end in each) for each in ends),
        "last token": mean(max(end.seconds for end in each) for each in ends),
    }


def second_turn(runner: Runner, tokenizer: Any, adapter: Path, reuse: int) -> float:
    """Seconds to the first token of a second turn, the slowest of the four lanes."""
    ours = Ours(runner, tokenizer, adapter, reuse)
    asked = prompts(tokenizer)
    first = ours.answer(ours.rows(asked, ADAPTERS, 32))
    more = tokenizer.encode("<|im_end|>\n<|im_start|>user\nAnd to Orkney?<|im_end|>\n<|im_start|>assistant\n")
    following = [[*row.prompt, *row.generated, *more] for row in first]
    rows = ours.answer(ours.rows(following, ADAPTERS, 2))
    ours.decoder.close()
    return max(row.first_token for row in rows)


def gap(ours: Ours, asked: Sequence[list[int]]) -> tuple[float, float]:
    """The longest and the median seconds between two tokens of a stream while 2,000 others are read."""
    rows = ours.rows(asked, ADAPTERS, 160)
    ours.decoder.submit(rows)
    for row in rows:
        row.pieces.get(timeout=600)
    ours.decoder.submit(ours.rows([(asked[2] * 4)[:2000]], ["brand"], 2, "another"))
    stamps: list[float] = []
    while rows[0].pieces.get(timeout=600).finish is None:
        stamps.append(time.perf_counter())
    for row in rows[1:]:
        ours.finish(row)
    gaps = [later - earlier for earlier, later in itertools.pairwise(stamps)]
    return max(gaps), median(gaps)


def _runner(folder: Path, way: str) -> Runner:
    """What takes steps in one of the ways of `USERS`."""
    if way == "torch":
        return open_eager(folder, find_placement())
    return open_runner(folder, find_placement(), eight_bit=way == "8 bits")


def peak_memory(way: str) -> float:
    """Megabytes that a process of its own has taken at most, doing the work one way."""
    out = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.lanes", "--memory", way],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(out.stdout.split()[-1])


def _memory(way: str) -> None:
    folder, tokenizer = chat_model(None, lambda *_: None), None
    tokenizer = load_tokenizer(folder)
    asked = prompts(tokenizer)
    if way == "plain":
        model: Any = load_model(folder, find_placement())
        with torch.inference_mode():
            ids = torch.tensor([asked[2]])
            model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False
            )
    else:
        ours = Ours(_runner(folder, way), tokenizer, DEMO / "adapter", reuse=REUSE)
        ours.answer(ours.rows(asked, ADAPTERS))
        ours.decoder.close()
    # Not ru_maxrss: a process inherits its parent's.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024)


def measure(rounds: int, gguf: Path | None) -> dict[str, Any]:
    """Everything, as plain values."""
    folder, adapter = chat_model(None, lambda *_: None), DEMO / "adapter"
    tokenizer = load_tokenizer(folder)
    asked = prompts(tokenizer)
    plain = Plain(folder, adapter)
    runners = {way: _runner(folder, way) for way in USERS}
    ours = {name: Ours(runner, tokenizer, adapter) for name, runner in runners.items()}
    ways: dict[str, Callable[[], Any]] = {
        "a one by one": lambda: plain.one_by_one(asked),
        "b mixed rows": lambda: plain.mixed(asked),
    }
    for name, each in ours.items():
        ways[f"c four rows, {name}"] = lambda each=each: each.answer(each.rows(asked, ADAPTERS))
        ways[f"d one row, {name}"] = lambda each=each: each.answer(each.rows(asked[3:], ["brand"]))
    if gguf:
        ways["e GenAI"] = genai(gguf, asked, tokenizer)
    took = in_turns(ways, rounds)
    found: dict[str, Any] = {"prompt_tokens": [len(prompt) for prompt in asked], "seconds": took}
    for name, each in ours.items():
        rows = each.answer(each.rows(asked, ADAPTERS))
        longest, usual = gap(each, asked)
        plain_users = {count: users(each, tokenizer, count) for count in USERS[name]}
        each.decoder.close()
        kept = Ours(runners[name], tokenizer, adapter, REUSE)
        kept.answer(kept.rows(asked, ADAPTERS, 2))  # somebody has asked before
        kept_users = {count: users(kept, tokenizer, count) for count in USERS[name]}
        kept.decoder.close()
        four, one = took[f"c four rows, {name}"], took[f"d one row, {name}"]
        found[name] = {
            "a/c": took["a one by one"] / four,
            "b/c": took["b mixed rows"] / four,
            "c/d": four / one,
            "tokens a second": 4 * NEW / four,
            "first token, by lane": [row.first_token for row in rows],
            "users": plain_users,
            "4 users / 1": _more(plain_users),
            "users, with prefixes kept": kept_users,
            "4 users / 1, with prefixes kept": _more(kept_users),
            "longest gap": longest,
            "median gap": usual,
            "gap ratio": longest / usual,
            "second turn without reuse": second_turn(runners[name], tokenizer, adapter, NO_REUSE),
            "second turn with reuse": second_turn(runners[name], tokenizer, adapter, REUSE),
            **({"e/c": took["e GenAI"] / four} if gguf else {}),
        }
    memory = {way: peak_memory(way) for way in ("plain", *USERS)}
    found["memory"] = memory | {"graph/plain": memory["graph"] / memory["plain"]}
    found["threads"], found["placement"] = torch.get_num_threads(), str(find_placement())
    return found


def _more(by_users: dict[int, dict[str, float]]) -> float:
    """How many times the tokens of one user four have together."""
    return by_users[4]["tokens a second"] / by_users[1]["tokens a second"]


def _shown(found: dict[str, Any], indent: str = "") -> str:
    lines = []
    for name, value in found.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", _shown(value, indent + "  ")]
        elif isinstance(value, list):
            lines.append(f"{indent}{name}: {', '.join(f'{each:.3g}' for each in value)}")
        else:
            lines.append(
                f"{indent}{name}: {value:.3g}" if isinstance(value, float) else f"{indent}{name}: {value}"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="times that each way is measured")
    parser.add_argument("--gguf", type=Path, help="the starter's GGUF file, for OpenVINO GenAI beside ours")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--memory", choices=("plain", *USERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        _memory(options.memory)
        return
    found = measure(options.rounds, options.gguf)
    print(json.dumps(found, indent=2) if options.json else _shown(found))


if __name__ == "__main__":
    main()
