"""Backend for everything sentence-transformers can load: hub ids and local folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xlutils.errors import XlError, first_line
from xlutils.hub import commit_of, hub_session, quiet_import
from xlutils.models.adapters import load_adapters, task_options
from xlutils.models.batching import embed_halving, is_out_of_memory, plan_batches
from xlutils.models.weights import check_files, folder_hash, whole_weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

ROUNDED = ("int8", "int4")  # run by ONNX Runtime
DTYPES = ("float32", "bfloat16", "float16", *ROUNDED)
_BATCH_TOKENS = {"cpu": 4096, "mps": 8192, "cuda": 65_536}
_BATCH_TEXTS = 256
_PROMPT_NAMES = {"query": ("query",), "passage": ("passage", "document"), "word": ("word", "sts")}


class SentenceTransformerBackend:
    """Encodes with `SentenceTransformer.encode`, in batches of texts of similar length.

    :param model: The loaded model.
    :param dtype: One of `DTYPES`; the 16-bit ones run matrix products under autocast.
    """

    def __init__(self, model: SentenceTransformer, dtype: str) -> None:
        self.model = model
        self.dtype = dtype
        dim = model.get_embedding_dimension()
        self.dim = dim if dim is not None else int(model.encode(["x"]).shape[1])

    @property
    def settings(self) -> dict[str, object]:
        """Everything that changes a vector besides the weights and the prompt."""
        packages = ["torch", "transformers", "sentence-transformers", *["onnxruntime"] * (self.dtype in ROUNDED)]
        versions = {package: metadata.version(package).split(".")[0] for package in packages}
        return {"dtype": self.dtype, "max_length": self.model.get_max_seq_length(), "libraries": versions}

    @property
    def prompts(self) -> dict[str, str]:
        """The model's own prompts, by role."""
        by_name = {name.lower(): prompt for name, prompt in self.model.prompts.items() if prompt}
        prompts = {}
        for role, names in _PROMPT_NAMES.items():
            matches = [by_name[name] for name in names if name in by_name]
            if matches:
                prompts[role] = matches[0]
        return prompts

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield vectors batch by batch, longest texts first, so that a lack of memory shows at once."""
        lengths = self._token_counts(texts, prompt)
        for batch in plan_batches(texts, lengths, _BATCH_TOKENS[self.model.device.type], _BATCH_TEXTS):
            parts = embed_halving(lambda chunk: self._encode(chunk, prompt, task), [texts[i] for i in batch])
            for offset, vectors in parts:
                yield batch[offset : offset + len(vectors)], vectors

    def _encode(self, texts: Sequence[str], prompt: str, task: str | None) -> np.ndarray:
        import torch

        options: dict[str, Any] = {"batch_size": len(texts), "show_progress_bar": False, "convert_to_tensor": True}
        options |= task_options(self.model, task)
        is_half = self.dtype in ("bfloat16", "float16")
        with torch.autocast(self.model.device.type, getattr(torch, self.dtype), enabled=is_half):
            vectors = self.model.encode(list(texts), prompt=prompt, **options)
        return np.asarray(vectors.float().cpu().numpy())

    def read(self, texts: Sequence[str], prompt: str) -> NDArray[np.int64] | None:
        """Return the tokens of each text, how many of them are unknown, and 1 if the text is cut, int [n, 3].

        The prompt and the mark that begins a word do not count. A model without such a tokenizer gives None.
        """
        try:
            tokenizer = self.model.tokenizer
            first, *rows = tokenizer([prompt, *texts], add_special_tokens=False, verbose=False)["input_ids"]
            missing, mark = tokenizer.unk_token_id, tokenizer.convert_tokens_to_ids("\u2581")
            room = (self.model.get_max_seq_length() or 2**20) - tokenizer.num_special_tokens_to_add() - len(first)
        except (AttributeError, TypeError, KeyError):
            return None
        marks = [0 if mark == missing else ids.count(mark) for ids in rows]
        counts = [(len(ids) - n, ids.count(missing), len(ids) > room) for ids, n in zip(rows, marks, strict=True)]
        return np.array(counts, np.int64).reshape(-1, 3)

    def _token_counts(self, texts: Sequence[str], prompt: str) -> list[int]:
        """Count the tokens of each text, or its characters if the model has no such tokenizer."""
        limit = self.model.get_max_seq_length() or 2**20
        try:
            tokens = self.model.tokenizer([prompt + text for text in texts], truncation=True, max_length=limit)
            return [len(ids) for ids in tokens["input_ids"]]
        except (AttributeError, TypeError, KeyError):
            return [len(text) for text in texts]


def exact_revision(source: str, pinned: str | None) -> str:
    """Return the commit of a hub id, or the hash of a folder.

    :param source: Hub id or path of a folder.
    :param pinned: Commit to use; None for the newest.
    :raises XlError: If neither the hub nor its cache knows the model.
    """
    if Path(source).is_dir():
        return folder_hash(Path(source))
    try:
        with hub_session():
            return commit_of(source, pinned)
    except (OSError, ValueError) as error:
        raise _explain(source, error, is_trusted=True) from error


def load(
    source: str, revision: str | None, device: str, dtype: str, max_length: int | None, is_trusted: bool
) -> SentenceTransformerBackend:
    """Load a model from the hub or a folder.

    :param source: Hub id or path of a folder.
    :param revision: Commit to load; ignored for a folder.
    :param device: "auto", "cpu", "cuda", "cuda:1", "mps".
    :param dtype: One of `DTYPES`, or "auto": float32 on a CPU, bfloat16 (else float16) on a GPU.
    :param max_length: Longer texts are cut to this many tokens; None for the model's own limit.
    :param is_trusted: Whether code from the repository may run.
    :raises XlError: If the model could not be loaded, or needs remote code that was not allowed.
    """
    device = pick_device("cpu" if dtype in ROUNDED and device == "auto" else device)
    dtype = _pick_dtype(dtype, device)
    model = _load_model(source, revision, device, dtype, is_trusted)
    if max_length:
        model.max_seq_length = min(model.max_seq_length or max_length, max_length)
    if dtype in ROUNDED:
        from xlutils.models.rounded import quantise

        name = Path(source).name if Path(source).is_dir() else source
        quantise(model, f"{name}@{exact_revision(source, revision)}", dtype)
    return SentenceTransformerBackend(model, dtype)


def _load_model(source: str, revision: str | None, device: str, dtype: str, is_trusted: bool) -> SentenceTransformer:
    import torch

    weights = torch.float32 if device == "cpu" else getattr(torch, dtype)
    options: dict[str, Any] = {"device": device, "trust_remote_code": is_trusted, "model_kwargs": {"dtype": weights}}
    shown = source
    if Path(source).is_dir():
        check_files(Path(source))
        shown = Path(source).resolve().name  # without the path, which is of this machine
    else:
        options["revision"] = revision
    try:
        with quiet(), hub_session():
            from sentence_transformers import SentenceTransformer

            with whole_weights(shown):
                model = SentenceTransformer(source, **options).eval()
                load_adapters(model, source, revision)
            _check_tokenizer(model, shown)
            model.encode(["x"], show_progress_bar=False)  # fails without a pooling layer, for example
            return model
    except XlError:
        raise
    except Exception as error:  # the formats of weights and their libraries have no error class in common
        if is_out_of_memory(error):
            message = f"model {source} does not fit into the memory of {device}; use a smaller one"
            raise XlError(message) from error
        raise _explain(source, error, is_trusted) from error


def _check_tokenizer(model: SentenceTransformer, source: str) -> None:
    """Refuse a tokenizer without a vocabulary, to which all words are the same unknown one."""
    words, special = (getattr(model.tokenizer, name, None) for name in ("vocab_size", "all_special_tokens"))
    if words is not None and special and words <= len(special):
        raise XlError(f"model {source} has no vocabulary: its tokenizer files are missing; add them to its folder")


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the progress bars and reports of the libraries, so that notebooks stay clean."""
    quiet_import()
    from transformers.utils import logging

    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if had_bars:
            logging.enable_progress_bar()


