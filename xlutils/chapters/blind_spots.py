"""What Semantic Affinity cannot see: disturb a space on purpose and watch three measures of alignment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from xlutils.chapters.affinity import AffinityStudy
from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import XlError
from xlutils.metrics.affinity import semantic_affinity
from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.neighbours import pair_scores
from xlutils.metrics.uncertainty import bootstrap_ci

Spaces = dict[str, np.ndarray]
_FEWEST = 3
MEASURES = ("semantic affinity", "retrieval", "MEXA")


@dataclass(frozen=True)
class Disturbance:
    """A way to change a space.

    :param question: What it stands for.
    :param strength: What its strength is called.
    :param strengths: Strengths to try, the first one harmless.
    :param apply: Takes the spaces of two languages, a strength and a random generator; returns new spaces.
    """

    question: str
    strength: str
    strengths: tuple[float, ...]
    apply: Callable[[Spaces, float, np.random.Generator], Spaces]


def _move_a_language(spaces: Spaces, strength: float, rng: np.random.Generator) -> Spaces:
    """Add one vector to all words of the second language."""
    first, second = spaces
    return {first: spaces[first], second: spaces[second] + strength * _direction(spaces[second], rng)}


def _move_everything(spaces: Spaces, strength: float, rng: np.random.Generator) -> Spaces:
    """Add one vector to all words of both languages: a narrow cone."""
    direction = _direction(next(iter(spaces.values())), rng)
    return {language: vectors + strength * direction for language, vectors in spaces.items()}


def _keep_directions(spaces: Spaces, strength: float, rng: np.random.Generator) -> Spaces:
    """Keep the strongest directions of the space and forget the rest."""
    together = np.vstack(list(spaces.values()))
    directions = np.linalg.svd(together - together.mean(axis=0), full_matrices=False)[2][: int(strength)]
    return {language: vectors @ directions.T for language, vectors in spaces.items()}


def _direction(vectors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    direction = rng.standard_normal(vectors.shape[1:])
    return direction / np.sqrt(direction @ direction)


DISTURBANCES = (
    Disturbance("One language moves away", "length of the shift", (0, 0.25, 0.5, 1, 2, 4), _move_a_language),
    Disturbance("Everything moves into a cone", "length of the shift", (0, 0.25, 0.5, 1, 2, 4), _move_everything),
    Disturbance("Detail is forgotten", "directions kept", (64, 32, 16, 8, 4, 2), _keep_directions),
)


def disturb(study: AffinityStudy, seed: int) -> pd.DataFrame:
    """Disturb the first two languages of a model in three ways, and measure.

    :param study: A model on a lexicon.
    :param seed: Seed of the shifts and of the intervals.
    :return: A row a question, strength and measure: value, low, high.
    """
    lexicon = _first_words(study.lexicon)
    spaces = {code: study.spaces[code][_places(study.lexicon, lexicon, code)] for code in lexicon.languages}
    tables = []
    for disturbance in DISTURBANCES:
        for strength in disturbance.strengths:
            rng = np.random.default_rng(seed)  # the same direction at every strength
            table = three_measures(disturbance.apply(spaces, strength, rng), lexicon, seed)
            tables.append(table.assign(question=disturbance.question, strength=strength))
    return pd.concat(tables).rename_axis("measure").reset_index()


def compare_measures(studies: Mapping[str, AffinityStudy], seed: int) -> pd.DataFrame:
    """Take the three measures of several models as they are, and of the first with two harmless changes.

    :param studies: By name; all on the same lexicon.
    :param seed: Seed of the intervals.
    :return: A row a space and measure: value, low, high.
    """
    tables = []
    for position, (name, study) in enumerate(studies.items()):
        lexicon = _first_words(study.lexicon)
        spaces = {code: study.spaces[code][_places(study.lexicon, lexicon, code)] for code in lexicon.languages}
        variants = {name: spaces}
        if position == 0:
            second = lexicon.languages[1]
            variants[f"{name}, one language seven times as long"] = {**spaces, second: 7 * spaces[second]}
            variants[f"{name}, each language centred"] = {c: v - v.mean(axis=0) for c, v in spaces.items()}
        tables += [three_measures(each, lexicon, seed).assign(space=label) for label, each in variants.items()]
    return pd.concat(tables).rename_axis("measure").reset_index()


def three_measures(spaces: Spaces, lexicon: Lexicon, seed: int) -> pd.DataFrame:
    """Measure two languages by affinity, retrieval and MEXA.

    :param spaces: For each of two languages the vectors of its distinct words; their length does not matter.
    :param lexicon: One word a concept and language.
    :param seed: Seed of the intervals.
    :return: A row a measure: value, low, high.
    """
    affinity = semantic_affinity(spaces, lexicon)
    unit = {code: unit_rows(vectors) for code, vectors in spaces.items()}
    pairs = [unit[code][_rows(lexicon, code)] for code in lexicon.languages]
    scores = pair_scores(*pairs)
    values: list[np.ndarray] = [affinity.sa_values, (scores.forward + scores.backward) / 2, scores.strictly_best]
    rows = [(each.mean(), *bootstrap_ci(each, seed=seed)) for each in values]
    return pd.DataFrame(rows, columns=["value", "low", "high"], index=list(MEASURES))


def _first_words(lexicon: Lexicon) -> Lexicon:
    """Keep two languages, the concepts that both have, and the first word of each."""
    languages = lexicon.languages[:2]
    there = [all(lexicon.cells[code][row] for code in languages) for row in range(len(lexicon.concepts))]
    if sum(there) < _FEWEST:
        raise XlError(f"{lexicon.name}: {sum(there)} concepts have words in both {' and '.join(languages)}; "
                      f"to disturb a space takes {_FEWEST}")  # fmt: skip
    kept = lexicon.only([concept for concept, both in zip(lexicon.concepts, there, strict=True) if both])
    return replace(kept, cells={code: tuple(cell[:1] for cell in kept.cells[code]) for code in languages})


def _rows(lexicon: Lexicon, code: str) -> list[int]:
    """For each concept the place of its word among the distinct words of the language."""
    places = {word: place for place, word in enumerate(lexicon.words(code))}
    return [places[cell[0]] for cell in lexicon.cells[code]]


def _places(whole: Lexicon, part: Lexicon, code: str) -> list[int]:
    """For each distinct word of a part of a lexicon its place in the whole."""
    places = {word: place for place, word in enumerate(whole.words(code))}
    return [places[word] for word in part.words(code)]
