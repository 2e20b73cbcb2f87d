"""Chapter 5: how well a model knows each language, against a pivot and among the texts of all languages."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xlutils.chapters.atlas_tables import CONTROL
from xlutils.chapters.atlas_values import (
    Rows,
    Spaces,
    Texts,
    affinities,
    ceiling_of,
    compare,
    control,
    encode_all,
    overall,
    sampled,
    token_counts,
)
from xlutils.chapters.tables import each_model
from xlutils.datasets import sentences
from xlutils.datasets.languages import LANGUAGES, no_language
from xlutils.datasets.lexicon import Lexicon, load_lexicon
from xlutils.datasets.sentences import Sentences, load_sentences
from xlutils.errors import XlError
from xlutils.metrics.neighbours import pair_scores
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model, write_record
from xlutils.results.rows import metric_table

LEAST = 10  # compared items; with fewer a language gets no scores
Data = Lexicon | Sentences


@dataclass(frozen=True, eq=False)
class AtlasStudy:
    """One model measured in many languages.

    :param encoder: The model.
    :param data: The texts; of several words for one thing, the first one is taken.
    :param params: Pivot, seed, sample, role, and languages left out, as the record says them.
    :param vectors: Vectors by language, float32 [n, dim]; NaN where an item has no text.
    :param compared: Positions of the items in which each language is compared with the pivot.
    :param is_second: Which items are in the second half, bool [n]; what is fitted on one half is tested on the other.
    :param metrics: Rows of the record.
    :param items: One row per language and item: whether it found the pivot's text, and was found by it.
    :param seconds: Time spent on encoding and on measuring.
    """

    encoder: Encoder
    data: Data
    params: Mapping[str, object]
    vectors: Spaces
    compared: Rows
    is_second: np.ndarray
    metrics: pd.DataFrame
    items: pd.DataFrame
    seconds: Mapping[str, float]

    @property
    def pivot(self) -> str:
        """Tag of the language that all others are compared with."""
        return str(self.params["pivot"])

    def record(self, experiment: str = "language-atlas", metrics: pd.DataFrame | None = None) -> Record:
        """Return the record of this measurement, or of another experiment with the same model and data."""
        languages, items = len(self.data.languages), len(item_ids(self.data))
        parts = [self.pivot] * (self.pivot != "en") + [f"{languages}-languages"] * (not self.params["all_languages"])
        parts += [f"{items}-items"] * (self.params["items"] == items)
        about = describe_model(self.encoder), describe_dataset(self.data, items)
        rows = self.metrics if metrics is None else metrics
        return Record(experiment, *about, self.params, rows, self.seconds, variant=".".join(parts))


def load_texts(dataset: str, languages: Sequence[str] | None = None, items: int = 0, seed: int = 42) -> Data:
    """Load parallel sentences by name or folder, or a lexicon by name or CSV.

    :param languages: Tags, codes or English names; by default all languages of the data.
    :param items: Number of items to draw; 0, or more than there are, for all.
    :param seed: Seed of the draw.
    """
    is_sentences = dataset in sentences.NAMES or Path(dataset).expanduser().is_dir()
    data: Data = load_sentences(dataset, languages) if is_sentences else load_lexicon(dataset, languages)
    count = len(item_ids(data))
    if not 0 < items < count:
        return data
    return data.take(np.sort(np.random.default_rng(seed).permutation(count)[:items]).tolist())


def item_ids(data: Data) -> tuple[str, ...]:
    """Return the ids of concepts or sentences."""
    return data.concepts if isinstance(data, Lexicon) else data.ids


def run_atlas(
    models: Sequence[str],
    data: Data,
    load: Callable[[str], Encoder],
    records_dir: str | Path,
    *,
    pivot: str = "en",
    seed: int = 42,
    sample: int = 251,
    all_languages: bool = True,
    items: int = 0,
) -> tuple[dict[str, AtlasStudy], dict[str, str], list[Path]]:
    """Measure models one after the other and write a record of each.

    :param load: Loads a model by name.
    :param all_languages: Whether the data are in all their languages; other records have the number in their name.
    :param items: Number of items that were drawn, which is in the name of the record, too; 0 for all.
    :return: Studies by model; reasons by model that could not be measured; paths of the records.
    """
    paths = []

    def measure(name: str) -> AtlasStudy:
        study = study_atlas(load(name), data, pivot, seed, sample, all_languages=all_languages, items=items)
        paths.append(write_record(records_dir, study.record(), study.items))
        return study

    studies, failures = each_model(models, measure)
    return {study.encoder.name: study for study in studies.values()}, failures, paths


def study_atlas(
    encoder: Encoder,
    data: Data,
    pivot: str = "en",
    seed: int = 42,
    sample: int = 251,
    *,
    all_languages: bool = True,
    items: int = 0,
) -> AtlasStudy:
    """Measure one model in all languages of some data.

    Where a lexicon has several words for one thing in a language, the first one is taken. In the state "centred", the
    mean of each language is subtracted from its vectors: means of one half of the items for the queries of the other.

    :param pivot: Tag of the language that all others are compared with.
    :param seed: Seed of halves, sample and intervals.
    :param sample: Number of items, at most, that are looked for among the texts of all languages.
    :raises XlError: If the data lack the pivot, or no language has enough items in common with it.
    """
    if pivot not in data.languages:
        raise no_language(data.name, pivot, data.languages)
    texts, ids, codes = first_texts(data), item_ids(data), list(data.languages)
    compared = {code: np.array(data.comparable(code, pivot), np.int64) for code in codes if code != pivot}
    copied = copies(texts)
    used = {code: rows for code, rows in compared.items() if len(rows) >= LEAST and code not in copied}
    if not used:
        raise XlError(f"{data.name}: no language has {LEAST} texts to compare with {pivot}; give more of them")
    role = "word" if isinstance(data, Lexicon) else "query"
    started = time.perf_counter()
    vectors = encode_all(encoder, texts, role)
    encoded = time.perf_counter()
    draws = np.random.default_rng(seed)
    is_second = draws.permutation(len(ids)) % 2 == 1
    asked = np.sort(draws.permutation(np.flatnonzero([*map(bool, texts[pivot])]))[:sample])
    tables = compare(vectors, pivot, used, is_second, asked)
    tables["accuracy", CONTROL] = control(texts, pivot, used, role)
    tables["sa", ""] = affinities(vectors, texts, pivot, used)
    parts = [*sampled(tables, codes, seed), *token_counts(encoder, texts, role, seed), _counts(data, pivot, compared)]
    rows = metric_table(pd.concat(parts).dropna(subset="value").assign(kind="language"))
    pivots = vectors[pivot][np.isfinite(vectors[pivot][:, 0])]
    ceiling = ceiling_of(tables["accuracy", ""], float(pair_scores(pivots, pivots).forward.mean()))
    rows = pd.concat([rows, metric_table([*overall(tables["accuracy", ""], codes, rows, ceiling, seed)])])
    params = {"pivot": pivot, "seed": seed, "sample": sample, "asked": len(asked), "role": role}
    left_out = [code for code in compared if code not in used]
    params |= {"all_languages": all_languages, "items": items, "left_out": left_out, "copies": copied}
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    both = {name.replace("-", "_"): tables[name, ""].T.astype(np.float32).ravel() for name in ("found", "found-back")}
    hits = pd.DataFrame({"language": np.repeat(codes, len(ids)), "item": np.tile(ids, len(codes)), **both})
    hits = hits[hits["language"] != pivot]
    return AtlasStudy(encoder, data, params, vectors, used, is_second, rows, hits, seconds)


def first_texts(data: Data) -> Texts:
    """Return the first word of each cell, or the sentences."""
    if isinstance(data, Sentences):
        return data.texts
    return {code: [cell[0] if cell else "" for cell in column] for code, column in data.cells.items()}


def copies(texts: Texts) -> dict[str, str]:
    """Return the languages most of whose texts are those of another language, each with that language.

    The names of things in Kalaallisut, for example, are Danish. Of two languages, the one with fewer speakers has the
    copy. Varieties of one language may well have the same texts.
    """
    shared, present = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for row in zip(*texts.values(), strict=True):
        codes_of: dict[str, list[str]] = {}
        for code, text in zip(texts, row, strict=True):
            if text:
                codes_of.setdefault(text.casefold(), []).append(code)
        pairs = (pair for codes in codes_of.values() for pair in itertools.combinations(codes, 2))
        shared.update((one, other) for one, other in pairs if one.split("-")[0] != other.split("-")[0])
    for one, other in shared:
        present[one, other] = sum(bool(a and b) for a, b in zip(texts[one], texts[other], strict=True))
    return dict(sorted(pair, key=_speakers) for pair, count in shared.items() if count > present[pair] / 2)


def _speakers(code: str) -> int:
    return LANGUAGES[code].speakers or 0


def _counts(data: Data, pivot: str, compared: Rows) -> pd.DataFrame:
    """Return the number of compared items, and the share of texts that are left out because they equal the pivot's."""
    if isinstance(data, Lexicon):
        same = data.same_as(pivot)
    else:
        pairs = {code: zip(data.texts[code], data.texts[pivot], strict=True) for code in compared}
        same = {code: float(np.mean([one == other for one, other in pair])) for code, pair in pairs.items()}
    rows = [{"language": code, "metric": "items", "value": float(len(kept))} for code, kept in compared.items()]
    return pd.DataFrame(rows + [{"language": c, "metric": "same-as-pivot", "value": v} for c, v in same.items()])
