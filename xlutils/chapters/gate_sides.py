"""The gate: what is compared, a model or a folder of vectors, as vectors of the canaries and facts about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlutils.chapters.atlas_values import Spaces, encode_all
from xlutils.datasets.canaries import QUESTION, Canaries
from xlutils.datasets.languages import language_name
from xlutils.datasets.vectors import VectorTable, read_vectors
from xlutils.errors import XlError, unknown
from xlutils.metrics.geometry import unit_rows
from xlutils.models import load_model
from xlutils.models.catalogue import ROLES
from xlutils.models.encoder import Encoder
from xlutils.results.record import describe_model

_FILES = ("vectors.npy", "texts.csv")
_UNIT = 1e-3  # by which the length of a vector may differ from 1, in 16-bit numbers too


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two that are compared.

    :param about: Name, revision, source and fingerprint, as in records.
    :param queries: Unit vectors by language, float32 [n, dim]; NaN where one is missing. `documents` likewise.
    :param facts: What else decides how vectors compare: dimensions, length, prompts, settings.
    :param cut: Which canaries are longer than the model reads, by language, bool [n]; {} if it does not show that.
    """

    about: Mapping[str, str]
    queries: Spaces
    documents: Spaces
    facts: Mapping[str, str]
    cut: Mapping[str, NDArray[np.bool_]]

    @property
    def name(self) -> str:
        """Name in records."""
        return self.about["name"]

    def has(self, code: str) -> NDArray[np.bool_]:
        """Return which canaries have their vectors in a language, bool [n]."""
        return np.isfinite(self.queries[code][:, 0]) & np.isfinite(self.documents[code][:, 0])


def open_source(name: str, prompts: Mapping[str, str] | None = None) -> Encoder | VectorTable:
    """Load a model, or read a folder of vectors.

    :param name: As for `load_model`, or a folder with vectors.npy and texts.csv.
    :param prompts: Replaces the prompts of some roles.
    :raises XlError: If it cannot be read, or a role is unknown.
    """
    folder = Path(name).expanduser()
    if any((folder / file).exists() for file in _FILES):
        if prompts:
            raise XlError(f"{folder.name} holds vectors, which have no prompt any more; leave the prompt out")
        return read_vectors(folder)
    for role in prompts or ():
        if role not in ROLES:
            raise unknown("role", role, ROLES)
    encoder = load_model(name)
    return replace(encoder, prompts={**encoder.prompts, **prompts}) if prompts else encoder


def side_of(source: Encoder | VectorTable, canaries: Canaries) -> Side:
    """Return the vectors that a model, or a folder of vectors, has for the canaries."""
    return _side_of_model(source, canaries) if isinstance(source, Encoder) else _side_of_table(source, canaries)


def _side_of_model(encoder: Encoder, canaries: Canaries) -> Side:
    documents = encode_all(encoder, canaries.documents, "passage")
    is_same = canaries.queries is canaries.documents and encoder.space("query") == encoder.space("passage")
    queries = documents if is_same else encode_all(encoder, canaries.queries, "query")
    facts = {"dimensions": str(encoder.dim), "vectors": _lengths(_raw(encoder, canaries))}
    facts |= {f"prompt of a {role}": repr(encoder.prompts.get(role, "")) for role in ("query", "passage")}
    facts |= {f"task of a {role}": str(encoder.tasks.get(role)) for role in ("query", "passage")}
    facts |= {name: str(value) for name, value in encoder.settings.items()}
    cut = {code: _cut(encoder, canaries, code) for code in canaries.languages}
    return Side(describe_model(encoder), queries, documents, facts, {c: rows for c, rows in cut.items() if rows.any()})


def _raw(encoder: Encoder, canaries: Canaries) -> np.ndarray:
    """Return the vector of a canary before the encoder normalises it, [1, dim]."""
    text = next(filter(None, canaries.documents[canaries.pivot]))
    prompt, task = encoder.prompts.get("passage", ""), encoder.tasks.get("passage")
    return next(iter(encoder.backend.embed([text], prompt, task)))[1]


def _lengths(vectors: np.ndarray) -> str:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    return "of unit length" if (np.abs(lengths - 1) < _UNIT).all() else "of other lengths (compared by cosine)"


def _cut(encoder: Encoder, canaries: Canaries, code: str) -> NDArray[np.bool_]:
    is_cut = np.zeros(len(canaries.ids), bool)
    for texts, role in ((canaries.queries[code], "query"), (canaries.documents[code], "passage")):
        rows = [row for row, text in enumerate(texts) if text]
        counts = encoder.count_tokens([texts[row] for row in rows], role) if len(rows) else None
        if counts is not None:
            is_cut[rows] |= counts[:, 2] > 0
    return is_cut


def _side_of_table(table: VectorTable, canaries: Canaries) -> Side:
    vectors = unit_rows(table.vectors)
    has_questions = QUESTION in canaries.kinds
    if has_questions and not any(role == "query" for _, _, role in table.keys):
        raise XlError(f"{table.name}/texts.csv has no row of the role query; the canaries ask questions")
    digest = hashlib.sha256(table.vectors.tobytes()).hexdigest()
    about = {"name": table.name, "revision": digest[:12], "source": "vectors", "fingerprint": digest[:16]}

    def space(code: str, role: str) -> np.ndarray:
        result = np.full((len(canaries.ids), vectors.shape[1]), np.nan, np.float32)
        for row, key in enumerate(canaries.ids):
            place = table.place.get((key, code, role))
            if place is not None:
                result[row] = vectors[place]
        return result

    documents = {code: space(code, "passage") for code in canaries.languages}
    queries = {code: space(code, "query") for code in canaries.languages} if has_questions else documents
    return Side(about, queries, documents, _facts_of_table(table), {})


def _facts_of_table(table: VectorTable) -> dict[str, str]:
    return {"dimensions": str(table.vectors.shape[1]), "vectors": _lengths(table.vectors)}


def notes(base: Side, candidate: Side) -> list[str]:
    """Return how the two differ in what decides how vectors compare, one line each."""
    known = [name for name in candidate.facts if name in base.facts]
    changed = [name for name in known if base.facts[name] != candidate.facts[name]]
    return [f"{name}: {base.facts[name]} before, {candidate.facts[name]} now" for name in changed]


def truncation(base: Side, candidate: Side) -> list[str]:
    """Return a warning if the candidate cuts canaries that the base reads whole."""
    counts = {code: int((rows & ~base.cut.get(code, False)).sum()) for code, rows in candidate.cut.items()}
    parts = [f"{count} in {language_name(code)}" for code, count in counts.items() if count]
    return [f"truncation: {candidate.name} cuts canaries that {base.name} reads whole: {', '.join(parts)}"] * bool(
        parts
    )
