import itertools

import numpy as np
import pandas as pd
import pytest

from xlutils.chapters.concept_record import AMONG_OTHERS, script_table
from xlutils.chapters.concept_tables import answer_list, beside_reported, verdicts
from xlutils.chapters.concepts import sentences, study_concepts
from xlutils.chapters.tables import category_table, combine_means
from xlutils.datasets import load_lexicon
from xlutils.datasets.branches import BRANCHES
from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.reported import load_reported
from xlutils.errors import XlError
from xlutils.metrics.alignment import concept_alignment, quality
from xlutils.models import load_model
from xlutils.results.record import read_items, read_record, write_record
from xlutils.results.rows import Key, rows_of, value_of


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
    real, control = use.summary(1)["value"], random.summary(1)["value"]
    assert real["overall"] > 0.85 > 0.4 > control["overall"]
    assert real["discriminability"] > 0.4
    assert control["discriminability"] == pytest.approx(0, abs=0.05)


def test_the_summary_is_the_mean_of_the_items_and_inside_its_interval(use):
    summary, items = use.summary(1), use.items()
    for metric in ("intra_concept", "nn_accuracy", "retrieval_accuracy", "overall", "csls_retrieval"):
        assert summary.loc[metric, "value"] == pytest.approx(items[metric].mean())
        assert summary.loc[metric, "low"] <= summary.loc[metric, "value"] <= summary.loc[metric, "high"]
    parts = 0.3 * items["intra_concept"] + 0.3 * items["nn_accuracy"] + 0.4 * items["retrieval_accuracy"]
    assert np.allclose(items["overall"], parts)


def test_every_metric_of_the_record_has_an_interval(use, tmp_path):
    path = write_record(tmp_path, use.record(1), use.items())
    content = read_record(path)
    metrics = content["metrics"]
    assert {"intra_concept", "overall", "discriminability"} <= set(metrics["metric"])
    estimates = metrics[~metrics["metric"].str.endswith("/p-value")]
    assert estimates[["low", "high"]].notna().all(axis=None)
    retrieval = value_of(metrics, Key("pair", "retrieval", pool="ru", query="de"))
    assert retrieval == pytest.approx(use.by_pair(1).loc[("de", "ru"), "value"])
    assert len(rows_of(metrics, Key("language", "nn_accuracy", language="zh"))) == 1
    assert len(rows_of(metrics, Key("pair", "centroid_distance", "en+zh"))) == 1
    one, other = (use.alignment.languages.index(code) for code in ("en", "zh"))
    similarity = value_of(metrics, Key("pair", "similarity", "en+zh"))
    assert similarity == pytest.approx(use.alignment.similarity[:, one, other].mean())
    worst = content["params"]["misaligned"]
    assert [tuple(pair[:3]) for pair in worst] == [pair[:3] for pair in use.alignment.misaligned(0.5)[:15]]
    assert {"shared-script/retrieval", "shared-script/retrieval/p-value"} <= set(metrics["metric"])
    assert len(read_items(path)) == content["dataset"]["size"] == 15
    assert path.name == "concepts-core.json"


def test_the_tables_of_pairs_start_with_the_worst(use):
    pairs, centroids = use.by_pair(1), use.centroids(1)
    assert len(pairs) == 8 * 7
    assert len(centroids) == 8 * 7 / 2
    assert pairs["value"].is_monotonic_increasing
    assert centroids["value"].is_monotonic_decreasing
    assert ((pairs["low"] <= pairs["value"]) & (pairs["value"] <= pairs["high"])).all()


LABELS = {  # of the study, from its table
    "Excellent": "justice water knowledge energy freedom fear happiness love sun house",
    "Good": "peace gravity",
    "Moderate": "tree mountain anger",
}


def test_the_limits_of_quality_give_the_labels_of_the_study():
    reported = load_reported("concept-study").query("metric == 'intra_concept' and item != ''").set_index("item")
    assert len(reported) == 15
    for label, concepts in LABELS.items():
        assert {quality(reported.loc[concept, "value"]) for concept in concepts.split()} == {label}
    assert quality(0.938) == "Excellent"  # its overall score


def test_the_table_of_concepts_has_labels_and_starts_with_the_lowest(use):
    table = use.concept_table()
    assert table["intra_concept"].is_monotonic_increasing
    assert table["quality"].tolist() == [quality(value) for value in table["intra_concept"]]
    assert len(table) == 15


