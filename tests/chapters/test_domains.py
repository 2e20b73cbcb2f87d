"""Domains: planted texts whose languages are turned against each other, the same way in some domains only."""

from math import comb

import numpy as np
import pytest
from planted import planted_model
from planted_names import noisy, random_units

from xlutils.chapters.claims import NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED
from xlutils.chapters.domain_tables import domain_claims, domain_table, transfer_tables
from xlutils.chapters.domains import Domain, load_domains, study_domains
from xlutils.chapters.map_tables import states_of
from xlutils.datasets.files import BUILTIN
from xlutils.errors import XlError
from xlutils.metrics.maps import fit_map
from xlutils.results.record import read_record, write_record
from xlutils.results.rows import metric_table

COUNT, DIM = 60, 8
TURNED = {"names": 1, "news": 1, "law": -1}  # how German is turned, seen from English


def planted():
    """Return a model and domains; German is English with noise, turned by a right angle, the other way in law."""
    vectors, domains = {}, {}
    turn = np.kron(np.eye(DIM // 2), [[0, 1], [-1, 0]])
    for number, (name, side) in enumerate(TURNED.items()):
        english = random_units(number, COUNT, DIM)
        german = noisy(english, 10 + number, 0.6) @ turn * side
        texts = {code: [f"{code} {name} {row}" for row in range(COUNT)] for code in ("en", "de")}
        for code, space in (("en", english), ("de", german)):
            vectors |= dict(zip(texts[code], space, strict=True))
        domains[name] = Domain(texts, "query")
    return planted_model(vectors), domains


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    result = study_domains(*planted(), draws=2, sizes=(20,), ways=("procrustes",))
    return read_record(write_record(tmp_path_factory.mktemp("domains"), result))


def value(record, metric, state):
    return states_of(record, metric).set_index("state").loc[state, "value"]


def in_pools(one, other, pool):
    """How often each text finds its translation first in a pool, and is found by it."""
    shares, last = [], len(one) - 1
    for row in range(len(one)):
        above = [
            (side[0] @ side[1].T > side[0] @ side[1][row] + 1e-6).sum()
            for side in ((one[row], other), (other[row], one))
        ]
        shares.append(np.mean([comb(last - int(count), pool - 1) / comb(last, pool - 1) for count in above]))
    return np.array(shares)


def test_accuracy_and_gains_are_the_plain_loop(record):
    model, domains = planted()
    spaces = {name: [model.encode(domain.texts[code]) for code in ("de", "en")] for name, domain in domains.items()}
    order = np.random.default_rng(42).permutation(COUNT)
    for source, target in (("names", "names"), ("names", "law")):
        sides, fitted = ([space[order] for space in spaces[name]] for name in (target, source))
        assert value(record, "accuracy/25", target) == pytest.approx(in_pools(*sides, 25).mean())
        gains = []
        for draw, half in ((draw, half) for draw in range(2) for half in (0, 1)):
            rows = np.random.default_rng([42, draw]).permutation(np.arange(COUNT)[half::2])[:20]
            one, other = (side[1 - half :: 2] for side in sides)
            moved = fit_map(fitted[0][rows], fitted[1][rows], "procrustes").apply(one)
            gains.append(in_pools(moved, other, 12) - in_pools(one, other, 12))
        assert value(record, "gain", f"procrustes, 20 {source} on {target}") == pytest.approx(np.mean(gains), abs=1e-6)


def test_a_correction_serves_a_domain_that_is_turned_alike_and_harms_the_other(record):
    own = value(record, "gain", "procrustes, 20 names on names")
    assert value(record, "gain", "procrustes, 20 names on news") > own / 2 > 0.2
    assert value(record, "gain", "procrustes, 20 names on law") < 0
    assert abs(value(record, "gain", "names, centred")) < 0.05  # which turns nothing
    rows = record["metrics"]
    assert ((rows["low"] <= rows["value"]) & (rows["value"] <= rows["high"])).all()
    assert not rows["metric"].str.endswith("/200").any()  # there are too few texts


def test_texts_like_their_translation_or_like_another_text_are_not_compared():
    model, domains = planted()
    german, english = domains["names"].texts["de"], domains["names"].texts["en"]
    taken = {"en": english[:30], "de": [german[0], english[1].upper(), "", german[0], *german[4:30]]}
    model.backend.vectors[taken["de"][1]] = model.backend.vectors[english[1]]
    few = {"questions": Domain(taken, "word")}
    kept = [0, *range(4, 30)]
    lean = {"questions": Domain({code: [texts[row] for row in kept] for code, texts in taken.items()}, "word")}
    scores = [study_domains(model, data).metrics.set_index("metric")["value"] for data in (few, lean)]
    assert scores[0]["accuracy/25"] == pytest.approx(scores[1]["accuracy/25"])


def test_domains_are_loaded_with_their_short_texts_and_topics(tmp_path, monkeypatch):
    monkeypatch.setenv("XL_DATA", str(tmp_path))
    (tmp_path / "xquad").symlink_to(BUILTIN / "mini")
    (tmp_path / "sib200").mkdir()
    for code in ("en", "de"):
        lines = [f"{row}\t{topic}\tText {code} {row}" for row, topic in enumerate(["travel", "science/technology"] * 2)]
        (tmp_path / "sib200" / f"{code}.tsv").write_text("\n".join(["id\ttopic\ttext", *lines]))
    domains = load_domains(["en", "de", "sw"], ["names", "law", "encyclopedic"])
    assert list(domains) == ["names", "law", "encyclopedic", "questions"]
    assert set(domains["law"].texts) == {"en", "de", "sw"}
    assert set(domains["questions"].texts) == {"en", "de"}  # XQuAD has no Swahili
    assert {len({*map(len, domains[name].texts.values())}) for name in domains} == {1}
    assert len(domains["questions"].texts["en"]) == len(domains["encyclopedic"].texts["en"])
    news = load_domains(["en", "de"], ["news"])
    assert list(news) == ["news", "news on science and technology", "news on travel"]
    assert list(news["news on travel"].texts["de"]) == ["Text de 0", "Text de 2"]


def test_bad_input_is_one_line():
    model, domains = planted()
    with pytest.raises(XlError, match="domain 'poems'"):
        load_domains(["en", "de"], ["poems"])
    with pytest.raises(XlError, match="^the domain names has no texts in fr; choose another pivot$"):
        study_domains(model, domains, "fr")
    alone = {"names": Domain({"en": domains["names"].texts["en"]}, "word")}
    with pytest.raises(XlError, match="^no domain has 25 texts that differ between en and another language$"):
        study_domains(model, alone)


def made_up(scores, gains, model="LaBSE"):
    """A record of three languages: accuracies by domain, and gains by domains fitted on and tested on."""
    rows = []
    for code, (domain, score) in ((code, item) for code in ("de", "sw", "yo") for item in scores.items()):
        rows.append({"language": code, "metric": "accuracy/25", "state": domain, "value": score})
    for code, (state, gain) in ((code, item) for code in ("de", "sw", "yo") for item in gains.items()):
        state = f"ridge-shrunk, 100 {state}" if " on " in state else state
        rows.append({"language": code, "metric": "gain", "state": state, "value": gain})
    table = metric_table([{**row, "kind": "language"} for row in rows])
    table = table.assign(low=table["value"] - 0.01, high=table["value"] + 0.01)
    return {"model": {"name": model}, "params": {"mapped": ["de", "sw", "yo"]}, "metrics": table}


SCORES = {"names": 0.9, "news": 0.95, "law": 0.98, "news on travel": 0.1, "news, centred": 0.1}
GAINS = {"names on names": 0.1, "names on news": 0.08, "news on names": 0.07, "news on news": 0.1}
GAINS["news, centred"] = -0.5


@pytest.mark.parametrize(
    ("claim", "changes", "verdict"),
    [
        ("A model that aligns one domain aligns the others", {"names": 0.93}, REPRODUCED),
        ("A model that aligns one domain aligns the others", {"names": 0.8}, NOT_REPRODUCED),
        ("A model that aligns one domain aligns the others", {"names": 0.88}, NOT_TESTABLE),
        ("A model that aligns one domain aligns the others, names of things apart", {"names": 0.1}, REPRODUCED),
        ("A model that aligns one domain aligns the others, names of things apart", {"news": 0.1}, NOT_REPRODUCED),
        ("A correction fitted on one domain harms no other", {}, REPRODUCED),
        ("A correction fitted on one domain harms no other", {"news on names": -0.05}, NOT_REPRODUCED),
        ("A correction fitted on one domain harms no other", {"news on names": -0.015}, NOT_TESTABLE),
        ("A correction fitted on one domain serves another (languages learned)", {}, REPRODUCED),
        (
            "A correction fitted on one domain serves another (languages learned)",
            {"news on names": 0.01},
            NOT_REPRODUCED,
        ),
        (
            "A correction fitted on one domain serves another (languages learned)",
            {"names on names": 0.005, "news on news": 0.005},  # there is nothing to gain
            NOT_TESTABLE,
        ),
    ],
)
def test_a_claim_is_reproduced_where_the_numbers_say_so_and_only_there(claim, changes, verdict):
    scores, gains = ({name: changes.get(name, number) for name, number in side.items()} for side in (SCORES, GAINS))
    table = domain_claims([made_up(scores, gains), made_up(scores, gains, "control-random")]).set_index("claim")
    assert table.loc[claim, "verdict"] == verdict


def test_verdicts_and_tables_keep_languages_apart_that_a_model_never_learned():
    record = made_up(SCORES, GAINS, "use-multilingual-v3")  # which learned German only
    table = domain_table(record)
    assert list(table.index) == [("learned", "German"), ("never learned", "Swahili"), ("never learned", "Yoruba")]
    assert list(table.columns) == ["names", "news", "law"]
    assert table.iloc[0].to_list() == ["0.90 ± 0.01", "0.95 ± 0.01", "0.98 ± 0.01"]
    assert list(domain_table(record, topics=True)) == ["travel"]
    assert list(domain_table(record, "gain")) == ["news"]
    tables = transfer_tables(record, "ridge-shrunk", 100)
    assert tables["learned"].loc["names", "news"] == pytest.approx(0.08)
    assert list(tables) == ["learned", "never learned"]
    claims = domain_claims([record]).set_index("claim")
    for kind, count in (("learned", 1), ("never learned", 2)):
        row = claims.loc[f"A correction fitted on one domain serves another (languages {kind})"]
        assert row["why"] == f"languages that surely gain by texts of the same domain: {count}, and it takes 3"
