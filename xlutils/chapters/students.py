"""Chapter 8: what a smaller model that learned from a larger one loses, language by language."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlutils.chapters.atlas_values import CENTRED, encode_all
from xlutils.chapters.map_ways import found, names_of
from xlutils.chapters.relation_tests import tests_of
from xlutils.chapters.relations import encode_pairs
from xlutils.chapters.remedies import CHANGE
from xlutils.datasets.languages import no_language
from xlutils.datasets.lexicon import Lexicon
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.relations import TextPairs
from xlutils.metrics.alignment import mean_without_nan
from xlutils.metrics.ranking import gold_ranks, ndcg_at_1
from xlutils.metrics.repair import centre
from xlutils.metrics.uncertainty import bootstrap_means
from xlutils.models.encoder import Encoder
from xlutils.models.sentence_transformer import SentenceTransformerBackend
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table

STUDENT = "student"
_TESTS = {"antonyms": "antonyms", "pairs/role": "roles"}  # of pairs of texts
_TIMED = {"passage": 8, "name": 2}  # texts of each language
_BOUNDS = ["value", "low", "high"]
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Cells = tuple[str, str, str, Numbers, Floats, int]  # metric, state, language, rows of the items, values, items
Tables = dict[tuple[str, str], dict[str, Floats]]  # values of all items, or NaN, by metric and state, then by language


def study_student(
    teacher: Encoder,
    student: Encoder,
    lexicon: Lexicon,
    questions: ParallelQA,
    pairs: Sequence[TextPairs] = (),
    pivot: str = "en",
    seed: int = 42,
    *,
    name: str = "",
    done: Mapping[str, Any] | None = None,
) -> Record:
    """Compare a student with its teacher on the same items, language by language.

    Metrics by language: "accuracy", names find those of the pivot and are found by them; "within", questions find
    their passage among the passages of their language; "across", among those of the pivot; and, of pairs of texts,
    "antonyms" and "roles". States: "" for the teacher, "student", and "student, change" for the paired difference;
    likewise "centred", after means of the other half of the items were subtracted. Of both models together: "bytes" of
    all weights. The timing has processor seconds per passage and per name.

    :param name: Short name of the student, for the name of the record; by default its name.
    :param done: How it was trained, as from `training_runs.training_facts`.
    :raises XlError: If the data lack the pivot.
    """
    known = {lexicon.name: lexicon.languages, questions.name: questions.languages}
    for data, languages in (known | {table.name: table.languages for table in pairs}).items():
        if pivot not in languages:
            raise no_language(data, pivot, languages)
    started = time.perf_counter()
    before, after = (_tables(model, lexicon, questions, pairs, pivot, seed) for model in (teacher, student))
    seconds = {"measure": round(time.perf_counter() - started, 3)}
    rows: list[dict[str, Any]] = []
    for (metric, state), columns in before.items():
        one, other = (np.stack([*table[metric, state].values()], axis=1) for table in (before, after))
        clusters = questions.gold if metric in ("within", "across") else None
        of_student = f"{STUDENT} {state}".strip()
        for title, values in ((state, one), (of_student, other), (of_student + CHANGE, other - one)):
            bounds = mean_without_nan(values, 0), *bootstrap_means(values, seed, clusters)
            key = {"kind": "language", "metric": metric, "state": title}
            cells = zip(columns, *bounds, strict=True)
            rows += [{**key, "language": code, **dict(zip(_BOUNDS, cell, strict=True))} for code, *cell in cells]
    for state, model in (("", teacher), (STUDENT, student)):
        if isinstance(model.backend, SentenceTransformerBackend):
            size = float(sum(weight.nbytes for weight in model.backend.model.parameters()))
            rows.append({"kind": "all", "metric": "bytes", "value": size, "state": state})
    params: dict[str, Any] = {"pivot": pivot, "seed": seed, STUDENT: describe_model(student)}
    params["mapped"] = [code for code in lexicon.languages if code != pivot]
    params["questions"] = describe_dataset(questions, len(questions.query_ids))
    params["pairs"] = [describe_dataset(table, len(table.ids)) for table in pairs]
    params |= {"done": dict(done)} if done else {}
    about = describe_model(teacher), describe_dataset(lexicon, len(lexicon.concepts))
    seconds |= _speed({"teacher": teacher, STUDENT: student}, lexicon, questions)
    metrics = metric_table(rows).dropna(subset="value")
    return Record("production", *about, params, metrics, seconds, variant=f"student.{name or student.name}")


def _tables(
    model: Encoder, lexicon: Lexicon, questions: ParallelQA, pairs: Sequence[TextPairs], pivot: str, seed: int
) -> Tables:
    tables: Tables = {}
    sources = _of_names(model, lexicon, pivot, seed), _of_questions(model, questions, pivot, seed)
    more = (_of_pairs(model, table, pivot) for table in pairs)
    for metric, state, code, rows, values, size in itertools.chain(*sources, *more):
        column = tables.setdefault((metric, state), {}).setdefault(code, np.full(size, np.nan))
        column[rows] = values
    return tables


def _of_names(model: Encoder, lexicon: Lexicon, pivot: str, seed: int) -> Iterator[Cells]:
    names = encode_all(model, names_of(lexicon, lexicon.languages), "word")
    halves = np.random.default_rng(seed).permutation(len(lexicon.concepts)) % 2
    for code in (code for code in names if code != pivot):
        rows = np.array(lexicon.comparable(code, pivot), np.int64)
        sides, parts = (names[code][rows], names[pivot][rows]), (halves[rows], halves[rows])
        for state, values in _both_states(found, *sides, *parts) if len(rows) else ():
            yield "accuracy", state, code, rows, values, len(halves)


def _of_questions(model: Encoder, questions: ParallelQA, pivot: str, seed: int) -> Iterator[Cells]:
    def search(queries: np.ndarray, documents: np.ndarray) -> Floats:
        return np.asarray(ndcg_at_1(gold_ranks(queries, documents, questions.gold)))

    asked = encode_all(model, questions.queries, "query")
    passages = encode_all(model, questions.passages, "passage")
    halves = np.random.default_rng(seed).permutation(len(questions.passage_ids)) % 2
    rows = np.arange(len(questions.gold))
    for code, queries in asked.items():
        sides = {"within": code} if code == pivot else {"within": code, "across": pivot}
        for metric, language in sides.items():
            for state, values in _both_states(search, queries, passages[language], halves[questions.gold], halves):
                yield metric, state, code, rows, values, len(rows)


def _of_pairs(model: Encoder, pairs: TextPairs, pivot: str) -> Iterator[Cells]:
    vectors = encode_pairs(model, pairs)
    for code in (code for code in vectors if code != pivot):
        for test, rows, values in tests_of(pairs, vectors[code], vectors[pivot], code, pivot):
            if test in _TESTS:
                yield _TESTS[test], "", code, np.asarray(rows), values, len(pairs.ids)


def _both_states(
    measure: Callable[[np.ndarray, np.ndarray], Floats],
    one: np.ndarray,
    other: np.ndarray,
    half_of_one: Numbers,
    half_of_other: Numbers,
) -> Iterator[tuple[str, Floats]]:
    """Yield the values of the first texts as they are, and after the mean of the other half was subtracted."""
    yield "", measure(one, other)
    values = np.full(len(one), np.nan)
    for half in (0, 1):
        fitted = {"one": one[half_of_one != half], "other": other[half_of_other != half]}
        if all(map(len, fitted.values())):
            moved = centre({"one": one, "other": other}, fitted)
            tested = half_of_one == half
            values[tested] = measure(moved["one"], moved["other"])[tested]
    yield CENTRED, values


def _speed(models: Mapping[str, Encoder], lexicon: Lexicon, questions: ParallelQA) -> dict[str, float]:
    """Return processor seconds per text, the least of three tries: other programs only take time away."""
    names = names_of(lexicon, lexicon.languages)
    texts = {
        "passage": [text for column in questions.passages.values() for text in column[: _TIMED["passage"]]],
        "name": [text for column in names.values() for text in [*filter(None, column)][: _TIMED["name"]]],
    }
    seconds: dict[str, float] = {}
    for _ in range(3):
        for (side, model), (kind, column) in itertools.product(models.items(), texts.items()):
            role = "passage" if kind == "passage" else "word"
            started = time.process_time()
            for _ in model.backend.embed(column, model.prompts.get(role, ""), model.tasks.get(role)):
                pass
            key, spent = f"{side} per {kind}", (time.process_time() - started) / len(column)
            seconds[key] = float(f"{min(spent, seconds.get(key, spent)):.4g}")
    return seconds
