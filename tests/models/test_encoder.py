import itertools

import numpy as np
import pytest

from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.models.encoder import Encoder

_numbers = itertools.count()  # each encoder a store of its own


class Scripted:
    """A backend that does what a test tells it to, two texts at a time."""

    dim = 3

    def __init__(self, embed):
        self.function = embed
        self.seen = []

    def embed(self, texts, prompt, task):
        for start in range(0, len(texts), 2):
            chunk = list(texts[start : start + 2])
            self.seen += [prompt + text for text in chunk]
            yield list(range(start, start + len(chunk))), np.array([self.function(text) for text in chunk], float)


def encoder_of(embed, **options):
    return Encoder("test", f"test/{next(_numbers)}", "1", Scripted(embed), **options)


def by_length(text):
    return [len(text), 1, 0]


def test_rows_in_order_of_unit_length_and_float32():
    encoder = encoder_of(by_length)
    texts = ["ccc", "a", "bb", "a"]
    vectors = encoder.encode(texts)
    assert vectors.dtype == np.float32
    assert vectors.shape == (4, encoder.dim)
    expected = np.array([by_length(text) for text in texts], float)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(vectors, expected, atol=1e-7)
    assert np.array_equal(vectors[1], vectors[3])


def test_each_distinct_text_is_computed_once_and_then_stored():
    encoder = encoder_of(by_length)
    encoder.encode(["a", "b", "a"])
    encoder.encode(["b", "c"])
    assert encoder.backend.seen == ["a", "b", "c"]


def test_roles_have_their_prompt_and_their_own_store():
    encoder = encoder_of(by_length, prompts={"query": "query: "})
    encoder.encode(["a"], role="query")
    encoder.encode(["a"], role="passage")
    assert encoder.backend.seen == ["query: a", "a"]


def test_nothing_to_encode():
    assert encoder_of(by_length).encode([]).shape == (0, 3)


def test_the_fingerprint_tells_settings_apart():
    def make(**changes):
        return Encoder(**{"name": "n", "source": "s", "revision": "1", "backend": Scripted(by_length), **changes})

    variants = [make(), make(revision="2"), make(settings={"dtype": "bfloat16"}), make(prompts={"query": "q: "})]
    variants += [make(source="t"), make(tasks={"word": "similarity"})]
    assert len({variant.fingerprint for variant in variants}) == len(variants)
    assert make().fingerprint == make(name="another name").fingerprint


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", r"\[text\]"),
        (["a", ""], "text 1 is empty"),
        (["a", " \n"], "text 1 is empty"),
        ([None], "text 0 is None"),
        (["a\x00b"], "NUL"),
        (["\ud83d"], "surrogate"),
    ],
)
def test_texts_that_are_none(texts, message):
    with pytest.raises(XlError, match=message):
        encoder_of(by_length).encode(texts)


def test_an_unknown_role():
    with pytest.raises(XlError, match="did you mean query"):
        encoder_of(by_length).encode(["a"], role="querry")


@pytest.mark.parametrize(
    ("vector", "message"),
    [([0, 0, 0], "a zero vector"), ([1, np.nan, 0], "NaN"), ([np.inf, 0, 0], "NaN or infinity"), ([1, 2], "expected")],
)
def test_vectors_that_are_none(vector, message):
    encoder = encoder_of(lambda text: vector if text in ("bad", "worse") else [1, 2, 3][: len(vector)])
    with pytest.raises(XlError, match=message) as caught:
        encoder.encode(["bad", "worse"])
    assert "\n" not in str(caught.value)


def test_what_came_before_a_failure_is_stored():
    def embed(text):
        if text == "c":
            raise ConnectionError
        return by_length(text)

    encoder = encoder_of(embed)
    with pytest.raises(ConnectionError):
        encoder.encode(["a", "b", "c", "d"])
    encoder.backend.function = by_length
    encoder.backend.seen.clear()
    encoder.encode(["a", "b", "c", "d"])
    assert encoder.backend.seen == ["c", "d"]


def test_controls_know_no_meaning_but_are_steady():
    random = load_model("control-random")
    first = random.encode(["water", "agua", "house"], role="word")
    again = load_model("control-random", cached=False).encode(["house", "water", "agua"], role="word")
    assert np.array_equal(first, again[[1, 2, 0]])
    assert np.abs(first @ first.T - np.eye(3)).max() < 0.2
    ngram = load_model("control-ngram-hash").encode(["water", "waters", "house"], role="word")
    assert ngram[0] @ ngram[1] > 0.6 > 0.3 > ngram[0] @ ngram[2]


def test_a_text_without_a_word_character_still_has_a_vector():
    assert np.allclose(np.linalg.norm(load_model("control-ngram-hash").encode(["?", "。"]), axis=1), 1)
