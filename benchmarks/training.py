"""One training step of the alignment loss: time and memory against the naive step of two separate losses.

python benchmarks/training.py

Every variant runs in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from common import Line, in_own_process, peak_mib, run, times_as_fast
from torch import Tensor

from xlutils.datasets import load_parallel
from xlutils.training.losses import AlignmentLoss, info_nce, jensen_shannon
from xlutils.training.trainable import load_trainable

AREA = "One training step"
BATCH, TOKENS, STEPS = 32, 192, 2
TEMPERATURE = 0.05
SIZE = f"E5-small, {BATCH} triples of {TOKENS} tokens"
Features = list[dict[str, Tensor]]
VARIANTS = {
    "naive": "a pass for each loss, all weights, float32",
    "one-pass": "one pass for both losses, token vectors frozen",
    "pieces": "the same in pieces of 2,048 tokens",
    "pieces-bf16": "the same in bfloat16",
}
CHAPTER = "pieces-bf16"  # the variant of chapter 4


def texts() -> list[list[str]]:
    """Return questions and passages of at least 192 tokens, in English and Chinese."""
    data = load_parallel("mini", ["en", "zh"])
    columns = [list(data.queries["en"][:BATCH])]
    for language in ("en", "zh"):
        passages = data.passages[language]
        columns.append([" ".join(passages[(row + step) % 64] for step in range(6)) for row in range(BATCH)])
    return columns


def naive_losses(model: Any) -> Callable[[Features], Tensor]:
    """Return a function that runs a pass for each loss, as two losses in a trainer do."""

    def vectors(features: dict[str, Tensor]) -> Tensor:
        rows: Tensor = model(dict(features))["sentence_embedding"]
        return rows

    def step(columns: Features) -> Tensor:
        distance = jensen_shannon(vectors(columns[1]), vectors(columns[2])).mean()
        return distance + info_nce(vectors(columns[2]), vectors(columns[0]), TEMPERATURE)

    return step


def losses_of(name: str, model: Any) -> Callable[[Features], Tensor]:
    """Return the losses of a variant, with the model ready for them."""
    if name == "naive":
        model.train()
        return naive_losses(model)
    model.eval()  # no dropout
    model[0].model.get_input_embeddings().weight.requires_grad_(False)
    ours = AlignmentLoss(model, ("jsd", "nce"), TEMPERATURE, micro_tokens=None if name == "one-pass" else 2048)
    return lambda columns: torch.stack(list(ours(columns).values())).sum()


def run_variant(name: str) -> dict[str, Any]:
    """Return the seconds of each step of a variant, its peak of memory, and a sample of its gradient."""
    model: Any = load_trainable("multilingual-e5-small-q4", "cpu")
    model.max_seq_length = TOKENS
    loss = losses_of(name, model)
    columns: Features = [model.preprocess(column) for column in texts()]
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=0.0)
    times = []
    for _ in range(STEPS + 1):
        started = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=name.endswith("bf16")):
            value = loss(columns)
        value.backward()
        optimizer.step()
        times.append(time.perf_counter() - started)
    gradients = [weight.grad for weight in model[0].model.encoder.parameters() if weight.grad is not None]
    slope = torch.cat([gradient.flatten() for gradient in gradients])
    return {"times": times[1:], "mib": peak_mib(), "gradient": slope[:: max(len(slope) // 10_000, 1)].tolist()}


def measure() -> list[Line]:
    """Compare the step of chapter 4 with the naive one."""
    results = {name: in_own_process(__file__, name) for name in VARIANTS}
    naive = results["naive"]
    peer = f"the naive step: {VARIANTS['naive']}"
    lines = []
    for name in ("one-pass", "pieces", "pieces-bf16"):
        pairs = list(zip(results[name]["times"], naive["times"], strict=True))
        note = f"{SIZE}; the process takes {results[name]['mib']:,.0f} MiB at most"
        lines.append(times_as_fast(AREA, VARIANTS[name], peer, pairs, note=note))
    share = results[CHAPTER]["mib"] / 5120
    note = f"the naive step takes {naive['mib']:,.0f} MiB"
    lines.append(Line(AREA, SIZE, "5 GiB for the process", (share,), True, 1, note=note))
    whole, pieces = (torch.tensor(results[name]["gradient"]) for name in ("one-pass", "pieces"))
    error = ((whole - pieces).norm() / whole.norm()).item()
    note = f"relative error {error:.1e}"
    lines.append(
        Line(AREA, "gradients in pieces", "an error of 1e-5 to those in one pass", (error / 1e-5,), True, 1, note=note)
    )
    return lines


if __name__ == "__main__":
    if "--variant" in sys.argv:
        print(json.dumps(run_variant(sys.argv[-1])))
    else:
        run(measure, __doc__)
