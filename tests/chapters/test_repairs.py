import numpy as np
import pytest

from xlutils.chapters.repairs import REPAIRS, compare_repairs, translation_vectors
from xlutils.chapters.training_runs import Exam
from xlutils.datasets import load_lexicon, load_parallel
from xlutils.datasets.scenarios import make_scenarios
from xlutils.datasets.triples import triples_of
from xlutils.models import load_model

pytestmark = pytest.mark.slow

MODEL = "multilingual-e5-small-q4"


@pytest.fixture(scope="module")
def side():
    data = load_parallel("mini", ["en", "zh"])
    made = make_scenarios(["mono-same", "multi"], ["zh"])
    return Exam(data, made, load_lexicon("everyday", ["en", "zh"])).take(load_model(MODEL))


def test_every_repair_is_measured_on_the_same_questions(side):
    study = side.retrieval
    pairs = translation_vectors(load_model(MODEL), triples_of(study.data, ["zh"]))
    assert np.array_equal(pairs["zh"][1], study.passages["en"][study.data.gold])
    found = compare_repairs(side, pairs)
    assert tuple(each.name for each in found) == REPAIRS
    for each in found:
        assert each.after.retrieval.name == f"{MODEL} ({each.name})"
        assert list(each.after.retrieval.outcomes) == list(study.outcomes)
        assert each.after.retrieval.data is study.data
        assert (each.after.words is None) == (each.name == "CSLS")


def test_centring_each_language_mends_most_of_a_mixed_pool(side):
    centring = compare_repairs(side, {})[0].table(1)
    assert centring.loc["multi/en+zh/zh/complete@10", "before"] < 20
    assert centring.loc["multi/en+zh/zh/complete@10", "after"] > 60
    assert centring.loc["sa", "low"] > 0


def test_a_repair_changes_no_vector_of_the_study(side):
    spaces = (side.retrieval.queries, side.retrieval.passages, side.words.spaces)
    before = [{code: vectors.copy() for code, vectors in space.items()} for space in spaces]
    compare_repairs(side, {})
    for space, copies in zip(spaces, before, strict=True):
        assert all(np.array_equal(space[code], vectors) for code, vectors in copies.items())
