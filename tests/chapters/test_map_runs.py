"""What the page of chapter 7 runs by itself, and what the shipped records are made of."""

import hashlib

import numpy as np
import pytest
from planted_names import name, noisy, random_turn, random_units

from xlutils.chapters.map_runs import run_maps
from xlutils.errors import XlError
from xlutils.models.encoder import Encoder
from xlutils.results.check import check_records
from xlutils.results.record import read_record

COUNT, DIM = 150, 8  # a hundred to fit on
CODES = ("en", "de", "sw")


class Reader:
    """Gives names their planted vectors, and any other text one that depends on its spelling."""

    dim = DIM

    def __init__(self, vectors):
        self.vectors = vectors

    def vector(self, text):
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
        return self.vectors.get(text, random_units(seed, 1, DIM)[0])

    def embed(self, texts, prompt, task):
        yield list(range(len(texts))), np.stack([self.vector(text) for text in texts])


def load(model):
    if model == "missing":
        raise XlError("model missing could not be loaded")
    meaning = random_units(0, COUNT, DIM) @ random_turn(len(model), DIM)
    spaces = {"en": meaning, "de": noisy(meaning, 2, 0.3) @ random_turn(3, DIM), "sw": random_units(4, COUNT, DIM)}
    vectors = {name(code, row): space[row] for code, space in spaces.items() for row in range(COUNT)}
    return Encoder(model, "test", "1", Reader(vectors), cached=False)


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory):
    path = tmp_path_factory.mktemp("names") / "mine.csv"
    lines = [",".join([str(row), *(name(code, row) for code in CODES)]) for row in range(COUNT)]
    path.write_text("\n".join([",".join(["concept", *CODES]), *lines]), encoding="utf-8")
    return str(path)


def test_the_page_maps_languages_within_each_model_and_all_models_onto_each_other(lexicon, tmp_path):
    models = ["one", "missing", "another"]
    studies, spaces, failures, paths = run_maps(models, lexicon, load, tmp_path, languages=["en", "de"])
    assert list(studies) == ["one", "another"]
    assert failures == {"missing": "model missing could not be loaded"}
    assert list(spaces) == [("one", "another"), ("another", "one")]
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "maps/one/mine.live.json",
        "maps/another/mine.live.json",
        "map-spaces/one/mine.onto-another.live.json",
        "map-spaces/another/mine.onto-one.live.json",
    ]
    assert check_records(tmp_path) == 4
    record = read_record(paths[0])
    assert (record["params"]["mapped"], record["params"]["draws"]) == (["de"], 1)
    states = record["metrics"][record["metrics"]["metric"] == "accuracy"]["state"]
    ways = ("centred", "procrustes", "ridge-shrunk")
    assert list(states) == ["", *(f"{way}, {size} pairs" for way in ways for size in (5, 100))]  # it has no 500
    assert "antonyms" in set(record["metrics"]["metric"])  # of the relations that ship with the package


def test_models_may_be_mapped_onto_others_that_are_not_measured(lexicon, tmp_path):
    studies, spaces, _, _ = run_maps(["one"], lexicon, load, tmp_path, languages=["sw"], onto=["one", "another"])
    assert list(studies) == ["one"]
    assert list(spaces) == [("one", "another")]
    assert spaces["one", "another"].params["target"]["name"] == "another"


def test_everything_has_corrections_and_supervision_too(lexicon, tmp_path):
    *_, paths = run_maps(["one"], lexicon, load, tmp_path, languages=["de"], full=True)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "maps/one/mine.json",
        "map-corrections/one/mine.json",
        "map-supervision/one/mine.json",
    ]  # pairs of thirty languages need the names of cldr
    assert check_records(tmp_path) == 3
    params = [read_record(path)["params"] for path in paths]
    assert all(given["everything"] and given["draws"] == 5 for given in params)
    assert list(params[2]["sentences"]) == ["udhr"]


def test_bad_input_is_one_line(lexicon, tmp_path):
    with pytest.raises(XlError, match="^no model could be measured: model missing could not be loaded$"):
        run_maps(["missing"], lexicon, load, tmp_path, languages=["de"])
    with pytest.raises(XlError, match="^mine has no language fr; it has en, de, sw$"):
        run_maps(["one"], lexicon, load, tmp_path, languages=["fr"])
    with pytest.raises(XlError, match="^languages: name one besides the pivot en$"):
        run_maps(["one"], lexicon, load, tmp_path, languages=["en"])
