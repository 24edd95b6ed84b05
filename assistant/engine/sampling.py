"""How the next token of each row is chosen: the likeliest, or drawn with the row's own randomness.

It knows logits and sampling settings. It knows nothing of text, slots or adapters.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from assistant.lanes import Sampling


class Chooser:
    """Chooses one row's tokens; the same seed chooses the same, whatever else is in the batch."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._random = torch.Generator().manual_seed(sampling.seed)

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is taken as the model has it."""
        return self._sampling.temperature <= 0 and self._sampling.repetition_penalty == 1.0

    def choose(self, logits: Tensor, said: Sequence[int]) -> int:
        """The next token from float32 logits [vocabulary], after the tokens said so far.

        Raises:
            RuntimeError: no token has a chance, such as when the logits are no numbers.
        """
        sampling, logits = self._sampling, logits.cpu()
        if sampling.repetition_penalty != 1.0 and said:
            logits = _penalised(logits, said, sampling.repetition_penalty)
        if sampling.temperature <= 0:
            return int(logits.argmax())
        if sampling.top_k:
            lowest = logits.topk(min(sampling.top_k, len(logits))).values[-1]
            logits = logits.masked_fill(logits < lowest, -torch.inf)
        chances, tokens = torch.softmax(logits / sampling.temperature, dim=-1).sort(descending=True)
        keep = chances.cumsum(0) - chances < sampling.top_p
        return int(tokens[torch.multinomial(chances * keep, 1, generator=self._random)])


def _penalised(logits: Tensor, said: Sequence[int], penalty: float) -> Tensor:
    """Logits with those of said tokens made less likely (Keskar et al. 2019, over what was generated)."""
    seen = torch.tensor(sorted(set(said)))
    values = logits[seen]
    return logits.index_copy(0, seen, torch.where(values > 0, values / penalty, values * penalty))


def likeliest(logits: Tensor) -> list[int | None]:
    """By row of logits [rows, vocabulary] the token of the highest; None where they are no numbers."""
    highest, tokens = logits.max(dim=-1)
    return [
        token if sound else None
        for token, sound in zip(tokens.tolist(), highest.isfinite().tolist(), strict=True)
    ]
