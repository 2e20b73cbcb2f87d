"""Chapter 6: relations between words, and sentences that differ in one respect, in many languages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from xlutils.chapters.atlas_values import encode_all
from xlutils.chapters.relation_tests import LEAST, MEMBERS, Side, structure_rows, tests_of
from xlutils.chapters.tables import each_model
from xlutils.datasets.relations import TextPairs
from xlutils.errors import XlError
from xlutils.metrics.repair import centre, rotate
from xlutils.metrics.uncertainty import bootstrap_ci, bootstrap_means
from xlutils.models.catalogue import find_card
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model, write_record
from xlutils.results.rows import metric_table

STATES = ("", "centred", "rotated")
_ROLES = {"relations": ("word", "word"), "minimal-pairs": ("query", "query"), "senses": ("word", "query")}
Sides = Mapping[str, Side]  # by language


@dataclass(frozen=True, eq=False)
class RelationStudy:
    """One model and one table of pairs.

    :param encoder: The model.
    :param pairs: The pairs.
    :param params: Pivot, seed, languages that means are taken over, and how many pairs each language lacks.
    :param sides: Vectors of the first and second texts by language, float32 [n, dim]; NaN where one is missing.
    :param metrics: Rows of the record.
    :param items: One row per language and pair, as published: columns language, item, and one for each kind of test.
    :param seconds: Time spent on encoding and on measuring.
    """

    encoder: Encoder
    pairs: TextPairs
    params: Mapping[str, Any]
    sides: Sides
    metrics: pd.DataFrame
    items: pd.DataFrame
    seconds: Mapping[str, float]

    def record(self) -> Record:
        """Return the record of this measurement."""
        about = describe_model(self.encoder), describe_dataset(self.pairs, len(self.pairs.ids))
        parts = [f"{len(self.pairs.languages)}-languages"] * (not self.params["all_languages"])
        parts += [self.params["done"]["name"]] if "done" in self.params else []
        return Record("relations", *about, self.params, self.metrics, self.seconds, variant=".".join(parts))


def run_relations(
    models: Sequence[str],
    tables: Sequence[TextPairs],
    load: Callable[[str], Encoder],
    records_dir: str | Path,
    *,
    pivot: str = "en",
    seed: int = 42,
    all_languages: bool = True,
) -> tuple[dict[str, dict[str, RelationStudy]], dict[str, str], list[Path]]:
    """Measure models one after the other, and write a record for each table of pairs.

    :param load: Loads a model by name.
    :param all_languages: Whether the tables have all their languages; other records have the number in their name.
    :return: Studies by model and kind of table; reasons by model that could not be measured; paths of the records.
    """
    paths = []

    def measure(name: str) -> dict[str, RelationStudy]:
        encoder, studies = load(name), {}
        for pairs in tables:
            study = study_relations(encoder, pairs, pivot, seed, all_languages=all_languages)
            paths.append(write_record(records_dir, study.record(), study.items))
            studies[pairs.kind] = study
        return studies

    studies, failures = each_model(models, measure)
    return studies, failures, paths


def study_relations(
    encoder: Encoder,
    pairs: TextPairs,
    pivot: str = "en",
    seed: int = 42,
    *,
    all_languages: bool = True,
    done: Mapping[str, Any] | None = None,
) -> RelationStudy:
    """Measure one model with pairs of related words, minimal pairs or senses.

    Each language is compared with the pivot: as published, "centred" (minus the mean of its texts), and "rotated" (onto
    the pivot). A repair is fitted on one half of the pairs and tested on the other. Means leave out the languages that
    the model is known not to have learned, unless it learned none.

    :param done: What was done to the model before, if it is not as published; its `name` is in the name of the record.
    :raises XlError: If the pairs lack the pivot or any other language, or no language has enough of them.
    """
    others = [code for code in pairs.languages if code != pivot]
    if pivot not in pairs.languages or not others:
        raise XlError(f"{pairs.name}: needs {pivot} and another language, and has {', '.join(pairs.languages)}")
    started = time.perf_counter()
    sides = encode_pairs(encoder, pairs)
    encoded = time.perf_counter()
    tables = [table for code in others for table in _tables(pairs, sides, code, pivot, seed)]
    if not tables:
        raise XlError(f"{pairs.name}: no language has {LEAST} pairs of one kind in common with {pivot}; give more")
    items = pd.concat(tables, ignore_index=True).dropna(subset="value")
    learned = learned_of(encoder, others)
    rows = [*_means(items, pairs, learned, seed)]
    if pairs.kind == "relations":
        for code in others:
            structure = structure_rows(pairs, sides[code], sides[pivot], code, pivot, seed)
            rows += [{"kind": "language", "language": code, **row} for row in structure]
    params: dict[str, Any] = {"pivot": pivot, "seed": seed, "all_languages": all_languages, "means_over": learned}
    params |= {"missing": pairs.missing(), **({"done": done} if done else {})}
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    return RelationStudy(encoder, pairs, params, sides, metric_table(rows), _wide(items, pairs), seconds)


def encode_pairs(encoder: Encoder, pairs: TextPairs) -> dict[str, Side]:
    """Encode each distinct text once; see `RelationStudy.sides`."""
    columns = {0: pairs.first, 1: pairs.second}
    roles = _ROLES[pairs.kind]
    vectors: dict[str, np.ndarray] = {}
    for role in dict.fromkeys(roles):
        sides = [side for side in columns if roles[side] == role]
        texts = {f"{code}.{side}": columns[side][code] for code in pairs.languages for side in sides}
        vectors |= encode_all(encoder, texts, role)
    return {code: (vectors[f"{code}.0"], vectors[f"{code}.1"]) for code in pairs.languages}


def _tables(pairs: TextPairs, sides: Sides, code: str, pivot: str, seed: int) -> Iterator[pd.DataFrame]:
    """Yield the values of one language: columns language, row, test, value and state."""
    is_second = halves(pairs, pivot, seed)
    for state, fitted in _fits(is_second) if pairs.kind != "senses" else (("", None),):  # a word has two translations
        here, there = sides[code], sides[pivot]
        if fitted is not None:
            here, there = _repaired(here, there, state, fitted)
        for test, rows, values in tests_of(pairs, here, there, code, pivot):
            table = pd.DataFrame({"language": code, "row": rows, "test": test, "value": values, "state": state})
            yield table if fitted is None else table[~fitted[table["row"]]]


def halves(pairs: TextPairs, pivot: str, seed: int) -> NDArray[np.bool_]:
    """Return which pairs are in the second half, bool [n].

    Pairs with a text in common are in the same half, else a repair would be tested on words that it was fitted on. So
    are all members of categories, which are each other's wrong answers: words that a repair was fitted on attract.
    """
    first_row: dict[str, int] = {}
    texts = [*zip(*(side[pivot] for side in (pairs.first, pairs.second)), strict=True)]
    links = [
        (row, first_row.setdefault(mark, row))
        for row, (group, pair) in enumerate(zip(pairs.groups, texts, strict=True))
        for mark in (*filter(None, pair), *([f"\0{group}"] if group == MEMBERS else []))
    ]
    rows, others = np.array(links).T
    graph = coo_array((np.ones(len(rows)), (rows, others)), shape=(len(pairs.ids),) * 2)
    count, part_of = connected_components(graph, directed=False)
    return np.asarray(np.random.default_rng(seed).permutation(count)[part_of] % 2 == 1)


def _fits(is_second: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.bool_] | None]]:
    published, *repairs = STATES
    yield published, None
    for state in repairs:
        yield from ((state, is_second), (state, ~is_second))


def _repaired(here: Side, there: Side, state: str, fitted: NDArray[np.bool_]) -> tuple[Side, Side]:
    """Return both languages after a repair that was fitted on some of the pairs."""
    spaces = {"here": np.concatenate(here), "there": np.concatenate(there)}
    rows = np.tile(fitted, 2)
    whole = rows & np.isfinite(spaces["here"][:, 0]) & np.isfinite(spaces["there"][:, 0])
    known = {name: space[whole] for name, space in spaces.items()}
    pairs = {"here": (known["here"], known["there"])}
    repaired = centre(spaces, known) if state == "centred" else rotate(spaces, pairs)
    one, other = (np.split(repaired[name], 2) for name in ("here", "there"))
    return (one[0], one[1]), (other[0], other[1])


def _wide(items: pd.DataFrame, pairs: TextPairs) -> pd.DataFrame:
    """Return the values as published, with a column for each kind of test: "pairs" for "pairs/role" and so on."""
    published = items[items["state"] == ""]
    named = published.assign(item=np.array(pairs.ids)[published["row"]], test=published["test"].str.split("/").str[0])
    wide = named.pivot_table("value", ["language", "row", "item"], "test", sort=False)
    return wide.reset_index().drop(columns="row").rename_axis(columns=None)


def learned_of(encoder: Encoder, codes: Sequence[str]) -> list[str]:
    """Return the languages that a model may have learned, or all if it is known to have learned none."""
    card = find_card(encoder.name)
    return [code for code in codes if card is None or card.learned(code) is not False] or list(codes)


def _means(items: pd.DataFrame, pairs: TextPairs, learned: Sequence[str], seed: int) -> Iterator[dict[str, Any]]:
    """Yield the mean of each test by language, and over the learned languages, with intervals over pairs.

    Both senses of a word are drawn together, since each is the other's wrong answer.
    """
    for (state, test), table in items.groupby(["state", "test"], sort=False):
        wide = table.pivot_table("value", "row", "language", sort=False)
        clusters = None
        if pairs.kind == "senses":
            clusters = np.unique(np.array(pairs.groups)[wide.index], return_inverse=True)[1]
        yield from mean_rows(wide, str(test), learned, seed, clusters, str(state))


def mean_rows(
    wide: pd.DataFrame,
    metric: str,
    learned: Sequence[str],
    seed: int,
    clusters: NDArray[np.int64] | None = None,
    state: str = "",
) -> list[dict[str, Any]]:
    """Return the mean of each language, and the mean over the learned ones, with intervals over items.

    :param wide: Values, one row per item and one column per language; NaN where there is none.
    :param clusters: Number of the cluster of each item, int [items], if items depend on each other.
    """
    low, high = bootstrap_means(wide.to_numpy(), seed, clusters)
    key = {"metric": metric, "state": state}
    rows = [
        {"kind": "language", "language": code, **key, "value": value, "low": start, "high": end}
        for code, value, start, end in zip(wide.columns, wide.mean(), low, high, strict=True)
    ]
    means = wide[wide.columns.intersection(list(learned))].mean(axis=1).to_numpy()
    is_there = np.isfinite(means)
    if is_there.any():
        of_items = None if clusters is None else clusters[is_there]
        start, end = bootstrap_ci(means[is_there], seed=seed, clusters=of_items)
        rows.append({"kind": "all", **key, "value": means[is_there].mean(), "low": start, "high": end})
    return rows
