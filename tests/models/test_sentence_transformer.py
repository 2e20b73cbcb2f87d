"""Models that sentence-transformers loads: from a folder, and from a cache of the hub."""

import json
import shutil

import numpy as np
import pytest

from xlutils.errors import XlError
from xlutils.models import CATALOGUE, load_model
from xlutils.models.weights import folder_hash

TEXTS = ["the black cat.", "黑猫", "house", "the cat the cat the cat the cat"]


@pytest.fixture
def hub_cache(tiny, tmp_path, monkeypatch):
    """A hub cache that holds the tiny model under the name and revision of a catalogue row."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))

    def add(name):
        card = CATALOGUE[name]
        revision = card.revision or "0" * 40
        repo = tmp_path / f"models--{card.source.replace('/', '--')}"
        shutil.copytree(tiny, repo / "snapshots" / revision)
        (repo / "refs").mkdir()
        (repo / "refs/main").write_text(revision)
        return revision

    return add


def test_a_folder_is_encoded_as_sentence_transformers_does(tiny):
    from sentence_transformers import SentenceTransformer

    model = load_model(str(tiny), cached=False)
    assert (model.name, model.dim) == (f"tiny-bert@{folder_hash(tiny)[:6]}", 32)
    assert model.revision == folder_hash(tiny)
    expected = SentenceTransformer(str(tiny), device="cpu").encode(TEXTS, normalize_embeddings=True)
    assert np.allclose(model.encode(TEXTS[::-1])[::-1], expected, atol=1e-6)


def test_a_folder_cannot_pose_as_a_model_of_the_catalogue(tiny, tmp_path, monkeypatch):
    shutil.copytree(tiny, tmp_path / "LaBSE")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(XlError, match="cannot get model sentence-transformers/LaBSE"):
        load_model("LaBSE")
    assert load_model("./LaBSE").source == f"LaBSE@{folder_hash(tiny)[:6]}"  # and no path of this machine


def test_a_folder_brings_its_own_prompts(tiny, tmp_path):
    copy = shutil.copytree(tiny, tmp_path / "with-prompts")
    settings = json.loads((copy / "config_sentence_transformers.json").read_text())
    settings["prompts"] = {"query": "query : ", "document": "passage : "}
    (copy / "config_sentence_transformers.json").write_text(json.dumps(settings))
    model = load_model(str(copy), cached=False)
    plain = load_model(str(tiny), cached=False)
    assert np.allclose(model.encode(["cat"], "query"), plain.encode(["query : cat"]), atol=1e-6)
    assert np.allclose(model.encode(["cat"], "passage"), plain.encode(["passage : cat"]), atol=1e-6)
    assert np.allclose(model.encode(["cat"], "word"), plain.encode(["cat"]), atol=1e-6)


def test_a_changed_folder_is_another_revision(tiny, tmp_path):
    copy = shutil.copytree(tiny, tmp_path / "tiny-bert")
    assert folder_hash(copy) == folder_hash(tiny)
    (copy / "README.md").write_text("another card")
    assert folder_hash(copy) == folder_hash(tiny)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0?")
    assert folder_hash(copy) != folder_hash(tiny)
    assert load_model(str(copy)).fingerprint != load_model(str(tiny)).fingerprint


@pytest.mark.parametrize("name", ["multilingual-e5-base", "mBERT"])
def test_a_catalogue_model_comes_from_the_hubs_cache_at_its_revision(hub_cache, tiny, name):
    revision = hub_cache(name)
    model = load_model(name, cached=False)
    assert (model.name, model.source, model.revision) == (name, CATALOGUE[name].source, revision)
    prompt = CATALOGUE[name].prompts.get("query", "")
    plain = load_model(str(tiny), cached=False)
    assert np.allclose(model.encode(TEXTS, "query"), plain.encode([prompt + text for text in TEXTS]), atol=1e-6)


def test_another_revision_in_the_cache_is_not_used(hub_cache, tmp_path):
    hub_cache("LaBSE")
    snapshots = next(tmp_path.rglob("snapshots"))
    next(snapshots.iterdir()).rename(snapshots / ("f" * 40))
    with pytest.raises(XlError, match="cannot get model sentence-transformers/LaBSE"):
        load_model("LaBSE")


def test_no_network_is_one_clear_line():
    with pytest.raises(XlError, match="give a local folder") as caught:
        load_model("somebody/a-model-nobody-has")
    assert "\n" not in str(caught.value)


def test_long_texts_are_cut_at_the_limit(tiny):
    model = load_model(str(tiny), max_length=4, cached=False)  # [CLS] the cat [SEP]
    assert np.allclose(*model.encode(["the cat", "the cat house ."]), atol=1e-6)
    whole = load_model(str(tiny), cached=False)
    assert not np.allclose(*whole.encode(["the cat", "the cat house ."]), atol=1e-3)


def test_settings_that_change_vectors_change_the_fingerprint(tiny):
    prints = {
        load_model(str(tiny), **options).fingerprint for options in ({}, {"max_length": 8}, {"dtype": "bfloat16"})
    }
    assert len(prints) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [({"device": "cuda:7"}, "not available"), ({"device": "tpu"}, "not available"), ({"dtype": "int3"}, "not one of")],
)
def test_bad_options_are_one_clear_line(tiny, options, message):
    with pytest.raises(XlError, match=message):
        load_model(str(tiny), **options)


def test_a_folder_that_is_not_a_model_is_one_clear_line(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "nonsense"}))
    with pytest.raises(XlError, match="is not a whole sentence-transformers model"):
        load_model(str(tmp_path))


def test_code_in_a_folder_runs_only_when_allowed(tiny, tmp_path, monkeypatch):
    """A model that brings its own code is refused, and the code is not run."""
    copy = shutil.copytree(tiny, tmp_path / "with-code")
    config = json.loads((copy / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "evil.Evil", "AutoConfig": "evil.EvilConfig"}
    config["model_type"] = "evil"
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass EvilConfig: pass\nclass Evil: pass\n")
    with pytest.raises(XlError, match="trust_remote_code=True"):
        load_model(str(copy))
    assert not (tmp_path / "ran").exists()
    monkeypatch.setenv("XL_TRUST_REMOTE_CODE", str(copy))
    with pytest.raises(XlError, match="'EvilConfig'"):  # its code has run, and is no model
        load_model(str(copy))
    assert (tmp_path / "ran").exists()


def test_out_of_memory_halves_the_batch(tiny, monkeypatch):
    model = load_model(str(tiny), cached=False)
    expected = model.encode(TEXTS)
    encode, sizes = model.backend.model.encode, []

    def short_of_memory(texts, **options):
        sizes.append(len(texts))
        if len(texts) > 1:
            raise RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
            )
        return encode(texts, **options)

    monkeypatch.setattr(model.backend.model, "encode", short_of_memory)
    assert np.allclose(model.encode(TEXTS), expected, atol=1e-6)
    assert sizes == [4, 2, 1, 1, 2, 1, 1]
