"""`python -m tests.benchmarks.exactness`: whether rows of the starter model get the tokens they get alone.

In float32, with rows that join and leave at random moments, base and adapter, greedy and drawn, with and
without what was read before. The suite holds the same for a tiny model; this is the real one.
"""

import argparse
import queue
import random
import threading
import time
from dataclasses import dataclass
from typing import Any

import torch

from assistant.demo import DEMO
from assistant.engine.rows import Row
from assistant.engine.runners import open_eager
from assistant.lanes import Request, Sampling
from assistant.models import chat_model
from assistant.prompts import Message
from assistant.weights import Placement, load_tokenizer
from tests.benchmarks.lanes import ADAPTERS, NO_REUSE, REUSE, Ours, prompts

WORDS = ("fern", "parcel", "Tuesday", "refund", "gift", "pot", "light", "water")
LONGEST = 24


@dataclass(frozen=True)
class Asked:
    """What is asked in a schedule and alone."""

    prompt: tuple[int, ...]
    adapter: str | None
    sampling: Sampling

    def row(self, tokenizer: Any) -> Row:
        """A new row of it."""
        scale = 1.0 if self.adapter else 0.0
        request = Request((Message("user", "as tokens"),), self.adapter, scale, self.sampling)
        place = (tokenizer, frozenset(), "starter", queue.Queue())
        return Row(0, request, list(self.prompt), *place, adapter=self.adapter)


def drawn(dice: random.Random, tokenizer: Any) -> Asked:
    """One of the four lanes' prompts, with its own length, and greedy or drawn with its own seed."""
    lane = dice.randrange(4)
    prompt = prompts(tokenizer, f"What about the {dice.choice(WORDS)}?")[lane]
    temperature, seed = dice.choice([(0.0, 0), (0.8, dice.randint(1, 99))])
    sampling = Sampling(max_tokens=dice.randint(4, LONGEST), temperature=temperature, seed=seed)
    return Asked(tuple(prompt), ADAPTERS[lane], sampling)


def schedule(seed: int, together: Ours, tokenizer: Any) -> list[tuple[Asked, Row]]:
    """Rows of one random schedule, ended or cancelled."""
    dice, rows = random.Random(seed), []
    for _ in range(6):
        asked = drawn(dice, tokenizer)
        row = asked.row(tokenizer)
        if dice.random() < 0.25:
            threading.Timer(dice.random() * 3, setattr, (row, "cancelled", True)).start()
        rows.append((asked, row))
        together.decoder.submit([row])
        time.sleep(dice.random())
    for _, row in rows:
        while row.pieces.get(timeout=600).finish is None:
            pass
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=10)
    options = parser.parse_args()
    folder = chat_model(None, lambda *_: None)
    tokenizer = load_tokenizer(folder)
    runner = open_eager(folder, Placement(torch.device("cpu"), torch.float32, "asked for"))
    alone = Ours(runner, tokenizer, DEMO / "adapter", NO_REUSE)
    equal = tokens = 0
    for seed in range(options.schedules):
        together = Ours(runner, tokenizer, DEMO / "adapter", REUSE if seed % 2 else NO_REUSE)
        rows = schedule(seed, together, tokenizer)
        together.decoder.close()
        for asked, row in rows:
            (again,) = alone.answer([asked.row(tokenizer)])
            said, expected = row.generated, again.generated[: len(row.generated)]
            equal += sum(one == other for one, other in zip(said, expected, strict=True))
            tokens += len(said)
        print(f"schedule {seed}: {equal} of {tokens} tokens equal so far", flush=True)


if __name__ == "__main__":
    main()
