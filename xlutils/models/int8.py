"""A transformer in whole numbers of eight bits: ONNX Runtime computes it."""

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

_LAYOUT = 1  # raise it when the file written here changes
_INPUTS = ("input_ids", "attention_mask")


class Int8Transformer(nn.Module):
    """Stands where the transformer of a sentence-transformers model stood, and gives its token vectors.

    :param session: The model as ONNX Runtime runs it.
    :param config: The configuration of the transformer; others ask it for sizes.
    """

    def __init__(self, session: Any, config: Any) -> None:
        super().__init__()
        self.session = session
        self.config = config

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **_: Any) -> Any:
        """Compute the token vectors: float32 [texts, tokens, dim]."""
        from transformers.modeling_outputs import BaseModelOutput

        given = {"input_ids": input_ids.numpy(), "attention_mask": attention_mask.numpy()}
        (found,) = self.session.run(None, given)
        return BaseModelOutput(last_hidden_state=torch.from_numpy(found))


def quantise(model: SentenceTransformer, source: str) -> None:
    """Put an 8-bit transformer into a model, making it on first use (half a minute for a small model).

    Weights get a scale for each output. Those of activations are found while computing, over a whole batch: no texts
    are needed to calibrate them, but a vector depends a little on the texts that are computed with it.

    :param model: A model whose first module is an encoder such as BERT or XLM-R, in float32 on a CPU.
    :param source: What exactly the model is: its name and revision.
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
            _write(first.model, path)
        except OSError as error:
            raise XlError(f"cannot write the 8-bit model to {path.parent} ({error.strerror}); set XL_CACHE") from error
        except Exception as error:  # torch, ONNX and its tools each have errors of their own
            raise XlError(f"model {source} cannot be made int8 ({first_line(error)}); take dtype='bfloat16'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    first.model = Int8Transformer(session, first.model.config)


def _write(transformer: nn.Module, path: Path) -> None:
    from onnxruntime.quantization import quantize_dynamic

    some = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 8]])
    texts, tokens = torch.export.Dim("texts"), torch.export.Dim("tokens")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, _silence():
        plain, small = Path(folder, "plain.onnx"), Path(folder, "small.onnx")
        torch.onnx.export(
            _TokenVectors(transformer).eval(), (some, torch.ones_like(some)), plain, input_names=_INPUTS,
            dynamic_shapes={name: {0: texts, 1: tokens} for name in _INPUTS}, dynamo=True, verbose=False,
        )  # fmt: skip
        quantize_dynamic(plain, small, per_channel=True)
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
    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        vectors: Tensor = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return vectors
