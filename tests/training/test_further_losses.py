import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from test_losses import LABELS, TEXTS, features

from xlutils.training.further_losses import mixup, other_languages, triplet
from xlutils.training.losses import AlignmentLoss, embed, info_nce
from xlutils.training.recipe import Recipe

GROUPS = st.lists(st.integers(0, 3), min_size=5, max_size=5)  # rows of a group are right for each other


def sample(seed, groups):
    anchors, candidates = np.random.default_rng(seed).normal(size=(2, 5, 3)).round(0)  # with equal rows
    anchors[:, 0] += 3.1  # and none of length 0
    candidates[:, 1] += 3.1
    keys = torch.tensor(groups)
    return anchors, candidates, keys[:, None] == keys[None, :]


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


@given(st.integers(0, 999), st.floats(0, 1), GROUPS)
def test_triplet_against_the_formula(seed, margin, groups):
    anchors, candidates, same = sample(seed, groups)
    losses = []
    for i in range(5):
        wrong = [cosine(anchors[i], candidates[j]) for j in range(5) if groups[j] != groups[i]]
        losses.append(max([margin + score - cosine(anchors[i], candidates[i]) for score in wrong] + [0]))
    found = triplet(torch.tensor(anchors), torch.tensor(candidates), margin, same)
    assert found.item() == pytest.approx(np.mean(losses), abs=1e-5)


@given(st.integers(0, 999), st.floats(0, 1), GROUPS, st.lists(st.integers(0, 4), min_size=5, max_size=5))
def test_mixup_against_the_formula(seed, share, groups, partners):
    anchors, candidates, same = sample(seed, groups)
    units = anchors / np.linalg.norm(anchors, axis=1, keepdims=True)
    losses = []
    for i, p in enumerate(partners):
        mixed = share * units[i] + (1 - share) * units[p]
        wrong = [j for j in range(5) if j not in (i, p) and groups[j] not in (groups[i], groups[p])]
        scores = {j: math.exp(cosine(mixed, candidates[j]) / 0.3) for j in {i, p, *wrong}}
        losses.append(-sum(w * math.log(scores[j] / sum(scores.values())) for w, j in ((share, i), (1 - share, p))))
    arguments = torch.tensor(anchors), torch.tensor(candidates), torch.tensor(partners), share, 0.3
    assert mixup(*arguments, same).item() == pytest.approx(np.mean(losses), rel=1e-4, abs=1e-5)


def test_a_mixture_of_one_anchor_alone_is_info_nce():
    anchors, candidates = torch.randn(2, 6, 4)
    partners = torch.arange(6).roll(1)
    assert mixup(anchors, candidates, partners, 1.0, 0.1).item() == pytest.approx(
        info_nce(anchors, candidates, 0.1).item(), rel=1e-5
    )


def test_a_batch_without_a_wrong_candidate_has_no_triplet_loss_and_a_finite_slope():
    vectors = torch.randn(4, 3).requires_grad_()
    loss = triplet(vectors, vectors.flip(0), 0.5, torch.ones(4, 4, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert (vectors.grad == 0).all()


def test_a_row_is_mixed_with_the_next_one_in_another_language():
    assert other_languages(torch.tensor([0, 0, 1, 0])).tolist() == [2, 2, 3, 2]
    assert other_languages(torch.tensor([1, 1, 1])).tolist() == [1, 2, 0]
    assert other_languages(torch.tensor([7])).tolist() == [0]


def test_the_losses_of_a_training_are_those_of_its_vectors(tiny_model):
    columns = features(tiny_model, TEXTS)
    queries, _, others = (embed(tiny_model, tokens, None) for tokens in columns)
    recipe = Recipe(losses=("triplet", "mixup"), margin=0.3, temperature=0.2)
    same = LABELS[:, :1] == LABELS[:, 0]
    torch.manual_seed(3)
    found = AlignmentLoss(tiny_model, recipe)(columns, LABELS)
    torch.manual_seed(3)
    mixed = mixup(others, queries, torch.tensor([1, 2, 3, 0]), float(torch.rand(1)), 0.2, same)
    assert found["mixup"].item() == pytest.approx(mixed.item(), rel=1e-5)
    assert found["triplet"].item() == pytest.approx(triplet(others, queries, 0.3, same).item(), rel=1e-5)
