import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlutils.models.batching import embed_halving, plan_batches

texts_with_lengths = st.dictionaries(st.text(max_size=5), st.integers(0, 60), max_size=40)


@given(texts_with_lengths, st.integers(1, 200), st.integers(1, 9))
def test_every_text_once_and_within_the_budget(lengths, budget, most):
    batches = plan_batches(list(lengths), list(lengths.values()), budget, most)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        padded = max(list(lengths.values())[position] for position in batch) * len(batch)
        assert len(batch) == 1 or (padded <= budget and len(batch) <= most)


@given(texts_with_lengths)
def test_a_batch_that_is_an_eighth_full_takes_texts_of_similar_length(lengths):
    sizes = list(lengths.values())
    for batch in plan_batches(list(lengths), sizes, 160, 40):
        longest = max(sizes[position] for position in batch)
        for place, position in enumerate(batch):
            assert place * longest < 20 or sizes[position] >= 0.8 * longest


@given(texts_with_lengths, st.randoms(use_true_random=False))
def test_the_order_of_the_texts_does_not_matter(lengths, dice):
    def plan(items):
        batches = plan_batches([text for text, _ in items], [length for _, length in items], 100, 4)
        return [[items[position][0] for position in batch] for batch in batches]

    shuffled = list(lengths.items())
    dice.shuffle(shuffled)
    assert plan(list(lengths.items())) == plan(shuffled)


@given(texts_with_lengths, st.integers(0, 10))
def test_an_interrupted_plan_goes_on_with_the_same_batches(lengths, done):
    texts = list(lengths)
    batches = plan_batches(texts, list(lengths.values()), 100, 4)
    rest = sorted(position for batch in batches[done:] for position in batch)
    again = plan_batches([texts[i] for i in rest], [lengths[texts[i]] for i in rest], 100, 4)
    assert [[rest[position] for position in batch] for batch in again] == batches[done:]


@given(st.lists(st.text(), min_size=1, max_size=30), st.integers(1, 30))
def test_halving_finds_what_fits(texts, fits):
    calls = []

    def embed(chunk):
        calls.append(len(chunk))
        if len(chunk) > fits:
            raise RuntimeError("CUDA out of memory. Tried to allocate 3 GiB")
        return np.array([[len(text)] for text in chunk])

    parts = list(embed_halving(embed, texts))
    assert [offset for offset, _ in parts] == list(np.cumsum([0] + [len(vectors) for _, vectors in parts])[:-1])
    assert np.concatenate([vectors for _, vectors in parts])[:, 0].tolist() == [len(text) for text in texts]


@pytest.mark.parametrize(
    ("error", "texts"),
    [(RuntimeError("shape mismatch"), ["a", "b"]), (MemoryError(), ["a"]), (ValueError("out of memory"), ["a", "b"])],
)
def test_what_halving_cannot_mend_is_raised(error, texts):
    def embed(chunk):
        raise error

    with pytest.raises(type(error)):
        list(embed_halving(embed, texts))
