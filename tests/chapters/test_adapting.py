from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from xlutils.chapters.adapting import study_adapters, train
from xlutils.chapters.adapting_tables import (
    adaptation_table,
    adapter_claims,
    forgetting_claims,
    language_changes,
    transfer_matrices,
    transfer_table,
)
from xlutils.chapters.claims import NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED
from xlutils.chapters.course import Course, only_antonyms
from xlutils.chapters.forgetting import KEEP, MAPS, PLAIN, REPLAY, study_forgetting, with_replay
from xlutils.chapters.outcomes import Exam
from xlutils.chapters.retrieval import study_retrieval
from xlutils.datasets import load_parallel, load_relations
from xlutils.datasets.scenarios import make_scenarios
from xlutils.datasets.triples import Triple, Triples
from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.results.record import read_record, write_record
from xlutils.results.rows import Key, metric_table, value_of
from xlutils.training.recipe import Recipe

SMALL = Recipe(batch_size=4, learning_rate=1e-3, temperature=0.1, micro_tokens=0, bf16=False, dropout=0.0)
WORDS = ("tide", "moon", "harbour", "boat", "wind")


def triples(code):
    rows = [(f"what is {a} {b}", f"{a} and {b}", f"{code} {a[::-1]} {b}", code) for a in WORDS for b in WORDS[:4]]
    return Triples("toy", tuple(Triple(*row) for row in rows))


@pytest.fixture(scope="module")
def course():
    exams = []
    for codes, passages in ((["en", "de", "es"], range(8)), (["en", "zh"], range(8, 16))):
        data = load_parallel("mini", codes).part(passages, f"mini-{codes[-1]}")
        exams.append(Exam(data, make_scenarios(("mono-same", "multi"), codes[1:]), "unique"))
    return Course(tuple(exams), only_antonyms(load_relations(languages=["en", "de", "es", "zh"])))


def test_marks_are_those_of_chapter_4_item_by_item(course):
    encoder = load_model("control-ngram-hash")
    marks = course.marks(course.encode(encoder))
    first, second = (study_retrieval(encoder, exam) for exam in course.exams)
    values, split = first.values(), len(first.exam.data.gold)
    assert course.languages == ["en", "de", "es", "zh"]
    both = [values[Key("multi", "complete@10", "en+de", code)] for code in ("en", "de")]
    assert marks["complete@10"][:split, 1] == pytest.approx(np.mean(both, axis=0))
    assert marks["within"][split:, 3] == pytest.approx(second.values()[Key("mono-same", "ndcg@1", "zh", "zh")])
    assert np.isnan(marks["within"][split:, 1:3]).all()
    assert np.isnan(marks["complete@10"][:, 0]).all()
    assert not np.isnan(marks["within"][:, 0]).any()
    assert len(set(course.clusters("within"))) == 16
    assert set(np.unique(8 * marks["antonyms"][:, 1])) <= set(range(9))  # four comparisons, and ties count half


@pytest.mark.slow
def test_adapters_are_recorded_and_nothing_is_trained_twice(course, trainable, tmp_path, monkeypatch):
    kinds = {"all weights": SMALL, "LoRA": replace(SMALL, lora_rank=2)}
    plan = {f"{kind}, mixed": (recipe, triples("de")) for kind, recipe in kinds.items()}
    record = study_adapters(str(trainable), plan, course, tmp_path / "cells")
    monkeypatch.setattr("xlutils.chapters.adapting.finetune", lambda *arguments: pytest.fail("trained again"))
    again = study_adapters(str(trainable), plan, course, tmp_path / "cells")
    assert record.metrics.equals(again.metrics)
    content = read_record(write_record(tmp_path, record))

    def value(metric, state, kind="language", language="de"):
        return value_of(content["metrics"], Key(kind, metric, language=language, state=state))

    change = value("max@r", "LoRA, mixed") - value("max@r", "")
    assert value("max@r", "LoRA, mixed, change") == pytest.approx(change, abs=1e-5)
    against = value("max@r", "LoRA, mixed") - value("max@r", "all weights, mixed")
    assert value("max@r", "LoRA, mixed, against all weights") == pytest.approx(against, abs=1e-5)
    untrained = [value("max@r", "LoRA, mixed, change", language=code) for code in ("es", "zh")]
    assert value("max@r/untrained", "LoRA, mixed, change", "all", "") == pytest.approx(np.mean(untrained), abs=1e-5)
    table = adaptation_table(content)
    assert list(table.index) == ["all weights", "LoRA"]
    assert float(table["trained weights (%)"]["LoRA"]) < float(table["trained weights (%)"]["all weights"])
    assert language_changes(content).loc["Chinese"].index.tolist() == ["no"]
    assert len(list(adapter_claims(content))) == 3


