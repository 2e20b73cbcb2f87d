"""Chapter 7: a linear map within one model, as alignment and as repair: what it needs, gains and costs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.atlas import first_texts
from xlutils.chapters.atlas_values import affinities, encode_all
from xlutils.chapters.few_shot import interval_over_draws
from xlutils.chapters.relations import encode_pairs
from xlutils.datasets.languages import no_language
from xlutils.datasets.lexicon import Lexicon
from xlutils.datasets.relations import TextPairs
from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.learned_maps import self_learned_pairs
from xlutils.metrics.maps import LinearMap, fit_map
from xlutils.metrics.neighbours import nearest, pair_scores
from xlutils.metrics.relations import antonym_margin, jaccard, neighbour_weights, told_apart
from xlutils.metrics.repair import centre
from xlutils.metrics.uncertainty import bootstrap_ci
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table

SIZES = (5, 25, 100, 500, 1000)  # pairs that a map is fitted on
SHARES = tuple(step / 10 for step in range(11))  # of a map that is applied
PUBLISHED, CENTRED, BOTH, CSLS, LEARNED = (
    "",
    "centred",
    "ridge-shrunk and centred",
    "ridge-shrunk with CSLS",
    "self-learning",
)
WAYS = (
    *("centred", "shift", "procrustes", "procrustes-shrunk", "ridge", "ridge-shrunk", "low-rank"),
    *(BOTH, CSLS, LEARNED),
)
COSTS = ("centred", "shift", "procrustes", "procrustes-shrunk", "ridge", "ridge-shrunk", "low-rank")
NEIGHBOURS = 10
_LEAN = 0.1  # of rotations that start from few pairs
_LEAST = 20  # tested texts
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Side = tuple[np.ndarray, np.ndarray]  # vectors of a language and of the pivot; one row is one meaning


@dataclass(frozen=True, eq=False)
class Split:
    """Names of things in one language and the pivot: those that maps are fitted on, and those they are tested on.

    :param fitted: Positions of names; none of them is spelled like a tested one in either language.
    :param tested: Positions of names.
    """

    fitted: Numbers
    tested: Numbers


@dataclass(frozen=True, eq=False)
class MapStudy:
    """One model and the maps of some of its languages onto the pivot.

    :param encoder: The model.
    :param lexicon: Names of things.
    :param params: As the record says them.
    :param vectors: Vectors by language, float32 [n, dim]; NaN where a thing has no name.
    :param splits: What maps are fitted and tested on, by language.
    :param maps: Maps onto the pivot by language, ridge-shrunk, fitted on all pairs that are not tested.
    :param metrics: Rows of the record.
    :param seconds: Time spent on encoding and on measuring.
    """

    encoder: Encoder
    lexicon: Lexicon
    params: Mapping[str, Any]
    vectors: Mapping[str, np.ndarray]
    splits: Mapping[str, Split]
    maps: Mapping[str, LinearMap]
    metrics: pd.DataFrame
    seconds: Mapping[str, float]

    def record(self) -> Record:
        """Return the record of this measurement."""
        about = describe_model(self.encoder), describe_dataset(self.lexicon, len(self.lexicon.concepts))
        variant = "" if self.params["everything"] else "live"
        return Record("maps", *about, self.params, self.metrics, self.seconds, variant=variant)


def split_names(lexicon: Lexicon, code: str, pivot: str, seed: int) -> Split:
    """Divide the names that a language and the pivot spell differently: a third of them is tested."""
    rows = np.array(lexicon.comparable(code, pivot), np.int64)
    is_tested = np.random.default_rng(seed).permutation(len(lexicon.concepts)) % 3 == 0
    tested, rest = rows[is_tested[rows]], rows[~is_tested[rows]]
    if len(tested) < _LEAST:
        raise XlError(f"{lexicon.name}: {code} and {pivot} share {len(rows)} names, too few to fit and test a map")
    words = {side: [cell[0].casefold() if cell else "" for cell in lexicon.cells[side]] for side in (code, pivot)}
    taken = {side: {column[row] for row in tested} for side, column in words.items()}
    fitted = [row for row in rest if all(words[side][row] not in taken[side] for side in taken)]
    return Split(np.array(fitted, np.int64), tested)


def study_maps(
    encoder: Encoder,
    lexicon: Lexicon,
    relations: TextPairs,
    languages: Sequence[str],
    pivot: str = "en",
    seed: int = 42,
    draws: int = 5,
    sizes: Sequence[int] = SIZES,
    ways: Sequence[str] = WAYS,
    *,
    everything: bool = True,
) -> MapStudy:
    """Map languages onto the pivot in several ways, and measure what that gains and costs.

    Every map is fitted on some names of things and tested on others; the fitted ones are drawn anew several times, and
    larger draws contain the smaller ones.

    :param relations: Pairs of related words, of which the antonyms are used.
    :param languages: Languages to map.
    :param everything: Whether this is the whole experiment, or a part of it that the page runs.
    """
    for code in (pivot, *languages):
        if code not in lexicon.languages:
            raise no_language(lexicon.name, code, lexicon.languages)
    started = time.perf_counter()
    texts = first_texts(lexicon)
    vectors = encode_all(encoder, {code: texts[code] for code in (pivot, *languages)}, "word")
    opposites = encode_pairs(encoder, relations)
    encoded = time.perf_counter()
    rows, splits, maps = [], {}, {}
    for code in languages:
        split = splits[code] = split_names(lexicon, code, pivot, seed)
        space, pivots = vectors[code], vectors[pivot]
        pairs, tested = ((space[part], pivots[part]) for part in (split.fitted, split.tested))
        maps[code] = fit_map(*pairs, seed=seed)
        words = {side: [texts[side][row] for row in split.tested] for side in (pivot, code)}
        parts = [_curve(space, pivots, split, ways, sizes, draws, seed), _dial(maps[code], tested, seed)]
        parts.append(_costs(pairs, tested, words, code, pivot, seed))
        seen = {texts[side][row].casefold() for side in (pivot, code) for row in split.fitted}
        antonyms = _unseen_antonyms(relations, code, pivot, seen)
        if len(antonyms) >= _LEAST:
            sides = [(opposites[code][side][antonyms], opposites[pivot][side][antonyms]) for side in (0, 1)]
            parts.append(_opposites(pairs, (sides[0], sides[1]), seed))
        rows += [{"kind": "language", "language": code, **row} for part in parts for row in part]
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    params = {"pivot": pivot, "seed": seed, "draws": draws, "mapped": list(languages), "everything": everything}
    return MapStudy(encoder, lexicon, params, vectors, splits, maps, metric_table(rows), seconds)


def found(one: np.ndarray, other: np.ndarray) -> Floats:
    """Return how often each text finds its translation first, and is found by it: float64 [n]."""
    scores = pair_scores(one, other)
    return np.asarray((scores.forward + scores.backward) / 2)


def mapped(way: str, pairs: Side, tested: Side, pool: Side | None = None, seed: int = 42) -> Side:
    """Return the tested texts of a language, and of the pivot, after a map that was fitted on pairs.

    :param way: One of `WAYS`, or "" for no map.
    :param pairs: Unit vectors of a language and of the pivot, float32 [p, dim] each; those in one row are a pair.
    :param tested: Unit vectors, float32 [n, dim] each.
    :param pool: For self-learning: more texts of both sides, which nobody has paired.
    """
    texts, pivots = tested
    if way == PUBLISHED:
        return tested
    if way == CENTRED:
        moved = centre({"one": texts, "other": pivots}, {"one": pairs[0], "other": pairs[1]})
        return moved["one"], moved["other"]
    if way == LEARNED:
        one, other = (np.concatenate(sides) for sides in zip(pairs, pool or (pairs[0][:0],) * 2, strict=True))
        seeds = np.arange(len(pairs[0]))
        learned = self_learned_pairs(one, other, np.stack([seeds, seeds], axis=1), _LEAN)
        return fit_map(one[learned[:, 0]], other[learned[:, 1]], seed=seed).apply(texts), pivots
    if way in (BOTH, CSLS):
        result = fit_map(*pairs, seed=seed).apply(texts)
        return _both_centred(result, pivots, pairs[1]) if way == BOTH else _with_csls(result, pivots)
    return fit_map(*pairs, way, seed).apply(texts), pivots  # type: ignore[arg-type]


def _both_centred(one: np.ndarray, other: np.ndarray, fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = fitted.mean(axis=0)
    return unit_rows(one - mean), unit_rows(other - mean)


def _with_csls(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add two dimensions to both sides, with which the products are those of CSLS, divided by six."""
    crowds = [nearest(a, b, NEIGHBOURS)[0].mean(axis=1) for a, b in ((one, other), (other, one))]
    ones = np.ones_like(crowds[0])
    first = np.column_stack([2 * one, -crowds[0], ones]) / 6
    return first.astype(np.float32), np.column_stack([other, ones, -crowds[1]]).astype(np.float32)


