"""The parameters of every notebook: one typed schema per chapter, checked before anything runs."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from xlutils.datasets.files import from_book
from xlutils.datasets.languages import language_codes
from xlutils.datasets.scenarios import KINDS
from xlutils.errors import XlError, first_fault, unknown
from xlutils.models.catalogue import check_name, find_card
from xlutils.models.weights import absolute
from xlutils.training import PARTS
from xlutils.training.recipe import Recipe, learning_rate, read_recipe

_IPYTHON_NAMES = {"In", "Out", "exit", "quit", "open", "get_ipython"}
_OF_RECIPE = ("temperature", "jsd_weight", "keep_weight", "max_length", "epochs", "batch_size")
_PARAMETER_TYPES = (str, int, float, bool, list, tuple, type(None))


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


def _folder_to_write(value: object) -> str:
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


def _model(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"got {value!r}; give the name of a model")
    if not Path(value).expanduser().is_dir():
        check_name(value)
    return value


def _models(value: object) -> tuple[str, ...]:
    names = tuple(map(_model, _split(value)))
    known = [card.name if (card := find_card(name)) else absolute(name) for name in names]
    for name in known:
        if known.count(name) > 1:
            raise ValueError(f"{name} is given twice")
    return names


def _languages(value: object) -> tuple[str, ...]:
    return language_codes(_split(value))


def _language(value: object) -> str:
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


def _losses(value: object) -> tuple[tuple[str, ...], ...]:
    """Split names at commas, and every name into the losses it adds up, such as `jsd+nce,nce`."""
    names = [tuple(name.split("+")) for name in _split(value)]
    for part in itertools.chain(*names):
        if part not in PARTS:
            raise unknown("loss", part, PARTS)
    return tuple(dict.fromkeys(names))


Folder = Annotated[str, BeforeValidator(_folder_to_write)]
Names = Annotated[tuple[str, ...], BeforeValidator(_distinct)]
Models = Annotated[tuple[str, ...], BeforeValidator(_models)]
Languages = Annotated[tuple[str, ...], BeforeValidator(_languages)]
LanguagesOrAll = Annotated[tuple[str, ...] | None, BeforeValidator(_languages_or_all)]  # None: all of the data
Scenarios = Annotated[tuple[str, ...], BeforeValidator(_scenarios)]


class Checked(BaseModel):
    """Parameters that are checked before a notebook uses them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    records_dir: Folder

    @classmethod
    def check(cls, namespace: Mapping[str, Any]) -> Self:
        """Read the parameters from the variables of a notebook.

        A plain value whose name is not a parameter is refused: it is a misspelt parameter, about which papermill
        only warns.

        :param namespace: `globals()` of the notebook, right after the parameters.
        :raises XlError: In one line, naming the parameter.
        """
        values = {
            name: value
            for name, value in namespace.items()
            if not name.startswith("_") and name not in _IPYTHON_NAMES and isinstance(value, _PARAMETER_TYPES)
        }
        for name in values:
            if name not in cls.model_fields:
                raise unknown("parameter", name, cls.model_fields)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise XlError(f"parameter {first_fault(error)}") from None


class Common(Checked):
    """Parameters of all chapters."""

    seed: int = Field(ge=0, lt=2**32)
    device: str = Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")


class Parameters(Common):
    """Parameters of notebooks that compare models."""

    models: Models


class TourParameters(Parameters):
    """Parameters of `00_tour`."""

    languages: Annotated[Languages, Field(min_length=2)]
    concepts: Annotated[Names, Field(min_length=2)]


class ConceptParameters(Parameters):
    """Parameters of `01_concept_alignment`."""

    languages: LanguagesOrAll
    dataset: str = Field(min_length=1)
    k: int = Field(ge=1)
    threshold: float = Field(ge=-1, le=1)


class AffinityParameters(Parameters):
    """Parameters of `02_semantic_affinity`."""

    datasets: Names
    languages: Annotated[Languages, Field(min_length=2)]
    more_languages: LanguagesOrAll


class RetrievalParameters(Parameters):
    """Parameters of `03_mixed_language_retrieval`."""

    dataset: str = Field(min_length=1)
    distractors: str
    languages: Languages
    scenarios: Scenarios
    protocol: Literal["paper", "unique"]
    k: int = Field(ge=1)


class FinetuneParameters(Common):
    """Parameters of `04_finetune_alignment`. What is 0 or empty is taken from the recipe."""

    model: Annotated[str, BeforeValidator(_model)]
    train_data: str = Field(min_length=1)
    train_languages: Languages
    eval_dataset: str = Field(min_length=1)
    eval_languages: Languages
    protocol: Literal["paper", "unique"]
    k: int = Field(ge=1)
    recipe: str = Field(min_length=1)
    losses: Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_losses)]
    temperature: float = Field(gt=0)
    jsd_weight: float = Field(gt=0)
    keep_weight: float = Field(gt=0)
    max_length: int | None = Field(ge=8)
    trained: Literal["biases", "all"]
    epochs: float = Field(gt=0)
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0, lt=1)
    save_to: Annotated[str, BeforeValidator(lambda value: value and _folder_to_write(value))]

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Take from the recipe what is not given, and the published rate of the model where the recipe has none."""
        if not isinstance(values.get("recipe"), str):
            return values
        recipe = read_recipe(values["recipe"])
        defaults = {name: getattr(recipe, name) for name in _OF_RECIPE}
        defaults["learning_rate"] = recipe.learning_rate or learning_rate(str(values.get("model")))
        defaults["trained"] = "biases" if recipe.only_biases else "all"
        defaults["losses"] = "+".join(recipe.losses)
        return values | {name: value for name, value in defaults.items() if values.get(name) in (0, "")}

    def training(self) -> Recipe:
        """Return the recipe with what was given besides it; each training has losses of its own."""
        given = {name: getattr(self, name) for name in (*_OF_RECIPE, "learning_rate", "seed")}
        only_biases = self.trained == "biases"
        return replace(read_recipe(self.recipe), losses=self.losses[0], only_biases=only_biases, **given)


class AtlasParameters(Parameters):
    """Parameters of `05_language_atlas`."""

    dataset: str = Field(min_length=1)
    languages: LanguagesOrAll
    pivot: Annotated[str, BeforeValidator(_language)]
    sample: int = Field(ge=1)


class AuditParameters(Checked):
    """Parameters of `A_audit_of_published_tables`."""

    slack: float = Field(ge=0)


SCHEMAS: dict[str, type[Checked]] = {
    "00_tour": TourParameters,
    "01_concept_alignment": ConceptParameters,
    "02_semantic_affinity": AffinityParameters,
    "03_mixed_language_retrieval": RetrievalParameters,
    "04_finetune_alignment": FinetuneParameters,
    "05_language_atlas": AtlasParameters,
    "A_audit_of_published_tables": AuditParameters,
}