@pytest.mark.slow
def test_each_step_continues_from_the_one_before_and_maps_forget_nothing(course, trainable, tmp_path):
    own, folder = {code: triples(code) for code in ("de", "es")}, tmp_path / "cells"
    content = read_record(write_record(tmp_path, study_forgetting(str(trainable), SMALL, own, course, folder)))
    first, second = content["params"]["trainings"][PLAIN]
    assert second["after"] == first["name"]
    assert content["params"]["trainings"][REPLAY][0]["name"] == first["name"]  # nothing to repeat yet
    assert content["params"]["trainings"][REPLAY][1]["trained_on"]["size"] == 21
    tables = [train(str(trainable), SMALL, own["es"], course, folder, key).marks for key in ("", first["name"])]
    assert (tables[0]["max@r"][:, 2] != tables[1]["max@r"][:, 2]).any()
    maps = transfer_matrices(content)[MAPS]["German"]
    assert maps.iloc[2] == maps.iloc[1]
    verdicts = {claim.claim: claim.verdict for _, claim in forgetting_claims(content)}
    assert verdicts["Maps forget nothing: Complete@10"] == REPRODUCED
    assert transfer_table(content)["backward", "within"][MAPS] == "0.000 (0.000 to 0.000)"
    with pytest.raises(XlError, match="forgetting needs two languages"):
        study_forgetting(str(trainable), SMALL, {"de": own["de"]}, course, tmp_path)


def test_replay_repeats_a_share_of_the_triples_of_every_earlier_language():
    own = {code: triples(code) for code in ("de", "es", "zh")}
    repeated = with_replay(own, seed=1, share=0.1)
    assert repeated["de"] == own["de"]
    assert [row.lang for row in repeated["zh"].rows[20:]] == ["de", "de", "es", "es"]
    assert set(repeated["zh"].rows[20:22]) <= set(own["de"].rows)


def planted(means, **params):
    """A record with means over languages, by metric and state, and rows of one language."""
    rows = []
    for (metric, state), (low, high) in means.items():
        kind, code = ("all", "") if "/" in metric else ("language", "th")
        row = {"kind": kind, "language": code, "metric": metric, "state": state}
        rows.append({**row, "value": (low + high) / 2, "low": low, "high": high})
    return {"model": {"name": "toy"}, "metrics": metric_table(pd.DataFrame(rows)), "params": params}


@pytest.mark.parametrize(
    ("harm", "difference", "thai", "gentle", "verdict"),
    [
        ((-9, -3), (1, 5), (0.5, 2), (-9, -5), REPRODUCED),
        ((-9, -3), (-1, 5), (0.5, 2), (-9, -5), NOT_REPRODUCED),
        ((-9, -3), (1, 5), (-2, -0.5), (-9, -5), NOT_REPRODUCED),  # better on average, and worse in one language
        ((-9, -3), (1, 5), (0.5, 2), (-2, 0), NOT_REPRODUCED),  # no better than a lower rate that gains as much
        ((-9, 3), (1, 5), (0.5, 2), (-9, -5), NOT_TESTABLE),  # there is nothing to forget
    ],
)
def test_an_adapter_forgets_less_only_where_all_weights_forget(harm, difference, thai, gentle, verdict):
    means = {}
    rates = "all weights, a fifth of the rate, mixed"
    for metric in ("complete@10/untrained", "within/untrained", "within/trained", "complete@10/trained"):
        means[metric, "all weights, mixed, change"] = harm
        means[metric, "LoRA, mixed, against all weights"] = difference
        means[metric, "LoRA, mixed, change"] = (-2, 0)
        means[metric, f"{rates}, change"] = gentle
    means["complete@10/trained", f"{rates}, change"] = (-2, 0)
    means["complete@10", "LoRA, mixed, against all weights"] = thai
    trainings = {state: {"trained_on": {"languages": ["de"]}} for state in ("all weights, mixed", "LoRA, mixed", rates)}
    claims = {claim.claim: claim for _, claim in adapter_claims(planted(means, trainings=trainings))}
    claim = claims["LoRA: forgets less, Complete@10 of other languages"]
    assert claim.verdict == verdict
    assert ("lower in Thai" in claim.why) == (thai[1] < 0)


@pytest.mark.parametrize(
    ("alone", "replay", "better", "maps", "verdicts"),
    [
        ((-9, -3), (-1, 2), (1, 5), 0, (REPRODUCED, REPRODUCED)),
        ((-9, -3), (-3, -1), (1, 5), 0, (NOT_REPRODUCED, REPRODUCED)),  # less forgetting is still forgetting
        ((-9, -3), (-1, 2), (-1, 5), 0.1, (NOT_REPRODUCED, NOT_REPRODUCED)),
        ((-9, 1), (-1, 2), (1, 5), 0, (NOT_TESTABLE, REPRODUCED)),
    ],
)
def test_replay_prevents_forgetting_only_where_training_alone_forgets(alone, replay, better, maps, verdicts):
    means = {}
    for metric in ("backward/complete@10", "backward/within"):
        means |= {(metric, PLAIN): alone, (metric, MAPS): (maps, maps)}
        for way in (KEEP, REPLAY):
            means |= {(metric, way): replay, (metric, f"{way}, against {PLAIN}"): better}
    found = {claim.claim: claim.verdict for _, claim in forgetting_claims(planted(means))}
    assert (found["Replay prevents forgetting: Complete@10"], found["Maps forget nothing: Complete@10"]) == verdicts
