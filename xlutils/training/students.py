"""Smaller models that learn from a larger one: a table of token vectors, and a transformer with fewer layers."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xlutils.datasets.languages import no_language
from xlutils.datasets.scenarios import PIVOT
from xlutils.datasets.sentences import Sentences
from xlutils.datasets.triples import Triple, Triples
from xlutils.errors import XlError
from xlutils.metrics.static import principal_components, rarity_weights
from xlutils.training.finetune import finetune
from xlutils.training.recipe import Recipe
from xlutils.training.trainable import unscaled

if TYPE_CHECKING:
    import pandas as pd
    from sentence_transformers import SentenceTransformer

DISTIL = Recipe(
    losses=("distil",),
    batch_size=16,
    learning_rate=5e-4,
    max_length=64,
    dropout=0.0,
    frozen_embeddings=True,
    mixed=True,
)


def token_vectors(teacher: SentenceTransformer, ids: ArrayLike, batch: int = 512) -> NDArray[np.float32]:
    """Encode single tokens, each between the marks of the beginning and the end: float32 [n, dim].

    :param ids: Numbers of tokens in the teacher's vocabulary, int [n].
    """
    import torch

    marked, plain = (teacher.tokenizer("a", add_special_tokens=is_marked)["input_ids"] for is_marked in (True, False))
    start = marked.index(plain[0])
    before, after = marked[:start], marked[start + len(plain) :]
    parts = []
    with torch.inference_mode():
        for piece in np.array_split(np.asarray(ids), -(-np.size(ids) // batch)):
            rows = torch.tensor([[*before, token, *after] for token in piece.tolist()], device=teacher.device)
            features = {"input_ids": rows, "attention_mask": torch.ones_like(rows)}
            parts.append(teacher.eval()(features)["sentence_embedding"].float().cpu().numpy())
    return np.concatenate(parts)


def token_counts(teacher: SentenceTransformer, texts: Sequence[str]) -> NDArray[np.int64]:
    """Count the tokens of texts, for `static_student`: int [vocabulary]."""
    rows = teacher.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
    return np.bincount(np.concatenate([np.array(row, np.int64) for row in rows]), minlength=len(teacher.tokenizer))


def static_student(
    teacher: SentenceTransformer,
    dim: int = 256,
    counts: ArrayLike | None = None,
    tokens: ArrayLike | None = None,
    vectors: np.ndarray | None = None,
    *,
    whitened: bool = False,
) -> SentenceTransformer:
    """Return a model that gives a text the weighted mean of the vectors of its tokens, scaled to unit length.

    It takes no prompt. `xlutils.models.adapters.save_model` writes a folder that `load_model` reads.

    :param dim: Directions of the token vectors that are kept.
    :param counts: How often each token occurs, int [vocabulary]; by default one divided by its number, since
        vocabularies are sorted by frequency.
    :param tokens: Numbers of the tokens that get a vector, int [n], such as those of the texts at hand; by default all.
    :param vectors: The result of `token_vectors` for them, if it is there already.
    :param whitened: Whether the kept directions all vary as much; the strongest ones tell languages and scripts apart.
    :raises XlError: If the teacher has no fast tokenizer, or shapes do not fit.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
    from transformers import PreTrainedTokenizerFast

    if not isinstance(teacher.tokenizer, PreTrainedTokenizerFast):
        raise XlError("a static student needs the fast tokenizer of its teacher, which has none; take another teacher")
    size = len(teacher.tokenizer)
    numbers = np.arange(size) if tokens is None else np.asarray(tokens)
    vectors = token_vectors(teacher, numbers) if vectors is None else vectors
    weights = rarity_weights(1 / np.arange(1, size + 1) if counts is None else counts)
    if dim > vectors.shape[1] or len(vectors) != len(numbers) or len(weights) != size:
        shapes = f"{len(numbers)} of {size} tokens have vectors {vectors.shape} and {len(weights)} counts"
        raise XlError(f"{shapes}; give as many of each, and dim at most as large")
    table = np.zeros((size, dim), np.float32)
    table[numbers] = principal_components(vectors, dim, whitened=whitened) * weights[numbers, None]
    tokenizer = copy.deepcopy(teacher.tokenizer.backend_tokenizer)  # the teacher goes on to pad and cut with its own
    tokenizer.no_truncation()
    static = StaticEmbedding(tokenizer, embedding_weights=table)
    return SentenceTransformer(modules=[static, Normalize()], device="cpu")


def drop_layers(model: SentenceTransformer, keep: int) -> list[int]:
    """Take layers out of a transformer, in place, and return the numbers of those that stay: evenly spread ones.

    :raises XlError: If the model has fewer layers, or they are not found.
    """
    from torch import nn

    transformer: Any = getattr(model[0], "model", None)
    count = getattr(getattr(transformer, "config", None), "num_hidden_layers", 0)
    modules = transformer.modules() if count else ()
    lists = [part for part in modules if isinstance(part, nn.ModuleList) and len(part) == count]
    if len(lists) != 1 or not 2 <= keep <= count:
        raise XlError(
            f"cannot keep {keep} of {count} layers; give a transformer and a number from 2 to that of its layers"
        )
    kept: list[int] = np.linspace(0, count - 1, keep).round().astype(int).tolist()
    for number in reversed(range(count)):
        if number not in kept:
            del lists[0][number]
    transformer.config.num_hidden_layers = keep
    return kept


def sentence_triples(data: Sentences, languages: Sequence[str], count: int, words: int = 4, seed: int = 42) -> Triples:
    """Return what a student learns from: English sentences and their translations, shuffled.

    In place of the English question stands the beginning of the sentence, so that short texts are learned, too.

    :param languages: Tags of the languages besides English.
    :param count: Sentences drawn for each of them.
    :param words: Length of the beginning.
    :raises XlError: If a language is missing, or there are fewer sentences.
    """
    for code in (PIVOT, *languages):
        if code not in data.languages:
            raise no_language(data.name, code, data.languages)
    if not 0 < count <= len(data.ids):
        raise XlError(f"{data.name} has {len(data.ids)} sentences; ask for 1 to that many, not {count}")
    draws, english = random.Random(seed), data.texts[PIVOT]  # noqa: S311 - no secret
    rows = [
        Triple(" ".join(english[row].split()[:words]), english[row], data.texts[code][row], code)
        for code in languages
        for row in draws.sample(range(len(data.ids)), count)
    ]
    draws.shuffle(rows)
    return Triples(data.name, tuple(rows))


def train_student(
    teacher: SentenceTransformer,
    student: SentenceTransformer,
    triples: Sequence[Triple],
    folder: str | Path,
    recipe: Recipe = DISTIL,
    save_every: int = 0,
) -> pd.DataFrame:
    """Train a student, in place, on the teacher's vectors of English texts (Reimers and Gurevych, 2020).

    The English texts of the triples shall have the teacher's vectors, and translations those of their English texts.

    :param teacher: A model with the tokenizer of the student; it stays as it is.
    :return: As from `finetune`, to which the other parameters go.
    :raises XlError: If the tokenizers differ, or as from `finetune`.
    """
    if teacher.tokenizer.get_vocab() != student.tokenizer.get_vocab():
        raise XlError("teacher and student must have the same tokenizer; make the student from the teacher's layers")
    teacher.eval()
    with unscaled(teacher):
        return finetune(student, triples, recipe, folder, save_every, teacher=teacher)
