"""The script of the recorded training, on a few triples."""

import json
import string
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import train

from xlutils.chapters.claims import NOT_REPRODUCED, REPRODUCED
from xlutils.chapters.shapes import read_shapes
from xlutils.chapters.training_claims import training_claims
from xlutils.datasets import load_parallel
from xlutils.datasets.triples import Triple, Triples
from xlutils.errors import XlError
from xlutils.models.weights import name_of
from xlutils.results.record import Record, find_records, read_record, write_record
from xlutils.results.rows import Key, rows_of, value_of

COST = "mono-same", "ndcg@1"
LOSSES = ("jsd+nce", "nce", "jsd", "nce-passage")
ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("zh", "es", "de", "ru", "ja")
WORDS = {"zh": "潮汐", "es": "marea", "de": "flut", "ru": "волна", "ja": "潮汐"}


@pytest.fixture
def data(tmp_path):
    """Triples in the layout of debian, enough for two steps."""
    folder = tmp_path / "data/debian"
    folder.mkdir(parents=True)
    for code in LANGUAGES:
        rows = [
            {
                "query_en": f"tool {n}",
                "passage_en": f"A tool for task {n}.",
                "passage_tgt": f"{WORDS[code]} {n}",
                "lang": code,
            }
            for n in string.ascii_lowercase[:14]  # letters that the tiny model knows
        ]
        text = "\n".join(json.dumps(row) for row in rows)
        (folder / f"train.{code}.jsonl").write_text(text, encoding="utf-8")
    return folder.parent


@pytest.mark.slow
def test_it_records_both_protocols_and_does_nothing_twice(data, tmp_path, trainable, monkeypatch, capsys):
    monkeypatch.setenv("XL_DATA", str(data))
    options = ["--model", str(trainable), "--names", "jsd", "--seeds", "7", "--data", "mini", "--languages", "zh"]
    options += ["--into", str(tmp_path / "r"), "--checkpoints", str(tmp_path / "c"), "--device", "cpu"]
    train.main(options)
    printed = capsys.readouterr().out
    assert printed.startswith("jsd.seed-7: ")
    assert "mean Max@R" in printed
    folder = tmp_path / "r/finetune" / name_of(str(trainable))
    assert len(find_records(tmp_path / "r", "finetune")) == 2
    content = read_record(folder / "mini.jsd.seed-7.paper.json")
    assert content["params"]["done"]["recipe"]["seed"] == 7
    assert content["params"]["done"]["trained_on"]["size"] == 70
    assert content["dataset"]["size"] == len(load_parallel("mini", ["en"]).query_ids)
    steps = pd.read_csv(folder / "mini.jsd.seed-7.steps.csv")
    assert steps["step"].tolist() == [1, 2]
    shapes = pd.read_csv(folder / "mini.jsd.seed-7.shapes.csv")
    assert set(shapes["language"]) == {"zh"}
    before, after = (shapes[shapes["state"] == state] for state in ("before", "after"))
    assert len(before) == len(after) == len(load_parallel("mini", ["en"]).query_ids)
    assert abs(before["jsd"].to_numpy() - after["jsd"].to_numpy()).max() > 1e-4
    assert before["cosine"].between(-1, 1).all()
    train.main(options)
    assert capsys.readouterr().out == "jsd.seed-7: recorded already\n"
    with pytest.raises(
        XlError, match=r"mini\.jsd\.seed-7\.unique\.json was not asked in ar; give another folder with --into"
    ):
        train.main([*options, "--languages", "zh,ar"])


@pytest.mark.slow
def test_the_recipe_of_the_paper_is_trained_once_for_each_language(data, tmp_path, trainable, monkeypatch, capsys):
    monkeypatch.setenv("XL_DATA", str(data))
    for code in ("zh", "ja"):  # a batch takes more triples than the others have
        path = data / f"debian/train.{code}.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        more = [{**row, "query_en": f"{row['query_en']} {n}"} for row in rows for n in string.ascii_lowercase[:5]]
        path.write_text("\n".join(map(json.dumps, more)), encoding="utf-8")
    options = ["--model", str(trainable), "--names", "paper", "--train-languages", "zh,ja", "--data", "mini"]
    options += ["--languages", "zh", "--into", str(tmp_path / "r"), "--checkpoints", str(tmp_path / "c")]
    train.main([*options, "--device", "cpu"])
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "jsd+nce.zh.seed-42",
        "jsd+nce.ja.seed-42",
    ]
    names = {path.name for path in find_records(tmp_path / "r", "finetune")}
    assert "mini.jsd+nce.ja.seed-42.paper.json" in names
    assert len(names) == 4
    assert not [*(tmp_path / "c").iterdir()]  # checkpoints are of no use any more