def test_a_planted_script_brings_languages_nearer_and_a_random_one_does_not():
    codes = ["en", "es", "fr", "de", "ar", "fa", "ur", "ru", "uk", "bg"]
    rng = np.random.default_rng(0)
    meaning, scripts = rng.standard_normal((40, 64)), {}
    for name, planted in (("near", 3.0), ("random", 0.0)):
        rows = []
        for vector in meaning:
            for code in codes:
                place = ["Latn", "Arab", "Cyrl"].index(LANGUAGES[code].script)
                rows.append(vector + planted * np.eye(64)[place] + 0.5 * rng.standard_normal(64))
        vectors = np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
        ids = [f"c{number}" for number in range(40) for _ in codes]
        scripts[name] = script_table(concept_alignment(vectors, ids, codes * 40), (), 1)
    near, random = (table.loc["centroid_distance"] for table in scripts.values())
    assert near["high"] < 0
    assert near["p_value"] < 0.01
    assert random["p_value"] > 0.05
    assert near["low"] <= near["value"] <= near["high"]
    assert script_table(concept_alignment(vectors, ids, codes * 40), codes[1:], 1).empty


def test_relatives_that_share_a_script_do_not_make_the_script_bring_languages_nearer():
    codes = ["en", "de", "sv", "es", "fr", "it", "ru", "uk", "bg", "tr", "fi", "hu", "ar", "he"]
    rng = np.random.default_rng(0)
    families = sorted({BRANCHES[code] for code in codes})
    rows = [
        vector + 3 * np.eye(64)[families.index(BRANCHES[code])] + 0.5 * rng.standard_normal(64)
        for vector in rng.standard_normal((40, 64))
        for code in codes
    ]
    vectors = np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
    alignment = concept_alignment(vectors, [f"c{number}" for number in range(40) for _ in codes], codes * 40)
    table = script_table(alignment, (), 1)
    assert table.loc["centroid_distance", "high"] < -0.1  # kinship looks like a script
    assert (
        abs(table.loc["centroid_distance" + AMONG_OTHERS, "value"]) < abs(table.loc["centroid_distance", "value"]) / 3
    )
    by_hand = {True: [], False: []}
    for one, other in itertools.combinations(codes, 2):
        if BRANCHES[one] != BRANCHES[other]:
            a, b = (alignment.languages.index(code) for code in (one, other))
            found = alignment.retrieval_matrix[[a, b], [b, a]].tolist()
            by_hand[LANGUAGES[one].script == LANGUAGES[other].script] += found
    expected = np.mean(by_hand[True]) - np.mean(by_hand[False])
    assert table.loc["retrieval" + AMONG_OTHERS, "value"] == pytest.approx(expected, abs=1e-6)
    only = [code for code in codes if code not in ("en", "es")]
    rows = script_table(alignment, only, 1)  # of two languages, both in Latin letters
    assert rows.empty


def test_every_language_of_the_word_lists_of_concepts_has_a_branch():
    for name in ("concepts-core", "concepts-extended"):
        assert {*load_lexicon(name).languages} <= {*BRANCHES}
    assert {*BRANCHES} <= {*LANGUAGES}


def test_the_verdicts_follow_the_numbers(use, random):
    real, control = verdicts(use, 1), verdicts(random, 1)
    assert real.index.tolist() == control.index.tolist()  # one table for all models
    assert real.iloc[0].startswith("Excellent: 0.9")
    assert control.iloc[0].startswith("Poor: 0.")
    assert real["Are translations nearer than unrelated words?"].startswith("yes: 0.5")
    assert control["Are translations nearer than unrelated words?"].startswith("yes: 0.02")  # shared spellings
    significant = use.by_language(1).query("p_value < 0.05").index
    assert all(f"{use.label(code)}: " in real["Which languages are outliers?"] for code in significant)
    assert control["Which languages are outliers?"] == "none"


