"""Chapter 8: what vectors tell about the texts behind them, and what rounding, noise and other defences change."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlutils.chapters.atlas_values import Spaces, Texts, encode_all
from xlutils.chapters.few_shot import interval_over_draws
from xlutils.chapters.map_ways import LEAST, names_of
from xlutils.chapters.remedies import CHANGE
from xlutils.datasets.languages import no_language
from xlutils.datasets.lexicon import Lexicon
from xlutils.datasets.sentences import Sentences
from xlutils.errors import XlError, unknown
from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.maps import fit_map
from xlutils.metrics.neighbours import pair_scores
from xlutils.metrics.probes import fit_probe, guess_by_neighbours
from xlutils.metrics.ranking import gold_ranks, ndcg_at_1
from xlutils.metrics.repair import centre
from xlutils.models.catalogue import find_card
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_dataset, describe_model
from xlutils.results.rows import metric_table

ACROSS, LANGUAGE, NEAR, TOPIC, READ = "across", "language", "language-near", "topic", "read"
LEARNED, NEVER = "/learned", "/never-learned"  # end metrics of languages together
CENTRED, ROTATED, NOISE = "centred", "rotated", "noise"
DEFENCES = (
    *("", "float16", "int8", "sign", *(f"{NOISE} {size}" for size in (0.05, 0.1, 0.2, 0.4, 0.8))),
    *(CENTRED, "64 dimensions", "16 dimensions", ROTATED),
)
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Parts:
    """Thirds of the items: the owner's, for means and directions; the attacker's; and by language the tested ones."""

    owned: Numbers
    known: Numbers
    tested: Mapping[str, Numbers]


def study_leaks(
    encoder: Encoder,
    data: Lexicon | Sentences,
    languages: Sequence[str],
    attacker: Encoder | None = None,
    defences: Sequence[str] = DEFENCES,
    pivot: str = "en",
    seed: int = 42,
    draws: int = 3,
) -> Record:
    """Guess the language, the topic and the wording of texts from their vectors, with and without defences.

    Metrics by language: "language", a linear probe names it; "language-near", the ten nearest known texts do; "topic",
    a probe that has seen the pivot alone names the topic; "read", the attacker finds the text among all texts of the
    language, by a map from the space of a model of his own, and centring; "across", what is left of the use: the text
    finds its translation first, and is found by it. The owner stores vectors with the defence, and asks with vectors of
    full precision. Nothing is tested on items that a probe, a map or a mean was fitted on, in whatever language.

    :param languages: Languages besides the pivot.
    :param attacker: Model of the attacker, whose pairs are the pivot's texts.
    :param defences: Some of `DEFENCES`, "" for none; noise of any length can be asked for.
    :param draws: Of noise.
    """
    codes = [pivot, *(code for code in languages if code != pivot)]
    started = time.perf_counter()
    texts, role, topics = _texts(data, codes)
    parts = _split(data.name, texts, seed)
    spaces = encode_all(encoder, texts, role)
    own = encode_all(attacker, texts, role) if attacker else None
    encoded = time.perf_counter()
    rows: list[dict[str, object]] = []
    published: dict[str, Floats] = {}
    for state in dict.fromkeys(["", *defences]):
        tries = []
        for draw in range(draws if state.startswith(NOISE) else 1):
            stored, asked = defend(state, spaces, parts.owned, np.random.default_rng([seed, draw]))
            tries.append(_attacks(stored, asked, own, parts, topics, pivot))
        tables = {metric: np.stack([one[metric] for one in tries]) for metric in tries[0]}
        published = published or tables
        for metric, values in tables.items():
            rows += _rows(metric, state, values, codes, encoder.name, seed)
            if state:
                rows += _rows(metric, state + CHANGE, values - published[metric], codes, encoder.name, seed)
    rows += _chances(topics, parts.tested[pivot], codes)
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    params = {"pivot": pivot, "seed": seed, "draws": draws, "mapped": codes, "role": role}
    params["attacker"] = describe_model(attacker) if attacker else None
    about = describe_model(encoder), describe_dataset(data, len(topics))
    return Record("production", *about, params, metric_table(rows), seconds, variant="leaks")


def _texts(data: Lexicon | Sentences, codes: Sequence[str]) -> tuple[Texts, str, NDArray[np.str_]]:
    """Return texts by language, their role, and their topics."""
    if isinstance(data, Lexicon):
        return names_of(data, codes), "word", np.array(data.categories)
    for code in codes:
        if code not in data.languages:
            raise no_language(data.name, code, data.languages)
    return {code: data.texts[code] for code in codes}, "query", np.array(data.topics)


def _split(name: str, texts: Texts, seed: int) -> _Parts:
    """Divide the items; a text is tested if no other text, of any item and language, is spelled like it."""
    spelled = np.array([[text.casefold() for text in column] for column in texts.values()])
    _, number, count = np.unique(spelled, return_inverse=True, return_counts=True)
    is_lone = (count[number].reshape(spelled.shape) == 1) & (spelled != "")
    part = np.random.default_rng(seed).permutation(spelled.shape[1]) % 3
    tested = {code: np.flatnonzero(lone & is_lone[0] & (part == 0)) for code, lone in zip(texts, is_lone, strict=True)}
    for code, rows in tested.items():
        if len(rows) < LEAST:
            raise XlError(f"{name}: {len(rows)} texts of {code} can be tested, too few; give more")
    return _Parts(np.flatnonzero(part == 1), np.flatnonzero(part == 2), tested)


def defend(
    state: str, spaces: Spaces, owned: Numbers, rng: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return what the owner stores of vectors, by language, and what he asks with: float32 [n, dim] of unit length.

    :param state: One of `DEFENCES`.
    :param owned: Items that means and directions are taken from.
    :raises XlError: If the defence is unknown.
    """
    asked = dict(spaces)
    kind, _, size = state.rpartition(" ")
    fitted = {code: _present(space[owned]) for code, space in spaces.items()}
    if state == CENTRED:
        asked = centre(spaces, fitted)
    elif size == "dimensions":
        whole = np.concatenate(list(fitted.values()))
        directions = np.linalg.svd(whole - whole.mean(axis=0), full_matrices=False)[2][: int(kind)]
        asked = {code: unit_rows((space - whole.mean(axis=0)) @ directions.T) for code, space in spaces.items()}
    elif state == ROTATED:
        dim = next(iter(spaces.values())).shape[1]
        turn = np.linalg.qr(rng.normal(size=(dim, dim)))[0].astype(np.float32)
        asked = {code: space @ turn for code, space in spaces.items()}
    elif kind == NOISE:
        return {code: _noisy(space, float(size), rng) for code, space in spaces.items()}, asked
    elif state in _ROUNDED:
        return {code: unit_rows(_ROUNDED[state](space)) for code, space in spaces.items()}, asked
    elif state:
        raise unknown("defence", state, DEFENCES[1:])
    return asked, asked


