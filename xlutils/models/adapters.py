"""Adapters for single tasks, as jina-embeddings-v3 has them: small weights beside those of the model."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlutils.errors import XlError, require

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

TASKS = {"query": "retrieval_query", "passage": "retrieval_passage", "word": "text_matching"}  # by role
_ARCHITECTURE = "jina_embeddings_v3"


def load_adapters(model: SentenceTransformer, source: str, revision: str | None) -> None:
    """Load the adapters that lie in folders named after their tasks beside a model's own weights.

    :param source: Where the model came from: a folder, which may have none, or a repository of the hub.
    :raises XlError: If only some of them are there.
    """
    transformer: Any = getattr(model[0], "model", None)
    if getattr(getattr(transformer, "config", None), "model_type", "") != _ARCHITECTURE:
        return
    folder, options = Path(source), {"revision": revision}
    if folder.is_dir():
        options = {}
        missing = [task for task in TASKS.values() if not (folder / task / "adapter_config.json").is_file()]
        if len(missing) == len(TASKS):
            return
        if missing:
            raise XlError(f"{folder.name} lacks the adapter {missing[0]}; copy the whole folder of the model")
    require("peft", "train")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # peft warns of a second adapter
        for task in TASKS.values():
            transformer.load_adapter(source, adapter_name=task, adapter_kwargs={"subfolder": task, **options})
    model.requires_grad_(True)  # loading an adapter freezes the rest
    use_adapter(model, TASKS["passage"])


def tasks_of(model: SentenceTransformer) -> dict[str, str]:
    """Return the adapter of each role; empty if the model has none."""
    known = getattr(getattr(model[0], "model", None), "peft_config", {})
    return {role: task for role, task in TASKS.items() if task in known}


def use_adapter(model: Any, task: str | None) -> None:
    """Let texts pass through the adapter of a task; None leaves everything as it is."""
    if task is None or model[0].model.active_adapters() == [task]:
        return
    is_trained = {parameter: parameter.requires_grad for parameter in model.parameters()}
    model[0].model.set_adapter(task)
    for parameter, value in is_trained.items():  # setting an adapter freezes the others
        parameter.requires_grad_(value)


def task_options(model: SentenceTransformer, task: str | None) -> dict[str, str]:
    """Choose the adapter of a task, or return the option of `encode` for a model that knows tasks by itself."""
    if task in tasks_of(model).values():
        use_adapter(model, task)
        return {}
    return {"task": task} if task else {}


def save_model(model: SentenceTransformer, folder: str | Path) -> None:
    """Save a model with its adapters in the format that `load_adapters` reads."""
    from safetensors.torch import save_file

    tasks = tasks_of(model).values()
    if not tasks:
        model.save_pretrained(str(folder), create_model_card=False)
        return
    transformer: Any = model[0]
    adapted = transformer.model
    transformer.model = _without_adapters(adapted)
    try:
        model.save_pretrained(str(folder), create_model_card=False)
    finally:
        transformer.model = adapted
    for task in tasks:
        place = Path(folder, task)
        adapted.peft_config[task].save_pretrained(str(place))
        weights = adapted.get_adapter_state_dict(task)
        named = {f"base_model.model.{name}": weight.contiguous() for name, weight in weights.items()}
        save_file(named, place / "adapter_model.safetensors", {"format": "pt"})


def _without_adapters(transformer: Any) -> Any:
    """Return a model that shares all weights but those of the adapters."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    shared = {id(tensor): tensor for tensor in (*transformer.parameters(), *transformer.buffers())}
    plain = copy.deepcopy(transformer, shared)
    layers = [(name, layer) for name, layer in plain.named_modules() if isinstance(layer, BaseTunerLayer)]
    for name, layer in layers:
        parent, _, last = name.rpartition(".")
        setattr(plain.get_submodule(parent), last, layer.get_base_layer())
    plain._hf_peft_config_loaded = False
    vars(plain).pop("_weight_conversions", None)  # those of the adapter that was loaded last
    return plain
