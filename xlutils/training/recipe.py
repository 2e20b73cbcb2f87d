"""The settings of one training; the defaults are those of Hong et al."""

from __future__ import annotations

from dataclasses import dataclass

LEARNING_RATES = {"bge-m3": 4e-6, "multilingual-e5": 2e-5, "gte-multilingual": 1e-5, "jina-embeddings-v3": 3e-5}


@dataclass(frozen=True)
class Recipe:
    """How to train.

    :param losses: Some of "jsd", "nce", "nce-passage", "keep".
    :param temperature: Temperature of InfoNCE; the published formula has none, which is the same as 1.
    :param jsd_weight: Factor of the Jensen-Shannon term.
    :param keep_weight: Factor of the term that keeps texts where they were, except for one step per language.
    :param epochs: Passes over the triples.
    :param batch_size: Triples per step, on each device.
    :param learning_rate: Highest rate; None for the one published for the model, or 2e-5 where there is none.
    :param warmup: Share of the steps in which the rate rises; afterwards it falls linearly to 0.
    :param weight_decay: Weight decay of AdamW.
    :param beta2: Second beta of AdamW.
    :param max_length: Longer texts are cut to this number of tokens.
    :param dropout: Share of activations dropped; above 0 a CPU needs twice the time and memory.
    :param frozen_embeddings: Whether the table of token vectors stays as it is.
    :param only_biases: Whether to train only biases and the scales of the norms, a fraction of a percent of the
        weights: they can shift whole languages and little else.
    :param lora_rank: Rank of a LoRA adapter on all linear layers, which is all that is trained; 0 for none.
    :param micro_tokens: Largest number of tokens in one pass through the model; None for no limit.
    :param bf16: Whether matrix products run in bfloat16; None to use it where the hardware does.
    :param seed: Seed of the order of the triples and of dropout.
    """

    losses: tuple[str, ...] = ("jsd", "nce")
    temperature: float = 1.0
    jsd_weight: float = 1.0
    keep_weight: float = 1.0
    epochs: float = 1
    batch_size: int = 32
    learning_rate: float | None = None
    warmup: float = 0.15
    weight_decay: float = 0.01
    beta2: float = 0.99
    max_length: int = 192
    dropout: float = 0.0
    frozen_embeddings: bool = False
    only_biases: bool = False
    lora_rank: int = 0
    micro_tokens: int | None = 2048
    bf16: bool | None = None
    seed: int = 42


def learning_rate(name: str) -> float:
    """Return the rate published for a model, recognised by a part of its name; 2e-5 where there is none."""
    return next((rate for part, rate in LEARNING_RATES.items() if part in name.lower()), 2e-5)
