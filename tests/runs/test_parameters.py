from dataclasses import replace

import pytest

from xlutils.errors import XlError
from xlutils.runs.parameters import (
    AffinityParameters,
    AtlasParameters,
    FinetuneParameters,
    ProductionParameters,
    TourParameters,
)
from xlutils.training.recipe import RECIPES

GOOD = {
    "models": "use-multilingual-v3, LaBSE",
    "languages": "en,Chinese",
    "concepts": "water,sun",
    "records_dir": "records",
    "seed": 1,
    "device": "auto",
}


def test_good_values_are_taken_apart():
    chosen = TourParameters.check({**GOOD, "_private": 3, "a_module": pytest})
    assert chosen.models == ("use-multilingual-v3", "LaBSE")
    assert chosen.languages == ("en", "zh")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modles": "LaBSE"}, "unknown parameter 'modles'; did you mean models"),
        ({"models": "LaBES"}, "did you mean LaBSE"),
        ({"models": "LaBSE,sentence-transformers/LaBSE"}, "parameter models: LaBSE is given twice"),
        ({"models": ""}, "parameter models: got nothing"),
        ({"models": 3}, "parameter models: got 3; give names separated by commas"),
        ({"languages": "en,xx"}, "unknown language 'xx'"),
        ({"languages": False}, "parameter languages: got False; quote it"),
        ({"languages": "en"}, "parameter languages: "),
        ({"seed": "abc"}, "parameter seed: input should be a valid integer"),
        ({"seed": True}, "parameter seed: input should be a valid integer"),
        ({"seed": -1}, "parameter seed: "),
        ({"device": "gpu"}, "parameter device: "),
        ({"records_dir": ""}, "parameter records_dir: "),
        ({"records_dir": "/proc/records"}, "records_dir: cannot write into /proc/records; give another folder"),
        ({"records_dir": __file__}, "records_dir: cannot write into .*; give another folder"),
        ({"concepts": "water,water"}, "parameter concepts: water is given twice"),
        ({"models": "a/" + "b" * 200}, "cannot be the name of a model: it is longer than 150"),
        ({"models": "a/\x07b"}, "cannot be the name of a model"),
    ],
)
def test_bad_values_are_one_line_that_names_the_parameter(changes, message):
    with pytest.raises(XlError, match=message) as caught:
        TourParameters.check({**GOOD, **changes})
    assert "\n" not in str(caught.value)


def test_a_notebook_can_be_run_again_from_the_top_and_a_misspelt_parameter_is_seen_at_first():
    namespace = {**GOOD, "__name__": "__main__", "concept": "water"}
    with pytest.raises(XlError, match="unknown parameter 'concept'; did you mean concepts"):
        TourParameters.check(namespace)
    namespace = {**GOOD, "__name__": "__main__"}
    first = TourParameters.check(namespace)
    assert TourParameters.check({**namespace, "count": 3, "seed": 7}).seed == 7
    assert TourParameters.check({**namespace, "count": 3}) == first


def test_a_missing_parameter():
    with pytest.raises(XlError, match="parameter seed: field required"):
        TourParameters.check({name: value for name, value in GOOD.items() if name != "seed"})


def test_a_benchmark_needs_two_languages_and_takes_several_datasets():
    given = {name: value for name, value in GOOD.items() if name != "concepts"}
    given |= {"datasets": "everyday, my.csv", "more_languages": "all"}
    chosen = AffinityParameters.check(given)
    assert chosen.datasets == ("everyday", "my.csv")
    assert chosen.more_languages is None
    with pytest.raises(XlError, match="parameter languages: "):
        AffinityParameters.check({**given, "languages": "zh"})


TRAINING = {
    "model": "multilingual-e5-small-q4",
    "train_data": "mini",
    "train_languages": "zh,de",
    "eval_dataset": "mini",
    "eval_languages": "zh,ar",
    "protocol": "unique",
    "k": 10,
    "recipe": "quick",
    "losses": "jsd+nce,nce",
    "temperature": 1,
    "jsd_weight": 1.0,
    "keep_weight": 1.0,
    "max_length": 96,
    "trained": "all",
    "epochs": 1,
    "batch_size": 32,
    "learning_rate": 2e-5,
    "save_to": "",
    "records_dir": "records",
    "seed": 1,
    "device": "cpu",
}