def pick_device(device: str) -> str:
    """Turn "auto" into the best available device, and reject one that is not available."""
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return next(name for name, is_available in available.items() if is_available)
    if not available.get(device.split(":")[0], False):
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
    if dtype in ROUNDED and device != "cpu":
        raise XlError(f"dtype {dtype!r} runs on a CPU, not on {device}; use device='cpu' or dtype='bfloat16'")
    return dtype


def _explain(source: str, error: Exception, is_trusted: bool) -> XlError:
    if "trust_remote_code" in str(error) and not is_trusted:
        return needs_trust(source, source)
    if isinstance(error, ImportError):
        return XlError(f"model {source} needs another package: {first_line(error)}")
    if Path(source).is_dir():
        return XlError(
            f"the folder {Path(source).resolve().name} is not a whole sentence-transformers model: {first_line(error)}"
        )
    if isinstance(error, OSError | ValueError):
        return XlError(
            f"cannot get model {source}: check the name and the network, or give a local folder "
            "(behind a mirror set HF_ENDPOINT; for a private model set HF_TOKEN)"
        )
    return XlError(f"model {source} cannot be loaded: {first_line(error)}")


def needs_trust(source: str, name: str) -> XlError:
    """Build the error for a model whose own code was not allowed to run."""
    return XlError(
        f"model {source} runs code from its repository; read that code, then allow it with "
        f"trust_remote_code=True, or for a notebook with XL_TRUST_REMOTE_CODE={name}"
    )
