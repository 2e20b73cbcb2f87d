"""Maps of planted languages: a turned copy of English, which a map finds, and noise, which none finds."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planted_names import found_slowly, name, noisy, orders_of, planted_names, random_turn, random_units

from xlutils.chapters.map_costs import SHARES, unseen_antonyms
from xlutils.chapters.map_ways import COSTS, WAYS, mapped
from xlutils.chapters.maps import study_maps
from xlutils.datasets.relations import TextPairs
from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.results.check import check_records
from xlutils.results.record import read_record, write_record
from xlutils.results.rows import Key, value_of

COUNT, DIM, DRAWS, SIZES = 180, 12, 2, (5, 100)
TURNED, NOISY, UNRELATED = "de", "fr", "sw"
SIDES = ("first", "second")
FRESH = 24  # pairs of antonyms whose words are no names


def planted(noise=0.3):
    """Return a model, names of things, and pairs of antonyms, some of which have such a name."""
    meaning, turn = random_units(0, COUNT, DIM), random_turn(1, DIM)
    spaces = {
        "en": meaning,
        TURNED: meaning @ turn,
        NOISY: noisy(meaning, 2, noise),
        UNRELATED: random_units(3, COUNT, DIM),
    }
    words = {}
    for side in "ab":
        opposite = random_units(ord(side), FRESH, DIM)
        for row in range(FRESH):
            words |= {name(f"en {side}", row): opposite[row], name(f"{TURNED} {side}", row): opposite[row] @ turn}
    columns = [
        {code: tuple(name(f"{code} {side}", row) for row in range(FRESH)) for code in ("en", TURNED)} for side in "ab"
    ]
    for code in ("en", TURNED):  # a name of a thing, in capitals, and its antonym
        columns[0][code] += tuple(name(code, row).upper() for row in range(COUNT))
        columns[1][code] += tuple(name(f"{code} b", row % FRESH) for row in range(COUNT))
        words |= {name(code, row).upper(): spaces[code][row] for row in range(COUNT)}
    count = FRESH + COUNT
    ids = tuple(f"antonym-{row}" for row in range(count))
    relations = TextPairs("relations", "toy-relations", ids, ("antonym",) * count, ("",) * count, *columns)
    return *planted_names(spaces, words.items()), relations


@pytest.fixture(scope="module")
def study():
    encoder, lexicon, relations = planted()
    return study_maps(encoder, lexicon, relations, [TURNED, NOISY], draws=DRAWS, sizes=SIZES)


def score(study, metric, language, state=""):
    return value_of(study.metrics, Key("language", metric, language=language, state=state))


def sides(study, code):
    """Pairs to fit on, and texts to test on, each in the language and in English."""
    split = study.splits[code]
    return tuple((study.vectors[code][rows], study.vectors["en"][rows]) for rows in (split.fitted, split.tested))


def test_a_map_finds_every_name_of_a_turned_language_and_the_model_by_itself_finds_hardly_any(study):
    assert score(study, "accuracy", TURNED) < 0.1
    for way in ("procrustes", "ridge-shrunk"):
        assert score(study, "accuracy", TURNED, f"{way}, 100 pairs") == 1
    assert score(study, "accuracy", TURNED, "ridge-shrunk, 5 pairs") < 0.5
    assert score(study, "accuracy", NOISY) > 0.8


def test_no_map_finds_what_has_nothing_to_do_with_english():
    encoder, lexicon, _ = planted()
    noise = study_maps(encoder, lexicon, None, [UNRELATED], draws=1, sizes=(100,), ways=("ridge", "ridge-shrunk"))
    for way in ("ridge", "ridge-shrunk"):
        assert score(noise, "accuracy", UNRELATED, f"{way}, 100 pairs") < 0.1
    assert score(noise, "kept", UNRELATED, "ridge") < 0.8


def test_every_way_is_measured_with_every_number_of_pairs(study):
    rows = study.metrics[(study.metrics["metric"] == "accuracy") & (study.metrics["language"] == TURNED)]
    states = ["", "own neighbours, 0 pairs", "profiles, 0 pairs"]
    states += [f"{way}, {size} pairs" for way, size in itertools.product(WAYS, SIZES)]
    assert list(rows["state"]) == states
    assert (rows["low"] <= rows["value"]).all()
    assert (rows["value"] <= rows["high"]).all()


def test_more_pairs_than_there_are_names_to_fit_on_are_not_measured():
    encoder, lexicon, _ = planted()
    fitted = len(study_maps(encoder, lexicon, None, [TURNED], draws=1, sizes=(), ways=()).splits[TURNED].fitted)
    sizes, ways = (fitted, fitted + 1), ("shift",)
    metrics = study_maps(encoder, lexicon, None, [TURNED], draws=1, sizes=sizes, ways=ways).metrics
    states = metrics[metrics["metric"] == "accuracy"]["state"]
    assert list(states) == ["", f"shift, {fitted} pairs"]


def test_an_accuracy_is_the_mean_over_draws_of_the_plain_loop(study):
    (one, other), (texts, pivots) = sides(study, NOISY)
    tries = []
    for order in orders_of(np.arange(len(one)), DRAWS):
        means = [side[order[:5]].astype(float).mean(axis=0) for side in (one, other)]
        moved = [unit_rows(side - mean) for side, mean in zip((texts, pivots), means, strict=True)]
        tries.append(found_slowly(*moved).mean())
    assert score(study, "accuracy", NOISY, "centred, 5 pairs") == pytest.approx(np.mean(tries))
    assert score(study, "accuracy", NOISY) == pytest.approx(found_slowly(texts, pivots).mean())


def test_self_learning_gets_the_names_that_are_not_among_the_pairs_without_their_partners(study):
    (one, other), tested = sides(study, TURNED)
    tries = []
    for order in orders_of(np.arange(len(one)), DRAWS):
        few, pool = ((one[part], other[part]) for part in (order[:5], order[5:]))
        tries.append(found_slowly(*mapped("self-learning", few, tested, pool)).mean())
    assert score(study, "accuracy", TURNED, "self-learning, 5 pairs") == pytest.approx(np.mean(tries))
    assert score(study, "accuracy", TURNED, "profiles, 0 pairs") == 1  # without noise, profiles tell all names apart


def nearest_sets(vectors):
    cosines = vectors.astype(float) @ vectors.T
    return [
        {*sorted(set(range(len(row))) - {place}, key=lambda other: -row[other])[:10]}
        for place, row in enumerate(cosines)
    ]


def shared_slowly(one, other):
    pairs = zip(nearest_sets(one), nearest_sets(other), strict=True)
    return np.mean([len(a & b) / len(a | b) for a, b in pairs])


def test_the_dial_goes_from_the_model_by_itself_to_the_whole_map(study):
    _, (texts, pivots) = sides(study, NOISY)
    whole = study.maps[NOISY]
    for share in (0, 0.5, 1):
        moved = unit_rows(share * (texts @ whole.matrix + whole.offset) + (1 - share) * texts)
        assert score(study, "across", NOISY, f"share {share:g}") == pytest.approx(found_slowly(moved, pivots).mean())
        assert score(study, "within", NOISY, f"share {share:g}") == pytest.approx(shared_slowly(texts, moved))
    assert score(study, "within", NOISY, "share 0") == 1
    rows = study.metrics[(study.metrics["metric"] == "across") & (study.metrics["language"] == NOISY)]
    assert list(rows["state"]) == [f"share {share:g}" for share in SHARES]


def test_neighbours_kept_and_shared_are_those_of_the_plain_loop(study):
    pairs, (texts, pivots) = sides(study, NOISY)
    for way in ("shift", "ridge"):
        moved, _ = mapped(way, pairs, (texts, pivots))
        assert score(study, "kept", NOISY, way) == pytest.approx(shared_slowly(texts, moved))
        overlap, before = shared_slowly(moved, pivots), shared_slowly(texts, pivots)
        assert score(study, "overlap", NOISY, way) == pytest.approx(overlap)
        assert score(study, "overlap", NOISY, f"{way}, change") == pytest.approx(overlap - before, abs=1e-9)


def test_what_maps_cost_is_measured_for_the_ways_that_were_asked_for_and_are_fitted_once():
    encoder, lexicon, relations = planted()
    ways = ("ridge", "self-learning", "shift")
    metrics = study_maps(encoder, lexicon, relations, [TURNED], draws=1, sizes=(), ways=ways).metrics
    for metric in ("overlap", "sa", "antonyms"):
        states = ["", "ridge", "ridge, change", "shift", "shift, change"]
        assert list(metrics[metrics["metric"] == metric]["state"]) == states
    assert list(metrics[metrics["metric"] == "kept"]["state"]) == ["ridge", "shift"]


def test_a_rotation_keeps_all_neighbours_of_a_turned_language(study):
    assert score(study, "kept", TURNED, "procrustes") == 1
    assert score(study, "overlap", TURNED) == score(study, "overlap", TURNED, "procrustes") == 1
    assert set(study.metrics[study.metrics["metric"] == "kept"]["state"]) == set(COSTS)


def affinity_slowly(one, other):
    """Return 1 less the distance of translations, relative to that and the distances within the languages."""
    inter = np.mean([1 - float(a @ b) for a, b in zip(one, other, strict=True)])
    within = [
        np.mean([1 - float(a @ b) for a, b in itertools.combinations(side.astype(float), 2)]) for side in (one, other)
    ]
    return np.mean(within) / (np.mean(within) + inter)


def test_semantic_affinity_is_that_of_the_plain_loop_and_rises_where_a_map_brings_names_together(study):
    pairs, tested = sides(study, TURNED)
    before = score(study, "sa", TURNED)
    after = score(study, "sa", TURNED, "procrustes")
    assert before == pytest.approx(affinity_slowly(*tested), abs=1e-5)
    assert after == pytest.approx(affinity_slowly(*mapped("procrustes", pairs, tested)), abs=1e-5)
    assert score(study, "sa", TURNED, "procrustes, change") == pytest.approx(after - before) != 0
    assert before < 0.6 < 0.99 < after


def opposites(study, rows):
    """The first and second words of antonyms, each in the language and in English."""
    _, _, relations = planted()
    encode = study.encoder.encode
    return [
        tuple(encode([column[code][row] for row in rows], "word") for code in (TURNED, "en"))
        for column in (relations.first, relations.second)
    ]


def test_antonyms_with_a_word_that_a_map_was_fitted_on_are_left_out(study):
    _, _, relations = planted()
    fitted = {name(code, row) for code in ("en", TURNED) for row in study.splits[TURNED].fitted}
    rows = unseen_antonyms(relations, TURNED, "en", fitted)
    assert rows == [*range(FRESH), *(FRESH + row for row in sorted(study.splits[TURNED].tested))]
    words, others = opposites(study, rows)
    wins = []
    for word, opposite in ((words, others), (others, words)):
        for asked in (0, 1):
            for query, right, wrong in zip(word[asked], word[1 - asked], opposite[1 - asked], strict=True):
                wins.append(float(query @ right) > float(query @ wrong))
    assert score(study, "antonyms", TURNED) == pytest.approx(np.mean(wins))
    assert 0.3 < np.mean(wins) < 0.7
    assert score(study, "antonyms", TURNED, "procrustes") == 1
    assert score(study, "antonyms", TURNED, "procrustes, change") == pytest.approx(1 - np.mean(wins))


def first_pairs(relations, count):
    parts = {part: getattr(relations, part)[:count] for part in ("ids", "groups", "labels")}
    columns = {part: {code: texts[:count] for code, texts in getattr(relations, part).items()} for part in SIDES}
    return replace(relations, **parts, **columns)


def test_relations_may_lack_a_language_or_be_missing(study):
    assert set(study.metrics[study.metrics["metric"] == "antonyms"]["language"]) == {TURNED}
    encoder, lexicon, relations = planted()
    for pairs in (None, relations.only([TURNED]), relations.only(["en"]), first_pairs(relations, 19)):
        metrics = study_maps(encoder, lexicon, pairs, [TURNED], draws=1, sizes=(), ways=("shift",)).metrics
        assert "antonyms" not in set(metrics["metric"])
        assert "kept" in set(metrics["metric"])


def test_records_of_everything_and_of_a_part_are_valid_and_have_different_names(study, tmp_path):
    encoder, lexicon, _ = planted()
    part = study_maps(encoder, lexicon, None, [TURNED], draws=1, sizes=(5,), ways=("ridge",), everything=False)
    paths = [write_record(tmp_path, one.record()) for one in (study, part)]
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "maps/planted/toy.json",
        "maps/planted/toy.live.json",
    ]
    assert check_records(tmp_path) == 2
    record = read_record(paths[0])
    pd.testing.assert_frame_equal(record["metrics"], study.metrics, rtol=1e-6)
    assert record["params"] == {
        "pivot": "en",
        "seed": 42,
        "draws": DRAWS,
        "mapped": [TURNED, NOISY],
        "everything": True,
    }
    assert set(record["timing"]) == {"encode", "measure"}


def test_the_same_seed_gives_the_same_numbers_and_another_one_others():
    tables = []
    for seed in (1, 1, 2):
        encoder, lexicon, relations = planted()
        options = {"draws": 2, "sizes": (25,), "ways": ("procrustes-shrunk", "self-learning")}
        tables.append(study_maps(encoder, lexicon, relations, [NOISY], seed=seed, **options).metrics)
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert not tables[0]["value"].equals(tables[2]["value"])


def test_bad_input_is_one_line():
    encoder, lexicon, relations = planted()
    with pytest.raises(XlError, match="^toy has no language zh; it has en, de, fr, sw$"):
        study_maps(encoder, lexicon, relations, [TURNED, "zh"])
    with pytest.raises(XlError, match="^toy has no language ru; it has en, de, fr, sw$"):
        study_maps(encoder, lexicon, relations, [TURNED], pivot="ru")
    with pytest.raises(XlError, match="^toy: de and en share 40 names, too few to fit and test a map$"):
        study_maps(encoder, lexicon.take(range(40)), relations, [TURNED])
