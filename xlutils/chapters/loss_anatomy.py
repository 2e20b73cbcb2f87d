"""Chapter 4: what the losses see before anything is trained, and what cosine does not see after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from xlutils.datasets.triples import Triple
from xlutils.metrics.geometry import unit_rows
from xlutils.training.finetune import training_table
from xlutils.training.trainable import raw_vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


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
    labels = torch.tensor(training_table(triples)["label"])[:, 0]
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


def alike_pairs(
    models: Mapping[str, SentenceTransformer],
    clouds: Mapping[str, pd.DataFrame],
    texts: tuple[Sequence[str], Sequence[str]],
    tolerance: float = 0.002,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Find a pair of translations of each of two models, alike in cosine, that differ most in their distributions.

    :param models: Two models by name.
    :param clouds: By name, what `translation_pairs` found.
    :param texts: The passages and their translations.
    :param tolerance: Largest difference of the cosines.
    :return: By heading of a panel: the two vectors; nothing where no two pairs are so alike.
    """
    one, other = (clouds[name] for name in models)
    gap = np.abs(np.subtract.outer(one["jsd"].to_numpy(), other["jsd"].to_numpy()))
    gap[np.abs(np.subtract.outer(one["cosine"].to_numpy(), other["cosine"].to_numpy())) > tolerance] = -1
    if gap.max() < 0:
        return {}
    panels = {}
    for name, row in zip(models, np.unravel_index(gap.argmax(), gap.shape), strict=True):
        cosine, jsd = (float(clouds[name][column].iloc[row]) for column in ("cosine", "jsd"))
        first, second = (raw_vectors(models[name], [side[row]], "passage")[0] for side in texts)
        panels[f"{name}: cosine {cosine:.3f}, root of JSD {jsd:.4f}"] = first, second
    return panels
