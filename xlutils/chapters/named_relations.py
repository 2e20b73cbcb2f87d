"""Chapter 6: relations that the names of things show in a hundred languages, and words that carry a culture."""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.atlas_values import encode_all
from xlutils.chapters.relation_tests import LEAST
from xlutils.chapters.relations import learned_of, mean_rows
from xlutils.chapters.tables import combine_means
from xlutils.datasets.files import BUILTIN, read_text
from xlutils.datasets.languages import no_language
from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import XlError
from xlutils.metrics.geometry import translation_gap
from xlutils.metrics.relations import antonym_margin, category_scores, found_first, told_apart
from xlutils.metrics.uncertainty import bootstrap_ci, holm, paired_difference
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table

WOMAN, MAN = "woman ", "man "  # how the names of such things begin in English
_SHUFFLES = 20_000  # enough to be significant among a hundred languages
Floats = NDArray[np.float64]


def roles_of(lexicon: Lexicon) -> list[str]:
    """Return the roles that a lexicon names three times: such as "cook", "woman cook" and "man cook"."""
    names = set(lexicon.concepts)
    roles = [name.removeprefix(WOMAN) for name in lexicon.concepts if name.startswith(WOMAN)]
    return [role for role in roles if role in names and f"{MAN}{role}" in names]


def study_names(encoder: Encoder, lexicon: Lexicon, pivot: str = "en", seed: int = 42) -> Record:
    """Measure in each language what the names of things show: groups, contrasts, and roles of women and men.

    "group-members": a name is nearer to the other members of its group in the pivot than to those of other groups, as
    `category_scores`. "contrasts": a name is nearer to its translation than to the name of its opposite. Both are means
    of both directions, over the names that are spelled differently from the pivot's. For the rest, see `role_rows`.

    :param lexicon: Such as cldr, with the English names as concepts.
    :raises XlError: If the pivot is missing, or no language has five groups of two, contrasts or roles.
    """
    started = time.perf_counter()
    if pivot not in lexicon.languages:
        raise no_language(lexicon.name, pivot, lexicon.languages)
    texts = {code: [cell[0] if cell else "" for cell in column] for code, column in lexicon.cells.items()}
    vectors = encode_all(encoder, texts, "word")
    others = [code for code in lexicon.languages if code != pivot]
    columns: dict[str, dict[str, Floats]] = {"group-members": {}, "contrasts": {}}
    for code in others:
        rows = set(lexicon.comparable(code, pivot))
        for metric, values in _compared(lexicon, rows, vectors[code], vectors[pivot]):
            columns[metric][code] = values
    learned, table = learned_of(encoder, others), []
    for metric, column in columns.items():
        table += mean_rows(pd.DataFrame(column), metric, learned, seed) if column else []
    table += role_rows(encoder, lexicon, seed)
    if not table:
        raise XlError(f"{lexicon.name}: no language has {LEAST} names of a kind to compare; give more")
    return _record(encoder, lexicon, table, {"seed": seed, "pivot": pivot}, started)


def _compared(lexicon: Lexicon, rows: set[int], here: np.ndarray, there: np.ndarray) -> Iterator[tuple[str, Floats]]:
    """Yield the values of the names that can be compared, float64 [relations]; NaN for the others."""
    relations = _relations()
    place = {concept: row for row, concept in enumerate(lexicon.concepts) if row in rows}
    members = [number for number, (kind, name, _) in enumerate(relations) if kind == "category" and name in place]
    sizes = Counter(relations[number][2] for number in members)
    members = [number for number in members if sizes[relations[number][2]] > 1]
    contrasts = [n for n, (kind, *pair) in enumerate(relations) if kind == "contrast" and {*pair} <= {*place}]
    values = np.full(len(relations), np.nan)
    if len({relations[number][2] for number in members}) >= LEAST:
        category_of = np.unique([relations[number][2] for number in members], return_inverse=True)[1]
        at = [place[relations[number][1]] for number in members]
        scores = category_scores(here[at], there[at], category_of), category_scores(there[at], here[at], category_of)
        values[members] = np.mean([found_first(side, category_of) for side in scores], axis=0)
        yield "group-members", values.copy()
    if len(contrasts) >= LEAST:
        at, opposite = ([place[relations[number][side]] for number in contrasts] for side in (1, 2))
        margins = [
            antonym_margin(asked[one], answers[one], answers[other])
            for asked, answers in ((here, there), (there, here))
            for one, other in ((at, opposite), (opposite, at))
        ]
        values[:] = np.nan
        values[contrasts] = np.mean([told_apart(margin) for margin in margins], axis=0)
        yield "contrasts", values


