"""What the JSON file of a record may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints


class Part(BaseModel):
    """A part of a record: nothing may be missing, nothing else be there, no type be guessed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Model(Part):
    """Which model was measured."""

    name: str = Field(min_length=1, max_length=200)
    revision: str
    source: str
    fingerprint: str = Field(pattern="^[0-9a-f]{16}$")


class Dataset(Part):
    """On which data."""

    name: str = Field(min_length=1, max_length=200)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    languages: list[Annotated[str, StringConstraints(pattern="^[a-z]{2}$")]] = Field(min_length=1)
    size: int = Field(ge=1)


class Environment(Part):
    """Where."""

    python: str
    packages: dict[str, str]
    cpu: str
    gpu: str | None


class Content(Part):
    """What the JSON file of a record holds."""

    version: Literal[1] = Field(alias="schema")
    experiment: Literal["concept-alignment", "semantic-affinity", "mixed-retrieval", "finetune"]
    model: Model
    dataset: Dataset
    params: dict[str, Any]
    metrics: dict[Annotated[str, StringConstraints(pattern="^[a-z0-9_@+/.-]+$")], FiniteFloat] = Field(min_length=1)
    ci95: dict[str, Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)]]
    items: Annotated[str, StringConstraints(pattern=r"^[^/\\]+\.parquet$")] | None
    environment: Environment
    timing: dict[str, Annotated[float, Field(ge=0)]]
    created: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")