@pytest.fixture
def planted_verdicts(tmp_path, planted_encoder):
    """Return the verdicts on a model with the given vectors of the same concepts in two languages, [n, dim] each."""

    def decide(english, german):
        rows = [f"en{row},de{row},{'early' if row < 8 else 'late'}" for row in range(len(english))]
        (tmp_path / "planted.csv").write_text("\n".join(["en,de,category", *rows]))
        words = [f"{code}{row}" for code in ("en", "de") for row in range(len(english))]
        encoder = planted_encoder(dict(zip(words, np.concatenate([english, german]), strict=True)))
        return verdicts(study_concepts(encoder, load_lexicon(tmp_path / "planted.csv"), k=1), 1).str.split(":").str[0]

    return decide


def test_translations_that_coincide_are_nearer_and_hide_their_language(planted_verdicts):
    answers = planted_verdicts(np.eye(16), np.eye(16))
    assert answers["How well do translations align overall?"] == "Excellent"
    assert answers["Are translations nearer than unrelated words?"] == "yes"
    assert answers["Does CSLS find more translations than the cosine?"] == "unclear"
    assert answers["Can a linear probe name the language?"] != "yes"
    assert answers["Which languages are outliers?"] == "none"
    assert answers["Which categories align worse than the rest?"] == "none"


def test_a_category_whose_translations_are_apart_aligns_worse(planted_verdicts):
    english, german = np.eye(24)[:16], np.eye(24)[[*range(16, 24), *range(8, 16)]]
    assert planted_verdicts(english, german)["Which categories align worse than the rest?"] == "early"


def test_translations_on_opposite_sides_are_not_nearer(planted_verdicts):
    answers = planted_verdicts(np.eye(16), -np.eye(16))
    assert answers["How well do translations align overall?"] == "Poor"
    assert answers["Are translations nearer than unrelated words?"] == "no"


def test_translations_at_random_are_neither_nearer_nor_farther(planted_verdicts):
    vectors = np.random.default_rng(1).standard_normal((2, 16, 64))
    answers = planted_verdicts(*vectors)
    assert answers["Are translations nearer than unrelated words?"] == "unclear"
    assert answers["Does CSLS find more translations than the cosine?"] == "unclear"


def test_the_probe_names_languages_that_have_a_direction_each(planted_verdicts):
    english, german = np.eye(18)[:16], np.eye(18)[:16]
    answers = planted_verdicts(english + np.eye(18)[16], german + np.eye(18)[17])
    assert answers["Can a linear probe name the language?"] == "yes"


def test_csls_finds_translations_behind_a_hub(planted_verdicts):
    hub = np.eye(17)[16]
    german = np.vstack([np.eye(17)[:16], hub])
    english = np.vstack([np.eye(17)[:16] + 1.2 * hub, hub])
    assert planted_verdicts(english, german)["Does CSLS find more translations than the cosine?"] == "yes"


def test_the_answers_are_a_list_by_question_with_names_as_they_are():
    text = answer_list({"my_model": pd.Series({"Near?": "yes"}), "<b>": pd.Series({"Near?": "no"})})
    assert text.split("\n") == ["", "**Near?**", "", "- my\\_model: yes", "- \\<b\\>: no"]


def test_reported_and_measured_values_are_side_by_side(use):
    concepts, pairs, centroids = (
        beside_reported([use], metric) for metric in ("intra_concept", "pair_similarity", "centroid_distance")
    )
    assert concepts.columns.tolist() == ["use-multilingual-v3", "MiniLM-L12-v2 (reported)"]
    assert concepts.index[0] == "anger"  # the lowest one reported
    assert concepts.loc["justice", "MiniLM-L12-v2 (reported)"] == 0.9894
    assert not concepts.isna().any().any()
    places = [use.alignment.languages.index(code) for code in ("en", "de", "fr", "ru")]
    tree = use.alignment.similarity[use.alignment.concepts.index("tree")]
    assert len(pairs) == 10
    assert pairs.index[0] == "tree: English–German"
    assert pairs.iloc[0, 0] == pytest.approx(tree[places[0], places[1]])
    assert centroids.loc["French–Russian"].iloc[0] == pytest.approx(
        use.alignment.centroid_distance[places[2], places[3]]
    )


