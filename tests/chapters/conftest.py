import numpy as np
import pytest

from xlutils.chapters.affinity import study_affinity
from xlutils.chapters.outcomes import Exam
from xlutils.chapters.retrieval import study_retrieval
from xlutils.chapters.training_runs import Comparison, Side, training_facts
from xlutils.datasets import Triple, Triples, load_lexicon, load_parallel
from xlutils.datasets.scenarios import make_scenarios
from xlutils.models import load_model
from xlutils.models.encoder import Encoder
from xlutils.training.recipe import Recipe

TRIPLES = Triples("toy", (Triple("q", "p", "t", "zh"), Triple("q2", "p2", "t2", "de")))


class Planted:
    """A model whose vectors are given, by word."""

    def __init__(self, vector_of):
        self.vector_of, self.dim = vector_of, len(next(iter(vector_of.values())))

    def embed(self, texts, prompt, task):
        yield list(range(len(texts))), np.array([self.vector_of[text] for text in texts], np.float32)


@pytest.fixture(scope="session")
def planted_encoder():
    """Make an encoder from vectors by word."""
    return lambda vector_of: Encoder("planted", "test/planted", "1", Planted(vector_of), cached=False)


@pytest.fixture(scope="session")
def sides():
    """A control and a real model, which stand for a model before and after a training."""
    data = load_parallel("mini", ["en", "zh", "ar"])
    exam = Exam(data, make_scenarios(["mono-same", "multi"], ["zh", "ar"]))
    lexicon = load_lexicon("everyday", ["en", "zh"])
    encoders = [load_model(name) for name in ("control-random", "use-multilingual-v3")]
    return [Side(study_retrieval(model, exam), study_affinity(model, lexicon)) for model in encoders]


@pytest.fixture(scope="session")
def comparison(sides):
    return Comparison(*sides, training_facts("nce.seed-42", Recipe(losses=("nce",)), TRIPLES), 12.5)
