"""Students of planted teachers: what they lose, on made-up texts and made-up records."""

import numpy as np
import pytest
from planted_names import found_slowly, noisy, planted_names, random_units

from xlutils.chapters.claims import NOT_REPRODUCED, REPRODUCED
from xlutils.chapters.student_tables import change_table, cost_table, student_claims
from xlutils.chapters.students import study_student
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.relations import TextPairs
from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.results.record import read_record, write_record
from xlutils.results.rows import metric_table

COUNT, DIM, CODES = 24, 8, ("en", "de", "fr")
GOLD = np.array([0, 0, 1, 2, 3, 4, 5, 5])
WORDS = [f"word {row}" for row in range(10)]


def texts_of(kind, count):
    return {code: tuple(f"{code} {kind} {row}" for row in range(count)) for code in CODES}


QUESTIONS = ParallelQA(
    "toy-qa", tuple("abcdefgh"), tuple("abcdef"), texts_of("question", 8), texts_of("passage", 6), GOLD
)
PAIRS = TextPairs(
    *("minimal-pairs", "toy-pairs", tuple("abcde"), ("role",) * 5, ("",) * 5),
    *({code: tuple(f"{code} {word}" for word in part) for code in CODES} for part in (WORDS[:5], WORDS[5:])),
)


def planted(noise_of):
    """A model and a lexicon; the texts of a language have so much noise."""
    shift = {code: random_units(90 + number, 1, DIM) for number, code in enumerate(CODES)}

    def spaces(seed, count):
        meaning = random_units(seed, count, DIM)
        return {code: unit_rows(noisy(meaning, seed + 1, noise) + shift[code]) for code, noise in noise_of.items()}

    passages = spaces(10, 6)
    vectors = {}
    for code in CODES:
        asked = noisy(passages[code][GOLD], 20, 0.4)
        vectors |= dict(zip(QUESTIONS.queries[code], asked, strict=True))
        vectors |= dict(zip(QUESTIONS.passages[code], passages[code], strict=True))
        vectors |= dict(zip([f"{code} {word}" for word in WORDS], spaces(30, 10)[code], strict=True))
    return planted_names(spaces(40, COUNT), vectors)


TEACHER, LEXICON = planted({"en": 0, "de": 0.5, "fr": 0.5})
STUDENT, _ = planted({"en": 0, "de": 0.5, "fr": 3})


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    study = study_student(TEACHER, STUDENT, LEXICON, QUESTIONS, [PAIRS], name="small")
    path = write_record(tmp_path_factory.mktemp("students"), study)
    assert path.as_posix().endswith("production/planted/toy.student.small.json")
    return read_record(path)


def values(record, metric, code):
    rows = record["metrics"].query("metric == @metric and language == @code")
    return dict(zip(rows["state"], rows["value"], strict=True))


def vectors(model, code):
    return model.encode([cell[0] for cell in LEXICON.cells[code]], "word")


def test_changes_are_the_plain_loop(record):
    for code in ("de", "fr"):
        sides = [found_slowly(vectors(model, code), vectors(model, "en")).mean() for model in (TEACHER, STUDENT)]
        found = values(record, "accuracy", code)
        assert (found[""], found["student"]) == pytest.approx(tuple(sides))
        assert found["student, change"] == pytest.approx(sides[1] - sides[0], abs=1e-6)
    assert values(record, "accuracy", "de")["student, change"] == 0
    assert values(record, "accuracy", "fr")["student, change"] < -0.2


def test_centred_texts_use_the_means_of_the_other_half(record):
    halves = np.random.default_rng(42).permutation(COUNT) % 2
    hits = np.zeros(COUNT)
    for half in (0, 1):
        one, other = (vectors(STUDENT, code) for code in ("fr", "en"))
        moved = [unit_rows(side - side[halves != half].mean(axis=0)) for side in (one, other)]
        hits[halves == half] = found_slowly(*moved)[halves == half]
    found = values(record, "accuracy", "fr")
    assert found["student centred"] == pytest.approx(hits.mean())
    assert found["student centred, change"] == pytest.approx(hits.mean() - found["centred"], abs=1e-6)


def test_questions_search_the_passages_of_their_language_and_of_english(record):
    for metric, language in (("within", "fr"), ("across", "en")):
        scores = STUDENT.encode(QUESTIONS.queries["fr"]) @ STUDENT.encode(QUESTIONS.passages[language]).T
        assert values(record, metric, "fr")["student"] == (scores.argmax(axis=1) == GOLD).mean()
    assert set(change_table(record, "within").index) == {"English", "German", "French"}
    for metric in ("across", "roles"):
        assert set(change_table(record, metric).index) == {"German", "French"}
    assert values(record, "roles", "fr")["student, change"] < 0 == values(record, "roles", "de")["student, change"]


