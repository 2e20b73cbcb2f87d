import numpy as np
import pytest

from xlutils.chapters.affinity import study_affinity
from xlutils.chapters.affinity_findings import disturbance_findings
from xlutils.chapters.blind_spots import DISTURBANCES, MEASURES, compare_measures, disturb
from xlutils.datasets import load_lexicon
from xlutils.errors import XlError
from xlutils.metrics.affinity import semantic_affinity
from xlutils.models import load_model


@pytest.fixture(scope="module")
def study():
    return study_affinity(load_model("use-multilingual-v3"), load_lexicon("everyday", ["en", "zh"]))


@pytest.fixture(scope="module")
def disturbed(study):
    return disturb(study, seed=1)


def test_every_disturbance_is_measured_at_every_strength(disturbed):
    assert len(disturbed) == sum(len(each.strengths) for each in DISTURBANCES) * len(MEASURES)
    assert ((disturbed["low"] <= disturbed["value"]) & (disturbed["value"] <= disturbed["high"])).all()


def test_undisturbed_is_the_study_itself():
    """A lexicon of one word a concept, so that nothing is left out."""
    study = study_affinity(load_model("use-multilingual-v3"), load_lexicon("concepts-core", ["en", "zh"]))
    table = disturb(study, seed=1)
    start = table[(table["strength"] == 0) & (table["measure"] == MEASURES[0])]["value"]
    assert start.to_numpy() == pytest.approx([study.affinity.sa] * 2, abs=1e-6)


def curve(table, question, measure):
    chosen = table[(table["question"] == question) & (table["measure"] == measure)]
    return chosen["value"].to_numpy()


def test_what_the_chapter_says_of_the_disturbances(disturbed):
    shift, cone, detail = (each.question for each in DISTURBANCES)
    affinity, retrieval, mexa = MEASURES
    moved = curve(disturbed, shift, affinity)
    assert (np.diff(moved) < 0).all()
    assert (
        moved[0] - moved[4] > 0.3 > 0.05 > curve(disturbed, shift, retrieval)[0] - curve(disturbed, shift, retrieval)[4]
    )
    assert np.ptp(curve(disturbed, cone, affinity)) < 0.01
    assert np.ptp(curve(disturbed, cone, mexa)) < 0.02
    assert curve(disturbed, detail, affinity)[4] > curve(disturbed, detail, affinity)[0]  # four directions
    assert curve(disturbed, detail, retrieval)[4] < 0.2 < 0.8 < curve(disturbed, detail, retrieval)[0]


def test_the_sentences_say_so(disturbed):
    shift, cone, detail = disturbance_findings(disturbed)
    assert "falls far more than retrieval" in shift
    assert "Neither minds." in cone
    assert "sees nothing wrong while translations are no longer found" in detail


def test_harmless_variants_and_controls(study):
    other = study_affinity(load_model("control-random"), study.lexicon)
    table = compare_measures({"real": study, "random": other}, seed=1).set_index(["space", "measure"])["value"]
    longer = "real, one language seven times as long"
    for measure in MEASURES:
        assert table["real", measure] == pytest.approx(table[longer, measure], abs=1e-6)
    assert table["real, each language centred", MEASURES[0]] > table["real", MEASURES[0]]
    assert table["random", MEASURES[0]] == pytest.approx(0.5, abs=0.01)
    assert table["random", MEASURES[1]] < 0.02


def test_alternatives_and_gaps_are_cut_to_first_words(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("en,de\ncar|auto,Auto\nsun,Sonne|Sonnenschein\nsea,\n,Baum\nhouse,Haus\nhome|house,Heim\n")
    study = study_affinity(load_model("use-multilingual-v3"), load_lexicon(path))
    table = compare_measures({"it": study}, seed=1).set_index(["space", "measure"])["value"]
    kept = {"en": ["car", "sun", "house", "home"], "de": ["Auto", "Sonne", "Haus", "Heim"]}
    plain = load_lexicon(path).only(["car", "sun", "house", "home"])
    spaces = {code: load_model("use-multilingual-v3").encode(words, role="word") for code, words in kept.items()}
    cells = {code: tuple((word,) for word in words) for code, words in kept.items()}
    expected = semantic_affinity(spaces, type(plain)("x", plain.concepts, plain.categories, cells))
    assert table["it", MEASURES[0]] == pytest.approx(expected.sa, abs=1e-6)


def test_too_little_to_disturb(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("en,de\ncar,Auto\nsun,Sonne\nsea,\n")
    study = study_affinity(load_model("control-random"), load_lexicon(path))
    with pytest.raises(XlError, match="2 concepts have words in both en and de; to disturb a space takes 3"):
        disturb(study, seed=1)
