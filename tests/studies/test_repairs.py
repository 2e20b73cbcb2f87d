import numpy as np
import pytest

from xlutils.datasets import load_parallel
from xlutils.models import load_model
from xlutils.studies.repairs import REPAIRS, repaired_studies
from xlutils.studies.retrieval import study_retrieval
from xlutils.studies.scenarios import make_scenarios


@pytest.fixture(scope="module")
def study():
    data = load_parallel("mini", ["en", "zh"])
    made = make_scenarios(["mono-same", "multi"], ["zh"])
    return study_retrieval(load_model("multilingual-e5-small-q4"), data, made, "unique")


def test_every_repair_is_measured_on_the_same_questions(study):
    pairs = {"zh": (study.passages["zh"][:40], study.passages["en"][:40])}
    found = repaired_studies(study, pairs)
    assert tuple(found) == REPAIRS
    for name, repaired in found.items():
        assert repaired.name == f"multilingual-e5-small-q4 ({name})"
        assert list(repaired.outcomes) == list(study.outcomes)
        assert len(repaired.record(1).metrics) == len(study.record(1).metrics)


def test_centring_each_language_mends_most_of_a_mixed_pool(study):
    before, after = (
        each.values()["multi/en+zh/zh/complete@10"].mean() for each in (study, repaired_studies(study, {})["centring"])
    )
    assert before < 20
    assert after > 60


def test_a_repair_changes_no_vector_of_the_study(study):
    queries = {code: vectors.copy() for code, vectors in study.queries.items()}
    repaired_studies(study, {})
    assert all(np.array_equal(study.queries[code], vectors) for code, vectors in queries.items())
