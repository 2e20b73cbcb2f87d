"""Chapter 6: what is asked of pairs of texts in one language and the pivot, pair by pair."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlutils.datasets.relations import TextPairs
from xlutils.metrics.neighbours import pair_scores
from xlutils.metrics.relations import (
    analogies,
    antonym_margin,
    category_scores,
    comparisons,
    found_first,
    jaccard,
    kernel_matrix,
    neighbour_weights,
    rank_matrix,
    relational_affinity,
    structure_test,
    told_apart,
)
from xlutils.metrics.repair import centre
from xlutils.metrics.uncertainty import bootstrap_ci

OPPOSITES, MEMBERS, DEGREES = "antonym", "category", "graded"  # relations that are not asked like the others
NEIGHBOURS = 10
LEAST = 5  # pairs; a language with fewer gets no score
_SHUFFLES = 20
Floats = NDArray[np.float64]
Side = tuple[np.ndarray, np.ndarray]  # vectors of the first and second texts of one language, [n, dim]
Test = tuple[str, Sequence[int], Floats]  # name, positions of the pairs, and their values


def tests_of(pairs: TextPairs, here: Side, there: Side, code: str, pivot: str) -> Iterator[Test]:
    """Yield the tests of one language against the pivot.

    :param here: Vectors of the language `code`; `there`: those of the pivot.
    """
    ask = {"relations": _relations, "minimal-pairs": _minimal_pairs, "senses": _senses}[pairs.kind]
    yield from ask(pairs, here, there, code, pivot)


def _relations(pairs: TextPairs, here: Side, there: Side, code: str, pivot: str) -> Iterator[Test]:
    for relation in dict.fromkeys(pairs.groups):
        rows = _whole(pairs, relation, code, pivot)
        if len(rows) < LEAST:
            continue
        one, other = _part(here, rows), _part(there, rows)
        labels = np.array(pairs.labels)[rows]
        name = slug(relation)
        for test, values in _steps(one, other):
            yield f"{test}/{name}", rows, values
        if relation == OPPOSITES:
            for test, values in _opposites(one, other, labels):
                yield test, rows, values
        elif relation == MEMBERS:
            for test, positions, values in _members(one, other, labels):
                yield test, [rows[position] for position in positions], values
        if relation not in (MEMBERS, DEGREES):  # whose words occur several times
            there_and_back = [analogies(*other, *one), analogies(*one, *other)]
            for method in there_and_back[0]:
                yield f"analogy-{method}/{name}", rows, np.mean([hits[method] for hits in there_and_back], axis=0)


def _whole(pairs: TextPairs, relation: str, code: str, pivot: str) -> list[int]:
    """Return the pairs of a relation that both languages have; a category needs two of them."""
    rows = pairs.rows(relation, code, pivot)
    sizes = Counter(pairs.labels[row] for row in rows)
    return [row for row in rows if relation != MEMBERS or sizes[pairs.labels[row]] > 1]


def _steps(one: Side, other: Side) -> Iterator[tuple[str, Floats]]:
    """Yield how alike the steps of a relation are in two languages, and the same for pairs put together at random."""
    first, second = np.stack([one[0], other[0]], axis=1), np.stack([one[1], other[1]], axis=1)
    found = relational_affinity(first, second)
    yield from (("affinity", found.same), ("affinity-others", found.other))
    orders = [np.random.default_rng(seed).permutation(len(first)) for seed in range(_SHUFFLES)]
    yield "affinity-shuffled", np.mean([relational_affinity(first, second[order]).same for order in orders], axis=0)


def _questions(one: Side, other: Side) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, Side]]:
    """Yield the four ways of asking about pairs: question, right and wrong answer, and all answers."""
    for asked, answers in ((other, one), (one, other)):
        yield asked[0], answers[0], answers[1], answers
        yield asked[1], answers[1], answers[0], answers


def _opposites(one: Side, other: Side, labels: NDArray[np.str_]) -> Iterator[tuple[str, Floats]]:
    is_other = (labels[:, None] == labels) & ~np.eye(len(labels), dtype=bool)
    with np.errstate(invalid="ignore"):  # NaN for a word that is the only one of its kind
        beside = np.tile(is_other / (2 * is_other.sum(axis=1, keepdims=True)), 2)
    values: dict[str, list[Floats]] = {}
    for word, right, wrong, answers in _questions(one, other):
        margin = antonym_margin(word, right, wrong)
        near, far = (np.vecdot(word, side, dtype=np.float64)[:, None] for side in (right, wrong))
        cosines = np.concatenate([word @ side.T for side in answers], axis=1)
        values.setdefault("antonyms", []).append(told_apart(margin))
        values.setdefault("antonym-margin", []).append(margin)
        values.setdefault("antonym-auc", []).append(comparisons(near[:, 0], far[:, 0]).mean(axis=1))
        values.setdefault("others-told-apart", []).append((told_apart(near - cosines) * beside).sum(axis=1))
        values.setdefault("antonym-above-others", []).append((told_apart(far - cosines) * beside).sum(axis=1))
    for test, parts in values.items():
        yield test, np.mean(parts, axis=0)


def _members(one: Side, other: Side, labels: NDArray[np.str_]) -> Iterator[Test]:
    category_of = np.unique(labels, return_inverse=True)[1]
    named = np.unique(category_of, return_index=True)[1]  # the first pair of each category stands for its name
    is_member = category_of == category_of[named][:, None]
    by_members, by_name, from_name = [], [], []
    for asked, answers in ((other, one), (one, other)):
        by_members.append(found_first(category_scores(asked[0], answers[0], category_of), category_of))
        by_name.append(found_first(asked[0] @ answers[1][named].T, category_of))
        from_name.append(found_first(asked[1][named] @ answers[0].T, is_member))
    everything = range(len(labels))
    yield "category-members", everything, np.mean(by_members, axis=0)
    yield "category-name", everything, np.mean(by_name, axis=0)
    yield "name-member", named.tolist(), np.mean(from_name, axis=0)


def _minimal_pairs(pairs: TextPairs, here: Side, there: Side, code: str, pivot: str) -> Iterator[Test]:
    whole = [row for group in dict.fromkeys(pairs.groups) for row in pairs.rows(group, code, pivot)]
    place = {row: position for position, row in enumerate(whole)}
    pools = [np.concatenate([texts[whole] for texts in side]) for side in (here, there)]
    for phenomenon in dict.fromkeys(pairs.groups):
        rows = pairs.rows(phenomenon, code, pivot)
        if len(rows) < LEAST:
            continue
        places = np.array([place[row] for row in rows])
        preferred, fooled = [], []
        for asked, answers, pool in ((there, here, pools[0]), (here, there, pools[1])):
            for side in (0, 1):  # both sentences ask; each is the distractor of the other
                query, right, wrong = asked[side][rows], answers[side][rows], answers[1 - side][rows]
                preferred.append(told_apart(antonym_margin(query, right, wrong)))
                fooled.append(found_first(query @ pool.T, places + (1 - side) * len(whole)))
        name = slug(phenomenon)
        yield f"pairs/{name}", rows, np.mean(preferred, axis=0)
        yield f"fooled/{name}", rows, np.mean(fooled, axis=0)
        yield f"near/{name}", rows, np.vecdot(here[0][rows], here[1][rows], dtype=np.float64)


def _senses(pairs: TextPairs, here: Side, there: Side, code: str, pivot: str) -> Iterator[Test]:
    words = [pairs.rows(word, code, pivot) for word in dict.fromkeys(pairs.groups)]
    translation = pairs.first[code]
    apart = [rows for rows in words if len(rows) == 2 and len({translation[row].casefold() for row in rows}) == 2]
    rows, twins = [row for pair in apart for row in pair], [row for pair in apart for row in reversed(pair)]
    if len(rows) < LEAST:
        return
    sentence = antonym_margin(there[1][rows], here[0][rows], here[0][twins])
    word = antonym_margin(there[0][rows], here[0][rows], here[0][twins])
    yield "senses", rows, told_apart(sentence)
    yield "senses-moved", rows, told_apart(sentence - word)
    both = [(there[1], here[1]), (here[1], there[1])]
    values = [told_apart(antonym_margin(asked[rows], answers[rows], answers[twins])) for asked, answers in both]
    yield "sense-sentences", rows, np.mean(values, axis=0)
    cosines = np.vecdot(there[0][rows], here[0][rows], dtype=np.float64)
    yield "sense-cosine", rows[::2], np.maximum(cosines[::2], cosines[1::2])


def structure_rows(
    pairs: TextPairs, here: Side, there: Side, code: str, pivot: str, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield what is not a mean over pairs: for words, how alike the structures of two languages are."""
    chosen = [(group, side) for group, sides in ((OPPOSITES, (0, 1)), (MEMBERS, (0,))) for side in sides]
    rows = {group: pairs.rows(group, code, pivot) for group, _ in chosen}
    one, other = (np.concatenate([sides[side][rows[group]] for group, side in chosen]) for sides in (here, there))
    if len(one) <= NEIGHBOURS:
        return
    weights = [neighbour_weights(side, NEIGHBOURS) for side in (one, other)]
    overlap = jaccard(*weights)
    null, p_value = structure_test(weights[0], weights[1], lambda a, b: float(jaccard(a, b).mean()), seed=seed)
    low, high = bootstrap_ci(overlap, seed=seed)
    yield {"metric": "overlap", "value": overlap.mean(), "low": low, "high": high}
    yield from ({"metric": "overlap-shuffled", "value": null}, {"metric": "overlap-p", "value": p_value})
    for name, matrix in (("rsa", rank_matrix), ("cka", kernel_matrix)):
        tables = matrix(one), matrix(other)
        null, p_value = structure_test(tables[0], tables[1], seed=seed)
        yield {"metric": name, "value": float(np.vdot(*tables))}
        yield from ({"metric": f"{name}-shuffled", "value": null}, {"metric": f"{name}-p", "value": p_value})
    spaces = centre({"one": one, "other": other}, {"one": one, "other": other})
    measured = {
        "cosine-centred": np.vecdot(spaces["one"], spaces["other"], dtype=np.float64),
        "retrieval": pair_scores(one, other).forward,
    }
    for name, values in measured.items():
        low, high = bootstrap_ci(values, seed=seed)
        yield {"metric": name, "value": values.mean(), "low": low, "high": high}


def _part(side: Side, rows: Sequence[int]) -> Side:
    return side[0][rows], side[1][rows]


def slug(name: str) -> str:
    """Return a name in the letters that metrics may have."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "other"
