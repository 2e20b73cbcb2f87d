"""Chapter 3: what the published tables of mixed-language retrieval must have measured.

Mean rank and norm are printed side by side, so the size of the pool and the order of averaging can be worked
out from the tables alone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from xlutils.metrics.ranking import norm_of_log

GOLDS = 2  # one in each language
SLACK = 0.02  # what rounding of both printed numbers can do
QUESTIONS = {"xquad": 1190, "belebele": 900}
PASSAGES = {"xquad": 240, "belebele": 488}


def norm_of_mean(mean_rank: pd.Series, pool_size: int | pd.Series) -> pd.Series:
    """Put a mean Max@R on the logarithmic scale from 0 to 100."""
    return pd.Series(norm_of_log(np.log2(mean_rank), np.asarray(pool_size), GOLDS), mean_rank.index)


def pool_candidates(reported: pd.DataFrame) -> pd.DataFrame:
    """Count for several sizes of the pool how many printed norms are the norm of the printed mean rank.

    :param reported: The reported table "mixed-retrieval".
    :return: A row a dataset and size: dataset, pool, documents, agree, cells.
    """
    rows = []
    for dataset, table in reported.groupby("dataset", sort=False):
        name = str(dataset)
        sizes = {
            "each passage once": 2 * PASSAGES[name],
            "a copy for each question": 2 * QUESTIONS[name],
            "a copy for each question, one language": QUESTIONS[name],
        }
        best = best_size(table)
        for pool, size in {**sizes, "the size that fits best": best}.items():
            agree = int(_agrees(table, size).sum())
            rows.append((name, pool, size, agree, len(table)))
    return pd.DataFrame(rows, columns=["dataset", "pool", "documents", "agree", "cells"])


def best_size(table: pd.DataFrame, largest: int = 5000) -> int:
    """Find the size of the pool with which most printed norms agree, the closest one among equals."""
    sizes = np.arange(GOLDS + 1, largest)
    ranks, printed = (table[name].to_numpy(float) for name in ("max@r", "max@r_norm"))
    distance = np.abs(norm_of_log(np.log2(ranks), sizes[:, None], GOLDS) - printed)  # [sizes, cells]
    agree, median = (distance <= SLACK).sum(axis=1), np.median(distance, axis=1)
    return int(sizes[np.lexsort((median, -agree))[0]])


def disagreeing_cells(reported: pd.DataFrame) -> pd.DataFrame:
    """List the cells whose norm is not that of the printed mean rank in a pool with a copy for each question.

    :param reported: The reported table "mixed-retrieval".
    :return: The rows with the norm that follows from the mean rank, and how far the printed one lies from it.
    """
    sizes = 2 * reported["dataset"].map(QUESTIONS)
    follows = norm_of_mean(reported["max@r"], sizes)
    off = reported["max@r_norm"] - follows
    table = reported.assign(follows=follows.round(2), off=off.round(3))[off.abs() > SLACK]
    return table.sort_values("off", key=lambda off: -off.abs(), kind="stable")


def copied_cells(reported: pd.DataFrame) -> pd.DataFrame:
    """List cells of different models with the same mean rank and norm: one of them was copied, or chance was kind.

    :param reported: The reported table "mixed-retrieval".
    """
    keys = ["dataset", "target", "query", "trained", "max@r", "max@r_norm"]
    models = reported.groupby(keys)["model"].transform("nunique")
    return reported[models > 1].sort_values([*keys, "model"])


def impossible_cells(reported: pd.DataFrame, k: int = 10) -> pd.DataFrame:
    """List cells whose Complete@K cannot go with their mean rank.

    A question that is not complete among the first K stands at K + 1 or later, the others at 2 or later: that
    bounds the mean rank from below.

    :param reported: The reported table "mixed-retrieval".
    :param k: Places that Complete@K looks at.
    """
    share = reported[f"complete@{k}"] / 100
    least = GOLDS * share + (k + 1) * (1 - share)
    return reported.assign(least=least.round(2))[reported["max@r"] < least - SLACK]


def mono_ceilings(mono: pd.DataFrame) -> pd.DataFrame:
    """Hold printed NDCG@1 against the most that is possible with one gold among its identical copies.

    However ties are broken, one of t copies stands first for one question in t; so over all questions no more
    than passages / questions can be right.

    :param mono: The reported table "mono-retrieval".
    """
    rows = []
    for dataset, table in mono.groupby("dataset", sort=False):
        ceiling = 100 * PASSAGES[str(dataset)] / QUESTIONS[str(dataset)]
        above = int((table["ndcg@1"] > ceiling).sum())
        rows.append((dataset, round(ceiling, 1), table["ndcg@1"].min(), table["ndcg@1"].max(), above, len(table)))
    return pd.DataFrame(rows, columns=["dataset", "most possible", "lowest printed", "highest printed",
                                       "cells above", "cells"])  # fmt: skip


def _agrees(table: pd.DataFrame, size: int) -> pd.Series:
    return (norm_of_mean(table["max@r"], size) - table["max@r_norm"]).abs() <= SLACK