def _noisy(space: np.ndarray, size: float, rng: np.random.Generator) -> np.ndarray:
    """Add normal noise whose length is, on average, so many times that of the vectors."""
    return unit_rows(space + rng.normal(scale=size / np.sqrt(space.shape[1]), size=space.shape))


_ROUNDED = {
    "float16": lambda space: space.astype(np.float16).astype(np.float32),
    "int8": lambda space: np.rint(space / np.abs(space).max(axis=1, keepdims=True) * 127),
    "sign": lambda space: np.where(space < 0, -1.0, np.where(space >= 0, 1.0, np.nan)),
}


def _present(space: np.ndarray) -> np.ndarray:
    return np.asarray(space[np.isfinite(space[:, 0])])


def _attacks(
    stored: Spaces, asked: Spaces, own: Spaces | None, parts: _Parts, topics: NDArray[np.str_], pivot: str
) -> dict[str, Floats]:
    """Return what is guessed of each item in each language, float64 [n, L] by metric; NaN where it is not tested."""
    codes = list(stored)
    known = {code: parts.known[np.isfinite(stored[code][parts.known, 0])] for code in codes}
    vectors = np.concatenate([stored[code][rows] for code, rows in known.items()])
    spoken = np.repeat(codes, [len(rows) for rows in known.values()])
    language = fit_probe(vectors, spoken)
    topic = fit_probe(stored[pivot][known[pivot]], topics[known[pivot]]) if len(np.unique(topics)) > 1 else None
    reader = fit_map(own[pivot][known[pivot]], stored[pivot][known[pivot]], "ridge") if own else None
    tables: dict[str, Floats] = {}
    for column, (code, rows) in enumerate(parts.tested.items()):
        seen = stored[code][rows]
        values = {
            LANGUAGE: language.guess(seen) == code,
            NEAR: guess_by_neighbours(seen, vectors, spoken) == code,
        }
        if topic:
            values[TOPIC] = topic.guess(seen) == topics[rows]
        if reader and own:
            there = np.flatnonzero(np.isfinite(stored[code][:, 0]))
            moved, texts = _centred(reader.apply(own[code][rows])), _centred(stored[code][there])
            values[READ] = ndcg_at_1(gold_ranks(moved, texts, np.searchsorted(there, rows)))
        if code != pivot:
            forward = pair_scores(asked[code][rows], stored[pivot][rows]).forward
            values[ACROSS] = (forward + pair_scores(asked[pivot][rows], seen).forward) / 2
        for metric, column_values in values.items():
            table = tables.setdefault(metric, np.full((len(topics), len(codes)), np.nan))
            table[rows, column] = column_values
    return tables


def _centred(space: np.ndarray) -> np.ndarray:
    return unit_rows(space - space.mean(axis=0))


def _rows(
    metric: str, state: str, values: Floats, codes: Sequence[str], model: str, seed: int
) -> Iterator[dict[str, object]]:
    """Yield a metric by language, and its mean over those that the model learned and those it never learned.

    :param values: [draws, n, L]; the means leave out the pivot, and are those of items, over their languages.
    """

    def row(table: Floats) -> dict[str, object]:
        kept = table[:, np.isfinite(table[0])]
        low, high = interval_over_draws(kept, seed)
        return {"metric": metric, "value": kept.mean(), "low": low, "high": high, "state": state}

    card = find_card(model)
    is_never = np.array([card is not None and card.learned(code) is False for code in codes])
    for number, code in enumerate(codes):
        if np.isfinite(values[..., number]).any() and not state.endswith(CHANGE):
            yield {"kind": "language", "language": code, **row(values[..., number])}
    for end, chosen in ((LEARNED, ~is_never), (NEVER, is_never)):
        part = values[..., 1:][..., chosen[1:]]
        if part.shape[2]:
            counts = np.isfinite(part).sum(axis=2)
            means = np.divide(np.nansum(part, axis=2), counts, out=np.full(counts.shape, np.nan), where=counts > 0)
            yield {"kind": "all", **row(means), "metric": metric + end}


def _chances(topics: NDArray[np.str_], tested: Numbers, codes: Sequence[str]) -> Iterator[dict[str, object]]:
    """Yield what guessing reaches: one language of all, and the most frequent topic."""
    shares = np.unique(topics[tested], return_counts=True)[1] / len(tested)
    yield {"kind": "all", "metric": LANGUAGE, "value": 1 / len(codes), "state": "chance"}
    yield {"kind": "all", "metric": TOPIC, "value": shares.max(), "state": "chance"}
