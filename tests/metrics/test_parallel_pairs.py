import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xlutils.metrics import parallel_pairs as module
from xlutils.metrics.parallel_pairs import pair_scores

ROUND = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0])  # dot products are exact, so ties are ties


@st.composite
def pairs(draw):
    shape = (draw(st.integers(1, 9)), 3)
    return draw(arrays(np.float64, shape, elements=ROUND)), draw(arrays(np.float64, shape, elements=ROUND))


def oracle(one, other):
    scores = one @ other.T
    forward, backward, best = [], [], []
    for i in range(len(one)):
        rivals = [scores[i, j] for j in range(len(one)) if j != i], [scores[j, i] for j in range(len(one)) if j != i]
        for found, those in zip((forward, backward), rivals, strict=True):
            level = 1 + sum(score == scores[i, i] for score in those)
            found.append(0 if any(score > scores[i, i] for score in those) else 1 / level)
        best.append(all(score < scores[i, i] for score in rivals[0] + rivals[1]))
    return forward, backward, best


@settings(deadline=None)
@given(pairs(), st.integers(1, 200))
def test_it_is_the_plain_loop_whatever_the_block(example, block):
    before = module._BLOCK_BYTES
    module._BLOCK_BYTES = block
    try:
        found = pair_scores(*example)
    finally:
        module._BLOCK_BYTES = before
    forward, backward, best = oracle(*example)
    assert found.forward == pytest.approx(forward)
    assert found.backward == pytest.approx(backward)
    assert found.strictly_best.tolist() == best
    assert found.retrieval == pytest.approx(np.mean([forward, backward]))
    assert found.mexa == pytest.approx(np.mean(best))


def test_by_hand():
    """Sun and sol meet; sea lies nearer to sol than to mar, which is still nearer to sea than to sun."""
    one = np.array([[1, 0], [0.8, 0.6]])
    other = np.array([[1, 0], [0, 1]])
    found = pair_scores(one, other)
    assert found.forward.tolist() == [1, 0]  # sea: 0.8 to sol, 0.6 to mar
    assert found.backward.tolist() == [1, 1]
    assert found.strictly_best.tolist() == [True, False]
    assert (found.retrieval, found.mexa) == (0.75, 0.5)
