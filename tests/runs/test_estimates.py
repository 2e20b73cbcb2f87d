import pytest

from xlutils.datasets import load_parallel
from xlutils.models import load_model
from xlutils.runs import estimates
from xlutils.runs.sweep import make_cells


def cell_of(model, chapter="3", datasets=(), **given):
    return make_cells([model], [chapter], list(datasets), given)[0]


@pytest.mark.slow
def test_tokens_are_of_the_right_size():
    """The guess from the number of characters, held against the tokenizer of a bundled model."""
    tokenizer = load_model("multilingual-e5-small-q4").backend.model.tokenizer
    languages = ["en", "zh", "es", "ar", "th", "de", "ru"]
    data = load_parallel("mini", languages)
    texts = [text for side in (data.queries, data.passages) for code in languages for text in side[code]]
    exact = sum(len(tokenizer(text)["input_ids"]) for text in texts)
    assert exact / 1.5 < estimates.tokens_of(cell_of("LaBSE")) < exact * 1.5


def test_larger_models_take_more(monkeypatch):
    monkeypatch.setattr(estimates, "_speed", lambda: 1e11)
    small, large = (estimates.estimate(cell_of(name)) for name in ("multilingual-e5-small", "bge-m3"))
    assert large.seconds > 2 * small.seconds
    assert large.memory_gb > small.memory_gb > 1
    assert large.download_gb == pytest.approx(568_000_000 * 4 / 1e9)
    more = estimates.estimate(cell_of("bge-m3", languages="zh"))
    assert more.seconds < large.seconds  # fewer languages, fewer texts


@pytest.mark.parametrize("name", ["use-multilingual-v3", "control-random", "OpenAI-3-small"])
def test_what_needs_no_download(name):
    assert estimates.estimate(cell_of(name)).download_gb == 0


def test_a_folder_needs_no_download(tmp_path):
    assert estimates.estimate(cell_of(str(tmp_path))).download_gb == 0
    assert estimates.estimate(cell_of("org/unknown")).download_gb > 0.5


@pytest.mark.parametrize("name", ["mteb/intfloat/multilingual-e5-small", "folders/of/workers"])
def test_names_that_the_hub_does_not_know_have_an_estimate(name):
    assert estimates.estimate(cell_of(name)).seconds > 0


def test_data_that_are_not_here_leave_the_rest_of_the_estimate():
    cell = cell_of("bge-m3", datasets=["xquad"])
    assert estimates.tokens_of(cell) == 0
    assert estimates.estimate(cell).memory_gb > 2


def test_training_takes_longer_than_measuring(monkeypatch):
    monkeypatch.setattr(estimates, "_speed", lambda: 1e11)
    name = "multilingual-e5-small-q4"
    two = {"losses": "jsd+nce+keep,jsd+nce", "epochs": "0.75", "eval_languages": "zh,es,ar,th,de,ru"}
    assert estimates.estimate(cell_of(name, "4", **two)).seconds > 3 * estimates.estimate(cell_of(name, "3")).seconds
    assert estimates.estimate(cell_of(name, "4")).seconds > estimates.estimate(cell_of(name, "3")).seconds


@pytest.mark.parametrize(("gigabytes", "cores", "expected"), [(1, 8, 1), (15, 8, 3), (20, 2, 2), (500, 8, 4)])
def test_as_many_workers_as_fit(monkeypatch, gigabytes, cores, expected):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("memory", (), {"available": gigabytes * 1e9}))
    monkeypatch.setattr(estimates.os, "cpu_count", lambda: cores)
    cells = make_cells(["bge-m3", "LaBSE", "control-random", "use-multilingual-v3"], ["1"], [], {})
    assert estimates.fitting_workers(cells) == expected
