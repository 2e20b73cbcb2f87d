"""Chapter 4: what the losses see before anything is trained, and what cosine does not see after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from xlutils.datasets.triples import Triple
from xlutils.metrics.geometry import unit_rows
from xlutils.models.sentence_transformer import SentenceTransformerBackend
from xlutils.training.finetune import training_table, unscaled

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def raw_vectors(model: SentenceTransformer, texts: Sequence[str], role: str) -> np.ndarray:
    """Encode texts without scaling the vectors to unit length, as the losses see them: float32 [n, dim]."""
    backend = SentenceTransformerBackend(model, "float32")
    vectors = np.zeros((len(texts), backend.dim), np.float32)
    with unscaled(model):
        for places, some in backend.embed(texts, backend.prompts.get(role, ""), None):
            vectors[places] = some
    return vectors


def gradient_balance(
    model: SentenceTransformer, triples: Sequence[Triple], temperatures: Sequence[float]
) -> pd.DataFrame:
    """Measure how strongly each loss pulls at the passages in the other languages, on one batch.

    :param model: The model before training.
    :param triples: The batch.
    :param temperatures: Of InfoNCE.
    :return: A row a loss: its value, and the norm of its gradient with respect to those vectors.
    """
    import torch

    from xlutils.training.losses import info_nce, jensen_shannon

    queries, passages, others = (
        torch.from_numpy(raw_vectors(model, [getattr(row, name) for row in triples], role))
        for name, role in (("query_en", "query"), ("passage_en", "passage"), ("passage_tgt", "passage"))
    )
    labels = torch.tensor(training_table(triples)["label"])
    same = labels[:, None] == labels[None, :]
    others.requires_grad_()
    values = {"JSD": jensen_shannon(passages, others).mean()}
    values |= {f"InfoNCE, temperature {each:g}": info_nce(others, queries, each, same) for each in temperatures}
    rows = {}
    for name, value in values.items():
        (gradient,) = torch.autograd.grad(value, others)
        rows[name] = (value.item(), gradient.norm().item())
    return pd.DataFrame.from_dict(rows, orient="index", columns=["loss", "gradient"])


def translation_pairs(model: SentenceTransformer, english: Sequence[str], other: Sequence[str]) -> pd.DataFrame:
    """Compare passages with their translations, by angle, by distribution and by distance.

    :param model: The model.
    :param english: n passages.
    :param other: Their translations.
    :return: A row a pair: cosine, jsd (root of the Jensen-Shannon divergence of the softmax) and distance.
    """
    import torch

    from xlutils.training.losses import jensen_shannon

    one, two = raw_vectors(model, english, "passage"), raw_vectors(model, other, "passage")
    return pd.DataFrame({
        "cosine": (unit_rows(one) * unit_rows(two)).sum(axis=1),
        "jsd": jensen_shannon(torch.from_numpy(one), torch.from_numpy(two)).numpy(),
        "distance": np.linalg.norm(one - two, axis=1),
    })  # fmt: skip


def same_cosine(one: pd.DataFrame, other: pd.DataFrame, tolerance: float = 0.002) -> tuple[int, int] | None:
    """Find a pair of each model, alike in cosine, that differ most in their distributions.

    :param one: What `translation_pairs` found for a model.
    :param other: The same for another model.
    :param tolerance: Largest difference of the cosines.
    :return: Row in each; None where no two pairs are so alike.
    """
    apart = np.abs(np.subtract.outer(one["cosine"].to_numpy(), other["cosine"].to_numpy()))
    gap = np.abs(np.subtract.outer(one["jsd"].to_numpy(), other["jsd"].to_numpy()))
    gap[apart > tolerance] = -1
    row, column = np.unravel_index(gap.argmax(), gap.shape)
    return None if gap[row, column] < 0 else (int(row), int(column))
