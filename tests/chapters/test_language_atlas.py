"""The language atlas on planted vectors: what is repaired, what is unknown, and what a record says of it."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from xlutils.chapters.atlas import copies, item_ids, load_texts, run_atlas, study_atlas
from xlutils.chapters.atlas_tables import atlas_table, verdicts
from xlutils.chapters.atlas_values import ceiling_of, token_counts
from xlutils.chapters.few_shot import repair_table, study_repair
from xlutils.cli import main
from xlutils.datasets.sentences import Sentences
from xlutils.errors import XlError
from xlutils.metrics.atlas import gini, worst_tenth
from xlutils.metrics.geometry import unit_rows
from xlutils.models.encoder import Encoder
from xlutils.results.check import check_records
from xlutils.results.compare import change_table, changed_most, find_pairs
from xlutils.results.leaderboard.read import read_board
from xlutils.results.record import read_record, write_record
from xlutils.results.rows import Key, metric_table, value_of

COUNT, DIM = 61, 24
MOVED, NOISY = "fr", "sw"  # a copy of English and an offset; nothing to do with English
LANGUAGES = ("en", "de", MOVED, "zh", NOISY)


class Planted:
    """Gives every text the vector that was planted for it; a word of a Chinese text is two tokens, one unknown."""

    dim = DIM

    def __init__(self, vectors):
        self.vectors, self.calls = vectors, 0

    def embed(self, texts, prompt, task):
        self.calls += 1
        yield list(range(len(texts))), np.stack([self.vectors[text] for text in texts])

    def read(self, texts, prompt):
        words = [len(text.split()) for text in texts]
        is_unknown = [any(letter > "z" for letter in text) for text in texts]
        return np.array([(2 * w, w * u, 0) for w, u in zip(words, is_unknown, strict=True)])


def planted(seed=0, noise=0.3):
    """Return a model and sentences whose spelling says nothing."""
    draws = np.random.default_rng(seed)
    letters = {code: "的一是不了在人有我他" if code == "zh" else "abcdefghij" for code in LANGUAGES}
    texts = {
        code: tuple(" ".join("".join(draws.choice([*letters[code]], 5)) for _ in range(4)) for _ in range(COUNT))
        for code in LANGUAGES
    }
    meaning = draws.normal(size=(COUNT, DIM))
    spaces = {code: meaning + noise * draws.normal(size=meaning.shape) for code in LANGUAGES} | {"en": meaning}
    spaces[MOVED] = spaces[MOVED] + 200 * unit_rows(draws.normal(size=(1, DIM)))
    spaces[NOISY] = draws.normal(size=meaning.shape)
    vectors = {text: row for code, rows in spaces.items() for text, row in zip(texts[code], rows, strict=True)}
    encoder = Encoder("planted", "test", "1", Planted(vectors), cached=False)
    return encoder, Sentences("toy", tuple(map(str, range(COUNT))), texts, ("",) * COUNT)


@pytest.fixture(scope="module")
def study():
    return study_atlas(*planted(), sample=31)


@pytest.fixture
def record(study, tmp_path):
    return read_record(write_record(tmp_path, study.record(), study.items))


def test_an_offset_is_repaired_by_centring_and_noise_is_unknown(record):
    table = atlas_table(record)
    assert list(table.index) == list(LANGUAGES)
    assert dict(table["verdict"]) == {"en": "", "de": "known", MOVED: "partly", "zh": "known", NOISY: "unknown"}
    assert table.loc[MOVED, "found_high"] < 0.2 < 0.9 < table.loc[MOVED, "found_centred_low"]
    assert table.loc[NOISY, "accuracy_centred_high"] < 0.3
    assert table.loc["de", "place"] == table.loc["de", "place_low"] == 1
    assert table.loc[MOVED, "own-above"] > table.loc[NOISY, "own-above"] + 0.1  # its texts are all in one corner
    assert table.loc["de", "sa"] > table.loc[NOISY, "sa"]
    assert table.loc["de", "gap"] > 0.8 > 0.1 > abs(table.loc[NOISY, "gap"])
    assert table.loc["en"].filter(like="accuracy").isna().all()
    assert table.loc["en", "others"] > table.loc[NOISY, "others"]
    assert (table.attrs["pivot"], table.attrs["ceiling"]) == ("en", table["accuracy"].max())  # a tenth of four is one


def first_one(scores, gold):
    best = np.flatnonzero(scores >= scores.max() - 5e-6)
    return (gold in best) / len(best)


def test_each_text_is_centred_on_the_half_that_it_is_not_in(study):
    metrics = study.metrics
    for state, expected in (("", study.items), ("centred", None)):
        hits = []
        for item in range(COUNT):
            texts, pivots = (study.vectors[code].astype(float) for code in (MOVED, "en"))
            if state:
                others = study.is_second != study.is_second[item]
                texts, pivots = (unit_rows(space - space[others].mean(axis=0)) for space in (texts, pivots))
            hits.append(first_one(pivots @ texts[item], item))
        assert np.isclose(np.mean(hits), value_of(metrics, Key("language", "found", language=MOVED, state=state)))
        if expected is not None:
            assert np.allclose(hits, expected[expected["language"] == MOVED]["found"])


def test_rows_of_all_languages_are_those_of_the_metrics(record):
    table, metrics = atlas_table(record), record["metrics"]
    scores = table["accuracy"].dropna()
    values = {name: value_of(metrics, Key("all", name)) for name in ("known", "unknown", "worst-decile", "gini")}
    assert (values["known"], values["unknown"]) == (2, 1)
    assert np.isclose(values["worst-decile"], worst_tenth(scores))
    assert np.isclose(values["gini"], gini(scores))
    weighted = value_of(metrics, Key("all", "gini-speakers"))
    assert np.isclose(weighted, gini(scores, table.loc[scores.index, "speakers"].astype(float)))
    rows = metrics.dropna(subset="low")
    assert ((rows["low"] <= rows["value"] + 1e-6) & (rows["value"] <= rows["high"] + 1e-6)).all()


def test_the_interval_of_the_counts_judges_every_draw_again():
    study = study_atlas(*planted(noise=2.1), sample=5)
    table = atlas_table({"metrics": study.metrics, **vars(study.record())} | {"model": {"name": "x"}})
    both = study.items.assign(accuracy=(study.items["found"] + study.items["found_back"]) / 2)
    hits = both.pivot_table("accuracy", "item", "language", sort=False)
    draws, counts = np.random.default_rng(42), {"known": [], "partly": [], "unknown": []}
    for _ in range(2000):
        drawn = hits.iloc[draws.integers(COUNT, size=COUNT)].mean()
        low = drawn - (table["accuracy"] - table["accuracy_low"])[hits.columns]
        metrics = [row(drawn[code], low[code], 1, language=code) for code in hits]
        control = table.loc[hits.columns, ["control", "control_low", "control_high"]]
        metrics += [row(*values, state="control", language=code) for code, *values in control.itertuples()]
        found = verdicts(metric_table(metrics), table.attrs["ceiling"])
        for name, values in counts.items():
            values.append((found == name).sum())
    rows = study.metrics[study.metrics["kind"] == "all"].set_index("metric")
    for name, values in counts.items():
        assert tuple(rows.loc[name, ["low", "high"]]) == tuple(np.quantile(values, [0.025, 0.975]))
    assert rows.loc["known", "high"] > rows.loc["known", "low"]


def row(value, low, high, state="", language="de"):
    keys = {"kind": "language", "language": language, "metric": "accuracy", "state": state}
    return keys | {"value": value, "low": low, "high": high}


@pytest.mark.parametrize(
    ("accuracy", "control", "ceiling", "verdict"),
    [
        ((0.7, 0.61, 0.8), (0.2, 0.1, 0.3), 1.0, "known"),
        ((0.7, 0.60, 0.8), (0.2, 0.1, 0.3), 1.0, "partly"),  # not above the point half-way
        ((0.7, 0.60, 0.8), (0.2, 0.1, 0.3), 0.9, "known"),  # nothing is known much better
        ((0.4, 0.31, 0.5), (0.2, 0.1, 0.3), 1.0, "partly"),
        ((0.4, 0.30, 0.5), (0.2, 0.1, 0.3), 1.0, "unknown"),  # intervals that touch are no difference
        ((0.11, 0.101, 0.12), (0.0, 0.0, 0.01), 1.0, "partly"),
        ((0.11, 0.100, 0.12), (0.0, 0.0, 0.01), 1.0, "unknown"),  # a tenth of the way is not enough
        ((0.04, 0.035, 0.05), (0.0, 0.0, 0.01), 1.0, "unknown"),  # many texts show that it is above the control
        ((0.99, 0.98, 1), (0.97, 0.94, 1), 1.0, "unknown"),  # spelling does it
    ],
)
def test_the_verdict_compares_intervals_with_control_and_ceiling(accuracy, control, ceiling, verdict):
    rows = metric_table([row(*accuracy), row(*control, state="control")])
    assert dict(verdicts(rows, ceiling)) == {"de": verdict}


def test_the_ceiling_is_the_best_tenth_but_not_that_of_a_model_that_knows_nothing():
    accuracy = np.array([[0.1, 0.8, 0.3, np.nan], [0.1, 1.0, 0.3, np.nan]])
    assert ceiling_of(accuracy, own=1.0) == pytest.approx(0.9)
    assert ceiling_of(accuracy / 3, own=1.0) == 0.5
    assert ceiling_of(accuracy / 3, own=0.4) == pytest.approx(0.3)


def test_a_language_whose_texts_are_copied_from_a_larger_one_gets_no_scores():
    encoder, data = planted()
    texts = {**data.texts, "kl": (*data.texts["de"][:40], *data.texts[NOISY][40:])}
    assert copies(texts) == {"kl": "de"}
    assert copies({**texts, "kl": (*data.texts["de"][:30], *map(str, range(31)))}) == {}  # 30 of 61
    study = study_atlas(encoder, replace(data, texts=texts), sample=31)
    assert study.params["copies"] == {"kl": "de"}
    assert study.params["left_out"] == ["kl"]
    assert not (study.metrics["language"].eq("kl") & study.metrics["metric"].eq("accuracy")).any()


def test_a_record_is_the_same_again_and_its_items_fit(study, tmp_path):
    contents = []
    for folder, again in (("one", study), ("two", study_atlas(*planted(), sample=31))):
        path = write_record(tmp_path / folder, again.record(), again.items)
        contents.append(json.loads(path.read_text()) | {"created": "", "timing": {}})
    assert contents[0] == contents[1]
    assert check_records(tmp_path / "one") == 1
    assert len(study.items) == (len(LANGUAGES) - 1) * COUNT
    wrong = study.items.assign(found=study.items["found"] / 2)
    write_record(tmp_path / "wrong", study.record(), wrong)
    with pytest.raises(XlError, match="but the mean of its items is"):
        check_records(tmp_path / "wrong")


def test_texts_are_encoded_in_one_call_and_other_pivots_and_languages_get_other_names(tmp_path):
    encoder, data = planted()
    *_, paths = run_atlas(["x"], data.only(["de", "fr", "en"]), lambda _: encoder, tmp_path, pivot="de", sample=5)
    assert encoder.backend.calls == 1
    *_, more = run_atlas(["x"], data.only(["de", "en"]), lambda _: encoder, tmp_path, all_languages=False)
    part = data.take(range(40))
    *_, few = run_atlas(["x"], part, lambda _: encoder, tmp_path, items=40)
    *_, all_of_them = run_atlas(["x"], part, lambda _: encoder, tmp_path, items=41)
    names = [path.name for path in paths + more + few + all_of_them]
    assert names == ["toy.de.json", "toy.2-languages.json", "toy.40-items.json", "toy.json"]


@pytest.mark.parametrize("dataset", ["udhr", "everyday"])
def test_some_items_are_drawn_in_all_languages_alike(dataset):
    full, part, again, other = (load_texts(dataset, ["en", "es"], n, s) for n, s in ((0, 1), (9, 1), (9, 1), (9, 2)))
    assert part == again != other
    ids = item_ids(part)
    assert len(set(ids)) == 9
    numbers = [item_ids(full).index(name) for name in ids]
    assert numbers == sorted(numbers)
    assert part == full.take(numbers)
    assert load_texts(dataset, ["en", "es"], 10**6) == full
    assert (
        dict(zip(ids, texts_of(part)["es"], strict=True)).items()
        <= dict(zip(item_ids(full), texts_of(full)["es"], strict=True)).items()
    )


def texts_of(data):
    return getattr(data, "texts", None) or data.cells


def test_a_lexicon_gives_its_first_words_where_both_have_one(tmp_path):
    words = ["".join(np.random.default_rng(n).choice([*"abcdefgh"], 9)) for n in range(60)]
    lines = ["concept,en,de,fr"]
    lines += [f"{n},{words[n]},{words[n + 20]}|other,{'' if n < 5 else words[n + 40]}" for n in range(20)]
    (tmp_path / "my.csv").write_text("\n".join(lines), encoding="utf-8")
    vectors = dict(zip(words, np.random.default_rng(1).normal(size=(60, DIM)), strict=True))  # none for "other"
    one = study_atlas(Encoder("planted", "test", "1", Planted(vectors), cached=False), load_texts(f"{tmp_path}/my.csv"))
    assert value_of(one.metrics, Key("language", "items", language="fr")) == 15
    assert one.items.query("language == 'fr'")["found"].isna().sum() == 5
    assert np.isnan(one.vectors["fr"][:5]).all()
    assert one.params["role"] == "word"


def test_tokens_are_counted_per_word_only_where_words_are_marked():
    encoder, data = planted()
    rows = pd.concat(list(token_counts(encoder, data.texts, "query", 42))).set_index(["metric", "language"])["value"]
    assert rows["tokens-per-word", "de"] == 2
    assert np.isnan(rows["tokens-per-word", "zh"])
    assert np.isclose(rows["tokens-per-character", "zh"], 8 / 23)
    assert (rows["unread", "zh"], rows["unread", "de"]) == (0.5, 0)


def test_bad_input_is_one_line():
    encoder, data = planted()
    with pytest.raises(XlError, match="toy has no language en; it has de, fr"):
        study_atlas(encoder, data.only(["de", "fr"]))
    few = replace(data, ids=data.ids[:9], topics=data.topics[:9], texts={c: t[:9] for c, t in data.texts.items()})
    with pytest.raises(XlError, match="no language has 10 texts to compare with en"):
        study_atlas(encoder, few)
    with pytest.raises(XlError, match="cldr has no language sat"):
        load_texts("cldr", ["en", "sat"])
    with pytest.raises(XlError, match="unknown lexicon"):
        load_texts("cldrr")
    with pytest.raises(XlError, match="ja has too few texts to repair"):
        study_repair(study_atlas(encoder, data, sample=3), ["ja"])


def test_a_language_with_few_texts_keeps_a_row_but_gets_no_scores():
    encoder, data = planted()
    texts = data.texts | {"de": (*data.texts["de"][:5], *data.texts["en"][5:])}
    one = study_atlas(encoder, replace(data, texts=texts), sample=5)
    table = atlas_table({"metrics": one.metrics, **vars(one.record())} | {"model": {"name": "x"}})
    assert one.params["left_out"] == ["de"]
    assert (table.loc["de", "items"], table.loc["de", "verdict"]) == (5, "")
    assert np.isclose(table.loc["de", "same-as-pivot"], 56 / 61)
    assert np.isnan(table.loc["de", ["accuracy", "place", "control"]].astype(float)).all()


def test_a_few_texts_repair_an_offset_and_nothing_repairs_noise(study, tmp_path):
    record = read_record(write_record(tmp_path, study_repair(study)))
    assert check_records(tmp_path) == 1
    table = repair_table(record).set_index(["language", "how", "texts"])["value"]
    assert set(table.index.get_level_values(0)) == {"de", MOVED, "zh", NOISY}  # two are known, for comparison
    assert set(table.index.get_level_values(2)) == {0, 2, 5, 20}
    assert table[MOVED, "none", 0] < 0.6 < 0.9 < table[MOVED, "mean", 20]
    assert table[NOISY, "mean", 20] < 0.3
    assert table["de", "rotation", 2] <= table["de", "rotation", 20] + 0.05
    rows = repair_table(record)
    assert ((rows["low"] <= rows["value"]) & (rows["value"] <= rows["high"])).all()


def languages(folder, *more):
    return CliRunner().invoke(main, ["languages", "planted", *more, "--records", str(folder), "--dataset", "toy"])


def test_languages_are_listed_from_best_to_worst(record, study, tmp_path):
    result = languages(tmp_path)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 120
    names = [name for line in lines for name in LANGUAGES if line.startswith(f"{name} ")]
    scores = atlas_table(record)["accuracy"]
    assert names[-1] == "en"
    assert [scores[name] for name in names[:-1]] == sorted(scores.dropna(), reverse=True)
    (german,) = [line for line in lines if line.startswith("de ")]
    assert "German" in german
    assert "Latn" in german
    assert german.endswith("known")
    only = languages(tmp_path, "Swahili,de").output.splitlines()
    assert [line.split()[0] for line in only if "Latn" in line] == ["de", "sw"]


def test_a_language_or_model_without_an_atlas_is_refused(record, tmp_path):
    assert "has no language de-1901; nearest: de" in languages(tmp_path, "de-1901").output
    assert "unknown language 'Germn'; did you mean German or" in languages(tmp_path, "Germn").output
    nothing = CliRunner().invoke(main, ["languages", "LaBSE", "--records", str(tmp_path), "--dataset", "toy"])
    assert "no atlas of LaBSE on toy" in nothing.output
    assert "there are atlases of planted" in nothing.output


def test_the_board_shows_the_languages_known_and_the_worst_decile(study, tmp_path):
    record = study.record()
    write_record(tmp_path, replace(record, dataset={**record.dataset, "name": "cldr"}))
    write_record(tmp_path, study_repair(study, ["fr"]))
    board = read_board([tmp_path])
    columns = {column.key: column for column in board.columns}
    assert board.scores(columns["languages"])[0].value == 2
    assert board.scores(columns["worst-decile"])[0].low is not None


def test_two_atlases_are_compared_by_item_and_language(study, tmp_path):
    encoder, data = planted(noise=2.5)
    worse = study_atlas(replace(encoder, name="worse"), data, sample=31)
    for one in (study, worse):
        write_record(tmp_path, replace(one.record(), dataset={**study.record().dataset}), one.items)
        write_record(tmp_path, study_repair(one, ["fr"]))
    (pair,) = find_pairs(tmp_path, "planted", "worse")
    change = change_table(pair).loc["found"]
    assert change["low"] <= change["change"] <= change["high"] < 0
    assert set(changed_most(pair).index[:2]) == {"de", "zh"}
