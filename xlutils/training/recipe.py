"""The settings of one training: those of Hong et al., and quicker ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from xlutils.errors import XlError, first_fault, unknown
from xlutils.training import PARTS

LEARNING_RATES = {"bge-m3": 4e-6, "multilingual-e5": 2e-5, "gte-multilingual": 1e-5, "jina-embeddings-v3": 3e-5}
_OF_LABEL = ("losses", "seed", "mixed")  # fields that every label shows anyway
_LANGUAGES_SHOWN = 12
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class Recipe:
    """How to train. The defaults are those of Hong et al., or of the libraries where the paper says nothing.

    :param losses: Some of "jsd", "nce", "nce-passage", "triplet", "mixup", "keep", "distil".
    :param temperature: Temperature of InfoNCE; the published formula has none, which is the same as 1.
    :param margin: Cosine by which the triplet loss wants the gold question ahead of all others in the batch.
    :param jsd_weight: Factor of the Jensen-Shannon term.
    :param keep_weight: Factor of the term that keeps texts where they were, except for one step per language.
    :param normalised: Whether the Jensen-Shannon term sees vectors of unit length.
    :param epsilon: Small number added to the Jensen-Shannon term.
    :param epsilon_outside: Whether it is added to the root, as printed, instead of under it.
    :param epochs: Passes over the triples.
    :param batch_size: Triples per step, on each device.
    :param learning_rate: Highest rate; None for the one published for the model, or 2e-5 where there is none.
    :param warmup: Share of the steps in which the rate rises.
    :param schedule: How the rate falls afterwards.
    :param weight_decay: Weight decay of AdamW.
    :param beta1: First beta of AdamW.
    :param beta2: Second beta of AdamW.
    :param max_length: Longer texts are cut to this number of tokens; None for the model's own limit.
    :param dropout: Share of activations dropped; None for the model's own. Above 0, a CPU needs twice the time and
        memory.
    :param frozen_embeddings: Whether the table of token vectors stays as it is.
    :param only_biases: Whether to train only biases and the scales of the norms, a fraction of a percent of the
        weights: they can shift whole languages and little else.
    :param lora_rank: Rank of a LoRA adapter on all linear layers, which is all that is trained; 0 for none.
    :param last_layers: Number of layers, from the end, to which training is limited; 0 for all.
    :param micro_tokens: Largest number of tokens in one pass through the model, which bounds the memory; 0 for no
        limit, None for one that suits the device.
    :param bf16: Whether matrix products run in bfloat16; None to use it where the hardware does.
    :param mixed: Whether one training takes all languages; otherwise there is one for each.
    :param seed: Seed of the order of the triples and of dropout.
    """

    losses: tuple[str, ...] = ("jsd", "nce")
    temperature: Positive = 1.0
    margin: Positive = 0.2
    jsd_weight: Positive = 1.0
    keep_weight: Positive = 1.0
    normalised: bool = False
    epsilon: Positive = 1e-8
    epsilon_outside: bool = True
    epochs: Positive = 1
    batch_size: Annotated[int, Field(ge=2)] = 32
    learning_rate: Share | None = None
    warmup: Share = 0.15
    schedule: Literal["linear", "cosine", "constant_with_warmup"] = "linear"
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    beta1: Share = 0.9
    beta2: Share = 0.99
    max_length: Annotated[int, Field(ge=8)] | None = None
    dropout: Share | None = None
    frozen_embeddings: bool = False
    only_biases: bool = False
    lora_rank: Annotated[int, Field(ge=0)] = 0
    last_layers: Annotated[int, Field(ge=0)] = 0
    micro_tokens: Annotated[int, Field(ge=0)] | None = None
    bf16: bool | None = None
    mixed: bool = False
    seed: int = 42

    def __post_init__(self) -> None:
        if self.only_biases and self.lora_rank:
            raise XlError("recipe: only_biases and lora_rank exclude each other; give one of them")
        if self.last_layers and self.lora_rank:
            raise XlError("recipe: last_layers and lora_rank exclude each other; give one of them")
        for part in self.losses:
            if part not in PARTS:
                raise unknown("loss", part, PARTS)


RECIPES = {
    "quick": Recipe(
        losses=("jsd", "nce", "keep"),
        jsd_weight=10.0,
        keep_weight=22.0,
        epsilon_outside=False,
        epochs=0.4,
        batch_size=16,
        learning_rate=2e-4,
        max_length=64,
        dropout=0.0,
        frozen_embeddings=True,
        mixed=True,
    ),
    "paper": Recipe(),
}


@cache
def read_recipe(text: str) -> Recipe:
    """Return a recipe by name, with the settings that follow the name: "paper" or "paper,dropout=0,mixed=true".

    :raises XlError: If the recipe or a setting does not exist, or a value or combination is impossible.
    """
    name, *settings = (part.strip() for part in text.split(","))
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    values: dict[str, Any] = asdict(RECIPES[name])
    given: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = (part.strip() for part in setting.partition("="))
        if not equals or not value:
            raise XlError(f"recipe: {setting!r} is not a setting; write it like dropout=0")
        if key not in values:
            raise unknown("setting of a recipe", key, values)
        if key in given:
            raise XlError(f"recipe: {key} is given twice; give it once")
        given[key] = tuple(value.split("+")) if key == "losses" else None if value == "none" else value
    try:
        return TypeAdapter(Recipe).validate_python(values | given)
    except ValidationError as error:
        raise XlError(f"recipe: {first_fault(error)}") from None


def learning_rate(name: str) -> float:
    """Return the rate published for a model, recognised by a part of its name; 2e-5 where there is none."""
    return next((rate for part, rate in LEARNING_RATES.items() if part in name.lower()), 2e-5)


def label_of(recipe: Recipe, languages: Sequence[str], model: str) -> str:
    """Return the name of a training: losses, languages, seed, and the settings that no named recipe has.

    :param languages: Codes of the languages it is trained on.
    :param model: Name of the model, which has a published rate.
    """
    codes = "-".join(languages) if len(languages) <= _LANGUAGES_SHOWN else f"{len(languages)}-languages"
    differences = min((_differences(recipe, known, model) for known in RECIPES.values()), key=len)
    return ".".join(["+".join(recipe.losses), codes, f"seed-{recipe.seed}", *differences])


def _differences(recipe: Recipe, known: Recipe, model: str) -> list[str]:
    rate = learning_rate(model)
    one, other = (
        replace(recipe, learning_rate=recipe.learning_rate or rate),
        replace(known, learning_rate=known.learning_rate or rate),
    )
    names = [item.name for item in fields(Recipe) if item.name not in _OF_LABEL]
    return [f"{name}-{getattr(one, name)}".lower() for name in names if getattr(one, name) != getattr(other, name)]
