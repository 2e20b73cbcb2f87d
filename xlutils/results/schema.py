"""The JSON file of a record as one pydantic model."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from xlutils.errors import XlError, first_fault

Name = Annotated[str, Field(min_length=1, max_length=200)]
Metric = Annotated[str, StringConstraints(pattern="^[a-z0-9_@+/.-]+$")]
Interval = Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)]


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
    languages: list[Annotated[str, StringConstraints(pattern="^[a-z]{2}$")]] = Field(min_length=1)
    size: int = Field(ge=1)

    @field_validator("languages")
    @classmethod
    def _are_different(cls, languages: list[str]) -> list[str]:
        if len(set(languages)) < len(languages):
            raise ValueError(f"names a language twice: {', '.join(languages)}")
        return languages


class Environment(Part):
    """Machine and packages."""

    python: str
    packages: dict[str, str]
    cpu: str
    gpu: str | None


class Content(Part):
    """The whole file."""

    version: Literal[1] = Field(alias="schema")
    experiment: Literal["concept-alignment", "semantic-affinity", "mixed-retrieval", "finetune"]
    model: Model
    dataset: Dataset
    params: dict[str, Any]
    metrics: dict[Metric, FiniteFloat] = Field(min_length=1)
    ci95: dict[str, Interval]
    items: Annotated[str, StringConstraints(pattern=r"^[^/\\]+\.parquet$")] | None
    environment: Environment
    timing: dict[str, Annotated[float, Field(ge=0)]]
    created: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")

    @field_validator("ci95")
    @classmethod
    def _is_around_a_metric(cls, ci95: dict[str, Interval], info: ValidationInfo) -> dict[str, Interval]:
        for metric, (low, high) in ci95.items():
            if metric not in info.data.get("metrics", {}) or low > high:
                raise ValueError(f"{metric} has no metric or its bounds are the wrong way round")
        return ci95


def check_record(content: Any, name: str) -> None:
    """Check a record against the schema.

    :param content: The parsed JSON.
    :param name: Name of the file, for the message.
    :raises XlError: Naming the field that is wrong.
    """
    try:
        Content.model_validate(content)
    except ValidationError as error:
        raise XlError(f"{name}: {first_fault(error)}") from None
