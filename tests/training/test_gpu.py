"""What an NVIDIA card must do as a CPU does; `make gpu` runs it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_finetune import SMALL, TRIPLES

from xlutils.models import load_model
from xlutils.training.finetune import finetune
from xlutils.training.trainable import as_encoder, load_trainable

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")]
TEXTS = ["the sea", "a boat and a tide", "what is the moon at the harbour", "wind"]


@pytest.mark.parametrize(("dtype", "lowest"), [("float32", 1 - 1e-5), ("bfloat16", 0.99)])
def test_a_card_encodes_like_a_cpu(trainable, dtype, lowest):
    one, other = (
        load_model(str(trainable), device=device, dtype=kind, cached=False).encode(TEXTS)
        for device, kind in (("cpu", "float32"), ("cuda", dtype))
    )
    assert np.vecdot(one, other).min() > lowest


def test_before_a_training_both_ways_of_loading_give_the_same_vectors(trainable):
    before = load_model(str(trainable), device="cuda", dtype="float32", cached=False).encode(TEXTS)
    after = as_encoder(load_trainable(str(trainable), "cuda"), "untouched").encode(TEXTS)
    assert after == pytest.approx(before, abs=1e-6)


def test_a_card_trains_like_a_cpu(trainable, tmp_path):
    losses = []
    for device in ("cpu", "cuda"):
        steps = finetune(load_trainable(str(trainable), device), TRIPLES, SMALL, tmp_path / device)
        losses.append(steps["loss"].to_numpy())
    assert losses[1] == pytest.approx(losses[0], abs=1e-3)


def test_bfloat16_lowers_the_loss_and_leaves_weights_in_float32(trainable, tmp_path):
    model = load_trainable(str(trainable), "cuda")
    steps = finetune(model, TRIPLES, replace(SMALL, bf16=None, epochs=12), tmp_path)
    assert steps["loss"].iloc[-6:].mean() < 0.8 * steps["loss"].iloc[:6].mean()
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