@cache
def _relations() -> tuple[tuple[str, str, str], ...]:
    """Return the relations between concepts: kind, concept, and its group or its opposite."""
    rows = csv.reader(io.StringIO(read_text(BUILTIN / "name-relations.csv")))
    return tuple((kind, first, second) for kind, first, second in list(rows)[1:])


def role_rows(encoder: Encoder, lexicon: Lexicon, seed: int = 42) -> list[dict[str, Any]]:
    """Return in each language whether roles are nearer to the woman or to the man in them (as WEAT asks).

    The metric "woman-man" is the mean difference of the two cosines, "effect" that difference in units of its standard
    deviation, and "p" its p-value under random exchange of woman and man, corrected for the number of languages. Roles
    without all three names, or whose woman and man have one name, are left out. "generic" is the share of roles that
    are spelled like the man.

    :return: Rows of a record; none for a language with fewer than five such roles.
    """
    roles = roles_of(lexicon)
    if not roles:
        return []
    part = lexicon.only([f"{start}{role}" for start in ("", WOMAN, MAN) for role in roles])
    texts = {code: [cell[0] if cell else "" for cell in column] for code, column in part.cells.items()}
    vectors = encode_all(encoder, texts, "word")
    tests: dict[str, float] = {}
    rows: list[dict[str, Any]] = []
    for code, column in texts.items():
        names = np.array(column, object).reshape(3, -1)
        kept = (names != "").all(axis=0) & (names[1] != names[2])
        if kept.sum() < LEAST:
            continue
        role, woman, man = vectors[code].reshape(3, -1, encoder.dim)[:, kept]
        difference = antonym_margin(role, woman, man)
        test = paired_difference(difference, np.zeros(len(difference)), _SHUFFLES, seed)
        tests[code] = test.p_value
        key = {"kind": "language", "language": code}
        rows += [
            {**key, "metric": "woman-man", "value": test.mean, "low": test.low, "high": test.high},
            {**key, "metric": "effect", "value": test.mean / max(float(difference.std(ddof=1)), 1e-9)},
            {**key, "metric": "generic", "value": float((names[0, kept] == names[2, kept]).mean())},
            {**key, "metric": "roles", "value": float(kept.sum())},
        ]
    for code, p_value in zip(tests, holm(list(tests.values())), strict=True):
        rows.append({"kind": "language", "language": code, "metric": "p", "value": float(p_value)})
    return rows


def study_culture(encoder: Encoder, loaded: Lexicon, everyday: Lexicon, pivot: str = "en", seed: int = 42) -> Record:
    """Compare how near culturally loaded words and everyday ones are to their translations, in each language.

    The metrics "gap" and "everyday-gap" are the means of `translation_gap`; "culture-everyday" is their difference.

    :raises XlError: If the lexicons have no language in common with the pivot.
    """
    started = time.perf_counter()
    codes = [code for code in loaded.languages if code in everyday.languages and code != pivot]
    if pivot not in loaded.languages or not codes:
        raise XlError(f"{loaded.name} and {everyday.name} have no language in common besides {pivot}; name others")
    rows: list[dict[str, Any]] = []
    for code in codes:
        gaps = [_gaps(encoder, lexicon, code, pivot) for lexicon in (loaded, everyday)]
        key = {"kind": "language", "language": code}
        for metric, values in zip(("gap", "everyday-gap"), gaps, strict=True):
            low, high = bootstrap_ci(values, seed=seed)
            rows.append({**key, "metric": metric, "value": float(values.mean()), "low": low, "high": high})
        value, low, high = combine_means(gaps, (1, -1), seed)
        rows.append({**key, "metric": "culture-everyday", "value": value, "low": low, "high": high})
    params = {"seed": seed, "pivot": pivot, "everyday": everyday.sha256}
    return _record(encoder, loaded, rows, params, started)


def _gaps(encoder: Encoder, lexicon: Lexicon, code: str, pivot: str) -> Floats:
    kept = lexicon.comparable(code, pivot)
    texts = {tag: [lexicon.cells[tag][row][0] for row in kept] for tag in (code, pivot)}
    vectors = encode_all(encoder, texts, "word")
    return translation_gap(vectors[code], vectors[pivot])


def _record(
    encoder: Encoder, lexicon: Lexicon, rows: list[dict[str, Any]], params: dict[str, Any], started: float
) -> Record:
    about = describe_model(encoder), describe_dataset(lexicon, len(lexicon.concepts))
    seconds = {"measure": round(time.perf_counter() - started, 3)}
    return Record("relations", *about, params, metric_table(pd.DataFrame(rows)), seconds)
