"""A transformer in whole numbers of eight bits: OpenVINO computes, calibrated on the passages of this book."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from xlutils.datasets import load_parallel
from xlutils.errors import XlError
from xlutils.store import cache_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_CALIBRATION_LANGUAGES = ("en", "ar", "de", "es", "hi", "ru", "th", "zh")
_CALIBRATION_BATCH = 8
_LAYOUT = 1  # raise it when the file written here changes
_INPUTS = ("input_ids", "attention_mask")


class Int8Transformer(nn.Module):
    """Stands where the transformer of a sentence-transformers model stood, and gives its token vectors.

    :param compiled: The model as OpenVINO runs it.
    :param config: The configuration of the transformer; others ask it for sizes.
    """

    def __init__(self, compiled: Any, config: Any) -> None:
        super().__init__()
        self.compiled = compiled
        self.config = config

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **_: Any) -> Any:
        """Compute the token vectors: float32 [texts, tokens, dim]."""
        from transformers.modeling_outputs import BaseModelOutput

        found = self.compiled({"input_ids": input_ids.numpy(), "attention_mask": attention_mask.numpy()})
        return BaseModelOutput(last_hidden_state=torch.from_numpy(found[0].copy()))


def quantise(model: SentenceTransformer, source: str) -> None:
    """Put an 8-bit transformer into a model, making it on first use (a minute for a small model).

    :param model: A model whose first module is an encoder such as BERT or XLM-R, in float32 on a CPU.
    :param source: What exactly the model is: its name and revision.
    :raises XlError: If OpenVINO is not installed, or cannot convert the model.
    """
    try:
        import openvino
    except ImportError:
        raise XlError("dtype='int8' needs OpenVINO; try: pip install 'xlutils[int8]'") from None
    key = hashlib.sha256(f"{source}|{openvino.__version__}|{_LAYOUT}".encode()).hexdigest()[:16]
    path = cache_folder() / "models" / f"int8-{key}.xml"
    first: Any = model[0]
    if not path.exists():
        try:
            _write(model, path)
        except (RuntimeError, TypeError, ValueError, AttributeError) as error:
            reason = str(error).strip().splitlines()[0][:120]
            raise XlError(f"model {source} cannot be made int8 ({reason}); take dtype='bfloat16'") from error
    first.model = Int8Transformer(openvino.compile_model(path, "CPU"), first.model.config)


def _write(model: SentenceTransformer, path: Path) -> None:
    import nncf
    import openvino

    batches = calibration_batches(model)
    first: Any = model[0]
    inputs = {name: torch.from_numpy(values) for name, values in batches[0].items()}
    converted = openvino.convert_model(_TokenVectors(first.model).eval(), example_input=inputs)
    quantised = nncf.quantize(converted, nncf.Dataset(batches), model_type=nncf.ModelType.TRANSFORMER)
    path.parent.mkdir(parents=True, exist_ok=True)
    openvino.save_model(quantised, path, compress_to_fp16=False)


def calibration_batches(model: SentenceTransformer) -> list[dict[str, Any]]:
    """Tokenise the passages that come with the package: int64 arrays [texts, tokens]."""
    data = load_parallel("mini", _CALIBRATION_LANGUAGES)
    texts = [text for texts in data.passages.values() for text in texts[::2]]
    texts.sort(key=len)
    batches = []
    for start in range(0, len(texts), _CALIBRATION_BATCH):
        found = model.tokenizer(texts[start : start + _CALIBRATION_BATCH], padding=True, return_tensors="np")
        batches.append({name: found[name] for name in _INPUTS})
    return batches


class _TokenVectors(nn.Module):
    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        vectors: Tensor = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return vectors
