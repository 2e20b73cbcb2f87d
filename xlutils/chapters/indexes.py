"""Chapter 8: what indexes of FAISS find of the nearest names in all languages, and what they take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.atlas import copies, first_texts
from xlutils.chapters.atlas_values import encode_all
from xlutils.chapters.smaller import VARIANT, WANTED
from xlutils.datasets.lexicon import Lexicon
from xlutils.metrics.compression import RESCORED
from xlutils.metrics.neighbours import nearest
from xlutils.metrics.ranking import TOLERANCE
from xlutils.metrics.uncertainty import bootstrap_means
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table

EXACT, AGAIN = "exact", ", rescored with float32"
PRODUCT = "product quantiser"  # a byte for eight numbers: as many bytes as signs
KINDS = {EXACT: "Flat", "float16": "SQfp16", "int8": "SQ8", PRODUCT: "PQ{}", "graph": "HNSW32"}
RECALL = f"recall@{WANTED}"
_ASKED = 25  # names of each language
_CENTROIDS, _PER_CENTROID = 256, 39  # of a product quantiser, and the names that each is computed from


def study_indexes(encoder: Encoder, lexicon: Lexicon, seed: int = 42) -> Record:
    """Let names of each language search the names of all languages in indexes that were trained on other names.

    The metric is the share of the 10 nearest names that an index finds, in any language; "bytes" are those of the
    whole index for each name, and the timing has the seconds of all searches, on one thread.
    """
    texts, count = first_texts(lexicon), len(lexicon.concepts)
    copied = copies(texts)
    spaces = encode_all(encoder, {code: texts[code] for code in texts if code not in copied}, "word")
    is_tested = np.random.default_rng(seed).permutation(count) % 2 == 1
    known = {code: np.isfinite(space[:, 0]) for code, space in spaces.items()}
    trained = np.concatenate([space[known[code] & ~is_tested] for code, space in spaces.items()])
    pool = np.concatenate([space[known[code] & is_tested] for code, space in spaces.items()])
    language_of = np.repeat(list(spaces), [int((known[code] & is_tested).sum()) for code in spaces])
    shuffled = np.random.default_rng([seed, 1]).permutation(len(pool))
    asked = np.concatenate([shuffled[language_of[shuffled] == code][:_ASKED] for code in spaces])
    codes = list(dict.fromkeys(language_of[asked]))
    edge = nearest(pool[asked], pool, WANTED, own=asked)[0][:, -1:]
    rows, seconds = [], dict[str, float]()
    for state, size, places, took in _searched(trained, pool, asked):
        scores = np.einsum("qd,qkd->qk", pool[asked], pool[places], dtype=np.float64)
        shares = ((scores >= edge - TOLERANCE) & (places >= 0)).mean(axis=1)
        table = np.where(language_of[asked][:, None] == np.array(codes), shares[:, None], np.nan)
        low, high = bootstrap_means(table, seed)
        about = {"kind": "language", "language": codes, "metric": RECALL, "state": state}
        rows.append(pd.DataFrame({**about, "value": np.nanmean(table, axis=0), "low": low, "high": high}))
        rows.append(pd.DataFrame([{"kind": "all", "metric": "bytes", "state": state, "value": size}]))
        seconds[state] = round(took, 4)
    params = {"seed": seed, "pool": len(pool), "asked": len(asked), "copies": copied}
    described = describe_model(encoder), describe_dataset(lexicon, count)
    return Record("production", *described, params, metric_table(pd.concat(rows)), seconds, f"{VARIANT}-indexes")


def _searched(
    trained: np.ndarray, pool: np.ndarray, asked: NDArray[np.int64]
) -> Iterator[tuple[str, float, NDArray[np.int64], float]]:
    """Yield for each index: its name, bytes per document, what it finds besides the query, [q, k], and seconds."""
    import faiss
    from threadpoolctl import threadpool_limits

    dim = pool.shape[1]
    with threadpool_limits(1):  # a graph depends on the order in which documents join it
        for state, kind in KINDS.items():
            index: Any = faiss.index_factory(dim, kind.format(dim // 8), faiss.METRIC_INNER_PRODUCT)
            if state == PRODUCT:
                if dim % 8 or len(trained) < _CENTROIDS:
                    continue
                index.pq.cp.max_points_per_centroid = _PER_CENTROID  # the time of training grows with them
            index.train(trained)
            index.add(pool)
            size, started = len(faiss.serialize_index(index)) / len(pool), time.perf_counter()
            places = _others(index.search(pool[asked], WANTED + 1)[1], asked)
            yield state, size, places, time.perf_counter() - started
        for state, mean in (("binary", 0), ("binary, centred", trained.mean(axis=0))):
            signs, binary = np.packbits(pool > mean, axis=1), faiss.IndexBinaryFlat(dim)
            binary.add(signs)
            size, started = len(faiss.serialize_index_binary(binary)) / len(pool), time.perf_counter()
            near = _others(binary.search(signs[asked], RESCORED * WANTED + 1)[1], asked)
            yield state, size, near[:, :WANTED], time.perf_counter() - started
            scores = np.einsum("qd,qkd->qk", pool[asked], pool[near])
            best = np.take_along_axis(near, np.argsort(-scores, axis=1)[:, :WANTED], axis=1)
            yield f"{state}{AGAIN}", size + 4 * dim, best, time.perf_counter() - started


def _others(places: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the documents found besides the query; one that did not find itself drops the last one."""
    is_own = places == asked[:, None]
    is_own[~is_own.any(axis=1), -1] = True
    return np.asarray(places[~is_own].reshape(len(asked), -1), np.int64)
