import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax
from torch.testing import assert_close

from xlutils.errors import XlError
from xlutils.training.losses import EPSILON, AlignmentLoss, embed, info_nce, jensen_shannon
from xlutils.training.recipe import Recipe

ROWS = arrays(np.float64, (3, 5), elements=st.floats(-30, 30, width=32))


@given(ROWS, ROWS)
def test_jensen_shannon_against_scipy(a, b):
    """scipy gives the root of the divergence, in nats."""
    expected = np.sqrt(jensenshannon(softmax(a, axis=1), softmax(b, axis=1), axis=1) ** 2 + EPSILON)
    one, other = torch.tensor(a), torch.tensor(b)
    found = jensen_shannon(one, other).numpy()
    assert found == pytest.approx(np.nan_to_num(expected, nan=math.sqrt(EPSILON)), abs=3e-4)  # the root of rounding
    assert found == pytest.approx(jensen_shannon(other, one).numpy(), abs=1e-6)
    assert (found <= math.sqrt(math.log(2) + EPSILON) + 1e-6).all()


def test_jensen_shannon_by_hand():
    """Two distributions with nothing in common are as far apart as can be; equal ones are at the root of epsilon."""
    a, b = torch.tensor([[50.0, 0.0]]), torch.tensor([[0.0, 50.0]])
    assert jensen_shannon(a, b).item() == pytest.approx(math.sqrt(math.log(2)))
    assert jensen_shannon(a, a).item() == pytest.approx(math.sqrt(EPSILON))
    assert jensen_shannon(a, a + 7).item() == pytest.approx(math.sqrt(EPSILON))  # softmax minds no shift


def test_epsilon_is_added_under_the_root_or_to_it_as_printed():
    a, b = torch.randn(2, 5, 8, dtype=torch.float64)
    expected = jensenshannon(softmax(a.numpy(), axis=1), softmax(b.numpy(), axis=1), axis=1)
    assert jensen_shannon(a, b, 0.5, outside=True).numpy() == pytest.approx(expected + 0.5, abs=1e-5)
    assert jensen_shannon(a, b, 0.5).numpy() == pytest.approx(np.sqrt(expected**2 + 0.5), abs=1e-5)


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("scale", [0.0, 1e-4, 1.0, 1e3])
def test_the_gradient_is_finite_at_equality(scale, outside):
    vector = (scale * torch.randn(4, 8)).requires_grad_()
    jensen_shannon(vector, vector.detach().clone(), outside=outside).sum().backward()
    assert vector.grad.abs().max() < 1


def test_gradients_against_differences():
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(3, 6, generator=generator) for _ in range(2))
    for loss in (lambda x: jensen_shannon(x, b).mean(), lambda x: info_nce(x, b, 0.5)):
        point = a.clone().requires_grad_()
        loss(point).backward()
        for row, column in ((0, 0), (1, 3), (2, 5)):
            step = torch.zeros_like(a)
            step[row, column] = 1e-2
            slope = (loss(a + step) - loss(a - step)) / 2e-2
            assert point.grad[row, column].item() == pytest.approx(slope.item(), abs=2e-3)


def slow_info_nce(anchors, candidates, temperature, labels):
    """The formula, anchor by anchor."""

    def score(i, j):
        norm = np.linalg.norm(anchors[i]) * np.linalg.norm(candidates[j])
        return math.exp(anchors[i] @ candidates[j] / norm / temperature)

    losses = []
    for i in range(len(anchors)):
        negatives = sum(score(i, j) for j in range(len(candidates)) if j != i and labels[j] != labels[i])
        losses.append(-math.log(score(i, i) / (score(i, i) + negatives)))
    return np.mean(losses)


