"""Remedies are fitted on other texts than they are tested on, and their records say what they change."""

from functools import cache

import numpy as np
import pytest

from xlutils.chapters.outcomes import Exam
from xlutils.chapters.remedies import (
    AS_PUBLISHED,
    CHANGE,
    _folds,
    gains,
    remedy_table,
    run_remedies,
    study_remedies,
)
from xlutils.chapters.retrieval import study_retrieval
from xlutils.datasets import load_parallel
from xlutils.datasets.scenarios import make_scenarios
from xlutils.metrics.ranking import complete_at, gold_ranks, max_at_r
from xlutils.metrics.remedies import REMEDIES
from xlutils.models import load_model
from xlutils.results.check import check_records
from xlutils.results.record import read_record
from xlutils.results.rows import Key, value_of


@cache
def study(protocol="unique", kinds=("mono-same", "multi")):
    data = load_parallel("mini", ["en", "de", "es"])
    return study_retrieval(load_model("control-ngram-hash"), Exam(data, make_scenarios(kinds, ["de", "es"]), protocol))


@pytest.mark.parametrize("name", REMEDIES)
def test_no_text_is_tested_with_what_was_fitted_on_it(name):
    remedy, one = REMEDIES[name], study()
    gold, tested = one.exam.data.gold, []
    for rows, fit in _folds(one, remedy, 1):
        tested += rows.tolist()
        for code in () if remedy.sees_pool else fit.passages:
            own = one.passages[code][np.unique(gold[rows])]
            assert (fit.passages[code] @ own.T).max() < 1 - 1e-5
            asked = {vector.tobytes() for vector in one.queries[code][rows]}
            assert not asked & {vector.tobytes() for vector in fit.queries[code]}
    assert sorted(tested) == list(range(len(gold)))  # each question once


def test_samples_hold_no_translations():
    one = study()
    for _, fit in _folds(one, REMEDIES["both sides, 8 texts"], 1):
        positions = {}
        for code, vectors in fit.passages.items():
            places = [int((one.passages[code] @ vector).argmax()) for vector in vectors]
            assert len(set(places)) == 8
            positions[code] = set(places)
        assert not positions["en"] & positions["de"]


def test_the_best_case_is_centring_written_out():
    one = study()
    values = study_remedies(one, ["both sides, from the pool"]).values["both sides, from the pool"]

    def centred(spaces):
        shifted = {code: vectors - vectors.mean(axis=0) for code, vectors in spaces.items()}
        return {code: vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for code, vectors in shifted.items()}

    queries, passages = centred(one.queries), centred(one.passages)
    gold = np.stack([one.exam.data.gold, one.exam.data.gold + len(passages["en"])], axis=1)
    ranks = gold_ranks(queries["de"], np.concatenate([passages["en"], passages["de"]]), gold)
    np.testing.assert_allclose(values[Key("multi", "max@r", "en+de", "de")], max_at_r(ranks))
    np.testing.assert_allclose(values[Key("multi", "complete@10", "en+de", "de")], 100 * complete_at(10, ranks))


def test_as_it_came_is_what_the_chapter_measured():
    one = study()
    before, whole = study_remedies(one, []).values[AS_PUBLISHED], one.values()
    assert {Key("multi", "complete@10"), Key("multi", "own-first"), Key("mono-same", "ndcg@1")} <= set(before)
    for key, column in before.items():
        np.testing.assert_allclose(column, whole[key], atol=1e-9)


def test_a_record_has_values_changes_and_a_table(tmp_path):
    (path,) = run_remedies([study()], tmp_path, 1)
    check_records(tmp_path)
    record = read_record(path)
    complete = Key("multi", "complete@10")
    before, after, change = (
        value_of(record["metrics"], complete._replace(state=state))
        for state in (AS_PUBLISHED, "interleaved", "interleaved" + CHANGE)
    )
    assert after - before == pytest.approx(change, abs=1e-4)
    assert gains(record, "complete@10").loc["interleaved", "value"] == change
    table = remedy_table(record)
    assert table.loc["query side, 32 questions", "new index"] == "no"
    assert "query side, 128 questions" not in table.index  # mini has 192 questions
    assert table.loc[AS_PUBLISHED, "Complete@10"].startswith(f"{before:.1f} ± ")


def test_copies_cannot_be_interleaved_and_one_language_needs_no_remedy(tmp_path):
    assert "interleaved" not in study_remedies(study("paper"), ["interleaved", "query side"]).values
    assert run_remedies([study(kinds=("mono-same",))], tmp_path, 1) == []


def test_the_same_seed_gives_the_same_record():
    one, two = (study_remedies(study(), ["query side, 8 questions"], seed=3).record(3).metrics for _ in range(2))
    assert one.equals(two)
