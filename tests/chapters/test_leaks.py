"""What vectors leak: two models whose vectors are planted, with topics and languages that are known."""

import numpy as np
import pytest
from planted_names import lexicon_of, noisy, planted_names, random_turn, random_units

from xlutils.chapters.claims import NOT_REPRODUCED, REPRODUCED
from xlutils.chapters.leak_tables import TITLES, leak_claims, leak_table, leaks_by_state, tradeoff
from xlutils.chapters.leaks import CENTRED, LEARNED, NEVER, ROTATED, defend, study_leaks
from xlutils.chapters.remedies import CHANGE
from xlutils.datasets.sentences import Sentences
from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.models.encoder import Encoder
from xlutils.results.check import check_records
from xlutils.results.record import read_record, write_record
from xlutils.results.rows import metric_table

COUNT, DIM = 150, 12
STATES = ("", "int8", "noise 0.05", "noise 3", CENTRED, ROTATED)


def planted():
    """Return a model, another one, and a lexicon: three topics, and languages that lie apart."""
    topic = np.arange(COUNT) % 3
    meaning = unit_rows(random_units(0, 3, DIM)[topic] + 0.8 * random_units(1, COUNT, DIM))
    places = random_units(2, 3, DIM)
    spaces = {
        code: noisy(unit_rows(meaning + 0.7 * place), number, 0.2)
        for number, (code, place) in enumerate(zip(("en", "de", "fr"), places, strict=True), 5)
    }
    model, lexicon = planted_names(spaces)
    other, _ = planted_names({code: space @ random_turn(3, DIM, 16) for code, space in spaces.items()})
    named = type(lexicon)(lexicon.name, lexicon.concepts, tuple(f"topic {number}" for number in topic), lexicon.cells)
    return model, Encoder("other", "test", "1", other.backend, cached=False), named


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    model, attacker, lexicon = planted()
    folder = tmp_path_factory.mktemp("leaks")
    path = write_record(folder, study_leaks(model, lexicon, ["de", "fr"], attacker, STATES, draws=2))
    assert path.relative_to(folder).as_posix() == "production/planted/toy.leaks.json"
    assert check_records(folder) == 1
    return read_record(path)


def value(record, metric, state):
    return leaks_by_state(record, metric).loc[state, "value"]


def test_what_is_planted_leaks(record):
    for metric, least in (("language", 0.8), ("language-near", 0.8), ("topic", 0.6), ("read", 0.9), ("across", 0.5)):
        assert value(record, metric, "") > least
        assert value(record, metric, "noise 3") < value(record, metric, "") - 0.2
        assert value(record, metric, "int8") == pytest.approx(value(record, metric, ""), abs=0.05)
    assert value(record, "language", CENTRED) < 0.6
    assert value(record, "read", ROTATED) == value(record, "read", "")


def test_a_change_is_the_difference_from_the_model_as_published(record):
    for metric in TITLES:
        rows = leaks_by_state(record, metric)
        for state in STATES[1:]:
            difference = rows.loc[state, "value"] - rows.loc["", "value"]
            assert rows.loc[state + CHANGE, "value"] == pytest.approx(difference, abs=1e-6)
            assert rows.loc[state + CHANGE, "low"] <= difference + 1e-6


def test_nothing_is_tested_that_is_spelled_like_another_text():
    model, _, lexicon = planted()
    words = {code: [cell[0] for cell in column] for code, column in lexicon.cells.items()}
    tested = np.flatnonzero(np.random.default_rng(42).permutation(COUNT) % 3 == 0)
    for row in tested[10:]:
        words["de"][row] = words["fr"][row].upper()
    with pytest.raises(XlError, match="^toy: 10 texts of de can be tested, too few; give more$"):
        study_leaks(model, lexicon_of(words), ["de", "fr"])


def test_without_topics_or_another_model_less_is_measured():
    model, _, lexicon = planted()
    columns = {code: [cell[0] for cell in column] for code, column in lexicon.cells.items()}
    metrics = study_leaks(model, lexicon_of(columns), ["de"], defences=[""]).metrics
    assert set(metrics[metrics["kind"] == "language"]["metric"]) == {"across", "language", "language-near"}


@pytest.mark.parametrize("state", STATES)
def test_defended_vectors_have_unit_length_and_missing_ones_stay_missing(state):
    spaces = {"en": random_units(0, 40, 8), "de": random_units(1, 40, 8)}
    spaces["de"][3] = np.nan
    stored, asked = defend(state, spaces, np.arange(20), np.random.default_rng(0))
    for space in (*stored.values(), *asked.values()):
        lengths = np.linalg.norm(space, axis=1)
        np.testing.assert_allclose(lengths[np.isfinite(lengths)], 1, atol=1e-5)
    assert np.isnan(stored["de"][3]).all()
    assert np.isfinite(stored["de"][4:]).all()


def test_noise_is_as_long_as_it_is_called():
    spaces = {"en": random_units(0, 300, 64)}
    stored, asked = defend("noise 0.5", spaces, np.arange(20), np.random.default_rng(1))
    cosines = (stored["en"] * asked["en"]).sum(axis=1)
    assert np.median(1 / cosines**2 - 1) == pytest.approx(0.25, rel=0.1)


