"""One training run on triples, with the settings of Hong et al. as defaults."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xlutils.datasets.files import content_hash
from xlutils.datasets.parallel import ParallelQA
from xlutils.datasets.triples import Triple
from xlutils.errors import XlError
from xlutils.models.sentence_transformer import SentenceTransformerBackend, quiet
from xlutils.training.trainable import raw_vectors, unscaled

if TYPE_CHECKING:
    import pandas as pd
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from torch import nn
    from transformers import TrainerCallback

LEARNING_RATES = {"bge-m3": 4e-6, "multilingual-e5": 2e-5, "gte-multilingual": 1e-5, "jina-embeddings-v3": 3e-5}
_SAMPLE = 100  # passages per language to find its mean with
_COLUMNS = {"query_en": "query", "passage_en": "passage", "passage_tgt": "passage"}  # and the role of each


@dataclass(frozen=True)
class Recipe:
    """How to train.

    :param losses: Some of "jsd", "nce", "nce-passage".
    :param temperature: Of InfoNCE; the published formula has none, which is 1.
    :param jsd_weight: Factor of the Jensen-Shannon term.
    :param keep_weight: Factor of the term that keeps texts where they were, but for one step of each language.
    :param epochs: Passes over the triples.
    :param batch_size: Triples a step, on each device.
    :param learning_rate: Highest rate; None for the one published for the model, else 2e-5.
    :param warmup: Share of the steps in which the rate rises; then it falls to 0 in a straight line.
    :param weight_decay: Of AdamW.
    :param beta2: Of AdamW.
    :param max_length: Tokens beyond this are cut in training.
    :param dropout: Share of activations dropped; above 0 a CPU needs twice the time and memory.
    :param frozen_embeddings: Leave the table of token vectors as it is.
    :param only_biases: Train only what is added to activations and the scales of the norms, one in some
        hundreds of the weights: that can move whole languages and little else.
    :param lora_rank: Train only low-rank additions of this rank to the attention; 0 for all weights.
    :param micro_tokens: Most tokens that go through the model at a time; None for all.
    :param bf16: Whether matrix products run in bfloat16; None where the GPU or CPU has it.
    :param seed: Seed of order and dropout.
    """

    losses: tuple[str, ...] = ("jsd", "nce")
    temperature: float = 1.0
    jsd_weight: float = 1.0
    keep_weight: float = 1.0
    epochs: float = 1
    batch_size: int = 32
    learning_rate: float | None = None
    warmup: float = 0.15
    weight_decay: float = 0.01
    beta2: float = 0.99
    max_length: int = 192
    dropout: float = 0.0
    frozen_embeddings: bool = False
    only_biases: bool = False
    lora_rank: int = 0
    micro_tokens: int | None = 2048
    bf16: bool | None = None
    seed: int = 42


def training_table(triples: Sequence[Triple]) -> Dataset:
    """Make the trainer's table, with labels of two numbers.

    Rows with the same question or English passage share the first; the second is the place of the language among
    all, in order of first appearance.
    """
    from datasets import Dataset
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    texts = {name: [getattr(row, name) for row in triples] for name in _COLUMNS}
    numbers: dict[tuple[str, str], int] = {}
    keys = [[numbers.setdefault((name, text), len(numbers)) for text in texts[name]] for name in list(_COLUMNS)[:2]]
    graph = coo_array((np.ones(len(triples)), tuple(keys)), shape=(len(numbers), len(numbers)))
    _, component = connected_components(graph, directed=False)
    places = {code: place for place, code in enumerate(dict.fromkeys(row.lang for row in triples))}
    languages = [places[row.lang] for row in triples]
    return Dataset.from_dict({**texts, "label": np.stack([component[keys[0]], languages], axis=1).tolist()})


def steps_to_english(model: SentenceTransformer, triples: Sequence[Triple]) -> np.ndarray:
    """Find the way from each language to English: the mean over passages and their translations.

    :return: float32 [languages, dim], in the order of the second labels.
    """
    by_language: dict[str, Counter[tuple[str, str]]] = {}
    for row in triples:
        by_language.setdefault(row.lang, Counter())[row.passage_en, row.passage_tgt] += 1  # once for each question
    samples = [list(pairs.items())[:_SAMPLE] for pairs in by_language.values()]
    texts = list(dict.fromkeys(text for sample in samples for pair, _ in sample for text in pair))
    vectors = dict(zip(texts, raw_vectors(model, texts, "passage"), strict=True))
    steps = []
    for sample in samples:
        ways = [vectors[english] - vectors[other] for (english, other), _ in sample]
        steps.append(np.average(ways, axis=0, weights=[often for _, often in sample]))
    return np.stack(steps).astype(np.float32)


@dataclass(frozen=True)
class Training:
    """What happened in a training run.

    :param steps: A row a step: step, loss, the value of each part, learning_rate, grad_norm.
    :param checks: A row an evaluation: step and the metrics of the evaluator.
    :param stopped: Why it ended early; empty if it did not.
    """

    steps: pd.DataFrame
    checks: pd.DataFrame
    stopped: str


def finetune(
    model: SentenceTransformer,
    triples: Sequence[Triple],
    recipe: Recipe,
    folder: str | Path,
    data: ParallelQA | None = None,
    check_every: int = 0,
    save_every: int = 0,
    callbacks: Sequence[TrainerCallback] = (),
) -> Training:
    """Train a model in place. Started again with the same folder, it goes on from the newest checkpoint there.

    :param model: The model; on a GPU if it lies there.
    :param triples: Training data.
    :param recipe: How to train.
    :param folder: Where checkpoints go.
    :param data: Questions in English and other languages to measure mixed-language retrieval with, before,
        during and after; a model that collapses is not trained further.
    :param check_every: Steps between two measurements; 0 for none in between.
    :param save_every: Steps between two checkpoints; 0 for none.
    :param callbacks: What else should happen during training.
    :raises XlError: If there are fewer triples than one batch takes, or the folder holds another training.
    """
    import pandas as pd
    import torch
    from sentence_transformers import SentenceTransformerTrainer
    from transformers import PrinterCallback
    from transformers.trainer_utils import get_last_checkpoint

    from xlutils.training.evaluator import MixedRetrievalEvaluator, StopOnCollapse
    from xlutils.training.losses import AlignmentLoss

    count = len(triples)
    if count < recipe.batch_size:
        raise XlError(f"{count} triples are fewer than a batch of {recipe.batch_size}; give more, or a smaller batch")
    _claim(Path(folder), recipe, triples)
    model.model_card_data.widget = [{"text": triples[0].query_en}]  # else the trainer would look for some, with a bar
    evaluator = MixedRetrievalEvaluator(data) if data else None
    guard = StopOnCollapse()
    arguments = _arguments(model, recipe, Path(folder), save_every, check_every if data else 0)
    weights, gather = {"jsd": recipe.jsd_weight, "keep": recipe.keep_weight}, arguments.world_size > 1
    keep = "keep" in recipe.losses
    with quiet(), _prepared(model, recipe):
        steps = torch.from_numpy(steps_to_english(model, triples)).to(model.device) if keep else None
        loss = AlignmentLoss(model, recipe.losses, recipe.temperature, weights, recipe.micro_tokens, gather, steps)
        trainer = SentenceTransformerTrainer(
            model=model, args=arguments, train_dataset=training_table(triples), loss=loss, evaluator=evaluator,
            callbacks=[*callbacks, *([guard] if data else [])],
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        last = get_last_checkpoint(str(folder)) if Path(folder).is_dir() else None
        trainer.train(resume_from_checkpoint=last)
        history = trainer.state.log_history
    curves = pd.DataFrame([row for row in history if "loss" in row])
    checks = pd.DataFrame([row for row in history if any(name.startswith("eval_") for name in row)])
    return Training(curves, checks.rename(columns=lambda name: name.removeprefix("eval_")), guard.reason)


def _claim(folder: Path, recipe: Recipe, triples: Sequence[Triple]) -> None:
    """Mark a folder of checkpoints as belonging to one training, so that no other goes on from them."""
    mark = {"recipe": asdict(recipe), "triples": content_hash([astuple(row) for row in triples])}
    text = json.dumps(mark, indent=1)
    path = folder / "training.json"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise XlError(f"{folder.name} holds the checkpoints of another training; give another folder, or delete it")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _arguments(model: SentenceTransformer, recipe: Recipe, folder: Path, save_every: int, check_every: int) -> Any:
    from sentence_transformers import SentenceTransformerTrainingArguments

    on_gpu = model.device.type == "cuda"
    own = SentenceTransformerBackend(model, "float32").prompts
    return SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate or learning_rate(model.model_card_data.base_model or ""),
        warmup_steps=recipe.warmup,
        lr_scheduler_type="linear",
        weight_decay=recipe.weight_decay,
        adam_beta2=recipe.beta2,
        seed=recipe.seed,
        bf16=_has_bf16(model.device) if recipe.bf16 is None else recipe.bf16,
        use_cpu=not on_gpu,
        dataloader_drop_last=True,  # a short batch has fewer negatives
        dataloader_pin_memory=on_gpu,
        prompts={column: own[role] for column, role in _COLUMNS.items() if role in own},
        logging_steps=1,
        save_strategy="steps" if save_every else "no",
        save_steps=save_every or 500,
        eval_strategy="steps" if check_every else "no",
        eval_steps=check_every or None,
        eval_on_start=bool(check_every),
        save_total_limit=2,
        disable_tqdm=True,
        report_to="none",
        ddp_find_unused_parameters=False,
    )


def _has_bf16(device: Any) -> bool:
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and "avx512_bf16" in _cpu_features()


@cache
def _cpu_features() -> frozenset[str]:
    """Read what the processor can do, on Linux; nothing elsewhere."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("flags"):
                return frozenset(line.split())
    return frozenset()


