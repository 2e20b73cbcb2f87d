"""From vectors to metrics: exact counting against a sort and the evaluation libraries ranx and ir_measures.

python benchmarks/evaluation.py
"""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path

import ir_measures
import numpy as np
from common import Line, in_turn, run, times_as_fast

from xlutils.metrics.ranking import gold_ranks, mrr, ndcg_at_1

AREA = "Evaluation"
Judgements = dict[str, dict[str, int]]
Found = dict[str, dict[str, float]]
QUERIES, DOCUMENTS, DIM = 1_190, 480, 384  # the size of XQuAD in two languages
DEPTH = 100  # places that the libraries are given; ours ranks all


def make_pool() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make queries that lie near their documents: float32 [q, dim], [n, dim], and int [q]."""
    rng = np.random.default_rng(0)
    documents = rng.standard_normal((DOCUMENTS, DIM)).astype(np.float32)
    gold = rng.integers(DOCUMENTS, size=QUERIES)
    queries = documents[gold] + 2.5 * rng.standard_normal((QUERIES, DIM)).astype(np.float32)
    queries, documents = (array / np.linalg.norm(array, axis=1, keepdims=True) for array in (queries, documents))
    return queries, documents, gold


def ours(queries: np.ndarray, documents: np.ndarray, gold: np.ndarray) -> tuple[float, float]:
    """Count."""
    ranks = gold_ranks(queries, documents, gold)
    return float(ndcg_at_1(ranks).mean()), float(mrr(ranks).mean())


def tables(queries: np.ndarray, documents: np.ndarray, gold: np.ndarray) -> tuple[Judgements, Found]:
    """Score, sort, and write judgements and a run in the form that the libraries read."""
    scores = queries @ documents.T
    order = np.argsort(-scores, axis=1)[:, :DEPTH]
    judgements = {f"q{row}": {f"d{document}": 1} for row, document in enumerate(gold)}
    found = {
        f"q{row}": {f"d{place}": float(scores[row, place]) for place in places} for row, places in enumerate(order)
    }
    return judgements, found


def by_ranx(queries: np.ndarray, documents: np.ndarray, gold: np.ndarray) -> tuple[float, float]:
    """Evaluate with ranx."""
    from ranx import Qrels, Run, evaluate

    judgements, found = tables(queries, documents, gold)
    values = evaluate(Qrels(judgements), Run(found), ["ndcg@1", "mrr"])
    return float(values["ndcg@1"]), float(values["mrr"])


def by_ir_measures(queries: np.ndarray, documents: np.ndarray, gold: np.ndarray) -> tuple[float, float]:
    """Evaluate with ir_measures."""
    judgements, found = tables(queries, documents, gold)
    values = ir_measures.calc_aggregate([ir_measures.nDCG @ 1, ir_measures.RR], judgements, found)
    return float(values[ir_measures.nDCG @ 1]), float(values[ir_measures.RR])


def measure() -> list[Line]:
    """Measure against both libraries."""
    pool, lines = make_pool(), []
    expected = ours(*pool)
    for name, theirs in (("ranx", by_ranx), ("ir_measures", by_ir_measures)):
        with warnings.catch_warnings(), Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            warnings.simplefilter("ignore")
            with contextlib.redirect_stdout(nowhere):
                apart = np.abs(np.subtract(theirs(*pool), expected))  # and what is compiled is compiled now
                pairs = in_turn(lambda: ours(*pool), lambda theirs=theirs: theirs(*pool), 5)  # type: ignore[misc]
        note = f"NDCG@1 differs by {apart[0]:.0g}, MRR by {apart[1]:.0g}; {name} ranks the first {DEPTH}, ours all"
        lines.append(times_as_fast(AREA, f"{QUERIES:,} queries, {DOCUMENTS} documents", name, pairs, note=note))
    return lines


if __name__ == "__main__":
    run(measure, __doc__)
