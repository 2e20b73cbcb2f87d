"""One training step of the alignment loss: time and memory against the naive step of two separate losses.

python benchmarks/training.py

Every variant runs in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from xlutils.datasets import load_parallel
from xlutils.training.finetune import freeze_all_but_biases
from xlutils.training.losses import AlignmentLoss, info_nce, jensen_shannon
from xlutils.training.trainable import load_trainable

BATCH, TOKENS = 32, 192
TEMPERATURE = 0.05
Features = list[dict[str, Tensor]]
VARIANTS = {
    "naive": "two losses with a pass each, dropout as it comes, all weights, float32",
    "cached-mnrl": "CachedMultipleNegativesRankingLoss (mini-batches of 4), InfoNCE alone, float32",
    "one-pass": "ours: one pass for both losses, no dropout, token vectors frozen, float32",
    "pieces": "the same in pieces of 2,048 tokens",
    "pieces-bf16": "the same in bfloat16",
    "biases-bf16": "the same, biases only",
}


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
    if name == "cached-mnrl":
        from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

        model.train()
        loss = CachedMultipleNegativesRankingLoss(model, scale=1 / TEMPERATURE, mini_batch_size=4)
        return lambda columns: loss([columns[2], columns[0]], None)
    model.eval()  # no dropout
    model[0].model.get_input_embeddings().weight.requires_grad_(False)
    if name == "biases-bf16":
        freeze_all_but_biases(model[0].model)
    ours = AlignmentLoss(model, ("jsd", "nce"), TEMPERATURE, micro_tokens=None if name == "one-pass" else 2048)
    return lambda columns: torch.stack(list(ours(columns).values())).sum()


def measure(name: str, steps: int) -> dict[str, Any]:
    """Run a few steps of a variant: seconds of each, the peak of memory, and the norm of the gradient."""
    model = load_trainable("multilingual-e5-small-q4", "cpu")
    model.max_seq_length = TOKENS
    loss = losses_of(name, model)
    columns: Features = [model.preprocess(column) for column in texts()]
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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"times": times[1:], "mib": peak, "gradient": slope.norm().item()}


def main() -> None:
    """Print a line for each variant, with ratios to the naive step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--variant", choices=VARIANTS, help="measure one and print JSON")
    options = parser.parse_args()
    if options.variant:
        print(json.dumps(measure(options.variant, options.steps)))
        return
    print(f"E5-small, {BATCH} triples of {TOKENS} tokens, {torch.get_num_threads()} threads")
    first = None
    for name, what in VARIANTS.items():
        command = [sys.executable, __file__, "--variant", name, "--steps", str(options.steps)]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(result.stdout.splitlines()[-1])
        first = first or found
        seconds, base = (statistics.median(each["times"]) for each in (found, first))
        spread = max(found["times"]) - min(found["times"])
        print(f"{name}: {what}")
        speed = f"{seconds:.2f} s a step (spread {spread:.2f}), {base / seconds:.2f}x the speed of the first"
        memory = f"{found['mib']:,.0f} MiB, {found['mib'] / first['mib']:.2f}x"
        print(f"  {speed}; {memory}; gradient {found['gradient']:.6f}")


if __name__ == "__main__":
    main()