def learning_rate(name: str) -> float:
    """Look up the rate published for a model, by a part of its name; 2e-5 where there is none."""
    return next((rate for part, rate in LEARNING_RATES.items() if part in name.lower()), 2e-5)


def freeze_all_but_biases(model: nn.Module) -> None:
    """Leave only what is added to activations, and the scales of the norms, to be trained."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(parameter.requires_grad and ("bias" in name or "norm" in name.lower()))


@contextmanager
def _prepared(model: SentenceTransformer, recipe: Recipe) -> Iterator[None]:
    """Make a model ready to be trained, and whole again afterwards."""
    from torch import nn

    transformer: Any = model[0]
    length, rates = model.max_seq_length, {}
    model.max_seq_length = min(length or recipe.max_length, recipe.max_length)
    for name, module in model.named_modules():
        if isinstance(module, nn.Dropout):
            rates[name], module.p = module.p, recipe.dropout
    table = transformer.model.get_input_embeddings().weight
    table.requires_grad_(not recipe.frozen_embeddings)
    if getattr(transformer.model, "pooler", None) is not None:
        transformer.model.pooler.requires_grad_(False)  # no part of the vectors, so it has no gradient to share
    if recipe.only_biases:
        freeze_all_but_biases(transformer.model)
    if recipe.lora_rank:
        import peft

        options = peft.LoraConfig(r=recipe.lora_rank, lora_alpha=2 * recipe.lora_rank, target_modules="all-linear")
        with warnings.catch_warnings():  # peft asks transformers for a name that will go
            warnings.simplefilter("ignore", FutureWarning)
            transformer.model = peft.get_peft_model(transformer.model, options)
    try:
        with unscaled(model):  # so that the losses see lengths too
            yield
    finally:
        if recipe.lora_rank:
            transformer.model = transformer.model.merge_and_unload()
        for name, module in model.named_modules():
            if name in rates:
                module.p = rates[name]
        model.max_seq_length = length
        model.requires_grad_(True)
        model.eval()
