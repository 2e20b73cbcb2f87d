"""One training run on triples, through the trainer of sentence-transformers."""

from __future__ import annotations

import itertools
import json
import math
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xlutils.datasets.files import content_hash
from xlutils.datasets.triples import Triple
from xlutils.errors import XlError
from xlutils.metrics.alignment import number_names
from xlutils.models.adapters import tasks_of
from xlutils.models.sentence_transformer import SentenceTransformerBackend, quiet
from xlutils.training.recipe import Recipe, learning_rate
from xlutils.training.trainable import freeze, raw_vectors, unscaled

if TYPE_CHECKING:
    import pandas as pd
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from transformers import TrainerCallback

_SAMPLE = 100  # passages per language that give its mean
_MICRO_TOKENS = {"cpu": 2048, "mps": 2048, "cuda": 32_768}
_COLUMNS = {"query_en": "query", "passage_en": "passage", "passage_tgt": "passage"}  # with the role of each


def training_table(triples: Sequence[Triple]) -> Dataset:
    """Return the trainer's table: three columns of text, and labels of two numbers.

    Rows that share a question or an English passage, directly or through other rows, have the same first number.
    The second is the position of the row's language, in order of first appearance.
    """
    from datasets import Dataset
    from scipy.cluster.hierarchy import DisjointSet

    links = [(f"query: {row.query_en}", f"passage: {row.passage_en}") for row in triples]
    groups = DisjointSet(itertools.chain.from_iterable(links))
    for query, passage in links:
        groups.merge(query, passage)
    _, group_of = number_names([groups[query] for query, _ in links])
    _, language_of = number_names([row.lang for row in triples])
    texts = {name: [getattr(row, name) for row in triples] for name in _COLUMNS}
    return Dataset.from_dict({**texts, "label": np.stack([group_of, language_of], axis=1).tolist()})


def steps_to_english(model: SentenceTransformer, triples: Sequence[Triple]) -> NDArray[np.float32]:
    """Return the vector from each language to English: the mean over passages and their translations.

    :return: float32 [languages, dim], in the order of the second labels.
    """
    by_language: dict[str, Counter[tuple[str, str]]] = {}
    for row in triples:
        by_language.setdefault(row.lang, Counter())[row.passage_en, row.passage_tgt] += 1  # once per question
    samples = [list(pairs.items())[:_SAMPLE] for pairs in by_language.values()]
    texts = list(dict.fromkeys(text for sample in samples for pair, _ in sample for text in pair))
    vectors = dict(zip(texts, raw_vectors(model, texts, "passage"), strict=True))
    steps = []
    for sample in samples:
        ways = [vectors[english] - vectors[other] for (english, other), _ in sample]
        steps.append(np.average(ways, axis=0, weights=[count for _, count in sample]))
    return np.stack(steps).astype(np.float32)


def finetune(
    model: SentenceTransformer,
    triples: Sequence[Triple],
    recipe: Recipe,
    folder: str | Path,
    save_every: int = 0,
    callbacks: Sequence[TrainerCallback] = (),
    teacher: SentenceTransformer | None = None,
) -> pd.DataFrame:
    """Train a model in place. A training that was stopped continues from the newest checkpoint in its folder.

    :param model: The model, on the device to train on.
    :param save_every: Steps between two checkpoints; 0 for none. A model with adapters for tasks gets none.
    :param teacher: Model to learn from, for the loss "distil".
    :return: A row per step: step, loss, the value of each part, learning_rate, grad_norm, and seconds so far.
    :raises XlError: If there are too few triples, the folder belongs to another training, or nothing was learned.
    """
    import pandas as pd
    import torch
    from sentence_transformers import SentenceTransformerTrainer
    from transformers import PrinterCallback
    from transformers.trainer_utils import get_last_checkpoint

    from xlutils.training.clock import Clock
    from xlutils.training.losses import AlignmentLoss

    check_size(triples, recipe.batch_size, recipe.epochs, recipe.warmup)
    if tasks_of(model):
        if recipe.lora_rank:
            raise XlError("a model with adapters for single tasks cannot get another one; train it with lora_rank=0")
        save_every = 0  # the trainer would save an adapter alone
    before = _beginnings(model)
    _claim(Path(folder), recipe, triples, before)
    model.model_card_data.widget = [{"text": triples[0].query_en}]  # otherwise the trainer encodes some examples
    arguments = _arguments(model, recipe, Path(folder), save_every)
    tokens = _MICRO_TOKENS[model.device.type] if recipe.micro_tokens is None else recipe.micro_tokens or None
    tasks = [tasks_of(model).get(role) for role in _COLUMNS.values()]
    with quiet(), _prepared(model, recipe):
        keep = "keep" in recipe.losses
        steps = torch.from_numpy(steps_to_english(model, triples)).to(model.device) if keep else None
        loss = AlignmentLoss(model, recipe, tokens, arguments.world_size > 1, steps, tasks, teacher)
        table = training_table(triples)
        trainer = SentenceTransformerTrainer(model, arguments, table, loss=loss, callbacks=[Clock(), *callbacks])
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=get_last_checkpoint(str(folder)))
        trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)  # or it would stay in bfloat16
    if _beginnings(model) == before:
        raise XlError("the training changed no weight; give a higher learning_rate or more epochs")
    return pd.DataFrame([row for row in trainer.state.log_history if "loss" in row])


