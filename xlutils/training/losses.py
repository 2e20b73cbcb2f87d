"""Losses that pull translations together, computed from embeddings.

The two published ones are those of Hong et al. (*Improving Semantic Proximity in Information Retrieval through
Cross-Lingual Alignment*): a Jensen-Shannon term between the two passages of a triple, and InfoNCE between the
passage in the other language and the English question. InfoNCE between the two passages is their ablation. Distillation
is that of Reimers and Gurevych (2020). The triplet loss and mixup lead from a passage in the other language to the
question, too.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax, normalize
from torch.utils.checkpoint import checkpoint

from xlutils.errors import XlError
from xlutils.models.adapters import use_adapter
from xlutils.training import PARTS
from xlutils.training.further_losses import mixup, other_languages, triplet
from xlutils.training.recipe import Recipe

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

EPSILON = 1e-8  # added under the root, whose slope at 0 is infinite
_SMALLEST = 1e-8  # divergences below it are mostly rounding errors of float32


def jensen_shannon(a: Tensor, b: Tensor, epsilon: float = EPSILON, *, outside: bool = False) -> Tensor:
    """Return the root of the Jensen-Shannon divergence between rows, [n, dim], read by softmax as distributions.

    :param epsilon: Small number that is added.
    :param outside: Whether it is added to the root, as the paper prints it, instead of under it. Then the slope of the
        root is infinite at 0, so that the smallest divergences are lifted to a constant, which has no gradient.
    :return: The root of (divergence in nats + epsilon), or root + epsilon, float32 [n]; at most about the root of ln 2.
    """
    with torch.autocast(a.device.type, enabled=False):
        p, q = log_softmax(a.float(), dim=1), log_softmax(b.float(), dim=1)
        middle = torch.logaddexp(p, q) - math.log(2)
        from_p = kl_div(middle, p, log_target=True, reduction="none").sum(dim=1)
        from_q = kl_div(middle, q, log_target=True, reduction="none").sum(dim=1)
        divergence = (from_p + from_q) / 2
        if outside:
            return torch.sqrt(divergence.clamp_min(_SMALLEST)) + epsilon
        return torch.sqrt(divergence.clamp_min(0) + epsilon)  # rounding can fall below 0


def info_nce(
    anchors: Tensor, candidates: Tensor, temperature: float, same: Tensor | None = None, first: int = 0
) -> Tensor:
    """Return the mean cross-entropy of finding each anchor's gold candidate in the batch by cosine, float32.

    :param candidates: [m, dim]; row first + i is the gold candidate of anchor i of n.
    :param temperature: Cosines are divided by it.
    :param same: True where a candidate is right for an anchor and so is not a negative, bool [n, m].
    :param first: Row at which this device's candidates start among those of all devices.
    """
    with torch.autocast(anchors.device.type, enabled=False):
        scores = normalize(anchors.float(), dim=1) @ normalize(candidates.float(), dim=1).T / temperature
        gold = torch.arange(len(anchors), device=scores.device) + first
        if same is not None:
            others = same.scatter(1, gold[:, None], value=False)
            scores = scores.masked_fill(others, -torch.inf)
        return cross_entropy(scores, gold)


def distillation(vectors: Tensor, goals: Tensor) -> Tensor:
    """Return the mean squared distance of rows from where a teacher has them, [n, dim] each, float32."""
    return (vectors.float() - goals.float()).square().sum(dim=1).mean()


class AlignmentLoss(nn.Module):
    """One or more of the losses, for `SentenceTransformerTrainer`, on (query_en, passage_en, passage_tgt).

    Each text passes through the model once per step. A column `label` holds two numbers for each row: rows that share
    a question or an English passage have the same first number and are not each other's negatives; the second is that
    of the row's language. Without it, all rows differ.

    The part "keep" holds each English text where it was before training, and a translation one step of its language
    away from where it was. The part "distil" brings each English text to where the teacher has it, and a translation to
    where the teacher has the English passage.

    :param model: The model. Without a last layer that scales vectors to unit length, the Jensen-Shannon term
        also sees their lengths.
    :param recipe: Which losses, and their temperature, weights and epsilon; the trainer adds the values of the losses.
    :param micro_tokens: Largest number of tokens in one pass, padding included; None for no limit. See `embed`.
    :param gather: Whether the candidates on all devices are negatives for every device.
    :param steps: Vector from each language to English, float32 [languages, dim], for "keep".
    :param tasks: Adapter of the model for each column; None for none.
    :param teacher: Model whose vectors "distil" learns, with the tokenizer of the model.
    """

    steps: Tensor

    def __init__(
        self,
        model: SentenceTransformer,
        recipe: Recipe,
        micro_tokens: int | None = None,
        gather: bool = False,
        steps: Tensor | None = None,
        tasks: Sequence[str | None] = (None, None, None),
        teacher: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if "distil" in recipe.losses and teacher is None:
            raise XlError("losses: distil needs a teacher; see train_student in xlutils.training.students")
        if not recipe.losses or recipe.temperature <= 0:
            raise XlError(f"losses: name at least one of {', '.join(PARTS)}, with a temperature above 0")
        self.model = model
        self.recipe = recipe
        self.weights = {"jsd": recipe.jsd_weight, "keep": recipe.keep_weight}
        is_kept = "keep" in recipe.losses
        self.before = [_frozen_copy(model)] if is_kept else []  # in a list, torch does not see its weights
        self.teacher = [teacher]
        self.micro_tokens = micro_tokens
        self.gather = gather
        self.tasks = tuple(tasks)
        self.register_buffer("steps", steps, persistent=False)

    def forward(
        self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return the value of each part; the trainer adds them up and logs them."""
        columns = list(sentence_features)
        if len(columns) != 3:
            raise XlError(f"the alignment loss needs query_en, passage_en and passage_tgt, got {len(columns)} columns")
        vectors = self._embed(self.model, columns)
        values = {part: self._value(part, columns, vectors, labels) for part in self.recipe.losses}
        return {part: self.weights.get(part, 1.0) * value for part, value in values.items()}

    def _embed(self, model: nn.Module, columns: list[dict[str, Tensor]]) -> list[Tensor]:
        tasks = zip(columns, self.tasks, strict=True)
        return [embed(model, features, self.micro_tokens, task) for features, task in tasks]

    def _value(
        self, part: str, columns: list[dict[str, Tensor]], vectors: list[Tensor], labels: Tensor | None
    ) -> Tensor:
        queries, passages, others = vectors
        if part == "jsd":
            recipe, pair = self.recipe, (passages, others)
            one, other = (normalize(side.float(), dim=1) for side in pair) if recipe.normalised else pair
            return jensen_shannon(one, other, recipe.epsilon, outside=recipe.epsilon_outside).mean()
        if part == "keep":
            return self._drift(columns, vectors, labels)
        if part == "distil":
            with torch.no_grad():
                goals = [embed(self.teacher[0], features, self.micro_tokens) for features in columns[:2]]
            return distillation(torch.cat(vectors), torch.cat([*goals, goals[1]]))
        same = None if labels is None else labels[:, :1] == labels[:, 0]
        if part == "triplet":
            return triplet(others, queries, self.recipe.margin, same)
        if part == "mixup":
            partners = other_languages(torch.zeros(len(others)) if labels is None else labels[:, 1]).to(others.device)
            return mixup(others, queries, partners, float(torch.rand(1)), self.recipe.temperature, same)
        return self._info_nce(others, queries if part == "nce" else passages, labels)

    def _drift(self, columns: list[dict[str, Tensor]], vectors: list[Tensor], labels: Tensor) -> Tensor:
        """Return the mean distance of the texts from where they belong."""
        with torch.no_grad():
            before = self._embed(self.before[0], columns)
        before[2] = before[2] + self.steps[labels[:, 1]]
        return jensen_shannon(torch.cat(vectors), torch.cat(before)).mean()

    def _info_nce(self, anchors: Tensor, candidates: Tensor, labels: Tensor | None) -> Tensor:
        first, same = 0, None
        if self.gather:
            from sentence_transformers.util import all_gather, all_gather_with_grad, get_rank

            first, candidates = get_rank() * len(anchors), all_gather_with_grad(candidates)
        if labels is not None:
            everywhere = all_gather(labels) if self.gather else labels
            same = labels[:, :1] == everywhere[:, 0]
        return info_nce(anchors, candidates, self.recipe.temperature, same, first)


def _frozen_copy(model: SentenceTransformer) -> nn.Module:
    """Return a copy of a model that is never trained; weights that are frozen already are shared, not copied."""
    shared = {id(parameter): parameter for parameter in model.parameters() if not parameter.requires_grad}
    return copy.deepcopy(model, shared).eval().requires_grad_(False)


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
