"""Roles and loaded words, on planted vectors."""

import numpy as np
import pytest
from planted import planted_model

from xlutils.chapters.named_relations import roles_of, study_culture, study_names
from xlutils.datasets import files
from xlutils.datasets.files import read_text
from xlutils.datasets.lexicon import Lexicon
from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.results.check import check_records
from xlutils.results.record import read_record, write_record
from xlutils.results.rows import Key, value_of

ROLES = [f"r{number}" for number in range(16)]
DIM = 32


def roles(leaning):
    """Return a model and a lexicon in which each language leans by so much to the man."""
    draws = np.random.default_rng(0)
    concepts = [f"{start}{role}" for role in ROLES for start in ("woman ", "", "man ")] + ["woman alone", "tomato"]
    cells, vectors = {}, {}
    for code, lean in leaning.items():
        cells[code] = tuple((f"{code} {name}",) for name in concepts)
        for name in concepts:
            vectors[f"{code} {name}"] = draws.normal(size=DIM)
        for role in ROLES:
            woman, man = (vectors[f"{code} {start}{role}"] for start in ("woman ", "man "))
            vectors[f"{code} {role}"] = (1 - lean) * woman + lean * man + 0.3 * draws.normal(size=DIM)
    return planted_model(vectors), Lexicon("roles", tuple(concepts), ("",) * len(concepts), cells)


def test_a_role_that_leans_to_the_man_is_found_and_an_even_one_is_not(tmp_path):
    encoder, lexicon = roles({"en": 0.5, "de": 0.8, "hu": 0.2})
    assert roles_of(lexicon) == ROLES
    record = study_names(encoder, lexicon)

    def value(metric, code):
        return value_of(record.metrics, Key("language", metric, language=code))

    assert value("effect", "de") < -1 < value("effect", "en") < 1 < value("effect", "hu")
    assert value("p", "de") < 0.001 > value("p", "hu")
    assert value("p", "en") > 0.05
    assert value("roles", "en") == 16
    vectors = {name: unit_rows(vector[None])[0] for name, vector in encoder.backend.vectors.items()}
    difference = [
        vectors[f"de {role}"] @ vectors[f"de woman {role}"] - vectors[f"de {role}"] @ vectors[f"de man {role}"]
        for role in ROLES
    ]
    assert value("woman-man", "de") == pytest.approx(np.mean(difference), abs=1e-6)
    assert value("effect", "de") == pytest.approx(np.mean(difference) / np.std(difference, ddof=1), rel=1e-4)
    again = read_record(write_record(tmp_path, study_names(*roles({"en": 0.5, "de": 0.8, "hu": 0.2}))))
    assert value_of(again["metrics"], Key("language", "effect", language="de")) == pytest.approx(value("effect", "de"))
    assert check_records(tmp_path) == 1


def test_roles_with_one_name_for_both_are_left_out_and_generic_ones_are_counted():
    encoder, lexicon = roles({"en": 0.5})
    cells = dict(zip(lexicon.concepts, lexicon.cells["en"], strict=True))
    cells["woman r0"] = cells["man r0"]
    cells["r1"] = cells["man r1"]
    lexicon = Lexicon("roles", lexicon.concepts, lexicon.categories, {"en": tuple(cells.values())})
    metrics = study_names(encoder, lexicon).metrics
    assert value_of(metrics, Key("language", "roles", language="en")) == 15
    assert value_of(metrics, Key("language", "generic", language="en")) == pytest.approx(1 / 15)
    with pytest.raises(XlError, match="no language has 5 names of a kind to compare"):
        study_names(encoder, lexicon.only(["r1", "woman r1", "man r1"]))


def test_names_find_their_group_and_are_told_from_their_opposites(tmp_path):
    table = read_text(files.BUILTIN / "name-relations.csv").splitlines()[1:]
    relations = [line.split(",") for line in table]
    members = [(first, second) for kind, first, second in relations if kind == "category"]
    opposites = [(first, second) for kind, first, second in relations if kind == "contrast"]
    draws = np.random.default_rng(0)
    groups = {group: draws.normal(size=DIM) for _, group in members}
    meaning = {name: 2 * groups[group] + draws.normal(size=DIM) for name, group in members}
    meaning |= {name: draws.normal(size=DIM) for pair in opposites for name in pair}
    vectors, cells = {}, {}
    for code, noise in (("en", 0.1), ("de", 0.1), ("sw", 60)):
        cells[code] = tuple((f"{code} {name}",) for name in meaning)
        vectors |= {f"{code} {name}": vector + noise * draws.normal(size=DIM) for name, vector in meaning.items()}
    cells["de"] = (*cells["de"][:-1], cells["en"][-1])  # spelled alike, so not asked
    lexicon = Lexicon("names", tuple(meaning), ("",) * len(meaning), cells)
    metrics = study_names(planted_model(vectors), lexicon).metrics
    count = len(groups)
    assert value_of(metrics, Key("language", "group-members", language="de")) > 0.95
    assert value_of(metrics, Key("language", "group-members", language="sw")) < 5 / count
    assert value_of(metrics, Key("language", "contrasts", language="de")) == 1
    assert 0.3 < value_of(metrics, Key("language", "contrasts", language="sw")) < 0.7
    assert value_of(metrics, Key("all", "contrasts")) == pytest.approx(
        np.mean([value_of(metrics, Key("language", "contrasts", language=code)) for code in ("de", "sw")]), abs=0.02
    )
    assert set(metrics["metric"]) == {"group-members", "contrasts"}
    with pytest.raises(XlError, match="names has no language fr"):
        study_names(planted_model(vectors), lexicon, pivot="fr")


def test_loaded_words_that_are_further_from_their_translations_have_a_difference_below_zero():
    draws, vectors, tables = np.random.default_rng(1), {}, []
    for name, noise in (("culture", 1.5), ("everyday", 0.3)):
        cells = {"en": [], "de": []}
        for number in range(60):
            meaning = draws.normal(size=DIM)
            for code, column in cells.items():
                text = f"{name} {code} {number}"
                column.append((text,))
                vectors[text] = meaning + noise * draws.normal(size=DIM)
        ids = tuple(str(number) for number in range(60))
        tables.append(Lexicon(name, ids, ("",) * 60, {code: tuple(column) for code, column in cells.items()}))
    metrics = study_culture(planted_model(vectors), *tables).metrics.set_index("metric")
    assert metrics.loc["culture-everyday", "high"] < 0
    difference = metrics.loc["gap", "value"] - metrics.loc["everyday-gap", "value"]
    assert metrics.loc["culture-everyday", "value"] == pytest.approx(difference)
    with pytest.raises(XlError, match="have no language in common besides fr"):
        study_culture(planted_model(vectors), *tables, pivot="fr")
