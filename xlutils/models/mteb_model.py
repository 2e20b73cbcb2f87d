"""Models that mteb knows how to load: `load_model("mteb/ORG/NAME")`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from typing import Any

import numpy as np

from xlutils.errors import XlError, first_line, require
from xlutils.hub import hub_session
from xlutils.models.catalogue import MTEB
from xlutils.models.sentence_transformer import needs_trust, quiet
from xlutils.models.weights import whole_weights

TASKS = {"query": "query", "passage": "document"}  # what mteb calls the roles; it has none for words
_BATCH = 32


class MtebBackend:
    """A model as mteb loads it, with mteb's own prompts.

    :param name: Its name in mteb.
    :param device: "cpu", "cuda" and so on.
    :param is_trusted: Whether code from its repository may run.
    :raises XlError: If mteb does not know it or cannot load it, or it needs code that is not allowed.
    """

    def __init__(self, name: str, device: str, is_trusted: bool) -> None:
        require("mteb", "mteb")
        import mteb

        try:
            meta = mteb.get_model_meta(name)
        except KeyError as error:
            raise XlError(f"mteb does not know the model {name}: {str(error)[:120]}") from None
        if meta.loader_kwargs.get("trust_remote_code") and not is_trusted:
            raise needs_trust(name, MTEB + name)
        try:
            with quiet(), hub_session(), whole_weights(name):
                self.model: Any = mteb.get_model(name, device=device)
        except (OSError, ImportError, ValueError, RuntimeError) as error:
            raise XlError(f"mteb cannot load {name}: {first_line(error)}") from None
        self.revision = str(self.model.mteb_model_meta.revision)
        self.settings: dict[str, object] = {"mteb": mteb.__version__}
        self.dim = self._encode(["dimension"], None).shape[1]

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield the vectors of one batch at a time; mteb adds its own prompts."""
        for start in range(0, len(texts), _BATCH):
            batch = list(texts[start : start + _BATCH])
            yield list(range(start, start + len(batch))), self._encode(batch, task)

    def _encode(self, texts: list[str], task: str | None) -> np.ndarray:
        from datasets import Dataset
        from mteb.types import PromptType
        from torch.utils.data import DataLoader

        loader: Any = DataLoader(Dataset.from_dict({"text": texts}), batch_size=_BATCH)
        options = {
            "task_metadata": _task(),
            "hf_split": "test",
            "hf_subset": "default",
            "prompt_type": PromptType(task) if task else None,
            "show_progress_bar": False,
        }
        with redirect_stderr(io.StringIO()):  # some models show a bar all the same
            vectors = self.model.encode(loader, **options)
        return np.asarray(vectors.detach().cpu() if hasattr(vectors, "detach") else vectors, dtype=np.float32)


def _task() -> Any:
    """Describe the task, by which mteb picks prompts."""
    from mteb.abstasks.task_metadata import TaskMetadata

    return TaskMetadata(
        name="CrossLingualAlignment",
        description="Retrieval across languages",
        type="Retrieval",
        dataset={"path": "none/none", "revision": "1"},
        eval_langs=["eng-Latn"],
        main_score="complete_at_10",
    )
