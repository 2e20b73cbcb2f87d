"""Run lists: their keys, their plan without a network, and what happens when one is killed."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from xlutils import load_lexicon, load_model
from xlutils.chapters.affinity import study_affinity
from xlutils.chapters.atlas import load_texts, study_atlas
from xlutils.chapters.finetuning import load_both
from xlutils.chapters.outcomes import Exam
from xlutils.chapters.retrieval import study_retrieval
from xlutils.chapters.training_runs import Comparison, Side, plan_trainings, training_facts, write_all
from xlutils.cli import main
from xlutils.datasets.scenarios import make_scenarios
from xlutils.errors import XlError
from xlutils.results.record import find_records, write_record
from xlutils.runs.lists import load_list, make_plan
from xlutils.runs.reach import lacks
from xlutils.runs.recorded import find_recorded, wanted
from xlutils.training.recipe import RECIPES, read_recipe

ROOT = Path(__file__).resolve().parents[2]
LISTS = sorted((ROOT / "runs").glob("*.toml"))
MODELS = ("control-random", "control-ngram-hash")
WORDS = """
title = "t"
source = "s"
tables = ["affinity"]
chapter = "2"
models = ["LaBSE", "control-random"]
datasets = ["everyday", "culture"]
languages = ["en", "zh"]
"""
TRAINING = """
title = "t"
source = "s"
chapter = "4"
models = ["LaBSE"]
datasets = ["mini"]
[[each]]
losses = ["jsd", "nce"]
[[each]]
train_languages = ["zh", "es"]
eval_languages = ["zh", "es"]
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_list_shows_its_plan_without_a_network(path, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    places = ["--out", str(tmp_path / "out"), "--records", str(tmp_path / "records")]
    result = CliRunner().invoke(main, ["sweep", str(path), "--dry-run", *places])
    assert result.exit_code == 0, result.output
    *lines, total = result.output.splitlines()
    cells = load_list(path).cells({})
    assert total.startswith(f"{len(cells)} cells: ")
    assert all(any(line.startswith(f"{cell.name} ") for line in lines) for cell in cells)
    assert not list(tmp_path.iterdir())


def test_the_list_of_the_benchmark_has_its_thirteen_models_and_four_lexicons():
    cells = load_list(ROOT / "runs/semantic-affinity.toml").cells({})
    assert len({cell.model for cell in cells}) == 13
    assert len({cell.dataset for cell in cells}) == 4
    assert len(cells) == 52


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WORDS + "language = 'en'", "mine.toml: unknown key 'language'; did you mean languages"),
        (WORDS + "protocol = 'paper'", "mine.toml: unknown key 'protocol'"),
        (WORDS.replace("LaBSE", "LaBES"), "mine.toml: unknown model 'LaBES'; did you mean LaBSE"),
        (WORDS.replace('"zh"', '"zz"'), "mine.toml: unknown language 'zz'"),
        (WORDS.replace('"culture"', '"cultura"'), "mine.toml: unknown data set 'cultura'; did you mean culture"),
        (WORDS.replace('"culture"', '"xquad"'), "mine.toml: datasets: chapter 2 takes words, and xquad is not words"),
        (WORDS.replace('"2"', '"9"'), "mine.toml: unknown chapter '9'"),
        (WORDS.replace('chapter = "2"', ""), "mine.toml: chapter: give one of 1, 2, 3, 4, 5"),
        (WORDS.replace('"affinity"', '"afinity"'), "mine.toml: tables.0: input should be"),
        (WORDS + "seed = 1", "mine.toml: unknown key 'seed'; did you mean seeds"),
        (WORDS + "device = true", "mine.toml: device: got True; give text, a number, or a list of them"),
        (WORDS.replace('models = ["LaBSE", "control-random"]', ""), "mine.toml: models: give at least one"),
        (WORDS + "seeds = [1, 2]", "would write the same record"),
        (TRAINING.replace('eval_languages = ["zh", "es"]', 'eval_languages = ["zh"]'), "the same number of values"),
        (TRAINING.replace("losses", "loses"), "mine.toml: unknown key 'loses'; did you mean losses"),
        (TRAINING.replace('"jsd", "nce"', '"jsd", "jsd"'), "would write the same record"),
        ("title", "mine.toml: this is not TOML"),
    ],
)
def test_bad_input_is_one_line_with_the_file_and_the_key(written, text, message):
    with pytest.raises(XlError) as caught:
        load_list(written(text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cells_that_would_write_one_record_are_named(written):
    with pytest.raises(XlError) as caught:
        load_list(written(TRAINING + '[[each]]\nrecipe = ["quick", "paper"]'))
    for name in ("04_finetune_alignment.LaBSE.mini.jsd_zh_quick", "04_finetune_alignment.LaBSE.mini.jsd_zh_paper"):
        assert name in str(caught.value)


def test_a_training_is_found_by_its_settings_and_has_the_name_that_chapter_4_gives_it(written, tmp_path):
    triples, data = load_both("mini", ["zh"], "mini", ["zh"])
    side = Side(study_retrieval(load_model("control-random"), Exam(data, make_scenarios(["multi"], ["zh"]))))
    asked = read_recipe("paper"), [["nce"]], triples, side, tmp_path / "records"
    ((label, (recipe, part)),) = plan_trainings(*asked).items()
    done = Comparison(side, side, training_facts(label, replace(recipe, bf16=True), part), 1.0)
    (path,) = write_all([done], tmp_path / "records", 1)
    assert path.name == "mini-held-out.nce.zh.seed-42.unique.json"
    text = TRAINING.replace("LaBSE", "control-random").replace("[[each]]", 'recipe = "paper"\n[[each]]', 1)
    wanted_list = load_list(written(text))
    plan = make_plan(wanted_list.cells({}), "none", [tmp_path / "records"])
    assert [entry.cell.name.rsplit(".", 1)[1] for entry in plan if entry.state] == ["nce_zh"]
    assert label in {record.place[3] for entry in plan for record in wanted(entry.cell)}
    assert list(plan_trainings(*asked)) == [label]  # the same again, whatever the hardware of the record did
    recipes = ({"recipe": name} for name in ("quick", "paper,dropout=0.1", "paper,bf16=false"))
    for typed in ({"temperature": "0.05"}, {"seed": "7"}, *recipes):
        assert not any(entry.state for entry in make_plan(wanted_list.cells(typed), "none", [tmp_path / "records"]))


@pytest.mark.parametrize(("name", "count"), [("ablation-debian", 16), ("seeds-debian", 12)])
def test_the_trainings_that_come_with_the_book_are_those_of_their_list(name, count):
    plan = make_plan(load_list(ROOT / f"runs/{name}.toml").cells({}), "none", [ROOT / "book/records"])
    assert len(plan) == count
    assert all(entry.state.startswith("recorded") for entry in plan)


def test_the_trained_tables_take_the_recipe_of_the_paper_and_train_each_language_alone():
    rates = {}
    for cell in load_list(ROOT / "runs/tables-1-4-trained.toml").cells({}):
        (record,) = wanted(cell)
        facts = dict(record.facts)
        rates[cell.model] = facts.pop("learning_rate")
        assert len(facts["train_languages"]) == 1
        expected = asdict(RECIPES["paper"]) | {"losses": ["jsd", "nce"]}
        del expected["learning_rate"], expected["bf16"]  # that of the model; whatever the hardware does
        assert facts.items() >= expected.items()
    assert {name: rates[name] for name in ("bge-m3", "jina-embeddings-v3")} == {
        "bge-m3": 4e-6,
        "jina-embeddings-v3": 3e-5,
    }


def test_parameters_of_one_table_change_together(written):
    cells = load_list(written(TRAINING)).cells({"device": "cpu"})
    changes = [dict(cell.changes) for cell in cells]
    assert [(row["losses"], row["train_languages"], row["eval_languages"]) for row in changes] == [
        ("jsd", "zh", "zh"),
        ("jsd", "es", "es"),
        ("nce", "zh", "zh"),
        ("nce", "es", "es"),
    ]
    assert {row["device"] for row in changes} == {"cpu"}
    assert cells[3].name == "04_finetune_alignment.LaBSE.mini.nce_es"


def test_other_models_may_take_the_place_of_those_on_the_list(written):
    wanted = load_list(written(WORDS)).only(["control-ngram-hash"], [])
    assert [(cell.model, cell.dataset) for cell in wanted.cells({})] == [
        ("control-ngram-hash", "everyday"),
        ("control-ngram-hash", "culture"),
    ]


def test_what_a_list_gives_for_one_model_stays_with_it(written):
    text = TRAINING.replace('models = ["LaBSE"]', "")
    text += '[[each]]\nmodel = ["LaBSE", "bge-m3"]\nlearning_rate = [1e-5, 2e-5]'
    wanted = load_list(written(text))
    rates = {(cell.model, dict(cell.changes)["learning_rate"]) for cell in wanted.cells({})}
    assert rates == {("LaBSE", 1e-5), ("bge-m3", 2e-5)}
    assert {dict(cell.changes)["learning_rate"] for cell in wanted.only(["bge-m3"], []).cells({})} == {2e-5}
    others = wanted.only(["multilingual-e5-small-q4"], []).cells({})
    assert [cell.name.rsplit(".", 1)[1] for cell in others] == ["jsd_zh", "jsd_es", "nce_zh", "nce_es"]
    assert not any("learning_rate" in dict(cell.changes) for cell in others)
    with pytest.raises(XlError, match="E5-Large is not on the list, which has LaBSE, bge-m3; run it by itself"):
        wanted.only(["LaBSE", "E5-Large"], [])


def test_a_missing_list_names_those_that_there_are():
    with pytest.raises(XlError, match=r"tables-9.toml: there is no such run list; there are .*concepts.toml"):
        load_list(ROOT / "runs/tables-9.toml")


def test_a_record_is_found_by_what_it_says(tmp_path, written):
    encoder = load_model("control-random")
    words = study_affinity(encoder, load_lexicon("culture", ["en", "zh"]))
    write_record(tmp_path / "records", words.record(seed=42), words.items())
    cells = load_list(written(WORDS)).cells({})
    plan = {entry.cell.name.split(".", 1)[1]: entry for entry in make_plan(cells, "none", [tmp_path / "records"])}
    assert plan["control-random.culture"].state.startswith("recorded 20")
    assert plan["control-random.culture"].seconds is not None
    assert [name for name, entry in plan.items() if entry.state] == ["control-random.culture"]
    others = load_list(written(WORDS)).cells({"seed": "7"}), load_list(written(WORDS)).cells({"languages": "en,ru"})
    for cells in others:
        assert not any(entry.state for entry in make_plan(cells, "none", [tmp_path / "records"]))


@pytest.mark.parametrize(
    ("chapter", "model", "dataset", "languages", "expected"),
    [
        ("2", "control-random", "everyday", "zh", []),
        ("2", "LaBSE", "everyday", "zh", ["the hub"]),
        ("2", "OpenAI-3-small", "everyday", "zh", ["OPENAI_API_KEY"]),
        ("3", "control-random", "mini", "zh", []),
        ("3", "control-random", "xquad", "zh", ["the questions of xquad"]),
        ("3", "control-random", "debian", "zh", ["the questions of debian"]),
    ],
)
def test_what_is_missing_is_named(written, chapter, model, dataset, languages, expected):
    text = f'title = "t"\nsource = "s"\nchapter = "{chapter}"\nmodels = ["{model}"]\ndatasets = ["{dataset}"]\n'
    languages = "en," * (chapter == "2") + languages
    (cell,) = load_list(written(text)).cells({"languages": languages})
    assert [need.what for need in lacks(cell)] == expected


def test_data_that_lack_a_language_are_missing(written, tmp_path, monkeypatch):
    (tmp_path / "xquad").mkdir()
    for code in ("en", "zh"):
        (tmp_path / f"xquad/xquad.{code}.json").write_text("{}")
    monkeypatch.setenv("XL_DATA", str(tmp_path))
    text = 'title = "t"\nsource = "s"\nchapter = "3"\nmodels = ["control-random"]\ndatasets = ["xquad"]\n'
    wanted = load_list(written(text))
    for languages, expected in (("zh", []), ("zh,el", ["xquad has no language el; it has en, zh"])):
        (cell,) = wanted.cells({"languages": languages})
        assert [need.lack for need in lacks(cell)] == expected


@pytest.mark.slow
def test_a_list_of_the_paper_with_models_at_hand_is_killed_and_continues_to_its_tables(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    models, places = ("control-random", "use-multilingual-v3"), [tmp_path / "out", tmp_path / "records"]
    options = ["sweep", "runs/tables-1-4.toml", "--models", ",".join(models), "--datasets", "mini", "--workers", "1"]
    options += ["-p", "languages=zh", "--out", str(places[0]), "--records", str(places[1])]
    command = [sys.executable, "-c", "from xlutils.cli import main; main()", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    while not list(places[0].glob("*.json")):
        assert process.poll() is None
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    first = {path: path.stat().st_mtime_ns for path in [*places[0].glob("*"), *find_records(places[1])]}
    assert len(find_records(places[1], "mixed-retrieval")) == 1
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 0, result.output
    assert "2 cells: 1 done, 1 can run here, 0 cannot" in result.output
    assert {path: path.stat().st_mtime_ns for path in first} == first
    assert sorted(path.parent.name for path in find_records(places[1], "mixed-retrieval")) == sorted(models)
    assert not list(tmp_path.rglob("*.part"))
    table = pd.read_csv(places[1] / "tables/tables-1-4.mixed.csv", header=[0, 1, 2], index_col=[0, 1, 2, 3])
    ranks = table["mini", "Max@R", "Base"].xs("measured", level="source").str.split().str[0].astype(float)
    assert set(ranks.index.get_level_values("model")) == set(models)
    assert ranks["use-multilingual-v3"].max() < ranks["control-random"].min()


@pytest.mark.slow
def test_a_list_of_trainings_runs_to_its_end(tmp_path, monkeypatch, trainable):
    monkeypatch.chdir(ROOT)
    options = ["sweep", "runs/figure-1.toml", "--models", str(trainable), "--datasets", "mini"]
    options += ["-p", "train_data=mini", "--out", str(tmp_path / "out"), "--records", str(tmp_path / "records")]
    for expected in ("1 cells: 0 done, 1 can run here, 0 cannot", "1 cells: 1 done, 0 can run here, 0 cannot"):
        result = CliRunner().invoke(main, options)
        assert result.exit_code == 0, result.output
        assert expected in result.output
    names = [path.name for path in find_records(tmp_path / "records", "finetune")]
    assert names == [f"mini-held-out.{loss}.zh.seed-42.paper.json" for loss in ("jsd+nce", "nce")]


def test_the_atlas_takes_words_or_sentences_and_finds_its_records(written, tmp_path):
    text = 'title = "t"\nsource = "s"\nchapter = "5"\nmodels = ["LaBSE"]\nlanguages = "en,de"\n'
    names = [cell.name for cell in load_list(written(text + 'datasets = ["cldr", "udhr"]')).cells({})]
    assert names == ["05_language_atlas.LaBSE.cldr", "05_language_atlas.LaBSE.udhr"]
    with pytest.raises(XlError, match="datasets: chapter 5 takes words or sentences, and xquad is not"):
        load_list(written(text + 'datasets = ["xquad"]'))
    with pytest.raises(XlError, match="chapter 3 takes questions, and udhr is not questions"):
        load_list(written(text.replace('"5"', '"3"').replace("en,de", "de") + 'datasets = ["udhr"]'))

    path = written(text.replace("LaBSE", "control-ngram-hash").replace("en,de", "en,de,fr") + 'datasets = ["udhr"]')
    data = load_texts("udhr", ["en", "de", "fr"])
    study = study_atlas(load_model("control-ngram-hash"), data, all_languages=False, items=400)
    write_record(tmp_path / "records", study.record(), study.items)
    (cell,) = load_list(path).cells({})
    assert [content["dataset"]["name"] for content in find_recorded(cell, [tmp_path / "records"])] == ["udhr"]
    for other in ({"pivot": "de"}, {"items": "20"}, {"sample": "20"}, {"languages": "all"}):
        (cell,) = load_list(path).cells(other)
        assert find_recorded(cell, [tmp_path / "records"]) == []
