"""Chapter 4: do translations that have the same cosine have the same distribution? Figure 1 of Hong et al."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from xlutils.chapters.claims import Claim, below, untestable
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import PIVOT
from xlutils.metrics.alignment import Floats
from xlutils.metrics.uncertainty import bootstrap_quantiles
from xlutils.training.trainable import raw_vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

QUESTIONS = 200  # that are compared with their translations
_CLAIM = "Same cosine, different distribution: JSD brings those nearer"
_SHOWN_BY = "divergence of translations after both losses, minus that after InfoNCE alone at the same cosine, below 0"


def translation_shapes(model: SentenceTransformer, data: ParallelQA, language: str) -> pd.DataFrame:
    """Compare questions with their translations, by the vectors that the losses see.

    :return: A row per question: cosine, jsd (the root of the divergence of Jensen and Shannon), and distance.
    """
    import torch

    from xlutils.training.losses import jensen_shannon

    one, two = (raw_vectors(model, data.queries[code][:QUESTIONS], "query") for code in (PIVOT, language))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return pd.DataFrame(
        {
            "cosine": (one * two).sum(axis=1) / lengths,
            "jsd": jensen_shannon(torch.from_numpy(one), torch.from_numpy(two)).numpy(),
            "distance": np.linalg.norm(one - two, axis=1),
        }
    )


def shapes_path(record: Path) -> Path:
    """Return the path of the comparisons that belong to a record of a training, under either protocol."""
    return record.with_name(f"{record.stem.rsplit('.', 1)[0]}.shapes.csv")


def read_shapes(records: Iterable[Path]) -> dict[str, pd.DataFrame]:
    """Read comparisons by name of the training, with a column `state`: before or after it."""
    found = {}
    for path in dict.fromkeys(map(shapes_path, records)):
        if path.exists():
            found[path.name.split(".", 1)[1].removesuffix(".shapes.csv")] = pd.read_csv(path)
    return found


def check_shapes(ours: pd.DataFrame | None, nce: pd.DataFrame | None, seed: int = 42) -> Claim:
    """Compare the divergence after both losses with a line through that after InfoNCE alone, at the same cosine.

    :param ours: The same questions as in `nce`, after a training with both losses; None if they were not compared.
    """
    if ours is None or nce is None:
        return untestable(_CLAIM, _SHOWN_BY, "records hold no vectors, and no comparison of this training")
    x, y = nce["cosine"].to_numpy(float), nce["jsd"].to_numpy(float)
    there, found = ours["cosine"].to_numpy(float), ours["jsd"].to_numpy(float)

    def excess(times: Floats) -> Floats:
        weights = times / times.sum(axis=-1, keepdims=True)
        centre = weights @ x
        slope = (weights @ (x * y) - centre * (weights @ y)) / (weights @ (x * x) - centre**2)
        return np.asarray(weights @ found - weights @ y - slope * (weights @ there - centre))

    low, high = bootstrap_quantiles(excess, len(x), (0.025, 0.975), seed=seed)
    claim = below(_CLAIM, _SHOWN_BY, [float(excess(np.ones((1, len(x))))[0]), float(low), float(high)], digits=4)
    return claim.because(f"the mean is {y.mean():.4f} after InfoNCE alone, {found.mean():.4f} after both")
