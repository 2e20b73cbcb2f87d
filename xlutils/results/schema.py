"""The JSON file of a record as one pydantic model."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from xlutils.datasets.scenarios import KINDS
from xlutils.errors import XlError, first_fault

Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_POOLS = (r"pool-\d+", "untranslated", "uneven", "uneven-alone")  # of the records of pools
_KINDS = ("all", "language", "pair", "mining", *KINDS, *_POOLS)
_TAG = "[a-z]{2,3}(-[A-Za-z0-9]{1,8})*"  # BCP 47
Experiment = Literal[
    "concept-alignment",
    "semantic-affinity",
    "mixed-retrieval",
    "remedies",
    "pools",
    "finetune",
    "language-atlas",
    "language-repair",
    "relations",
    "maps",
    "map-corrections",
    "map-supervision",
    "map-pairs",
    "map-spaces",
    "gate",
    "production",
]
Language = Annotated[str, StringConstraints(pattern=f"^{_TAG}$")]


class Part(BaseModel):
    """Part of a record: every field is required, no other is allowed, and types are never guessed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Model(Part):
    """The model that was measured."""

    name: Name
    revision: str
    source: str
    fingerprint: str = Field(pattern="^[0-9a-f]{16}$")


class Dataset(Part):
    """The data it was measured on."""

    name: Name
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    languages: list[Language] = Field(min_length=1)
    size: int = Field(ge=1)

    @field_validator("languages")
    @classmethod
    def _are_different(cls, languages: list[str]) -> list[str]:
        if len(set(languages)) < len(languages):
            raise ValueError(f"names a language twice: {', '.join(languages)}")
        return languages


class Row(Part):
    """One value; what would be empty is left out."""

    kind: str = Field(pattern=f"^({'|'.join(_KINDS)})$")
    pool: str = Field(default="", pattern=rf"^{_TAG}(\+{_TAG})*$")
    query: Language = ""
    language: Language = ""
    metric: str = Field(pattern="^[a-z0-9_@/.-]+$")
    value: FiniteFloat
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    state: str = Field(default="", pattern=r"^[\w ,%.-]{0,80}$")

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError(f"{self.metric} has one bound without the other")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"{self.metric} has its bounds the wrong way round")
        return self


class Environment(Part):
    """Machine and packages."""

    python: str
    packages: dict[str, str]
    cpu: str
    gpu: str | None


class Content(Part):
    """The whole file."""

    version: Literal[2] = Field(alias="schema")
    experiment: Experiment
    model: Model
    dataset: Dataset
    params: dict[str, Any]
    metrics: list[Row] = Field(min_length=1)
    items: Annotated[str, StringConstraints(pattern=r"^[^/\\]+\.parquet$")] | None
    environment: Environment
    timing: dict[str, Annotated[float, Field(ge=0)]]
    created: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")

    @field_validator("metrics")
    @classmethod
    def _are_different(cls, metrics: list[Row]) -> list[Row]:
        counts = Counter((row.kind, row.metric, row.pool, row.query, row.language, row.state) for row in metrics)
        key, count = counts.most_common(1)[0]
        if count > 1:
            raise ValueError(f"two rows have the same key: {', '.join(filter(None, key))}")
        return metrics


def check_record(content: Any, name: str) -> None:
    """Check a record against the schema.

    :param content: The parsed JSON.
    :param name: Name of the file, for the message.
    :raises XlError: Naming the field that is wrong.
    """
    if isinstance(content, dict) and content.get("schema") == 1:
        raise XlError(f"{name}: this is a record of schema 1, not 2; measure it again")
    try:
        Content.model_validate(content)
    except ValidationError as error:
        raise XlError(f"{name}: {first_fault(error)}") from None
