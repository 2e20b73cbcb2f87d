"""What helps without training: ways to change vectors or scores, each with what a system must know to use it.

Interleaving and scores by language change the order of documents; the others change vectors, see `repair`. SHIFT, here
*documents onto English*, moves the documents of each language by the way from their mean to the English one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.repair import (
    Spaces,
    centre,
    remove_components,
    remove_language_space,
    rotate,
    with_hubness,
)

Rescore = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


class Fit(NamedTuple):
    """Texts that a remedy may look at: vectors of questions and of passages by language, float32 [n, dim]."""

    queries: Spaces
    passages: Spaces


Move = Callable[[Spaces, Spaces, Fit], tuple[Spaces, Spaces]]


@dataclass(frozen=True)
class Remedy:
    """Something that changes vectors or scores, without training.

    :param needs: Whose language a system must know to use it.
    :param move: Returns new vectors of questions and passages.
    :param rescore: Returns new scores, from scores [q, n], the language number of each document, [n], and that of the
        questions.
    :param texts: Texts of each language to fit on, never translations of each other; 0 for half of the data.
    :param sees_pool: Whether it is fitted on the very texts that it is tested on.
    :param reindex: Whether the vectors of the documents change.
    """

    needs: str
    move: Move = lambda queries, passages, fit: (queries, passages)
    rescore: Rescore | None = None
    texts: int = 0
    sees_pool: bool = False
    reindex: bool = True


def _query_side(queries: Spaces, passages: Spaces, fit: Fit) -> tuple[Spaces, Spaces]:
    return centre(queries, fit.queries), passages


def _document_side(queries: Spaces, passages: Spaces, fit: Fit) -> tuple[Spaces, Spaces]:
    return queries, centre(passages, fit.passages)


def _both_sides(queries: Spaces, passages: Spaces, fit: Fit) -> tuple[Spaces, Spaces]:
    return centre(queries, fit.queries), centre(passages, fit.passages)


def _global_mean(queries: Spaces, passages: Spaces, fit: Fit) -> tuple[Spaces, Spaces]:
    return centre(queries, _pooled(fit.queries)), centre(passages, _pooled(fit.passages))


def _queries_and_pool(queries: Spaces, passages: Spaces, fit: Fit) -> tuple[Spaces, Spaces]:
    return centre(queries, fit.queries), centre(passages, _pooled(fit.passages))


def _pooled(spaces: Spaces) -> Spaces:
    """Return all vectors under the name of every language."""
    return dict.fromkeys(spaces, np.concatenate(list(spaces.values())))


def _onto_english(queries: Spaces, passages: Spaces, fit: Fit) -> tuple[Spaces, Spaces]:
    means = {code: vectors.mean(axis=0) for code, vectors in fit.passages.items()}
    moved = {code: unit_rows(vectors - means[code] + means[next(iter(means))]) for code, vectors in passages.items()}
    return queries, moved


def _apart(function: Callable[[Spaces, Spaces], Spaces]) -> Move:
    """Apply a repair to questions and passages, each fitted on texts of its own kind."""
    return lambda queries, passages, fit: (function(queries, fit.queries), function(passages, fit.passages))


def _rotated(queries: Spaces, passages: Spaces, fit: Fit) -> tuple[Spaces, Spaces]:
    first, *others = fit.passages
    pairs = {code: (fit.passages[code], fit.passages[first]) for code in others}
    return rotate(queries, pairs), rotate(passages, pairs)


def _csls(queries: Spaces, passages: Spaces, fit: Fit) -> tuple[Spaces, Spaces]:
    asked = np.concatenate(list(fit.queries.values()))
    new_queries, new_passages = with_hubness(queries, passages, asked, min(10, len(asked)))
    return new_queries, new_passages


def _mislabelled(rate: float) -> Move:
    """Centre both sides, with a share of the texts taken for texts of another language of the pool."""

    def move(queries: Spaces, passages: Spaces, fit: Fit) -> tuple[Spaces, Spaces]:
        draws = np.random.default_rng(0)

        def centred(spaces: Spaces, fitted_on: Spaces) -> dict[str, np.ndarray]:
            codes = list(fitted_on)
            labels = {c: np.where(draws.random(len(v)) < rate, i - 1, i) for i, (c, v) in enumerate(fitted_on.items())}
            labels = {code: which % len(codes) for code, which in labels.items()}
            means = []
            for number in range(len(codes)):
                called_so = [fitted_on[code][which == number] for code, which in labels.items()]
                means.append(np.concatenate(called_so).mean(axis=0))
            moved = {}
            for code, vectors in spaces.items():
                here = codes.index(code)
                which = np.where(draws.random(len(vectors)) < rate, here - 1, here) % len(codes)
                moved[code] = unit_rows(vectors - np.stack(means)[which])
            return moved

        return centred(queries, fit.queries), centred(passages, fit.passages)

    return move


def interleaved(scores: np.ndarray, language_of: np.ndarray, own: int) -> np.ndarray:
    """Score documents by their place when the languages take turns, that of the questions first."""
    numbers = np.unique(language_of)
    places = np.zeros_like(scores)
    for number in numbers:
        chosen, turn = language_of == number, (number - own) % len(numbers)
        places[:, chosen] = (rankdata(-scores[:, chosen], axis=1) - 1) * len(numbers) + turn
    return np.asarray(-places / scores.shape[1])  # small enough for the tolerance of `gold_ranks`


def standardised(scores: np.ndarray, language_of: np.ndarray, own: int) -> np.ndarray:
    """Scale the scores of each question and language to mean 0 and standard deviation 1."""
    scaled = scores.copy()
    for number in np.unique(language_of):
        chosen = language_of == number
        part = scores[:, chosen]
        scaled[:, chosen] = (part - part.mean(axis=1, keepdims=True)) / (part.std(axis=1, keepdims=True) + 1e-9)
    return scaled


_QUESTION = "question"
_DOCUMENT = "documents"
_BOTH = "both"
REMEDIES: dict[str, Remedy] = {
    "one global mean": Remedy("neither", _global_mean),
    **{f"query side, {n} questions": Remedy(_QUESTION, _query_side, texts=n, reindex=False) for n in (4, 8, 32, 128)},
    "query side": Remedy(_QUESTION, _query_side, reindex=False),
    "documents only": Remedy(_DOCUMENT, _document_side),
    "documents onto English": Remedy(_DOCUMENT, _onto_english),
    "query side, documents by pool": Remedy(_QUESTION, _queries_and_pool),
    **{f"both sides, {n} texts": Remedy(_BOTH, _both_sides, texts=n) for n in (8, 32)},
    "both sides": Remedy(_BOTH, _both_sides),
    "both sides, from the pool": Remedy(_BOTH, _both_sides, sees_pool=True),
    **{f"both sides, {rate}% wrong labels": Remedy(_BOTH, _mislabelled(rate / 100)) for rate in (5, 20, 50)},
    "components removed": Remedy(_BOTH, _apart(remove_components)),
    "language space removed": Remedy("neither", _apart(remove_language_space)),
    "rotation": Remedy("both, translations", _rotated),
    "CSLS": Remedy("neither", _csls),
    "interleaved": Remedy(_BOTH, rescore=interleaved, reindex=False),
    "scores by language": Remedy(_DOCUMENT, rescore=standardised, reindex=False),
}
