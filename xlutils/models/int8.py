"""A transformer with 8-bit weights, run by ONNX Runtime."""

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
_INPUTS = ("input_ids", "attention_mask")


class Int8Transformer(nn.Module):
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


def quantise(model: SentenceTransformer, source: str) -> None:
    """Replace the transformer of a model by an 8-bit one, converting it on first use (half a minute if it is small).

    Weights have one scale per output. Activations are scaled over a whole batch as it is computed, which needs no
    calibration texts, but a vector depends slightly on the texts it is computed with.

    :param model: A model whose first module is an encoder such as BERT or XLM-R, in float32 on a CPU.
    :param source: Its name and revision.
    :raises XlError: If a package is missing, or the model cannot be converted.
    """
    try:
        import onnxruntime
    except ImportError:
        raise XlError("dtype='int8' needs ONNX Runtime; try: pip install 'xlutils[int8]'") from None
    key = hashlib.sha256(f"{source}|{onnxruntime.__version__}|{_LAYOUT}".encode()).hexdigest()[:16]
    path = cache_folder() / "models" / f"int8-{key}.onnx"
    first: Any = model[0]
    if not path.exists():
        try:
            _convert(first.model, path)
        except OSError as error:
            raise XlError(f"cannot write the 8-bit model to {path.parent} ({error.strerror}); set XL_CACHE") from error
        except Exception as error:  # torch, ONNX and its tools have no error class in common
            reason = first_line(error)
            raise XlError(f"model {source} cannot be converted to int8 ({reason}); use dtype='bfloat16'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    first.model = Int8Transformer(session, first.model.config)


def _convert(transformer: nn.Module, path: Path) -> None:
    from onnxruntime.quantization import quantize_dynamic

    ids = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 8]])
    sizes = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens")}
    options = {"input_names": _INPUTS, "dynamic_shapes": dict.fromkeys(_INPUTS, sizes), "verbose": False}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, _silence():
        full, small = Path(folder, "full.onnx"), Path(folder, "small.onnx")
        torch.onnx.export(_TokenVectors(transformer).eval(), (ids, torch.ones_like(ids)), full, dynamo=True, **options)
        quantize_dynamic(full, small, per_channel=True)
        small.replace(path)


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
