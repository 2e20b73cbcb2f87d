"""Remedies in pools that grow, hold no translations, or little of one language."""

import json

import numpy as np
import pytest

from xlutils.chapters.outcomes import Exam
from xlutils.chapters.pools import about_growth, growth, load_distractors, run_pools, shape_table, study_pools
from xlutils.chapters.remedies import AS_PUBLISHED, gains
from xlutils.chapters.retrieval import RetrievalStudy
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.scenarios import make_scenarios
from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.pools import small_pools, uneven_pools, untranslated_pools
from xlutils.metrics.ranking import Ranks, complete_at, ndcg_at_1
from xlutils.results.check import check_records
from xlutils.results.record import read_record
from xlutils.results.rows import Key

MODEL = {"name": "planted", "revision": "1", "source": "test", "fingerprint": "0" * 16}


def study(apart, *, passages=140, questions=280, ties=False, **changes):
    """Return a model with two languages that are apart by some distance, and otherwise good."""
    draws = np.random.default_rng(3)
    gold = draws.permutation(np.arange(questions) % passages)
    meaning = draws.normal(size=(passages, 32))
    if ties:
        meaning = np.round(meaning[draws.integers(passages // 3, size=passages)])
    names = tuple(map(str, range(max(passages, questions))))
    texts = dict.fromkeys(("en", "zh"), names[:passages])
    asked = dict.fromkeys(("en", "zh"), names[:questions])
    data = ParallelQA("toy", names[:questions], names[:passages], asked, texts, gold)
    sides = {}
    for name, centres, noise in (("queries", meaning[gold], 0.8), ("passages", meaning, 0.4)):
        shifted = {"en": apart * np.eye(32)[0], "zh": -apart * np.eye(32)[0]}
        noise = 0 if ties else noise
        sides[name] = {c: unit_rows(centres + s + noise * draws.normal(size=centres.shape)) for c, s in shifted.items()}
    exam = Exam(data, make_scenarios(["multi"], ["zh"]), **changes)
    return RetrievalStudy(MODEL, exam, outcomes={}, seconds={}, **sides)


def by_loops(one, pools, language, k):
    """Return Complete@K and NDCG@1 of the model as published, averaged over pools, from a loop over all documents."""
    values = {}
    for pool in pools:
        for question in pool.asked:
            counts = []
            there = [(code, passage) for code, held in zip(("en", "zh"), pool.held, strict=True) for passage in held]
            scores = [float(one.queries[language][question] @ one.passages[code][passage]) for code, passage in there]
            for (_, passage), score in zip(there, scores, strict=True):
                if passage == one.exam.data.gold[question]:
                    above = sum(other > score + 5e-6 for other in scores)
                    counts.append((above, sum(abs(other - score) <= 5e-6 for other in scores)))
            ranks = Ranks(*(np.array([column], float) for column in zip(*counts, strict=True)))
            values.setdefault(question, []).append((100 * complete_at(k, ranks)[0], ndcg_at_1(ranks)[0]))
    return np.array([np.mean(values[question], axis=0) for question in range(len(one.exam.data.gold))])


def test_values_agree_with_loops_where_passages_are_the_same():
    one = study(0.5, passages=23, questions=31, ties=True, k=5)
    measured = study_pools(one, 7).values[AS_PUBLISHED]
    order, gold = np.random.default_rng([7, 1]).permutation(23), one.exam.data.gold
    kinds = {
        "pool-12": small_pools(order, gold, 6),
        "pool-46": small_pools(order, gold, 23),
        "untranslated": untranslated_pools(order, gold),
        "uneven": [p for rare in (0, 1) for p in uneven_pools(order, gold, 10, rare, is_translated=True)],
        "uneven-alone": [p for rare in (0, 1) for p in uneven_pools(order, gold, 10, rare, is_translated=False)],
    }
    for kind, pools in kinds.items():
        expected = np.mean([by_loops(one, pools, language, 5) for language in ("en", "zh")], axis=0)
        for metric, column in zip(("complete@5", "ndcg@1"), expected.T, strict=True):
            np.testing.assert_allclose(measured[Key(kind, metric)], column, atol=1e-9, err_msg=kind)


def test_taking_turns_costs_the_first_place_where_there_are_no_translations(tmp_path):
    """Languages that are apart are joined by means and by turns; only turns put a wrong passage first."""
    (path,) = run_pools([study(3)], tmp_path, 1)
    check_records(tmp_path)
    record = read_record(path)
    assert path.name == "toy.unique.json"
    table = shape_table(record)
    words = table.map(lambda cell: cell.split()[0])
    alone = [column for column in table if column.startswith(("no translations: first place", "10 to 1, one"))]
    assert (words.loc["interleaved", alone] == "harms").all()
    assert (words.loc["both sides, 32 texts", alone] == "helps").all()
    assert words.loc["interleaved", "no translations: first 10"] == "helps"
    assert words.loc["scores by language", "10 to 1, both there: first place"] == "harms"
    lines = growth(record).set_index(["remedy", "passages"])["value"]
    assert lines[AS_PUBLISHED].index.tolist() == [36, 70, 140, 280]
    assert lines[AS_PUBLISHED, 36] > lines[AS_PUBLISHED, 280]
    assert lines["both sides", 280] > lines[AS_PUBLISHED, 280] + 20


def test_nothing_helps_a_model_whose_languages_are_together(tmp_path):
    (path,) = run_pools([study(0)], tmp_path, 1)
    table = shape_table(read_record(path)).map(lambda cell: cell.split()[0])
    assert not (table == "helps").any(axis=None)
    assert table.loc["interleaved", "no translations: first place"] == "harms"
    assert gains(read_record(path), "ndcg@1", "untranslated").loc["interleaved", "high"] < -0.3


def test_copies_make_no_pools_and_the_same_seed_gives_the_same_record(tmp_path):
    assert run_pools([study(1, protocol="paper")], tmp_path, 1) == []
    small = study(1, passages=20, questions=20)
    one, two = (study_pools(small, 3).record(3).metrics for _ in range(2))
    assert one.equals(two)


def test_passages_of_other_data_join_the_largest_pool(tmp_path):
    for code in ("en", "zh", "fr"):
        rows = [{"id": str(n), "query": f"{code} {n}?", "passage": f"{code} {n}"} for n in range(30)]
        text = "\n".join(map(json.dumps, rows))
        (tmp_path / f"eval.{code}.jsonl").write_text(text, encoding="utf-8")
    more = load_distractors(str(tmp_path), ["de", "zh"])
    assert more.languages == ("en", "zh")
    assert load_distractors("", ["de"]) is None
    with pytest.raises(XlError, match="has none of de; name other data"):
        load_distractors(str(tmp_path), ["de"])
    with pytest.raises(XlError, match="atlantis"):
        load_distractors("atlantis", ["de"])

    one, far = study(1, passages=20, questions=20, more=more), unit_rows(np.ones((30, 32)))
    queries = {code: np.abs(vectors) for code, vectors in one.queries.items()}
    further = {"en": far, "zh": far}
    one = RetrievalStudy(MODEL, one.exam, queries, one.passages, {}, {}, further=further)
    (path,) = run_pools([one], tmp_path / "records", 1)
    assert path.name == f"toy.unique+{more.name}.json"
    lines = growth(read_record(path)).set_index(["remedy", "passages"])["value"][AS_PUBLISHED]
    assert lines.index.tolist() == [6, 10, 20, 40, 100]
    assert lines[100] < lines[40] / 2  # every question is near to all of the further passages
    assert f"the largest holds 30 more passages of {more.name}" in about_growth(read_record(path))
