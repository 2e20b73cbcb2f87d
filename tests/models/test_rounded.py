"""Models in eight and in four bits, made from the tiny real model of the other tests."""

import sys

import numpy as np
import pytest

from xlutils.errors import XlError
from xlutils.models import load_model

pytestmark = pytest.mark.slow

TEXTS = ["the black cat.", "黑猫", "house", "the cat the cat the cat the cat"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("XL_CACHE", str(tmp_path))


@pytest.mark.parametrize(("dtype", "least"), [("int8", 0.98), ("int4", 0.9)])
def test_it_is_near_to_float32_and_made_once(tiny, tmp_path, capfd, dtype, least):
    plain = load_model(str(tiny), cached=False)
    small = load_model(str(tiny), dtype=dtype, cached=False)
    cosines = np.einsum("nd,nd->n", plain.encode(TEXTS), small.encode(TEXTS))
    assert (cosines > least).all()
    assert (cosines < 1 - 1e-9).any(), "nothing was rounded"
    assert np.allclose(small.encode(TEXTS)[::-1], small.encode(TEXTS[::-1]), atol=1e-6)
    (file,) = (tmp_path / "models").iterdir()
    made = file.stat().st_mtime_ns
    load_model(str(tiny), dtype=dtype, cached=False)
    assert [path.stat().st_mtime_ns for path in (tmp_path / "models").iterdir()] == [made]
    assert file.name.startswith(dtype)
    assert small.fingerprint != plain.fingerprint
    assert "onnxruntime" in small.settings["libraries"]
    output = capfd.readouterr()
    assert (output.out, output.err) == ("", "")


def test_four_bits_round_more_than_eight(tiny):
    plain, *rounded = (load_model(str(tiny), dtype=kind, cached=False) for kind in ("float32", "int8", "int4"))
    eight, four = (np.abs(model.encode(TEXTS) - plain.encode(TEXTS)).mean() for model in rounded)
    assert 2 * eight < four


@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_what_cannot_be_had(tiny, monkeypatch, dtype):
    with pytest.raises(XlError, match="device 'cuda' is not available|runs on a CPU, not on cuda"):
        load_model(str(tiny), dtype=dtype, device="cuda")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(XlError, match=r"needs ONNX Runtime; try: pip install 'xlutils\[int8\]'"):
        load_model(str(tiny), dtype=dtype)


def test_a_model_that_cannot_be_converted_is_one_clear_line(tiny, monkeypatch):
    import torch

    def refuse(*_, **__):
        raise RuntimeError("no such operator\nand much more")

    monkeypatch.setattr(torch.onnx, "export", refuse)
    with pytest.raises(XlError, match=r"cannot be converted to int8 \(no such operator\); use dtype='bfloat16'$"):
        load_model(str(tiny), dtype="int8")