def test_a_csv_may_have_gaps_shared_words_and_no_categories(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("english,russian,german\nhand,рука,Hand\narm,рука,Arm\nsun,солнце,\nsea,море,Meer\n")
    study = study_concepts(load_model("use-multilingual-v3"), load_lexicon(path), k=1)
    assert study.by_category(1).index.tolist() == [""]
    assert verdicts(study, 1)["Which categories align worse than the rest?"] == "none"
    hits = dict(zip(study.alignment.concepts, study.alignment.hits[:, 0, 1], strict=True))
    assert hits["hand"] == hits["arm"] == 0.5  # the shared word is a tie


@pytest.fixture(scope="module")
def hindi():
    """A study in which the model never learned one of three languages."""
    return study_concepts(load_model("use-multilingual-v3"), load_lexicon("concepts-extended", ["en", "hi", "ru"]))


def test_a_language_that_the_model_never_learned_is_marked(hindi):
    assert hindi.not_learned == ("hi",)
    assert hindi.remark.endswith("Hindi (not learned)")
    assert [hindi.label(code) for code in ("en", "hi")] == ["English", "Hindi (not learned)"]
    assert hindi.learned_rows(hindi.by_language(1)).index.tolist() == ["en", "ru"]
    assert set(hindi.learned_rows(hindi.by_pair(1)).index) == {("en", "ru"), ("ru", "en")}
    assert "Hindi (not learned): -0." in verdicts(hindi, 1)["Which languages are outliers?"]


def test_the_languages_that_the_model_learned_are_measured_alone(hindi):
    part = hindi.only_learned()
    assert part.lexicon.languages == ("en", "ru")
    assert part.lexicon.concepts == hindi.lexicon.concepts
    assert part.summary(1).loc["overall", "value"] > hindi.summary(1).loc["overall", "value"] + 0.1
    pair = hindi.alignment.languages.index("ru")
    assert part.alignment.hits[:, 0, 1] == pytest.approx(hindi.alignment.hits[:, 0, pair])


def test_without_knowledge_of_the_languages_nothing_is_marked(random, use):
    assert random.not_learned == use.not_learned == ()
    assert random.label("hi") == "Hindi"
    assert random.remark == ""
    assert random.only_learned() is None
    assert len(random.learned_rows(random.by_language(1))) == 8


def test_no_value_of_random_vectors_is_outside_its_interval(random):
    tables = [random.summary(1), random.by_pair(1), random.centroids(1), random.by_category(1), random.by_language(1)]
    nearest = random.by_language(1)[["nn_accuracy", "nn_low", "nn_high"]].set_axis(["value", "low", "high"], axis=1)
    for table in [*tables[:-1], tables[-1].rename(columns={"similarity": "value"}), nearest]:
        assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()


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


def test_languages_that_never_share_a_concept_have_no_metric(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("en,ru,de\ncar,,Auto\nsun,солнце,\nsea,,Meer\nfire,огонь,\n")
    metrics = study_concepts(load_model("control-random"), load_lexicon(path), k=1).record(1).metrics
    assert len(rows_of(metrics, Key("pair", "retrieval", pool="ru", query="en"))) == 1
    assert rows_of(metrics, Key("pair", "retrieval", pool="de", query="ru")).empty


def test_sentences_are_the_first_questions_of_mini():
    assert sentences(["en", "fr", "th"]).languages == ("en", "th")
    assert len(sentences(["en", "th"]).concepts) == 64
    assert sentences(["ja", "ko"]).languages == ("en", "zh", "es", "ar", "de", "th", "hi", "ru")


def test_a_category_below_the_rest_is_significant():
    values = np.array([0.1, 0.2, 0.1, 0.2, 0.8, 0.9, 0.8, 0.9, np.nan])
    table = category_table(values, ["low"] * 4 + ["high"] * 5, seed=1)
    assert table["concepts"].tolist() == [4, 4]
    assert table.loc["low", "p_value"] < 0.05 < table.loc["high", "p_value"]


def test_a_category_of_one_concept_is_not_tested():
    table = category_table(np.array([0.1, 0.8, 0.9, 0.85]), ["a", "b", "b", "b"], seed=1)
    assert table.loc["a", ["concepts", "value", "p_value"]].tolist() == [1, 0.1, 1.0]
    assert (table["p_value"] == 1).all()


def test_combined_means_weigh_groups_and_not_values():
    groups = [np.array([1.0, 3.0]), np.array([10.0, 10.0, 10.0])]
    assert combine_means(groups)[0] == 6
    value, low, high = combine_means(groups, (1, -1), seed=1)
    assert low < value == -8 < high
