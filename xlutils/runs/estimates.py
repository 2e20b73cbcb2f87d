"""What a cell of a sweep will take, before it runs: rough, for planning."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from xlutils.datasets import load_lexicon, load_parallel
from xlutils.errors import XlError
from xlutils.models.catalogue import MTEB, find_card
from xlutils.runs import execute as runs
from xlutils.runs.sweep import Cell

_BYTES = 4  # of a weight in float32
_START_GB, _START_SECONDS = 1.5, 20.0  # a kernel with torch, and what a chapter does beside encoding
_ACTIVATIONS = 1.5  # memory of a run, in sizes of the model
_TOKENS = 250_000  # rows of the table of token vectors of a multilingual model: weights that compute nothing
_LEAST_COMPUTING = 0.1  # share of the weights that compute, at least
_CHARACTERS = 2.5  # of a token, over all scripts
_PROMPT = 4  # tokens around a text
_TRAINING = 4  # passes that a step takes, in passes of encoding
_EFFICIENCY = 0.5  # of the speed of a bare matrix product; measured: 0.87 of torch, 0.2 of the NumPy engine
_UNKNOWN = 300e6  # weights of a model that says nothing


@dataclass(frozen=True)
class Estimate:
    """What a cell will take.

    :param download_gb: Weights that are not here yet.
    :param memory_gb: Peak of memory.
    :param seconds: Time on this machine, alone and without cached vectors.
    """

    download_gb: float
    memory_gb: float
    seconds: float


def estimate(cell: Cell) -> Estimate:
    """Estimate what a cell takes."""
    card = find_card(cell.model)
    weights = _UNKNOWN if card is None or card.parameters is None else float(card.parameters)
    if card and card.backend in ("openai", "gemini"):
        return Estimate(0.0, _START_GB, _START_SECONDS)
    size = weights * _BYTES / 1e9
    of_hub = not Path(cell.model).is_dir() and (card is None or card.backend == "sentence-transformers")
    source = card.source if card else cell.model.removeprefix(MTEB)
    download = size if of_hub and not _in_cache(source) else 0.0
    table = _TOKENS * card.dim if card else 0
    computing = max(weights - table, _LEAST_COMPUTING * weights)
    seconds = 2 * computing * tokens_of(cell) / (_speed() * _EFFICIENCY)
    return Estimate(download, _START_GB + _ACTIVATIONS * size, _START_SECONDS + seconds)


def tokens_of(cell: Cell) -> float:
    """Estimate how many tokens go through the model; 0 where the data cannot be read here."""
    given: dict[str, Any] = {**runs.defaults(runs.find_chapter(cell.chapter)), **dict(cell.given)}
    of_data = {name: value for name, value in given.items() if name not in ("model", "models")}
    try:
        return _tokens(cell.chapter, tuple(sorted(of_data.items())))
    except XlError:
        return 0.0


@cache
def _tokens(chapter: str, chosen: tuple[tuple[str, Any], ...]) -> float:
    """Count once for all models of a sweep."""
    given = dict(chosen)
    if chapter.startswith(("01", "02")):
        names = str(given.get("datasets", given.get("dataset"))).split(",")
        lexicons = [load_lexicon(name.strip()) for name in names]
        return sum(_count(lexicon.words(code)) for lexicon in lexicons for code in lexicon.languages)
    names = str(given.get("eval_languages", given.get("languages"))).split(",")
    data = load_parallel(str(given.get("eval_dataset", given.get("dataset"))), ["en", *names])
    texts = sum(_count(side[code]) for side in (data.queries, data.passages) for code in data.languages)
    if not chapter.startswith("04"):
        return texts
    trainings = len(str(given["losses"]).split(","))
    return texts * (1 + trainings * (1 + _TRAINING * float(given["epochs"])))


def _count(texts: tuple[str, ...] | list[str]) -> float:
    return sum(map(len, texts)) / _CHARACTERS + _PROMPT * len(texts)


def _in_cache(repo: str) -> bool:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        return isinstance(try_to_load_from_cache(repo, "config.json"), str)
    except HFValidationError:  # no name of the hub, such as a folder that only the workers have
        return False


@cache
def _speed() -> float:
    """Operations a second of a matrix product here."""
    a = np.ones((1024, 1024), np.float32)
    a @ a
    started = time.perf_counter()
    for _ in range(5):
        a @ a
    return 5 * 2 * 1024**3 / (time.perf_counter() - started)


def fitting_workers(cells: list[Cell]) -> int:
    """Say how many cells fit side by side into the memory and cores of this machine."""
    import psutil

    largest = max((estimate(cell).memory_gb for cell in cells), default=_START_GB)
    return max(min(int(psutil.virtual_memory().available / 1e9 // largest), os.cpu_count() or 1, len(cells)), 1)