def test_losses_are_taken_apart():
    assert FinetuneParameters.check(TRAINING).losses == (("jsd", "nce"), ("nce",))
    given = {**TRAINING, "losses": "nce,nce-passage+keep,nce"}
    assert FinetuneParameters.check(given).losses == (("nce",), ("nce-passage", "keep"))


def test_what_is_not_given_comes_from_the_recipe():
    empty = {"temperature": 0.0, "jsd_weight": 0.0, "keep_weight": 0.0, "max_length": 0, "epochs": 0.0}
    empty |= {"batch_size": 0, "learning_rate": 0.0, "trained": "", "losses": "", "seed": 42}
    chosen = FinetuneParameters.check(TRAINING | empty | {"recipe": "paper", "model": "bge-m3"})
    assert chosen.training() == replace(RECIPES["paper"], learning_rate=4e-6)
    assert (chosen.losses, chosen.max_length, chosen.trained) == ((("jsd", "nce"),), None, "all")
    given = {"recipe": "paper,dropout=0,epochs=3", "epochs": 2.0, "losses": "nce", "trained": "biases"}
    changed = FinetuneParameters.check(TRAINING | empty | given).training()
    expected = replace(RECIPES["paper"], learning_rate=2e-5, dropout=0.0, epochs=2.0, losses=("nce",))
    assert changed == replace(expected, only_biases=True)


def test_one_folder_written_in_two_ways_is_one_model(tmp_path, monkeypatch):
    (tmp_path / "M").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(XlError, match="parameter models: .*M is given twice"):
        TourParameters.check({**GOOD, "models": "./M,M/"})


def test_folders_are_those_of_the_book_wherever_the_kernel_starts(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_config.yml").touch()
    monkeypatch.chdir(tmp_path)
    assert TourParameters.check(GOOD).records_dir == GOOD["records_dir"]
    monkeypatch.chdir("notebooks")
    assert TourParameters.check(GOOD).records_dir == str(tmp_path / GOOD["records_dir"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"losses": "jds"}, "unknown loss 'jds'; did you mean jsd"),
        ({"losses": "jsd+"}, "unknown loss ''"),
        ({"model": "LaBES"}, "did you mean LaBSE"),
        ({"model": ""}, "parameter model: got ''; give the name of a model"),
        ({"models": "LaBSE"}, "unknown parameter 'models'; did you mean model"),
        ({"learning_rate": 2}, "parameter learning_rate: "),
        *(({name: float("inf")}, f"parameter {name}: ") for name in ("epochs", "jsd_weight", "temperature")),
        ({"batch_size": 1}, "parameter batch_size: "),
        ({"recipe": "papr"}, "unknown recipe 'papr'; did you mean paper"),
        ({"recipe": "paper,warmup=2"}, "recipe: warmup: "),
    ],
)
def test_bad_values_of_a_training(changes, message):
    with pytest.raises(XlError, match=message):
        FinetuneParameters.check({**TRAINING, **changes})


def test_an_atlas_has_one_pivot_and_some_or_all_languages():
    given = {name: value for name, value in GOOD.items() if name != "concepts"}
    given |= {"dataset": "udhr", "pivot": "English", "items": 0, "sample": 9}
    chosen = AtlasParameters.check(given | {"languages": "all"})
    assert (chosen.pivot, chosen.languages) == ("en", None)
    with pytest.raises(XlError, match="parameter pivot: got 'en,fr'; give one language"):
        AtlasParameters.check(given | {"pivot": "en,fr"})


def test_a_gate_needs_a_base_and_a_candidate():
    good = {"models": "control-random,control-ngram-hash", "languages": "de", "margin": 0.02, "seed": 1}
    good |= {"records_dir": "records", "device": "auto"}
    assert ProductionParameters.check(good).models == ("control-random", "control-ngram-hash")
    for changes, message in (({"models": "control-random"}, "models"), ({"margin": 1.0}, "margin")):
        with pytest.raises(XlError, match=f"parameter {message}"):
            ProductionParameters.check(good | changes)
