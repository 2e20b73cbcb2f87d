"""The kinds of parameters: what a notebook or command gives as text, checked and converted."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from xlutils.datasets.files import from_book
from xlutils.datasets.languages import language_codes
from xlutils.datasets.scenarios import KINDS
from xlutils.errors import unknown
from xlutils.models.catalogue import check_name, find_card
from xlutils.models.weights import absolute
from xlutils.training import PARTS


def _split(value: object) -> tuple[str, ...]:
    """Split a comma-separated string, or check a list."""
    if isinstance(value, bool):  # papermill reads the language code `no` as False
        raise ValueError(f"got {value}; quote it, or use papermill's -r instead of -p")
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"got {value!r}; give names separated by commas")
    names = tuple(name.strip() for name in value if name.strip())
    if not names:
        raise ValueError("got nothing; give at least one name")
    return names


def _distinct(value: object) -> tuple[str, ...]:
    names = _split(value)
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} is given twice")
    return names


def folder_to_write(value: object) -> str:
    """Return a folder of the book that exists or can be made."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"got {value!r}; give a folder")
    path = from_book(value)
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    try:
        tempfile.TemporaryFile(dir=existing).close()
    except OSError:
        raise ValueError(f"cannot write into {value}; give another folder") from None
    return str(path)


def model(value: object) -> str:
    """Return the name of a model, or its folder."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"got {value!r}; give the name of a model")
    if not Path(value).expanduser().is_dir():
        check_name(value)
    return value


def _models(value: object) -> tuple[str, ...]:
    names = tuple(map(model, _split(value)))
    known = [card.name if (card := find_card(name)) else absolute(name) for name in names]
    for name in known:
        if known.count(name) > 1:
            raise ValueError(f"{name} is given twice")
    return names


def _languages(value: object) -> tuple[str, ...]:
    return language_codes(_split(value))


def language(value: object) -> str:
    """Return the tag of one language."""
    if len(codes := _languages(value)) > 1:
        raise ValueError(f"got {value!r}; give one language")
    return codes[0]


def _languages_or_all(value: object) -> tuple[str, ...] | None:
    return None if value == "all" else _languages(value)


def _scenarios(value: object) -> tuple[str, ...]:
    names = KINDS if value == "all" else _split(value)
    for name in names:
        if name not in KINDS:
            raise unknown("scenario", name, KINDS)
    return tuple(dict.fromkeys(names))


def losses(value: object) -> tuple[tuple[str, ...], ...]:
    """Split names at commas, and every name into the losses it adds up, such as `jsd+nce,nce`."""
    names = [tuple(name.split("+")) for name in _split(value)]
    for part in itertools.chain(*names):
        if part not in PARTS:
            raise unknown("loss", part, PARTS)
    return tuple(dict.fromkeys(names))


Folder = Annotated[str, BeforeValidator(folder_to_write)]
Names = Annotated[tuple[str, ...], BeforeValidator(_distinct)]
MoreModels = Annotated[tuple[str, ...], BeforeValidator(lambda value: _models(value) if value else ())]
Models = Annotated[tuple[str, ...], BeforeValidator(_models)]
Languages = Annotated[tuple[str, ...], BeforeValidator(_languages)]
LanguagesOrAll = Annotated[tuple[str, ...] | None, BeforeValidator(_languages_or_all)]  # None: all of the data
Scenarios = Annotated[tuple[str, ...], BeforeValidator(_scenarios)]
