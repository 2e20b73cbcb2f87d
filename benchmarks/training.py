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
from common import Line, growth, in_own_process, peak_mib, run, times_as_fast
from torch import Tensor

from xlutils.datasets import load_parallel
from xlutils.training.losses import AlignmentLoss, info_nce, jensen_shannon
from xlutils.training.trainable import load_trainable

AREA = "One training step"
BATCH, TOKENS, STEPS = 32, 192, 2
SMALLER = (8, 16)  # batches, to see how time and memory grow
TEMPERATURE = 0.05
Features = list[dict[str, Tensor]]
VARIANTS = {
    "naive": "a pass for each loss, all weights, float32",
    "one-pass": "one pass for both losses, token vectors frozen",
    "pieces": "the same in pieces of 2,048 tokens",
    "pieces-bf16": "the same in bfloat16",
}
CHAPTER = "pieces-bf16"  # what chapter 4 does


def texts() -> list[list[str]]:
    """Make 32 questions and passages of at least 192 tokens, in English and Chinese."""
    data = load_parallel("mini", ["en", "zh"])
    passages = [[" ".join(data.passages[code][(row + step) % 64] for step in range(6)) for row in range(BATCH)]
                for code in ("en", "zh")]  # fmt: skip
    return [list(data.queries["en"][:BATCH]), *passages]


def naive_losses(model: Any) -> Callable[[Features], Tensor]:
    """Compute each loss with a pass of its own, as two losses in a trainer do."""

    def vectors(features: dict[str, Tensor]) -> Tensor:
        found: Tensor = model(dict(features))["sentence_embedding"]
        return found

    def step(columns: Features) -> Tensor:
        distance = jensen_shannon(vectors(columns[1]), vectors(columns[2])).mean()
        return distance + info_nce(vectors(columns[2]), vectors(columns[0]), TEMPERATURE)

    return step


def losses_of(name: str, model: Any) -> Callable[[Features], Tensor]:
    """Pick the losses of a variant and make the model ready for them."""
    if name == "naive":
        model.train()
        return naive_losses(model)
    model.eval()  # no dropout
    model[0].model.get_input_embeddings().weight.requires_grad_(False)
    ours = AlignmentLoss(model, ("jsd", "nce"), TEMPERATURE, micro_tokens=None if name == "one-pass" else 2048)
    return lambda columns: torch.stack(list(ours(columns).values())).sum()


def run_variant(variant: str, steps: int) -> dict[str, Any]:
    """Run a few steps of a variant: seconds of each, the peak of memory, and what the gradient looks like.

    :param variant: Its name; `name:8` takes a batch of eight.
    :param steps: How many are timed.
    """
    name, _, batch = variant.partition(":")
    model = load_trainable("multilingual-e5-small-q4", "cpu")
    model.max_seq_length = TOKENS
    loss = losses_of(name, model)
    columns: Features = [model.preprocess(column[: int(batch or BATCH)]) for column in texts()]
    optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=0.0)
    times = []
    for _ in range(steps + 1):
        started = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=name.endswith("bf16")):
            value = loss(columns)
        value.backward()
        optimizer.step()
        times.append(time.perf_counter() - started)
    first: Any = model[0]
    slope = torch.cat([each.grad.flatten() for each in first.model.encoder.parameters() if each.grad is not None])
    sample = slope[:: max(len(slope) // 10_000, 1)].tolist()
    return {"times": times[1:], "mib": peak_mib(), "gradient": sample}


def measure() -> list[Line]:
    """Hold the step of chapter 4 against the naive one."""
    found = {name: in_own_process(__file__, name) for name in VARIANTS}
    what = f"E5-small, {BATCH} triples of {TOKENS} tokens"
    lines = [
        times_as_fast(AREA, VARIANTS[name], f"the naive step: {VARIANTS['naive']}",
                      list(zip(each["times"], found["naive"]["times"], strict=True)),
                      note=f"{what}; the process takes {each['mib']:,.0f} MiB at most")
        for name, each in found.items() if name != "naive"
    ]  # fmt: skip
    whole, pieces = (torch.tensor(found[name]["gradient"]) for name in ("one-pass", "pieces"))
    error = ((whole - pieces).norm() / whole.norm()).item()
    sizes = [found[CHAPTER], *(in_own_process(__file__, f"{CHAPTER}:{size}") for size in SMALLER)]
    time_growth = growth([BATCH, *SMALLER], [min(each["times"]) for each in sizes])
    used = found[CHAPTER]["mib"]
    takes = " and ".join(f"{each['mib']:,.0f} MiB for {size}" for each, size in zip(sizes[1:], SMALLER, strict=True))
    note = (f"the naive step takes {found['naive']['mib']:,.0f} MiB; "
            f"time grows as triples^{time_growth:.2f}; memory: {takes} triples")  # fmt: skip
    return [
        *lines,
        Line(AREA, what, "5 GiB for the process", (used / 5120,), True, 1, note=note),
        Line(AREA, "gradients in pieces", "an error of 1e-5 to those in one pass", (error / 1e-5,), True, 1,
             note=f"relative error {error:.1e}"),
    ]  # fmt: skip


if __name__ == "__main__":
    if "--variant" in sys.argv:
        print(json.dumps(run_variant(sys.argv[-1], STEPS)))
    else:
        run(measure, __doc__)
