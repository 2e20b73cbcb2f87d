"""Models on their way into a training and out of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.models.adapters import tasks_of
from xlutils.models.catalogue import find_card
from xlutils.models.encoder import Encoder
from xlutils.models.sentence_transformer import SentenceTransformerBackend
from xlutils.training.recipe import Recipe

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def load_trainable(name: str, device: str = "auto", *, trust_remote_code: bool = False) -> SentenceTransformer:
    """Load a model for training, in float32, with the prompts that the catalogue knows.

    The parameters are those of `load_model`.

    :raises XlError: If the model could not be loaded, or is not a torch model.
    """
    encoder = load_model(name, device=device, dtype="float32", trust_remote_code=trust_remote_code, cached=False)
    if not isinstance(encoder.backend, SentenceTransformerBackend):
        raise XlError(
            f"model {encoder.name} cannot be trained, it has no weights in torch; "
            "take multilingual-e5-small-q4, a hub id or a folder"
        )
    model = encoder.backend.model
    model.prompts = dict(encoder.prompts)  # the same before and after; some models bring none of their own
    if model.default_prompt_name not in model.prompts:
        model.default_prompt_name = None
    card = find_card(name)
    model.model_card_data.base_model = card.source if card and "/" in card.source else encoder.name
    return model


def as_encoder(model: SentenceTransformer, name: str, dtype: str = "float32") -> Encoder:
    """Wrap a model in memory under a name for records; its weights may change, so nothing is cached."""
    backend = SentenceTransformerBackend(model, dtype)
    tasks = tasks_of(model)
    return Encoder(name, name, "in memory", backend, backend.settings, backend.prompts, tasks, cached=False)


@contextmanager
def unscaled(model: SentenceTransformer) -> Iterator[None]:
    """Leave out a last layer that scales vectors to unit length."""
    from sentence_transformers.sentence_transformer.modules import Normalize

    last = model.pop(-1) if isinstance(model[-1], Normalize) else None
    try:
        yield
    finally:
        if last is not None:
            model.append(last)


def raw_vectors(model: SentenceTransformer, texts: Sequence[str], role: str) -> NDArray[np.float32]:
    """Return the vectors that the losses see, not scaled to unit length: float32 [n, dim]."""
    backend = SentenceTransformerBackend(model, "float32")
    vectors = np.zeros((len(texts), backend.dim), np.float32)
    with unscaled(model):
        for rows, batch in backend.embed(texts, backend.prompts.get(role, ""), tasks_of(model).get(role)):
            vectors[rows] = batch
    return vectors


def freeze(transformer: Any, recipe: Recipe) -> None:
    """Freeze the weights that a recipe does not train.

    :raises XlError: If it names more layers than there are.
    """
    if recipe.frozen_embeddings:
        transformer.get_input_embeddings().weight.requires_grad_(False)
    if getattr(transformer, "pooler", None) is not None:
        transformer.pooler.requires_grad_(False)  # not part of the vectors, so it would have no gradient
    if recipe.only_biases:
        for name, parameter in transformer.named_parameters():
            if "bias" not in name and "norm" not in name.lower():
                parameter.requires_grad_(False)
    if recipe.last_layers:
        from torch.nn import ModuleList

        layers: Any = max((part for part in transformer.modules() if isinstance(part, ModuleList)), key=len, default=[])
        if recipe.last_layers > len(layers):
            raise XlError(f"recipe: last_layers is {recipe.last_layers}, and the model has {len(layers)}; give fewer")
        kept = {id(weight) for layer in layers[-recipe.last_layers :] for weight in layer.parameters()}
        for weight in transformer.parameters():
            if id(weight) not in kept:
                weight.requires_grad_(False)
