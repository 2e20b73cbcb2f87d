"""Any encoder that mteb knows how to load: `load_model("mteb/ORG/NAME")`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from typing import Any

import numpy as np

from xlutils.errors import XlError, first_line
from xlutils.hub import hub_session
from xlutils.models.bundled import require
from xlutils.models.sentence_transformer import quiet

TASKS = {"query": "query", "passage": "document"}  # what mteb calls the roles; words have none
_BATCH = 32


class MtebBackend:
    """A model as mteb loads it, with mteb's own prompts.

    :param name: Its name in mteb.
    :param device: "cpu", "cuda" and so on.
    :param remote_code: Whether code from its repository may run.
    :raises XlError: If mteb does not know it, cannot load it, or it needs code that is not allowed.
    """

    def __init__(self, name: str, device: str, remote_code: bool) -> None:
        require("mteb", "mteb")
        import mteb

        try:
            meta = mteb.get_model_meta(name)
        except KeyError as error:
            raise XlError(f"mteb knows no model {name}: {str(error)[:120]}") from None
        if meta.loader_kwargs.get("trust_remote_code") and not remote_code:
            raise XlError(
                f"model {name} runs code from its repository; read that code, then allow it with "
                f"trust_remote_code=True, or for a notebook with XL_TRUST_REMOTE_CODE=mteb/{name}"
            )
        try:
            with quiet(), hub_session():
                self.model: Any = mteb.get_model(name, device=device)
        except (OSError, ImportError, ValueError, RuntimeError) as error:
            raise XlError(f"mteb cannot load {name}: {first_line(error)}") from None
        self.revision = str(self.model.mteb_model_meta.revision)
        self.settings: dict[str, object] = {"mteb": mteb.__version__}
        self.dim = self._vectors(["dimension"], None).shape[1]

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield the vectors of a batch at a time; mteb puts its own prompts in front."""
        for start in range(0, len(texts), _BATCH):
            part = list(texts[start : start + _BATCH])
            yield list(range(start, start + len(part))), self._vectors(part, task)

    def _vectors(self, texts: list[str], task: str | None) -> np.ndarray:
        from datasets import Dataset
        from mteb.types import PromptType
        from torch.utils.data import DataLoader

        loader: Any = DataLoader(Dataset.from_dict({"text": texts}), batch_size=_BATCH)
        role = PromptType(task) if task else None
        with redirect_stderr(io.StringIO()):  # bars of its own, which some models show unasked
            found = self.model.encode(
                loader, task_metadata=_task(), hf_split="test", hf_subset="default", prompt_type=role,
                show_progress_bar=False,
            )  # fmt: skip
        return np.asarray(found.detach().cpu() if hasattr(found, "detach") else found, dtype=np.float32)


def _task() -> Any:
    """Describe the task to mteb, which picks prompts by it: retrieval across languages."""
    from mteb.abstasks.task_metadata import TaskMetadata

    return TaskMetadata(
        name="CrossLingualAlignment", description="Retrieval across languages", type="Retrieval",
        dataset={"path": "none/none", "revision": "1"}, eval_langs=["eng-Latn"], main_score="complete_at_10",
    )  # fmt: skip
