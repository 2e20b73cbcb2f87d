"""Weights on disk: which they are, and whether they are whole and fit the architecture."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from xlutils.errors import XlError
from xlutils.models.catalogue import find_card

_DISPENSABLE = ("pooler", "position_ids")  # parts that no sentence vector needs
_NAMES_SHOWN = 3
_HASH_DIGITS = 6  # in a name; twelve in a revision
_POINTER = b"version https://git-lfs"


def folder_hash(folder: Path) -> str:
    """Hash every file of a model's folder except for readmes: twelve hex digits."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".md" and not path.name.startswith("."):
            total.update(path.relative_to(folder).as_posix().encode())
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:12]


def absolute(model: str) -> str:
    """Return the full path of a model in a folder; any other name stays as it is."""
    folder = Path(model.strip()).expanduser()
    return model if find_card(model.strip()) or not folder.is_dir() else str(folder.resolve())


def name_of(model: str) -> str:
    """Return the name that a model has in records: `nce@1f0a3c` for a folder, so that two called nce stay apart.

    :param model: As for `load_model`.
    """
    card, folder = find_card(model), Path(model).expanduser()
    if card or not folder.is_dir():
        return card.name if card else model
    return folder_name(folder, folder_hash(folder))


def folder_name(folder: Path, digest: str) -> str:
    """Return the name that a model in a folder has in records, without the path, which is of this machine."""
    return f"{folder.resolve().name}@{digest[:_HASH_DIGITS]}"


def check_files(folder: Path) -> None:
    """Refuse a folder that is not whole.

    :raises XlError: If a file is only Git's pointer to a large file, or the card of a trained model lists more files.
    """
    for name in _promised_files(folder):
        if not (folder / name).is_file():
            raise XlError(f"{folder.name} lacks {name}, which its card lists; copy the whole folder of the model")
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".safetensors", ".bin", ".json", ".model") and path.is_file():
            with path.open("rb") as file:
                if file.read(len(_POINTER)) == _POINTER:
                    raise XlError(
                        f"{folder.name}/{path.name} is a pointer of Git LFS; run `git lfs pull` in its folder"
                    )


def _promised_files(folder: Path) -> list[str]:
    """Return the files that the card in a folder lists, if it is one of this package's."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    try:
        head = yaml.safe_load(text.split("---\n")[1]) if text.startswith("---\n") else None
    except yaml.YAMLError:
        return []
    files = head.get("files") if isinstance(head, dict) else None
    return [name for name in files if isinstance(name, str)] if isinstance(files, list) else []


def pool_first_token(model: Any) -> None:
    """Take the vector of the first token, where a repository without modules.json is averaged over all tokens."""
    from sentence_transformers.sentence_transformer.modules import Pooling

    for name, module in model.named_children():
        if isinstance(module, Pooling) and module.pooling_mode == "mean":
            setattr(model, name, Pooling(module.embedding_dimension, pooling_mode="cls"))


@contextmanager
def whole_weights(model: str) -> Iterator[None]:
    """Refuse weights that do not fit the architecture; transformers would put random numbers in their place.

    :param model: What to call it in messages.
    :raises XlError: On leaving, naming the weights that are missing, or that have no place.
    """
    from transformers import PreTrainedModel

    original = PreTrainedModel.__dict__["from_pretrained"]

    def load(cls: Any, *args: Any, **options: Any) -> Any:
        with_report = bool(options.pop("output_loading_info", False))
        loaded, report = original.__func__(cls, *args, output_loading_info=True, **options)
        _check_report(loaded, report, model)
        return (loaded, report) if with_report else loaded

    PreTrainedModel.from_pretrained = classmethod(load)
    try:
        yield
    finally:
        PreTrainedModel.from_pretrained = original


def _check_report(loaded: Any, report: dict[str, Any], model: str) -> None:
    missing = [key for key in report["missing_keys"] if not _is_dispensable(key)]
    unexpected = [key for key in report["unexpected_keys"] if _has_a_place(key, loaded) and not _is_dispensable(key)]
    for keys, what in ((missing, "the file lacks"), (unexpected, "its architecture has no place for")):
        if keys:
            names = ", ".join(sorted(keys)[:_NAMES_SHOWN])
            more = f" and {len(keys) - _NAMES_SHOWN} more" if len(keys) > _NAMES_SHOWN else ""
            raise XlError(
                f"the weights of {model} do not fit: {what} {names}{more}; save the model again with save_pretrained"
            )


def _is_dispensable(key: str) -> bool:
    return any(part in _DISPENSABLE for part in key.split("."))


def _has_a_place(key: str, loaded: Any) -> bool:
    """Return whether a weight belongs to a part that the model has; heads of other tasks do not."""
    first = key.removeprefix(f"{loaded.base_model_prefix}.").split(".")[0]
    return first in dict(loaded.named_children())