def test_the_record_tells_the_student_and_what_texts_cost(record):
    assert record["model"] == record["params"]["student"]  # both are called planted
    assert set(record["timing"]) == {
        "measure",
        *(f"{s} per {t}" for s in ("teacher", "student") for t in ("passage", "name")),
    }
    rows = record["metrics"]
    assert ((rows["low"] <= rows["value"]) & (rows["value"] <= rows["high"])).all()
    again = study_student(TEACHER, STUDENT, LEXICON, QUESTIONS, [PAIRS], name="small")
    assert np.allclose(again.metrics["low"], rows["low"], atol=1e-6)


def test_data_without_the_pivot_are_refused():
    with pytest.raises(XlError, match="^toy-qa has no language en; it has de, fr$"):
        study_student(TEACHER, STUDENT, LEXICON, QUESTIONS.only(["de", "fr"]))


def made_up(changes, teacher=0.8, model="LaBSE"):
    """A record from changes by metric and language, with intervals of 0.01 around them."""
    rows = [
        {
            "kind": "language",
            "metric": metric,
            "language": code,
            "state": state,
            "value": v,
            "low": v - 0.01,
            "high": v + 0.01,
        }
        for metric, of_language in changes.items()
        for code, change in of_language.items()
        for state, v in (("", teacher), ("student", teacher + change), ("student, change", change))
    ]
    sizes = {"": 4e8, "student": 1e8}
    rows += [{"kind": "all", "metric": "bytes", "value": size, "state": state} for state, size in sizes.items()]
    timing = {
        "teacher per passage": 0.3,
        "student per passage": 0.006,
        "teacher per name": 0.02,
        "student per name": 0.001,
    }
    params = {"mapped": sorted({code for part in changes.values() for code in part})}
    return {"model": {"name": model}, "params": params, "timing": timing, "metrics": metric_table(rows)}


def verdicts(changes, **options):
    table = student_claims({"small": made_up(changes, **options)})
    return table, list(table["verdict"])


FEW = {"accuracy": {"de": 0.0, "fr": 0.0}, "within": {"de": 0.0, "fr": 0.0}, "across": {"de": 0.0, "fr": 0.0}}


def test_one_language_that_may_lose_too_much_is_no_safe_student():
    assert verdicts(FEW)[1] == [REPRODUCED, REPRODUCED, NOT_REPRODUCED]
    table, found = verdicts(FEW | {"accuracy": {"de": 0.1, "fr": -0.015}})  # its interval reaches -0.025
    assert found[:2] == [NOT_REPRODUCED, REPRODUCED]
    assert table["why"].iloc[0] == "French loses most; 1 of 2 languages may lose more than 0.02"


def test_a_language_that_the_teacher_never_learned_is_not_held_against_its_student():
    changes = FEW | {"accuracy": {"de": 0.0, "gn": -0.5}}
    assert verdicts(changes, model="multilingual-e5-small-q4")[1][0] == REPRODUCED
    kinds = change_table(made_up(changes, model="multilingual-e5-small-q4"), "accuracy")["kind"]
    assert kinds.to_dict() == {"German": "learned", "Guarani": "never learned"}


@pytest.mark.parametrize(
    ("within", "across", "expected"),
    [
        ({"de": -0.02, "fr": -0.05}, {"de": -0.3, "fr": -0.2}, REPRODUCED),
        ({"de": -0.02, "fr": -0.20}, {"de": -0.3, "fr": -0.2}, NOT_REPRODUCED),
        ({"de": -0.02, "fr": -0.05}, {"de": -0.3, "fr": 0.0}, NOT_REPRODUCED),
        ({"de": -0.3, "fr": -0.2}, {"de": 0.0, "fr": 0.0}, NOT_REPRODUCED),
    ],
)
def test_search_within_and_across_must_both_be_as_claimed_in_every_language(within, across, expected):
    assert verdicts(FEW | {"within": within, "across": across})[1][2] == expected


def test_costs_are_compared_within_a_run():
    table = cost_table({"small": made_up(FEW)})
    assert list(table.index) == ["LaBSE", "small"]
    assert table.loc["small"].to_dict() == pytest.approx(
        {"megabytes": 100, "ms per passage": 6, "times faster, passage": 50, "ms per name": 1, "times faster, name": 20}
    )
