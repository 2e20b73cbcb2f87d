"""Long batches in a small memory: texts go through the model piece by piece, with the same gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from xlutils.models.adapters import use_adapter


def embed(model: nn.Module, features: dict[str, Tensor], micro_tokens: int | None, task: str | None = None) -> Tensor:
    """Return the vectors of n texts, [n, dim], with gradients.

    Texts of similar length form a piece. The activations of a piece are dropped after the forward pass and computed
    again when its gradients are due, so memory holds one piece at a time.

    :param model: A SentenceTransformer. One that is wrapped for several devices gets its share of the batch whole,
        because the wrapper must see exactly one call per pass.
    :param features: Tokens of the texts.
    :param micro_tokens: Largest number of tokens in a piece, padding included; None for a single piece.
    :param task: Adapter to use; None for none.
    """
    mask = features.get("attention_mask")
    if micro_tokens is None or mask is None or mask.numel() <= micro_tokens or hasattr(model, "module"):
        return _vectors(model, features, task)
    order = mask.sum(dim=1).argsort(descending=True)
    lengths = mask.sum(dim=1)[order].tolist()
    if not bool(mask[:, 0].all()):  # padded on the left, where nothing can be cut off
        lengths = [mask.shape[1]] * len(mask)
    vectors, start = [], 0
    while start < len(order):
        rows = order[start : start + max(micro_tokens // max(lengths[start], 1), 1)]
        piece = {name: _cut(value, mask, rows, lengths[start]) for name, value in features.items()}
        vectors.append(checkpoint(_vectors, model, piece, task, use_reentrant=False))
        start += len(rows)
    return torch.cat(vectors)[order.argsort()]


def _cut(value: object, mask: Tensor, rows: Tensor, length: int) -> object:
    """Return some rows of one of the tokenizer's tables, without padding that none of them needs."""
    if not isinstance(value, Tensor) or not value.dim() or len(value) != len(mask):
        return value
    return value[rows, :length] if value.shape[:2] == mask.shape else value[rows]


def _vectors(model: nn.Module, features: dict[str, Tensor], task: str | None) -> Tensor:
    use_adapter(getattr(model, "module", model), task)  # here, because a piece passes again for its gradients
    vectors: Tensor = model(dict(features))["sentence_embedding"]
    return vectors
