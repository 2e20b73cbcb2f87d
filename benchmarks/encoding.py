"""Encoding on a CPU in fewer bits: how much faster than `SentenceTransformer.encode`, and what it changes.

The texts are the passages of XQuAD if they are in `$XL_DATA`, or else those that ship with the package.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from common import Line, compare, cpu_features, in_turn, run
from sentence_transformers import SentenceTransformer

from xlutils import load_model
from xlutils.datasets import load_lexicon, load_parallel
from xlutils.datasets.files import local_folder
from xlutils.metrics.affinity import semantic_affinity
from xlutils.metrics.ranking import gold_ranks, max_at_r
from xlutils.models import Encoder
from xlutils.models.e5_q4 import model_folder

MODEL = "multilingual-e5-small-q4"
PEER = "SentenceTransformer.encode(batch_size=32)"
PAIR = ("en", "zh")


def measure() -> list[Line]:
    """Encode the passages of each language with every variant and with the peer in turn."""
    name = "xquad" if local_folder("xquad") else "mini"
    passages = load_parallel(name, ["en", "ar", "de", "es", "th", "zh"]).passages
    what = f"{sum(map(len, passages.values())):,} passages of {name} in {len(passages)} languages, E5-small"
    peer = SentenceTransformer(str(model_folder()[0]), device="cpu")
    plainly = partial(peer.encode, prompt="passage: ", batch_size=32, normalize_embeddings=True)
    exact = plainly(list(passages["zh"]))
    dtypes = ["float32", "int8"]
    if "BF16" in cpu_features():  # without it, bfloat16 takes hours
        dtypes.append("bfloat16")
    lines = []
    for dtype in dtypes:
        encoder = load_model(MODEL, dtype=dtype, cached=False)
        vectors = encoder.encode(passages["zh"], role="passage")  # also starts threads and kernels
        pairs = [
            pair
            for texts in map(list, passages.values())
            for pair in in_turn(partial(encoder.encode, texts), partial(plainly, texts), 1)
        ]
        note = f"lowest cosine to plain, in Chinese, {np.vecdot(vectors, exact).min():.5f}; {fidelity(encoder)}"
        lines.append(compare("Encoding", f"{what}, {dtype}", PEER, pairs, note=note))
    return lines


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
    run("encoding", measure, ["onnxruntime"])
