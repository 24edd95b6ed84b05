"""The loss of a batch, computed where it is learned and nowhere else.

Two savings that leave loss and gradients as they are: the vocabulary projection runs on the labelled
positions only, and tokens that all rows of a batch begin with (the brand's instructions) go through the model
once.
It knows tensors. It does not know conversations or a training's course.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import DynamicCache, PreTrainedModel

from assistant.training.labels import IGNORED

SHORTEST_PREFIX = 16
"""Tokens in common below which sharing them costs more than it saves."""
_HEAD_CHANGES = (
    "final_logit_softcapping",
    "logit_scale",
    "output_multiplier",
    "lm_head_multiplier",
    "logits_scaling",
)


def has_plain_head(model: PreTrainedModel) -> bool:
    """Whether the logits are the output embedding of the last hidden state and nothing more."""
    config = model.config.get_text_config()
    changed = any(getattr(config, name, None) not in (None, 1, 1.0) for name in _HEAD_CHANGES)
    return not changed and not getattr(config, "output_router_logits", False)


def labelled_loss(model: PreTrainedModel, inputs: dict[str, Tensor]) -> Tensor:
    """Sum of the cross entropy over the labelled positions, in float32.

    Args:
        model: a causal language model with a plain head (`has_plain_head`).
        inputs: input_ids and labels, each [rows, length], padded on the right, where causal attention
            never looks.
    """
    shared = _shared_length(inputs) if _can_share(model) else 0
    hidden = _hidden(model, inputs, shared)
    targets = inputs["labels"][:, shared + 1 :]
    learned = targets != IGNORED
    head: Any = model.get_output_embeddings()
    logits = head(hidden[:, :-1][learned])
    return functional.cross_entropy(logits.float(), targets[learned], reduction="sum")


def _hidden(model: PreTrainedModel, inputs: dict[str, Tensor], shared: int) -> Tensor:
    """Last hidden states [rows, length - shared, width]; the first `shared` tokens are computed once."""
    decoder: Any = model.base_model
    tokens = inputs["input_ids"]
    if not shared:
        return decoder(input_ids=tokens, use_cache=False).last_hidden_state
    cache = DynamicCache(config=model.config)
    decoder(input_ids=tokens[:1, :shared], past_key_values=cache, use_cache=True)
    cache.batch_repeat_interleave(len(tokens))
    return decoder(input_ids=tokens[:, shared:], past_key_values=cache, use_cache=True).last_hidden_state


def _can_share(model: PreTrainedModel) -> bool:
    """Whether all layers attend to everything before, so that keys and values are all the state there is."""
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ("full_attention",))
    return kinds == {"full_attention"} and not getattr(config, "sliding_window", None)


def _shared_length(inputs: dict[str, Tensor]) -> int:
    """How many first tokens all rows share before anything that is learned; 0 if too few to be worth it."""
    tokens, learned = inputs["input_ids"], inputs["labels"] != IGNORED
    if len(tokens) < 2:
        return 0
    common = int((tokens == tokens[0]).all(dim=0).long().cumprod(dim=0).sum())
    # The token before the first label predicts it, so it is computed in its own row. Padding comes later.
    first_label = int(learned.any(dim=0).long().argmax())
    shared = min(common, first_label - 1)
    return shared if shared >= SHORTEST_PREFIX else 0


def padded(rows: list[list[int]], value: int) -> Tensor:
    """Rows of token ids as one tensor [rows, longest], filled up on the right."""
    longest = max(map(len, rows))
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])
