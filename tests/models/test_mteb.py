import numpy as np
import pytest

from xlutils import load_model
from xlutils.errors import XlError

pytest.importorskip("mteb")
NAME = "mteb/mteb/baseline-random-encoder"  # mteb's own control, which needs no download


@pytest.fixture(scope="module")
def model():
    return load_model(NAME, cached=False)


def test_a_model_of_mteb_is_an_encoder_like_any_other(model, capfd):
    vectors = model.encode([f"text {number}" for number in range(40)], role="query")
    assert vectors.shape == (40, model.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(vectors[35:36], model.encode(["text 35"], role="query"), atol=1e-6)
    assert (model.name, model.revision) == (NAME, "2")
    assert capfd.readouterr().err == ""  # mteb's own progress bars are silenced


def test_roles_reach_mteb(model, monkeypatch):
    roles = []
    encode = model.backend.model.encode

    def listen(*texts, **options):
        roles.append(options["prompt_type"])
        return encode(*texts, **options)

    monkeypatch.setattr(model.backend.model, "encode", listen)
    for role in ("query", "passage", "word"):
        model.encode(["text"], role=role)
    assert [role and role.value for role in roles] == ["query", "document", None]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mteb/nobody/nothing", "mteb does not know the model nobody/nothing"),
        ("mteb/jinaai/jina-embeddings-v3", "XL_TRUST_REMOTE_CODE=mteb/jinaai/jina-embeddings-v3"),
        ("mteb/intfloat/multilingual-e5-small", "mteb cannot load intfloat/multilingual-e5-small"),
    ],
)
def test_a_model_that_could_not_be_loaded_is_one_clear_line(name, message):
    with pytest.raises(XlError, match=message) as caught:
        load_model(name)
    assert "\n" not in str(caught.value)
