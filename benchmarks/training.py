"""One training step of the alignment loss: time and memory against the plain step of two separate losses.

Every variant runs in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import torch
from common import Line, compare, cpu_features, run
from torch import Tensor

from xlutils.training.losses import AlignmentLoss, info_nce, jensen_shannon
from xlutils.training.recipe import Recipe
from xlutils.training.trainable import load_trainable

AREA = "One training step"
BATCH, TOKENS, STEPS, TEMPERATURE = 32, 192, 2, 0.05
SIZE = f"E5-small, {BATCH} triples of {TOKENS} tokens"
PLAIN = "the naive step: a pass for each loss, all weights, dropout, float32"
Features = list[dict[str, Tensor]]
OURS = "one pass for both losses, in pieces of 2,048 tokens, token vectors frozen, no dropout"


def make_columns() -> Features:
    """Make random tokens of questions, and of passages in two languages."""
    generator = torch.Generator().manual_seed(0)
    columns = []
    for length in (16, TOKENS, TOKENS):
        tokens = torch.randint(10, 10_000, (BATCH, length), generator=generator)
        columns.append({"input_ids": tokens, "attention_mask": torch.ones_like(tokens)})
    return columns


def loss_of(variant: str, model: Any, micro_tokens: int = 2048) -> Callable[[Features], Tensor]:
    """Return the loss of a variant, with the model ready for it."""
    if variant == "plain":
        model.train()
        return partial(plain_loss, lambda features: model(dict(features))["sentence_embedding"])
    model.eval()  # no dropout
    model[0].model.get_input_embeddings().weight.requires_grad_(False)
    losses = AlignmentLoss(model, Recipe(temperature=TEMPERATURE), micro_tokens=micro_tokens)
    return lambda columns: torch.stack(list(losses(columns).values())).sum()


def plain_loss(vectors: Callable[[dict[str, Tensor]], Tensor], columns: Features) -> Tensor:
    """Run a pass for each loss, as two losses in a trainer do."""
    distance = jensen_shannon(vectors(columns[1]), vectors(columns[2])).mean()
    return distance + info_nce(vectors(columns[2]), vectors(columns[0]), TEMPERATURE)


def run_variant(variant: str) -> tuple[list[float], float]:
    """Return the seconds of each step of a variant after the first, and the peak memory of this process in MiB."""
    model: Any = load_trainable("multilingual-e5-small-q4", "cpu")
    loss = loss_of(variant, model)
    columns = make_columns()
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=0.0)
    seconds = []
    for _ in range(STEPS + 1):
        started = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=variant == "bfloat16"):
            value = loss(columns)
        value.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - started)
    return seconds[1:], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def alone(variant: str) -> tuple[list[float], float]:
    """Run a variant in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(run_variant, variant).result()


def measure() -> list[Line]:
    """Compare each variant with the plain step, and the memory of the last one, which chapter 4 takes, with 5 GiB."""
    plain_seconds, plain_mib = alone("plain")
    lines = []
    for dtype in ("float32", "bfloat16") if "BF16" in cpu_features() else ("float32",):
        seconds, mib = alone(dtype)
        note = f"{SIZE}; the process takes {mib:,.0f} MiB at most"
        lines.append(
            compare(AREA, f"{OURS}, {dtype}", PLAIN, list(zip(seconds, plain_seconds, strict=True)), note=note)
        )
    note = f"the naive step takes {plain_mib:,.0f} MiB"
    return [*lines, Line(AREA, SIZE, "5 GiB for the process", (mib / 5120,), is_limit=True, promise=1, note=note)]


if __name__ == "__main__":
    run("training", measure)