def test_every_loss_is_trained_with_the_recipe_of_the_paper_if_asked(tmp_path):
    rows = tuple(Triple("q", "p", "t", code) for code in ("de", "zh", "zh"))
    found = train._trainings("paper", ["jsd+nce", "jsd"], Triples("toy", rows), tmp_path, "bge-m3")
    assert list(found) == ["jsd+nce.de", "jsd.de", "jsd+nce.zh", "jsd.zh"]
    recipe, triples = found["jsd.zh"]
    assert (recipe.losses, recipe.learning_rate, recipe.batch_size) == (("jsd",), 4e-6, 32)
    assert triples.rows == rows[1:]
    with pytest.raises(XlError, match="unknown loss 'magic'"):
        train._trainings("paper", ["magic"], Triples("toy", rows), tmp_path, "bge-m3")


def test_each_loss_was_recorded_at_the_setting_that_did_best_in_the_grid():
    folder = ROOT / "book/records/finetune/multilingual-e5-small-q4"
    for losses in train.LOSSES:
        best = train.tuned(folder, losses)
        label = losses if best == train.RECORDED[losses] else f"{losses}.tuned"
        recipe = read_record(folder / f"xquad.{label}.seed-42.unique.json")["params"]["done"]["recipe"]
        assert (recipe["learning_rate"], recipe["temperature"]) == (best.learning_rate, best.temperature)
        assert recipe["losses"] == list(best.losses)


def test_the_setting_that_completes_most_questions_is_chosen(tmp_path):
    cells = {name: recipe for name, recipe in train.GRID.items() if recipe.losses == ("nce",)}
    for score, name in enumerate(cells, 50):
        metrics = pd.DataFrame([{**train.COMPLETE._asdict(), "value": score if "2e-05" in name else score - 9}])
        model = {"name": "m", "revision": "1", "source": "m", "fingerprint": "0" * 16}
        data = {"name": "debian-validation", "sha256": "0" * 64, "languages": ["fr"], "size": 1}
        write_record(tmp_path, Record("finetune", model, data, {}, metrics, variant=f"{name}.seed-42.unique"))
    best = train.tuned(tmp_path / "finetune/m", "nce")
    assert (best.learning_rate, best.temperature) == (2e-5, 0.05)
    with pytest.raises(XlError, match="is missing; run the trainings of the grid first"):
        train.tuned(tmp_path, "nce")


def test_a_loss_is_good_or_bad_by_its_settings():
    """What chapter 4 says of its grid."""
    folder = ROOT / "book/records/finetune/multilingual-e5-small-q4"

    def complete(losses, rate, temperature, state="after"):
        name = f"debian-validation.{losses}.rate-{rate}.temperature-{temperature}.seed-42.unique.json"
        return rows_of(read_record(folder / name)["metrics"], Key("multi", "complete@10", state=state)).iloc[0]

    settings = [(rate, temperature) for rate in ("2e-04", "2e-05") for temperature in ("1", "0.05")]
    before, cold, warm = (complete("nce", "2e-04", *of) for of in (("1", "before"), ("0.05",), ("1",)))
    assert cold["low"] > warm["high"]
    assert warm["low"] < before["high"] < cold["high"]
    every = {of: complete(losses, *of)["value"] for losses in ("jsd+nce+keep",) for of in settings}
    assert min(every.values()) > before["high"]


def test_settings_matter_more_than_losses_and_no_training_beats_the_subtraction():
    """What chapter 4 concludes from its full run."""
    folder = ROOT / "book/records/finetune/multilingual-e5-small-q4"
    paths = {path.name.removeprefix("xquad."): path for path in folder.glob("xquad.*.unique.json")}

    def after(name, kind="multi", metric="complete@10"):
        record = read_record(paths[f"{name}.seed-42.unique.json"])
        return value_of(record["metrics"], Key(kind, metric, state="after"))

    for losses in ("nce", "jsd+nce", "nce-passage"):
        assert after(f"{losses}.tuned") > after(losses) + 15
    assert after("jsd+nce+keep") - after("nce.tuned") < 5 > after("jsd+nce+keep") - after("jsd+nce.tuned")
    remedies = read_record(ROOT / "book/records/remedies/multilingual-e5-small-q4/xquad.unique.json")
    free = value_of(remedies["metrics"], Key("multi", "complete@10", state="both sides"))
    names = [name.removesuffix(".seed-42.unique.json") for name in paths if ".seed-42." in name]
    assert len(names) == 11 + 16
    assert all(after(name) < free for name in names)
    alone = {name: after(name, "mono-same", "ndcg@1") for name in ("jsd+nce+keep", "jsd+nce+keep.tuned")}
    before = value_of(
        read_record(paths["nce.seed-42.unique.json"])["metrics"], Key("mono-same", "ndcg@1", state="before")
    )
    assert after("jsd") < 5 < 52 < after("jsd.tuned")
    assert after("jsd.tuned", "mono-same", "ndcg@1") < before - 0.3
    assert alone["jsd+nce+keep"] > before - 0.01
    assert alone["jsd+nce+keep.tuned"] < before - 0.05


