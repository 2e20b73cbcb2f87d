"""Encoding on a CPU in fewer bits: how much faster than `SentenceTransformer.encode`, and what it changes.

    python benchmarks/encoding.py

The texts are the passages of XQuAD if they are in `$XL_DATA`, or else those that ship with the package.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from common import Line, growth, in_own_process, peak_mib, run, timed, times_as_fast

from xlutils import load_model
from xlutils.datasets import load_lexicon, load_parallel
from xlutils.datasets.files import local_folder
from xlutils.metrics.affinity import semantic_affinity
from xlutils.metrics.ranking import gold_ranks, max_at_r
from xlutils.models import Encoder
from xlutils.models.e5_q4 import model_folder
from xlutils.models.sentence_transformer import quiet

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

AREA = "Encoding"
MODEL, PROMPT = "multilingual-e5-small-q4", "passage: "
PEER = "SentenceTransformer.encode(batch_size=32)"
PROMISES = {"float32": None, "bfloat16": 1.5, "int8": None}
PAIR = ("en", "zh")
LANGUAGES = {
    "xquad": ("en", "ar", "de", "es", "th", "vi", "zh"),
    "mini": ("en", "ar", "de", "es", "hi", "ru", "th", "zh"),
}


def passages() -> tuple[str, dict[str, list[str]]]:
    """Return the name of the data set and the passages of each language."""
    name = "xquad" if local_folder("xquad") else "mini"
    data = load_parallel(name, LANGUAGES[name])
    return name, {code: list(texts) for code, texts in data.passages.items()}


def measure() -> list[Line]:
    """Encode each language with every variant in turn."""
    # Peaks of memory come first: a child process starts with the peak of its parent
    alone = {variant: in_own_process(__file__, variant) for variant in ("plain", *PROMISES)}
    name, texts = passages()
    plain = load_plain()
    encoders = {dtype: load_model(MODEL, dtype=dtype, cached=False) for dtype in PROMISES}
    pairs: dict[str, list[tuple[float, float]]] = {dtype: [] for dtype in PROMISES}
    cosines: dict[str, list[float]] = {dtype: [] for dtype in PROMISES}
    for encoder in encoders.values():
        encoder.encode(texts["en"][:8])  # start threads and kernels
    for language_texts in texts.values():
        started = time.perf_counter()
        expected = encode_plainly(plain, language_texts)
        peer_seconds = time.perf_counter() - started
        for dtype, encoder in encoders.items():
            started = time.perf_counter()
            vectors = encoder.encode(language_texts)
            pairs[dtype].append((time.perf_counter() - started, peer_seconds))
            cosines[dtype].append(float((vectors * expected).sum(axis=1).min()))
    count = sum(map(len, texts.values()))
    label = f"{count:,} passages of {name} in {len(texts)} languages, E5-small"
    lines = []
    for dtype, promise in PROMISES.items():
        rates = [len(batch) / seconds for batch, (seconds, _) in zip(texts.values(), pairs[dtype], strict=True)]
        note = (
            f"{statistics.median(rates):.0f} passages a second; lowest cosine to plain {min(cosines[dtype]):.5f}; "
            f"{fidelity(encoders[dtype])}; time grows as passages^{alone[dtype]['growth']:.2f}; the process takes "
            f"{alone[dtype]['mib']:,.0f} MiB, {alone['plain']['mib']:,.0f} with the peer"
        )
        lines.append(times_as_fast(AREA, f"{label}, {dtype}", PEER, pairs[dtype], promise, note=note))
    return lines


def load_plain() -> SentenceTransformer:
    """Load the model as the documentation of sentence-transformers does."""
    from sentence_transformers import SentenceTransformer

    with quiet():
        return SentenceTransformer(str(model_folder()[0]), device="cpu")


def encode_plainly(model: SentenceTransformer, texts: list[str]) -> np.ndarray:
    """Encode as one does without this package: float32 [n, dim]."""
    return np.asarray(model.encode(texts, prompt=PROMPT, batch_size=32, normalize_embeddings=True))


def run_alone(variant: str) -> dict[str, float]:
    """Encode a quarter, half and all passages of two languages: growth of time, and peak memory of this process.

    :param variant: "plain" for the peer, or else a dtype.
    """
    languages = list(passages()[1].values())[:2]
    texts = [text for batch in languages for text in batch]
    if variant == "plain":
        encode = partial(encode_plainly, load_plain())
    else:
        encode = partial(load_model(MODEL, dtype=variant, cached=False).encode, role="passage")
    encode(texts[:8])
    parts = [texts[::4], texts[::2], texts]
    times = [timed(partial(encode, part)) for part in parts]
    return {"growth": growth([len(part) for part in parts], times), "mib": peak_mib()}


def fidelity(encoder: Encoder) -> str:
    """Return the scores that a model is used for: Semantic Affinity, and Max@R in a pool of two languages."""
    lexicon, data = load_lexicon("everyday", PAIR), load_parallel("mini", PAIR)
    spaces = {code: encoder.encode(lexicon.words(code), role="word") for code in PAIR}
    documents = np.concatenate([encoder.encode(data.passages[code], role="passage") for code in PAIR])
    queries = encoder.encode(data.queries["zh"], role="query")
    gold = np.stack([data.gold, data.gold + len(data.passages["en"])], axis=1)
    depth = max_at_r(gold_ranks(queries, documents, gold)).mean()
    return f"SA {semantic_affinity(spaces, lexicon).sa:.4f}, Max@R {depth:.2f} (everyday and mini, English and Chinese)"


if __name__ == "__main__":
    if "--variant" in sys.argv:
        print(json.dumps(run_alone(sys.argv[-1])))
    else:
        run(measure, __doc__)
