"""A transformer with weights in 8 or 4 bits, run by ONNX Runtime."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from xlutils.errors import XlError, first_line
from xlutils.models.store import cache_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_LAYOUT = 1  # raise it when the converted file changes
_INTEGERS = 4  # the runtime's number for products of 8-bit activations
_BLOCK = 32  # weights that share a scale, in 4 bits
_INPUTS = ("input_ids", "attention_mask")


class RoundedTransformer(nn.Module):
    """Replaces the transformer inside a sentence-transformers model.

    :param session: ONNX Runtime's session of the converted model.
    :param config: The configuration of the transformer, from which other modules read sizes.
    """

    def __init__(self, session: Any, config: Any) -> None:
        super().__init__()
        self.session = session
        self.config = config

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **_: Any) -> Any:
        """Compute the token vectors: float32 [texts, tokens, dim]."""
        from transformers.modeling_outputs import BaseModelOutput

        (vectors,) = self.session.run(
            None, dict(zip(_INPUTS, (input_ids.numpy(), attention_mask.numpy()), strict=True))
        )
        return BaseModelOutput(last_hidden_state=torch.from_numpy(vectors))


def quantise(model: SentenceTransformer, source: str, dtype: str) -> None:
    """Replace the transformer of a model by a lighter one, converting it on first use (half a minute if it is small).

    Eight bits have one scale per output, four bits one per 32 weights. Activations are scaled as they are computed,
    which needs no calibration texts; in eight bits over a whole batch, so that a vector depends slightly on the texts
    it is computed with.

    :param model: A model whose first module is an encoder such as BERT or XLM-R, in float32 on a CPU.
    :param source: Its name and revision.
    :param dtype: "int8" or "int4".
    :raises XlError: If a package is missing, or the model cannot be converted.
    """
    try:
        import onnxruntime
    except ImportError:
        raise XlError(f"dtype={dtype!r} needs ONNX Runtime; try: pip install 'xlutils[int8]'") from None
    key = hashlib.sha256(f"{source}|{onnxruntime.__version__}|{_LAYOUT}".encode()).hexdigest()[:16]
    path = cache_folder() / "models" / f"{dtype}-{key}.onnx"
    first: Any = model[0]
    if not path.exists():
        try:
            _convert(first.model, path, dtype)
        except OSError as error:
            raise XlError(
                f"cannot write the {dtype} model to {path.parent} ({error.strerror}); set XL_CACHE"
            ) from error
        except Exception as error:  # torch, ONNX and its tools have no error class in common
            reason = first_line(error)
            raise XlError(f"model {source} cannot be converted to {dtype} ({reason}); use dtype='bfloat16'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    first.model = RoundedTransformer(session, first.model.config)


def _convert(transformer: nn.Module, path: Path, dtype: str) -> None:
    ids = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 8]])
    sizes = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens")}
    options = {"input_names": _INPUTS, "dynamic_shapes": dict.fromkeys(_INPUTS, sizes), "verbose": False}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, _silence():
        full, small = Path(folder, "full.onnx"), Path(folder, "small.onnx")
        torch.onnx.export(_TokenVectors(transformer).eval(), (ids, torch.ones_like(ids)), full, dynamo=True, **options)
        _round(str(full), str(small), dtype)
        small.replace(path)


def _round(full: str, small: str, dtype: str) -> None:
    if dtype == "int8":
        from onnxruntime.quantization import quantize_dynamic

        quantize_dynamic(full, small, per_channel=True)
        return
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    kinds = ("MatMul", "Gather")
    rounded = MatMulNBitsQuantizer(
        full, block_size=_BLOCK, is_symmetric=True, accuracy_level=_INTEGERS, op_types_to_quantize=kinds
    )
    rounded.process()
    rounded.model.save_model_to_file(small)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the reports of the converters out of notebooks."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


class _TokenVectors(nn.Module):
    """A transformer that returns nothing but the token vectors, as ONNX needs it."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        vectors: Tensor = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return vectors
