"""The parameters of every notebook: one typed schema per chapter, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from xlutils.errors import XlError, first_fault, unknown
from xlutils.runs.fields import (
    Folder,
    Languages,
    LanguagesOrAll,
    Models,
    MoreModels,
    Names,
    Scenarios,
    folder_to_write,
    language,
    losses,
    model,
)
from xlutils.training.recipe import Recipe, learning_rate, read_recipe

_CHECKED = "_parameters_checked"  # variable of a notebook whose parameters were checked before
_IPYTHON_NAMES = {"In", "Out", "exit", "quit", "open", "get_ipython"}
_OF_RECIPE = ("temperature", "jsd_weight", "keep_weight", "max_length", "epochs", "batch_size")
_PARAMETER_TYPES = (str, int, float, bool, list, tuple, type(None))


class Checked(BaseModel):
    """Parameters that are checked before a notebook uses them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    records_dir: Folder

    @classmethod
    def check(cls, namespace: Mapping[str, Any]) -> Self:
        """Read the parameters from the variables of a notebook.

        A plain value whose name is not a parameter is refused: it is a misspelt parameter, about which papermill
        only warns. Where the cell is run again in JupyterLab, such values are from the cells below it.

        :param namespace: `globals()` of the notebook, right after the parameters.
        :raises XlError: In one line, naming the parameter.
        """
        is_again = _CHECKED in namespace
        if isinstance(namespace, dict) and "__name__" in namespace:  # the variables of a notebook
            namespace[_CHECKED] = True
        values = {
            name: value
            for name, value in namespace.items()
            if not name.startswith("_") and name not in _IPYTHON_NAMES and isinstance(value, _PARAMETER_TYPES)
        }
        for name in values:
            if name not in cls.model_fields and not is_again:
                raise unknown("parameter", name, cls.model_fields)
        try:
            return cls.model_validate({name: value for name, value in values.items() if name in cls.model_fields})
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

    model: Annotated[str, BeforeValidator(model)]
    train_data: str = Field(min_length=1)
    train_languages: Languages
    eval_dataset: str = Field(min_length=1)
    eval_languages: Languages
    protocol: Literal["paper", "unique"]
    k: int = Field(ge=1)
    recipe: str = Field(min_length=1)
    losses: Annotated[tuple[tuple[str, ...], ...], BeforeValidator(losses)]
    temperature: float = Field(gt=0)
    jsd_weight: float = Field(gt=0)
    keep_weight: float = Field(gt=0)
    max_length: int | None = Field(ge=8)
    trained: Literal["biases", "all"]
    epochs: float = Field(gt=0)
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0, lt=1)
    save_to: Annotated[str, BeforeValidator(lambda value: value and folder_to_write(value))]

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
    pivot: Annotated[str, BeforeValidator(language)]
    items: int = Field(ge=0)
    sample: int = Field(ge=1)


class RelationParameters(Parameters):
    """Parameters of `06_relations`."""

    languages: LanguagesOrAll
    pivot: Annotated[str, BeforeValidator(language)]
    relations: str = Field(min_length=1)
    minimal_pairs: str = Field(min_length=1)
    senses: str = Field(min_length=1)
    judged: str


class MapParameters(Parameters):
    """Parameters of `07_maps`."""

    onto: MoreModels
    dataset: str = Field(min_length=1)
    languages: Languages
    pivot: Annotated[str, BeforeValidator(language)]
    scale: Literal["short", "full"]
    corrections: str
    save_to: Annotated[str, BeforeValidator(lambda value: value and folder_to_write(value))]


class ProductionParameters(Parameters):
    """Parameters of `08_production`. The first model is the base, the others are candidates."""

    models: Annotated[Models, Field(min_length=2)]
    languages: Languages
    margin: float = Field(ge=0, lt=1)


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
    "06_relations": RelationParameters,
    "07_maps": MapParameters,
    "08_production": ProductionParameters,
    "A_audit_of_published_tables": AuditParameters,
}
