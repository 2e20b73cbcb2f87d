"""Corrections of a map: files that people fill in, what a correction does to a map, and whether it helps."""

import numpy as np
import pandas as pd
import pytest
from planted_names import found_slowly, noisy, orders_of, planted_names, random_turn, random_units

from xlutils.chapters.corrections import (
    COUNTS,
    REVIEWS,
    Correction,
    corrected,
    read_corrections,
    study_corrections,
    worst_pairs,
)
from xlutils.chapters.map_tables import states_of
from xlutils.chapters.maps import study_maps
from xlutils.errors import XlError
from xlutils.metrics.maps import fit_map
from xlutils.results.check import check_records
from xlutils.results.record import read_record, write_record

COUNT, DIM, DRAWS, FEW = 240, 12, 2, 25
HEADER = "language,word,partner,belongs\n"


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "mine.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_rows_with_an_answer_are_read_and_those_without_are_left_out(written):
    text = "word,Language,margin,partner,Belongs\nHund,de,0.1,dog, Yes\nKatze,de,0.2,car,no\nBaum,German,0.3,tree,\n"
    assert read_corrections(written(text + "Haus,German,0.4,house,YES\n")) == [
        Correction("de", "Hund", "dog", True),
        Correction("de", "Katze", "car", False),
        Correction("de", "Haus", "house", True),
    ]


def test_a_row_that_is_repeated_counts_once_and_a_word_may_have_several_partners(written):
    rows = "de,Hund,dog,yes\n" * 2 + "de,Hund,hound,yes\nfr,Hund,dog,no\n"
    assert len(read_corrections(written(HEADER + rows))) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "language,word,partner\nde,Hund,dog\n",
            "mine.csv: no column belongs; the columns are language, word, partner",
        ),
        (HEADER + "de,Hund,dog,yes\nde,Katze,cat,maybe\n", "mine.csv: data row 2 says 'maybe' in the column belongs; "),
        (HEADER + "de,,dog,yes\n", "mine.csv: data row 1 lacks a word or a partner; fill it or delete the row"),
        (HEADER + "de,Hund, ,no\n", "mine.csv: data row 1 lacks a word or a partner"),
        (
            HEADER + "de,a,b,\nde,Hund,dog,yes\nde,Hund,dog,no\n",
            "mine.csv: data row 3 says no of Hund and dog, another",
        ),
        (HEADER + "xx,Hund,dog,yes\n", "mine.csv: data row 1 names the language 'xx'; write a tag or an English name"),
        (HEADER + ",Hund,dog,yes\n", "mine.csv: data row 1 names the language ''; "),
        (HEADER, "mine.csv has no rows"),
    ],
)
def test_a_bad_file_is_one_line_with_its_name_and_the_row(written, text, message):
    with pytest.raises(XlError) as caught:
        read_corrections(written(text))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def sides():
    """Vectors of a turned language with some noise, and of English."""
    meaning = random_units(0, COUNT, DIM)
    return noisy(meaning, 1, 0.5) @ random_turn(2, DIM), meaning


def part(sides, rows):
    return sides[0][rows], sides[1][rows]


NONE = np.zeros(0, np.int64)


def test_with_right_pairs_alone_a_map_is_that_of_all_pairs(sides):
    known, right = part(sides, slice(0, 30)), part(sides, slice(30, 50))
    both = fit_map(*part(sides, slice(0, 50)))
    result = corrected(known, right, part(sides, NONE))
    assert np.array_equal(result.matrix, both.matrix)
    assert np.array_equal(result.offset, both.offset)
    nothing = corrected(known, part(sides, NONE), part(sides, NONE))
    assert np.array_equal(nothing.matrix, fit_map(*known).matrix)


def test_words_are_pushed_away_from_their_wrong_partners(sides):
    known = part(sides, slice(0, 40))
    before = fit_map(*known)
    rows = np.arange(100, 130)
    mapped = before.apply(sides[0][rows]).astype(float)
    wrong = np.array(
        [
            max(set(range(COUNT)) - {row}, key=lambda other: vector @ sides[1][other])
            for row, vector in zip(rows, mapped, strict=True)
        ]
    )
    after = corrected(known, part(sides, NONE), (sides[0][rows], sides[1][wrong])).apply(sides[0][rows])
    cosines = [np.vecdot(moved, sides[1][wrong]) for moved in (mapped, after)]
    assert (cosines[1] < cosines[0]).mean() > 0.9
    assert cosines[0].mean() > 0.6 > cosines[1].mean()


def test_a_wrong_pair_takes_away_what_both_have_in_common_and_nothing_where_they_have_nothing(sides):
    known, rows = part(sides, slice(0, 40)), np.arange(100, 140)
    wrong = sides[0][rows], sides[1][rows[::-1]]
    middle = sum(known[1].astype(float)) / len(known[1])
    targets, shares = [], []
    for vector, partner in zip(fit_map(*known).apply(wrong[0]).astype(float), wrong[1], strict=True):
        way = (partner - middle) / np.linalg.norm(partner - middle)
        shares.append((vector - middle) @ way)
        target = vector - max(shares[-1], 0) * way
        targets.append(target / np.linalg.norm(target))
    assert min(shares) < 0 < max(shares)
    expected = fit_map(np.concatenate([known[0], wrong[0]]), np.concatenate([known[1], np.array(targets)]))
    result = corrected(known, part(sides, NONE), wrong)
    assert result.matrix == pytest.approx(expected.matrix, abs=1e-5)
    assert result.offset == pytest.approx(expected.offset, abs=1e-5)


