"""Losses that pull translations together, computed from embeddings.

The recipe is that of Hong et al. (*Improving Semantic Proximity in Information Retrieval through Cross-Lingual
Alignment*): a Jensen-Shannon term between the two passages of a triple, and InfoNCE between the passage in the
other language and the English question. InfoNCE between the passages is their ablation.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, normalize
from torch.utils.checkpoint import checkpoint

from xlutils.errors import XlError, unknown
from xlutils.training import PARTS

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

EPSILON = 1e-8  # under the root, whose slope at 0 is infinite


def jensen_shannon(a: Tensor, b: Tensor, epsilon: float = EPSILON) -> Tensor:
    """Distance of two sets of vectors, each read by softmax as a distribution over its dimensions.

    :param a: [n, dim].
    :param b: [n, dim].
    :param epsilon: Keeps the gradient finite where the two are equal.
    :return: The root of (Jensen-Shannon divergence + epsilon), float32 [n]; about the root of ln 2 at most.
    """
    with torch.autocast(a.device.type, enabled=False):
        p, q = log_softmax(a.float(), dim=1), log_softmax(b.float(), dim=1)
        middle = torch.logaddexp(p, q) - math.log(2)
        from_p, from_q = (kl_div(middle, each, log_target=True, reduction="none").sum(dim=1) for each in (p, q))
        return torch.sqrt(((from_p + from_q) / 2).clamp_min(0) + epsilon)  # rounding can fall below 0


def info_nce(
    anchors: Tensor, candidates: Tensor, temperature: float, same: Tensor | None = None, first: int = 0
) -> Tensor:
    """Cross-entropy of finding each anchor's own candidate among all of the batch, by cosine.

    :param anchors: [n, dim].
    :param candidates: [m, dim]; the own one of anchor i is in row first + i.
    :param temperature: Cosines are divided by it.
    :param same: True where a candidate is right for an anchor, so that it is no negative, bool [n, m].
    :param first: Row at which this device's candidates start among those of all devices.
    :return: The mean, float32.
    """
    with torch.autocast(anchors.device.type, enabled=False):
        scores = normalize(anchors.float(), dim=1) @ normalize(candidates.float(), dim=1).T / temperature
        own = torch.arange(len(anchors), device=scores.device) + first
        if same is not None:
            others = same.scatter(1, own[:, None], value=False)
            scores = scores.masked_fill(others, -torch.inf)
        return cross_entropy(scores, own)


class AlignmentLoss(nn.Module):
    """One or more of the losses, for `SentenceTransformerTrainer`, on (query_en, passage_en, passage_tgt).

    Each text goes through the model once a step. With `micro_tokens` it does so in pieces whose activations are
    computed again when their gradients are due, so that memory holds one piece at a time; the gradients are
    the same. A column `label` tells which rows share a question or passage: these are no negatives. It may hold a
    second number, the language of the row.

    The part "keep" holds texts where the model had them at the start, but for one step that each language takes as
    a whole, if `steps` are given and the label names the language; else it holds the English texts alone.

    :param model: The model. The Jensen-Shannon term sees its vectors as they are: without a last layer that
        scales them to unit length, it sees more.
    :param parts: Some of `PARTS`; their values are added.
    :param temperature: Of InfoNCE.
    :param weights: Factors of the parts, 1 by default.
    :param micro_tokens: Most tokens, padding included, that go through the model at a time; None for all.
    :param gather: Whether candidates of all devices are negatives for each.
    :param steps: For each language the way from its vectors to the English ones, float32 [languages, dim].
    """

    steps: Tensor | None

    def __init__(
        self,
        model: SentenceTransformer,
        parts: Sequence[str] = ("jsd", "nce"),
        temperature: float = 1.0,
        weights: dict[str, float] | None = None,
        micro_tokens: int | None = None,
        gather: bool = False,
        steps: Tensor | None = None,
    ) -> None:
        super().__init__()
        if not parts or temperature <= 0:
            raise XlError(f"losses: name at least one of {', '.join(PARTS)}, with a temperature above 0")
        for part in parts:
            if part not in PARTS:
                raise unknown("loss", part, PARTS)
        self.model = model
        self.teacher = [copy_of(model)] if "keep" in parts else []  # a list, so that it is no part of what is trained
        self.parts = tuple(parts)
        self.temperature = temperature
        self.weights = weights or {}
        self.micro_tokens = micro_tokens
        self.gather = gather
        self.register_buffer("steps", steps, persistent=False)

    def forward(
        self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Compute each part; the trainer adds them up and logs each."""
        given = list(sentence_features)
        if len(given) != 3:
            raise XlError(f"the alignment loss needs query_en, passage_en and passage_tgt, got {len(given)} columns")
        queries, passages, others = (embed(self.model, features, self.micro_tokens) for features in given)
        found = self.from_embeddings(queries, passages, others, labels)
        if self.teacher:
            held = self._kept(given, (queries, passages, others), labels)
            found["keep"] = self.weights.get("keep", 1.0) * held
        return found

    def _kept(self, given: list[dict[str, Tensor]], now: Sequence[Tensor], labels: Tensor | None) -> Tensor:
        """Measure how far texts are from where they belong."""
        steps = None if self.steps is None or labels is None or labels.ndim == 1 else self.steps[labels[:, 1]]
        columns = 2 if steps is None else 3
        with torch.no_grad():
            were = [embed(self.teacher[0], features, self.micro_tokens) for features in given[:columns]]
        if steps is not None:
            were[2] = were[2] + steps
        return jensen_shannon(torch.cat(list(now[:columns])), torch.cat(were)).mean()

    def from_embeddings(
        self, queries: Tensor, passages: Tensor, others: Tensor, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Compute each part from vectors, [n, dim] each.

        :param queries: English questions.
        :param passages: English passages.
        :param others: The passages in the other languages.
        :param labels: Equal where rows share a question or passage, int [n] or the first column of [n, 2]; without
            it, all rows differ.
        """
        if labels is not None and labels.ndim == 2:
            labels = labels[:, 0]
        found = {}
        for part in self.parts:
            if part == "keep":
                continue  # compares with the model as it was, see `forward`
            if part == "jsd":
                value = jensen_shannon(passages, others).mean()
            else:
                candidates = queries if part == "nce" else passages
                value = info_nce(others, *self._negatives(candidates, labels))
            found[part] = self.weights.get(part, 1.0) * value
        return found

    def _negatives(self, candidates: Tensor, labels: Tensor | None) -> tuple[Tensor, float, Tensor | None, int]:
        count, first, everyone = len(candidates), 0, labels
        if self.gather:
            from sentence_transformers.util import all_gather, all_gather_with_grad, get_rank

            first = get_rank() * count
            candidates = all_gather_with_grad(candidates)
            everyone = None if labels is None else all_gather(labels)
        same = None if labels is None or everyone is None else labels[:, None] == everyone[None, :]
        return candidates, self.temperature, same, first

    def get_config_dict(self) -> dict[str, object]:
        """Describe itself for the model card."""
        return {"parts": self.parts, "temperature": self.temperature, "weights": self.weights}


def copy_of(model: SentenceTransformer) -> nn.Module:
    """Copy a model as it is now, never to be trained; the tables of token vectors are shared if they are frozen."""
    frozen = {id(each): each for each in model.parameters() if not each.requires_grad}
    return copy.deepcopy(model, frozen).eval().requires_grad_(False)


def embed(model: nn.Module, features: dict[str, Tensor], micro_tokens: int | None) -> Tensor:
    """Run texts through a model, in pieces of like length.

    :param model: A SentenceTransformer, or one wrapped for several devices.
    :param features: Tokens of n texts.
    :param micro_tokens: Most tokens of a piece, padding included; None for one piece.
    :return: Vectors [n, dim], with gradients.
    """
    if micro_tokens is None or "attention_mask" not in features:
        vectors: Tensor = model(features)["sentence_embedding"]
        return vectors
    inner = getattr(model, "module", model)
    if inner is model:
        return _in_pieces(inner.forward, features, micro_tokens)
    whole = inner.forward

    def pieces(given: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": _in_pieces(whole, given, micro_tokens)}

    inner.forward = pieces  # the wrapper must see one call, and no call when activations are computed again
    try:
        vectors = model(features)["sentence_embedding"]
    finally:
        del inner.forward
    return vectors


def _in_pieces(forward: Callable[..., dict[str, Tensor]], features: dict[str, Tensor], micro_tokens: int) -> Tensor:
    mask = features["attention_mask"]
    if mask.numel() <= micro_tokens:
        return _vectors(forward, features)
    sizes = mask.sum(dim=1)
    order = sizes.argsort(descending=True)
    padded_right = bool(mask[:, 0].all())
    lengths = sizes[order].tolist() if padded_right else [mask.shape[1]] * len(mask)
    parts, start = [], 0
    while start < len(order):
        rows = order[start : start + max(micro_tokens // max(lengths[start], 1), 1)]
        piece = {name: _cut(value, mask, rows, lengths[start]) for name, value in features.items()}
        parts.append(checkpoint(_vectors, forward, piece, use_reentrant=False))
        start += len(rows)
    return torch.cat(parts)[order.argsort()]


def _cut(value: object, mask: Tensor, rows: Tensor, length: int) -> object:
    """Take some rows of one of the tokenizer's tables, without the padding that none of them needs."""
    if not isinstance(value, Tensor) or not value.dim() or len(value) != len(mask):
        return value
    return value[rows, :length] if value.shape[:2] == mask.shape else value[rows]


def _vectors(forward: Callable[..., dict[str, Tensor]], features: dict[str, Tensor]) -> Tensor:
    return forward(dict(features))["sentence_embedding"]