@given(st.integers(0, 2**16), st.floats(0.05, 2), st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_info_nce_against_the_formula(seed, temperature, labels):
    rng = np.random.default_rng(seed)
    anchors, candidates = rng.normal(size=(2, 5, 4))
    keys = torch.tensor(labels)
    found = info_nce(torch.tensor(anchors), torch.tensor(candidates), temperature, keys[:, None] == keys[None, :])
    assert found.item() == pytest.approx(slow_info_nce(anchors, candidates, temperature, labels), rel=1e-4, abs=1e-5)


def test_info_nce_by_hand():
    """Right candidate at cosine 1, wrong one at 0, temperature 1: log(1 + 1/e)."""
    vectors = torch.eye(2)
    assert info_nce(vectors, vectors, 1.0).item() == pytest.approx(math.log(1 + 1 / math.e))


def test_candidates_of_other_devices_are_negatives():
    generator = torch.Generator().manual_seed(0)
    anchors, candidates = (torch.randn(6, 4, generator=generator) for _ in range(2))
    whole = info_nce(anchors, candidates, 0.3)
    parts = [info_nce(anchors[start : start + 3], candidates, 0.3, first=start) for start in (0, 3)]
    assert torch.stack(parts).mean().item() == pytest.approx(whole.item())


def test_a_batch_in_which_all_rows_are_the_same_has_no_loss():
    vectors = torch.randn(4, 3)
    assert info_nce(vectors, vectors.flip(0), 0.1, torch.ones(4, 4, dtype=torch.bool)).item() == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_losses_are_computed_in_float32(dtype):
    a, b = torch.randn(8, 64), torch.randn(8, 64)
    low = a.to(dtype), b.to(dtype)
    for loss in (jensen_shannon, lambda one, other: info_nce(one, other, 0.05)):
        with torch.autocast("cpu", torch.bfloat16):
            found = loss(*low)
        assert found.dtype == torch.float32
        assert torch.equal(found, loss(*(vectors.float() for vectors in low)))


def features(model, texts):
    return [model.preprocess(list(column)) for column in texts]


TEXTS = (
    ["what is a tide", "who made it", "why", "where is the sea today"],
    ["a tide is the rise of the sea " * 3, "she made it", "because of the moon", "the sea is here " * 5],
    ["die flut", "sie hat es gemacht " * 4, "wegen des mondes", "das meer"],
)


LABELS = torch.tensor([[0, 1], [1, 0], [1, 1], [2, 0]])


@pytest.mark.parametrize("micro_tokens", [1, 16, 1000])
def test_pieces_change_no_gradient(tiny_model, micro_tokens):
    recipe = Recipe(losses=("jsd", "nce", "nce-passage"), temperature=0.1, jsd_weight=2.0)

    def gradients(micro):
        tiny_model.zero_grad()
        loss = AlignmentLoss(tiny_model, recipe, micro)
        values = loss(features(tiny_model, TEXTS), LABELS)
        torch.stack(list(values.values())).sum().backward()
        grads = {name: weight.grad.clone() for name, weight in tiny_model.named_parameters() if weight.grad is not None}
        return values, grads

    (values, naive), (again, pieces) = gradients(None), gradients(micro_tokens)
    assert values.keys() == again.keys() == set(recipe.losses)
    assert_close(pieces, naive, rtol=0, atol=1e-5)
    assert max(gradient.abs().max() for gradient in naive.values()) > 1e-3  # there is something to compare


def test_keep_is_the_distance_from_where_texts_belong(tiny_model):
    """English texts belong where they were before, translations one step of their language away."""
    texts, steps = features(tiny_model, TEXTS), torch.randn(2, 16)
    loss = AlignmentLoss(tiny_model, Recipe(losses=("jsd", "keep"), keep_weight=3.0), steps=torch.zeros(2, 16))
    assert loss(texts, LABELS)["keep"].item() == pytest.approx(3 * EPSILON**0.5, rel=1e-3)
    assert not any(name.startswith("before") for name, _ in loss.named_parameters())
    loss.steps = steps
    with torch.no_grad():
        before = [embed(tiny_model, columns, None) for columns in texts]
        for parameter in tiny_model.parameters():
            parameter.mul_(1.1)
        now = [embed(tiny_model, columns, None) for columns in texts]
    before[2] = before[2] + steps[LABELS[:, 1]]
    expected = torch.cat([jensen_shannon(*pair) for pair in zip(now, before, strict=True)]).mean()
    found = loss(texts, LABELS)["keep"]
    assert found.item() == pytest.approx(3 * expected.item(), rel=1e-5)
    found.backward()
    assert all(torch.isfinite(weight.grad).all() for weight in tiny_model.parameters() if weight.grad is not None)


def test_normalised_vectors_have_no_length_to_compare(tiny_model):
    columns, values = features(tiny_model, TEXTS), []
    for is_normalised in (True, False):
        loss = AlignmentLoss(tiny_model, Recipe(losses=("jsd",), normalised=is_normalised))
        values.append(loss(columns)["jsd"].item())
    _, passages, others = (embed(tiny_model, tokens, None) for tokens in columns)
    one, other = (torch.nn.functional.normalize(vectors) for vectors in (passages, others))
    expected = [jensen_shannon(*pair, outside=True).mean().item() for pair in ((one, other), (passages, others))]
    assert values == pytest.approx(expected, rel=1e-5)


def test_pieces_keep_the_order_of_the_texts(tiny_model):
    (tokens,) = features(tiny_model, TEXTS[1:2])
    with torch.no_grad():
        whole, pieces = embed(tiny_model, tokens, None), embed(tiny_model, tokens, 12)
    assert pieces.numpy() == pytest.approx(whole.numpy(), abs=1e-6)


@pytest.mark.parametrize("options", [{"losses": ()}, {"temperature": 0.0}, {"losses": ("jds",)}])
def test_wrong_options(tiny_model, options):
    with pytest.raises(XlError, match=r"losses: name at least one|unknown loss 'jds'; did you mean jsd"):
        AlignmentLoss(tiny_model, Recipe(**options))


def test_a_missing_column(tiny_model):
    with pytest.raises(XlError, match="got 2 columns"):
        AlignmentLoss(tiny_model, Recipe())(features(tiny_model, TEXTS[:2]))