def test_the_worst_pairs_come_first_and_wait_for_an_answer(sides, written):
    words, partners = ([f"{side} {row}" for row in range(COUNT)] for side in ("wort", "word"))
    mapped = fit_map(*part(sides, slice(0, 60))).apply(sides[0])
    table = worst_pairs(words, partners, mapped, sides[1])
    assert list(table.columns) == ["word", "partner", "margin", "belongs"]
    assert sorted(table["word"]) == sorted(words)
    assert table["margin"].is_monotonic_increasing
    assert (table["margin"] >= 0).all()
    cosines = mapped.astype(float) @ sides[1].T
    crowds = [np.sort(side, axis=1)[:, -10:].mean(axis=1) for side in (cosines, cosines.T)]
    for row in table[::20].to_dict("records"):
        number = words.index(row["word"])
        scores = sorted(2 * cosines[number, other] - crowds[0][number] - crowds[1][other] for other in range(COUNT))
        place = partners.index(row["partner"])
        assert 2 * cosines[number, place] - crowds[0][number] - crowds[1][place] == pytest.approx(scores[-1])
        assert row["margin"] == pytest.approx(scores[-1] - scores[-2], abs=6e-4)
    right = (table["word"].str.split().str[1] == table["partner"].str.split().str[1]).to_numpy()
    assert right[:60].mean() < right[-60:].mean()  # what is least certain is wrong more often
    filled = table.assign(language="German", belongs=["yes", "no", *[""] * (COUNT - 2)])
    assert [row.belongs for row in read_corrections(written(filled.to_csv(index=False)))] == [True, False]


def planted_study(count=COUNT, everything=True):
    meaning = random_units(0, count, DIM)
    spaces = {"en": meaning, "de": noisy(meaning, 1, 0.5) @ random_turn(2, DIM), "fr": noisy(meaning, 3, 0.9)}
    encoder, lexicon = planted_names(spaces)
    options = {"draws": DRAWS, "sizes": (), "ways": ("shift",)}
    return study_maps(encoder, lexicon, None, ["de", "fr"], everything=everything, **options)


@pytest.fixture(scope="module")
def study():
    return planted_study()


@pytest.fixture(scope="module")
def record(study):
    return study_corrections(study)


def values(record, metric, language):
    table = states_of(vars(record), metric)
    return table[table["language"] == language].set_index("state")["value"]


def test_what_is_found_after_corrections_is_what_was_found_before_with_the_mended_less_the_broken(record):
    for language in ("de", "fr"):
        across, mended, broken = (values(record, metric, language) for metric in ("across", "mended", "broken"))
        states = [f"{review}, {count} corrections" for review in REVIEWS for count in COUNTS]
        assert list(across.index) == ["no corrections", *states]
        assert list(mended.index) == list(broken.index) == states
        for state in states:
            expected = across["no corrections"] + mended[state] - broken[state]
            assert across[state] == pytest.approx(expected)
            assert mended[state] >= 0 <= broken[state]


def fitted_sides(study, code):
    split = study.splits[code]
    sides = study.vectors[code], study.vectors["en"]
    return sides, part(sides, split.tested), orders_of(split.fitted, DRAWS)


def test_random_corrections_are_that_many_more_pairs(study, record):
    sides, (texts, pivots), orders = fitted_sides(study, "de")
    for state, count in (("no corrections", 0), ("random, 30 corrections", 30)):
        maps = [fit_map(*part(sides, order[: FEW + count])) for order in orders]
        expected = np.mean([found_slowly(one.apply(texts), pivots).mean() for one in maps])
        assert values(record, "across", "de")[state] == pytest.approx(expected)


@pytest.mark.parametrize("review", ["marks", "partners"])
def test_a_reviewer_marks_the_pairs_with_the_smallest_margins(study, record, review):
    sides, (texts, pivots), orders = fitted_sides(study, "de")
    tries = []
    for order in orders:
        known, pool = part(sides, order[:FEW]), order[FEW:]
        numbers = [str(row) for row in pool]
        worst = worst_pairs(numbers, numbers, fit_map(*known).apply(sides[0][pool]), sides[1][pool])[:10]
        asked, proposed = (worst[column].astype(int).to_numpy() for column in ("word", "partner"))
        is_right = asked == proposed
        right = asked if review == "partners" else asked[is_right]
        wrong = sides[0][asked[~is_right]], sides[1][proposed[~is_right]]
        tries.append(found_slowly(corrected(known, part(sides, right), wrong).apply(texts), pivots).mean())
    assert values(record, "across", "de")[f"{review}, 10 corrections"] == pytest.approx(np.mean(tries))


def test_records_are_valid_and_are_named_after_the_study(record, study, tmp_path):
    path = write_record(tmp_path, record)
    assert path.relative_to(tmp_path).as_posix() == "map-corrections/planted/toy.json"
    part_of_it = planted_study(150, everything=False)
    live = write_record(tmp_path, study_corrections(part_of_it))
    assert live.name == "toy.live.json"
    assert check_records(tmp_path) == 2
    assert read_record(path)["params"] == study.record().params
    pd.testing.assert_frame_equal(study_corrections(study).metrics, record.metrics)


def test_of_a_small_lexicon_no_more_pairs_are_corrected_than_it_has(tmp_path):
    """Of 90 names 60 are fitted on; 25 of them are known before, and 35 are left to correct."""
    record = study_corrections(planted_study(90))
    states = set(record.metrics["state"])
    assert {f"{review}, 30 corrections" for review in REVIEWS} < states
    assert not [state for state in states if ", 100 " in state]
    write_record(tmp_path, record)
    assert check_records(tmp_path) == 1
