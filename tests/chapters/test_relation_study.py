"""Relations on planted vectors: what is told apart, what is not, what a repair mends, and what is said of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from planted import planted_model

from xlutils.chapters.claims import NOT_REPRODUCED, REPRODUCED
from xlutils.chapters.relation_tables import LOADERS, explain, phenomena, relation_claims, worst_items
from xlutils.chapters.relations import halves, run_relations, study_relations
from xlutils.cli import main
from xlutils.datasets.relations import TextPairs, load_relations
from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.results.check import check_records
from xlutils.results.record import read_items, read_record, write_record
from xlutils.results.rows import Key, value_of

DIM, COUNT = 48, 24
GOOD, BLIND, MOVED, LACKING = "de", "fr", "sw", "tr"  # French gives both texts of a pair one vector
CODES = ("en", GOOD, BLIND, MOVED, LACKING)


def planted(kind, groups, labels=None, noise=0.2):
    """Return a model and pairs; a text is its language, its side and its number."""
    draws = np.random.default_rng(0)
    count = len(groups)
    meaning = draws.normal(size=(2, count, DIM))
    offset = 60 * unit_rows(draws.normal(size=(1, DIM)))
    vectors, sides = {}, ({}, {})
    for code in CODES:
        spaces = meaning + noise * draws.normal(size=meaning.shape)
        if code == BLIND:
            spaces[1] = spaces[0]
        if code == MOVED:  # all in a corner, each text a little nearer to the wrong one
            spaces = spaces[::-1] * 0.5 + spaces * 0.4 + offset
        for side, column in enumerate(sides):
            texts = [f"{code} {'ab'[side]} {row}" for row in range(count)]
            if code == LACKING:
                texts[3:] = [""] * (count - 3)
            column[code] = tuple(texts)
            vectors |= dict(zip(texts, spaces[side], strict=True))
    ids = tuple(f"{group}-{row}" for row, group in enumerate(groups))
    pairs = TextPairs(kind, kind, ids, tuple(groups), tuple(labels or [""] * count), *sides)
    return planted_model(vectors), pairs


@pytest.fixture(scope="module")
def words():
    groups = ["antonym"] * COUNT + ["category"] * 12 + ["gender"] * 10
    labels = ["noun", "verb"] * (COUNT // 2) + ["fruit", "tool", "animal"] * 4 + [""] * 10
    return study_relations(*planted("relations", groups, labels))


@pytest.fixture(scope="module")
def sentences():
    return study_relations(*planted("minimal-pairs", ["role"] * COUNT + ["tense"] * COUNT))


def score(study, metric, language, state=""):
    return value_of(study.metrics, Key("language", metric, language=language, state=state))


def test_antonyms_are_told_apart_unless_they_have_one_vector(words):
    assert score(words, "antonyms", GOOD) == 1
    assert score(words, "others-told-apart", GOOD) == 1
    assert 0.4 < score(words, "antonym-above-others", GOOD) < 0.6  # unrelated vectors, so no special confuser
    # a French word does not know which English one is meant, and an English one finds both French ones alike
    assert score(words, "antonyms", BLIND) == 0.5
    assert score(words, "antonym-auc", BLIND) < score(words, "antonym-auc", GOOD) == 1


def test_a_language_that_lacks_the_pairs_gets_no_score(words, sentences):
    for study in (words, sentences):
        assert LACKING not in set(study.metrics["language"])
    assert words.params["missing"] == {"en": 0, GOOD: 0, BLIND: 0, MOVED: 0, LACKING: COUNT + 12 + 10 - 3}


def test_the_tests_of_words_have_their_nulls(words):
    for metric in ("affinity/antonym", "affinity-others/antonym", "affinity-shuffled/antonym"):
        assert -1 <= score(words, metric, GOOD) <= 1
    assert score(words, "affinity/antonym", GOOD) > 0.8
    assert abs(score(words, "affinity-others/antonym", GOOD)) < 0.1
    assert score(words, "overlap", GOOD) > 2 * score(words, "overlap-shuffled", GOOD)
    assert score(words, "rsa-p", GOOD) == score(words, "cka-p", GOOD) == 1 / 200
    assert {"analogy-offset/gender", "analogy-excluding/gender", "analogy-alone/gender"} <= set(words.metrics["metric"])
    assert not any(name.endswith("/category") for name in words.metrics["metric"] if name.startswith("analogy"))
    assert 0 <= score(words, "category-members", GOOD) <= 1


def test_sentences_are_told_apart_and_distractors_fool(sentences):
    assert score(sentences, "pairs/role", GOOD) == 1
    assert score(sentences, "fooled/role", GOOD) == 0
    assert score(sentences, "pairs/role", BLIND) == 0.5
    assert score(sentences, "fooled/role", BLIND) > 0.2
    assert score(sentences, "near/role", BLIND) == pytest.approx(1, abs=1e-5)
    assert score(sentences, "near/role", GOOD) < 0.5


def test_a_repair_is_tested_on_the_half_that_it_was_not_fitted_on(sentences):
    before, after = (score(sentences, "pairs/role", MOVED, state) for state in ("", "centred"))
    assert before < 0.4
    assert abs(after - before) < 0.3
    assert set(sentences.metrics["state"]) == {"", "centred", "rotated"}
    is_second = halves(sentences.pairs, "en", 42)
    rows = range(COUNT)
    values = []
    for row in rows:
        fitted = is_second if not is_second[row] else ~is_second
        spaces = {}
        for code in ("en", MOVED):
            both = np.concatenate(sentences.sides[code]).astype(float)
            mean = both[np.tile(fitted, 2)].mean(axis=0)
            spaces[code] = [unit_rows(side - mean) for side in sentences.sides[code]]
        wins = []
        for asked, answers in (("en", MOVED), (MOVED, "en")):
            for side in (0, 1):
                query = spaces[asked][side][row]
                wins.append(query @ spaces[answers][side][row] > query @ spaces[answers][1 - side][row])
        values.append(np.mean(wins))
    assert after == pytest.approx(np.mean(values), abs=1e-6)


def test_pairs_with_a_word_in_common_are_in_the_same_half():
    pairs = load_relations("relations", ["en", "de"])
    is_second = halves(pairs, "en", 42)
    assert 0.3 < is_second.mean() < 0.7
    half_of = {}
    for side in (pairs.first, pairs.second):
        for word, half in zip(side["en"], is_second, strict=True):
            assert half_of.setdefault(word, half) == half, word
    assert (is_second != halves(pairs, "en", 43)).any()
    of_categories = [row for row, group in enumerate(pairs.groups) if group == "category"]
    assert len(set(is_second[of_categories])) == 1


def test_a_sentence_moves_a_word_to_the_translation_of_its_sense():
    draws = np.random.default_rng(1)
    words = [f"w{number}" for number in range(12)]
    groups = [word for word in words for _ in range(2)]
    sense = draws.normal(size=(24, DIM))
    word = np.repeat(sense[::2] * 1.5 + sense[1::2], 2, axis=0)  # alone, it means the first one
    vectors = {}
    first, second = {"en": groups}, {}
    vectors |= dict(zip(groups, word, strict=True))
    for code, mixed in (("en", 0.4), ("de", 0)):
        second[code] = [f"{code} s {row}" for row in range(24)]
        vectors |= dict(zip(second[code], sense + mixed * word, strict=True))
    first["de"] = [f"de t {row}" for row in range(24)]
    first["de"][1] = first["de"][0]  # one word for both senses
    vectors |= dict(zip(first["de"], sense, strict=True))
    columns = [{code: tuple(column) for code, column in side.items()} for side in (first, second)]
    ids = tuple(f"{word}-{number}" for word in words for number in (1, 2))
    pairs = TextPairs("senses", "senses", ids, tuple(groups), ("2",) * 24, *columns)
    study = study_relations(planted_model(vectors), pairs)
    assert score(study, "senses", "de") == 1
    assert score(study, "sense-sentences", "de") == 1
    assert 0.4 < score(study, "senses-moved", "de") <= 1
    assert study.items["senses"].notna().sum() == 22
    assert set(study.items.dropna(subset="sense-cosine")["item"]) == {f"w{number}-1" for number in range(1, 12)}


def test_records_are_the_same_again_and_their_items_fit(sentences, words, tmp_path):
    encoder, pairs = planted("minimal-pairs", ["role"] * COUNT + ["tense"] * COUNT)
    *_, paths = run_relations(["x"], [pairs], lambda _: encoder, tmp_path)
    assert [path.name for path in paths] == ["minimal-pairs.json"]
    again = write_record(tmp_path / "again", sentences.record(), sentences.items)
    one, other = (read_record(path) for path in (paths[0], again))
    pd.testing.assert_frame_equal(one["metrics"], other["metrics"])
    pd.testing.assert_frame_equal(read_items(paths[0]), read_items(again))
    write_record(tmp_path, words.record(), words.items)
    assert check_records(tmp_path) == 2
    part = pairs.only(["en", GOOD])
    *_, paths = run_relations(["x"], [part], lambda _: encoder, tmp_path, all_languages=False)
    assert [path.name for path in paths] == ["minimal-pairs.2-languages.json"]


def test_the_table_of_phenomena_leaves_out_what_a_language_lacks(sentences, tmp_path):
    record = read_record(write_record(tmp_path, sentences.record(), sentences.items))
    table = phenomena(record)
    assert list(table.index) == ["who does what to whom", "tense"]
    assert list(table.columns) == ["German", "French", "Swahili"]
    assert (phenomena(record, "low") <= table).all().all()


def test_the_worst_items_are_shown_in_full_text(sentences):
    table = worst_items(sentences.items, sentences.pairs, MOVED, "pairs/role", 2)
    assert table["told apart"].max() < 0.5
    assert table["told apart"].is_monotonic_increasing
    number = table["item"][0].split("-")[1]
    assert table["English"][0] == f"en a {number} / en b {number}"
    assert table["Swahili"][0] == f"sw a {number} / sw b {number}"
    assert worst_items(sentences.items, sentences.pairs, GOOD, "pairs/role").empty


def test_claims_say_what_the_numbers_say(words, sentences, tmp_path):
    for study in (words, sentences):
        write_record(tmp_path, study.record(), study.items)
    records = [read_record(path) for path in sorted((tmp_path / "relations/planted").glob("*.json"))]
    table = relation_claims(records).set_index("claim")["verdict"]
    assert table["A translation is nearer than the translated antonym"] == NOT_REPRODUCED
    assert table["Told apart across languages: tense"] == NOT_REPRODUCED
    better = [record | {"metrics": record["metrics"].assign(value=0.95, low=0.93, high=0.97)} for record in records]
    table = relation_claims(better).set_index("claim")["verdict"]
    assert table["A translation is nearer than the translated antonym"] == REPRODUCED
    assert table["Told apart across languages: tense"] == REPRODUCED
    assert table["An antonym is as far as any other word"] == NOT_REPRODUCED
    assert table["Relations are directions"] == NOT_REPRODUCED  # one interval
    assert table["A repair keeps relations: centred"] == REPRODUCED


def test_what_a_model_confuses_is_explained_in_full_text(tmp_path, monkeypatch):
    encoder, pairs = planted("minimal-pairs", ["role"] * COUNT + ["tense"] * COUNT)
    study = study_relations(encoder, pairs)
    write_record(tmp_path, study.record(), study.items)
    monkeypatch.setitem(LOADERS, "minimal-pairs", lambda _: pairs)
    result = CliRunner().invoke(main, ["explain", "planted", "Swahili", "--records", str(tmp_path)])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "planted: what it confuses in Swahili; 0.5 is chance"
    scores = [value_of(study.metrics, Key("language", f"pairs/{name}", language=MOVED)) for name in ("role", "tense")]
    assert [line.split(": ")[1][:4] for line in lines if line.startswith(("who", "tense"))] == sorted(
        f"{value:.2f}" for value in scores
    )
    number = next(line for line in lines if line.startswith("  role-")).split()[0].removeprefix("role-")
    assert f"    sw a {number} / sw b {number}" in lines
    refused = CliRunner().invoke(main, ["explain", "planted", "yo", "--records", str(tmp_path)]).output
    assert "minimal-pairs has no language yo" in refused


def test_bad_input_is_one_line(tmp_path):
    encoder, pairs = planted("relations", ["antonym"] * COUNT)
    with pytest.raises(XlError, match="relations: needs en and another language, and has de, fr"):
        study_relations(encoder, pairs.only(["de", "fr"]))
    few = replace(pairs, **{name: getattr(pairs, name)[:3] for name in ("ids", "groups", "labels")})
    few = replace(few, **{n: {c: t[:3] for c, t in getattr(pairs, n).items()} for n in ("first", "second")})
    with pytest.raises(XlError, match="no language has 5 pairs of one kind in common with en"):
        study_relations(encoder, few)
    with pytest.raises(XlError, match="no record of relations of LaBSE in r; there are records of no model"):
        explain(tmp_path / "r", "LaBSE", "de")