def test_jsd_brings_distributions_hardly_nearer_at_the_same_cosine():
    """What chapter 4 says of Figure 1."""
    shapes = read_shapes(find_records(ROOT / "book/records", "finetune"))
    nce, both = (shapes[f"{name}.zh.seed-42"].query("state == 'after'") for name in ("nce", "jsd+nce"))
    slope, start = np.polyfit(nce["cosine"], nce["jsd"], 1)
    lift = (both["jsd"] - start - slope * both["cosine"]).mean()
    assert -0.01 < lift / nce["jsd"].mean() < 0
    assert all(side[["jsd", "distance"]].corr("spearman").iloc[0, 1] > 0.99 for side in (nce, both))


def test_one_language_brings_all_together_at_a_price_and_the_best_loss_depends_on_the_steps():
    """What chapter 4 concludes from the trainings in one language."""
    folder = ROOT / "book/records/finetune/multilingual-e5-small-q4"
    codes = ("de", "ru", "es", "zh")  # the most steps first

    def read(loss, code, state, kind="multi", metric="complete@10"):
        rows = read_record(folder / f"xquad.{loss}.{code}.seed-42.unique.json")["metrics"]
        rows = rows[(rows["kind"] == kind) & (rows["metric"] == metric) & (rows["state"] == state)]
        return rows[rows["language"] == ""].set_index(["pool", "query"])["value"]

    remedies = read_record(ROOT / "book/records/remedies/multilingual-e5-small-q4/xquad.unique.json")["metrics"]
    free = [value_of(remedies, Key(*of, state="both sides")) for of in (("multi", "complete@10"), COST)]
    costs = []
    for code in codes:
        change = read("jsd+nce", code, "change")
        pairs = change[change.index.get_level_values("pool") != ""]
        assert pairs.groupby("pool").mean().min() > 8  # of every language that is asked
        price = read("jsd+nce", code, "change", *COST)
        costs.append(price.drop(("", "")).max())
        assert read("jsd+nce", code, "after")["", ""] < free[0] - 5
        assert read("jsd+nce", code, "after", *COST)["", ""] < free[1]
    assert max(costs[:3]) < -0.05  # every language pays, English included
    assert -0.04 < read("jsd+nce", "zh", "change", *COST)["", ""] < 0
    done = {loss: [read(loss, code, "after")["", ""] for code in codes] for loss in ("jsd+nce", "nce", "jsd")}
    alone = {f"{loss}.{code}": read(loss, code, "after", *COST)["", ""] for loss in LOSSES for code in codes}
    assert max(alone.values()) < free[1]  # the subtraction costs no more than the cheapest training
    passages = [read("nce-passage", code, "after")["", ""] for code in codes]
    assert all(both > alone for both, alone in zip(done["jsd+nce"], done["nce"], strict=True))
    assert all(max(done, key=lambda loss: done[loss][number]) == "jsd" for number in (2, 3))
    assert all(min(done, key=lambda loss: done[loss][number]) == "jsd" for number in (0, 1))
    assert all(read("jsd", code, "change", *COST)["", ""] < -0.15 for code in codes[:2])
    assert all(least < min(column) for least, column in zip(passages, zip(*done.values(), strict=True), strict=True))
    claims = training_claims(path for code in codes for path in folder.glob(f"xquad.*.{code}.seed-*.json"))
    verdicts = claims[claims.index.str.contains("jsd")].groupby("claim")["verdict"].agg(set)
    for loss in ("InfoNCE alone", "InfoNCE of passages"):
        assert verdicts[f"JSD + InfoNCE is better than {loss}"] == {REPRODUCED}
    assert verdicts["JSD + InfoNCE is better than JSD alone"] == {REPRODUCED, NOT_REPRODUCED}
