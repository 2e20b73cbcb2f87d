import numpy as np
import pytest

from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.training.trainable import as_encoder, load_trainable, raw_vectors


def test_raw_vectors_are_those_of_the_encoder_before_scaling(tiny_model):
    texts = ["the sea", "a tide and a moon", "wind"]
    raw = raw_vectors(tiny_model, texts, "passage")
    assert np.ptp(np.linalg.norm(raw, axis=1)) > 1e-4
    assert unit_rows(raw) == pytest.approx(as_encoder(tiny_model, "tiny").encode(texts), abs=1e-5)


def test_a_model_without_weights_in_torch_is_refused():
    with pytest.raises(XlError, match="model control-random cannot be trained"):
        load_trainable("control-random")
