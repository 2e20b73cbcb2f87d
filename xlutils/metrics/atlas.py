"""How well a model knows each of many languages: pools of all of them, few-shot repair, and how unevenly it serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlutils.metrics.blocks import blocks, in_threads
from xlutils.metrics.neighbours import pair_scores
from xlutils.metrics.ranking import TOLERANCE, gold_scores
from xlutils.metrics.repair import centre, rotate

_QUERIES = 256  # their scores with the documents of a language stay near the processor
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PoolOfAll:
    """What each text of L languages finds among the texts of all of them; m items are asked.

    Documents that score the same stand in any order: each of them counts as half a document above the other. NaN
    where the query or the pivot's text is missing, and in the pivot's own row, which has `found` only.

    :param place: Expected place of the pivot's text, float64 [L, m]. The query is not among the documents, nor are
        its translations into other languages than the pivot.
    :param own: Expected number of documents in the query's language above the pivot's text, divided by that of all
        documents above it, float64 [L, m]; NaN if there are none.
    :param same_script: The same for documents in other languages with the script of the query's language.
    :param found: Chance that the query finds its translation first in a language alone, mean over all other languages
        that have one, float64 [L, m].
    """

    place: Floats
    own: Floats
    same_script: Floats
    found: Floats


def pool_of_all(
    vectors: Mapping[str, np.ndarray], pivot: str, scripts: Mapping[str, str], asked: ArrayLike
) -> PoolOfAll:
    """Let the asked items of each language search among all texts of all languages.

    :param vectors: Unit vectors by language, float32 [n, dim]; row i of each is the same item, NaN if it is missing.
    :param scripts: The script of each language.
    :param asked: Positions of items, int [m].
    :return: Rows in the order of `vectors`.
    :raises ValueError: If the pivot is missing, shapes differ or an item is out of range.
    """
    shapes = {space.shape for space in vectors.values()}
    if pivot not in vectors or len(shapes) > 1:
        raise ValueError(f"vectors must have the pivot, {pivot}, and one shape in all languages, not {sorted(shapes)}")
    spaces = {language: np.asarray(space, np.float32) for language, space in vectors.items()}
    missing = {language: np.isnan(space[:, 0]) for language, space in spaces.items()}
    items = np.asarray(asked)
    if items.size and not 0 <= items.min() <= items.max() < len(spaces[pivot]):
        raise ValueError(f"asked must be positions of the {len(spaces[pivot])} items")

    def ask(task: tuple[str, slice]) -> Floats:
        """Return documents above, by language: that of the query, same script, other; translations found, present."""
        own, rows = task
        item_of, everyone = items[rows], np.arange(rows.stop - rows.start)
        queries = spaces[own][item_of]
        limits = gold_scores(queries, spaces[pivot], item_of[:, None])[:, 0]
        sums = np.zeros((5, len(everyone)))
        for language, space in spaces.items():
            scores = space @ queries.T
            scores[missing[language]] = -np.inf
            translation = scores[item_of, everyone]
            if language != own:
                sums[3] += _found_first(scores, translation)
                sums[4] += np.isfinite(translation)
            if language != pivot:
                scores[item_of, everyone] = -np.inf
            group = 0 if language == own else 1 if scripts[language] == scripts[own] else 2
            above, reached = _count(scores, limits + TOLERANCE), _count(scores, limits - TOLERANCE)
            sums[group] += (above + reached - (language == pivot)) / 2
        sums[:, np.isnan(limits)] = np.nan
        return sums

    tasks = [(language, rows) for language in spaces for rows in blocks(len(items), _QUERIES)]
    sums = np.concatenate([np.zeros((5, 0)), *in_threads(ask, tasks)], axis=1)
    own, same_script, other, found, present = sums.reshape(5, len(spaces), len(items))
    above = own + same_script + other
    above[list(spaces).index(pivot)] = np.nan
    with np.errstate(invalid="ignore"):
        return PoolOfAll(above + 1, own / above, same_script / above, found / present)


def few_shot_accuracy(
    texts: np.ndarray, pivots: np.ndarray, fitted: ArrayLike, tested: ArrayLike, how: Literal["mean", "rotation"]
) -> Floats:
    """Repair a language with a few of its texts, and let the other texts and their translations find each other.

    :param texts: Unit vectors of a language, float [n, dim]; `pivots` likewise, the translation of each text.
    :param fitted: Positions of the texts that the repair is fitted on, int [f].
    :param tested: Positions of the texts that search and are found, int [t]; none of them is fitted on.
    :param how: "mean": subtract the mean of either language; "rotation": move the texts onto their translations.
    :return: Mean of the chances that a text finds its translation first, and the translation the text, float64 [t].
    :raises ValueError: If a text is fitted and tested, or `how` is another word.
    """
    few, rest = np.asarray(fitted), np.asarray(tested)
    if np.isin(few, rest).any():
        raise ValueError("a repair must be fitted on other texts than it is tested on")
    spaces = {"text": texts[rest], "pivot": pivots[rest]}
    if how == "mean":
        repaired = centre(spaces, {"text": texts[few], "pivot": pivots[few]})
    elif how == "rotation":
        repaired = rotate(spaces, {"text": (texts[few], pivots[few])})
    else:
        raise ValueError(f"a repair is mean or rotation, not {how}")
    scores = pair_scores(repaired["text"], repaired["pivot"])
    return np.asarray((scores.forward + scores.backward) / 2)


def gini(values: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Return the Gini coefficient: mean difference of two values, divided by twice the mean; 0 if all are equal.

    :param values: One value from 0 for each language, float [..., L]; NaN is left out.
    :param weights: Numbers of speakers, float [L], from 0; NaN is left out. By default each language counts once.
    :return: float64 [...].
    """
    scores = np.asarray(values, np.float64)
    order = np.argsort(scores, axis=-1)  # NaN comes last
    people = np.ones(scores.shape[-1]) if weights is None else np.nan_to_num(np.asarray(weights, np.float64))
    ranked = np.take_along_axis(scores, order, axis=-1)
    weight = np.where(np.isnan(ranked), 0, people[order])
    held = np.nan_to_num(ranked) * weight
    below = np.cumsum(weight, axis=-1) - weight  # weight of the languages before, and after
    total = weight.sum(axis=-1, keepdims=True)
    spread = (held * (below - (total - below - weight))).sum(axis=-1)
    mass = total[..., 0] * held.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where((mass == 0) & (total[..., 0] > 0), 0.0, spread / mass))


def worst_tenth(values: ArrayLike) -> Floats:
    """Return the mean of the lowest tenth of the values of languages, rounded up to whole languages: float64 [...].

    :param values: float [..., L]; NaN is left out.
    """
    ranked = np.sort(np.asarray(values, np.float64), axis=-1)  # NaN comes last
    lowest = np.ceil(np.isfinite(ranked).sum(axis=-1, keepdims=True) / 10)
    chosen = np.arange(ranked.shape[-1]) < lowest
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(chosen, ranked, 0).sum(axis=-1) / lowest[..., 0])


def _count(scores: np.ndarray, limits: np.ndarray) -> NDArray[np.int32]:
    """Count the scores, [n, m], above the limit of each column, [m]."""
    return np.asarray((scores > limits).sum(axis=0, dtype=np.int32))


def _found_first(scores: np.ndarray, right: np.ndarray) -> Floats:
    """Return the chance that a score of each column, [m], comes first among all scores, [n, m]; 0 if it is missing."""
    is_best = np.isfinite(right) & (scores.max(axis=0) <= right + TOLERANCE)
    return np.where(is_best, 1 / np.maximum(_count(scores, right - TOLERANCE), 1), 0.0)
