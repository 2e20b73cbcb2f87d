import numpy as np
import pytest

from xlutils import load_model
from xlutils.errors import XlError

pytest.importorskip("mteb")
NAME = "mteb/mteb/baseline-random-encoder"  # mteb's own control, which needs no download


@pytest.fixture(scope="module")
def model():
    return load_model(NAME, cached=False)


def test_a_model_of_mteb_is_an_encoder_like_any_other(model):
    vectors = model.encode(["one", "two", "one"] * 30, role="query")
    assert vectors.shape == (90, model.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(vectors[0], vectors[2])
    assert abs(vectors[0] @ vectors[1]) < 0.99
    assert (model.name, model.revision) == (NAME, "2")


def test_roles_reach_mteb(model, monkeypatch):
    asked = []
    encode = model.backend.model.encode

    def listen(*texts, **options):
        asked.append(options["prompt_type"])
        return encode(*texts, **options)

    monkeypatch.setattr(model.backend.model, "encode", listen)
    for role in ("query", "passage", "word"):
        model.encode(["text"], role=role)
    assert [role and role.value for role in asked] == ["query", "document", None]


def test_it_shows_no_bar_of_its_own(model, capfd):
    model.encode(["text"])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mteb/nobody/nothing", "mteb knows no model nobody/nothing"),
        ("mteb/jinaai/jina-embeddings-v3", "XL_TRUST_REMOTE_CODE=mteb/jinaai/jina-embeddings-v3"),
        ("mteb/intfloat/multilingual-e5-small", "mteb cannot load intfloat/multilingual-e5-small"),
    ],
)
def test_what_cannot_be_had_gets_one_line(name, says):
    with pytest.raises(XlError, match=says) as caught:
        load_model(name)
    assert "\n" not in str(caught.value)
