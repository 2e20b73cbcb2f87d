"""Chapter 6: whether a role is nearer to the woman or the man in it, and words of a culture to their translations."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.atlas_values import encode_all
from xlutils.chapters.relation_tests import LEAST
from xlutils.chapters.tables import combine_means
from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import XlError
from xlutils.metrics.geometry import translation_gap
from xlutils.metrics.relations import antonym_margin
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


def study_roles(encoder: Encoder, lexicon: Lexicon, seed: int = 42) -> Record:
    """Measure in each language whether roles are nearer to the woman or to the man in them (as WEAT asks).

    The metric "woman-man" is the mean difference of the two cosines, "effect" that difference in units of its standard
    deviation, and "p" its p-value under random exchange of woman and man, corrected for the number of languages. Roles
    without all three names, or whose woman and man have one name, are left out. "generic" is the share of roles that
    are spelled like the man.

    :param lexicon: Such as cldr.
    :raises XlError: If no language has five such roles.
    """
    started = time.perf_counter()
    roles = roles_of(lexicon)
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
    if not rows:
        raise XlError(f"{lexicon.name}: no language has {LEAST} roles with a woman and a man; give more")
    for code, p_value in zip(tests, holm(list(tests.values())), strict=True):
        rows.append({"kind": "language", "language": code, "metric": "p", "value": float(p_value)})
    return _record(encoder, lexicon, rows, {"seed": seed, "roles": len(roles)}, started)


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
