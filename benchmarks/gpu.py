"""Everything that a card can check, within ten minutes: its tests, encoding, training, and the recipe of the paper.

make gpu; XL_DATA=... make gpu also makes the recorded trainings of E5-small again: the losses of the paper on Debian's
triples in one language at a time, then more seeds of its method, as far as the time goes.
Peers run in the same process: `SentenceTransformer.encode`, and the naive training step of two separate losses.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from common import Line, compare, in_turn, run
from sentence_transformers import SentenceTransformer
from training import SIZE, Features, loss_of, make_columns

from xlutils import load_model
from xlutils.datasets import load_parallel
from xlutils.datasets.files import local_folder
from xlutils.models.e5_q4 import model_folder
from xlutils.training.trainable import load_trainable

MODEL = "multilingual-e5-small-q4"
ROOT = Path(__file__).resolve().parents[1]
SECONDS = 570  # for everything
TRAININGS = (  # options of book/train.py
    ("--losses", "jsd+nce,nce,jsd,nce-passage", "--train-languages", "de,es,ru,zh"),
    ("--losses", "jsd+nce", "--train-languages", "de,es,ru,zh", "--seeds", "43,44"),
)
REPEATS = 3
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def measure() -> list[Line]:
    """Compare encoding and training with their peers, in float32 and in bfloat16."""
    return [line for dtype in DTYPES for line in (encoding(dtype), training(dtype))]


def encoding(dtype: str) -> Line:
    """Compare the encoder with plain sentence-transformers of the same dtype."""
    name = "xquad" if local_folder("xquad") else "mini"
    texts = [text for passages in load_parallel(name, ["en", "zh", "ar"]).passages.values() for text in passages]
    encoder = load_model(MODEL, device="cuda", dtype=dtype, cached=False)
    options = {"dtype": DTYPES[dtype]}
    peer = SentenceTransformer(str(model_folder()[0]), device="cuda", model_kwargs=options)
    tokens = sum(map(len, peer.tokenizer(texts)["input_ids"]))
    ours = finished(partial(encoder.encode, texts))
    plain = finished(partial(peer.encode, texts, prompt="passage: ", batch_size=32, normalize_embeddings=True))
    what = f"{len(texts)} passages of {name}, E5-small, {dtype}"
    return _line(f"encoding {what}", "SentenceTransformer.encode(batch_size=32)", ours, plain, tokens)


def training(dtype: str) -> Line:
    """Compare one step of the alignment loss with the naive one."""
    columns = [{name: table.cuda() for name, table in column.items()} for column in make_columns()]
    steps = {}
    for variant in ("ours", "plain"):
        model = load_trainable(MODEL, "cuda")
        loss = loss_of(variant, model, micro_tokens=32_768)
        steps[variant] = finished(partial(_step, model, loss, columns, dtype))
    tokens = sum(column["input_ids"].numel() for column in columns)
    what = f"{SIZE}, {dtype}; token vectors frozen, no dropout"
    peer = "the naive step: a pass for each loss, all weights, dropout"
    return _line(f"a training step, {what}", peer, steps["ours"], steps["plain"], tokens)


def _step(model: torch.nn.Module, loss: Callable[[Features], torch.Tensor], columns: Features, dtype: str) -> None:
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=0.0)
    with torch.autocast("cuda", torch.bfloat16, enabled=dtype == "bfloat16"):
        value = loss(columns)
    value.backward()
    optimizer.step()
    optimizer.zero_grad()


def finished(work: Callable[[], object]) -> Callable[[], None]:
    """Return work that ends when the card has ended it."""

    def both() -> None:
        work()
        torch.cuda.synchronize()

    return both


def _line(what: str, peer: str, ours: Callable[[], None], plain: Callable[[], None], tokens: int) -> Line:
    peaks = []
    for work in (ours, plain):
        work()  # starts kernels
        torch.cuda.reset_peak_memory_stats()
        work()
        peaks.append(torch.cuda.max_memory_allocated() / (1 << 20))
    pairs = in_turn(ours, plain, REPEATS)
    speeds = [tokens / min(side) for side in zip(*pairs, strict=True)]
    note = f"{speeds[0]:,.0f} tokens per second and {peaks[0]:,.0f} MiB at most; "
    note += f"the peer {speeds[1]:,.0f} and {peaks[1]:,.0f} MiB"
    return compare("On an NVIDIA card", what, peer, pairs, note=note)


def main() -> int:
    """Run everything that the time allows; return 0 if nothing failed."""
    if not torch.cuda.is_available():
        print("no NVIDIA card here: skipped")
        return 0
    end = time.monotonic() + SECONDS
    tests = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "tests"]
    failed = subprocess.run(tests, cwd=ROOT, check=False).returncode
    run("gpu", measure)
    if local_folder("debian") and local_folder("xquad"):
        command = [sys.executable, "book/train.py", "--names", "paper", "--device", "cuda", "--into", "_build/records"]
        try:
            for options in TRAININGS:
                left = max(end - time.monotonic(), 1)
                trained = subprocess.run([*command, *options], cwd=ROOT, check=False, timeout=left)
                failed = failed or trained.returncode
        except subprocess.TimeoutExpired:
            print("the time is over; run it again for the trainings that are missing")
    return failed


if __name__ == "__main__":
    sys.exit(main())