def _curve(
    one: np.ndarray,
    other: np.ndarray,
    split: Split,
    ways: Sequence[str],
    sizes: Sequence[int],
    draws: int,
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Yield the accuracy of every way with every number of pairs."""
    orders = [np.random.default_rng([seed, draw]).permutation(split.fitted) for draw in range(draws)]
    tested = one[split.tested], other[split.tested]
    values = {PUBLISHED: found(*tested)[None]}
    for way in ways:
        for size in (size for size in sizes if size <= len(split.fitted)):
            tries = []
            for order in orders:
                pairs, pool = ((one[part], other[part]) for part in (order[:size], order[size:]))
                tries.append(found(*mapped(way, pairs, tested, pool, seed)))
            values[f"{way}, {size} pairs"] = np.stack(tries)
    for state, table in values.items():
        low, high = interval_over_draws(table, seed)
        yield {"metric": "accuracy", "value": table.mean(), "low": low, "high": high, "state": state}


def _dial(whole: LinearMap, tested: Side, seed: int) -> Iterator[dict[str, Any]]:
    """Yield what is found across languages and kept within, from no map to the whole map."""
    texts, pivots = tested
    before = neighbour_weights(texts, NEIGHBOURS)
    for share in SHARES:
        moved = whole.partly(share).apply(texts)
        kept = jaccard(before, neighbour_weights(moved, NEIGHBOURS))
        for metric, values in (("across", found(moved, pivots)), ("within", kept)):
            yield {"metric": metric, **measured(values, seed), "state": f"share {share:g}"}


def _costs(
    pairs: Side, tested: Side, words: Mapping[str, Sequence[str]], code: str, pivot: str, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield what maps on all pairs do to the neighbours within the language, and to Semantic Affinity."""
    before, of_pivot = (neighbour_weights(side, NEIGHBOURS) for side in tested)
    rows = {code: np.arange(len(tested[0]))}
    for way in (PUBLISHED, *COSTS):
        here, there = mapped(way, pairs, tested, seed=seed)
        after = neighbour_weights(here, NEIGHBOURS)
        values = {"overlap": jaccard(after, of_pivot)}
        values["sa"] = affinities({pivot: there, code: here}, words, pivot, rows)[:, 1]
        if way:
            values["kept"] = jaccard(before, after)
        for metric, table in values.items():
            yield {"metric": metric, **measured(table, seed), "state": way}


def _opposites(pairs: Side, here: tuple[Side, Side], seed: int) -> Iterator[dict[str, Any]]:
    """Yield how often a word is nearer to its translation than to the translated antonym, after each map.

    :param here: The words of pairs of antonyms, first and second, each in the language and the pivot.
    """
    for way in (PUBLISHED, *COSTS):
        moved = [mapped(way, pairs, words, seed=seed) for words in here]
        wins = [
            told_apart(antonym_margin(word[asked], word[1 - asked], opposite[1 - asked]))
            for word, opposite in (moved, moved[::-1])
            for asked in (0, 1)
        ]
        yield {"metric": "antonyms", **measured(np.mean(wins, axis=0), seed), "state": way}


def _unseen_antonyms(relations: TextPairs, code: str, pivot: str, seen: set[str]) -> list[int]:
    """Return the pairs of antonyms, none of whose words a map was fitted on."""
    columns = [column[tag] for column in (relations.first, relations.second) for tag in (code, pivot)]
    rows = relations.rows("antonym", code, pivot) if code in relations.languages else []
    return [row for row in rows if not any(column[row].casefold() in seen for column in columns)]


def measured(values: Floats, seed: int) -> dict[str, float]:
    """Return the mean of values with its 95% interval, as part of a row of a record."""
    low, high = bootstrap_ci(values, seed=seed)
    return {"value": float(values.mean()), "low": low, "high": high}
