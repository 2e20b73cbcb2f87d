"""The gate: what is measured of each canary in a language; 1 is best and 0 worst everywhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from xlutils.chapters.gate_sides import Side
from xlutils.datasets.canaries import NAME, OPPOSITE, QUESTION, Canaries
from xlutils.metrics.bias import language_bias
from xlutils.metrics.neighbours import pair_scores
from xlutils.metrics.ranking import gold_ranks, ndcg_at_1, norm_by_query
from xlutils.metrics.relations import antonym_margin, found_first, told_apart

ACROSS, WITHIN, MIXED, FAIR, OPPOSITES = "across", "within", "mixed", "fair", "opposites"
ABOUT = {
    ACROSS: "a text finds its translation first, and is found by it",
    WITHIN: "a query finds its document, or a name another one of its group, first in the language",
    MIXED: "both versions come first in a pool of two languages (Max@R, normalised and divided by 100)",
    FAIR: "one minus the share of the query's language among wrong documents above the right ones",
    OPPOSITES: "a word is nearer to its translation than to that of its antonym",
}
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Has = dict[str, NDArray[np.bool_]]  # which canaries can be compared, by language
Values = tuple[str, Rows, Floats]  # measure, canaries, and their values


def values_of(side: Side, canaries: Canaries, has: Has, code: str) -> Iterator[Values]:
    """Yield what one side reaches in a language, canary by canary."""
    pairs = translations(canaries, has, code)
    if len(pairs) > 1:
        for measure, values in ((ACROSS, _across), (MIXED, _mixed), (FAIR, _fair)):
            yield measure, pairs, values(side, code, canaries.pivot, pairs)
    names, questions = (np.flatnonzero(has[code] & (_kinds(canaries) == kind)) for kind in (NAME, QUESTION))
    if len(names):
        yield WITHIN, names, _same_group(side, code, names, np.array(canaries.groups)[names])
    if len(questions):
        ranks = gold_ranks(side.queries[code][questions], side.documents[code][questions], np.arange(len(questions)))
        yield WITHIN, questions, ndcg_at_1(ranks)
    firsts = _pairs_of_opposites(canaries, has, code)
    if len(firsts):
        yield OPPOSITES, firsts, _told_apart(side, code, canaries.pivot, firsts)


def translations(canaries: Canaries, has: Has, code: str) -> Rows:
    """Return the canaries that a language and the pivot have and spell differently, none of them for the pivot."""
    if code == canaries.pivot:
        return np.zeros(0, np.int64)
    columns = (canaries.documents[language] for language in (code, canaries.pivot))
    differ = np.array([one.casefold() != other.casefold() for one, other in zip(*columns, strict=True)])
    return np.flatnonzero(has[code] & has[canaries.pivot] & differ & (_kinds(canaries) != OPPOSITE))


def _kinds(canaries: Canaries) -> NDArray[np.str_]:
    return np.array(canaries.kinds)


def _across(side: Side, code: str, pivot: str, rows: Rows) -> Floats:
    there = pair_scores(side.queries[code][rows], side.documents[pivot][rows]).forward
    back = pair_scores(side.queries[pivot][rows], side.documents[code][rows]).forward
    return np.asarray((there + back) / 2)


def _pool(side: Side, code: str, pivot: str, rows: Rows) -> tuple[np.ndarray, Rows]:
    """Return the documents of a language and the pivot, and the places of both versions of each, int [n, 2]."""
    documents = np.concatenate([side.documents[language][rows] for language in (code, pivot)])
    return documents, np.arange(len(documents)).reshape(2, -1).T


def _fair(side: Side, code: str, pivot: str, rows: Rows) -> Floats:
    documents, gold = _pool(side, code, pivot, rows)
    language_of = np.repeat([0, 1], len(rows))
    above = language_bias(side.queries[code][rows], documents, language_of, gold, own=0).intruders
    total = above.sum(axis=1)
    return np.asarray(1 - np.divide(above[:, 0], total, out=np.zeros(len(rows)), where=total > 0))


def _mixed(side: Side, code: str, pivot: str, rows: Rows) -> Floats:
    """Return Max@R; a name or text finds itself, so its place is that of its translation among both languages.

    The language asks by itself: if a third one asked, its losses would show in all languages.
    """
    documents, gold = _pool(side, code, pivot, rows)
    ranks = gold_ranks(side.queries[code][rows], documents, gold)
    return np.clip(norm_by_query(ranks, len(documents), 2) / 100, 0, 1)


def _same_group(side: Side, code: str, rows: Rows, groups: NDArray[np.str_]) -> Floats:
    scores = side.queries[code][rows] @ side.documents[code][rows].T
    np.fill_diagonal(scores, -np.inf)
    return found_first(scores, (groups[:, None] == groups) & ~np.eye(len(rows), dtype=bool))


def _pairs_of_opposites(canaries: Canaries, has: Has, code: str) -> Rows:
    """Return the first rows of the pairs that a language and the pivot have."""
    if code == canaries.pivot:
        return np.zeros(0, np.int64)
    firsts = np.flatnonzero(_kinds(canaries) == OPPOSITE)[::2]
    both = has[code] & has[canaries.pivot]
    return firsts[both[firsts] & both[firsts + 1]] if len(firsts) else firsts


def _told_apart(side: Side, code: str, pivot: str, firsts: Rows) -> Floats:
    values = []
    for asker, answerer in ((code, pivot), (pivot, code)):
        for right, wrong in ((firsts, firsts + 1), (firsts + 1, firsts)):
            answers = side.documents[answerer]
            values.append(told_apart(antonym_margin(side.queries[asker][right], answers[right], answers[wrong])))
    return np.asarray(np.mean(values, axis=0))


def found_instead(side: Side, canaries: Canaries, has: Has, code: str, measure: str, row: int) -> str:
    """Return the document that a canary's query finds first, or "" if that is the right one or is not asked for."""
    searched = {ACROSS: canaries.pivot, WITHIN: code}.get(measure, "")
    if not searched:
        return ""
    rows = translations(canaries, has, code) if measure == ACROSS else np.flatnonzero(has[code])
    rows = rows[_kinds(canaries)[rows] == canaries.kinds[row]] if measure == WITHIN else rows
    scores = side.documents[searched][rows] @ side.queries[code][row]
    if canaries.kinds[row] == NAME and measure == WITHIN:
        scores[rows == row] = -np.inf
    first = int(rows[scores.argmax()])
    return "" if first == row else str(canaries.documents[searched][first])
