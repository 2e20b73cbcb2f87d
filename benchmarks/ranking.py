"""Exact ranks against the bare product and against a full search with FAISS."""

from __future__ import annotations

import faiss
import numpy as np
from common import Line, added_mib, compare, in_turn, run, timed, unit_vectors

from xlutils.metrics.blocks import blocks, in_threads, thread_count
from xlutils.metrics.ranking import gold_ranks, max_at_r

AREA = "Ranking"
QUERIES, DOCUMENTS, DIM = 2_000, 100_000, 384
BLOCK = 1024  # queries and documents in one product
ASKED = 100  # queries that FAISS is asked; its time is scaled to all


def multiply(queries: np.ndarray, documents: np.ndarray) -> None:
    """Multiply in the same blocks and threads and keep nothing: the least that any exact method must do."""

    def multiply_rows(rows: slice) -> None:
        for block in blocks(DOCUMENTS, BLOCK):
            np.matmul(documents[block], queries[rows].T)

    per_thread = -(-QUERIES // thread_count())
    in_threads(multiply_rows, blocks(QUERIES, min(per_thread, BLOCK)))


def measure() -> list[Line]:
    """Compare with the product and with FAISS."""
    rng = np.random.default_rng(0)
    queries, documents = unit_vectors(rng, QUERIES, DIM), unit_vectors(rng, DOCUMENTS, DIM)
    gold = rng.integers(DOCUMENTS, size=QUERIES)

    def ours() -> None:
        gold_ranks(queries, documents, gold)

    index = faiss.IndexFlatIP(DIM)
    index.add(documents)
    order = index.search(queries[:ASKED], DOCUMENTS)[1]
    places = np.argmax(order == gold[:ASKED, None], axis=1) + 1
    apart = np.abs(max_at_r(gold_ranks(queries[:ASKED], documents, gold[:ASKED])) - places).max()

    def search_all() -> float:
        return timed(lambda: index.search(queries[:ASKED], DOCUMENTS)) * QUERIES / ASKED

    products = in_turn(ours, lambda: multiply(queries, documents), 7)
    searches = [(timed(ours), search_all()) for _ in range(3)]
    added = added_mib(ours)
    what = f"{QUERIES:,} queries, {DOCUMENTS:,} documents"
    note = f"ranks differ by at most {apart:.1f}; FAISS was asked {ASKED} queries"
    return [
        compare(AREA, what, "the bare matrix product", products, is_limit=True, promise=1.5),
        Line(AREA, what, "1 GiB of memory", (added / 1024,), is_limit=True, promise=1, mib=added),
        compare(AREA, what, "faiss, IndexFlatIP.search(k=N)", searches, promise=15, note=note),
    ]


if __name__ == "__main__":
    run("ranking", measure)
