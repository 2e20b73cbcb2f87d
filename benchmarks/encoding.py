"""Encoding on a processor in fewer bits: how much faster than `SentenceTransformer.encode`, and what it changes.

python benchmarks/encoding.py

The texts are the passages of XQuAD if it lies in `$XL_DATA`, else those that come with the book.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from common import Line, run, times_as_fast

from xlutils import load_model
from xlutils.datasets import load_lexicon, load_parallel
from xlutils.datasets.files import local_folder
from xlutils.metrics.affinity import semantic_affinity
from xlutils.metrics.ranking import gold_ranks, max_at_r
from xlutils.models import Encoder
from xlutils.models.e5_q4 import model_folder
from xlutils.models.sentence_transformer import quiet

AREA = "Encoding"
MODEL, PROMPT = "multilingual-e5-small-q4", "passage: "
PROMISES = {"float32": None, "bfloat16": 1.5, "int8": None}
XQUAD_LANGUAGES = ("en", "ar", "de", "es", "th", "vi", "zh")
PAIR = ("en", "zh")
LANGUAGES = {"xquad": XQUAD_LANGUAGES, "mini": ("en", "ar", "de", "es", "hi", "ru", "th", "zh")}


def passages() -> tuple[str, dict[str, list[str]]]:
    """Take the passages of each language."""
    name = "xquad" if local_folder("xquad") else "mini"
    data = load_parallel(name, LANGUAGES[name])
    return name, {code: list(texts) for code, texts in data.passages.items()}


def measure() -> list[Line]:
    """Encode each language with both, in turn."""
    from sentence_transformers import SentenceTransformer

    name, texts = passages()
    with quiet():
        plain = SentenceTransformer(str(model_folder()[0]), device="cpu")
    ours = {dtype: load_model(MODEL, dtype=dtype, cached=False) for dtype in PROMISES}
    pairs: dict[str, list[tuple[float, float]]] = {dtype: [] for dtype in ours}
    cosines: dict[str, list[float]] = {dtype: [] for dtype in ours}
    for encoder in ours.values():
        encoder.encode(texts["en"][:8])  # threads and kernels are there
    for some in texts.values():
        started = time.perf_counter()
        expected = plain.encode(some, prompt=PROMPT, batch_size=32, normalize_embeddings=True)
        theirs = time.perf_counter() - started
        for dtype, encoder in ours.items():
            started = time.perf_counter()
            found = encoder.encode(some, role="passage")
            pairs[dtype].append((time.perf_counter() - started, theirs))
            cosines[dtype].append(float(np.einsum("nd,nd->n", found, expected).min()))
    count = sum(map(len, texts.values()))
    what = f"{count:,} passages of {name} in {len(texts)} languages, E5-small"
    lines = []
    for dtype, promise in PROMISES.items():
        rate = statistics.median(len(some) / ours for some, (ours, _) in zip(texts.values(), pairs[dtype], strict=True))
        cosine = min(cosines[dtype])
        note = f"{rate:.0f} passages a second; lowest cosine to plain {cosine:.5f}; {fidelity(ours[dtype])}"
        peer = "SentenceTransformer.encode(batch_size=32)"
        lines.append(times_as_fast(AREA, f"{what}, {dtype}", peer, pairs[dtype], promise, note=note))
    return lines


def fidelity(encoder: Encoder) -> str:
    """Measure what a model is used for: Semantic Affinity, and Max@R in a pool of two languages."""
    lexicon, data = load_lexicon("everyday", PAIR), load_parallel("mini", PAIR)
    spaces = {code: encoder.encode(lexicon.words(code), role="word") for code in PAIR}
    documents = np.concatenate([encoder.encode(data.passages[code], role="passage") for code in PAIR])
    queries = encoder.encode(data.queries["zh"], role="query")
    gold = np.stack([data.gold, data.gold + len(data.passages["en"])], axis=1)
    depth = max_at_r(gold_ranks(queries, documents, gold)).mean()
    return f"SA {semantic_affinity(spaces, lexicon).sa:.4f}, Max@R {depth:.2f} (everyday and mini, English and Chinese)"


if __name__ == "__main__":
    run(measure, __doc__)