def trained_share(model: SentenceTransformer, recipe: Recipe) -> float:
    """Return the number of weights that a recipe trains, in proportion to those of the model."""
    size = sum(int(weight.numel()) for weight in model.parameters())
    with quiet(), _prepared(model, recipe):
        trained = sum(int(weight.numel()) for weight in model.parameters() if weight.requires_grad)
    return trained / size


def check_size(triples: Sequence[Triple], batch_size: int, epochs: float, warmup: float = Recipe.warmup) -> None:
    """Raise an XlError if there are fewer triples than a batch holds, or no step after the warm-up."""
    if len(triples) < batch_size:
        raise XlError(
            f"{len(triples)} triples are fewer than a batch of {batch_size}; give more triples or a smaller batch"
        )
    steps = math.ceil(len(triples) // batch_size * epochs)
    if steps <= math.ceil(steps * warmup):
        raise XlError("the only step would be the warm-up, in which nothing is learned; give more triples or epochs")


def _beginnings(model: SentenceTransformer) -> str:
    """Return a hash of the first thousand numbers of every weight, which is enough to tell models apart."""
    return content_hash([weight.detach().flatten()[:1000].tolist() for weight in model.parameters()])


def _claim(folder: Path, recipe: Recipe, triples: Sequence[Triple], model: str) -> None:
    """Mark a folder of checkpoints as belonging to one training, so that no other one continues from them."""
    mark = {"recipe": asdict(recipe), "triples": content_hash([astuple(row) for row in triples]), "model": model}
    text = json.dumps(mark, indent=1)
    path = folder / "training.json"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise XlError(f"{folder.name} contains the checkpoints of another training; give another folder, or delete it")
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _arguments(model: SentenceTransformer, recipe: Recipe, folder: Path, save_every: int) -> Any:
    from sentence_transformers import SentenceTransformerTrainingArguments

    on_gpu = model.device.type == "cuda"
    prompts = SentenceTransformerBackend(model, "float32").prompts
    return SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate or learning_rate(model.model_card_data.base_model or ""),
        warmup_steps=recipe.warmup,
        lr_scheduler_type=recipe.schedule,
        weight_decay=recipe.weight_decay,
        adam_beta1=recipe.beta1,
        adam_beta2=recipe.beta2,
        seed=recipe.seed,
        bf16=has_bf16(str(model.device)) if recipe.bf16 is None else recipe.bf16,
        use_cpu=not on_gpu,
        dataloader_drop_last=True,  # a short batch has fewer negatives
        dataloader_pin_memory=on_gpu,
        prompts={column: prompts[role] for column, role in _COLUMNS.items() if role in prompts},
        logging_steps=1,
        save_strategy="steps" if save_every else "no",
        save_steps=save_every or 500,
        save_total_limit=2,
        disable_tqdm=True,
        report_to="none",
        ddp_find_unused_parameters=False,
    )


def has_bf16(device: str) -> bool:
    """Return whether a device multiplies in bfloat16; for a CPU, only Linux says so."""
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    cpu = Path("/proc/cpuinfo")
    return device == "cpu" and cpu.exists() and "avx512_bf16" in cpu.read_text(encoding="utf-8")


@contextmanager
def _prepared(model: SentenceTransformer, recipe: Recipe) -> Iterator[None]:
    """Make a model ready for training, and an ordinary model again afterwards."""
    transformer: Any = model[0]
    length = model.max_seq_length
    rates = [(module, name, getattr(module, name)) for module in model.modules() if (name := _rate_name(module))]
    if recipe.max_length:
        model.max_seq_length = min(length or recipe.max_length, recipe.max_length)
    if recipe.dropout is not None:
        for module, name, _ in rates:
            setattr(module, name, recipe.dropout)
    tasks = {task for role, task in tasks_of(model).items() if role in _COLUMNS.values()}
    if tasks:
        transformer.model.set_adapter(sorted(tasks))  # the other ones are frozen, they would have no gradient
    freeze(transformer.model, recipe)
    if recipe.lora_rank:
        import peft
        import torch

        torch.manual_seed(recipe.seed)  # the beginning of the adapter is random
        options = peft.LoraConfig(r=recipe.lora_rank, lora_alpha=2 * recipe.lora_rank, target_modules="all-linear")
        with warnings.catch_warnings():  # peft asks transformers for a deprecated name
            warnings.simplefilter("ignore", FutureWarning)
            transformer.model = peft.get_peft_model(transformer.model, options)
    try:
        with unscaled(model):  # the losses see lengths too
            yield
    finally:
        if recipe.lora_rank:
            transformer.model = transformer.model.merge_and_unload()
        for module, name, rate in rates:
            setattr(module, name, rate)
        model.max_seq_length = length
        model.requires_grad_(True)
        model.eval()


def _rate_name(module: Any) -> str | None:
    """Return the attribute with a module's rate of dropout; in newer architectures the attention has one."""
    from torch import nn

    if isinstance(module, nn.Dropout):
        return "p"
    return "attention_dropout" if isinstance(getattr(module, "attention_dropout", None), float) else None
