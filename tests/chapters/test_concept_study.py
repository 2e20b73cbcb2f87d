import numpy as np
import pandas as pd
import pytest

from xlutils.chapters.concept_findings import concept_findings
from xlutils.chapters.concepts import beside_reported, compare_studies, sentences, study_concepts
from xlutils.datasets import load_lexicon
from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.results.record import read_items, read_record, write_record


@pytest.fixture(scope="module")
def core():
    return load_lexicon("concepts-core")


@pytest.fixture(scope="module")
def use(core):
    return study_concepts(load_model("use-multilingual-v3"), core)


@pytest.fixture(scope="module")
def random(core):
    return study_concepts(load_model("control-random"), core)


def test_a_real_model_beats_a_random_one(use, random):
    good, none = use.summary(1)["value"], random.summary(1)["value"]
    assert good["overall"] > 0.85 > 0.4 > none["overall"]
    assert good["discriminability"] > 0.4
    assert none["discriminability"] == pytest.approx(0, abs=0.05)


def test_the_summary_is_the_mean_of_the_items_and_lies_in_its_interval(use):
    summary, items = use.summary(1), use.items()
    for metric in ("intra_concept", "nn_accuracy", "retrieval_accuracy", "overall", "csls_retrieval"):
        assert summary.loc[metric, "value"] == pytest.approx(items[metric].mean())
        assert summary.loc[metric, "low"] <= summary.loc[metric, "value"] <= summary.loc[metric, "high"]
    parts = 0.3 * items["intra_concept"] + 0.3 * items["nn_accuracy"] + 0.4 * items["retrieval_accuracy"]
    assert np.allclose(items["overall"], parts)


def test_the_record_holds_what_other_chapters_call(use, tmp_path):
    path = write_record(tmp_path, use.record(1), use.items())
    content = read_record(path)
    wanted = {"intra_concept", "nn_accuracy", "retrieval_accuracy", "overall", "discriminability"}
    assert wanted <= set(content["metrics"])
    assert wanted <= set(content["ci95"])
    assert set(content["ci95"]) == set(content["metrics"])  # every aggregate says how sure it is
    table = use.by_pair(1)
    assert content["metrics"]["pair/de/ru/retrieval"] == pytest.approx(table.loc[("de", "ru"), "value"])
    assert "pair/en+zh/centroid_distance" in content["metrics"]
    assert "language/zh/nn_accuracy" in content["metrics"]
    assert len(read_items(path)) == content["dataset"]["size"] == 15
    assert path.name == "concepts-core.json"


def test_the_tables_of_pairs_run_from_the_worst(use):
    pairs, centroids = use.by_pair(1), use.centroids(1)
    assert len(pairs) == 8 * 7
    assert len(centroids) == 8 * 7 / 2
    assert pairs["value"].is_monotonic_increasing
    assert centroids["value"].is_monotonic_decreasing
    assert ((pairs["low"] <= pairs["value"]) & (pairs["value"] <= pairs["high"])).all()


def test_comparing_is_paired(use, random):
    table = compare_studies([use, random], "overall", seed=1)
    row = table.loc["use-multilingual-v3 - control-random"]
    assert row["difference"] == pytest.approx(use.items()["overall"].mean() - random.items()["overall"].mean())
    assert row["low"] > 0
    assert row["p_value"] < 0.01
    assert compare_studies([use], "overall", seed=1).empty


def test_reported_and_measured_stand_side_by_side(use, core):
    table, pairs, centroids = beside_reported([use], core, seed=1)
    assert table.columns.tolist() == ["use-multilingual-v3", "MiniLM-L12-v2 (reported)"]
    assert table.index[0] == "anger"  # the worst one reported
    assert table.loc["justice", "MiniLM-L12-v2 (reported)"] == 0.9894
    assert not table.isna().any().any()
    assert pairs.index[0] == "tree: en-de"  # the worst pair reported
    assert len(pairs) == 10
    assert centroids.index[0] == "fr-ru"
    codes = list(use.alignment.languages)
    expected = use.alignment.centroid_distance[codes.index("fr"), codes.index("ru")]
    assert centroids.iloc[0, 0] == pytest.approx(expected)
    place = [list(use.alignment.languages).index(code) for code in ("en", "de")]
    tree = use.alignment.concepts.index("tree")
    assert pairs.iloc[0, 0] == pytest.approx(use.alignment.similarity[tree, place[0], place[1]])


def test_findings_follow_the_numbers(use, random):
    good, none = (" ".join(concept_findings(study, 1)) for study in (use, random))
    assert "Excellent" in good
    assert "Poor" in none
    assert "narrow cone" not in good + none
    worst = use.items().sort_values("intra_concept").iloc[0]
    assert f"those of *{worst['concept']}* farthest apart ({worst['intra_concept']:.2f})" in good
    for study, text in ((use, good), (random, none)):
        sure = (study.by_language(1)["p_value"] < 0.05).any()
        assert ("Farther from the others than chance" in text) == sure


@pytest.mark.slow
def test_findings_name_the_cone_of_e5(core):
    findings = concept_findings(study_concepts(load_model("multilingual-e5-small-q4"), core), 1)
    assert any("narrow cone" in sentence for sentence in findings)


def test_a_csv_of_ones_own_with_gaps_shared_words_and_no_categories(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("english,russian,german\nhand,рука,Hand\narm,рука,Arm\nsun,солнце,\nsea,море,Meer\n")
    study = study_concepts(load_model("use-multilingual-v3"), load_lexicon(path), k=1)
    assert study.alignment.missing == {"en": 0, "ru": 0, "de": 1}
    text = " ".join(concept_findings(study, 1))
    assert "1 words stand for two concepts" in text
    assert "1 words are missing" in text
    table = study.by_category(1)
    assert table.index.tolist() == [""]
    hits = pd.DataFrame(study.alignment.hits[:, 0, 1], index=study.alignment.concepts)[0]
    assert hits["hand"] == hits["arm"] == 0.5  # the tie of a shared word


@pytest.mark.parametrize(
    ("text", "k", "message"),
    [
        ("en\ncar\nsun\n", 1, "mine: needs two concepts and two languages, got 2 and 1"),
        ("en,de\ncar,Auto\n", 1, "got 1 and 2"),
        ("en,de\ncar,\nsun,\n,Meer\n,Baum\n", 1, "no concept has words in two languages"),
        ("en,de\ncar,Auto\nsun,Sonne\n", 9, "k is 9, but a word has 3 others"),
    ],
)
def test_too_little_to_measure_is_one_clear_line(tmp_path, text, k, message):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(XlError, match=message):
        study_concepts(load_model("control-random"), load_lexicon(path), k=k)


def test_sentences():
    some = sentences(["en", "fr", "th"])
    assert some.languages == ("en", "th")
    assert len(some.concepts) == 64
    assert sentences(["ja", "ko"]).languages == ("en", "zh", "es", "ar", "de", "th", "hi", "ru")


def test_languages_that_never_meet_in_one_concept(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("en,ru,de\ncar,,Auto\nsun,солнце,\nsea,,Meer\nfire,огонь,\n")
    study = study_concepts(load_model("use-multilingual-v3"), load_lexicon(path), k=1)
    content = read_record(write_record(tmp_path / "r", study.record(1), study.items()))
    assert "pair/en/ru/retrieval" in content["metrics"]
    assert "pair/ru/de/retrieval" not in content["metrics"]
    assert concept_findings(study, 1)