def test_tables_and_figures_show_each_defence_beside_guessing(record):
    table = leak_table(record)
    assert list(table.index) == ["as published", *STATES[1:], "guessing"]
    assert set(table.columns.get_level_values(0)) == {"learned"}
    assert table.loc["guessing", ("learned", TITLES["language"])] == "0.33"
    use, leak = tradeoff(record, "topic")
    assert list(use.index) == list(leak.index) == ["as published", *STATES[1:]]
    assert list(leak["series"][1:4]) == ["rounding", "noise", "noise"]


def row(metric, state, value, margin=0.01, kind=LEARNED):
    return {"kind": "all", "metric": metric + kind, "state": state, "value": value} | {
        "low": value - margin,
        "high": value + margin,
    }


def made_up(left, cost, linear=0.2, near=0.2, turned=0.0, margin=0.01):
    """A record in which noise leaves a share of all leaks above guessing, which finds 0.2, at a cost."""
    rows = [{"kind": "all", "metric": name, "state": "chance", "value": 0.2} for name in ("language", "topic")]
    for metric, chance in (("language", 0.2), ("language-near", 0.2), ("topic", 0.2), ("read", 0.0)):
        rows += [row(metric, "", chance + 0.6), row(metric, "noise 0.4", chance + 0.6 * left)]
    rows += [row("language", CENTRED, linear), row("language-near", CENTRED, near)]
    rows += [row("across", "", 0.8), row("across", "noise 0.4", 0.8 - cost), row("across", CENTRED, 0.8)]
    rows += [row("across", "noise 0.4" + CHANGE, -cost, margin), row("read", ROTATED + CHANGE, turned)]
    data = {"name": "toy"}
    return {"model": {"name": "LaBSE"}, "dataset": data, "params": {"mapped": []}, "metrics": metric_table(rows)}


@pytest.mark.parametrize(
    ("left", "cost", "margin", "holds"),
    [(0.4, 0.0, 0.01, True), (0.6, 0.0, 0.01, False), (0.4, 0.05, 0.01, False), (0.4, 0.0, 0.03, False)],
)
def test_noise_protects_at_no_cost_only_if_it_halves_what_leaks_and_surely_costs_little(left, cost, margin, holds):
    table = leak_claims([made_up(left, cost, margin=margin)]).set_index("claim")
    for claim in ("Noise protects at no cost", "Noise keeps texts from being read at no cost"):
        assert table.loc[claim, "verdict"] == (REPRODUCED if holds else NOT_REPRODUCED)
    assert (
        f"noise 0.4 leaves of what leaks: language, by a probe {left:.0%}"
        in table.loc["Noise protects at no cost", "why"]
    )


@pytest.mark.parametrize(("linear", "near", "holds"), [(0.2, 0.2, True), (0.2, 0.5, False), (0.3, 0.2, False)])
def test_centring_hides_the_language_only_if_no_attack_names_it(linear, near, holds):
    table = leak_claims([made_up(1, 0, linear, near)]).set_index("claim")
    assert table.loc["Centring hides the language", "verdict"] == (REPRODUCED if holds else NOT_REPRODUCED)


@pytest.mark.parametrize(("turned", "holds"), [(0.0, False), (-0.005, False), (-0.2, True), (0.2, False)])
def test_a_rotation_protects_only_if_fewer_texts_are_read(turned, holds):
    table = leak_claims([made_up(1, 0, turned=turned)]).set_index("claim")
    claim = "A secret rotation protects from an attacker with pairs"
    assert table.loc[claim, "verdict"] == (REPRODUCED if holds else NOT_REPRODUCED)


def test_languages_that_were_never_learned_stay_apart():
    model, attacker, lexicon = planted()
    use = Encoder("use-multilingual-v3", "test", "1", model.backend, cached=False)
    spoken = type(lexicon)(
        "toy", lexicon.concepts, lexicon.categories, dict(zip(("en", "de", "yo"), lexicon.cells.values(), strict=True))
    )
    metrics = study_leaks(use, spoken, ["de", "yo"], attacker, [""]).metrics
    by = metrics.set_index(["metric", "language"])["value"]
    assert by["topic" + LEARNED, ""] == pytest.approx(by["topic", "de"])
    assert by["topic" + NEVER, ""] == pytest.approx(by["topic", "yo"])


def test_bad_input_is_one_line():
    model, attacker, lexicon = planted()
    with pytest.raises(XlError, match="^toy has no language sw"):
        study_leaks(model, lexicon, ["sw"])
    with pytest.raises(XlError, match="^unknown defence 'salt'"):
        study_leaks(model, lexicon, ["de"], attacker, ["salt"])
    with pytest.raises(XlError, match="^toy: 10 texts of en can be tested, too few; give more$"):
        study_leaks(model, lexicon.take(range(30)), ["de"])
    texts = {"en": tuple("abc"), "de": tuple("def")}
    with pytest.raises(XlError, match="^toy has no language fr"):
        study_leaks(model, Sentences("toy", tuple("123"), texts, ("",) * 3), ["fr"])
