"""From vectors to metrics: exact counting against a sort and the evaluation library ir_measures."""

from __future__ import annotations

import ir_measures
import numpy as np
from common import Line, compare, in_turn, run, unit_vectors
from ir_measures import RR, nDCG

from xlutils.metrics.ranking import gold_ranks, mrr, ndcg_at_1

QUERIES, DOCUMENTS, DIM = 1_190, 480, 384  # the size of XQuAD in two languages
NOISE = 2.5  # length of what is added to a document to make its query
DEPTH = 100  # places that the library is given; ours ranks all


def count(queries: np.ndarray, documents: np.ndarray, gold: np.ndarray) -> tuple[float, float]:
    """Return NDCG@1 and MRR by counting."""
    ranks = gold_ranks(queries, documents, gold)
    return float(ndcg_at_1(ranks).mean()), float(mrr(ranks).mean())


def sort_and_evaluate(queries: np.ndarray, documents: np.ndarray, gold: np.ndarray) -> tuple[float, float]:
    """Return the same with ir_measures: score, sort, and write judgements and a run in the form that it reads."""
    scores = queries @ documents.T
    order = np.argsort(-scores, axis=1)[:, :DEPTH]
    judgements = {f"q{row}": {f"d{document}": 1} for row, document in enumerate(gold)}
    found = {
        f"q{row}": {f"d{place}": float(scores[row, place]) for place in places} for row, places in enumerate(order)
    }
    values = ir_measures.calc_aggregate([nDCG @ 1, RR], judgements, found)
    return float(values[nDCG @ 1]), float(values[RR])


def measure() -> list[Line]:
    """Compare time and values."""
    rng = np.random.default_rng(0)
    documents, noise = unit_vectors(rng, DOCUMENTS, DIM), unit_vectors(rng, QUERIES, DIM)
    gold = rng.integers(DOCUMENTS, size=QUERIES)
    queries = documents[gold] + NOISE * noise
    pool = (queries / np.linalg.norm(queries, axis=1, keepdims=True), documents, gold)
    apart = np.abs(np.subtract(sort_and_evaluate(*pool), count(*pool)))
    pairs = in_turn(lambda: count(*pool), lambda: sort_and_evaluate(*pool), 5)
    what = f"{QUERIES:,} queries, {DOCUMENTS} documents"
    note = f"NDCG@1 differs by {apart[0]:.0g}, MRR by {apart[1]:.0g}; ir_measures ranks the first {DEPTH}, ours all"
    return [compare("Evaluation", what, "ir_measures", pairs, note=note)]


if __name__ == "__main__":
    run("evaluation", measure, ["ir_measures"])
