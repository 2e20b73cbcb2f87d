"""Backend for everything sentence-transformers can load: hub ids and local folders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xlutils.errors import XlError, first_line
from xlutils.hub import commit_of, hub_session, quiet_import
from xlutils.models.batching import embed_halving, is_out_of_memory, plan_batches

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH_TOKENS = {"cpu": 4096, "mps": 8192, "cuda": 65_536}
_BATCH_TEXTS = 256
DTYPES = ("float32", "bfloat16", "float16", "int8")
_PROMPT_NAMES = {"query": ("query",), "passage": ("passage", "document"), "word": ("word", "sts")}


class SentenceTransformerBackend:
    """Encodes through `SentenceTransformer.encode`, in batches of like length.

    :param model: The loaded model.
    :param dtype: One of `DTYPES`; in a 16-bit one the matrix products run under autocast.
    """

    def __init__(self, model: SentenceTransformer, dtype: str) -> None:
        self.model = model
        self.dtype = dtype
        dim = model.get_embedding_dimension()
        self.dim = dim if dim is not None else int(model.encode(["x"]).shape[1])

    @property
    def settings(self) -> dict[str, object]:
        """All that changes a vector besides the weights and the prompt."""
        length = self.model.get_max_seq_length()
        more = ("onnxruntime",) if self.dtype == "int8" else ()
        return {"dtype": self.dtype, "max_length": length, "libraries": library_versions(*more)}

    @property
    def prompts(self) -> dict[str, str]:
        """The model's own prompts, by role."""
        own = {name.lower(): prompt for name, prompt in self.model.prompts.items() if prompt}
        return {
            role: next(own[name] for name in names if name in own)
            for role, names in _PROMPT_NAMES.items()
            if any(name in own for name in names)
        }

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield vectors batch by batch, longest texts first, so that a lack of memory shows at once."""
        lengths = self._lengths(texts, prompt)
        for batch in plan_batches(texts, lengths, _BATCH_TOKENS[self.model.device.type], _BATCH_TEXTS):
            parts = embed_halving(lambda chunk: self._encode(chunk, prompt, task), [texts[i] for i in batch])
            for offset, vectors in parts:
                yield batch[offset : offset + len(vectors)], vectors

    def _encode(self, texts: Sequence[str], prompt: str, task: str | None) -> np.ndarray:
        import torch

        options: dict[str, Any] = {"task": task} if task else {}
        half = self.dtype in ("bfloat16", "float16")
        autocast = torch.autocast(self.model.device.type, getattr(torch, self.dtype), enabled=half)
        with autocast:
            vectors = self.model.encode(
                list(texts), prompt=prompt, batch_size=len(texts), show_progress_bar=False, convert_to_tensor=True,
                **options,
            )  # fmt: skip
        array: np.ndarray = vectors.float().cpu().numpy()
        return array

    def _lengths(self, texts: Sequence[str], prompt: str) -> list[int]:
        """Tokens of each text; characters where the model has no such tokenizer."""
        most = self.model.get_max_seq_length() or 2**20
        try:
            tokens = self.model.tokenizer([prompt + text for text in texts], truncation=True, max_length=most)
            return [len(ids) for ids in tokens["input_ids"]]
        except (AttributeError, TypeError, KeyError):
            return [len(text) for text in texts]


def exact_revision(source: str, pinned: str | None) -> str:
    """Find what exactly a source stands for: the commit of a hub id, a hash of a folder.

    :param source: Hub id or path of a folder.
    :param pinned: Commit to use; None for the newest.
    :raises XlError: If the hub is asked and neither it nor its cache knows.
    """
    if Path(source).is_dir():
        return folder_hash(Path(source))
    try:
        with hub_session():
            return commit_of(source, pinned)
    except (OSError, ValueError) as error:
        raise _explain(source, error, remote_code=False) from error


def load(
    source: str, revision: str | None, device: str, dtype: str, max_length: int | None, remote_code: bool
) -> SentenceTransformerBackend:
    """Load a model from the hub or a folder.

    :param source: Hub id or path of a folder.
    :param revision: Commit to load; not used for a folder.
    :param device: "auto", "cpu", "cuda", "cuda:1", "mps".
    :param dtype: One of `DTYPES`, or "auto": float32 on a CPU, bfloat16 (else float16) on a GPU.
    :param max_length: Tokens beyond this are cut; None for the model's own limit.
    :param remote_code: Whether code from the repository may run.
    :raises XlError: If the model cannot be had, or needs remote code that was not allowed.
    """
    import torch

    device = pick_device("cpu" if dtype == "int8" and device == "auto" else device)
    dtype = _pick_dtype(dtype, device)
    weights = torch.float32 if device == "cpu" else getattr(torch, dtype)
    try:
        with quiet(), hub_session():
            from sentence_transformers import SentenceTransformer

            model = SentenceTransformer(
                source, revision=None if Path(source).is_dir() else revision, device=device,
                trust_remote_code=remote_code, model_kwargs={"dtype": weights},
            )  # fmt: skip
    except (OSError, ValueError, ImportError) as error:
        raise _explain(source, error, remote_code) from error
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise XlError(f"model {source} does not fit into the memory of {device}; take a smaller one") from error
    model.eval()
    if max_length:
        model.max_seq_length = min(model.max_seq_length or max_length, max_length)
    if dtype == "int8":
        from xlutils.models.int8 import quantise

        quantise(model, f"{Path(source).name if Path(source).is_dir() else source}@{exact_revision(source, revision)}")
    return SentenceTransformerBackend(model, dtype)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' bars and reports out of notebooks."""
    quiet_import()
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def library_versions(*more: str) -> dict[str, str]:
    """Major versions of the libraries that compute, and of others; a new one may change vectors."""
    packages = ("torch", "transformers", "sentence-transformers", *more)
    return {package: metadata.version(package).split(".")[0] for package in packages}


def pick_device(device: str) -> str:
    """Turn "auto" into the best device there is, and refuse one that is not there."""
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device.split(":")[0], False):
        raise XlError(f"device {device!r} is not available here; use device='cpu' or 'auto'")
    return device


def _pick_dtype(dtype: str, device: str) -> str:
    import torch

    if dtype == "auto":
        if not device.startswith("cuda"):
            return "float32"
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    if dtype not in DTYPES:
        raise XlError(f"dtype {dtype!r} is not one of auto, {', '.join(DTYPES)}")
    if dtype == "int8" and device != "cpu":
        raise XlError(f"dtype 'int8' is for processors, not for {device}; use device='cpu' or dtype='bfloat16'")
    return dtype


def _explain(source: str, error: Exception, remote_code: bool) -> XlError:
    if "trust_remote_code" in str(error) and not remote_code:
        return XlError(
            f"model {source} runs code from its own repository; read that code, "
            f"then allow it with trust_remote_code=True, or for a notebook with XL_TRUST_REMOTE_CODE={source}"
        )
    if isinstance(error, ImportError):
        return XlError(f"model {source} needs another package: {first_line(error)}")
    if Path(source).is_dir():
        return XlError(f"the folder {source} is no model that sentence-transformers can load: {first_line(error)}")
    return XlError(
        f"cannot get model {source}: check the name and the network, or give a local folder "
        "(behind a mirror set HF_ENDPOINT; for a private model set HF_TOKEN)"
    )


def folder_hash(folder: Path) -> str:
    """Hash what decides a model's vectors: every file of its folder but readmes.

    :param folder: The folder of a model.
    :return: Twelve hex digits.
    """
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".md" and not path.name.startswith("."):
            total.update(path.relative_to(folder).as_posix().encode())
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:12]
